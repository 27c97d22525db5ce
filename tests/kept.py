"""The images that an archive keeps, for tests that spoil them."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.run.archive import SCHEMA
from foible.run.shards import Place, Shards
from foible.run.tables import COLUMNS


@dataclass(frozen=True, order=True)
class Kept:
    """One image of an archive."""

    archive: Path
    image: str

    def place(self) -> Place:
        """Say where it lies."""
        (row,) = _rows(self.archive, "SELECT shard, start, size FROM images WHERE image = ?", self.image)
        return Place(shard=row[0], start=row[1], size=row[2])

    def read(self) -> bytes:
        """Give its bytes; none where it has gone."""
        return Shards(self.archive / "images").read(self.place()) or b""

    def write(self, data: bytes, name: str = "") -> None:
        """Put other bytes in its place, or under another name."""
        with Shards(self.archive / "images") as shards:
            (place,) = shards.append({self.image: data}).values()
        values = (name or self.image, place.shard, place.start, place.size, 0.0)
        _rows(self.archive, "DELETE FROM images WHERE image = ?", values[0])
        _rows(self.archive, "INSERT INTO images (image, shard, start, size, written) VALUES (?, ?, ?, ?, ?)", *values)

    def remove(self) -> None:
        """Let it be gone."""
        _rows(self.archive, "DELETE FROM images WHERE image = ?", self.image)


def images(archive: Path) -> list[Kept]:
    """Give every image of an archive, in the order of their hashes."""
    if not (archive / "archive.sqlite").exists():
        return []
    return [Kept(archive, image) for (image,) in _rows(archive, "SELECT image FROM images ORDER BY image")]


def age(archive: Path, version: int) -> None:
    """Make an archive as it was at a version: its rows, as far as the tables of that version hold them."""
    path = archive / "archive.sqlite"
    newer = path.rename(path.with_suffix(".newer"))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for step in SCHEMA[:version]:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("ATTACH ? AS newer", (str(newer),))
        for (table,) in db.execute("SELECT name FROM newer.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})") if row[1] != "at")
            if columns and table in COLUMNS:
                db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")  # noqa: S608 - of the schema
    newer.unlink()


def _rows(archive: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(archive / "archive.sqlite", timeout=60)) as db, db:
        return db.execute(query, values).fetchall()
