"""Promises of `--log`: a line an event, by the schema; no key in it; and no hunt is lost for it."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import foible
import toyworld
from foible.errors import OutOfTime
from foible.run.log import Line, Log

DOCS = Path(__file__).parents[2] / "docs"


def read(path):
    """Read the lines of a log, each held against the record."""
    adapter = TypeAdapter(Line)
    return [adapter.validate_json(line, strict=True) for line in path.read_text("utf-8").splitlines()]


def hunt(folder, log, **config):
    """Hunt in the toy world with a log."""
    return toyworld.hunt(folder, seed=2, config={"log": log, "confirm": {"method": "sequential"}, **config})


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """Hunt with a log: the run and its log."""
    place = tmp_path_factory.mktemp("log")
    return hunt(place / "run", place / "log.jsonl"), place / "log.jsonl"


def test_a_hunt_tells_every_unit_and_what_came_out(logged):
    """Drawn images of all units are the draws of the run, and the last line has its verdicts."""
    run, path = logged
    lines = read(path)
    assert (lines[0].event, lines[-1].event) == ("call", "worked")
    units = [one for one in lines if one.event == "unit"]
    assert sum(one.counts["drawn"] for one in units) == sum(run.result.draws.values())
    assert all(re.fullmatch("[0-9a-f]{16}", one.unit) and one.stage for one in units)
    assert sum(one.counts["draws"] for one in lines if one.event == "asked") >= sum(run.result.draws.values())
    (result,) = [one for one in lines if one.event == "result"]
    assert result.counts["confirmed"] == len(run.confirmed)
    assert len({one.run for one in lines}) == 1
    assert [one.time for one in lines] == sorted(one.time for one in lines)
    assert {one.stage for one in lines if one.event == "stage"} >= {"pilot", "explore", "test", "measure"}


def test_a_log_changes_no_result(logged, tmp_path):
    """With it and without it a hunt writes the same bytes, and the same settings go on."""
    run, path = logged
    alone = toyworld.hunt(tmp_path / "run", seed=2, config={"confirm": {"method": "sequential"}})
    assert toyworld.written(alone.folder) == toyworld.written(run.folder)
    before = len(read(path))
    hunt(run.folder, path)
    again = read(path)[before:]
    assert {one.run for one in again} == {read(path)[0].run}
    assert not [one for one in again if one.event == "unit"]


def test_what_ends_a_hunt_early_is_told(tmp_path):
    """The sentence that the user gets; what is no sentence of foible's is told by its kind alone."""
    with pytest.raises(OutOfTime) as stop:
        hunt(tmp_path / "run", tmp_path / "log", max_minutes=1e-9)
    assert [one.said for one in read(tmp_path / "log") if one.event == "stopped"] == [str(stop.value)]

    def broken(_prompts, _seeds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toyworld.hunt(tmp_path / "two", config={"log": tmp_path / "log"}, generator=broken)
    assert read(tmp_path / "log")[-1].said == "interrupted"


def test_no_argument_of_a_part_is_in_the_log(tmp_path, monkeypatch):
    """Neither a key that a part was given, nor its spec, nor a label."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "secretive.py").write_text(
        "import toyworld\n\n\nclass Part:\n"
        "    def __init__(self, api_key):\n        self.key = api_key\n\n"
        "    def draw(self, prompts, seeds):\n        return toyworld.draw(prompts, seeds)\n"
    )
    spec = foible.Spec("python:secretive:Part", {"api_key": "hunter2-hunter2"})
    toyworld.hunt(tmp_path / "run", generator=spec, config={"log": tmp_path / "log"})
    text = (tmp_path / "log").read_text("utf-8")
    assert text
    for word in ("hunter2", "secretive", "api_key", "coffee mug"):
        assert word not in text


def test_a_full_disk_costs_lines_and_not_the_hunt(tmp_path, caplog):
    """What does not fit is counted in one sentence; a line that was cut off spoils none behind it."""
    with Log(tmp_path / "log") as log:
        log.note("one", counts={"n": 1})
        size = (tmp_path / "log").stat().st_size
        with toyworld.full(size + 20):
            log.note("two")
            log.note("three")
        log.note("four")
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in (lines[0], lines[-1])] == ["one", "four"]
    assert len(lines) == 3
    assert "lacks 2 lines (File too large)" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_hunt_whose_log_cannot_be_written_ends_as_another(tmp_path, caplog):
    """On a disk that takes nothing the hunt has its result, and one sentence says what is lacking."""
    run = toyworld.hunt(tmp_path / "run", config={"log": "/dev/full"}, seed=2)
    assert run.confirmed
    assert re.search(r"the log /dev/full lacks \d+ lines \(No space left on device\)", caplog.text)


def test_a_log_that_cannot_be_opened_is_said_before_the_hunt(tmp_path):
    """A folder that is not there, a folder, a pipe without a reader: one sentence, and nothing was drawn."""
    where = [tmp_path / "none" / "log", tmp_path]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        where.append(tmp_path / "pipe")
    for place in where:
        with pytest.raises(foible.InputError, match=r"the log .* cannot be written") as caught:
            hunt(tmp_path / "run", place)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_documentation_has_every_field_and_every_event(logged):
    """The schema in the documentation is that of the record; each event that a hunt writes is in the page's table."""
    schema = json.loads((DOCS / "log.schema.json").read_text("utf-8"))
    assert schema == TypeAdapter(Line).json_schema()
    page = (DOCS / "operations.md").read_text("utf-8")
    documented = set(re.findall(r"`([a-z ]+)`", page))
    assert {one.name for one in fields(Line)} <= documented
    assert {one.event for one in read(logged[1])} | {"lost", "mended", "stopped"} <= documented


def test_the_flag_writes_the_log(tmp_path):
    """`foible hunt --log FILE`."""
    process = toyworld.command(*toyworld.COMMAND, "--out", tmp_path / "run", "--log", tmp_path / "log", cwd=tmp_path)
    code, _, err = toyworld.finished(process)
    assert (code, err) == (0, "")
    assert read(tmp_path / "log")[0].process == process.pid or sys.platform == "win32"
