"""What stands in the place of the parts and of the journal where a run is read, and nothing is drawn or written.

Comes in: a journal, and units that a walk wants carried out. Goes out: what the journal has, and what the archive
lacks. Neighbour: `replay.py` walks the path of a hunt over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foible.draws.execute import Carried, Unit
from foible.errors import FoibleError
from foible.records import Fault, Hypothesis
from foible.run.events import Asked, Attempted, Event, Learned, Tried
from foible.run.journal import Journal

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
        """
        if isinstance(event, Asked | Tried):
            raise Unfinished(UNFINISHED)
