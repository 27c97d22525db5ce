"""The running counts of a sequential confirmation: one column for every hypothesis ever tried.

Comes in: hypotheses, what exploration saw, and pairs as they are drawn. Goes out: what each hypothesis looks like now,
and in the end its trial. Neighbour: `sequential.py` decides the rounds. Only what a round drew is counted anew, so that
a round costs the same however many went before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np

from foible.records import Hypothesis, Observation
from foible.stages.context import Context
from foible.stages.pairs import CELLS, Tested, pair
from foible.stages.prompts import fresh_seeds
from foible.statistics import Aim, Outlook, Tally, log_futility, outlook

PSEUDO_FAILURES, PSEUDO_DRAWS = 0.5, 10
"""What is believed of a base rate before anything is seen. It steers draws and is no evidence."""
LEAST_CHANCE, MOST_CHANCE = 0.05, 0.9
"""Bounds of what exploration's score may say about a hypothesis before its first pair."""
REFUTED = math.log(2 / 0.05)
"""Log-evidence at which the 95 % interval of the difference ends at or below the margin: nothing is left to ask."""
CLEARLY = 3.0
"""Standard deviations by which unscored draws must exceed the share allowed before a hypothesis is left alone."""


class Ledger:
    """Pairs and counts of every hypothesis, in the order given."""

    def __init__(self, hypotheses: Sequence[Hypothesis], explored: Sequence[Observation], context: Context) -> None:
        """Begin without a pair; exploration's outcomes are the first thing known of the base rates."""
        names = list(dict.fromkeys(h.label for h in hypotheses))
        self.hypotheses = hypotheses
        self.spent = 0
        self._options = context.config.confirm
        self._seeds = {name: fresh_seeds(context.labels[name], context) for name in names}
        self._label = np.array([names.index(h.label) for h in hypotheses], dtype=np.intp)
        self._place = {name: place for place, name in enumerate(names)}
        self._failed = np.full(len(names), PSEUDO_FAILURES)
        self._scored = np.full(len(names), float(PSEUDO_DRAWS))
        self._chance = np.array([_chance(h.score) for h in hypotheses], dtype=np.float64)
        self._cells = np.zeros((len(CELLS), len(hypotheses)), dtype=np.int64)
        self._drawn = np.zeros(len(hypotheses), dtype=np.int64)
        self._unscored = np.zeros((2, len(hypotheses)), dtype=np.int64)
        self._pairs: list[list[tuple[Observation, Observation]]] = [[] for _ in hypotheses]
        self._count_base(explored)

    def outlook(self, aim: Aim) -> Outlook:
        """Weigh every hypothesis.

        Closed is what has had all its pairs, what is refuted, and what has clearly too many unscored draws.
        """
        both, plus, minus, neither = self._cells
        allowed = self._options.unscored * self._drawn
        spread = CLEARLY * np.sqrt((1.0 - self._options.unscored) * allowed)
        refuted = log_futility(minus, both + neither, plus, aim.margin) >= REFUTED
        full = self._drawn >= self._options.most
        tally = Tally(
            minus,
            plus,
            both,
            neither,
            base=(self._failed / self._scored)[self._label],
            chance=self._chance,
            void=np.any(self._unscored > allowed, axis=0),
            closed=full | refuted | np.any(self._unscored > allowed + spread, axis=0),
        )
        return outlook(tally, aim)

    def batch(self, place: int) -> int:
        """Return how many pairs a hypothesis gets in a round: fewer when it has nearly all that it may have."""
        return max(min(self._options.step, self._options.most - int(self._drawn[place])), 0)

    def affordable(self, places: Sequence[int], left: int) -> list[int]:
        """Keep of a round what so many draws can pay for; the first of a label pays for its control draws too."""
        kept: list[int] = []
        controls: dict[str, int] = {}
        for place in places:
            name, own = self.hypotheses[place].label, self.batch(place)
            price = own + max(own - controls.get(name, 0), 0)
            if price <= left:
                kept.append(place)
                left -= price
                controls[name] = max(own, controls.get(name, 0))
        return kept

    def open_round(self, places: Sequence[int]) -> dict[str, list[int]]:
        """Return, for each label of a round, seeds that no earlier round had."""
        return {name: list(islice(self._seeds[name], most)) for name, most in self._batches(places).items()}

    def add_controls(self, observations: Sequence[Observation]) -> None:
        """Count a round's control draws, once for all hypotheses that share them."""
        self.spent += len(observations)
        self._count_base(observations)

    def add_pairs(self, place: int, pairs: Sequence[tuple[Observation, Observation]]) -> None:
        """Count (treat, control) pairs of one hypothesis."""
        self.spent += len(pairs)
        self._pairs[place] += pairs
        self._drawn[place] += len(pairs)
        for treat, control in pairs:
            statuses = treat.outcome.status, control.outcome.status
            self._unscored[:, place] += [status == "unscored" for status in statuses]
            if "unscored" not in statuses:
                self._cells[CELLS.index(statuses), place] += 1

    def tested(self) -> list[Tested]:
        """Return every hypothesis with its trial, in the order given."""
        return [
            pair(hypothesis, [treat for treat, _ in pairs], [control for _, control in pairs])
            for hypothesis, pairs in zip(self.hypotheses, self._pairs, strict=True)
        ]

    def _batches(self, places: Sequence[int]) -> dict[str, int]:
        """Return how many control draws each label of a round needs."""
        most: dict[str, int] = {}
        for place in places:
            name = self.hypotheses[place].label
            most[name] = max(most.get(name, 0), self.batch(place))
        return most

    def _count_base(self, observations: Sequence[Observation]) -> None:
        counts = Counter((o.draw.prompt.label, o.outcome.status) for o in observations)
        for (name, status), count in counts.items():
            if status != "unscored" and name in self._place:
                self._failed[self._place[name]] += count if status == "failed" else 0
                self._scored[self._place[name]] += count


def _chance(score: float) -> float:
    """Believe how likely a hypothesis is true before its first pair, from how strongly exploration suggested it."""
    if not score > 0.0:  # a person's own, or no number
        return LEAST_CHANCE
    odds = LEAST_CHANCE * float(10.0 ** min(score, 6.0))
    return min(max(odds / (1.0 + odds), LEAST_CHANCE), MOST_CHANCE)
