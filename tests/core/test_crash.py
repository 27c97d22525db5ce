"""Promises of `make crash`, in short: what was disturbed ends as what was not; and the harness would notice if not."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from faults import Disk, Plan, power_loss

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness needs fork")


def python(*arguments):
    """Run Python with the harness at hand: exit code and output."""
    paths = [str(ROOT / name) for name in ("benchmarks", "tests", "src")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=250, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_kills_faults_and_lost_power_change_no_byte(tmp_path):
    """A few of each: every hunt ends with the same bytes, and what a fault ends says so in one sentence."""
    flags = ("--kills", "1", "--faults", "3", "--power", "1", "--calls", "1", "--flips", "4", "--seed", "7")
    code, said = python(ROOT / "benchmarks" / "crash.py", *flags)
    assert code == 0, said
    assert "0 failures" in said
    assert "kill at a random moment" in said
    assert "power lost" in said
    assert "a bit flipped" in said


BROKEN = """
import json, sys
from pathlib import Path
import crash, toyworld, foible.hunting.api
from foible.run.journal import Journal

harness = crash.Harness(Path(sys.argv[1]), 0)
notes = [json.loads(line) for line in (Path(sys.argv[1]) / "whole.notes").read_text().splitlines()]
at = [n for n, one in enumerate(notes) if one["operation"] == "write" and one["path"].endswith("journal.jsonl")][5]
real = Journal._read_all

def strict(self):
    if self._path.read_bytes()[-1:] not in (b"", b"\\n"):
        raise self._damaged("a torn line")
    real(self)

Journal._read_all = strict
harness.fault(at, "kill")
print(harness.told())
"""


def test_the_harness_notices_a_journal_that_does_not_forgive_a_torn_line(tmp_path):
    """With that one promise broken the same kill is a failure in its table."""
    code, said = python("-c", BROKEN, tmp_path)
    assert code == 0, said
    assert "1 cases, 1 failures" in said
    assert "is damaged after byte" in said


def test_a_spoiled_write_is_the_one_that_was_meant(tmp_path):
    """Half of the second write, and an error of the third operation of a kind; the files outside are left alone."""
    disk = Disk(tmp_path / "in", Plan(3, "short"))
    (tmp_path / "in").mkdir()
    with disk.spoiling():
        with (tmp_path / "out").open("wb", buffering=0) as file:
            assert file.write(b"12345678") == 8
        with (tmp_path / "in" / "a").open("wb", buffering=0) as file:
            assert [file.write(b"12345678") for _ in range(3)] == [8, 8, 4]
    assert disk.hit
    assert disk.operations == ["open", "write", "write", "write"]
    full = Disk(tmp_path / "in", Plan(1, "full"))
    with full.spoiling(), (tmp_path / "in" / "b").open("wb", buffering=0) as file:
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                file.write(b"1")


def test_lost_power_costs_what_was_not_brought_to_disk_alone(tmp_path):
    """Over many throws: a file that was synced is whole or gone, one that was not may be cut short or zeros."""
    seen: dict[str, set[bytes | None]] = {"synced": set(), "not": set()}
    for number in range(60):
        folder, notes = tmp_path / str(number), tmp_path / f"{number}.notes"
        folder.mkdir()
        with Disk(folder, None, notes).spoiling():
            for name in seen:
                with (folder / name).open("wb") as file:
                    file.write(b"x" * 10)
                    file.flush()
                    if name == "synced":
                        os.fsync(file.fileno())
        power_loss(folder, notes, random.Random(number))
        for name, found in seen.items():
            found.add((folder / name).read_bytes() if (folder / name).exists() else None)
    assert seen["synced"] == {b"x" * 10, None}
    assert {None, b"x" * 10} < seen["not"]
    assert any(one and b"\0" in one for one in seen["not"])
