"""What stands in the place of the parts and of the journal where a run is read, or one that had ended is called again.

Comes in: a journal, and units that a walk wants carried out. Goes out: what the journal has, and what the archive
lacks. Neighbour: `replay.py` walks the path of a hunt over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from foible._version import __version__
from foible.draws.execute import Carried, Unit
from foible.errors import FoibleError, OtherVersionError, brief
from foible.hunting.clock import Clock
from foible.records import Fault, Hypothesis
from foible.run.events import Asked, Attempted, Event, Learned, Tried
from foible.run.journal import Journal

UNFINISHED = "the run is not finished: the same command goes on with it"


class Unfinished(FoibleError):  # noqa: N818 - says what the run is
    """The run has not come to its end: there is more to ask than its journal holds."""


def ended_otherwise(folder: Path, wrote: str) -> OtherVersionError:
    """Say that a run has come to its end, and that this foible does not think so.

    Args:
        folder: the run directory.
        wrote: the version of foible that began it.
    """
    who = f"foible {brief(wrote, 40)}, and this is {__version__}" if wrote != __version__ else "another state of foible"
    message = f"the run in {folder} has come to its end, but this foible would ask for more: it was made by {who}"
    return OtherVersionError(f"{message}; use the one that made it, or hunt with another --out and the same archive")


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


class Waiting:
    """In the place of the parts where a run is read that has not ended: what lacks is not there yet."""

    def carry_out(self, unit: Unit) -> Carried:  # noqa: ARG002 - an executor's signature
        """End the walk."""
        return Carried(stopped=Unfinished(UNFINISHED))


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

    @property
    def checked(self) -> bool:
        """As the journal has it."""
        return self._journal.checked

    @property
    def attempted(self) -> Mapping[int, Attempted]:
        """As the journal has it."""
        return self._journal.attempted

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:
        """As the journal has it."""
        return self._journal.asked(stage, classifier)

    def note(self, event: Event) -> None:
        """Note nothing.

        Raises:
            Unfinished: the walk asks for more than was drawn.
            OtherVersionError: it does so though the run has come to its end.
        """
        if isinstance(event, Asked | Tried):
            began = self._journal.began
            if not self._journal.ended or began is None:
                raise Unfinished(UNFINISHED)
            raise ended_otherwise(self._journal.folder, began.foible_version)


class Reopened(Reader):
    """A journal whose run had come to its end before this call: it is written further where something new was made.

    Settings that grew, draws that were lost and rows that the archive lacks are reasons to ask for more. Without any of
    them the same walk over the same answers asks for nothing, unless another foible made the run.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Write into a journal, with the clock of this call."""
        super().__init__(journal)
        self._clock = clock

    def note(self, event: Event) -> None:
        """Append an event.

        Raises:
            OtherVersionError: it asks for more, and nothing was made in this call that could be the reason.
        """
        began = self._journal.began
        if isinstance(event, Asked | Tried) and not self._clock.spent and began is not None:
            raise ended_otherwise(self._journal.folder, began.foible_version)
        self._journal.note(event)
