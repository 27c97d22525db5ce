"""The archive: which request gave which pixels, and what every part said of them. Hunts share it.

Comes in: the rows of a unit of work, in one transaction. Goes out: rows by key. Keys say everything that decides a row,
so a row is good for any run, and is never changed; it bears a seal over its key and content, and a row whose seal does
not fit is as good as missing: it is made again. Faults are no rows: what went wrong is a matter of the run
(`journal.py`). Several processes may write at once: the first that finishes a row wins, and all use that one.
Neighbours: `shards.py` keeps the pixels, and `images.py` finds them; `loose.py` takes in those of older archives.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from foible.errors import StoreError, brief
from foible.identity import canonical
from foible.run.database import connect, told
from foible.run.images import Images
from foible.run.loose import take_in
from foible.run.rows import (
    NOTHING,
    DrawRow,
    Rows,
    draw_values,
    entry_of,
    read_answer,
    read_draw,
    read_place,
    rows_of,
    sealed,
)
from foible.run.shards import GONE, Place, Shards
from foible.run.shared import URL, Shared, of_environment

SCHEMA = (
    """
    CREATE TABLE draws (key TEXT PRIMARY KEY, image TEXT NOT NULL, ignored TEXT NOT NULL, prompt TEXT NOT NULL,
        seed INTEGER NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE answers (key TEXT PRIMARY KEY, value TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID
    """,
    "ALTER TABLE draws ADD COLUMN samplings INTEGER NOT NULL DEFAULT 1",
    """
    CREATE TABLE images (image TEXT PRIMARY KEY, shard TEXT NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL,
        written REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE shared (url TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID
    """,
)
"""One script for each version; `database.py` applies those that a file lacks."""

Table = Literal["draws", "answers", "images"]
KEYS: Mapping[Table, str] = {"draws": "key", "answers": "key", "images": "image"}
_NONE: Mapping[str, Any] = MappingProxyType({})
_MOST = 500
"""Keys that one query names at most."""


class Archive:
    """Pixels and answers in one folder, opened for writing or for reading by any number of processes."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open, or make, the archive in a folder.

        Raises:
            StoreError: the folder cannot be used.
        """
        self.folder = folder
        self.heard: Callable[[Table, Sequence[str]], None] = lambda _, __: None
        """Told of what is looked up: the table, and the keys."""
        self._path = folder / "archive.sqlite"
        with told(folder):
            if write:
                (folder / "images").mkdir(parents=True, exist_ok=True)
            elif not self._path.is_file():
                message = f"{folder} is no archive (it holds no archive.sqlite); name the right one with --archive"
                raise StoreError(message)
        self._db = connect(self._path, SCHEMA, write=write)
        try:
            self._shared = self._joined(write=write)
            self.shards = Shards(folder / "images", self._shared)
            """Where images are written to."""
            self.images = Images(self.shards, self.places)
            if write:
                self._pull()
                self.shards.sweep()
                take_in(self)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the files."""
        self.shards.close()
        self._db.close()

    def __enter__(self) -> Self:
        """Return the archive itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the archive."""
        self.close()

    def draws(self, keys: Iterable[str]) -> dict[str, DrawRow]:
        """Return the draws that are known and whole, by key."""
        with told(self._path):
            return self._draws(keys)

    def answers(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the answers that are known and whole, by key: JSON values."""
        with told(self._path):
            return self._answers(keys)

    def places(self, images: Iterable[str]) -> dict[str, Place]:
        """Return where images lie, by the hash of their pixels; those that are not known are left out."""
        with told(self._path):
            rows = self._select("images", images)
        return {row[0]: place for row in rows if (place := read_place(row)) is not None}

    def written(self, images: Iterable[str]) -> list[tuple[float, int]]:
        """Return when images were kept, in seconds since 1970, and their bytes, in the order of time."""
        with told(self._path):
            rows = self._select("images", images)
        return sorted((at, size) for _, _, _, size, at in rows if isinstance(at, float) and isinstance(size, int))

    def add(
        self,
        draws: Sequence[DrawRow],
        answers: Mapping[str, Any],
        *,
        images: Mapping[str, Place] = _NONE,
        replace: Mapping[str, str] = _NONE,
    ) -> None:
        """Keep the rows of a unit, all or none; rows that are there and whole stay: another process was faster.

        Args:
            draws: by request.
            answers: key -> JSON-able value.
            images: where images were written to, by the hash of their pixels. One that is known and whole elsewhere
                stays there.
            replace: by key of a draw, the image that its row must not name any more, since it is torn. Where the row
                names another by now, that one stays.

        Raises:
            StoreError: the disk is full, cannot be written, or the archive has gone.
        """
        with told(self._path):
            if not self._path.exists():
                raise StoreError(GONE.format(self.folder))
            if self._shared is None:
                with self._transaction():
                    self._write(self._lacking(draws, answers, images, replace))
                return
            while (rows := self._lacking(draws, answers, images, replace)) != NOTHING:
                number = self._entries() + 1
                if self._shared.append(number, entry_of(rows)):
                    with self._transaction():
                        self._write(rows, number)
                    return
                self._pull()

    def pages(self, table: Table) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all rows of a table, some at a time, in the order of their keys; others may write meanwhile."""
        key, last = KEYS[table], ""
        while True:
            with told(self._path):
                # Both names are of the schema above.
                query = f"SELECT * FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608
                rows = self._db.execute(query, (last, _MOST)).fetchall()
            if not rows:
                return
            yield rows
            last = rows[-1][0]

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        with told(self._path):
            return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - of the schema

    def names(self, start: str) -> list[str]:
        """Return the images whose hash begins so: at most two, since more are as good as that."""
        with told(self._path):
            query = "SELECT image FROM images WHERE image >= ? AND image < ? LIMIT 2"
            return [row[0] for row in self._db.execute(query, (start, f"{start}g"))]

    def extent(self) -> tuple[int, float | None, float | None]:
        """Return the bytes of all images, and when the first and the last were kept, in seconds since 1970."""
        with told(self._path):
            query = "SELECT total(size), min(written), max(written) FROM images"
            size, first, last = self._db.execute(query).fetchone()
        times = [at if isinstance(at, float) else None for at in (first, last)]
        return int(size), times[0], times[1]

    def drop(self, table: Table, keys: Iterable[str]) -> None:
        """Remove rows.

        Raises:
            StoreError: the archive cannot be written, or is a copy of one that others share.
        """
        if self._shared is not None:
            message = (
                f"{self.folder} is a copy of the archive at {brief(self._shared.url)}, from which nothing is taken"
            )
            raise StoreError(f"{message} away; drop the copy, and let the store expire")
        with told(self._path), self._transaction():
            query = f"DELETE FROM {table} WHERE {KEYS[table]} = ?"  # noqa: S608 - of the schema
            self._db.executemany(query, ((key,) for key in keys))

    def move(self, images: Mapping[str, Place]) -> None:
        """Say that images that are known lie elsewhere now."""
        with told(self._path), self._transaction():
            rows = [(one.shard, one.start, one.size, name) for name, one in images.items()]
            self._db.executemany("UPDATE images SET shard = ?, start = ?, size = ? WHERE image = ?", rows)

    def shrink(self) -> None:
        """Give the room of removed rows back to the disk."""
        with told(self._path):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def shared(self) -> tuple[str, int] | None:
        """The store that this archive is a copy of, and how many of its entries are known here; None where of none."""
        with told(self._path):
            row = self._db.execute("SELECT url, entries FROM shared").fetchone()
        return None if row is None else (str(row[0]), int(row[1]))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _joined(self, *, write: bool) -> Shared | None:
        """Give the store that this archive is a copy of; an empty archive becomes one of the store that is named.

        Raises:
            StoreError: it is a copy of another store, or holds rows that no store has.
        """
        shared = of_environment()
        with told(self._path):
            known = self._db.execute("SELECT url FROM shared").fetchone()
            if known is None and shared is not None and write:
                if self._db.execute("SELECT 1 FROM draws UNION ALL SELECT 1 FROM answers LIMIT 1").fetchone():
                    message = (
                        f"{self.folder} holds rows that are not at {URL}; name another --archive, and import this "
                    )
                    raise StoreError(f"{message}one there with foible archive import")
                self._db.execute("INSERT OR IGNORE INTO shared VALUES (?, 0)", (shared.url,))
                return shared
        url = None if known is None else known[0]
        if write and url != (None if shared is None else shared.url):
            message = f"{self.folder} is a copy of the archive at {brief(url)}; set {URL} to that, or name another "
            raise StoreError(f"{message}--archive")
        return shared if shared is not None and url == shared.url else None

    def _entries(self) -> int:
        """Give how many entries of the store that is shared are known here."""
        return int(self._db.execute("SELECT entries FROM shared").fetchone()[0])

    def _pull(self) -> None:
        """Take in what others have put into the store that is shared: a later entry counts for more."""
        if self._shared is not None:
            with told(self._path):
                for number, entry in self._shared.entries(self._entries()):
                    with self._transaction():
                        self._write(rows_of(entry), number)

    def _lacking(
        self,
        draws: Sequence[DrawRow],
        answers: Mapping[str, Any],
        images: Mapping[str, Place],
        replace: Mapping[str, str],
    ) -> Rows:
        """Give what of a unit is not known yet, as `add` tells."""
        there, said = self._draws(row.key for row in draws), self._answers(answers)
        torn = {key for key, row in there.items() if row.image == replace.get(key)}
        return Rows(
            draws=[row for row in draws if row.key not in there or row.key in torn],
            answers={key: value for key, value in answers.items() if key not in said},
            images=dict(self._new(images)),
        )

    def _write(self, rows: Rows, number: int = 0) -> None:
        """Write rows in place of those that are there; `number` is that of their entry where they are shared."""
        draws = [draw_values(row) for row in rows.draws]
        self._db.executemany("INSERT OR REPLACE INTO draws VALUES (?, ?, ?, ?, ?, ?, ?)", draws)
        texts = [(key, canonical(value)) for key, value in rows.answers.items()]
        answers = [(key, text, sealed(key, text)) for key, text in texts]
        self._db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", answers)
        placed = [(name, one.shard, one.start, one.size, time.time()) for name, one in rows.images.items()]
        self._db.executemany("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", placed)
        if number:
            self._db.execute("UPDATE shared SET entries = max(entries, ?)", (number,))

    def _new(self, images: Mapping[str, Place]) -> Iterator[tuple[str, Place]]:
        """Yield the images that are not known, or not whole where they were known to lie."""
        known = self.places(images)
        for name, place in images.items():
            before = known.get(name)
            if before is None or (before != place and self.shards.get(before, name) is None):
                yield name, place

    def _draws(self, keys: Iterable[str]) -> dict[str, DrawRow]:
        rows = (read_draw(values) for values in self._select("draws", keys))
        return {row.key: row for row in rows if row is not None}

    def _answers(self, keys: Iterable[str]) -> dict[str, Any]:
        found = {row[0]: read_answer(row) for row in self._select("answers", keys)}
        return {key: value for key, value in found.items() if value is not None}

    def _select(self, table: Table, keys: Iterable[str]) -> list[tuple[Any, ...]]:
        wanted = list(dict.fromkeys(keys))
        self.heard(table, wanted)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(wanted), _MOST):
            some = wanted[start : start + _MOST]
            marks = ",".join("?" * len(some))
            # Only the number of question marks varies; the keys themselves are bound.
            found += self._db.execute(f"SELECT * FROM {table} WHERE {KEYS[table]} IN ({marks})", some).fetchall()  # noqa: S608
        return found
