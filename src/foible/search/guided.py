"""Guided exploration: explored draws that passed are led to fail, each from its own noise.

Comes in: what was explored. Goes out: what became of the guided draws. They are no draws of the base prompt: what fails
among them is captioned and followed, and neither counted nor tested. Neighbours: `explore.py` draws without a guide;
`foible.guiding` is the guide; `follow.py` follows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.config import GuideOptions
from foible.draws.request import BASE, Requests
from foible.records import Answered


class Guide:
    """Asks for guided draws of one label after another."""

    stage = "guide"
    arm: Arm = "guide"

    def __init__(
        self,
        requests: Requests,
        explored: Sequence[Answered],
        options: GuideOptions,
        left_out: Collection[str] = (),
    ) -> None:
        """Want as many guided draws of each label as the options say.

        Args:
            requests: of the run.
            explored: draws of the base prompt; those that passed the first classifier are led on.
            options: how many, and what each may cost.
            left_out: labels that get none.
        """
        self._requests = requests
        self._steps = options.steps
        self._starts: dict[str, list[int]] = {label: [] for label in requests.labels if label not in left_out}
        for one in explored:
            if one.outcomes[0].status == "passed" and one.request.label in self._starts:
                self._starts[one.request.label].append(one.request.seed)
        # A label that never passes has no draw to lead on, and needs none.
        self._wanted = {label: seeds[: options.draws] for label, seeds in self._starts.items() if seeds}
        self._each: dict[str, list[Answered]] = {label: [] for label in self._wanted}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for what the first unfinished label lacks; all labels get the same, as far as they passed."""
        made = sum(map(len, self._each.values()))
        each = max(map(len, self._wanted.values()), default=0)
        if allowance.draws is not None and self._wanted:
            each = min(each, (made + allowance.draws // self._steps) // len(self._wanted))
        for label, seeds in self._wanted.items():
            seen = len(self._each[label])
            if seen < min(each, len(seeds)):
                return Ask(requests=self._requests.on(label, BASE, self.arm, seeds[seen:each]))
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        for one in answered:
            self._each[one.request.label].append(one)

    def progress(self) -> tuple[int, int]:
        """Count draws."""
        return sum(map(len, self._each.values())), sum(map(len, self._wanted.values()))

    @property
    def answered(self) -> list[Answered]:
        """Every guided draw, label by label."""
        return [one for seen in self._each.values() for one in seen]
