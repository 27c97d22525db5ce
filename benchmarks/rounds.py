"""What the bookkeeping of a sequential confirmation costs beside its draws: one round over many live hypotheses.

Comes in: nothing. Goes out: milliseconds of one core a round. The counts are those of a hunt under way; a round weighs
every hypothesis anew, chooses what to draw next, and counts the pairs that were drawn. No image is made.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from foible.prepare import prepare
from foible.stages.ledger import Ledger
from foible.store import Store

from foible import testing
from foible.config import HuntConfig
from foible.progress import Silent
from foible.records import Draw, Hypothesis, Observation, Outcome, Prompt
from foible.statistics import Aim, choose

HYPOTHESES, LABELS, ROUNDS, WIDTH, STEP = 10_000, 12, 30, 32, 2
RATE, BASE = 0.15, 0.1
"""Failure rates with and without the description: near the margin, so that nothing is settled soon."""


PARTS = {
    "generator": testing.NoiseGenerator(),
    "classifier": lambda images: np.zeros((len(images), LABELS)),
    "captioner": testing.ConstantCaptioner(),
    "embedder": testing.MeanEmbedder(),
    "judge": testing.YesJudge(),
}
"""Never asked."""


def measure(hypotheses: int = HYPOTHESES, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median processor time of a round, in milliseconds, and how many hypotheses were live in the last."""
    rng = np.random.default_rng(0)
    names = [f"label {number}" for number in range(LABELS)]
    config = HuntConfig(labels=[f"{number}={name}" for number, name in enumerate(names)])
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        context = prepare(config, PARTS).context(store, Silent())
        tried = [Hypothesis(names[i % LABELS], (f"phrase {i}",), None, 1.0) for i in range(hypotheses)]
        ledger = Ledger(tried, (), context)
        for place in range(hypotheses):  # as after the first pairs of each
            ledger.add_pairs(place, _pairs(names[place % LABELS], STEP * 2, rng))
        aim = Aim(config.confirm.margin, config.confirm.level, math.inf)  # nothing is given up
        times, live = [], 0
        for number in range(rounds):
            began = time.process_time()
            seen = ledger.outlook(aim)
            chosen = choose(seen, aim, WIDTH, number).tolist()
            drawn = [(place, _pairs(tried[place].label, STEP, rng)) for place in chosen]
            for place, pairs in drawn:
                ledger.add_pairs(place, pairs)
            times.append(time.process_time() - began)
            live = len(choose(seen, aim, hypotheses, number))
    return {f"a round of {hypotheses} hypotheses, ms": 1000 * median(times), "of these live": float(live)}


def _pairs(label: str, count: int, rng: np.random.Generator) -> list[tuple[Observation, Observation]]:
    """Make up pairs of observations."""
    treat, control = rng.random(count) < RATE, rng.random(count) < BASE
    return [(_seen(label, bool(t)), _seen(label, bool(c))) for t, c in zip(treat, control, strict=True)]


def _seen(label: str, failed: bool) -> Observation:
    return Observation(Draw("", Prompt(label, "", ""), 0, "treat"), Outcome("failed" if failed else "passed", 0))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name, value in measure().items():
        print(f"{name:<40}{value:8.1f}")
