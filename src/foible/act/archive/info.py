"""What an archive holds, and whether it is whole.

Comes in: an archive. Goes out: counts; or what of it is damaged, each named. Neighbours: `copies.py` carries rows from
one archive to another, `free.py` takes away what nobody needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foible.errors import StoreError, brief
from foible.pixels import content_hash, read_png
from foible.run.archive import Archive
from foible.run.rows import read_answer, read_draw, read_place

NAMED = 20
"""Damaged rows that are named one by one."""
_HASH = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an archive holds."""

    folder: Path
    draws: int
    answers: int
    images: int
    """Different ones."""
    shown: int
    """Bytes of the images."""
    files: int
    """Bytes of the files that they lie in: what is more than `shown` is headers, copies and what was cut short."""
    shards: int
    """How many files these are."""
    rows: int
    """Bytes of the database."""
    first: float | None
    """When its first image was kept, in seconds since 1970; None where it has none."""
    last: float | None
    url: str
    """Of the store that it is a copy of; empty where of none."""
    entries: int
    """Of that store: how many of its entries are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Whether an archive is whole."""

    draws: int
    """Whole ones, whose image is whole."""
    answers: int
    images: int
    damaged: tuple[str, ...]
    """What is damaged or has gone: the first, a sentence each."""
    damages: int
    """How many there are."""


def info(folder: Path) -> Info:
    """Count what an archive holds; nothing is written.

    Raises:
        StoreError: the folder is no archive, or is damaged.
    """
    with Archive(folder, write=False) as archive:
        shown, first, last = archive.extent()
        url, entries = archive.shared or ("", 0)
        files = list((folder / "images").glob("*.tar"))
        return Info(
            folder=folder,
            draws=archive.count("draws"),
            answers=archive.count("answers"),
            images=archive.count("images"),
            shown=shown,
            files=sum(one.stat().st_size for one in files),
            shards=len(files),
            rows=sum(one.stat().st_size for one in folder.glob("archive.sqlite*")),
            first=first,
            last=last,
            url=url,
            entries=entries,
        )


def check(folder: Path, advance: Callable[[int], None] = lambda _: None) -> Check:
    """Read every row and every image of an archive, and hash each again; nothing is written.

    It tells damage, not deceit: whoever can write an archive can seal what he writes.

    Args:
        folder: of the archive.
        advance: told how many rows were read.

    Raises:
        StoreError: the folder is no archive, or its database cannot be read.
    """
    found: list[str] = []
    with Archive(folder, write=False) as archive:
        images = set()
        for rows in archive.pages("images"):
            for row in rows:
                place = read_place(row)
                data = None if place is None else archive.shards.read(place)
                pixels = None if data is None else read_png(data)
                if pixels is not None and content_hash(pixels) == row[0]:
                    images.add(row[0])
                else:
                    found.append(f"image {brief(row[0])}: it has gone, or is another one")
            advance(len(rows))
        draws = answers = 0
        for rows in archive.pages("draws"):
            for row in rows:
                read = read_draw(row)
                draws += read is not None and read.image in images
                if read is None:
                    found.append(f"draw {brief(row[0])}: its row was changed")
                elif read.image not in images:
                    found.append(f"draw {brief(row[0])}: its image {brief(read.image)} has gone, or is another one")
            advance(len(rows))
        for rows in archive.pages("answers"):
            torn = [row[0] for row in rows if read_answer(row) is None]
            answers += len(rows) - len(torn)
            found += [f"answer {brief(key)}: its row was changed" for key in torn]
            advance(len(rows))
    return Check(draws=draws, answers=answers, images=len(images), damaged=tuple(found[:NAMED]), damages=len(found))


def image_of(folder: Path, name: str) -> tuple[str, bytes]:
    """Return the hash of an image and its PNG file.

    Args:
        folder: of the archive.
        name: the hash of its pixels, or at least its first 8 digits.

    Raises:
        StoreError: there is no such image, or there are several; or as in `info`.
    """
    if _HASH.fullmatch(name) is None:
        message = f"{brief(name)} is no image: wanted the hash of its pixels, or at least its first 8 digits"
        raise StoreError(message)
    with Archive(folder, write=False) as archive:
        names = archive.names(name)
        data = archive.images.bytes(names[0]) if len(names) == 1 else None
    if data is None:
        what = f"{len(names)} images" if len(names) > 1 else "no image"
        message = f"{folder} has {what} {name}; give more digits of it, or name another --archive"
        raise StoreError(message)
    return names[0], data
