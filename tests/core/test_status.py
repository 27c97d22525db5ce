"""Promises of `foible status`: what it says of a run that goes on, was stopped, has ended or is damaged."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sqlite3
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import foible
import kept
import toyworld
from foible.checks.status import Status, status
from foible.cli import main
from foible.cli.status import document, lines
from foible.errors import StoreError
from foible.hunting.opening import open_run
from foible.run.journal import NAME

CONFIG = {"confirm": {"method": "sequential"}, "budget": 400}


class Stopped:
    """The toy generator, which is interrupted at a call, as by Ctrl-C."""

    fingerprint = "the toy generator, stopped"

    def __init__(self, at=None):
        self.calls, self.at = itertools.count(), at

    def draw(self, prompts, seeds):
        """Draw, until the call comes."""
        if next(self.calls) == self.at:
            raise KeyboardInterrupt
        return toyworld.draw(prompts, seeds)


def hunt(folder, at=None):
    """Hunt until a call of the generator."""
    generator = Stopped(at)
    run = toyworld.hunt(folder, generator=generator, config=CONFIG, seed=2)
    return run, next(generator.calls)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Hunt to the end: the run, and how often its generator was called."""
    return hunt(tmp_path_factory.mktemp("status") / "run")


def stopped(folder, at):
    """Hunt until a call, and say how far it is."""
    with pytest.raises(KeyboardInterrupt):
        hunt(folder / "run", at)
    return status(folder / "run")


def tree(place):
    """Give every file below a folder, with its bytes and the time of its last change."""
    return {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in Path(place).rglob("*") if one.is_file()}


def test_a_finished_run_has_the_findings_of_its_file(whole):
    """Verdicts, draws, reasons: as findings.json has them; nothing is left."""
    run, _ = whole
    found = status(run.folder)
    assert (found.state, found.phase, found.left, found.rate, found.said) == ("finished", "", None, None, "")
    assert [(one.label, one.words, one.verdict) for one in found.findings] == [
        (f.trial.hypothesis.label, f.trial.hypothesis.treatment.words, f.verdict) for f in run
    ]
    assert any(one.verdict == "confirmed" for one in found.findings)
    assert found.by_arm == run.result.draws
    assert found.asked == found.drawn == sum(run.result.draws.values())
    assert found.unscored == run.result.unscored
    assert 0 < found.disk.images <= sum(len(one.read()) for one in kept.images(run.archive))


def test_nothing_is_written_locked_or_made(whole, tmp_path):
    """Of a finished run and of an interrupted one every file stays as it is, the log of the database too."""
    shutil.copytree(whole[0].folder.parent, tmp_path / "copy")
    stopped(tmp_path / "stopped", 30)
    for place in ("copy", "stopped"):
        before = tree(tmp_path / place)
        status(tmp_path / place / "run")
        assert tree(tmp_path / place) == before


@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_wherever_a_hunt_was_stopped_its_status_counts_what_is_there(whole, tmp_path_factory, data):
    """Draws in the archive are those that the generator gave; what was told of is never more than was asked for."""
    at = data.draw(st.integers(1, whole[1] - 1), label="call")
    place = tmp_path_factory.mktemp("anywhere")
    found = stopped(place, at)
    assert found.state in {"interrupted", "unfinished"}
    assert found.phase
    assert found.said == ""
    assert 0 <= found.drawn <= found.asked <= CONFIG["budget"]
    assert found.drawn >= len(kept.images(place / "archive"))  # two draws may be equal
    assert found.done is None or 0 <= found.done[0] <= found.done[1]
    assert found.left.now is None or 0 <= found.left.now <= CONFIG["budget"] - found.drawn
    if found.phase in {"pilot", "explore"}:
        assert found.findings is None
        assert found.left.now is not None
    json.dumps(document(found))


def test_verdicts_so_far_are_those_of_the_pairs_so_far(whole, tmp_path):
    """Stopped in the test, a run shows each hypothesis that got pairs, with no more draws than it has in the end."""
    found = stopped(tmp_path, 18)
    assert found.phase == "test"
    assert found.findings
    ended = {(f.trial.hypothesis.label, f.trial.hypothesis.treatment.words): f.trial for f in whole[0]}
    for one in found.findings:
        assert 0 < one.treat.draws <= ended[one.label, one.words].treat.draws
    assert "which can change until the run ends" in "\n".join(line.plain for line in lines(found))


def test_over_photographs_what_is_left_is_exact(tmp_path):
    """The rest of the set, whatever is found: no supposition, and no verdict before the second half was looked at."""
    for number, label in enumerate(["coffee mug", "teapot"] * 12):
        path = tmp_path / "set" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(toyworld.draw([f"a {label}"], [number])[0]).save(path)
    calls = itertools.count()

    class Interrupted(toyworld.Classifier):
        def classify(self, images):
            if next(calls) == 3:
                raise KeyboardInterrupt
            return super().classify(images)

    with pytest.raises(KeyboardInterrupt):
        foible.hunt(
            Interrupted(),
            source=f"photos:{tmp_path / 'set'}",
            out=tmp_path / "run",
            progress=False,
            config={"batch": 2},
        )
    found = status(tmp_path / "run")
    assert (found.phase, found.counts, found.findings) == ("explore", "photographs", None)
    assert found.drawn + found.left.now == 12
    assert (found.left.later, found.left.supposed) == (12, "")
    text = "\n".join(line.plain for line in lines(found))
    assert "12 behind it" in text
    assert "bug" not in text


def test_before_all_pairs_are_drawn_a_fixed_test_has_no_verdict(tmp_path):
    """A test of a fixed number of pairs is none before it has them."""
    generator = Stopped(16)
    with pytest.raises(KeyboardInterrupt):
        toyworld.hunt(tmp_path / "run", generator=generator, seed=2)
    found = status(tmp_path / "run")
    assert (found.phase, found.findings) == ("test", None)


