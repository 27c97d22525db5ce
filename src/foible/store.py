"""The run directory: what has been drawn and answered, and under which settings.

Comes in: rows, appended by the driver alone, a whole unit of work in one transaction. Goes out: rows by key. A row is
never changed, except that a draw whose image was torn is drawn again, and that what a server lost for the moment is
asked again by the next call. Neighbour: `archive.py` keeps the images themselves; `hunting.py` decides what is missing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from foible.errors import StoreError, brief
from foible.identity import canonical

STORE_VERSION = 1
"""Raised when the tables change in a way that an older reader cannot follow."""

NAMED = 5
"""A sentence names at most this many differing settings."""

_LOST = "CREATE TABLE IF NOT EXISTS lost (key TEXT PRIMARY KEY)"
"""Beside the first tables, and unknown to older readers, which take its rows for faults like all others."""

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE draws (
    key TEXT PRIMARY KEY, label TEXT NOT NULL, description TEXT NOT NULL, text TEXT NOT NULL, seed INTEGER NOT NULL,
    arm TEXT NOT NULL, image_sha256 TEXT NOT NULL, ignored TEXT NOT NULL, fault TEXT NOT NULL);
CREATE TABLE answers (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, fault TEXT NOT NULL);
CREATE TABLE spent (what TEXT NOT NULL, items INTEGER NOT NULL, seconds REAL NOT NULL);
INSERT INTO about VALUES ('store_version', '{version}');
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class DrawRow:
    """What is known of a draw that was made, or that could not be."""

    key: str
    label: str
    description: str
    text: str
    seed: int
    arm: str
    image_sha256: str
    ignored: tuple[str, ...]
    fault: str
    passing: bool = False
    """The fault was one of the moment; told when a row is added, and not when it is read."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What a part said of an image: a JSON value, or why there is none."""

    key: str
    kind: str
    value: Any
    fault: str
    passing: bool = False
    """As in `DrawRow`."""


