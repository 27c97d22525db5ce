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
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

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
from foible.run.tables import COLUMNS, Indexed, Table

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
    """
    CREATE TABLE indexed (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO indexed VALUES ('draws', 0), ('answers', 0), ('images', 0);
    ALTER TABLE draws RENAME TO older;
    CREATE TABLE draws (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, image TEXT NOT NULL,
        ignored TEXT NOT NULL, prompt TEXT NOT NULL, seed INTEGER NOT NULL, seal TEXT NOT NULL,
        samplings INTEGER NOT NULL);
    CREATE TABLE draws_at (short TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (short, at)) WITHOUT ROWID;
    INSERT OR IGNORE INTO draws (key, image, ignored, prompt, seed, seal, samplings)
        SELECT key, image, ignored, prompt, seed, seal, samplings FROM older;
    DROP TABLE older;
    ALTER TABLE answers RENAME TO older;
    CREATE TABLE answers (at INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, value TEXT NOT NULL,
        seal TEXT NOT NULL);
    CREATE TABLE answers_at (short TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (short, at)) WITHOUT ROWID;
    INSERT OR IGNORE INTO answers (key, value, seal) SELECT key, value, seal FROM older;
    DROP TABLE older;
    ALTER TABLE images RENAME TO older;
    CREATE TABLE images (at INTEGER PRIMARY KEY AUTOINCREMENT, image TEXT NOT NULL, shard TEXT NOT NULL,
        start INTEGER NOT NULL, size INTEGER NOT NULL, written REAL NOT NULL);
    CREATE TABLE images_at (short TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (short, at)) WITHOUT ROWID;
    INSERT OR IGNORE INTO images (image, shard, start, size, written)
        SELECT image, shard, start, size, written FROM older ORDER BY written;
    DROP TABLE older
    """,
)
"""One script for each version; `database.py` applies those that a file lacks. `tables.py` reads what the last made."""

_NONE: Mapping[str, Any] = MappingProxyType({})


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
        self._tables: Mapping[Table, Indexed] = {table: Indexed(self._db, table) for table in COLUMNS}
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
            rows = [read_draw(values) for values in self._select("draws", keys).values()]
        return {row.key: row for row in rows if row is not None}

    def answers(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the answers that are known and whole, by key: JSON values."""
        with told(self._path):
            rows = self._select("answers", keys)
        return {key: value for key, row in rows.items() if (value := read_answer(row)) is not None}

    def places(self, images: Iterable[str]) -> dict[str, Place]:
        """Return where images lie, by the hash of their pixels; those that are not known are left out."""
        with told(self._path):
            rows = self._select("images", images)
        return {image: place for image, row in rows.items() if (place := read_place(row)) is not None}

    def written(self, images: Iterable[str]) -> list[tuple[float, int]]:
        """Return when images were kept, in seconds since 1970, and their bytes, in the order of time."""
        with told(self._path):
            rows = self._select("images", images).values()
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
                    self._write(*self._lacking(draws, answers, images, replace))
                return
            while True:
                rows, before = self._lacking(draws, answers, images, replace)
                number = self._entries() + 1
                if rows == NOTHING:
                    return
                if self._shared.append(number, entry_of(rows)):
                    with self._transaction():
                        self._write(rows, before, number)
                    return
                self._pull()

    def pages(self, table: Table) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all rows of a table, some at a time, in the order in which they came; others may add to them."""
        with told(self._path):
            yield from self._tables[table].pages()

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        with told(self._path):
            return self._tables[table].count()

    def names(self, start: str) -> list[str]:
        """Return images whose hash begins so, with at least 8 digits: several of many."""
        with told(self._path):
            return self._tables["images"].starting(start)

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
            self._tables[table].remove(keys)

    def move(self, images: Mapping[str, Place]) -> None:
        """Say that images that are known lie elsewhere now."""
        values = {name: (one.shard, one.start, one.size) for name, one in images.items()}
        with told(self._path), self._transaction():
            self._tables["images"].update(("shard", "start", "size"), values)

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

    @property
    def store(self) -> Shared | None:
        """That store, where it is the one that the environment names."""
        return self._shared

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Undo what was begun, and read again what is known from memory."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")
        for table in self._tables.values():
            table.forget()

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
                    rows = rows_of(entry)
                    keys = {*(row.key for row in rows.draws), *rows.answers, *rows.images}
                    with self._transaction():
                        self._write(rows, keys, number)

    def _lacking(
        self,
        draws: Sequence[DrawRow],
        answers: Mapping[str, Any],
        images: Mapping[str, Place],
        replace: Mapping[str, str],
    ) -> tuple[Rows, set[str]]:
        """Give what of a unit is not known yet, as `add` tells, and which keys of it have a row, whole or not."""
        drawn, said = self._select("draws", (row.key for row in draws)), self._select("answers", answers)
        placed = self._select("images", images)
        there = {key: row for key, values in drawn.items() if (row := read_draw(values)) is not None}
        torn = {key for key, row in there.items() if row.image == replace.get(key)}
        rows = Rows(
            draws=[row for row in draws if row.key not in there or row.key in torn],
            answers={key: value for key, value in answers.items() if key not in said or read_answer(said[key]) is None},
            images={name: one for name, one in images.items() if not self._lies(name, one, placed.get(name))},
        )
        return rows, {*drawn, *said, *placed}

    def _lies(self, image: str, place: Place, row: tuple[Any, ...] | None) -> bool:
        """Tell whether a row says where an image lies, and it is whole there: what was just written there is."""
        known = None if row is None else read_place(row)
        return known is not None and (known == place or self.shards.get(known, image) is not None)

    def _write(self, rows: Rows, before: AbstractSet[str], number: int = 0) -> None:
        """Write rows in place of those that have keys in `before`; `number` is that of their entry where shared."""
        answers = [(key, canonical(value)) for key, value in rows.answers.items()]
        values: dict[Table, list[tuple[Any, ...]]] = {
            "draws": [draw_values(row) for row in {row.key: row for row in rows.draws}.values()],
            "answers": [(key, text, sealed(key, text)) for key, text in answers],
            "images": [(name, one.shard, one.start, one.size, time.time()) for name, one in rows.images.items()],
        }
        for table, new in values.items():
            if replaced := [row[0] for row in new if row[0] in before]:
                self._tables[table].remove(replaced)
            self._tables[table].insert(new)
            self._tables[table].merge()
        if number:
            self._db.execute("UPDATE shared SET entries = max(entries, ?)", (number,))

    def _select(self, table: Table, keys: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        """Look up rows as they stand, by key, whole or not."""
        wanted = list(keys)
        self.heard(table, wanted)
        return {row[0]: row for row in self._tables[table].select(wanted)}
