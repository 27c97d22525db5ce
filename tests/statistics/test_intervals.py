"""Promises of the intervals at fixed numbers of draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foible.statistics import clopper_pearson, newcombe_paired, paired_difference, paired_ratio, wilson

RATES = np.concatenate([[0.0, 1e-4, 1e-3], np.linspace(0.01, 0.99, 99), [0.999, 0.9999, 1.0]])
SIZES = (1, 2, 5, 10, 30, 50, 100)


def coverage(interval, n, rates, level=0.95):
    """Give the exact chance that the interval holds each rate."""
    k = np.arange(n + 1)
    low, high = interval(k, n, level)
    mass = stats.binom.pmf(k, n, rates[:, None])
    return (mass * ((low <= rates[:, None]) & (rates[:, None] <= high))).sum(axis=1)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_no_draws_no_knowledge(interval):
    """Without a draw the interval is 0 .. 1."""
    assert interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize("n", SIZES)
def test_ends_are_exact_at_0_and_100_percent(interval, n):
    """Without a failure the lower end is exactly 0, with nothing but failures the upper end exactly 1, never both."""
    low, high = interval(0, n)
    assert low == 0.0
    assert 0.0 < high < 1.0
    low, high = interval(n, n)
    assert 0.0 < low < 1.0
    assert high == 1.0


@pytest.mark.parametrize("n", SIZES)
def test_clopper_pearson_covers_every_rate(n):
    """The exact interval covers every rate, 0 and 1 too, at least at its level."""
    assert coverage(clopper_pearson, n, RATES).min() >= 0.95


@pytest.mark.parametrize("n", SIZES)
def test_wilson_covers_on_average(n):
    """The score interval covers 95 % within a point on average over rates, 0 and 1 always, and nowhere under 80 %."""
    covered = coverage(wilson, n, RATES)
    assert covered[0] == pytest.approx(1.0)
    assert covered[-1] == pytest.approx(1.0)
    assert covered.mean() >= 0.94
    assert covered.min() >= 0.8 - 1e-12


@pytest.mark.parametrize(("interval", "method"), [(wilson, "wilson"), (clopper_pearson, "exact")])
@given(data=st.data())
def test_intervals_agree_with_scipy(interval, method, data):
    """Both intervals equal SciPy's, to rounding."""
    n = data.draw(st.integers(1, 300))
    k = data.draw(st.integers(0, n))
    level = data.draw(st.sampled_from([0.8, 0.9, 0.95, 0.999]))
    theirs = stats.binomtest(k, n).proportion_ci(level, method=method)
    assert interval(k, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_arrays_give_what_scalars_give(interval):
    """An array of counts gives the intervals of its elements, and a scalar gives floats."""
    k, n = np.array([0, 1, 0, 7]), np.array([0, 1, 9, 9])
    low, high = interval(k, n)
    assert [interval(a, b) for a, b in zip(k.tolist(), n.tolist(), strict=True)] == list(zip(low, high, strict=True))
    assert isinstance(interval(3, 9)[0], float)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize("bad", [(-1, 5), (6, 5), (1.5, 5), (1, 5.5), (float("nan"), 5)])
def test_impossible_counts_are_refused(interval, bad):
    """Counts that no draws can give are an error, not a number."""
    with pytest.raises(ValueError, match=r"counts|failures"):
        interval(*bad)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 95.0, float("nan")])
def test_impossible_levels_are_refused(level):
    """A level outside 0 .. 1 is an error that says what is usual."""
    with pytest.raises(ValueError, match=r"0\.95 is usual"):
        wilson(1, 2, level)


