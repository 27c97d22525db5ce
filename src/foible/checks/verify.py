"""`foible verify`: are the files of a run what its journal and the archive say, and are the images those judged?

Comes in: a run directory and its archive, neither trusted. Goes out: every difference, one line each. No part is loaded
and nothing is written: the path of the hunt is walked again, with a reader in the place of the parts, and what comes
out is held against the three files. Neighbours: `hunting/replay.py` walks it; `hunting/api.py` walks it with parts
that answer.

What it cannot tell: whether a part would answer the same today. Whoever can write run and archive can make ones that
agree with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foible import report
from foible._version import __version__
from foible.checks.differences import MOST, compare, compare_text
from foible.errors import FoibleError, OtherVersionError, StoreError, brief
from foible.findings import HuntResult
from foible.hunting.attributed import kept as kept_attributions
from foible.hunting.reading import Missing, Unfinished
from foible.hunting.replay import reread
from foible.records import Answered
from foible.run.archive import Archive
from foible.run.events import Began
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
            lost = list(_images(again.answered.values(), kept))
            differences = [*missing.differences, *lost]
            otherwise = _written(folder, again.result, kept, page=not lost)
            differences += [*_made_by_another(journal.began), *otherwise] if otherwise else []
        except (FoibleError, RecursionError) as problem:
            return Verified(differences=(*missing.differences, _stopped(problem, lacks=bool(missing.differences))))
        return Verified(differences=tuple(differences), draws=len(again.answered), findings=len(again.result.findings))


def _written(folder: Path, again: HuntResult, archive: Archive, *, page: bool) -> list[str]:
    """Compare the files; whether the page shows the attributions that the archive keeps is open.

    Where images have gone, which is told already, the page would lack them too.
    """
    attributed = kept_attributions(again, archive) if page else None
    with_ = [None, attributed] if attributed is not None and attributed.maps else [None]
    pages = [report.to_html(again, archive.images.bytes, one) for one in with_] if page else []
    return [
        *compare(folder / "findings.json", report.to_json(again)),
        *compare_text(folder / "findings.md", [report.to_markdown(again)]),
        *(compare_text(folder / "report.html", pages) if pages else []),
    ]


def _stopped(problem: Exception, *, lacks: bool) -> str:
    """Say why the run was not walked to its end."""
    if isinstance(problem, OtherVersionError) and lacks:
        return (
            "what lacks decides what is drawn next, so that nothing more can be said; the same command makes it again"
        )
    if isinstance(problem, Unfinished | OtherVersionError):
        return brief(problem, 500)
    return f"the run cannot be worked out again: {brief(problem, 300)}"


def _made_by_another(began: Began) -> Iterator[str]:
    """Say that what differs may do so because another version worked it out."""
    if began.foible_version != __version__:
        yield (
            f"the run was begun by foible {brief(began.foible_version, 40)}, and this is {__version__}: what follows "
            "may differ for that alone, so verify it with the one that made it"
        )


def _images(answered: Iterable[Answered], archive: Archive) -> Iterator[str]:
    """Hash every image again."""
    lost = [one.draw for one in answered if one.draw.image and archive.images.get(one.draw.image) is None]
    for draw in lost[:MOST]:
        yield f"draw {draw.request.key}: its image {draw.image[:16]}… has gone from the archive, or is another one"
    if len(lost) > MOST:
        yield f"and {len(lost) - MOST} more images"
