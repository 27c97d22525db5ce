"""Promises about what a number of draws can show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from foible.statistics import (
    bound_without_failure,
    clopper_pearson,
    expected_pairs,
    log_evidence,
    paired_margin_p,
    pairs_needed,
    power,
    smallest_effect,
)


@settings(max_examples=25)
@given(st.integers(1, 14), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 0.1]), st.sampled_from([0.05, 0.3]))
def test_power_is_the_chance_of_a_small_p_value(n, treat, control, margin, level):
    """Enumerated exactly: power is the chance of a p-value at the level, to 1e-4 and never more."""
    pairs = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)])
    plus, minus = treat * (1 - control), (1 - treat) * control
    cells = np.column_stack([pairs, n - pairs.sum(axis=1)])
    mass = stats.multinomial.pmf(cells, n, [plus, minus, max(0.0, 1 - plus - minus)])
    seen = [paired_margin_p(int(i), int(j), n, margin) <= level for i, j in pairs]
    exact = mass[seen].sum()
    assert exact - 1e-4 <= power(n, treat, control, margin, level) <= exact + 1e-9


def test_power_at_the_ends():
    """Without pairs nothing is seen; with an effect of 1 a few pairs see it for sure; a null is seen at the level."""
    assert power(0, 1.0, 0.0, 0.1) == 0.0
    assert power(20, 1.0, 0.0, 0.1) == pytest.approx(1.0)
    assert power(30, 0.14, 0.04, 0.1) <= 0.05


@pytest.mark.parametrize(
    ("treat", "control", "level"), [(0.5, 0.04, 0.003), (0.35, 0.04, 0.05), (1.0, 0.0, 0.05), (0.8, 0.3, 0.01)]
)
def test_pairs_needed_are_enough_and_not_far_too_many(treat, control, level):
    """With the pairs given the wanted power is reached; with a tenth fewer, and two, it is not."""
    n = pairs_needed(treat, control, 0.1, level, 0.9)
    assert n is not None
    assert power(n, treat, control, 0.1, level) >= 0.9
    assert power(int(n * 0.9) - 2, treat, control, 0.1, level) < 0.9


def test_an_effect_within_the_margin_is_never_seen():
    """At or below the margin, or so near above that 1,000 pairs are too few, there is no number of pairs."""
    assert pairs_needed(0.14, 0.04, 0.1) is None
    assert pairs_needed(0.1, 0.04, 0.1) is None
    assert pairs_needed(0.15, 0.04, 0.1) is None


def test_smallest_effect_is_seen_and_less_is_not():
    """The smallest rate given reaches the wanted power; 0.002 less does not; too few pairs see nothing."""
    rate = smallest_effect(50, 0.04, 0.1, 0.01, 0.9)
    assert rate is not None
    assert power(50, rate, 0.04, 0.1, 0.01) >= 0.9
    assert power(50, rate - 0.002, 0.04, 0.1, 0.01) < 0.9
    assert smallest_effect(3, 0.04, 0.1, 0.01) is None
    assert smallest_effect(0, 0.04, 0.1) is None


@pytest.mark.parametrize("treat", [0.35, 0.5, 0.8, 1.0])
def test_expected_pairs_foretell_the_sequential_test(treat):
    """Over 400 simulated runs the mean time to an e-value of 320 is within 25 % of what was foretold."""
    rng = np.random.default_rng(5)
    d = (rng.random((400, 400)) < treat).astype(int) - (rng.random((400, 400)) < 0.04)
    minus, plus = np.cumsum(d < 0, axis=1), np.cumsum(d > 0, axis=1)
    evidence = log_evidence(minus, np.arange(1, 401) - minus - plus, plus, 0.1)
    times = (evidence >= np.log(320)).argmax(axis=1) + 1
    assert expected_pairs(treat, 0.04, 0.1, 320) == pytest.approx(times.mean(), rel=0.25)


def test_no_effect_is_never_expected():
    """Within the margin the evidence never comes."""
    assert expected_pairs(0.14, 0.04, 0.1, 320) == float("inf")


@pytest.mark.parametrize("n", [1, 3, 60, 3000])
def test_bound_without_failure_is_exact(n):
    """At the bound, no failure in n draws has a chance of exactly 5 %; it is the one-sided Clopper-Pearson limit."""
    bound = bound_without_failure(n)
    assert (1 - bound) ** n == pytest.approx(0.05)
    assert bound == pytest.approx(clopper_pearson(0, n, 0.9)[1])
    assert n < 60 or bound == pytest.approx(3 / n, rel=0.05)


def test_bound_for_many_hypotheses_is_wider():
    """For ten hypotheses together each gets a tenth of the error; without draws nothing is bounded."""
    assert bound_without_failure(60, 0.95, 10) == pytest.approx(bound_without_failure(60, 0.995))
    assert bound_without_failure(0) == 1.0


def test_impossible_plans_are_refused():
    """Rates, levels and counts out of range are errors."""
    with pytest.raises(ValueError, match="failure rates"):
        power(10, 1.1, 0.0, 0.1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        pairs_needed(0.5, 0.0, 0.1, 0.05, 1.0)
    with pytest.raises(ValueError, match="above 1"):
        expected_pairs(0.5, 0.0, 0.1, 1.0)
    with pytest.raises(ValueError, match="at least 0 draws"):
        bound_without_failure(-1)
