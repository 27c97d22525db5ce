"""Intervals for a rate, and for the difference of two paired rates, at a number of draws that was fixed beforehand.

Comes in: counts, as whole numbers or as arrays of them that broadcast. Goes out: (low, high), floats for scalars and
arrays for arrays. Neighbours: `evidence.py` has the intervals for a number of draws that depends on what was seen;
`judging.py` those for outcomes that a judge may have got wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Floats = NDArray[np.float64]


@overload
def wilson(failures: float, n: float, level: float = ...) -> tuple[float, float]: ...
@overload
def wilson(failures: Array, n: Array | float, level: float = ...) -> tuple[Floats, Floats]: ...
@overload
def wilson(failures: float, n: Array, level: float = ...) -> tuple[Floats, Floats]: ...
def wilson(failures: Array | float, n: Array | float, level: float = 0.95) -> tuple[Any, Any]:
    """Give the score interval of a rate: near its level on average, and never empty.

    Args:
        failures: whole numbers, 0 .. n.
        n: whole numbers of draws, at least 0.
        level: wanted coverage, between 0 and 1, ends excluded.

    Returns:
        (low, high) within 0 .. 1; (0, 1) where n is 0; low is exactly 0 without failures, high exactly 1 when all fail.

    Raises:
        ValueError: a count is negative, not whole, or above n; or the level is not between 0 and 1.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
    """
    k, total = _counts(failures, n)
    z2 = _z(level) ** 2
    size = np.maximum(total, 1.0)
    centre = (k + z2 / 2) / (size + z2)
    half = np.sqrt(z2 * (k * (size - k) / size + z2 / 4)) / (size + z2)
    low = np.where(k == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(k == total, 1.0, np.minimum(centre + half, 1.0))
    return _pair(low, high)


@overload
def clopper_pearson(failures: float, n: float, level: float = ...) -> tuple[float, float]: ...
@overload
def clopper_pearson(failures: Array, n: Array | float, level: float = ...) -> tuple[Floats, Floats]: ...
@overload
def clopper_pearson(failures: float, n: Array, level: float = ...) -> tuple[Floats, Floats]: ...
def clopper_pearson(failures: Array | float, n: Array | float, level: float = 0.95) -> tuple[Any, Any]:
    """Give the exact interval of a rate: each side misses with probability at most (1 - level) / 2, at every rate.

    Args:
        failures: whole numbers, 0 .. n.
        n: whole numbers of draws, at least 0.
        level: least coverage, between 0 and 1, ends excluded.

    Returns:
        (low, high) within 0 .. 1; (0, 1) where n is 0; low is exactly 0 without failures, high exactly 1 when all fail.

    Raises:
        ValueError: a count is negative, not whole, or above n; or the level is not between 0 and 1.

    Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits", Biometrika 26 (1934).
    """
    k, total = _counts(failures, n)
    tail = (1.0 - _level(level)) / 2
    passes = total - k
    low = np.where(k == 0, 0.0, special.betaincinv(np.maximum(k, 1.0), passes + 1.0, tail))
    high = np.where(passes == 0, 1.0, special.betainccinv(k + 1.0, np.maximum(passes, 1.0), tail))
    return _pair(low, high)


@overload
def newcombe_paired(
    both: float, only_treat: float, only_control: float, neither: float, level: float = ...
) -> tuple[float, float]: ...
@overload
def newcombe_paired(
    both: Array, only_treat: Array, only_control: Array, neither: Array, level: float = ...
) -> tuple[Floats, Floats]: ...
def newcombe_paired(
    both: Array | float,
    only_treat: Array | float,
    only_control: Array | float,
    neither: Array | float,
    level: float = 0.95,
) -> tuple[Any, Any]:
    """Give an interval of the failure rate with the description minus the rate without it, on the same seeds.

    The Wilson limits of the two rates are joined as the square root of squares, with the correlation of the pairs.

    Args:
        both: pairs in which treat and control failed.
        only_treat: pairs in which treat alone failed.
        only_control: pairs in which control alone failed.
        neither: pairs in which both passed.
        level: wanted coverage, between 0 and 1, ends excluded.

    Returns:
        (low, high) within -1 .. 1; (-1, 1) where there is no pair.

    Raises:
        ValueError: a count is negative or not whole; or the level is not between 0 and 1.

    Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998), method 10.
    """
    return _pair(*_joined((both, only_treat, only_control, neither), level, wilson))


def paired_difference(pairs: tuple[float, float, float, float], level: float = 0.95) -> tuple[float, float]:
    """Give an interval of the same difference that covers at every rate: Newcombe's, from exact limits of the rates.

    With Wilson's limits the coverage at single rates falls to 90 %; with Clopper and Pearson's it is at least the level
    on every grid tried, for intervals a tenth wider.

    Args:
        pairs: how many failed in both, in treat alone, in control alone, in neither.
        level: least coverage, between 0 and 1, ends excluded.

    Returns:
        (low, high) within -1 .. 1; (-1, 1) where there is no pair.

    Raises:
        ValueError: as `newcombe_paired`.

    Source: Zou and Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008).
    """
    low, high = _joined(pairs, level, clopper_pearson)
    return float(low), float(high)


def independent_difference(
    treat: tuple[int, int], control: tuple[int, int], level: float = 0.95
) -> tuple[float, float]:
    """Give an interval of the difference of two rates of different images: Newcombe's, from exact limits of the rates.

    Its coverage is at least the level on every grid tried.

    Args:
        treat: (failures, n) with the description.
        control: (failures, n) without it, of other images.
        level: least coverage, between 0 and 1, ends excluded.

    Returns:
        (low, high) within -1 .. 1; (-1, 1) where one side has no image.

    Raises:
        ValueError: as `clopper_pearson`.

    Source: Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
    17 (1998), method 10; the exact limits as in `paired_difference`.
    """
    (a, n_a), (b, n_b) = treat, control
    (low_a, high_a), (low_b, high_b) = clopper_pearson(a, n_a, level), clopper_pearson(b, n_b, level)
    if not n_a or not n_b:
        return -1.0, 1.0
    rate_a, rate_b = a / n_a, b / n_b
    below = math.hypot(rate_a - low_a, high_b - rate_b)
    above = math.hypot(high_a - rate_a, rate_b - low_b)
    return max(rate_a - rate_b - below, -1.0), min(rate_a - rate_b + above, 1.0)


def _joined(
    counts: tuple[Array | float, ...], level: float, limits: Callable[..., tuple[Any, Any]]
) -> tuple[Array, Array]:
    """Join the limits of the two rates to those of their difference, with the correlation of the pairs."""
    cells = np.broadcast_arrays(*(np.asarray(count, dtype=np.float64) for count in counts))
    a, b, c, d = cells
    n = a + b + c + d
    for cell in cells:
        _counts(cell, n)
    size = np.maximum(n, 1.0)
    treat, control = (a + b) / size, (a + c) / size
    treat_low, treat_high = limits(a + b, n, level)
    control_low, control_high = limits(a + c, n, level)
    phi = _phi(a, b, c, d)
    below = _hypotenuse(treat - treat_low, control_high - control, phi)
    above = _hypotenuse(treat_high - treat, control - control_low, phi)
    difference = (b - c) / size
    low = np.where(n == 0, -1.0, np.maximum(difference - below, -1.0))
    high = np.where(n == 0, 1.0, np.minimum(difference + above, 1.0))
    return low, high


def paired_ratio(difference: tuple[float, float], control: tuple[float, float]) -> tuple[float, float]:
    """Give an interval of how many times as often treat fails as control, from that of their difference.

    The ratio is 1 + difference / control. So it exceeds 1 exactly where the difference exceeds 0, and holds wherever
    both intervals do, however the rates depend on each other, and at all times where both do.

    Args:
        difference: (low, high) of treat minus control, within -1 .. 1.
        control: (low, high) of the failure rate of the base prompt, within 0 .. 1; high above 0.

    Returns:
        (low, high), at least 0; high is infinite where the control rate may be 0 and the difference above it.

    Raises:
        ValueError: an interval is none, or the control's is 0 .. 0.
    """
    if not (-1.0 <= difference[0] <= difference[1] <= 1.0 and 0.0 <= control[0] <= control[1] <= 1.0 and control[1]):
        message = (
            f"expected a difference within -1 .. 1 and a rate within 0 .. 1 and not 0, got {difference}, {control}"
        )
        raise ValueError(message)
    (least, most), (rare, often) = difference, control
    # Nothing fails more often than always: a difference leaves the control rate no more than the rest.
    often = max(min(often, 1.0 - max(least, 0.0)), rare) or often
    low = 1.0 + (least / often if least >= 0.0 else least / rare if rare > 0.0 else -1.0)
    if most > 0.0:
        return max(low, 0.0), 1.0 + most / rare if rare > 0.0 else math.inf
    return max(low, 0.0), max(1.0 + most / often, 0.0)


def _phi(a: Array, b: Array, c: Array, d: Array) -> Floats:
    """Correlate the pairs; a positive correlation is moved half a pair towards 0; 0 where a margin is empty."""
    cross = a * d - b * c
    cross = np.where(cross > 0, np.maximum(cross - (a + b + c + d) / 2, 0.0), cross)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    phi: Floats = np.where(margins > 0, cross / np.sqrt(np.maximum(margins, 1.0)), 0.0)
    return phi


def _hypotenuse(first: Array, second: Array, phi: Floats) -> Floats:
    """Join two distances that are correlated."""
    side: Floats = np.sqrt(np.maximum(first**2 - 2 * phi * first * second + second**2, 0.0))
    return side


def _z(level: float) -> float:
    """Give the two-sided normal quantile of a level."""
    return float(special.ndtri((1.0 + _level(level)) / 2))


def _level(level: float) -> float:
    """Pass a level on, or say why not."""
    if not 0.0 < level < 1.0:
        message = f"a level must lie between 0 and 1, got {level!r}; 0.95 is usual"
        raise ValueError(message)
    return level


def _counts(failures: Array | float, n: Array | float) -> tuple[Floats, Floats]:
    """Pass counts on as floats, or say why not."""
    k = np.asarray(failures, dtype=np.float64)
    total = np.asarray(n, dtype=np.float64)
    if not (np.all(np.isfinite(k) & (k == np.floor(k))) and np.all(np.isfinite(total) & (total == np.floor(total)))):
        message = f"counts must be whole numbers, got {failures!r} of {n!r}"
        raise ValueError(message)
    if np.any(k < 0) or np.any(k > total):
        message = f"failures must lie between 0 and n, got {failures!r} of {n!r}"
        raise ValueError(message)
    return k, total


def _pair(low: Array, high: Array) -> tuple[Any, Any]:
    """Give floats for scalars, arrays for arrays."""
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)
