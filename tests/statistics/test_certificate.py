"""Promises of the bound on a prior's weight: it errs no more often than its level, whoever stops, and it is of use."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.statistics import UNCLEARED, clearance, log_evidence_below, weight_at_most

CLEARED = st.lists(st.floats(0.0, 1.0), max_size=40)


known = cache(clearance)


def look(chance, rate, above, most=60):
    """Look at a mode until it is cleared or given up, by two draws at once; give clearance and draws."""
    passes = failures = 0
    while passes + failures < most:
        failed = int(chance.binomial(2, rate))
        passes, failures = passes + 2 - failed, failures + failed
        share = known(passes, failures, above)
        if share == 1.0 or share < UNCLEARED / 50:
            break
    return known(passes, failures, above), passes + failures


def audit(chance, world, asked, draws=300):
    """Draw modes until the bound at 5 % is below what is wanted, or the draws are used up; say whether, and the draws.

    The bound is below a weight where the evidence against that weight reaches 1 / 0.05 (a test of its own).
    """
    (weight, *rates), (above, below) = world, asked
    cleared, spent = [], 0
    while spent < draws:
        for _ in range(8):
            share, made = look(chance, rates[bool(chance.random() < weight)], above)
            cleared.append(share)
            spent += made
        if log_evidence_below(cleared, below) >= -np.log(0.05):
            return True, spent
    return False, spent


@pytest.mark.slow
@pytest.mark.parametrize(("above", "good"), [(0.5, 0.0), (0.2, 0.0), (0.5, 0.49)])
def test_a_certificate_is_false_no_more_often_than_its_level(above, good):
    """2,000 worlds at the boundary: just so much weight on modes that fail just so often, looked at after every block.

    Who stops as soon as the bound is below the truth is wrong in at most 5 % of them, and 3 standard errors.
    """
    chance = np.random.default_rng(7)
    worlds = 2000 if good == 0.0 else 500
    wrong = sum(audit(chance, (0.3, good, above), (above, 0.3), 1000)[0] for _ in range(worlds))
    assert wrong <= worlds * 0.05 + 3 * (worlds * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("rate", [0.2, 0.21, 0.5, 1.0])
def test_a_mode_that_fails_so_often_is_hardly_cleared(rate):
    """Its mean clearance is at most a tenth, whoever stops where it looks best."""
    chance = np.random.default_rng(3)
    shares = []
    for _ in range(3000):
        passes = failures = 0
        best = UNCLEARED
        for _ in range(30):
            failed = int(chance.random() < rate)
            passes, failures = passes + 1 - failed, failures + failed
            best = known(passes, failures, 0.2)
            if best > 0.5 or best < 0.01:
                break
        shares.append(best)
    assert np.mean(shares) <= UNCLEARED + 3 * np.std(shares) / 3000**0.5


def test_a_classifier_without_such_modes_is_certified():
    """With no failures at all, and with one in fifty draws everywhere, in the draws that the guide names."""
    chance = np.random.default_rng(5)
    clean = [audit(chance, (0.0, 0.0, 0.0), (0.2, 0.1), 5000) for _ in range(100)]
    assert all(done for done, _ in clean)
    assert np.mean([spent for _, spent in clean]) < 700
    dusty = [audit(chance, (0.0, 0.02, 0.0), (0.2, 0.1), 5000) for _ in range(100)]
    assert np.mean([done for done, _ in dusty]) >= 0.95
    assert np.mean([spent for _, spent in dusty]) < 1200


@given(CLEARED, st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_evidence_grows_with_the_weight_that_it_is_against(cleared, weight, more):
    """What is refuted stays refuted for any larger weight, so that a bound is where it turns."""
    assert log_evidence_below(cleared, weight) <= log_evidence_below(cleared, weight + more) + 1e-9


@given(CLEARED, st.floats(0.001, 0.5))
def test_a_bound_is_what_the_evidence_refutes(cleared, level):
    """At the bound the evidence reaches the bar, below it does not; modes that are not cleared never lower it."""
    bound = weight_at_most(cleared, level)
    assert 0 < bound <= 1
    if bound < 0.999:
        assert log_evidence_below(cleared, bound + 1e-6) >= -np.log(level) - 1e-6
    assert weight_at_most([*cleared, 0.0], level) >= bound - 1e-9
    assert weight_at_most([*cleared, 1.0], level) <= bound + 1e-9


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_passes_clear_and_failures_do_not(passes, failures, above):
    """One more pass never lowers the clearance, one more failure never raises it; without draws it is a tenth."""
    own = clearance(passes, failures, above)
    assert 0 <= own <= 1
    assert clearance(passes + 1, failures, above) >= own
    assert clearance(passes, failures + 1, above) <= own + 1e-12
    assert clearance(0, 0, above) == pytest.approx(UNCLEARED)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: clearance(-1, 0, 0.2),
        lambda: clearance(1, 0, 0.0),
        lambda: log_evidence_below([1.5], 0.1),
        lambda: log_evidence_below([1.0], 0.0),
        lambda: weight_at_most([1.0], 1.0),
    ],
)
def test_what_is_out_of_range_is_refused(wrong):
    """Counts, shares, weights and levels have ranges."""
    with pytest.raises(ValueError, match=r"expected|must lie"):
        wrong()
