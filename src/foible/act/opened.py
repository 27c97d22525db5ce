"""A finished run over drawn images is opened: what it found, one of its classifiers, and what drew and judged.

Comes in: a run directory, where its archive lies, and the name of a classifier. Goes out: what was read, and its parts,
loaded again. Neighbours: `compare.py` and `between.py` compare; `certify.py` and `sets/adversarial.py` draw further;
`shown.py` gives its images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.act.shown import place_of
from foible.act.sought import subject_of
from foible.draws.questions import GENERATOR, JUDGE, classifier
from foible.errors import ConfigError, brief, near
from foible.findings import Subject
from foible.hunting.replay import Reread, reread_whole
from foible.hunting.study import Study
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part
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
    size: tuple[int, int] | None = None
    """(height, width) of its images."""

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
        size = journal.learned.size if journal.learned is not None else None
        read = reread_whole(journal, kept)
    return Opened(read=read, place=place_of(read, name), archive=where, size=size)


def own_parts(  # noqa: PLR0913 - a run, and what of it is loaded
    study: Study, place: int, given: Mapping[str, object], ceiling: Ceiling, kinds: Sequence[str] = (), *, code: bool
) -> dict[str, Part]:
    """Load what drew and judged in a run again, and one of its classifiers.

    Args:
        study: the run.
        place: of the classifier.
        given: by kind: objects in the place of what the run noted.
        ceiling: from which parts that ask servers take their requests.
        kinds: of further parts of the run.
        code: whether what the run noted may run code of its own, ask a server or read a folder of images.

    Returns:
        By what a run over one classifier calls them.

    Raises:
        ConfigError: a kind that is none.
        PluginError: one does not load, or is another one by now.
    """
    names = {classifier(0): classifier(place), **{kind: kind for kind in (GENERATOR, JUDGE, *kinds)}}
    known = [name.partition(" ")[0] for name in names]
    if strange := sorted(given.keys() - set(known)):
        message = f"no part {brief(strange[0])!r} is taken here: {near(strange[0], known)}"
        raise ConfigError(message)
    return {
        name: load_again(
            kind := name.partition(" ")[0], study.identities[noted], given.get(kind), ceiling=ceiling, code=code
        )
        for name, noted in names.items()
    }
