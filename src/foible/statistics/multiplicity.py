"""Many hypotheses at once: which may be called bugs so that few of those called are false.

Comes in: one p-value or one e-value for every hypothesis that was ever tried, in any order. Goes out: adjusted
p-values, or a mask. Neighbours: `paired.py` makes the p-values, `evidence.py` the e-values, each from one hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that calling those at most q holds the false-discovery rate at q.

    Holds where the p-values are independent or positively dependent, as where hypotheses share control draws.

    Args:
        p: p-values in 0 .. 1, one for every hypothesis tried; may be empty.

    Returns:
        Adjusted p-values in 0 .. 1, same order and length; each at least its p-value.

    Raises:
        ValueError: a p-value is outside 0 .. 1 or not a number, or the input is not one-dimensional.

    Source: Benjamini and Hochberg, "Controlling the False Discovery Rate", JRSS B 57 (1995); Benjamini and Yekutieli,
    Annals of Statistics 29 (2001) for the dependence.
    """
    values = _vector(p)
    if not np.all((values >= 0.0) & (values <= 1.0)):
        message = f"p-values must lie in 0 .. 1, got {values.min()!r} .. {values.max()!r}"
        raise ValueError(message)
    return np.asarray(stats.false_discovery_control(values, method="bh"), dtype=np.float64)


def e_benjamini_hochberg(e: ArrayLike, level: float) -> NDArray[np.bool_]:
    """Say which hypotheses may be called, from e-values, with the false-discovery rate held at the level.

    Of K hypotheses the k with the largest e-values are called, for the largest k whose k-th e-value is at least
    K / (k level). Holds under any dependence of the e-values, and at any time at which one stops.

    Args:
        e: e-values, at least 0 (infinity allowed), one for every hypothesis tried; may be empty.
        level: false-discovery rate, between 0 and 1, ends excluded.

    Returns:
        Mask of the same length: true where the hypothesis may be called.

    Raises:
        ValueError: an e-value is negative or not a number, the input is not one-dimensional, or the level is not
            between 0 and 1.

    Source: Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84 (2022).
    """
    values = _vector(e)
    if not np.all(values >= 0.0):
        message = "e-values must be at least 0"
        raise ValueError(message)
    if not 0.0 < level < 1.0:
        message = f"the level must lie between 0 and 1, got {level!r}"
        raise ValueError(message)
    count = len(values)
    falling = np.sort(values)[::-1]
    enough = np.flatnonzero(falling * np.arange(1, count + 1) * level >= count)
    if len(enough) == 0:
        return np.zeros(count, dtype=np.bool_)
    return np.asarray(values >= falling[enough[-1]], dtype=np.bool_)


def e_adjusted(log_e: ArrayLike) -> NDArray[np.float64]:
    """Adjust e-values: the smallest level at which e-BH would call each hypothesis.

    Args:
        log_e: natural logarithms of e-values, one for every hypothesis tried; may be empty.

    Returns:
        Levels in 0 .. 1 of the same length; a hypothesis may be called at a level exactly when its own is at most that.

    Raises:
        ValueError: a logarithm is not a number, or the input is not one-dimensional.

    Source: as `e_benjamini_hochberg`.
    """
    values = _vector(log_e)
    count = len(values)
    if count == 0:
        return values
    order = np.argsort(-values, kind="stable")
    levels = np.exp(np.minimum(np.log(count) - np.log(np.arange(1, count + 1)) - values[order], 0.0))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(levels[::-1])[::-1]
    return adjusted


def _vector(values: ArrayLike) -> NDArray[np.float64]:
    """Pass one-dimensional numbers on as an array of floats, or say why not."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        message = f"expected a one-dimensional array, got shape {array.shape}"
        raise ValueError(message)
    if np.isnan(array).any():
        message = "expected numbers, got NaN: leave a hypothesis that has no evidence in, with p = 1 or e = 1"
        raise ValueError(message)
    return array