def test_another_process_that_hunts_is_seen_and_not_disturbed(tmp_path):
    """Read again and again, a run that goes on is running, comes further, and ends as it would have."""
    folder = tmp_path / "run"
    process = toyworld.command(*toyworld.COMMAND, "--out", folder, "--seed", 2, env={"TOY_SLEEP": "0.05"}, cwd=tmp_path)
    seen = []
    while process.poll() is None:
        if (folder / NAME).is_file():
            seen.append(status(folder))
        time.sleep(0.1)
    assert process.returncode == 0, process.communicate()
    process.communicate()
    running = [one for one in seen if one.drawn]
    assert {one.state for one in running} <= {"running", "unfinished", "finished"}
    assert not sys.platform.startswith("linux") or any(one.state == "running" for one in running)
    drawn = [one.drawn or 0 for one in running]
    assert len(set(drawn)) > 2
    assert drawn == sorted(drawn)
    assert any(one.rate is not None and one.left.seconds is not None for one in running)
    assert status(folder).state == "finished"
    alone = toyworld.hunt(tmp_path / "alone" / "run", seed=2, generator=toyworld.Slow())
    assert [f.verdict for f in foible.open(folder)] == [f.verdict for f in alone]


def test_what_is_damaged_is_said_in_a_sentence(whole, tmp_path):
    """A changed line, an archive that has gone, rows that are missing: what is still known is shown."""
    shutil.copytree(whole[0].folder.parent, tmp_path / "copy")
    folder = tmp_path / "copy" / "run"
    shutil.move(tmp_path / "copy" / "archive", tmp_path / "away")
    gone = status(folder)
    assert (gone.state, gone.drawn, gone.findings) == ("finished", None, None)
    assert gone.asked == sum(whole[0].result.draws.values())
    assert "is no archive" in gone.said
    shutil.copytree(tmp_path / "away", tmp_path / "copy" / "archive")
    with sqlite3.connect(tmp_path / "copy" / "archive" / "archive.sqlite") as db:
        db.execute("DELETE FROM answers WHERE key IN (SELECT key FROM answers LIMIT 3)")
    assert "the archive lacks" in status(folder).said
    journal = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(journal[:200] + b"x" + journal[201:])
    torn = status(folder)
    assert torn.state == "damaged"
    assert "is damaged after byte" in torn.said
    assert torn.disk.run > 0
    with pytest.raises(StoreError, match="is no run directory"):
        status(tmp_path)


def test_a_run_that_its_pilot_refuses_says_why(tmp_path):
    """A judge that sees nothing ends a hunt before it explores: that sentence is the status."""
    with pytest.raises(foible.InputError) as refused:
        toyworld.hunt(tmp_path / "run", judge=lambda images, labels: [False] * len(images))
    found = status(tmp_path / "run")
    assert found.said == str(refused.value)
    assert found.left is None


def test_no_text_of_a_run_directory_reaches_the_terminal_as_a_command(tmp_path, monkeypatch, capfd):
    """A label with a control character is shown with a dot in its place."""
    evil = foible.Label(name="coffee mug", kind="cup")
    run = toyworld.hunt(tmp_path / "run", labels=[evil, "teapot"], seed=2)
    journal = (tmp_path / "run" / NAME).read_bytes()
    assert b"coffee mug" in journal
    found = status(run.folder)
    text = "\n".join(line.plain for line in lines(document_with(found, "\x1b[31mmug\u202e")))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "·[31mmug·" in text


def document_with(found, label):
    """Give a status whose findings are about another label."""
    return replace(found, findings=tuple(replace(one, label=label) for one in found.findings), run=label)


def called(monkeypatch, *arguments):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


def test_the_documentation_names_every_field():
    """The table of the page has a word for each field of the record, and the page for each state."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    assert {one.name for one in fields(Status)} - {"run"} <= set(re.findall(r"`([a-z_]+)`", page))
    for state in ("running", "interrupted", "unfinished", "finished", "damaged", "of another foible", "nothing noted"):
        assert f"`{state}`" in page


def test_the_command_prints_lines_or_json(whole, tmp_path, monkeypatch, capfd):
    """Both say the same; where there is no run the exit code is 2; `--watch` ends where nothing goes on."""
    run, _ = whole
    assert called(monkeypatch, "status", run.folder, "--watch", "1") == 0
    text = capfd.readouterr().out
    assert text.startswith("finished")
    assert f"{len(run.confirmed)} confirmed" in text
    assert called(monkeypatch, "status", run.folder, "--json") == 0
    said = json.loads(capfd.readouterr().out)
    assert (said["format"], said["state"], said["drawn"]) == ("foible.status", "finished", said["asked"])
    assert [one["verdict"] for one in said["findings"]] == [f.verdict for f in open_run(run.folder)]
    assert called(monkeypatch, "status", tmp_path) == 2
    assert "is no run directory" in capfd.readouterr().err


@pytest.mark.parametrize(("at", "phase"), [(7, "explore"), (18, "guide")])
def test_what_guided_draws_will_take_is_not_foretold(at, phase, tmp_path):
    """Before and among guided draws the time that is left is unknown, and said to be."""
    config = {"explore": {"draws": 40}, "guide": {"method": "select", "steps": 5, "draws": 4}}
    with pytest.raises(KeyboardInterrupt):
        toyworld.hunt(tmp_path / "run", generator=Stopped(at), config=config, labels=["coffee mug", "teapot"])
    found = status(tmp_path / "run")
    assert found.phase == phase
    assert found.left.later is None
    assert found.left.seconds is None
