"""A finished run is opened again: without a draw, a question or a part.

Comes in: a run directory and its archive, neither trusted. Goes out: a `Run`, worked out again from journal and
archive, by other settings if wanted, and its files written again. Neighbours: `replay.py` walks the run; `api.py` makes
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from foible import report
from foible.errors import StoreError
from foible.hunting.finished import Run
from foible.hunting.replay import reread_whole
from foible.run.archive import Archive
from foible.run.journal import Journal

if TYPE_CHECKING:
    from foible.attributions import Attributions


def open_run(
    folder: Path | str,
    *,
    archive: Path | str | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
) -> Run:
    """Open a finished run again; nothing is drawn, no model is loaded, and nothing is written.

    Args:
        folder: the run directory.
        archive: where its images and answers lie; None for `archive` beside it.
        settings: to decide by in place of those of the run, by dotted name: `confirm.margin`, `confirm.level`,
            `report.examples`. `run.result.afterwards` then has what they were; what verdicts are worth that were had in
            this way says the summary.

    Raises:
        InputError: there is no finished run, its journal or archive is damaged, or a setting cannot be changed.
    """
    folder = Path(folder)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        found = reread_whole(journal, kept, settings)
        return Run(folder=folder, archive=where, result=found.result, seconds=0.0, spent={**journal.spent})


def write_again(run: Run, out: Path | None = None, attributed: Attributions | None = None) -> Path:
    """Write the files of a run again, and return the page.

    Args:
        run: opened.
        out: where to; None for the run directory, which takes only what its own settings give.
        attributed: what the answers to its examples react to; None for a page without.

    Raises:
        StoreError: a file cannot be written.
    """
    if run.result.afterwards and out is None:
        message = "the run directory keeps what its own settings gave; name another directory with --out"
        raise StoreError(message)
    folder = run.folder if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        message = f"{folder} cannot be made ({problem.strerror}); name another directory with --out"
        raise StoreError(message) from None
    with Archive(run.archive, write=False) as kept:
        report.write(run.result, kept.images.bytes, folder, attributed)
    return folder / report.FILES[-1]


open = open_run  # noqa: A001 - `foible.open`
