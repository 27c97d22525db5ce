"""A reported fault (B25): run directories that cannot be written, hold pipes or huge files, or are a newer foible's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import toyworld
from foible.checks.differences import compare
from foible.checks.verify import verify
from foible.errors import StoreError
from foible.report.encode import SCHEMA_VERSION

posix = pytest.mark.skipif(os.name == "nt", reason="needs pipes, users and rights as POSIX has them")
KILLED = """
import os, sys
import toyworld
from foible.run.archive import Archive
Archive.close = lambda archive: os._exit(9)  # everything is noted, and nothing is closed
toyworld.hunt(sys.argv[1], seed=1)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Hunt in a process that dies where it would close its archive: its last rows are in a write-ahead log."""
    folder = tmp_path_factory.mktemp("killed")
    paths = os.pathsep.join([str(Path(toyworld.__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder / "run"], env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert done.returncode == 9
    assert (folder / "archive" / "archive.sqlite-wal").stat().st_size > 0
    return folder


@pytest.fixture
def copy(killed, tmp_path):
    """Copy run and archive; as copies go, without the index that SQLite keeps beside a log."""
    shutil.copytree(killed, tmp_path / "copy")
    (tmp_path / "copy" / "archive" / "archive.sqlite-shm").unlink()
    return tmp_path / "copy"


def listing(folder):
    """Give every path, and how large it is."""
    return {path: path.stat().st_size for path in folder.rglob("*")}


def test_a_run_whose_process_was_killed_is_verified_and_left_as_it_is(copy):
    """The rows in the log are read, and neither a log nor an index is left or taken away."""
    before = listing(copy)
    assert verify(copy / "run").differences == ()
    assert listing(copy) == before


@posix
def test_such_a_run_may_be_read_only(copy):
    """Where nothing can be written beside the log, it is read all the same."""
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    parents, root = [parent for parent in copy.parents if not parent.stat().st_mode & 0o001], os.geteuid() == 0
    modes = [(parent, parent.stat().st_mode) for parent in parents]
    if root:  # to whom nothing is read-only
        for parent in parents:
            parent.chmod(0o755)
        os.seteuid(65534)
    try:
        assert verify(copy / "run").differences == ()
    finally:
        if root:
            os.seteuid(0)
        for parent, mode in modes:
            parent.chmod(mode)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)


@posix
@pytest.mark.parametrize("what", ["pipe", "endless", "huge"])
def test_what_is_no_image_is_not_read(copy, what):
    """A pipe, a device without an end and a huge file in the place of an image: that it has gone is said."""
    image = min((copy / "archive" / "images").glob("*.tar"))
    image.unlink()
    if what == "pipe":
        os.mkfifo(image)
    elif what == "endless":
        image.symlink_to("/dev/zero")
    else:
        with image.open("wb") as file:
            file.truncate(2**40)
    lines = verify(copy / "run").differences
    assert any("has gone from the archive" in line or "its image has gone" in line for line in lines)


def test_huge_findings_take_no_memory(tmp_path):
    """Of a findings.json of a hundred megabytes its size is told, and nothing of it is read."""
    path = tmp_path / "findings.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    tracemalloc.start()
    try:
        (line,) = compare(path, "{}\n")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert line == "findings.json holds 104,857,600 bytes, far more than the run gives"


def test_what_a_newer_foible_found_is_not_replaced(copy):
    """The same command is refused before it draws or writes, with one sentence; the file stays as it is."""
    path = copy / "run" / "findings.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    newer = json.dumps({**written, "schema_version": SCHEMA_VERSION + 1}, indent=1)
    path.write_text(newer, encoding="utf-8")

    def draw(prompts, seeds):
        raise AssertionError((prompts, seeds))

    shutil.copytree(copy / "run", copy / "new", ignore=lambda *_: ["journal.jsonl", ".lock"])
    for folder, generator in ((copy / "run", toyworld.draw), (copy / "new", draw)):
        with pytest.raises(StoreError, match=f"is of version {SCHEMA_VERSION + 1}, and this foible writes") as told:
            toyworld.hunt(folder, seed=1, generator=generator)
        assert "move the file away" in str(told.value)
    assert path.read_text(encoding="utf-8") == newer
    path.unlink()
    toyworld.hunt(copy / "run", seed=1)
    assert json.loads(path.read_text(encoding="utf-8")) == written


def test_what_a_kill_left_half_written_goes_with_the_next_call(copy):
    """Half-written outputs of processes that died are removed by the next call, and nothing else is."""
    for name in (".findings.json.123.part", ".report.html.9.part", ".notes.md.5.part"):
        (copy / "run" / name).write_text("half", encoding="utf-8")
    toyworld.hunt(copy / "run", seed=1)
    assert [path.name for path in copy.rglob("*.part")] == [".notes.md.5.part"]
