"""Promises of `max_minutes` and `max_requests`: a hunt stops within one unit, in every stage, and loses nothing."""

from __future__ import annotations

import functools
from collections import Counter
from types import SimpleNamespace

import pytest

import foible
import toyworld
from foible.errors import OutOfRequests, OutOfTime
from foible.hunting import clock
from foible.parts.registry import METHODS

STAGES = {"pilot", "ask twice", "explore", "embed", "caption", "follow", "test", "measure", "explain"}
CONFIG = {"explore": {"draws": 16}, "confirm": {"method": "fixed", "draws": 16}, "batch": 8}
hunt = functools.partial(toyworld.hunt, seed=2, labels=["coffee mug", "water bottle"])


class Watched:
    """The toy world's parts; every call is counted, and tells whoever wants to know."""

    def __init__(self, called):
        self.calls = dict.fromkeys(toyworld.PARTS, 0)
        self.parts = {kind: self.part(kind, called) for kind in toyworld.PARTS}

    def part(self, kind, called):
        """Give a part that is watched."""

        def answer(*columns):
            called(kind, len(columns[0]))
            self.calls[kind] += 1
            return toyworld.PARTS[kind](*columns)

        vars(answer)["fingerprint"] = f"the toy {kind}, watched"
        return answer


@pytest.fixture
def minutes(monkeypatch):
    """A clock that only goes on when it is told to."""
    now = SimpleNamespace(minutes=0.0)
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: 60 * now.minutes))
    return now


def test_the_minutes_end_a_hunt_within_one_unit_in_every_stage(tmp_path, minutes):
    """Each call does what its minutes hold and no unit more; together they do nothing twice, and end the same."""

    def called(kind, count):
        minutes.minutes += 1 if kind != "judge" else 0

    whole = Watched(called)
    hunt(tmp_path / "whole" / "run", config=CONFIG, **whole.parts)
    parts, stopped, done = Watched(called), [], None
    while done is None:
        before, worked = minutes.minutes, dict(parts.calls)
        try:
            done = hunt(tmp_path / "run", config={**CONFIG, "max_minutes": 1}, **parts.parts)
        except OutOfTime as told:
            stopped.append(str(told).partition("stopped after 1 minutes, in the stage ")[2].partition(";")[0])
        assert done or parts.calls != worked, "a call that brings nothing would never end"
        # One that is drawn and captioned takes two minutes here: it is one unit all the same. To ask a part about the
        # same image again, twice alone and once in a batch, is one, too. The judge takes no time here.
        again = stopped[-1:] in (["ask twice"], ["judge"])
        assert minutes.minutes - before <= (3 if again else 2)
        assert all(parts.calls[kind] - worked[kind] <= (3 if again else 1) for kind in parts.calls if kind != "judge")
    assert set(stopped) == STAGES
    assert parts.calls == whole.calls
    assert toyworld.written(tmp_path / "run") == toyworld.written(tmp_path / "whole" / "run")


def test_minutes_are_those_of_new_work(tmp_path, minutes):
    """What is kept is walked through first and takes no minutes; no minutes at all do nothing new, and lose nothing."""
    parts = Watched(lambda kind, count: None)
    hunt(tmp_path / "run", config=CONFIG, **parts.parts)
    made = dict(parts.calls)
    before = toyworld.written(tmp_path / "run")
    for file in before:
        (tmp_path / "run" / file).unlink()
    minutes.minutes = 1e9
    hunt(tmp_path / "run", config={**CONFIG, "max_minutes": 0.001}, **parts.parts)
    assert parts.calls == made
    assert toyworld.written(tmp_path / "run") == before


class Server:
    """A part behind a server: each element of a batch is a request of its own."""

    def __init__(self, kind, asked):
        self.fingerprint = f"the toy {kind}, behind a server"

        def answer(*columns):
            self.ceiling.take(len(columns[0]))
            asked.append((kind, len(columns[0])))
            return toyworld.PARTS[kind](*columns)

        setattr(self, METHODS[kind][0], answer)

    def count_on(self, ceiling):
        """Take every request from a ceiling."""
        self.ceiling = ceiling


KINDS = ("generator", "captioner", "judge")


@pytest.mark.parametrize("most", [*(pytest.param(few, marks=pytest.mark.slow) for few in (8, 11)), 24])
def test_the_requests_end_a_hunt_at_their_ceiling_and_every_call_goes_on(tmp_path, most):
    """However few requests a call has, if a batch fits: none is made beyond them, none is made twice, all is kept."""
    asked: list[tuple[str, int]] = []
    hunt(tmp_path / "whole" / "run", config=CONFIG, **{kind: Server(kind, asked) for kind in KINDS})
    wanted = Counter(asked)
    asked.clear()
    done, said = None, set()
    while done is None:
        before = len(asked)
        try:
            parts = {kind: Server(kind, asked) for kind in KINDS}
            done = hunt(tmp_path / "run", config={**CONFIG, "max_requests": most}, **parts)
        except OutOfRequests as told:
            said.add(str(told).partition(":")[0])
        assert done or len(asked) > before, "a call that brings nothing would never end"
        assert sum(count for _, count in asked[before:]) <= most
    assert said == {f"stopped at the ceiling of {most} requests"}
    # A judge that goes on knows the images of draws whose pixels it saw before, and is not asked about them again. What
    # is asked about one image twice, before the hunt, is asked anew where the requests ended between.
    assert Counter({what: n for what, n in Counter(asked).items() if what[1] > 1}) <= wanted
    for size in range(2, 9):
        assert Counter(asked)["generator", size] == wanted["generator", size]
    assert toyworld.written(tmp_path / "run") == toyworld.written(tmp_path / "whole" / "run")


def test_a_judge_that_meets_the_ceiling_costs_no_draw_and_no_prediction(tmp_path):
    """A unit whose judge may ask no more keeps what its generator and classifier finished, though it was the first."""
    asked: list[tuple[str, int]] = []
    classified = []

    class Classifier(toyworld.Classifier):
        fingerprint = "the toy classifier, counted"

        def classify(self, images):
            """Count and classify."""
            classified.append(len(images))
            return super().classify(images)

    def once():
        parts = {kind: Server(kind, asked) for kind in ("generator", "judge")}
        with pytest.raises(OutOfRequests):
            hunt(tmp_path / "run", Classifier(), config={**CONFIG, "max_requests": 8}, **parts)

    once()
    assert (asked, classified) == ([("generator", 8)], [8])
    once()
    assert (asked, classified) == ([("generator", 8), ("judge", 8)], [8])
    once()
    assert (asked[2:], classified) == ([("generator", 8)], [8, 8])


def test_a_ceiling_below_one_batch_says_what_is_needed(tmp_path):
    """Where not even one batch fits nothing is asked, and the sentence says how many requests the next step needs."""
    asked: list[tuple[str, int]] = []
    for _ in range(2):
        parts = {kind: Server(kind, asked) for kind in KINDS}
        with pytest.raises(foible.FoibleError, match="5 left, and the next step needs 8"):
            hunt(tmp_path / "run", config={**CONFIG, "max_requests": 5}, **parts)
    assert asked == []
