"""What stands in the place of the parts and of the journal where a run is read, and nothing is drawn or written.

Comes in: a journal and an archive, neither trusted. Goes out: what the run comes to, and what the archive lacks. No
part is loaded: the path of the hunt is walked again, with a reader in the place of the parts. Neighbours: `verify.py`
holds `findings.json` against it; `act/` goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from foible.draws.execute import Carried, Unit
from foible.errors import FoibleError, StoreError
from foible.findings import HuntResult
from foible.hunting.clock import Clock
from foible.hunting.loop import loop_over
from foible.hunting.path import walk
from foible.hunting.study import Study, study_of
from foible.progress import Silent
from foible.records import Answered, Fault, Hypothesis
from foible.run.archive import Archive
from foible.run.events import Asked, Event, Learned, Tried
from foible.run.journal import Journal
from foible.run.photographs import read_photographs

UNFINISHED = "the run is not finished: the same command goes on with it"


class Unfinished(FoibleError):  # noqa: N818 - says what the run is
    """The run has not come to its end: there is more to ask than its journal holds."""


class Missing:
    """In the place of the parts: nothing is drawn, nobody is asked, and what lacks is a difference."""

    def __init__(self) -> None:
        """Begin without a difference."""
        self.differences: dict[str, None] = {}

    def carry_out(self, unit: Unit) -> Carried:
        """Give a fault for whatever is wanted."""
        asked = {key: f"draw {key}: the archive has no row of it, or its image has gone" for key in unit.draw}
        found = {
            (question.part, key): f"draw {key}: the archive has no answer of the {question.part} for it"
            for question in unit.questions
            for key in question.keys
            if key not in unit.draw
        }
        self.differences |= dict.fromkeys([*asked.values(), *found.values()])
        gone = Fault("the archive does not have it")
        return Carried(draws=dict.fromkeys(asked, gone), answers=dict.fromkeys(found, gone))


class Reader:
    """A journal that is read and never written: what a walk would add to it is left out, or is a difference."""

    def __init__(self, journal: Journal) -> None:
        """Read a journal."""
        self._journal = journal

    @property
    def faults(self) -> Mapping[str, Fault]:
        """As the journal has them."""
        return self._journal.faults

    @property
    def learned(self) -> Learned | None:
        """As the journal has it."""
        return self._journal.learned

    @property
    def tried(self) -> tuple[Hypothesis, ...]:
        """As the journal has it."""
        return self._journal.tried

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:
        """As the journal has it."""
        return self._journal.asked(stage, classifier)

    def note(self, event: Event) -> None:
        """Note nothing.

        Raises:
            Unfinished: the walk asks for more than was drawn.
        """
        if isinstance(event, Asked | Tried):
            raise Unfinished(UNFINISHED)


@dataclass(frozen=True, kw_only=True)
class Reread:
    """A finished run, worked out again from its journal and the archive."""

    study: Study
    result: HuntResult
    answered: Mapping[str, Answered]
    """Every draw of it, by key."""
    faults: Mapping[str, Fault]
    """What was lost, by key of the draw or the answer."""


def reread(journal: Journal, archive: Archive, missing: Missing) -> Reread:
    """Walk a finished run again, without a part.

    Args:
        journal: of the run.
        archive: where its images and answers lie.
        missing: told of what the archive should have, and has not.

    Raises:
        StoreError: the journal notes no run.
        Unfinished: the run has not come to its end.
        FoibleError: journal or archive hold what cannot be.
    """
    if journal.began is None:
        message = f"{journal.folder} notes no run; name the directory of a hunt"
        raise StoreError(message)
    if not journal.ended:
        raise Unfinished(UNFINISHED)
    study = study_of(journal.began, journal.settings, read_photographs(journal.folder))
    loop = loop_over(
        study,
        executor=missing,
        archive=archive,
        record=Reader(journal),
        clock=Clock(None),
        progress=Silent(),
        reading=True,
    )
    return Reread(study=study, result=walk(study, loop), answered=loop.answered, faults=dict(journal.faults))
