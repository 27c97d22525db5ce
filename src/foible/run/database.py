"""One SQLite file: opened defensively, brought to the newest schema, its troubles told in one sentence.

Comes in: a path and the steps of a schema. Goes out: a connection. A file from elsewhere is untrusted: a trigger, a
view or a table that foible does not make is refused before a row is read. Neighbour: `archive.py` has the tables.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from foible.errors import StoreError, brief

WAIT = 60.0
"""Seconds to wait for another process that is writing: several hunts share one archive."""


def connect(path: Path, steps: Sequence[str], *, write: bool) -> sqlite3.Connection:
    """Open a database, making or migrating it where it may be written.

    Args:
        path: the file; its folder exists.
        steps: the schema as SQL scripts, one for each version; a step is never changed once it was released.
        write: whether it may be changed; otherwise it must exist, and be of the newest version.

    Raises:
        StoreError: it cannot be used, is damaged, of a newer version, or holds what foible never puts there.
    """
    with told(path):
        db = sqlite3.connect(path if write else _read_only(path), uri=not write, timeout=WAIT, isolation_level=None)
        try:
            if not write:
                db.execute("PRAGMA locking_mode = EXCLUSIVE" if _is_abandoned(path) else "PRAGMA locking_mode = NORMAL")
            db.execute("PRAGMA trusted_schema = OFF")
            db.text_factory = _text
            if write:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")  # safe against kill -9; power loss can cost the last units
            _migrate(db, path, steps, write=write)
            _refuse_strangers(db, path, steps)
        except BaseException:
            db.close()
            raise
    return db


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the disk or the database says into one sentence.

    Raises:
        StoreError: in place of any error of either.
    """
    try:
        yield
    except sqlite3.OperationalError as problem:  # the disk: full, read-only, without locks, in use
        message = f"{path} cannot be used ({brief(problem)}); name a place on a disk with room, locks and write access"
        raise StoreError(message) from problem
    except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError) as problem:
        message = f"{path} is damaged ({brief(problem)}); move it away, or name another place"
        raise StoreError(message) from problem
    except OSError as problem:
        reason = problem.strerror or str(problem)
        message = f"{path} cannot be used ({reason}); name a directory on a disk with room that you may write"
        raise StoreError(message) from problem


def _text(raw: bytes) -> str:
    """Read a text; where a bit flipped it may be none, and then it must be another, so that no seal fits it."""
    return raw.decode("utf-8", "replace")


def _read_only(path: Path) -> str:
    """Write the URI of a file that must not be changed, nor anything beside it.

    Without a write-ahead log nothing else is read, and SQLite is told so: then a read-only directory will do. For a log
    that was abandoned SQLite would make an index beside it, unless nobody else can have the file open: so it is read
    without locks, and alone.
    """
    path.stat()
    how = f"&vfs={'win32' if os.name == 'nt' else 'unix'}-none" if _is_abandoned(path) else ""
    return f"{path.resolve().as_uri()}?mode=ro{how if _has_log(path) else '&immutable=1'}"


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _is_abandoned(path: Path) -> bool:
    """Tell whether a write-ahead log holds rows and nobody writes: a process that does keeps an index beside it."""
    return _has_log(path) and not path.with_name(path.name + "-shm").exists()


def _migrate(db: sqlite3.Connection, path: Path, steps: Sequence[str], *, write: bool) -> None:
    """Apply the steps that a file lacks, each in a transaction with its number."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        message = f"{path} is of version {version}, and this foible reads up to {len(steps)}; use the newer foible"
        raise StoreError(message)
    if version == len(steps):
        return
    if not write:
        message = f"{path} is of version {version}, older than {len(steps)}; one hunt on it brings it up to date"
        raise StoreError(message)
    for number in range(version, len(steps)):
        # The number is read again inside: another process may have been faster.
        db.execute("BEGIN IMMEDIATE")
        if int(db.execute("PRAGMA user_version").fetchone()[0]) == number:
            _refuse_strangers(db, path, steps[:number])  # what another program made gets no table of ours
            for statement in filter(str.strip, steps[number].split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number + 1}")
        db.execute("COMMIT")


def _refuse_strangers(db: sqlite3.Connection, path: Path, steps: Sequence[str]) -> None:
    """Refuse a schema that is not to the letter what the steps make: a trigger could change what is found."""
    clean = sqlite3.connect(":memory:")
    with contextlib.closing(clean):
        for step in steps:
            clean.executescript(step)
        # SQLite's own indices have no text; whatever has one was made by somebody.
        query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        wanted, found = clean.execute(query).fetchall(), db.execute(query).fetchall()
    strange = [name for _, name, _ in set(found) ^ set(wanted)]
    if strange:
        message = f"{path} holds what foible never puts there, or lacks what it does ({brief(min(strange))})"
        raise StoreError(f"{message}; it is damaged or from a stranger: name another place")
