"""Promises of the evidence that may be looked at after every pair, and of the intervals that hold at all times."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foible.statistics import (
    difference_lower,
    difference_sequence,
    growth,
    log_evidence,
    log_futility,
    rate_sequence,
)
from foible.statistics.evidence import _BETS

MARGINS = (-0.2, 0.0, 0.1, 0.4)
COUNTS = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))


def boundary(margin):
    """Give rates (minus, zero, plus) whose mean is the margin."""
    for minus in np.linspace(max(0.0, -margin), (1 - margin) / 2, 4):
        yield float(minus), float(max(0.0, 1 - 2 * minus - margin)), float(minus + margin)


def walk(stop, rates, pairs):
    """Give the exact chance that (minus, zero, plus) ever enters `stop` within a number of pairs.

    `stop(minus, plus, n)` gives a mask over all counts after n pairs.
    """
    minus, zero, plus = rates
    alive = np.zeros((pairs + 1, pairs + 1))  # by minus, plus
    alive[0, 0] = 1.0
    lost, won = np.indices(alive.shape)
    stopped = 0.0
    for n in range(1, pairs + 1):
        after = alive * zero
        after[1:] += alive[:-1] * minus
        after[:, 1:] += alive[:, :-1] * plus
        out = stop(lost, won, n) & (lost + won <= n)
        stopped += after[out].sum()
        alive = np.where(out, 0.0, after)
    return stopped


@given(COUNTS, st.sampled_from(MARGINS), st.floats(0, 1), st.floats(0, 1))
def test_no_next_pair_is_expected_to_add_evidence_under_the_null(counts, margin, where, inside):
    """Whatever was seen, the mean wealth after one more pair is at most the wealth now, for any null distribution."""
    low = max(0.0, -margin)
    minus = low + where * ((1 - margin) / 2 - low)
    plus = (minus + margin) * inside  # at or below the boundary
    now = log_evidence(counts[0], counts[1], counts[2], margin)
    after = [log_evidence(m, z, p, margin) for m, z, p in np.array(counts) + np.eye(3, dtype=int)]
    mean = np.dot([minus, 1 - minus - plus, plus], np.exp(np.array(after) - now))
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize("margin", MARGINS)
def test_evidence_is_a_fair_game_on_the_boundary(margin):
    """Enumerated exactly: the mean e-value after 20 pairs is 1 where the mean difference is the margin."""
    n = 20
    cells = np.array([(a, n - a - b, b) for a, b in itertools.product(range(n + 1), repeat=2) if a + b <= n])
    minus, zero, plus = cells.T
    wealth = np.exp(log_evidence(minus, zero, plus, margin))
    for rates in boundary(margin):
        assert np.dot(stats.multinomial.pmf(cells, n, rates), wealth) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_evidence_seldom_ever_crosses_its_bar(margin, level):
    """Worked out over all paths of 40 pairs: under the null, wealth ever reaches 1 / level with chance <= level."""

    def crossed(minus, plus, n):
        return log_evidence(minus, np.maximum(n - minus - plus, 0), plus, margin) >= -np.log(level)

    for rates in boundary(margin):
        assert walk(crossed, rates, 40) <= level + 1e-12


@pytest.mark.parametrize(
    "rates", [(0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.02, 0.95, 0.03), (0.02, 0.58, 0.4), (0.5, 0, 0.5)]
)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_difference_sequence_covers_at_all_times(rates, level):
    """Worked out over all paths of 30 pairs: the chance that the interval ever misses is at most 1 - level."""
    truth = rates[2] - rates[0]

    def missed(minus, plus, n):
        inside = minus + plus <= n
        out = np.zeros(minus.shape, dtype=bool)
        a, b = minus[inside], plus[inside]
        low, high = difference_sequence(a, n - a - b, b, level)
        out[inside] = (low > truth + 1e-9) | (high < truth - 1e-9)
        return out

    assert walk(missed, rates, 30) <= 1 - level


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.03, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_rate_sequence_covers_at_all_times(rate, level):
    """Worked out over all paths of 300 draws: the chance that the interval ever misses is at most 1 - level."""
    alive, missed = np.ones(1), 0.0
    for n in range(1, 301):
        alive = np.append(alive * (1 - rate), 0.0) + np.append(0.0, alive * rate)
        low, high = rate_sequence(np.arange(n + 1), n, level)
        out = (low > rate) | (high < rate)
        missed += alive[out].sum()
        alive = np.where(out, 0.0, alive)
    assert missed <= 1 - level


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=40), st.sampled_from(MARGINS))
def test_evidence_is_the_wealth_of_the_gambler(differences, margin):
    """Bet by bet and pair by pair, in any order, the gambler ends with what the counts give."""
    wealth = np.ones(len(_BETS))
    for difference in differences:
        wealth = wealth * (1 + _BETS / (1 + margin) * (difference - margin))
    minus, zero, plus = (differences.count(value) for value in (-1, 0, 1))
    assert log_evidence(minus, zero, plus, margin) == pytest.approx(np.log(wealth.mean()), abs=1e-9)


@given(COUNTS, st.sampled_from(MARGINS))
def test_more_failures_of_treat_are_more_evidence(counts, margin):
    """Evidence grows when a pair turns from minus to zero or from zero to plus, and falls with the margin."""
    minus, zero, plus = counts
    now = log_evidence(minus, zero, plus, margin)
    assert log_evidence(minus, zero, plus, margin + 0.1) <= now + 1e-9
    if zero:
        assert log_evidence(minus, zero - 1, plus + 1, margin) >= now
    if minus:
        assert log_evidence(minus - 1, zero + 1, plus, margin) >= now


def test_no_pairs_no_evidence():
    """Without pairs the e-value is 1 and the intervals are everything."""
    assert log_evidence(0, 0, 0, 0.1) == 0.0
    assert difference_sequence(0, 0, 0) == (-1.0, 1.0)
    assert rate_sequence(0, 0) == (0.0, 1.0)


def test_evidence_never_lags_far_behind_the_best_bet():
    """The mixture is within a factor of 32, its number of bets, of the best of them in hindsight."""
    for minus, zero, plus in itertools.product((0, 3, 30), (0, 10, 300), (0, 5, 100)):
        each = sum(k * np.log1p(_BETS / 1.1 * (d - 0.1)) for k, d in ((minus, -1), (zero, 0), (plus, 1)))
        best = np.max(each)
        assert best - np.log(32) - 1e-9 <= log_evidence(minus, zero, plus, 0.1) <= best + 1e-9


@given(COUNTS)
def test_futility_is_evidence_the_other_way_round(counts):
    """Evidence against an effect is evidence for its opposite with treat and control swapped."""
    minus, zero, plus = counts
    assert log_futility(minus, zero, plus, 0.35) == log_evidence(plus, zero, minus, -0.35)


def test_futility_is_seen_within_a_few_pairs():
    """14 pairs without a failure refute an effect of 0.35 at 1 : 20 for good; 4 do not."""
    assert log_futility(0, 14, 0, 0.35) >= np.log(20)
    assert log_futility(0, 4, 0, 0.35) < np.log(20)


@given(COUNTS, st.sampled_from([0.5, 0.9, 0.95]))
def test_difference_sequence_holds_what_evidence_has_not_refuted(counts, level):
    """The ends are where either side's evidence reaches 2 / (1 - level); the observed difference is inside."""
    minus, zero, plus = counts
    low, high = difference_sequence(minus, zero, plus, level)
    bar = np.log(2 / (1 - level))
    assert -1.0 <= low <= (plus - minus) / max(sum(counts), 1) <= high <= 1.0
    if low > -0.999:
        assert log_evidence(minus, zero, plus, low) == pytest.approx(bar, abs=1e-3)
    if high < 0.999:
        assert log_futility(minus, zero, plus, high) == pytest.approx(bar, abs=1e-3)


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_sequences_at_0_and_100_percent(n):
    """Nothing but passes, or nothing but failures: the interval ends exactly there and is never a point."""
    low, high = rate_sequence(0, n)
    assert low == 0.0
    assert 0.0 < high < 1.0
    assert rate_sequence(n, n) == pytest.approx((1 - high, 1.0))
    low, high = difference_sequence(0, 0, n)
    assert low < 1.0
    assert high == 1.0
    assert difference_sequence(n, 0, 0) == pytest.approx((-1.0, -low))


