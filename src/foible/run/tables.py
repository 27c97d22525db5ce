"""A table of an archive: rows in the order in which they came, and an index of their keys that is written in batches.

Comes in: rows, keys. Goes out: rows by key. A key is a hash, so an index that takes each as it comes changes another
page of the file for every row, and that costs more than the images (design/0036). Here the newest rows are known from
memory: each process reads the keys that all have added since it last looked. Once they are many, whoever writes puts
them into the index, sorted, in the transaction of its own rows. Neighbour: `archive.py` says what the rows mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

Table = Literal["draws", "answers", "images"]
COLUMNS: Mapping[Table, tuple[str, ...]] = {
    "draws": ("key", "image", "ignored", "prompt", "seed", "seal", "samplings"),
    "answers": ("key", "value", "seal"),
    "images": ("image", "shard", "start", "size", "written"),
}
"""What stands in a row; the first is its key."""
SHORT = 8
"""Digits of a key that the index holds: it stays small, and rows bear the whole key."""
LEAST = 2048
"""Rows that are known from memory before they go into the index, in a small table."""
SHARE = 32
"""In a large one, a row of so many: a page of the index then takes several rows at once."""
_MOST = 500
"""Keys that one query names at most."""
Row = tuple[Any, ...]


class Indexed:
    """One table, as one process knows it; each method but `merge` sees what others have committed."""

    def __init__(self, db: sqlite3.Connection, table: Table) -> None:
        """Name the table; nothing is read yet."""
        self._db, self._table, self._key = db, table, COLUMNS[table][0]
        self._columns = ", ".join(COLUMNS[table])
        columns = ", ".join(f"{table}.{column}" for column in ("at", *COLUMNS[table]))
        self._by_number = f"SELECT {columns} FROM {table} WHERE at IN"  # noqa: S608 - see below
        # The index first, whatever SQLite thinks of the sizes.
        self._by_index = f"SELECT {columns} FROM {table}_at CROSS JOIN {table} USING (at) WHERE short IN"  # noqa: S608
        self._recent: dict[str, int] = {}
        """Number of each row that is not in the index, by key."""
        self._last = -1
        """Number of the last row that is known here or indexed; below 0 before anything was read."""

    # Each name in a query is of this module; keys and values are bound.

    def select(self, keys: Iterable[str]) -> list[Row]:
        """Return the rows of keys, the newest of a key last; those that are not known are left out."""
        return [row[1:] for row in self._found(keys)]

    def insert(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._db.executemany(f"INSERT INTO {self._table} ({self._columns}) VALUES ({marks})", rows)  # noqa: S608

    def update(self, columns: Sequence[str], values: Mapping[str, Row]) -> None:
        """Change columns of rows, whose new values are given by key."""
        changes = ", ".join(f"{column} = ?" for column in columns)
        rows = [(*values[row[1]], row[0]) for row in self._found(values)]
        self._db.executemany(f"UPDATE {self._table} SET {changes} WHERE at = ?", rows)  # noqa: S608

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the rows of keys."""
        rows = [(row[0], str(row[1])[:SHORT]) for row in self._found(keys)]
        self._db.executemany(f"DELETE FROM {self._table} WHERE at = ?", [row[:1] for row in rows])  # noqa: S608
        self._db.executemany(f"DELETE FROM {self._table}_at WHERE at = ? AND short = ?", rows)  # noqa: S608

    def merge(self) -> None:
        """Put the newest rows into the index where they are many; within a transaction."""
        if len(self._recent) < self._many():
            return
        query = f"INSERT OR IGNORE INTO {self._table}_at SELECT substr({self._key}, 1, ?), at FROM {self._table}"  # noqa: S608
        self._db.execute(f"{query} WHERE at > ? ORDER BY 1, 2", (SHORT, self._indexed()))
        query = f"UPDATE indexed SET last = (SELECT coalesce(max(at), 0) FROM {self._table}) WHERE name = ?"  # noqa: S608
        self._db.execute(query, (self._table,))
        self._recent.clear()
        self._last = self._indexed()

    def forget(self) -> None:
        """Read again, at the next look, what is known from memory: a transaction was undone."""
        self._recent.clear()
        self._last = -1

    def pages(self) -> Iterator[list[Row]]:
        """Yield all rows that are there now, some at a time, in the order in which they came."""
        last = -1
        (end,) = self._db.execute(f"SELECT coalesce(max(at), 0) FROM {self._table}").fetchone()  # noqa: S608
        query = f"SELECT at, {self._columns} FROM {self._table} WHERE at > ? AND at <= ? ORDER BY at LIMIT ?"  # noqa: S608
        while rows := self._db.execute(query, (last, end, _MOST)).fetchall():
            yield [row[1:] for row in rows]
            last = rows[-1][0]

    def count(self) -> int:
        """Count the rows."""
        query = f"SELECT (SELECT count(*) FROM {self._table}_at) + count(*) FROM {self._table} WHERE at > ?"  # noqa: S608
        return int(self._db.execute(query, (self._indexed(),)).fetchone()[0])

    def starting(self, start: str) -> list[str]:
        """Return the keys that begin so, of at least `SHORT` digits: at most two of those in the index."""
        self._catch_up()
        query = f"SELECT {self._key} FROM {self._table}_at JOIN {self._table} USING (at) WHERE short = ?"  # noqa: S608
        query += f" AND substr({self._key}, 1, ?) = ? LIMIT 2"
        indexed = [row[0] for row in self._db.execute(query, (start[:SHORT], len(start), start))]
        return sorted({*indexed, *(key for key in self._recent if str(key).startswith(start))})

    def _found(self, keys: Iterable[str]) -> list[Row]:
        """Give the rows of keys, each behind its number, in the order in which they came."""
        self._catch_up()
        wanted = list(dict.fromkeys(keys))
        found: list[Row] = []
        for start in range(0, len(wanted), _MOST):
            some = wanted[start : start + _MOST]
            recent = [at for key in some if (at := self._recent.get(key)) is not None]
            others = [key[:SHORT] for key in some if key not in self._recent]
            if recent:
                found += self._db.execute(f"{self._by_number} ({_marks(recent)})", recent)
            if others:
                found += self._db.execute(f"{self._by_index} ({_marks(others)})", others)
        named = set(wanted)
        return sorted((row for row in found if row[1] in named), key=lambda row: int(row[0]))

    def _catch_up(self) -> None:
        """Read the keys that were added since the last look."""
        if self._last < 0:
            self._last = self._indexed()
        query = f"SELECT {self._key}, at FROM {self._table} WHERE at > ? ORDER BY at"  # noqa: S608
        rows = self._db.execute(query, (self._last,)).fetchall()
        if rows:
            self._recent.update(rows)
            self._last = rows[-1][1]
            if len(self._recent) > 2 * self._many():  # others write, and have put them into the index
                last = self._indexed()
                self._recent = {key: at for key, at in self._recent.items() if at > last}

    def _many(self) -> int:
        """Say how many rows are known from memory before they go into the index."""
        return max(LEAST, self._last // SHARE)

    def _indexed(self) -> int:
        """Read the number of the last row that is in the index: a damaged one hides no row that is still to come."""
        said, there = "SELECT last FROM indexed WHERE name = ?", f"SELECT max(at) FROM {self._table}"  # noqa: S608
        query = f"SELECT min(coalesce(({said}), 0), coalesce(({there}), 0))"
        return int(self._db.execute(query, (self._table,)).fetchone()[0])


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
