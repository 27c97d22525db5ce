"""Calibration, with fixed seeds and exact limits: how often whole hunts without bugs confirm one, and what covers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from foible.statistics import (
    Aim,
    benjamini_hochberg,
    clopper_pearson,
    difference_sequence,
    e_adjusted,
    log_evidence,
    paired_difference,
    paired_margin_p,
    rate_sequence,
)

spec = importlib.util.spec_from_file_location("simulated", Path(__file__).with_name("simulated.py"))
assert spec is not None
simulated = importlib.util.module_from_spec(spec)
sys.modules["simulated"] = simulated  # where its dataclasses look for themselves
spec.loader.exec_module(simulated)

LEVEL = 0.05
SURE = 0.999
"""How sure a test is of what it says: a sound procedure fails one of these tests in a thousand seeds."""
GRID = (0.0, 0.002, 0.05, 0.3, 0.5, 0.8, 0.98, 1.0)


def edge(kind, seed, margin):
    """Make a world in which whatever is no bug fails exactly the margin more often than the base prompt."""
    world = simulated.World(kind, seed)
    world.rate[~world.true] = kind.base + margin
    return world


@pytest.mark.parametrize(
    ("base", "margin"),
    [
        (0.05, 0.1),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in [(0.0, 0.1), (0.05, 0.0), (0.3, 0.1), (0.5, 0.3)]),
    ],
)
def test_hunts_without_bugs_seldom_confirm_one(base, margin):
    """60 hunts with 40 hypotheses each, all at the edge of the null: no more confirm one than the level allows."""
    kind = simulated.Kind(hypotheses=40, bugs=0, labels=4, base=base)
    wrong, above = 0, 0
    for seed in range(60):
        score = simulated.sequential(edge(kind, seed, margin), Aim(margin, LEVEL), seed, 3000)
        wrong += score.false > 0
        above += int((score.evidence >= np.log(1 / LEVEL)).sum())
    assert wrong <= stats.binom.ppf(SURE, 60, LEVEL)
    assert above <= stats.binom.ppf(SURE, 60 * 40, LEVEL)


def test_the_share_of_false_findings_is_within_the_level_beside_true_ones():
    """40 hunts with 20 bugs among 80 hypotheses, the others at the edge: of the confirmed at most 5 % are false."""
    kind = simulated.Kind(hypotheses=80, bugs=20, labels=4, base=0.1, low=0.5)
    scores = [simulated.sequential(edge(kind, seed, 0.1), Aim(0.1, LEVEL), seed, 6000) for seed in range(40)]
    assert simulated.recall(scores, 20) > 0.7
    assert simulated.false_discovery_rate(scores) <= LEVEL


@pytest.mark.parametrize(("base", "margin"), [(0.0, 0.1), (0.05, 0.1), (0.3, 0.1), (0.2, 0.0)])
def test_hunts_with_a_fixed_number_of_pairs_seldom_confirm_one(base, margin):
    """300 hunts with 20 hypotheses each on shared controls, all at the edge: no more than the level allows."""
    rng = np.random.default_rng([int(100 * base), int(100 * margin)])
    wrong = 0
    for _ in range(300):
        control = rng.random(40) < base
        treat = rng.random((20, 40)) < base + margin
        plus, minus = (treat & ~control).sum(axis=1), (~treat & control).sum(axis=1)
        p = [paired_margin_p(int(a), int(b), 40, margin) for a, b in zip(plus, minus, strict=True)]
        wrong += bool((benjamini_hochberg(p) <= LEVEL).any())
    assert wrong <= stats.binom.ppf(SURE, 300, LEVEL)


def test_stopping_at_the_best_moment_makes_no_bug():
    """4,000 nulls, each stopped where its evidence is highest among 200 pairs: as few pass as the level allows."""
    rng = np.random.default_rng(1)
    treat, control = rng.random((4000, 200)) < 0.15, rng.random((4000, 200)) < 0.05
    plus, minus = np.cumsum(treat & ~control, axis=1), np.cumsum(~treat & control, axis=1)
    zero = np.arange(1, 201) - plus - minus
    best = np.array([log_evidence(m, z, p, 0.1).max() for m, z, p in zip(minus, zero, plus, strict=True)])
    assert (best >= np.log(20)).sum() <= stats.binom.ppf(SURE, 4000, LEVEL)
    hunts = best.reshape(200, 20)
    wrong = sum(bool((e_adjusted(hunt) <= LEVEL).any()) for hunt in hunts)
    assert wrong <= stats.binom.ppf(SURE, 200, LEVEL)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_of_a_rate_covers_at_every_rate(n, level):
    """Exactly, over a grid with 0 and 1: at a fixed number of draws, and with the sequence at the same number."""
    k = np.arange(n + 1)
    for low, high in (clopper_pearson(k, n, level), rate_sequence(k, n, level)):
        for rate in GRID:
            mass = stats.binom.pmf(k, n, rate)
            assert mass[(low <= rate) & (rate <= high)].sum() >= level - 1e-9


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_of_a_difference_covers_at_every_pair_of_rates(level):
    """Exactly, at 15 pairs over a grid with 0 and 1, where treat and control fail independently."""
    n = 15
    cells = np.array(
        [(a, b, c, n - a - b - c) for a in range(n + 1) for b in range(n + 1 - a) for c in range(n + 1 - a - b)]
    )
    both, plus, minus, neither = cells.T
    fixed = np.array([paired_difference(tuple(row), level) for row in cells.tolist()]).T
    for low, high in (fixed, difference_sequence(minus, both + neither, plus, level)):
        for treat in GRID:
            for control in GRID:
                rates = [treat * control, treat * (1 - control), (1 - treat) * control, (1 - treat) * (1 - control)]
                mass = stats.multinomial.pmf(cells, n, rates)
                truth = treat - control
                assert mass[(low <= truth + 1e-9) & (truth - 1e-9 <= high)].sum() >= level - 1e-9
