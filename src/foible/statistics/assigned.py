"""Failure rates of photographs that truly have an attribute, where an imperfect model says which have it.

Comes in: counts of photographs by what the model says and by outcome, and for a few of each kind who truly has the
attribute. Goes out: rates with intervals. Neighbours: `judging.py` corrects for a judge of labels; `finite.py` takes an
attribute at its word.

Nothing is assumed of the model's errors: they may go with failing, as where a model takes for night what is merely
blurred. Of each kind (said to have it or not, failed or passed) the checked ones tell how many of the others truly have
it, with exact limits of the hypergeometric distribution; the rates follow, and their limits stand at two corners. What
is assumed is that whoever checked chose within each kind without knowing who truly has it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from foible.statistics.judging import Estimate


class Kind(NamedTuple):
    """Photographs of which the model says the same, and of the same outcome."""

    size: int
    """How many there are."""
    checked: int
    """Of these, those of which it is known who truly has the attribute."""
    have: int
    """Of the checked, those that have it."""


class TrueRates(NamedTuple):
    """Failure rates in a finite set."""

    treat: Estimate
    """Of those that truly have the attribute."""
    control: Estimate
    """Of those that have it not."""
    difference: Estimate
    """The first minus the second: -1 .. 1."""


def true_rates(said: tuple[Kind, Kind], unsaid: tuple[Kind, Kind], level: float = 0.95) -> TrueRates:
    """Estimate failure rates of photographs that truly have an attribute, and of those that have it not.

    Args:
        said: photographs that the model says have it: (failed, passed).
        unsaid: those that it says have it not, likewise.
        level: least coverage of all limits together, between 0 and 1.

    Returns:
        Rates within the set of these photographs, not of others like them. (0, 1) and (-1, 1) where nothing is known.

    Raises:
        ValueError: counts that cannot be.

    Source: post-stratified estimation with exact limits in each stratum; for the use of a few true values over many of
    a model Angelopoulos et al., "Prediction-powered inference", Science 382 (2023).
    """
    kinds = (*said, *unsaid)
    for kind in kinds:
        if not 0 <= kind.have <= kind.checked <= kind.size:
            message = f"expected have <= checked <= size, got {kind}"
            raise ValueError(message)
    each = 1.0 - (1.0 - level) / 4
    limits = [_limits(kind, each) for kind in kinds]
    guess = [_guess(kind, side, default) for side, default in ((said, 1.0), (unsaid, 0.0)) for kind in side]
    low = [limits[0][0], limits[1][1], limits[2][0], limits[3][1]]  # few of the failed have it, many of the passed
    high = [limits[0][1], limits[1][0], limits[2][1], limits[3][0]]
    ends = [_rates(kinds, have) for have in (low, guess, high)]
    treat = _estimate(ends[1][0], ends[0][0], ends[2][0])
    control = _estimate(ends[1][1], ends[2][1], ends[0][1])
    value = treat.value - control.value
    return TrueRates(treat, control, Estimate(value, treat.low - control.high, treat.high - control.low))


def _limits(kind: Kind, level: float) -> tuple[float, float]:
    """Give exact limits of how many photographs of a kind have the attribute."""
    if kind.size == kind.checked:
        return float(kind.have), float(kind.have)
    every = np.arange(kind.have, kind.size - (kind.checked - kind.have) + 1)
    tail = (1.0 - level) / 2
    above = stats.hypergeom.sf(kind.have - 1, kind.size, every, kind.checked)
    below = stats.hypergeom.cdf(kind.have, kind.size, every, kind.checked)
    held = every[(above > tail) & (below > tail)]
    return float(held.min()), float(held.max())


def _guess(kind: Kind, side: tuple[Kind, Kind], default: float) -> float:
    """Guess how many of a kind have the attribute: by its own checked ones, else by those of its side."""
    checked, have = kind.checked, kind.have
    if not checked:
        checked, have = side[0].checked + side[1].checked, side[0].have + side[1].have
    return kind.have + (kind.size - kind.checked) * (have / checked if checked else default)


def _rates(kinds: tuple[Kind, ...], have: list[float]) -> tuple[float | None, float | None]:
    """Give the failure rates of those that have the attribute and of the others, where each kind has so many."""
    lack = [kind.size - own for kind, own in zip(kinds, have, strict=True)]
    found = []
    for counts in (have, lack):
        failed, every = counts[0] + counts[2], sum(counts)
        found.append(failed / every if every > 0 else None)
    return found[0], found[1]


def _estimate(value: float | None, low: float | None, high: float | None) -> Estimate:
    """Put a rate into its limits; where nobody may have the attribute, nothing is known of them."""
    least, most = (0.0 if low is None else low), (1.0 if high is None else high)
    middle = (least + most) / 2 if value is None else value
    return Estimate(min(max(middle, least), most), least, most)
