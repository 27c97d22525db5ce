"""What runs need of an archive: whatever is looked up when they are read again, as `foible verify` reads them.

Comes in: run directories. Goes out: keys of rows. Neighbours: `copies.py` and `free.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foible.hunting.clock import Clock
from foible.hunting.reading import Missing
from foible.hunting.replay import read_study, reread, reread_so_far
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.run.tables import Table


@dataclass(frozen=True, slots=True)
class Needs:
    """Keys of what is needed."""

    draws: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)


def needs(runs: Iterable[Path], archive: Archive) -> Needs:
    """Say what runs need of an archive, finished or not.

    Raises:
        InputError: a run or the archive cannot be read.
    """
    found = Needs()
    before = archive.heard

    def hear(table: Table, keys: Sequence[str]) -> None:
        if table == "draws":
            found.draws.update(keys)
        elif table == "answers":
            found.answers.update(keys)

    archive.heard = hear
    try:
        for run in runs:
            with Journal(run, write=False) as journal:
                if journal.ended:
                    reread(journal, archive, Missing())
                else:
                    reread_so_far(read_study(journal), journal, archive, Clock(None))
    finally:
        archive.heard = before
    return found
