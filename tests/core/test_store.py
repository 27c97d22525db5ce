"""Promises of the run directory: one hunt's own, whole or refused with one sentence."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toyworld
from foible.errors import StoreError
from foible.store import NAMED, STORE_VERSION, AnswerRow, DrawRow, Store, check_settings

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[1:] = sys.argv[2:]
from foible.cli import main
main()
"""
"""`foible` with a disk on which no file grows beyond a number of bytes."""


def content(folder):
    """Give everything that the database holds."""
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as db:
        return list(db.iterdump())


def edit(folder, query, *values):
    """Change the database behind foible's back."""
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as db, db:
        db.execute(query, values)


@contextlib.contextmanager
def as_nobody():
    """Give up the rights of root, to which a read-only folder is none."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def refusal(folder, **options):
    """Open a store that cannot be opened; give the sentence."""
    with pytest.raises(StoreError) as told:
        Store(folder, **options)
    assert str(folder) in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_run_directory_of_other_settings_is_refused_naming_them(tmp_path):
    """A second hunt with other settings on one directory is refused: the fields, old and new values, and what to do."""
    toyworld.hunt(tmp_path / "run")
    before = content(tmp_path / "run")
    with pytest.raises(StoreError) as told:
        toyworld.hunt(
            tmp_path / "run", labels=["coffee mug"], seed=3, config={"confirm": {**toyworld.FIXED, "draws": 21}}
        )
    sentence = str(told.value)
    assert "confirm.draws was 20, now 21" in sentence
    assert "seed was 0, now 3" in sentence
    assert "labels was " in sentence
    assert "another --out" in sentence
    assert content(tmp_path / "run") == before
    with pytest.raises(StoreError, match=r"classifier\.spec was \"object:toyworld\.Classifier\", now"):
        toyworld.hunt(tmp_path / "run", toyworld.Perfect())


def test_runtime_settings_may_differ(tmp_path):
    """Where things lie never refuses a run directory: an archive elsewhere only costs the draws."""
    toyworld.hunt(tmp_path / "run")
    before = toyworld.written(tmp_path / "run")
    toyworld.hunt(tmp_path / "run", config={"archive": tmp_path / "other"})
    assert toyworld.written(tmp_path / "run") == before


def test_settings_under_which_nothing_worked_are_replaced(tmp_path):
    """A hunt that ended before any outcome was known leaves a directory that the mended call can use."""

    def broken(images):
        message = "no such layer"
        raise RuntimeError(message)

    with pytest.raises(StoreError.__base__, match="no such layer"):
        toyworld.hunt(tmp_path / "run", broken, labels=["0=coffee mug"])
    assert toyworld.hunt(tmp_path / "run").confirmed


@given(
    before=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2)),
    now=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2)),
)
@settings(max_examples=25, deadline=None)
def test_every_difference_is_counted(before, now):
    """Settings pass when they are equal; else the sentence names the first few that differ, and counts the rest."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "run") as store:
        check_settings(store, before)
        store.add_answers([AnswerRow("key", "judge", [1, 1.0], "")])
        differing = sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))
        if not differing:
            check_settings(store, now)
            return
        with pytest.raises(StoreError) as told:
            check_settings(store, now)
        for name in differing[:NAMED]:
            assert f"{name} was " in str(told.value)
        assert (f"and {len(differing) - NAMED} more" in str(told.value)) == (len(differing) > NAMED)
        assert store.about("settings") == before


def test_growing_settings_rise_and_never_fall(tmp_path):
    """A growing setting may be raised, up to no limit, and what is noted rises with it; it never falls back."""
    with Store(tmp_path / "run") as store:
        check_settings(store, {"budget": 10, "seed": 1}, ["budget"])
        store.add_answers([AnswerRow("key", "judge", [1, 1.0], "")])
        check_settings(store, {"budget": 20, "seed": 1}, ["budget"])
        with pytest.raises(StoreError, match="budget was 20, now 10"):
            check_settings(store, {"budget": 10, "seed": 1}, ["budget"])
        with pytest.raises(StoreError, match="seed was 1, now 2"):
            check_settings(store, {"budget": 30, "seed": 2}, ["budget"])
        check_settings(store, {"budget": None, "seed": 1}, ["budget"])
        with pytest.raises(StoreError, match="budget was null, now 1000"):
            check_settings(store, {"budget": 1000, "seed": 1}, ["budget"])


def test_a_newer_store_is_refused_and_left_alone(tmp_path):
    """A run directory of a newer version is refused with the advice to use that version; nothing in it changes."""
    Store(tmp_path).close()
    edit(tmp_path, "UPDATE about SET value = ?", str(STORE_VERSION + 1))
    edit(tmp_path, "DROP TABLE spent")
    before = content(tmp_path)
    for write in (True, False):
        assert "use the newer foible" in refusal(tmp_path, write=write)
    assert content(tmp_path) == before