def test_newcombe_agrees_with_the_worked_example():
    """36 pairs fail in both arms, 12 in treat alone, 2 in control alone, none in neither: 0.20 (0.0569 to 0.3404)."""
    assert newcombe_paired(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_newcombe_without_pairs():
    """Without a pair the interval is -1 .. 1."""
    assert newcombe_paired(0, 0, 0, 0) == (-1.0, 1.0)


@pytest.mark.parametrize("n", [1, 2, 10, 100])
def test_newcombe_at_the_extremes(n):
    """All pairs in one cell: the interval holds the difference, stays within -1 .. 1, and is never a point."""
    for cell, difference in enumerate((0.0, 1.0, -1.0, 0.0)):
        counts = [0, 0, 0, 0]
        counts[cell] = n
        low, high = newcombe_paired(*counts)
        assert -1.0 <= low <= difference <= high <= 1.0
        assert high - low > 0.02


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_newcombe_is_antisymmetric(counts, level):
    """Treat and control swapped turn the interval about 0, which holds the observed difference within -1 .. 1."""
    a, b, c, d = counts
    low, high = newcombe_paired(a, b, c, d, level)
    assert newcombe_paired(a, c, b, d, level) == pytest.approx((-high, -low))
    assert -1.0 <= low <= (b - c) / max(sum(counts), 1) <= high <= 1.0


def test_newcombe_covers_on_average():
    """At 20 pairs, over a grid of rates, the exact coverage is 95 % within a point on average and at least 90 %."""
    n = 20
    cells = np.array(
        [(a, b, c, n - a - b - c) for a in range(n + 1) for b in range(n + 1 - a) for c in range(n + 1 - a - b)]
    )
    low, high = newcombe_paired(*cells.T)
    covered = []
    for p10 in (0.0, 0.05, 0.2, 0.4, 0.7):
        for p01 in (0.0, 0.02, 0.1, 0.25):
            for share in (0.05, 0.5):
                rest = 1 - p10 - p01
                mass = stats.multinomial.pmf(cells, n, [rest * share, p10, p01, rest * (1 - share)])
                difference = p10 - p01
                covered.append(mass[(low <= difference + 1e-12) & (difference - 1e-12 <= high)].sum())
    assert np.mean(covered) >= 0.94
    assert np.min(covered) >= 0.90


@pytest.mark.parametrize("n", [1, 2, 5, 12, 24])
def test_paired_difference_covers_at_every_rate(n):
    """Enumerated exactly over a grid of rates, 0 and 1 and dependent pairs too: at least 95 %, nowhere less."""
    cells = np.array(
        [(a, b, c, n - a - b - c) for a in range(n + 1) for b in range(n + 1 - a) for c in range(n + 1 - a - b)]
    )
    low, high = np.array([paired_difference(tuple(row)) for row in cells.tolist()]).T
    for treat in (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 1.0):
        for control in (0.0, 0.01, 0.05, 0.2, 0.5, 1.0):
            for dependence in (0.0, 0.5, 1.0):
                both = (1 - dependence) * treat * control + dependence * min(treat, control)
                rates = [both, treat - both, control - both, max(0.0, 1 - treat - control + both)]
                mass = stats.multinomial.pmf(cells, n, rates)
                difference = treat - control
                covered = mass[(low <= difference + 1e-12) & (difference - 1e-12 <= high)].sum()
                assert covered >= 0.95, (treat, control, dependence)


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_paired_difference_holds_the_observed_one(counts):
    """The interval lies within -1 .. 1 and holds the observed difference; it is everything without pairs."""
    low, high = paired_difference(tuple(counts))
    _, plus, minus, _ = counts
    n = sum(counts)
    assert -1.0 <= low <= (plus - minus) / max(n, 1) <= high <= 1.0
    assert n or (low, high) == (-1.0, 1.0)


def test_newcombe_refuses_impossible_counts():
    """A negative or broken count is an error."""
    with pytest.raises(ValueError, match="failures"):
        newcombe_paired(3, -1, 0, 2)
    with pytest.raises(ValueError, match="counts"):
        newcombe_paired(3, 0.5, 0, 2)


def test_paired_ratio_by_hand():
    """The ratio is 1 + difference / control, with the end of control that makes it smallest, or largest."""
    assert paired_ratio((0.2, 0.6), (0.1, 0.4)) == pytest.approx((1.5, 7.0))
    assert paired_ratio((0.2, 0.6), (0.0, 0.4)) == (1.5, float("inf"))
    assert paired_ratio((0.8, 0.9), (0.1, 0.4)) == pytest.approx((5.0, 10.0)), "what is left above 80 points is 20 %"
    assert paired_ratio((-0.1, 0.0), (0.2, 0.4)) == pytest.approx((0.5, 1.0))
    assert paired_ratio((-0.3, -0.1), (0.0, 0.4)) == pytest.approx((0.0, 0.75))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=2), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_paired_ratio_lies_where_the_difference_does(ends, rates):
    """It is above 1 where the difference is above 0, below 1 where it is below, and never upside down."""
    least, most = sorted(ends)
    rare, often = sorted(rates)
    if not often:
        return
    low, high = paired_ratio((least, most), (rare, often))
    assert 0.0 <= low <= high
    if least > 1e-9:
        assert low > 1.0
    if most < -1e-9:
        assert high < 1.0
    if least <= 0.0 <= most:
        assert low <= 1.0 <= high


def test_paired_ratio_covers():
    """From an exact 97.5 % interval of the control rate and one of the difference, its coverage is at least 95 %."""
    k = np.arange(21)
    rate_ends = np.array([clopper_pearson(int(i), 20, 0.975) for i in k])
    for treat in (0.0, 0.05, 0.3, 1.0):
        for control in (0.05, 0.3, 0.7):
            mass = np.outer(stats.binom.pmf(k, 20, treat), stats.binom.pmf(k, 20, control))
            covered = np.zeros_like(mass, dtype=bool)
            for i in k:
                for j in k:
                    least, most = rate_ends[i][0] - rate_ends[j][1], rate_ends[i][1] - rate_ends[j][0]
                    low, high = paired_ratio((least, most), tuple(rate_ends[j]))
                    covered[i, j] = low - 1e-12 <= treat / control <= high + 1e-12
            assert mass[covered].sum() >= 0.95


@pytest.mark.parametrize("bad", [((0.5, 0.4), (0.1, 0.2)), ((0.1, 0.2), (0.0, 0.0)), ((0.1, 1.2), (0.1, 0.2))])
def test_impossible_intervals_are_refused(bad):
    """What is no interval of a difference or a rate is an error."""
    with pytest.raises(ValueError, match="expected a difference"):
        paired_ratio(*bad)
