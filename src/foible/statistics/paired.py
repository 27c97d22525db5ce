"""Exact tests of treat against control on the same seeds, at a number of pairs that was fixed beforehand.

Comes in: how many pairs failed in treat alone, how many in control alone, and how many pairs there were. Goes out: a
one-sided p-value, small where the description raises the failure rate by more than the margin. Neighbours:
`evidence.py` has evidence that may be looked at after every draw; `multiplicity.py` joins many p-values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Complexes = NDArray[np.complex128]
    Floats = NDArray[np.float64]

_CELLS = 24
"""Cells over the nuisance rate, and again within each cell that may hold the supremum: 576 in effect. At n = 40 they
make the p-value larger than the true supremum by about 2 %."""

_CLOSE = 1e-4
"""How near the bound of a difference is to the largest margin that is refuted."""

_ROUNDING = 1e-13
"""Times n: more than the rounding error of a tail sum; added, so that rounding never makes a p-value too small."""


@lru_cache(maxsize=65536)
def paired_margin_p(only_treat: int, only_control: int, n: int, margin: float, gamma: float = 1e-4) -> float:
    """Test that the description raises the failure rate by at most the margin; exact for every rate.

    Each pair is treat alone failed (rate p10), control alone failed (rate p01), or neither of these. The null is
    p10 - p01 <= margin; the statistic is T = only_treat - only_control; p01 is a nuisance. Why the p-value holds:

    1. P(T >= t) grows with p10 and falls with p01, since moving probability from "neither" to one of them moves T one
       way. So each point of the null is dominated by one with p10 = p01 + margin and p01 <= (1 - margin) / 2: raise
       p10 until the margin is met, or until the rates sum to 1 and then lower p01 along that edge.
    2. With probability at least 1 - gamma, p01 is below its Clopper-Pearson bound U (Berger and Boos). So the largest
       tail over p01 in 0 .. min(U, (1 - margin) / 2) plus gamma is a valid p-value. A null with p01 above
       (1 - margin) / 2 is dominated by that end, which is searched whenever U is above it.
    3. The supremum is bounded, not sampled: for p01 in a cell a .. b the tail is at most that at p10 = b + margin,
       p01 = a, by the monotony of 1. The largest of these corners is never below the supremum. Cells whose corner is
       below a tail that is attained elsewhere cannot hold it; the others are cut finer once, where it matters.

    Args:
        only_treat: pairs in which treat alone failed, at least 0.
        only_control: pairs in which control alone failed, at least 0.
        n: pairs in all, at least `only_treat + only_control`; fixed before the first was seen.
        margin: 0 <= margin < 1.
        gamma: chance given to the bound on the nuisance; no p-value is smaller than it.

    Returns:
        p-value in gamma .. 1; 1 without pairs. It falls with `only_treat` and grows with `only_control`.

    Raises:
        ValueError: the counts, the margin or gamma are out of range.

    Source: Berger and Boos, "P values maximized over a confidence set for the nuisance parameter", JASA 89 (1994).
    """
    _check(only_treat, only_control, n, margin, gamma)
    if n == 0:
        return 1.0
    bound = 1.0 if only_control == n else float(special.betainccinv(only_control + 1, n - only_control, gamma))
    t = only_treat - only_control
    edges = np.linspace(0.0, min(bound, (1.0 - margin) / 2), _CELLS + 1)
    corners = _tail(n, t, edges[1:] + margin, edges[:-1])
    attained = _tail(n, t, edges + margin, edges).max()
    if corners.max() <= gamma / 100:
        return float(corners.max()) + _ROUNDING * n + gamma
    left = edges[:-1][corners >= attained - _ROUNDING * n]
    finer = left[:, None] + np.linspace(0.0, edges[1], _CELLS + 1)
    corners = _tail(n, t, finer[:, 1:].ravel() + margin, finer[:, :-1].ravel())
    return min(1.0, float(corners.max()) + _ROUNDING * n + gamma)


def paired_lower(only_treat: int, only_control: int, n: int, margin: float, risk: float) -> float:
    """Give the largest margin that `paired_margin_p` refutes at a risk of error: a one-sided bound of the difference.

    The p-value grows with the margin, since a larger margin allows more; so all below what is refuted is refuted.

    Args:
        only_treat: pairs in which treat alone failed, at least 0.
        only_control: pairs in which control alone failed, at least 0.
        n: pairs in all; fixed before the first was seen.
        margin: one that is refuted at this risk.
        risk: the chance, at most, that the true difference is smaller; between 0 and 1.

    Returns:
        margin .. 1, right to 1e-4 and never too large.

    Raises:
        ValueError: as `paired_margin_p`.
    """
    refuted, left = margin, 1.0
    while left - refuted > _CLOSE:
        middle = (refuted + left) / 2
        held = paired_margin_p(only_treat, only_control, n, middle) <= risk
        refuted, left = (middle, left) if held else (refuted, middle)
    return refuted


def mcnemar_p(only_treat: int, only_control: int) -> float:
    """Test that the description raises the failure rate at all: exact McNemar, one-sided.

    Given the number of pairs that differ, the null says that each of them is a fair coin.

    Args:
        only_treat: pairs in which treat alone failed, at least 0.
        only_control: pairs in which control alone failed, at least 0.

    Returns:
        P(X >= only_treat) for X ~ Binomial(only_treat + only_control, 1/2): in 0 .. 1, and 1 where no pair differs.

    Raises:
        ValueError: a count is negative.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947).
    """
    if min(only_treat, only_control) < 0:
        message = f"counts must be at least 0, got {only_treat} and {only_control}"
        raise ValueError(message)
    return 1.0 if only_treat == 0 else float(special.betainc(only_treat, only_control + 1, 0.5))


def _tail(n: int, t: int, p10: Floats, p01: Floats) -> Floats:
    """Give P(T >= t) for each pair of rates, for T the sum of n independent steps of +1 (p10), -1 (p01) or 0.

    T + n lies in 0 .. 2n, so its distribution is the inverse discrete Fourier transform, over 2n + 1 points, of its
    characteristic function, and a tail is one weighted sum of it. Exact up to rounding.
    """
    size = 2 * n + 1
    first = max(t, -n)
    angle = 2 * np.pi * np.arange(n + 1) / size
    turn = np.exp(-1j * angle)
    upper = np.empty(n + 1, dtype=np.complex128)  # the sum of turn**s over s = first .. n
    upper[0] = n + 1 - first
    upper[1:] = 2 * (turn[1:] ** first - turn[1:] ** (n + 1)) / (1.0 - turn[1:])  # twice: the conjugate half circle
    step = 1.0 - np.outer(p10 + p01, 1.0 - np.cos(angle)) + 1j * np.outer(p10 - p01, np.sin(angle))
    tail: Floats = (_power(step, n) @ upper).real / size
    return np.clip(tail, 0.0, 1.0)


def _power(base: Complexes, exponent: int) -> Complexes:
    """Raise to a whole power by squaring: several times faster than NumPy's power of complex numbers."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base
        base, exponent = base * base, exponent >> 1
    return result


def _check(only_treat: int, only_control: int, n: int, margin: float, gamma: float) -> None:
    """Say what is out of range."""
    if min(only_treat, only_control) < 0 or only_treat + only_control > n:
        message = f"pairs that differ must be at least 0 and at most n, got {only_treat} and {only_control} of {n}"
        raise ValueError(message)
    if not 0.0 <= margin < 1.0:
        message = f"the margin must be at least 0 and below 1, got {margin!r}"
        raise ValueError(message)
    if not 0.0 < gamma < 1.0:
        message = f"gamma must lie between 0 and 1, got {gamma!r}"
        raise ValueError(message)
