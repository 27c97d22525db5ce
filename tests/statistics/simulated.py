"""A hunt without images: hypotheses with known rates, drawn until the policy has had enough.

`python tests/statistics/simulated.py [SEEDS]` prints draws for each true bug, against fixed numbers of draws.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from foible.statistics import Aim, Tally, benjamini_hochberg, choose, outlook, paired_margin_p

WIDTH, PAIRS = 32, 2  # hypotheses a round, and pairs for each of them


@dataclass(frozen=True)
class Kind:
    """A kind of world."""

    hypotheses: int = 240
    bugs: int = 15
    labels: int = 12
    base: float = 0.04
    low: float = 0.35  # rates of bugs
    high: float = 1.0
    other: float = 0.0  # what is no bug fails up to this much more than the base prompt


class World:
    """Hypotheses with their true rates."""

    def __init__(self, kind, seed):
        rng = np.random.default_rng(seed)
        self.label = np.arange(kind.hypotheses) % kind.labels
        self.rate = kind.base + kind.other * rng.random(kind.hypotheses)
        self.base = np.full(kind.labels, kind.base)
        self.true = np.zeros(kind.hypotheses, dtype=bool)
        self.true[rng.choice(kind.hypotheses, kind.bugs, replace=False)] = True
        self.rate[self.true] = rng.uniform(kind.low, kind.high, kind.bugs)


@dataclass
class Score:
    """What a hunt found and spent."""

    found: int
    false: int
    treat: int
    control: int
    rounds: int
    evidence: np.ndarray | None = None  # logarithms of the e-values in the end


def score(world, called, treat, control, rounds):
    """Count."""
    return Score(int(called[world.true].sum()), int(called[~world.true].sum()), int(treat), int(control), rounds)


def sequential(world, aim, seed, most=10**9, policy=choose):
    """Hunt with betting evidence; every round draws its own control images, shared by the hypotheses of a label."""
    rng = np.random.default_rng(seed)
    count = len(world.rate)
    cells = np.zeros((4, count), dtype=np.int64)  # minus, plus, both, neither
    failed, drawn = np.zeros(len(world.base)), np.zeros(len(world.base))
    rounds = 0
    while True:
        base = ((failed + 0.5) / (drawn + 10))[world.label]
        minus, plus, both, neither = cells
        seen = outlook(Tally(minus, plus, both, neither, base=base, chance=np.full(count, 0.05)), aim)
        chosen = policy(seen, aim, WIDTH, rounds)
        if len(chosen) == 0 or cells.sum() >= most:
            done = score(world, seen.confirmed, cells.sum(), drawn.sum(), rounds)
            return replace(done, evidence=seen.evidence)
        control = rng.random((len(world.base), PAIRS)) < world.base[:, None]
        labels = np.unique(world.label[chosen])
        failed[labels] += control[labels].sum(axis=1)
        drawn[labels] += PAIRS
        treat = rng.random((len(chosen), PAIRS)) < world.rate[chosen][:, None]
        beside = control[world.label[chosen]]
        for row, cell in enumerate((~treat & beside, treat & ~beside, treat & beside, ~treat & ~beside)):
            cells[row, chosen] += cell.sum(axis=1)
        rounds += 1


def fixed(world, aim, seed, pairs):
    """Hunt with a fixed number of pairs and the exact paired test."""
    rng = np.random.default_rng(seed)
    control = rng.random((len(world.base), pairs)) < world.base[:, None]
    treat = rng.random((len(world.rate), pairs)) < world.rate[:, None]
    beside = control[world.label]
    plus, minus = (treat & ~beside).sum(axis=1), (~treat & beside).sum(axis=1)
    p = [paired_margin_p(int(a), int(b), pairs, aim.margin) for a, b in zip(plus, minus, strict=True)]
    return score(world, benjamini_hochberg(p) <= aim.level, treat.size, control.size, 1)


def recall(scores, bugs):
    """Give the share of the bugs that was found."""
    return float(np.mean([s.found for s in scores]) / max(bugs, 1))


def false_discovery_rate(scores):
    """Give the mean share of false findings among the findings."""
    return float(np.mean([s.false / max(s.found + s.false, 1) for s in scores]))


def draws_a_bug(scores, control):
    """Give the median of treat draws, or of all draws, for each bug found."""
    return float(np.median([(s.treat + control * s.control) / max(s.found, 1) for s in scores]))


def main():
    """Print the comparison over a few kinds of world."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    kinds = {
        "as in the issue": Kind(),
        "others up to the margin": Kind(other=0.1),
        "weak bugs, 0.2 to 0.5": Kind(low=0.2, high=0.5),
        "base rate 0.15, bugs from 0.4": Kind(base=0.15, low=0.4),
        "60 hypotheses, 20 bugs": Kind(hypotheses=60, bugs=20),
        "no bugs": Kind(bugs=0),
    }
    methods: dict[str, tuple[Callable[..., Score], Aim, tuple[int, ...]]] = {
        f"fixed, {pairs} pairs": (fixed, Aim(0.1), (pairs,)) for pairs in (100, 50, 30)
    }
    methods |= {
        f"sequential, price {price}": (sequential, Aim(0.1, price=price), ()) for price in (100, 300, 1000, 3000)
    }
    for name, kind in kinds.items():
        sys.stdout.write(f"{name}\n  method                  recall  false  treat/bug  all/bug  rounds\n")
        worlds = [World(kind, 1000 + seed) for seed in seeds]
        for method, (hunt, aim, more) in methods.items():
            scores = [hunt(world, aim, seed, *more) for seed, world in zip(seeds, worlds, strict=True)]
            sys.stdout.write(
                f"  {method:22s}  {recall(scores, kind.bugs):6.3f}  {false_discovery_rate(scores):.3f}"
                f"  {draws_a_bug(scores, 0):9.0f}  {draws_a_bug(scores, 1):7.0f}"
                f"  {np.mean([s.rounds for s in scores]):6.0f}\n"
            )
            sys.stdout.flush()
    minus, plus, both, neither = np.random.default_rng(0).integers(0, 10, (4, 10_000))
    tally = Tally(minus, plus, both, neither, base=np.full(10_000, 0.04), chance=np.full(10_000, 0.05))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        choose(outlook(tally, Aim(0.1)), Aim(0.1), 64, 0)
        times.append(time.perf_counter() - start)
    sys.stdout.write(f"a round of 10,000 hypotheses: {np.median(times) * 1e3:.0f} ms\n")


if __name__ == "__main__":
    main()