class Store:
    """One run directory, opened for writing by one process or for reading by any number."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open, or make, the store in `folder`.

        Raises:
            StoreError: the folder cannot be used, is written by another process, or is of a newer version.
        """
        self.folder = folder
        self.worked = False
        """Whether a part was asked since the store was opened."""
        with contextlib.ExitStack() as opened, _told(folder):
            if write:
                folder.mkdir(parents=True, exist_ok=True)
                opened.enter_context(_lock(folder))
            elif not (folder / "store.sqlite").is_file():
                message = f"{folder} is no run directory (it holds no store.sqlite); name the directory of a hunt"
                raise StoreError(message)
            self._db = opened.enter_context(contextlib.closing(_connect(folder / "store.sqlite", write=write)))
            self._check_version(write=write)
            self._lost = self._earlier_lost() if write else set()
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the files; the store may be opened again."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def about(self, name: str) -> Any:
        """Return what was noted under a name, or None."""
        with _told(self.folder):
            row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._json(row[0])

    def note(self, name: str, value: object) -> None:
        """Note a JSON-able value under a name, in place of an older one."""
        with _told(self.folder), self._db:
            self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, canonical(value)))

    def draws(self, keys: Iterable[str]) -> dict[str, DrawRow]:
        """Return the draws that are known, by key; for a writer, without those that an earlier call lost."""
        rows = self._select("draws", "*", (key for key in keys if key not in self._lost))
        return {row[0]: self._draw_row(row) for row in rows}

    def all_draws(self) -> list[DrawRow]:
        """Return every draw, in the order they were made."""
        with _told(self.folder):
            rows = self._db.execute("SELECT * FROM draws ORDER BY rowid").fetchall()
        return [self._draw_row(row) for row in rows]

    def keys(self, *arms: str) -> set[str]:
        """Return the keys of all draws of some arms."""
        marks = ",".join("?" * len(arms))
        with _told(self.folder):  # only the number of question marks varies
            return {key for (key,) in self._db.execute(f"SELECT key FROM draws WHERE arm IN ({marks})", arms)}  # noqa: S608

    def add_draws(self, rows: Sequence[DrawRow]) -> None:
        """Append a unit of draws; a draw that is already there is replaced (its image was torn)."""
        values = [
            (r.key, r.label, r.description, r.text, r.seed, r.arm, r.image_sha256, json.dumps(r.ignored), r.fault)
            for r in rows
        ]
        with _told(self.folder), self._db:
            self._db.executemany("INSERT OR REPLACE INTO draws VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._mark(rows)
        self._lost -= {r.key for r in rows}

    def answers(self, keys: Iterable[str]) -> dict[str, AnswerRow]:
        """Return the answers that are known, by key; for a writer, without those that an earlier call lost."""
        rows = self._select("answers", "key, kind, value, fault", (key for key in keys if key not in self._lost))
        return {row[0]: AnswerRow(row[0], str(row[1]), self._json(row[2]), str(row[3])) for row in rows}

    def add_answers(self, rows: Sequence[AnswerRow]) -> None:
        """Append a unit of answers; what is already there stays, but for what an earlier call lost."""
        known = self.answers(r.key for r in rows)
        new = [r for r in rows if r.key not in known]
        values = [(r.key, r.kind, canonical(r.value), r.fault) for r in new]
        with _told(self.folder), self._db:
            self._db.executemany("DELETE FROM answers WHERE key = ?", [(r.key,) for r in new if r.key in self._lost])
            self._db.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", values)
            self._mark(new)
        self._lost -= {r.key for r in new}

    def lost(self, keys: Iterable[str]) -> set[str]:
        """Return which of some draws or answers an earlier call lost, and this one has not asked about again."""
        return self._lost.intersection(keys)

    def has_answer(self, kind: str) -> bool:
        """Tell whether a kind of part ever gave a usable answer."""
        return self._any("SELECT 1 FROM answers WHERE kind = ? AND fault = '' LIMIT 1", kind)

    def has_draw(self) -> bool:
        """Tell whether any image was ever drawn."""
        return self._any("SELECT 1 FROM draws WHERE fault = '' LIMIT 1")

    def spend(self, what: str, items: int, seconds: float) -> None:
        """Note how long a part took for so many items. Never read by anything that decides."""
        self.worked = True
        with _told(self.folder), self._db:
            self._db.execute("INSERT INTO spent VALUES (?, ?, ?)", (what, items, seconds))

    def spent(self) -> dict[str, tuple[int, float]]:
        """Return, per part, how many items it answered and in how many seconds, over all runs of this directory."""
        with _told(self.folder):
            rows = self._db.execute("SELECT what, SUM(items), SUM(seconds) FROM spent GROUP BY what").fetchall()
        return {what: (items, seconds) for what, items, seconds in rows}

    def _earlier_lost(self) -> set[str]:
        self._db.execute(_LOST)
        return {key for (key,) in self._db.execute("SELECT key FROM lost")}

    def _mark(self, rows: Sequence[DrawRow | AnswerRow]) -> None:
        """Note which of the rows that are added the next call shall ask about again."""
        self._db.executemany("DELETE FROM lost WHERE key = ?", [(r.key,) for r in rows])
        self._db.executemany("INSERT OR IGNORE INTO lost VALUES (?)", [(r.key,) for r in rows if r.passing])

    def _draw_row(self, row: tuple[Any, ...]) -> DrawRow:
        key, label, description, text, seed, arm, image, ignored, fault = row
        words = self._json(ignored)
        texts = (key, label, description, text, arm, image, fault)
        if not (isinstance(words, list) and type(seed) is int and all(isinstance(t, str) for t in (*texts, *words))):
            message = f"the store in {self.folder} is damaged (draw {brief(key, 40)} holds values of the wrong kind)"
            raise StoreError(f"{message}; name another --out, with the same archive")
        return DrawRow(key, label, description, text, seed, arm, image, tuple(words), fault)

    def _json(self, text: Any) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError) as problem:
            message = f"the store in {self.folder} is damaged ({brief(problem)}); name another --out, with the same"
            raise StoreError(f"{message} archive") from problem

    def _any(self, query: str, *values: str) -> bool:
        with _told(self.folder):
            return self._db.execute(query, values).fetchone() is not None

    def _select(self, table: str, columns: str, keys: Iterable[str]) -> list[Any]:
        wanted = list(dict.fromkeys(keys))
        found: list[Any] = []
        with _told(self.folder):
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                marks = ",".join("?" * len(some))
                # Only the number of question marks varies; the keys themselves are bound.
                query = f"SELECT {columns} FROM {table} WHERE key IN ({marks})"  # noqa: S608
                found += self._db.execute(query, some).fetchall()
        return found

    def _check_version(self, *, write: bool) -> None:
        """Make the tables of a new store, all or none; change nothing in a store of another version."""
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if write and not tables:
            self._db.executescript(_TABLES.replace("{version}", str(STORE_VERSION)))
            tables = {"about"}
        version = self.about("store_version") if "about" in tables else None
        if version != STORE_VERSION:
            newer = isinstance(version, int) and version > STORE_VERSION
            mend = "use the newer foible that made it" if newer else "name another directory"
            message = (
                f"{self.folder} holds store version {brief(version)}, but this foible reads {STORE_VERSION}; {mend}"
            )
            raise StoreError(message)