def test_what_is_no_store_is_refused_and_left_alone(tmp_path):
    """A file that is no database, or the database of another program, is refused; nothing in it changes."""
    (tmp_path / "store.sqlite").write_text("dear diary, " * 500)
    assert "damaged" in refusal(tmp_path)
    assert (tmp_path / "store.sqlite").read_text().startswith("dear diary")
    (tmp_path / "store.sqlite").unlink()
    edit(tmp_path, "CREATE TABLE songs (title TEXT)")
    before = content(tmp_path)
    assert "name another directory" in refusal(tmp_path)
    assert content(tmp_path) == before
    assert "holds no store.sqlite" in refusal(tmp_path / "nowhere", write=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_store_that_was_killed_while_it_was_made_is_made(tmp_path):
    """An empty database file, as a kill at the first moment leaves it, becomes a store."""
    (tmp_path / "store.sqlite").touch()
    with Store(tmp_path) as store:
        assert store.about("store_version") == STORE_VERSION


def test_a_directory_in_use_is_refused(tmp_path):
    """A second process on the same run directory gets one sentence and code 2; afterwards the directory is free."""
    with Store(tmp_path / "run"):
        code, out, err = toyworld.finished(toyworld.command(*toyworld.COMMAND, "--out", tmp_path / "run"))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "in use by another foible" in err
        with Store(tmp_path / "run", write=False) as reader:
            assert reader.about("store_version") == STORE_VERSION
    Store(tmp_path / "run").close()


def test_a_store_that_cannot_be_opened_holds_no_lock(tmp_path):
    """A refused open leaves nothing open: once the directory is mended, the same process can use it."""
    (tmp_path / "store.sqlite").write_text("x" * 5000)
    refusal(tmp_path)
    (tmp_path / "store.sqlite").unlink()
    Store(tmp_path).close()


def test_a_read_only_directory_is_refused():
    """A directory that may not be written gets one sentence that says so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with as_nobody():
            assert "Permission denied" in refusal(folder)
        assert list(folder.iterdir()) == []
        folder.chmod(0o755)


@pytest.mark.parametrize("out", ["file", "file/run", "/proc/run", "/dev/null/run"])
def test_a_place_that_is_no_directory_is_refused(tmp_path, monkeypatch, out):
    """A file in the place of the run directory, or above it, gets one sentence that names it."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("in the way")
    assert "cannot be used" in refusal(Path(out))
    assert Path("file").read_text() == "in the way"


@pytest.mark.parametrize("limit", [0, 100_000])
def test_a_full_disk_ends_the_hunt_with_one_sentence_and_loses_nothing(tmp_path, limit):
    """When the disk is full the hunt ends with one sentence and code 2; with room it goes on to the same findings."""
    arguments = [*toyworld.COMMAND, "--out", tmp_path / "run"]
    code, out, err = toyworld.finished(toyworld.command(limit, *arguments, python=("-c", LIMITED)))
    assert (code, out) == (2, ""), err
    assert err.startswith("foible: ")
    assert err.count("\n") == 1
    assert "cannot be used" in err
    assert not list((tmp_path / "run").glob("findings*"))
    if limit == 100_000:
        assert toyworld.finished(toyworld.command(*arguments))[0] == 0
        assert b'"confirmed"' in toyworld.written(tmp_path / "run")["findings.json"]


def test_rows_come_back_as_they_were(tmp_path):
    """Draws and answers come back by key as they were added; an answer once given stays, a redrawn draw is replaced."""
    draws = [
        DrawRow(f"{i}", "mug", "on 'grass'; --", "a mug", i, "explore", "abc", ("é", "x"), "") for i in range(1200)
    ]
    with Store(tmp_path) as store:
        store.add_draws(draws)
        store.add_answers([AnswerRow("k", "classifier", [[3, 0.1 + 0.2]], ""), AnswerRow("f", "judge", None, "no")])
        store.add_answers([AnswerRow("k", "classifier", [[4, 1.0]], "")])
    with Store(tmp_path) as store:
        assert store.draws(row.key for row in draws) == {row.key: row for row in draws}
        assert store.all_draws() == draws
        answers = store.answers(["k", "f", "none"])
        assert answers["k"].value == [[3, 0.1 + 0.2]]
        assert (answers["f"].value, answers["f"].fault) == (None, "no")
        assert answers.keys() == {"k", "f"}
        assert store.has_answer("classifier")
        assert not store.has_answer("judge")
        store.add_draws([DrawRow("7", "mug", "", "a mug", 7, "treat", "def", (), "")])
        assert store.draws(["7"])["7"].image_sha256 == "def"


def test_a_unit_is_added_whole_or_not_at_all(tmp_path):
    """A unit with a row that cannot be kept adds none of its rows."""
    good = DrawRow("good", "mug", "", "a mug", 1, "explore", "abc", (), "")
    with Store(tmp_path) as store:
        with pytest.raises(StoreError, match="damaged"):
            store.add_draws([good, DrawRow("bad", None, "", "a mug", 2, "explore", "abc", (), "")])
        assert store.all_draws() == []
