"""What every stage that needs draws is: it asks for requests, and is told what became of them.

Comes in: nothing. Goes out: the contract between the loop and its stages. Neighbours: `hunting/loop.py` carries askers
to their end; `search/`, `trial/` and `explanation/` have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from foible.arms import Arm
from foible.budget import Allowance
from foible.records import Answered, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What an asker wants drawn at once."""

    requests: Sequence[Request]
    about: Mapping[str, str] = field(default_factory=dict)
    """By label: what its requests are for, where the asker must know it again."""


class Asker(Protocol):
    """A stage that needs draws. Its state is a fold of what it was told; it draws, pays and notes nothing itself."""

    @property
    def stage(self) -> str:
        """What the journal and the progress bar call it."""
        ...

    @property
    def arm(self) -> Arm:
        """Whose share of the budget it asks from."""
        ...

    def ask(self, allowance: Allowance) -> Ask | None:
        """Say what to draw next, within the allowance; None where nothing is left to ask. Changes no state."""
        ...

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:
        """Take in what became of one ask, in the order of its requests."""
        ...

    def progress(self) -> tuple[int, int]:
        """Return how much is done, of how much in all, in whatever the stage counts."""
        ...
