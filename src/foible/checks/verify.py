"""`foible verify`: are the findings of a run what its journal and the archive say, and are the images those judged?

Comes in: a run directory and its archive, neither trusted. Goes out: every difference, one line each. No part is loaded
and nothing is written: the path of the hunt is walked again, with a reader in the place of the parts, and what comes
out is held against `findings.json`. Neighbours: `hunting/replay.py` walks it; `hunting/api.py` walks it with parts that
answer.

What it cannot tell: whether a part would answer the same today. Whoever can write run and archive can make ones that
agree with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foible import report
from foible.checks.differences import MOST, compare
from foible.errors import FoibleError, StoreError, brief
from foible.hunting.reading import Missing, Unfinished
from foible.hunting.replay import reread
from foible.records import Answered
from foible.run.archive import Archive
from foible.run.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of it."""

    differences: tuple[str, ...]
    """One line each; empty where everything agrees."""
    draws: int = 0
    """Draws that the run made."""
    findings: int = 0
    """Findings that were worked out again."""


def verify(folder: Path, archive: Path | None = None) -> Verified:
    """Work out every number of every finding again, and hash every image again.

    Args:
        folder: the run directory.
        archive: where its images and answers lie; None for `archive` beside it.

    Raises:
        StoreError: there is no run in the folder, or its journal or archive cannot be opened.
    """
    where = folder.parent / "archive" if archive is None else archive
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        if journal.began is None:
            message = f"{folder} notes no run; name the directory of a hunt"
            raise StoreError(message)
        missing = Missing()
        try:
            again = reread(journal, kept, missing)
            differences = [*missing.differences, *_images(again.answered.values(), kept)]
            differences += compare(folder / "findings.json", report.to_json(again.result))
        except (FoibleError, RecursionError) as problem:
            told = brief(problem, 300)
            said = told if isinstance(problem, Unfinished) else f"the run cannot be worked out again: {told}"
            return Verified(differences=(*missing.differences, said))
        return Verified(differences=tuple(differences), draws=len(again.answered), findings=len(again.result.findings))


def _images(answered: Iterable[Answered], archive: Archive) -> Iterator[str]:
    """Hash every image again."""
    lost = [one.draw for one in answered if one.draw.image and archive.images.get(one.draw.image) is None]
    for draw in lost[:MOST]:
        yield f"draw {draw.request.key}: its image {draw.image[:16]}… has gone from the archive, or is another one"
    if len(lost) > MOST:
        yield f"and {len(lost) - MOST} more images"
