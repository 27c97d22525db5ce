"""Room that an archive gives back: rows that no run needs, images that no row names, bytes that no image lies in.

Comes in: an archive, and the runs that are to stay as they are. Goes out: what was freed. A hunt may be writing
meanwhile: files that were written less than a day ago are left alone. Neighbour: `needs.py` says what a run needs.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.act.archive.needs import Needs, needs
from foible.errors import StoreError, brief
from foible.run.archive import Archive
from foible.run.rows import read_draw, read_place
from foible.run.shards import Place, room
from foible.run.shared import Shared
from foible.run.tables import Table

RECENT = 86_400.0
"""Seconds for which a file of images may still be written by a hunt."""
_UNIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was freed, or would be."""

    draws: int
    answers: int
    images: int
    bytes: int
    """Of files of images; those of the rows come on top."""
    recent: int
    """Files of images that were left alone, since a hunt may be writing them."""


def free(folder: Path, keep: Collection[Path] = (), *, recent: float = RECENT, dry: bool = False) -> Freed:
    """Give back the room of what nobody needs.

    Args:
        folder: of the archive.
        keep: directories of runs: rows that none of them needs are dropped. None: every row stays, and only bytes that
            no row names are freed.
        recent: seconds for which a file of images is left alone after it was written.
        dry: only say what would be freed.

    Raises:
        StoreError: the folder is no archive, is a copy of one that others share, whose rows stay, or a run cannot be
            read.
    """
    with Archive(folder, write=False) as reading:  # so that a name that is misspelt makes no archive
        if reading.shared is not None and keep:
            message = (
                f"{folder} is a copy of the archive at {brief(reading.shared[0])}, in which every row stays, since "
            )
            raise StoreError(f"{message}other machines have it; without --keep, what no row names is freed")
    with Archive(folder) as archive:
        if archive.store is not None:
            return _free_store(archive, archive.store, recent, dry=dry)
        unneeded, places = _sorted(archive, needs(keep, archive) if keep else None)
        if not dry:
            for table, keys in unneeded.items():
                archive.drop(table, keys)
        freed, left = _pack(archive, places, recent, dry=dry)
        if not dry:
            archive.shrink()
    counts = {table: len(keys) for table, keys in unneeded.items()}
    return Freed(bytes=freed, recent=left, **counts)


def _free_store(archive: Archive, store: Shared, recent: float, *, dry: bool) -> Freed:
    """Remove the files of images that no row names, here and in the store: what was sent by machines that then died.

    What rows name says the log, not this copy: it may be damaged, and what it lost others still have.
    """
    named = {shard for _, entry in store.entries(0) for shard, *_ in entry.images.values()}
    here = {path.name: path.stat() for path in archive.shards.folder.glob("*.tar")}
    files = [(name, found.st_size, found.st_mtime) for name, found in here.items()]
    objects = [(name, size, at) for name, (size, at) in store.images().items()]
    now = time.time()
    unnamed = [[one for one in some if one[0] not in named] for some in (files, objects)]
    old = [[one for one in some if now - one[2] >= recent] for some in unnamed]
    if not dry:
        for name, *_ in old[0]:
            (archive.shards.folder / name).unlink(missing_ok=True)
        store.remove([name for name, *_ in old[1]])
    left = {name for some in unnamed for name, *_ in some} - {name for some in old for name, *_ in some}
    return Freed(draws=0, answers=0, images=0, bytes=sum(size for some in old for _, size, _ in some), recent=len(left))


def _sorted(archive: Archive, wanted: Needs | None) -> tuple[dict[Table, list[str]], dict[str, Place]]:
    """Give the keys of rows that nobody needs, by table, and the places of the images that somebody does."""
    draws, named = [], set()
    for row in _each(archive, "draws"):
        read = read_draw(row)
        if read is None or (wanted is not None and read.key not in wanted.draws):
            draws.append(row[0])
        else:
            named.add(read.image)
    answers = [row[0] for row in _each(archive, "answers") if wanted is not None and row[0] not in wanted.answers]
    places: dict[str, Place] = {}
    images = []
    for row in _each(archive, "images"):
        place = read_place(row)
        if place is None or row[0] not in named:
            images.append(row[0])
        else:
            places[row[0]] = place
    return {"draws": draws, "answers": answers, "images": images}, places


def _each(archive: Archive, table: Table) -> Iterator[tuple[Any, ...]]:
    return (row for rows in archive.pages(table) for row in rows)


def _pack(archive: Archive, places: dict[str, Place], recent: float, *, dry: bool) -> tuple[int, int]:
    """Move the images of files that hold more than these, and remove the files; bytes freed, and files left alone."""
    by_file: dict[str, dict[str, Place]] = {}
    for name, place in places.items():
        by_file.setdefault(place.shard, {})[name] = place
    freed = left = 0
    for path in sorted(archive.shards.folder.glob("*.tar")):
        about, inside = path.stat(), by_file.get(path.name, {})
        needed = sum(room(place.size) for place in inside.values())
        if about.st_size <= needed:
            continue
        if time.time() - about.st_mtime < recent:
            left += 1
            continue
        freed += about.st_size - needed
        if not dry:
            _move(archive, inside)
            path.unlink()
    return freed, left


def _move(archive: Archive, inside: dict[str, Place]) -> None:
    names = list(inside)
    for start in range(0, len(names), _UNIT):
        read = {name: archive.shards.read(inside[name]) for name in names[start : start + _UNIT]}
        archive.move(archive.shards.append({name: data for name, data in read.items() if data is not None}))
