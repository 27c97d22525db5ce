"""Promises about rates behind an imperfect attribute: they hold whatever the model's errors hang on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.statistics.assigned import Kind, true_rates


@st.composite
def kinds(draw, most=40):
    """Give one kind of photographs."""
    size = draw(st.integers(0, most))
    checked = draw(st.integers(0, size))
    return Kind(size, checked, draw(st.integers(0, checked)))


@given(kinds(), kinds(), kinds(), kinds())
def test_an_estimate_lies_within_its_limits(a, b, c, d):
    """Whatever was checked, and rates are rates."""
    for one in (found := true_rates((a, b), (c, d))):
        assert -1 <= one.low <= one.value <= one.high <= 1
    assert min(found.treat.low, found.control.low) >= 0


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.data())
def test_where_all_is_checked_all_is_known(a, b, c, d, data):
    """The limits are points, and the rates those of counting."""
    have = [data.draw(st.integers(0, size)) for size in (a, b, c, d)]
    found = true_rates((Kind(a, a, have[0]), Kind(b, b, have[1])), (Kind(c, c, have[2]), Kind(d, d, have[3])))
    if sum(have):
        assert found.treat.low == found.treat.high == pytest.approx((have[0] + have[2]) / sum(have))
    if sum(have) < a + b + c + d:
        assert found.control.low == found.control.high


def test_counts_that_cannot_be_are_refused():
    """More checked than there are."""
    with pytest.raises(ValueError, match="have <= checked <= size"):
        true_rates((Kind(3, 4, 1), Kind(1, 0, 0)), (Kind(1, 0, 0), Kind(1, 0, 0)))


@pytest.mark.parametrize("goes_with", ["nothing", "failing", "passing"])
@pytest.mark.parametrize("checked", [0.1, 0.4])
def test_the_limits_hold_whatever_the_errors_go_with(goes_with, checked):
    """Of 300 sets, the true rates lie within the limits in at least 95 %, also where errors hang on failing."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        n = 240
        true = rng.random(n) < 0.3
        failed = rng.random(n) < np.where(true, 0.5, 0.1)
        wrong = {"nothing": np.full(n, 0.15), "failing": 0.4 * failed, "passing": 0.3 * ~failed}[goes_with]
        said = true ^ (rng.random(n) < wrong)
        seen = rng.random(n) < checked
        found = true_rates(
            tuple(_kind(said & (failed == f), seen, true) for f in (True, False)),
            tuple(_kind(~said & (failed == f), seen, true) for f in (True, False)),
        )
        rates = failed[true].mean(), failed[~true].mean()
        ends = (found.treat, rates[0]), (found.control, rates[1]), (found.difference, rates[0] - rates[1])
        held += all(one.low - 1e-9 <= rate <= one.high + 1e-9 for one, rate in ends)
    assert held >= 0.95 * 300


def _kind(which, seen, true):
    return Kind(int(which.sum()), int((which & seen).sum()), int((which & seen & true).sum()))
