"""A hunt without images: hypotheses with known rates, drawn until the policy has had enough.

`python tests/statistics/simulated.py` prints draws for each true bug, against fixed numbers of draws.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np

from foible.statistics import benjamini_hochberg, paired_margin_p
from foible.statistics.allocation import Aim, Tally, choose, outlook


@dataclass(frozen=True)
class World:
    """Hypotheses with their true rates."""

    label: np.ndarray
    rate: np.ndarray
    base: np.ndarray
    true: np.ndarray

    @staticmethod
    def make(rng, *, hypotheses=240, bugs=15, labels=12, base=0.04, low=0.35, high=1.0, other=0.0):
        """Make a world; what is no bug has the base rate plus up to `other`."""
        rates = base + other * rng.random(hypotheses)
        chosen = rng.choice(hypotheses, bugs, replace=False)
        rates[chosen] = rng.uniform(low, high, bugs)
        true = np.zeros(hypotheses, dtype=bool)
        true[chosen] = True
        return World(np.arange(hypotheses) % labels, rates, np.full(labels, base), true)


@dataclass
class Score:
    """What a hunt found and spent."""

    found: int
    false: int
    treat: int
    control: int
    rounds: int = 0
    extra: dict = field(default_factory=dict)


def sequential(world, aim, seed, *, chance=0.05, width=32, pairs=2):
    """Hunt with betting evidence; every round draws its own control images, shared by the hypotheses of a label."""
    rng = np.random.default_rng(seed)
    count = len(world.rate)
    cells = np.zeros((4, count), dtype=np.int64)  # minus, plus, both, neither
    failed, drawn = np.zeros(len(world.base)), np.zeros(len(world.base))
    rounds = 0
    while True:
        base = ((failed + 0.5) / (drawn + 10))[world.label]
        seen = outlook(Tally(*cells, base=base, chance=np.full(count, chance)), aim)
        chosen = choose(seen, aim, width, seed=rounds)
        if len(chosen) == 0:
            break
        control = rng.random((len(world.base), pairs)) < world.base[:, None]
        labels = np.unique(world.label[chosen])
        failed[labels] += control[labels].sum(axis=1)
        drawn[labels] += pairs
        treat = rng.random((len(chosen), pairs)) < world.rate[chosen][:, None]
        beside = control[world.label[chosen]]
        for row, cell in enumerate((~treat & beside, treat & ~beside, treat & beside, ~treat & ~beside)):
            cells[row, chosen] += cell.sum(axis=1)
        rounds += 1
    called = seen.confirmed
    return Score(
        int(called[world.true].sum()), int(called[~world.true].sum()), int(cells.sum()), int(drawn.sum()), rounds
    )


def fixed(world, aim, seed, *, pairs):
    """Hunt with a fixed number of pairs and the exact paired test."""
    rng = np.random.default_rng(seed)
    control = rng.random((len(world.base), pairs)) < world.base[:, None]
    treat = rng.random((len(world.rate), pairs)) < world.rate[:, None]
    beside = control[world.label]
    plus, minus = (treat & ~beside).sum(axis=1), (~treat & beside).sum(axis=1)
    p = [paired_margin_p(int(a), int(b), pairs, aim.margin) for a, b in zip(plus, minus, strict=True)]
    called = benjamini_hochberg(p) <= aim.level
    return Score(int(called[world.true].sum()), int(called[~world.true].sum()), treat.size, control.size)


def summary(name, scores, bugs):
    """Say recall, realised false-discovery rate and median draws for each true bug."""
    found = np.array([s.found for s in scores])
    false = np.array([s.false for s in scores])
    treat = np.array([s.treat for s in scores]) / np.maximum(found, 1)
    every = np.array([s.treat + s.control for s in scores]) / np.maximum(found, 1)
    return (
        f"{name:34s} recall {found.mean() / bugs:.3f}  false {np.mean(false / np.maximum(found + false, 1)):.4f}"
        f"  treat draws a bug {np.median(treat):6.0f}  with control {np.median(every):6.0f}"
        f"  rounds {np.mean([s.rounds for s in scores]):.0f}"
    )


def main():
    """Print the comparison over a few kinds of world."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    kinds = {
        "as in the issue": {},
        "others up to the margin": {"other": 0.1},
        "weak bugs, 0.2 to 0.5": {"low": 0.2, "high": 0.5},
        "base rate 0.15": {"base": 0.15, "low": 0.4},
        "60 hypotheses, 20 bugs": {"hypotheses": 60, "bugs": 20},
        "no bugs": {"bugs": 0},
    }
    for name, kind in kinds.items():
        print(name)
        bugs = kind.get("bugs", 15)
        worlds = [World.make(np.random.default_rng(1000 + s), **kind) for s in seeds]
        for pairs in (100, 50, 30):
            scores = [fixed(w, Aim(0.1), s, pairs=pairs) for s, w in zip(seeds, worlds, strict=True)]
            print("  ", summary(f"fixed, {pairs} pairs", scores, max(bugs, 1)), flush=True)
        for price in (100, 300, 1000, 3000):
            for width, pairs in ((32, 2),):
                scores = [
                    sequential(w, Aim(0.1, price=price), s, width=width, pairs=pairs)
                    for s, w in zip(seeds, worlds, strict=True)
                ]
                print("  ", summary(f"sequential, price {price}, {width} x {pairs}", scores, max(bugs, 1)), flush=True)


if __name__ == "__main__":
    main()
