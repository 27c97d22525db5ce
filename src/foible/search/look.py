"""Photographs are looked at: those of each label, one half of the set or the other.

Comes in: which photographs. Goes out: what became of them. Neighbours: `explore.py` asks a generator for base prompts;
`hunting/whole.py` says what the halves are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.draws.photograph import PhotographRequests
from foible.records import Answered


class Look:
    """Asks for the photographs of one label after the other; where the budget is short, for equally many of each."""

    def __init__(
        self, stage: str, arm: Arm, requests: PhotographRequests, numbers: Mapping[str, Sequence[int]]
    ) -> None:
        """Want the photographs of these numbers, by label."""
        self.stage = stage
        self.arm = arm
        self._requests = requests
        self._numbers = numbers
        self._each: dict[str, list[Answered]] = {label: [] for label in numbers}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for what the first unfinished label lacks."""
        made = sum(map(len, self._each.values()))
        each = len(max(self._numbers.values(), key=len, default=()))
        if allowance.draws is not None:
            each = _level([len(numbers) for numbers in self._numbers.values()], made + allowance.draws)
        for label, seen in self._each.items():
            wanted = self._numbers[label][len(seen) : each]
            if wanted:
                return Ask(requests=self._requests.on(label, self.arm, wanted))
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of them."""
        for one in answered:
            self._each[one.request.label].append(one)

    def progress(self) -> tuple[int, int]:
        """Count photographs."""
        return sum(map(len, self._each.values())), sum(map(len, self._numbers.values()))

    @property
    def answered(self) -> list[Answered]:
        """Everything that was looked at, label by label."""
        return [one for seen in self._each.values() for one in seen]


def _level(sizes: Sequence[int], most: int) -> int:
    """Return how many each label may have so that all together have at most so many: small labels leave the rest."""
    left = most
    for place, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)
