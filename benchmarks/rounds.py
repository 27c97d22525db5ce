"""`make rounds`: what the bookkeeping of a sequential confirmation costs beside its draws.

One round over many live hypotheses, whose counts are those of a hunt under way: every hypothesis is weighed anew, what
to draw next is chosen, and the pairs that were drawn are counted. No image is made. Times are those of one core.
"""

from __future__ import annotations

import argparse
import math
import time
from statistics import median

import numpy as np

from foible.config import HuntConfig
from foible.records import Answered, Draw, Hypothesis, Outcome, Request, Treatment
from foible.statistics import Aim, choose
from foible.trial.ledger import Ledger
from foible.trial.pairs import Pair

HYPOTHESES, LABELS, ROUNDS, WIDTH, STEP = 10_000, 12, 30, 32, 2
RATE, BASE = 0.15, 0.1
"""Failure rates with and without the description: near the margin, so that nothing is settled soon."""


def measure(hypotheses: int = HYPOTHESES, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median processor time of a round, in milliseconds, and how many hypotheses were live in the last."""
    rng = np.random.default_rng(0)
    options = HuntConfig().confirm
    tried = [
        Hypothesis(label=f"label {i % LABELS}", treatment=Treatment(words=(f"phrase {i}",)), score=1.0)
        for i in range(hypotheses)
    ]
    ledger = Ledger(tried, (), options)
    for one in tried:  # as after the first pairs of each
        ledger.add_pairs(one.label, one.treatment.words, _pairs(one, STEP * 2, rng))
    aim = Aim(options.margin, options.level, math.inf)  # nothing is given up
    times, live = [], 0
    for number in range(rounds):
        began = time.process_time()
        seen = ledger.outlook(aim)
        chosen = [tried[place] for place in ledger.once(choose(seen, aim, WIDTH, number).tolist())]
        spent = time.process_time() - began
        drawn = [(one, _pairs(one, STEP, rng)) for one in chosen]
        began = time.process_time()
        for one, pairs in drawn:
            ledger.add_pairs(one.label, one.treatment.words, pairs)
        times.append(spent + time.process_time() - began)
        live = len(choose(seen, aim, hypotheses, number))
    return {f"a round of {hypotheses} hypotheses, ms": 1000 * median(times), "of these live": float(live)}


def _pairs(hypothesis: Hypothesis, count: int, rng: np.random.Generator) -> list[Pair]:
    """Make up pairs of draws."""
    treat, control = rng.random(count) < RATE, rng.random(count) < BASE
    return [
        (_answered(hypothesis, hypothesis.treatment, bool(t)), _answered(hypothesis, Treatment(), bool(c)))
        for t, c in zip(treat, control, strict=True)
    ]


def _answered(hypothesis: Hypothesis, treatment: Treatment, failed: bool) -> Answered:
    arm = "treat" if treatment else "control"
    request = Request(key="", label=hypothesis.label, treatment=treatment, seed=0, arm=arm, text="")
    outcome = Outcome(status="failed" if failed else "passed", predicted=0)
    return Answered(draw=Draw(request=request), outcomes=(outcome,))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    arguments.add_argument("--hypotheses", type=int, default=HYPOTHESES, help="that are live")
    arguments.add_argument("--rounds", type=int, default=ROUNDS, help="that are timed; the median counts")
    given = arguments.parse_args()
    for name, value in measure(given.hypotheses, given.rounds).items():
        print(f"{name:<40}{value:8.1f}")


if __name__ == "__main__":
    main()
