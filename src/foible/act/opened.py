"""A finished run is opened for a comparison: what it found, and one of its classifiers.

Comes in: a run directory, where its archive lies, and the name of a classifier. Goes out: what was read. Neighbours:
`compare.py` and `between.py` compare; `shown.py` gives its images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.act.shown import place_of
from foible.act.sought import subject_of
from foible.findings import Subject
from foible.hunting.replay import Reread, reread_whole
from foible.records import ClassMap
from foible.run.archive import Archive
from foible.run.journal import Journal


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A finished run over drawn images, and the classifier of it that is compared."""

    read: Reread
    place: int
    """Of the classifier."""
    archive: Path

    @property
    def classes(self) -> ClassMap:
        """What the labels mean for the classifier."""
        return self.read.study.maps[self.place]

    @property
    def identity(self) -> Mapping[str, Any]:
        """Of the classifier."""
        return self.read.study.began.classifiers[self.place]

    @property
    def subject(self) -> Subject:
        """The classifier, as a comparison speaks of it."""
        return subject_of(self.classes, self.identity)


def opened(run: Path | str, archive: Path | str | None, name: str) -> Opened:
    """Open a run.

    Args:
        run: its directory.
        archive: where its images and answers lie; None for `archive` beside it.
        name: of a classifier; empty for the first.

    Raises:
        InputError: there is no such run or classifier, or the run is over photographs.
    """
    folder = Path(run)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
    return Opened(read=read, place=place_of(read, name), archive=where)