def test_sequences_shrink_with_the_draws():
    """At 10,000 pairs the interval of a difference is within 0.05, and that of a rate within 0.03."""
    low, high = difference_sequence(400, 5000, 4600)
    assert high - low < 0.05
    low, high = rate_sequence(1000, 10_000)
    assert high - low < 0.03


def test_arrays_give_what_scalars_give():
    """An array of counts gives the values of its elements, and scalars give floats."""
    minus, zero, plus = np.array([0, 1, 5]), np.array([0, 4, 0]), np.array([0, 9, 2])
    for (m, z, p), *got in zip(
        zip(minus, zero, plus, strict=True),
        log_evidence(minus, zero, plus, 0.1),
        *difference_sequence(minus, zero, plus),
        *rate_sequence(minus, minus + zero),
        strict=True,
    ):
        expected = [log_evidence(m, z, p, 0.1), *difference_sequence(m, z, p), *rate_sequence(m, m + z)]
        assert got == pytest.approx(expected)
    assert isinstance(log_evidence(1, 2, 3, 0.1), float)
    assert isinstance(log_futility(1, 2, 3, 0.1), float)


def test_growth_foretells_evidence():
    """The growth is the mean log-evidence a pair over long runs, within 3 %, and 0 where there is no effect."""
    treat, control = np.array([0.35, 0.6, 1.0]), np.array([0.04, 0.04, 0.04])
    plus, minus, n = treat * (1 - control), (1 - treat) * control, 10_000
    evidence = log_evidence(minus * n, (1 - plus - minus) * n, plus * n, 0.1) / n
    assert growth(treat, control, 0.1) == pytest.approx(evidence, rel=0.03)
    assert growth(np.array([0.1]), np.array([0.04]), 0.1) == 0.0


