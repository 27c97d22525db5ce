"""`confirm: fixed`: the same number of pairs for every hypothesis; the control draws are shared by those of a label.

Comes in: hypotheses, the most telling first. Goes out: those that the budget can pay for, tested. Neighbour:
`sequential.py` draws where evidence is still open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.draws.request import BASE, Requests
from foible.records import Answered, Hypothesis, Request
from foible.trial.pairs import Pair, Tested, count


class Fixed:
    """Asks for all pairs of one hypothesis after the other."""

    stage = "test"
    arm: Arm = "treat"

    def __init__(self, hypotheses: Sequence[Hypothesis], requests: Requests, pairs: int) -> None:
        """Want so many pairs of each hypothesis, the most telling first."""
        self._hypotheses = hypotheses
        self._requests = requests
        self._pairs = pairs
        self._seen: dict[str, Answered] = {}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for the first hypothesis that lacks pairs and can be paid for."""
        for hypothesis in self._hypotheses:
            treat, control = self._drawn(hypothesis)
            if hypothesis.borrowed or all(r.key in self._seen for r in (*treat, *control)):
                continue
            wanted = [r for r in (*control, *treat) if r.key not in self._seen]
            if allowance.takes(wanted):
                return Ask(requests=wanted)
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        self._seen |= {one.request.key: one for one in answered}

    def progress(self) -> tuple[int, int]:
        """Count hypotheses."""
        return len(self.tested()), len(self._hypotheses)

    def tested(self) -> list[Tested]:
        """Return the hypotheses that got their pairs, in the order given."""
        found = []
        for hypothesis in self._hypotheses:
            treat, control = self._drawn(hypothesis)
            if all(r.key in self._seen for r in (*treat, *control)):
                pairs: list[Pair] = [
                    (self._seen[t.key], self._seen[c.key]) for t, c in zip(treat, control, strict=True)
                ]
                found.append(count(hypothesis, pairs))
        return found

    def _drawn(self, hypothesis: Hypothesis) -> tuple[list[Request], list[Request]]:
        label, treatment = hypothesis.about
        seeds = list(islice(self._requests.seeds(label, "treat"), self._pairs))
        return self._requests.on(label, treatment, "treat", seeds), self._requests.on(label, BASE, "control", seeds)
