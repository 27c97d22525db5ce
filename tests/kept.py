"""The images that an archive keeps, for tests that spoil them."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.run.shards import Place, Shards


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
        _rows(self.archive, "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?)", *values)

    def remove(self) -> None:
        """Let it be gone."""
        _rows(self.archive, "DELETE FROM images WHERE image = ?", self.image)


def images(archive: Path) -> list[Kept]:
    """Give every image of an archive, in the order of their hashes."""
    if not (archive / "archive.sqlite").exists():
        return []
    return [Kept(archive, image) for (image,) in _rows(archive, "SELECT image FROM images ORDER BY image")]


def _rows(archive: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(archive / "archive.sqlite", timeout=60)) as db, db:
        return db.execute(query, values).fetchall()