@pytest.mark.parametrize("bad", [(-1, 0, 0, 0.1), (0, float("nan"), 0, 0.1), (0, 0, float("inf"), 0.1)])
def test_impossible_counts_are_refused(bad):
    """Negative or endless counts are an error."""
    with pytest.raises(ValueError, match="counts"):
        log_evidence(*bad)


@pytest.mark.parametrize("margin", [-1.0, 1.0, float("nan")])
def test_impossible_margins_are_refused(margin):
    """A margin at or beyond -1 or 1 is an error."""
    with pytest.raises(ValueError, match="margin"):
        log_evidence(0, 0, 0, margin)


def test_impossible_levels_and_rates_are_refused():
    """A level outside 0 .. 1, or more failures than draws, is an error."""
    with pytest.raises(ValueError, match="level"):
        difference_sequence(0, 0, 0, 1.0)
    with pytest.raises(ValueError, match="counts"):
        rate_sequence(3, 2)


@given(COUNTS, st.sampled_from([0.0, 0.1, 0.3]), st.floats(0.001, 0.2))
def test_a_one_sided_bound_is_above_a_margin_exactly_where_it_is_refuted(counts, margin, risk):
    """The bound exceeds what has evidence of at least 1 / risk against it, and nothing else."""
    minus, zero, plus = counts
    refuted = log_evidence(minus, zero, plus, margin) >= -np.log(risk)
    bound = difference_lower(minus, zero, plus, risk)
    assert (bound >= margin - 1e-9) if refuted else (bound <= margin)
    assert bound <= difference_sequence(minus, zero, plus, 1 - risk / 2)[1]


def test_a_one_sided_bound_holds_at_all_times():
    """Enumerated exactly: the chance that the bound ever exceeds the true difference is at most the risk."""
    wrong = np.zeros((15, 15, 15), dtype=bool)  # by minus, plus, pairs
    for minus, plus, n in itertools.product(range(15), range(15), range(1, 15)):
        wrong[minus, plus, n] = minus + plus <= n and difference_lower(minus, n - minus - plus, plus, 0.2) > 0.3
    chance = walk(lambda lost, won, n: wrong[lost, won, n], (0.1, 0.5, 0.4), 14)
    assert 0.0 < chance <= 0.2
