"""Rows and images carried from one archive to another: all, or those that some runs need.

Comes in: two archives. Goes out: how much was carried. What is torn stays behind, and is counted: an image is read and
hashed before another archive takes it. Neighbour: `needs.py` says what a run needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from foible.act.archive.needs import Needs, needs
from foible.errors import StoreError
from foible.pixels import content_hash, read_png
from foible.run.archive import Archive
from foible.run.rows import DrawRow, read_answer, read_draw

_UNIT = 64
"""Draws that are carried at once: their images are held in memory."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was carried."""

    draws: int
    answers: int
    there: int
    """Draws and answers that the other archive had before."""
    lost: int
    """Draws and answers that are damaged, or whose image is; they were left behind."""


def copy(
    source: Path,
    target: Path,
    runs: Iterable[Path] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Copied:
    """Carry rows and images into an archive, which is made where there is none; what it has stays.

    Args:
        source: the archive to read.
        target: the archive to write.
        runs: directories of the runs whose draws and answers are carried; None for everything.
        advance: told how many rows were carried or found there.

    Raises:
        StoreError: an archive or a run cannot be used, or both archives are the same.
    """
    if source.resolve() == target.resolve():
        message = f"{source} cannot be copied into itself; name another archive"
        raise StoreError(message)
    with Archive(source, write=False) as given:
        wanted = None if runs is None else needs(runs, given)  # before an archive is made for what is misspelt
        with Archive(target) as taken:
            copying = _Copying(given, taken, wanted, advance)
            copying.draws()
            copying.answers()
            return copying.copied


class _Copying:
    """Carries rows, a unit at a time, so that a kill costs one unit; called again it goes on."""

    def __init__(self, given: Archive, taken: Archive, wanted: Needs | None, advance: Callable[[int], None]) -> None:
        self._given, self._taken, self._wanted, self._advance = given, taken, wanted, advance
        self._draws = self._answers = self._there = self._lost = 0

    @property
    def copied(self) -> Copied:
        return Copied(draws=self._draws, answers=self._answers, there=self._there, lost=self._lost)

    def draws(self) -> None:
        wanted = None if self._wanted is None else self._wanted.draws
        for page in self._given.pages("draws"):
            rows = [row for row in page if wanted is None or row[0] in wanted]
            whole = [read for row in rows if (read := read_draw(row)) is not None]
            self._lost += len(rows) - len(whole)
            known = self._taken.draws(row.key for row in whole)
            self._there += len(known)
            for some in _in_units([row for row in whole if row.key not in known]):
                self._carry(some)
            self._advance(len(page))

    def _carry(self, rows: list[DrawRow]) -> None:
        files = {}
        for name in {row.image for row in rows}:
            data = self._given.images.bytes(name)
            pixels = None if data is None else read_png(data)
            if data is not None and pixels is not None and content_hash(pixels) == name:
                files[name] = data
        kept = [row for row in rows if row.image in files]
        there = self._taken.images.holds(files)
        places = self._taken.shards.append({name: data for name, data in files.items() if name not in there})
        self._taken.add(kept, {}, images=places)
        self._draws += len(kept)
        self._lost += len(rows) - len(kept)

    def answers(self) -> None:
        wanted = None if self._wanted is None else self._wanted.answers
        for page in self._given.pages("answers"):
            rows = [row for row in page if wanted is None or row[0] in wanted]
            whole = {row[0]: value for row in rows if (value := read_answer(row)) is not None}
            known = self._taken.answers(whole)
            new = {key: value for key, value in whole.items() if key not in known}
            if new:
                self._taken.add([], new)
            self._lost += len(rows) - len(whole)
            self._there += len(known)
            self._answers += len(new)
            self._advance(len(page))


def _in_units(rows: list[T]) -> Iterator[list[T]]:
    return (rows[start : start + _UNIT] for start in range(0, len(rows), _UNIT))