def check_settings(store: Store, wanted: Mapping[str, object], growing: Iterable[str] = ()) -> None:
    """Refuse a run directory that was made with other settings; note them where it is new.

    Until the judge has answered no draw has an outcome, so settings under which nothing worked are replaced.

    Args:
        store: the run directory.
        wanted: dotted name -> JSON-able value of everything that decides results.
        growing: names whose value may be raised.

    Raises:
        StoreError: settings differ; the sentence names them.
    """
    wanted = json.loads(canonical(wanted))
    before = store.about("settings")
    if before is None or not store.has_answer("judge"):
        store.note("settings", wanted)
        return
    grown = {name for name in growing if _rises(before.get(name), wanted.get(name))}
    names = sorted(before.keys() | wanted.keys())
    differing = [name for name in names if before.get(name) != wanted.get(name) and name not in grown]
    if differing:
        shown = "; ".join(
            f"{n} was {brief(canonical(before.get(n)), 80)}, now {brief(canonical(wanted.get(n)), 80)}"
            for n in differing[:NAMED]
        )
        more = f" and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
        message = f"{store.folder} was made with other settings ({shown}{more}); use the same, or another --out"
        raise StoreError(message)
    if grown:
        store.note("settings", {**before, **{name: wanted[name] for name in grown}})


def _rises(before: object, now: object) -> bool:
    """Tell whether a growing number was raised; None is "no limit"."""
    if now is None:
        return before is not None
    return isinstance(before, int) and isinstance(now, int) and now >= before


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    if not write:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # with WAL: safe against kill -9; power loss can cost the last units
    return db


def _lock(folder: Path) -> Any:
    file = (folder / ".lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        message = f"{folder} is in use by another foible; wait for it, or name another --out"
        raise StoreError(message) from None
    return file


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what the disk or the database says into one sentence."""
    try:
        yield
    except sqlite3.OperationalError as problem:  # the disk: full, read-only, in use
        message = f"the store in {folder} cannot be used ({problem}); free the disk, or name another --out"
        raise StoreError(message) from problem
    except sqlite3.DatabaseError as problem:
        message = f"the store in {folder} is damaged ({brief(problem)}); name another --out, with the same archive"
        raise StoreError(message) from problem
    except OSError as problem:
        reason = problem.strerror or str(problem)
        message = f"{folder} cannot be used ({reason}); name a directory on a disk with room that you may write"
        raise StoreError(message) from problem
