"""What a guided search begins with: draws of base prompts, until enough of each label pass.

Comes in: labels, how many passes each needs, and how many draws it may take. Goes out: what became of the draws.
Neighbours: `explore.py` draws the same number of every label; `guided.py` leads on from those that passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.draws.request import BASE, Requests
from foible.records import Answered


class Starts:
    """Asks for base prompts of all labels that lack passes."""

    stage = "explore"
    arm: Arm = "explore"

    def __init__(self, requests: Requests, passes: int, most: int) -> None:
        """Want so many passes of each label, in at most so many draws.

        Args:
            requests: of the search.
            passes: by the first classifier, that each label needs.
            most: draws of a label, after which it is given up.
        """
        self._requests = requests
        self._passes = passes
        self._most = most
        self._each: dict[str, list[Answered]] = {label: [] for label in requests.labels}

    def ask(self, allowance: Allowance) -> Ask | None:  # noqa: ARG002 - a guided search has no budget
        """Ask for as many draws of each label as it lacks passes."""
        wanted = []
        for label, seen in self._each.items():
            lacking = min(self._lacking(label), self._most - len(seen))
            seeds = islice(self._requests.seeds(label, self.arm), len(seen), len(seen) + max(lacking, 0))
            wanted += self._requests.on(label, BASE, self.arm, list(seeds))
        return Ask(requests=wanted) if wanted else None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        for one in answered:
            self._each[one.request.label].append(one)

    def progress(self) -> tuple[int, int]:
        """Count passes."""
        wanted = self._passes * len(self._each)
        return wanted - sum(max(self._lacking(label), 0) for label in self._each), wanted

    @property
    def answered(self) -> list[Answered]:
        """Everything that was drawn, label by label."""
        return [one for seen in self._each.values() for one in seen]

    def _lacking(self, label: str) -> int:
        return self._passes - sum(one.outcomes[0].status == "passed" for one in self._each[label])
