"""A reported fault (A20): rows that a bit flipped in, or that are gone, were used, or went unnoticed."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest

import foible
import toyworld
from foible.checks.verify import verify
from foible.run.archive import Archive

LACKS = r"archive lacks \d+ draws or answers of .*; foible verify .* lists them, and the hunt's own command makes them"


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Hunt once."""
    place = tmp_path_factory.mktemp("rows")
    assert toyworld.hunt(place / "run", seed=2).confirmed
    return place


@pytest.fixture
def copy(hunted, tmp_path):
    """Copy run and archive."""
    shutil.copytree(hunted, tmp_path / "copy")
    return tmp_path / "copy"


@contextlib.contextmanager
def database(copy):
    """Open the archive's database as a stranger does; what is changed stays."""
    with contextlib.closing(sqlite3.connect(copy / "archive" / "archive.sqlite")) as db, db:
        yield db


ACTIONS = {
    "export": lambda run: foible.export(run.folder, run.folder.parent / "set"),
    "transfer": lambda run: foible.transfer(run.folder, [toyworld.Perfect()]),
    "table": lambda run: run.table(),
    "open": lambda run: foible.open(run.folder),
}
LOSE = {
    "draws": "DELETE FROM draws WHERE key IN (SELECT key FROM draws LIMIT 5)",
    "answers": "DELETE FROM answers WHERE key IN (SELECT key FROM answers LIMIT 5)",
}
FLIP = {
    "value": "UPDATE answers SET value = CAST(? AS TEXT) WHERE key = ?",
    "key": "UPDATE answers SET key = CAST(? AS TEXT) WHERE key = ?",
    "seal": "UPDATE answers SET seal = CAST(? AS TEXT) WHERE key = ?",
}


@pytest.mark.parametrize("table", list(LOSE))
@pytest.mark.parametrize("action", list(ACTIONS))
def test_what_is_done_about_a_run_refuses_one_whose_archive_lacks_rows(copy, action, table):
    """Nothing is exported, asked or shown of a run that would come to something else; the sentence says what to do."""
    run = foible.open(copy / "run")
    with database(copy) as db:
        db.execute(LOSE[table])
    with pytest.raises(foible.InputError, match=LACKS) as told:
        ACTIONS[action](run)
    assert "\n" not in str(told.value)
    assert not (copy / "set").exists()
    assert isinstance(toyworld.hunt(copy / "run", seed=2), foible.Run)
    ACTIONS[action](run)


@pytest.mark.parametrize("column", list(FLIP))
def test_a_row_that_is_no_text_costs_itself_alone(hunted, copy, column):
    """Bytes that are no UTF-8, where a disk flipped a bit, are one lost row: told by verify, and made again."""
    whole = toyworld.written(hunted / "run")
    with database(copy) as db:
        key, value, seal = db.execute("SELECT key, value, seal FROM answers ORDER BY key LIMIT 1").fetchone()
        (every,) = db.execute("SELECT count(*) FROM answers").fetchone()
        text = {"value": value, "key": key, "seal": seal}[column].encode()
        flipped = bytes([text[0] | 0x80, *text[1:]])
        db.execute(FLIP[column], (flipped, key))
        keys = [row[0] for row in db.execute("SELECT CAST(key AS BLOB) FROM answers")]
    known = [one.decode() for one in keys if one.isascii()]
    with Archive(copy / "archive", write=False) as archive:
        assert len(archive.answers([*known, key])) == every - 1
    assert any("lacks" in line or "no answer" in line or "no row" in line for line in verify(copy / "run").differences)
    toyworld.hunt(copy / "run", seed=2)
    assert toyworld.written(copy / "run") == whole
    assert verify(copy / "run").differences == ()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER late AFTER UPDATE ON draws BEGIN DELETE FROM answers; END",
        "CREATE TRIGGER at INSERT ON answers BEGIN UPDATE answers SET value = '\"yes\"'; END",
        "CREATE VIEW other AS SELECT * FROM draws",
        "CREATE INDEX own ON answers (substr(value, 1, 3))",
        "ALTER TABLE answers ADD COLUMN more TEXT",
        "CREATE VIRTUAL TABLE words USING fts5(text)",
    ],
)
def test_what_a_stranger_put_into_the_store_is_refused_unread(hunted, copy, statement):
    """What a schema has beside foible's own is named by hunt, verify, open and export, and nothing is executed."""
    with database(copy) as db:
        try:
            db.execute(statement)
        except sqlite3.OperationalError as problem:
            pytest.skip(f"this SQLite lacks it: {problem}")
    calls = [
        lambda: toyworld.hunt(copy / "run", seed=2),
        lambda: verify(copy / "run"),
        lambda: foible.open(copy / "run"),
        lambda: foible.export(copy / "run", copy / "set"),
    ]
    for call in calls:
        with pytest.raises(foible.InputError, match="what foible never puts there"):
            call()
    assert toyworld.written(copy / "run") == toyworld.written(hunted / "run")
