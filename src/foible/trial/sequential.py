"""`confirm: sequential`: a few pairs at a time, where the evidence is still open and most worth buying.

Comes in: hypotheses, the most telling first, and what exploration saw. Goes out: all of them, tested on as many pairs
as each was worth. Neighbours: `ledger.py` keeps the counts, `statistics/allocation.py` chooses,
`statistics/evidence.py` weighs; `fixed.py` spends the same number on every hypothesis.

Each round has seeds of its own. Control draws are shared by the hypotheses of a label that are drawn in the same round,
and by no later one: a choice that could see the control images of pairs to come would make the evidence of what it
chooses too large, however it is weighed.

What a round draws is noted before it is drawn, and a hunt that goes on is told of the noted rounds first. So an
interrupted hunt ends as one that was never stopped; and where a larger budget explores more and believes something
else, the old rounds stay what they were, and the evidence goes on from there. To choose anew would be to choose among
several tests of the same hypothesis after the first was seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.config import ConfirmOptions
from foible.draws.request import BASE, Requests
from foible.records import Answered, Hypothesis
from foible.statistics import Aim, choose, expected_left
from foible.trial.ledger import Ledger
from foible.trial.pairs import Tested, by_seed


class Sequential:
    """Asks for round after round, until no hypothesis is worth another pair or the budget is spent.

    Every hypothesis counts in the multiplicity from the start, whether or not it gets a draw. Where nothing was
    explored a person asks, and wants an answer: nothing is given up for its price then.
    """

    stage = "test"
    arm: Arm = "treat"

    def __init__(
        self,
        hypotheses: Sequence[Hypothesis],
        explored: Sequence[Answered],
        requests: Requests,
        options: ConfirmOptions,
    ) -> None:
        """Begin without a pair; what was explored may steer where draws are spent, and is no evidence."""
        price = options.price if explored else math.inf
        self._aim = Aim(options.margin, options.level, price, options.least)
        self._options = options
        self._requests = requests
        self._ledger = Ledger(hypotheses, explored, options)
        self._rounds = 0
        self._streams = {label: requests.seeds(label, "treat") for label in requests.labels}
        self._ahead: dict[str, list[int]] = {label: [] for label in requests.labels}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for the pairs that are most worth their price, one batch of each hypothesis that is chosen."""
        chosen = choose(self._ledger.outlook(self._aim), self._aim, self._options.width, self._rounds)
        places = self._ledger.once([int(place) for place in chosen])
        longest: dict[str, list[int]] = {}
        treats = []
        for place in places:
            label, treatment = self._ledger.hypotheses[place].about
            seeds = self._fresh(label, self._ledger.batch(place))
            treat = self._requests.on(label, treatment, "treat", seeds)
            # The first of a label pays for its control draws, too; the others share them.
            if allowance.takes([*treat, *self._requests.on(label, BASE, "control", seeds)]):
                treats += treat
                longest[label] = max(longest.get(label, []), seeds, key=len)
        controls = [
            request for label, seeds in longest.items() for request in self._requests.on(label, BASE, "control", seeds)
        ]
        return Ask(requests=[*controls, *treats]) if treats else None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Count a round; its seeds are not used again."""
        self._rounds += 1
        for label in {one.request.label for one in answered}:
            used = {one.request.seed for one in answered if one.request.label == label}
            self._fresh(label, len(used))
            self._ahead[label] = [seed for seed in self._ahead[label] if seed not in used]
        self._ledger.add_controls([one for one in answered if not one.request.treatment])
        for (label, words), pairs in by_seed(answered).items():
            self._ledger.add_pairs(label, words, pairs)

    def progress(self) -> tuple[int, int]:
        """Count pairs, of all that are expected by now: each hypothesis costs its own, so that time can be told."""
        seen = self._ledger.outlook(self._aim)
        drawn = self._ledger.drawn
        return drawn, drawn + math.ceil(expected_left(seen, self._aim, self._options.most))

    def tested(self) -> list[Tested]:
        """Return every hypothesis with its trial, in the order given."""
        return self._ledger.tested()

    def _fresh(self, label: str, pairs: int) -> list[int]:
        """Return the next seeds of a label that no round had."""
        ahead = self._ahead[label]
        ahead += islice(self._streams[label], max(pairs - len(ahead), 0))
        return ahead[:pairs]
