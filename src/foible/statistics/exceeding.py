"""Which of many rates surely lie above one bound, and whether one rate lies above another.

Comes in: counts of numbers of draws that were fixed beforehand. Goes out: a mask, p-values. Neighbours: `intervals.py`
says where a single rate may lie; `multiplicity.py` holds a rate of false discoveries, where this holds the chance of
any; `paired.py` compares rates over the same seeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def surely_above(failures: ArrayLike, n: ArrayLike, bound: float, level: float) -> NDArray[np.bool_]:
    """Say which failure rates are surely above a bound: the chance that any is named wrongly is at most the level.

    The exact one-sided binomial test of each rate, with Holm's step-down correction over all of them, which holds
    however they depend on each other. It supposes that bound and numbers of draws were fixed before any draw was seen.

    Args:
        failures: whole numbers, 0 .. n, one for each rate; may be empty.
        n: whole numbers of draws, at least 0.
        bound: a rate is of interest above it; 0 .. 1.
        level: between 0 and 1, ends excluded.

    Returns:
        Mask of the same length. A rate without a draw is never named, nor is any where the bound is 1.

    Raises:
        ValueError: a count is negative or above n, or bound or level is outside its range.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 6 (1979).
    """
    k, total = np.atleast_1d(np.asarray(failures, dtype=np.float64)), np.atleast_1d(np.asarray(n, dtype=np.float64))
    if k.shape != total.shape or k.ndim != 1 or not np.all((k >= 0) & (k <= total)):
        message = f"expected failures within 0 .. n for each rate, got {failures!r} of {n!r}"
        raise ValueError(message)
    if not 0.0 <= bound <= 1.0 or not 0.0 < level < 1.0:
        message = f"expected a bound of 0 .. 1 and a level between 0 and 1, got {bound!r} and {level!r}"
        raise ValueError(message)
    p: NDArray[np.float64] = np.asarray(stats.binom.sf(k - 1, total, bound), dtype=np.float64)
    return np.asarray(holm(p) <= level, dtype=np.bool_)


def higher_p(failures: int, n: int, other_failures: int, other_n: int) -> float:
    """Return the p-value of "the first rate is not above the other", from draws on seeds of their own.

    Fisher's exact one-sided test: given how many of all draws failed, so many of the first fall out by chance.

    Args:
        failures: of the first, 0 .. n.
        n: draws of the first; 0 gives 1.
        other_failures: of the other, 0 .. other_n.
        other_n: draws of the other; 0 gives 1.

    Raises:
        ValueError: a count is negative or above its number of draws.
    """
    if not 0 <= failures <= n or not 0 <= other_failures <= other_n:
        message = f"expected failures within 0 .. n, got {failures} of {n} and {other_failures} of {other_n}"
        raise ValueError(message)
    if not n or not other_n:
        return 1.0
    return float(stats.hypergeom.sf(failures - 1, n + other_n, failures + other_failures, n))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that calling those at most q holds the chance that any is called wrongly at q.

    Holds however they depend on each other.

    Args:
        p: p-values in 0 .. 1; may be empty.

    Returns:
        Adjusted p-values in 0 .. 1, same order and length; each at least its p-value.

    Source: as `surely_above`.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.minimum(values[order] * np.arange(len(values), 0, -1), 1.0)
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(raised)
    return adjusted
