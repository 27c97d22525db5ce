"""Promises of the exact paired tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foible.statistics import mcnemar_p, paired_lower, paired_margin_p
from foible.statistics.paired import _tail

MARGINS = (0.0, 0.1, 0.3)


@st.composite
def counts(draw, most=60):
    """Draw (only_treat, only_control, n)."""
    n = draw(st.integers(0, most))
    treat = draw(st.integers(0, n))
    return treat, draw(st.integers(0, n - treat)), n


def outcomes(n):
    """Give every (only_treat, only_control) of n pairs."""
    return np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)])


def nulls(margin):
    """Give rates (p10, p01) of the null: its boundary, its corners, and its inside."""
    grid = np.linspace(0.0, 1.0, 26)
    inside = [(a, b) for a, b in itertools.product(grid, grid) if a + b <= 1 + 1e-12 and a - b <= margin + 1e-12]
    boundary = [(b + margin, b) for b in np.linspace(0.0, (1 - margin) / 2, 60)]
    return inside + boundary


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("n", [1, 3, 8, 14, 20])
def test_size_is_at_most_the_level_everywhere_in_the_null(n, margin):
    """Enumerated exactly: at every null rate and every level, P(p <= level) <= level."""
    pairs = outcomes(n)
    p = np.array([paired_margin_p(int(i), int(j), n, margin) for i, j in pairs])
    cells = np.column_stack([pairs, n - pairs.sum(axis=1)])
    for p10, p01 in nulls(margin):
        mass = stats.multinomial.pmf(cells, n, [p10, p01, max(0.0, 1 - p10 - p01)])
        for level in (1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.5):
            assert mass[p <= level].sum() <= level + 1e-12, (p10, p01, level)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("n", [1, 3, 8, 14, 20])
def test_every_null_is_dominated_from_the_boundary(n, margin):
    """No null rate gives a larger tail than the point of p10 = p01 + margin above it: same p01, or that edge's end."""
    p10, p01 = np.array(nulls(margin)).T
    edge = np.minimum(p01, (1 - margin) / 2)
    for t in range(-n, n + 1):
        assert np.all(_tail(n, t, p10, p01) <= _tail(n, t, edge + margin, edge) + 1e-12)


@given(counts(40), st.sampled_from(MARGINS))
def test_bound_is_above_the_supremum_and_near_it(case, margin):
    """The p-value is never below a fine search for the supremum, and at most 5 % above it, or 1 % above gamma."""
    treat, control, n = case
    p = paired_margin_p(treat, control, n, margin)
    if n == 0:
        return
    bound = min(stats.beta.ppf(1 - 1e-4, control + 1, n - control) if control < n else 1.0, (1 - margin) / 2)
    fine = np.linspace(0, bound, 4001)
    supremum = _tail(n, treat - control, fine + margin, fine).max()
    assert supremum <= p
    assert p <= 1.05 * supremum + 1.01e-4 + 1e-9


@given(st.integers(1, 12), st.floats(0, 1), st.floats(0, 1), st.data())
def test_tail_is_the_multinomial_sum(n, share, p, data):
    """The transform gives the same tail as the sum of multinomial probabilities."""
    t = data.draw(st.integers(-n, n))
    p10, p01 = p * share, p * (1 - share)
    pairs = outcomes(n)
    mass = stats.multinomial.pmf(
        np.column_stack([pairs, n - pairs.sum(axis=1)]), n, [p10, p01, max(0.0, 1 - p10 - p01)]
    )
    exact = mass[pairs[:, 0] - pairs[:, 1] >= t].sum()
    assert _tail(n, t, np.array([p10]), np.array([p01]))[0] == pytest.approx(exact, abs=1e-12)


@given(counts(), st.sampled_from(MARGINS))
def test_p_is_a_probability(case, margin):
    """The p-value lies in gamma .. 1."""
    assert 1e-4 <= paired_margin_p(*case, margin) <= 1.0


@given(counts(), st.sampled_from(MARGINS))
def test_p_moves_the_right_way(case, margin):
    """A failure more in treat alone never raises the p-value; one more in control alone, or margin, never lowers it."""
    treat, control, n = case
    p = paired_margin_p(treat, control, n, margin)
    assert p <= paired_margin_p(treat, control, n, margin + 0.05) * 1.03
    if treat + control < n:
        assert paired_margin_p(treat + 1, control, n, margin) <= p + 1e-9
        assert paired_margin_p(treat, control + 1, n, margin) >= p * 0.97


def test_no_pairs_no_evidence():
    """Without a pair the p-value is 1."""
    assert paired_margin_p(0, 0, 0, 0.1) == 1.0
    assert mcnemar_p(0, 0) == 1.0


def test_a_clear_bug_is_seen_and_a_clean_description_is_not():
    """At 40 pairs and margin 0.1, 24 failures more are beyond doubt and 4 more, the margin itself, are nothing."""
    assert paired_margin_p(24, 0, 40, 0.1) < 1e-3
    assert paired_margin_p(4, 0, 40, 0.1) > 0.3


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sign_test(treat, control):
    """McNemar's p-value is SciPy's one-sided binomial test of the pairs that differ."""
    total = treat + control
    theirs = stats.binomtest(treat, total, 0.5, alternative="greater").pvalue if total else 1.0
    assert mcnemar_p(treat, control) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("bad", [(-1, 0, 5, 0.1), (0, -1, 5, 0.1), (3, 3, 5, 0.1), (1, 0, 5, -0.1), (1, 0, 5, 1.0)])
def test_impossible_input_is_refused(bad):
    """Counts or margins that cannot be are an error."""
    with pytest.raises(ValueError, match="must"):
        paired_margin_p(*bad)


def test_impossible_gamma_and_counts_are_refused():
    """Gamma outside 0 .. 1, and negative counts, are an error."""
    with pytest.raises(ValueError, match="gamma"):
        paired_margin_p(1, 0, 5, 0.1, 0.0)
    with pytest.raises(ValueError, match="counts"):
        mcnemar_p(-1, 2)


@given(counts(40), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.05, 0.01]))
def test_a_bound_is_the_largest_margin_that_the_test_refutes(drawn, margin, risk):
    """All up to the bound is refuted at the risk, and what is a little larger is not."""
    only_treat, only_control, n = drawn
    if paired_margin_p(only_treat, only_control, n, margin) > risk:
        return
    bound = paired_lower(only_treat, only_control, n, margin, risk)
    assert margin <= bound < 1.0
    assert paired_margin_p(only_treat, only_control, n, bound) <= risk
    assert bound + 2e-4 >= 1.0 or paired_margin_p(only_treat, only_control, n, bound + 2e-4) > risk
