"""Promises of an interrupted hunt: nothing that was finished is lost or redone, and the end is the same to the byte."""

from __future__ import annotations

import itertools
import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toyworld
from foible.parts.registry import KINDS, METHODS

pytestmark = pytest.mark.xdist_group("resume")
UNIT = toyworld.SMALL["batch"]
SENTENCE = "foible: interrupted; what was finished is kept, and the same command goes on from there\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give the folder of a hunt that was never stopped; `log` beside it says what was drawn."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    code, _, err = toyworld.finished(start(folder))
    assert (code, err) == (0, "")
    return folder


@pytest.fixture(scope="module")
def unstopped(tmp_path_factory):
    """Give what a hunt writes whose parts never stop it, and how many calls it makes of them."""
    parts, calls = stopping()
    with tempfile.TemporaryDirectory() as folder:
        toyworld.hunt(Path(folder) / "run", **parts)
        return toyworld.written(Path(folder) / "run"), next(calls)


def start(folder, sleep=0.0, *more, hold=None):
    """Start the small hunt in a process of its own, which waits for a signal once `hold` draws were made."""
    env = {"TOY_LOG": str(folder.parent / "log"), "TOY_SLEEP": str(sleep)}
    env |= {} if hold is None else {"TOY_HOLD": str(hold)}
    return toyworld.command(*toyworld.COMMAND, "--out", folder, *more, env=env)


def drawn(folder):
    """Give the lines that the generator wrote down."""
    log = folder.parent / "log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def stop(process, folder, lines, how, wait=0.0):
    """Send a signal once so many draws are made, and a little later than that."""
    while process.poll() is None and len(drawn(folder)) < lines:
        time.sleep(0.002)
    time.sleep(wait)
    process.send_signal(how)
    return toyworld.finished(process)


class Stopping:
    """A part of the toy world that is interrupted, as by Ctrl-C, when the shared counter reaches a number."""

    def __init__(self, kind, calls, at):
        inner = toyworld.Classifier().classify if kind == "classifier" else toyworld.PARTS[kind]
        self.fingerprint = f"the toy {kind}"

        def answer(*columns):
            if next(calls) == at:
                raise KeyboardInterrupt
            return inner(*columns)

        setattr(self, METHODS[kind][0], answer)
        if kind == "classifier":
            self.labels = toyworld.NAMES


def stopping(at=None):
    """Give all five parts, stopped together at a call; and the counter."""
    calls = itertools.count()
    return {kind: Stopping(kind, calls, at) for kind in KINDS}, calls


def test_a_killed_hunt_ends_as_one_that_was_never_stopped(whole, tmp_path):
    """A hunt killed with SIGKILL at any moments, and started again, writes the same findings and report to the byte."""
    dice = random.Random(11)
    folder = tmp_path / "run"
    moments = sorted(dice.sample(range(1, len(drawn(whole)) - UNIT), 3))
    for moment in moments:
        code, _, _ = stop(start(folder, 0.02), folder, moment, signal.SIGKILL, dice.uniform(0, 0.03))
        assert code == -signal.SIGKILL
        assert not (folder / "findings.json").exists()
    assert toyworld.finished(start(folder))[0] == 0
    assert toyworld.written(folder) == toyworld.written(whole)
    times = Counter(drawn(folder))
    assert times.keys() == set(drawn(whole))
    # Each start may draw one image again before it draws others, to see that it stays the same.
    again = len(moments) * UNIT + len(moments) + 1
    assert sum(times.values()) - len(times) <= again, "more was redone than the units that were killed"


def test_ctrl_c_says_so_and_loses_nothing(whole, tmp_path):
    """Ctrl-C ends a hunt with one sentence and code 130; the same command goes on, and ends with the same bytes."""
    folder = tmp_path / "run"
    code, out, err = stop(start(folder, hold=60), folder, 60, signal.SIGINT)
    assert (code, out, err) == (130, "", SENTENCE)
    made = len(drawn(folder))
    assert toyworld.finished(start(folder))[0] == 0
    assert toyworld.written(folder) == toyworld.written(whole)
    assert len(drawn(folder)) <= len(drawn(whole)) + UNIT
    assert made < len(drawn(whole))


def test_a_finished_hunt_draws_nothing_again_and_writes_what_was_deleted(whole, tmp_path):
    """Deleting report and findings changes no result: the same command writes the same bytes, and draws nothing."""
    before, made = toyworld.written(whole), drawn(whole)
    for name in before:
        (whole / name).unlink()
    code, _, _ = toyworld.finished(start(whole))
    assert code == 0
    assert toyworld.written(whole) == before
    assert drawn(whole) == made


@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_stopping_after_any_number_of_calls_gives_the_same_result(unstopped, data):
    """Whichever part is interrupted, after however many units and however often, the result is the same to the byte."""
    expected, calls = unstopped
    stops = data.draw(st.lists(st.integers(0, calls - 1), min_size=1, max_size=3), label="stops")
    with tempfile.TemporaryDirectory() as name:
        folder, asked = Path(name) / "run", 0
        for at in [*stops, None]:
            parts, counter = stopping(at)
            try:
                toyworld.hunt(folder, **parts)
            except KeyboardInterrupt:
                assert at is not None
            asked += next(counter)
        assert toyworld.written(folder) == expected
        # A part that is tried before the hunt is asked three times, and from the beginning where that was stopped.
        assert asked <= calls + 3 * len(stops), "something that was finished was asked again"
