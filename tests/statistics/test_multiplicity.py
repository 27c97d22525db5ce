"""Promises of the corrections for many hypotheses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foible.statistics import benjamini_hochberg, e_benjamini_hochberg

P_VALUES = arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1))
E_VALUES = arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1e6))


def test_nothing_tried_nothing_called():
    """Without hypotheses both procedures give an empty array."""
    assert benjamini_hochberg([]).shape == (0,)
    assert e_benjamini_hochberg([], 0.05).shape == (0,)


def test_benjamini_hochberg_by_hand():
    """Four p-values, worked out on paper."""
    assert benjamini_hochberg([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.16 / 3, 0.04, 0.5, 0.16 / 3])


@given(P_VALUES)
def test_adjusted_values_keep_the_order(p):
    """Adjusted values are at least the p-values, at most 1, and in the same order."""
    adjusted = benjamini_hochberg(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(p)]) >= 0)


def test_e_benjamini_hochberg_by_hand():
    """Four e-values at level 0.1: the bars are 40, 20, 13.3, 10, so 25 and 21 pass together though neither tops 40."""
    assert e_benjamini_hochberg([25.0, 1.0, 21.0, 9.0], 0.1).tolist() == [True, False, True, False]
    assert e_benjamini_hochberg([39.0, 1.0, 1.0, 1.0], 0.1).tolist() == [False] * 4
    assert e_benjamini_hochberg([np.inf, 0.0, 0.0, 0.0], 0.1).tolist() == [True, False, False, False]


@given(E_VALUES.filter(len), st.sampled_from([0.01, 0.05, 0.2]), st.data())
def test_more_evidence_never_uncalls(e, level, data):
    """Raising one e-value never takes another hypothesis off the list."""
    more = e.copy()
    more[data.draw(st.integers(0, len(e) - 1))] *= data.draw(st.floats(1, 1e6))
    assert np.all(e_benjamini_hochberg(more, level) >= e_benjamini_hochberg(e, level))


@given(E_VALUES, st.sampled_from([0.01, 0.05, 0.2]))
def test_e_values_act_as_inverted_p_values(e, level):
    """The calls are those of Benjamini-Hochberg on min(1, 1/e), away from ties of rounding."""
    p = np.minimum(1.0, 1.0 / np.maximum(e, 1e-300))
    adjusted = benjamini_hochberg(p)
    clear = np.abs(adjusted - level) > 1e-9
    assert np.array_equal(e_benjamini_hochberg(e, level)[clear], adjusted[clear] <= level)


def test_false_discovery_rate_holds_on_simulated_hypotheses():
    """2,000 rounds of 50 hypotheses, 40 of them null: both procedures stay within 0.4 points of their bound of 4 %."""
    rng = np.random.default_rng(7)
    z = rng.normal(size=(2000, 50)) + np.where(np.arange(50) < 40, 0.0, 3.0)
    null = np.arange(50) < 40
    tilt = 3.0
    e_values = np.exp(tilt * z - tilt**2 / 2)
    p_values = np.exp(-(np.maximum(z, 0) ** 2) / 2)  # above the normal tail, hence valid
    for called in (
        np.array([benjamini_hochberg(p) <= 0.05 for p in p_values]),
        np.array([e_benjamini_hochberg(e, 0.05) for e in e_values]),
    ):
        share = (called & null).sum(axis=1) / np.maximum(called.sum(axis=1), 1)
        assert share.mean() <= 0.044
        assert (called & ~null).sum() > 0


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [float("nan")], [[0.5]]])
def test_impossible_p_values_are_refused(bad):
    """What is no p-value is an error."""
    with pytest.raises(ValueError, match=r"expected|must"):
        benjamini_hochberg(bad)


@pytest.mark.parametrize(("bad", "level"), [([-1.0], 0.05), ([float("nan")], 0.05), ([[1.0]], 0.05), ([1.0], 0.0)])
def test_impossible_e_values_are_refused(bad, level):
    """What is no e-value, or no level, is an error."""
    with pytest.raises(ValueError, match=r"expected|must"):
        e_benjamini_hochberg(bad, level)
