"""The running counts of a sequential confirmation: one column for every hypothesis ever tried.

Comes in: hypotheses, what exploration saw, and pairs as they are drawn. Goes out: what each hypothesis looks like now,
and in the end its trial. Neighbour: `sequential.py` decides the rounds. Only what a round drew is counted anew, so that
a round costs the same however many went before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from foible.config import ConfirmOptions
from foible.records import Answered, Hypothesis
from foible.statistics import Aim, Outlook, Tally, log_futility, outlook
from foible.trial.pairs import CELLS, Pair, Tested, count

PSEUDO_FAILURES, PSEUDO_DRAWS = 0.5, 10
"""What is believed of a base rate before anything is seen. It steers draws and is no evidence."""
LEAST_CHANCE, MOST_CHANCE = 0.05, 0.9
"""Bounds of what exploration's score may say about a hypothesis before its first pair."""
REFUTED = math.log(2 / 0.05)
"""Log-evidence at which the 95 % interval of the difference ends at or below the margin: nothing is left to ask."""
CLEARLY = 3.0
"""Standard deviations by which unscored draws must exceed the share allowed before a hypothesis is left alone."""


class Ledger:
    """Pairs and counts of every hypothesis, in the order given; those about the same draws share their pairs."""

    def __init__(self, hypotheses: Sequence[Hypothesis], explored: Sequence[Answered], options: ConfirmOptions) -> None:
        """Begin without a pair; exploration's outcomes are the first thing known of the base rates."""
        bases = list(dict.fromkeys((h.label, h.classifier) for h in hypotheses))
        self.hypotheses = hypotheses
        self.borrowed = np.array([h.borrowed for h in hypotheses], dtype=np.bool_)
        """Which are tested on draws that are made for another classifier."""
        self._options = options
        self._base = np.array([bases.index((h.label, h.classifier)) for h in hypotheses], dtype=np.intp)
        self._bases = {base: place for place, base in enumerate(bases)}
        self._failed = np.full(len(bases), PSEUDO_FAILURES)
        self._scored = np.full(len(bases), float(PSEUDO_DRAWS))
        self._chance = np.array([_chance(h.score) for h in hypotheses], dtype=np.float64)
        self._cells = np.zeros((len(CELLS), len(hypotheses)), dtype=np.int64)
        self._drawn = np.zeros(len(hypotheses), dtype=np.int64)
        self._unscored = np.zeros((2, len(hypotheses)), dtype=np.int64)
        self._places: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for place, hypothesis in enumerate(hypotheses):
            self._places.setdefault((hypothesis.label, hypothesis.treatment.words), []).append(place)
        self._pairs: dict[tuple[str, tuple[str, ...]], list[Pair]] = {about: [] for about in self._places}
        self.add_controls(explored)

    @property
    def drawn(self) -> int:
        """Pairs so far; those that several classifiers share count once."""
        return sum(map(len, self._pairs.values()))

    def outlook(self, aim: Aim) -> Outlook:
        """Weigh every hypothesis.

        Closed is what has had all its pairs, what is refuted, what has clearly too many unscored draws, and what is
        borrowed.
        """
        both, plus, minus, neither = self._cells
        allowed = self._options.unscored * self._drawn
        spread = CLEARLY * np.sqrt((1.0 - self._options.unscored) * allowed)
        refuted = log_futility(minus, both + neither, plus, aim.margin) >= REFUTED
        full = self._drawn >= self._options.most
        spoilt = np.any(self._unscored > allowed + spread, axis=0)
        tally = Tally(
            minus,
            plus,
            both,
            neither,
            base=(self._failed / self._scored)[self._base],
            chance=self._chance,
            void=np.any(self._unscored > allowed, axis=0),
            closed=full | refuted | spoilt | self.borrowed,
        )
        return outlook(tally, aim)

    def once(self, places: Sequence[int]) -> list[int]:
        """Keep the first place of each that needs the same draws."""
        first = {self.hypotheses[place].about: place for place in reversed(places)}
        return [place for place in places if first[self.hypotheses[place].about] == place]

    def batch(self, place: int) -> int:
        """Return how many pairs a hypothesis gets in a round: fewer when it has nearly all that it may have."""
        return max(min(self._options.step, self._options.most - int(self._drawn[place])), 0)

    def add_controls(self, answered: Sequence[Answered]) -> None:
        """Count draws of base prompts, once for all hypotheses that share them."""
        counts = Counter(
            (one.request.label, classifier, outcome.status)
            for one in answered
            for classifier, outcome in enumerate(one.outcomes)
        )
        for (label, classifier, status), number in counts.items():
            place = self._bases.get((label, classifier))
            if status != "unscored" and place is not None:
                self._failed[place] += number if status == "failed" else 0
                self._scored[place] += number

    def add_pairs(self, label: str, words: tuple[str, ...], pairs: Sequence[Pair]) -> None:
        """Count pairs of all hypotheses about a label with these words."""
        about = label, words
        if about not in self._places:
            return
        self._pairs[about] += pairs
        for place in self._places[about]:
            classifier = self.hypotheses[place].classifier
            self._drawn[place] += len(pairs)
            for treat, control in pairs:
                statuses = treat.outcomes[classifier].status, control.outcomes[classifier].status
                self._unscored[:, place] += [status == "unscored" for status in statuses]
                if "unscored" not in statuses:
                    self._cells[CELLS.index(statuses), place] += 1

    def tested(self) -> list[Tested]:
        """Return every hypothesis with its trial, in the order given."""
        return [count(h, self._pairs[h.label, h.treatment.words]) for h in self.hypotheses]


def _chance(score: float) -> float:
    """Believe how likely a hypothesis is true before its first pair, from how strongly exploration suggested it."""
    if not score > 0.0:  # a person's own, or no number
        return LEAST_CHANCE
    odds = LEAST_CHANCE * float(10.0 ** min(score, 6.0))
    return min(max(odds / (1.0 + odds), LEAST_CHANCE), MOST_CHANCE)
