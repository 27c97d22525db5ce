"""Exploration: the base prompt of every label, drawn as often as the budget lets it.

Comes in: labels, and how many draws each should get. Goes out: what became of them. What is seen here suggests
hypotheses and tests none. Neighbours: `pilot.py` makes the first of these draws;
`hunting/suspect.py` describes the failures; `hunting/loop.py` draws.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.draws.request import BASE, Requests
from foible.records import Answered


class Explore:
    """Asks for the base prompt of one label after another."""

    stage = "explore"
    arm: Arm = "explore"

    def __init__(
        self, requests: Requests, draws: int, before: Sequence[Answered] = (), left_out: Collection[str] = ()
    ) -> None:
        """Want so many draws of each label.

        Args:
            requests: of the run.
            draws: that each label gets.
            before: its first draws, which the pilot made.
            left_out: labels that get no more than those.
        """
        self._requests = requests
        self._draws = draws
        self._each: dict[str, list[Answered]] = {label: [] for label in requests.labels}
        self._wanted = [label for label in requests.labels if label not in left_out]
        self.tell(before, {})

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for what the first unfinished label lacks; all labels get the same.

        Label by label, though units would be fuller otherwise: a unit that mixed labels would be drawn again whole by a
        hunt that shares only some of them.
        """
        made = sum(len(self._each[label]) for label in self._wanted)
        each = self._draws
        if allowance.draws is not None and self._wanted:
            each = min(each, (made + allowance.draws) // len(self._wanted))
        for label in self._wanted:
            seen = self._each[label]
            if len(seen) < each:
                seeds = list(islice(self._requests.seeds(label, self.arm), each))[len(seen) :]
                return Ask(requests=self._requests.on(label, BASE, self.arm, seeds))
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        for one in answered:
            self._each[one.request.label].append(one)

    def progress(self) -> tuple[int, int]:
        """Count draws."""
        return sum(len(self._each[label]) for label in self._wanted), self._draws * len(self._wanted)

    @property
    def answered(self) -> list[Answered]:
        """Everything that was explored, label by label."""
        return [one for seen in self._each.values() for one in seen]
