"""Calibration: how often intervals hold the truth, and how often a world without bugs gives a finding.

Comes in: nothing, or worlds to draw from. Goes out: `Coverage` and `Nulls` records. Coverage is summed over every
outcome, not simulated; hunts over worlds without a bug are simulated with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bugs.pool import WORDS
from bugs.world import FAILED, World
from foible.statistics import (
    benjamini_hochberg,
    clopper_pearson,
    e_adjusted,
    log_evidence,
    paired_margin_p,
    rate_sequence,
)

RATES = np.linspace(0.0, 1.0, 101)
NUMBERS = (10, 40)
HUNTS, HYPOTHESES, PAIRS = 200, 50, 60
PLACEBOS = 4
"""Placebo descriptions a label."""
BASE, MARGIN, LEVEL = 0.2, 0.1, 0.05


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often a 95 % interval holds the true rate."""

    interval: str
    curve: tuple[tuple[float, float], ...]
    """(true rate, share of cases in which it is inside)."""

    @property
    def least(self) -> float:
        """The smallest coverage."""
        return min(share for _, share in self.curve)


@dataclass(frozen=True, slots=True)
class Nulls:
    """Hunts in which every finding is false."""

    test: str
    hunts: int
    hypotheses: int
    """In all hunts together."""
    false: int
    """Hunts with at least one finding."""
    low: float
    high: float


def coverage() -> list[Coverage]:
    """Work out coverage at fixed numbers of draws, and at the least favourable of all looks for sequences."""
    fixed = [Coverage(f"exact, {n} draws", _at_fixed(n, clopper_pearson)) for n in NUMBERS]
    return [*fixed, *(Coverage(f"sequence, all of {n} looks", _at_all_looks(n)) for n in NUMBERS)]


def nulls() -> list[Nulls]:
    """Simulate hunts at the edge of the null: every hypothesis exceeds its base rate by exactly the margin."""
    fixed = sum(_fixed_hunt(np.random.default_rng((0, hunt))) for hunt in range(HUNTS))
    looked = sum(_sequential_hunt(np.random.default_rng((1, hunt))) for hunt in range(HUNTS))
    return [
        _nulls(f"fixed, {PAIRS} pairs", fixed),
        _nulls(f"sequential, looked at after each of {PAIRS} pairs", looked),
    ]


def placebos(worlds: Sequence[World], seeds: int) -> Nulls:
    """Test descriptions that say nothing on drawn images: both arms draw the base prompt, on seeds of their own.

    At a margin of 0 that is the edge of the null, at the failure rates that the classifiers really have.
    """
    hunts = [_placebo_hunt(world, seed) for world in worlds for seed in range(seeds)]
    low, high = clopper_pearson(sum(hunts), len(hunts))
    hypotheses = len(hunts) * len(WORDS["label"]) * PLACEBOS
    return Nulls(
        "placebo descriptions on drawn images, margin 0, sequential", len(hunts), hypotheses, sum(hunts), low, high
    )


def _placebo_hunt(world: World, seed: int) -> bool:
    arms: list[list[np.ndarray]] = [[], []]
    for label in WORDS["label"]:
        for number in range(PLACEBOS):
            for arm, seen in enumerate(arms):
                start = ((seed * PLACEBOS + number) * len(arms) + arm) * PAIRS
                seen.append(world.outcomes(label, world.pick(label, {}, range(start, start + PAIRS))) == FAILED)
    return _ever_confirmed(np.array(arms[0]), np.array(arms[1]), 0.0)


def _nulls(test: str, false: int) -> Nulls:
    low, high = clopper_pearson(false, HUNTS)
    return Nulls(test, HUNTS, HUNTS * HYPOTHESES, false, low, high)


def _at_fixed(n: int, interval: Callable[..., tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    ends = [interval(k, n) for k in range(n + 1)]
    return tuple(
        (float(rate), float(sum(stats.binom.pmf(k, n, rate) for k in range(n + 1) if ends[k][0] <= rate <= ends[k][1])))
        for rate in RATES
    )


def _at_all_looks(n: int) -> tuple[tuple[float, float], ...]:
    """Sum over all paths that are inside at every look so far: exact, by dynamic programming over (draws, failures)."""
    ends = [[rate_sequence(k, m) for k in range(m + 1)] for m in range(n + 1)]
    shares = []
    for rate in RATES:
        alive = np.ones(1)
        for m in range(1, n + 1):
            stepped = np.zeros(m + 1)
            stepped[:-1] += alive * (1.0 - rate)
            stepped[1:] += alive * rate
            alive = np.where([low <= rate <= high for low, high in ends[m]], stepped, 0.0)
        shares.append((float(rate), float(alive.sum())))
    return tuple(shares)


def _pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give treat and control outcomes, (hypotheses, pairs) each."""
    shape = (HYPOTHESES, PAIRS)
    return rng.random(shape) < BASE + MARGIN, rng.random(shape) < BASE


def _fixed_hunt(rng: np.random.Generator) -> bool:
    treat, control = _pairs(rng)
    plus, minus = (treat & ~control).sum(axis=1), (control & ~treat).sum(axis=1)
    p_values = [paired_margin_p(int(a), int(b), PAIRS, MARGIN) for a, b in zip(plus, minus, strict=True)]
    return bool((benjamini_hochberg(p_values) <= LEVEL).any())


def _sequential_hunt(rng: np.random.Generator) -> bool:
    return _ever_confirmed(*_pairs(rng), MARGIN)


def _ever_confirmed(treat: np.ndarray, control: np.ndarray, margin: float) -> bool:
    """Stop as soon as anything is confirmed: the best that one who wants a finding can do."""
    plus, minus = (treat & ~control).cumsum(axis=1), (control & ~treat).cumsum(axis=1)
    seen = np.arange(1, treat.shape[1] + 1)[None, :]
    evidence = log_evidence(minus, seen - plus - minus, plus, margin)
    return any(bool((e_adjusted(evidence[:, look]) <= LEVEL).any()) for look in range(treat.shape[1]))
