"""Evidence that may be looked at after every pair, and intervals that hold at all times at once.

Comes in: how often treat minus control was -1, 0 and +1 on pairs of the same seed; nothing else, neither the order nor
when one looked. Goes out: log e-values and confidence sequences. Neighbours: `multiplicity.py` joins the e-values of
many hypotheses; `allocation.py` decides which to draw next, and no decision of it can make the evidence wrong;
`intervals.py` and `paired.py` are for a number of pairs that was fixed beforehand.

The evidence is the wealth of a gambler who starts with 1 and bets on each pair that treat minus control, D, exceeds the
margin m. A bet of x, 0 < x < 1, multiplies the wealth by 1 + x (D - m) / (1 + m): never below 0, and on average at most
1 where the mean of D is at most m. So the wealth is an e-value at any time at which one stops, and ever reaches 1 / a
with probability at most a (Ville). The wealth is split at the start over a fixed set of bets, each kept for ever: then
it depends on the three counts alone. Why so: `design/0004-evidence.md`.

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024); Robbins,
"Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41 (1970).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Floats = NDArray[np.float64]

_NODES = 32
_REST = ((np.arange(_NODES) + 0.5) / _NODES) ** 2
"""1 - x for each bet x: squares of an even grid, so that x follows Beta(1, 1/2). Bold bets are dense, since failures
that are worth finding are frequent. The mixture needs about a tenth more pairs than the best single bet would."""
_BETS = 1.0 - _REST

_HALVINGS = 40
"""Steps of bisection: the ends of a confidence sequence are right to 1e-12, and the error widens it."""


@overload
def log_evidence(minus: float, zero: float, plus: float, margin: float) -> float: ...
@overload
def log_evidence(minus: Array, zero: Array, plus: Array, margin: Array | float) -> Floats: ...
def log_evidence(minus: Array | float, zero: Array | float, plus: Array | float, margin: Array | float) -> Any:
    """Weigh the evidence that treat fails more often than control by more than the margin.

    The null: whatever was seen before, the mean of D = treat - control on the next pair is at most the margin.

    Args:
        minus: pairs in which control alone failed.
        zero: pairs in which both or neither failed.
        plus: pairs in which treat alone failed.
        margin: -1 < margin < 1. Arrays broadcast; of 10,000 hypotheses at one margin the update takes some 10 ms.

    Returns:
        Natural logarithm of an e-value; 0 without pairs. The order of the pairs does not matter.

    Raises:
        ValueError: a count is negative or not finite, or the margin is out of range.
    """
    lost, tied, won = _counts(minus, zero, plus)
    limit = np.asarray(margin, dtype=np.float64)
    if not np.all((limit > -1.0) & (limit < 1.0)):
        message = f"the margin must lie between -1 and 1, got {margin!r}"
        raise ValueError(message)
    log_wealth = _mixture(lost, tied, won, limit)
    return float(log_wealth) if log_wealth.ndim == 0 else log_wealth


@overload
def log_futility(minus: float, zero: float, plus: float, effect: float) -> float: ...
@overload
def log_futility(minus: Array, zero: Array, plus: Array, effect: Array | float) -> Floats: ...
def log_futility(minus: Array | float, zero: Array | float, plus: Array | float, effect: Array | float) -> Any:
    """Weigh the evidence that the difference is below an effect that would be worth finding.

    The null: the mean of D is at least `effect`. The other side of `log_evidence`, with treat and control swapped.

    Args:
        minus: pairs in which control alone failed.
        zero: pairs in which both or neither failed.
        plus: pairs in which treat alone failed.
        effect: -1 < effect < 1; above the margin, by as much as makes a bug worth having.

    Returns:
        Natural logarithm of an e-value; a large one says that no effect of this size is there.

    Raises:
        ValueError: a count is negative or not finite, or the effect is out of range.
    """
    return log_evidence(np.asarray(plus), np.asarray(zero), np.asarray(minus), -np.asarray(effect, dtype=np.float64))


@overload
def difference_sequence(minus: float, zero: float, plus: float, level: float = ...) -> tuple[float, float]: ...
@overload
def difference_sequence(minus: Array, zero: Array, plus: Array, level: float = ...) -> tuple[Floats, Floats]: ...
def difference_sequence(
    minus: Array | float, zero: Array | float, plus: Array | float, level: float = 0.95
) -> tuple[Any, Any]:
    """Give an interval of the difference of the rates that holds at all times at once.

    Holds every difference that neither side's evidence has refuted at 2 / (1 - level).

    Args:
        minus: pairs in which control alone failed.
        zero: pairs in which both or neither failed.
        plus: pairs in which treat alone failed.
        level: the chance, at least, that the true difference is inside after every pair; between 0 and 1.

    Returns:
        (low, high) within -1 .. 1, (-1, 1) without pairs; floats for scalars, arrays for arrays.

    Raises:
        ValueError: a count is negative or not finite, or the level is out of range.
    """
    m, z, p = _counts(minus, zero, plus)
    bar = np.log(2.0) + _log_bar(level)
    low, high = _lower(m, z, p, bar), -_lower(p, z, m, bar)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def difference_lower(minus: float, zero: float, plus: float, risk: float) -> float:
    """Give the largest difference of the rates that the evidence refutes at a risk of error: a one-sided bound.

    It holds at all times at once; of the same counts it exceeds a margin exactly where the e-value at that margin is at
    least 1 / risk.

    Args:
        minus: pairs in which control alone failed.
        zero: pairs in which both or neither failed.
        plus: pairs in which treat alone failed.
        risk: the chance, at most, that the true difference is ever smaller; between 0 and 1.

    Returns:
        -1 .. 1; -1 without pairs.

    Raises:
        ValueError: a count is negative or not finite, or the risk is out of range.
    """
    lost, tied, won = _counts(minus, zero, plus)
    return float(_lower(lost, tied, won, _log_bar(1.0 - risk)))


@overload
def rate_sequence(failures: float, n: float, level: float = ...) -> tuple[float, float]: ...
@overload
def rate_sequence(failures: Array, n: Array | float, level: float = ...) -> tuple[Floats, Floats]: ...
def rate_sequence(failures: Array | float, n: Array | float, level: float = 0.95) -> tuple[Any, Any]:
    """Give an interval of a failure rate that holds at all times at once.

    Holds every rate p against which a gambler who spreads wealth over all rates by Beta(1/2, 1/2) has not reached
    1 / (1 - level).

    Args:
        failures: 0 .. n.
        n: draws so far.
        level: the chance, at least, that the true rate is inside after every draw; between 0 and 1.

    Returns:
        (low, high) within 0 .. 1, (0, 1) without draws; floats for scalars, arrays for arrays.

    Raises:
        ValueError: a count is negative or not finite, failures exceed n, or the level is out of range.
    """
    fails, passes, total = np.broadcast_arrays(*_counts(failures, np.subtract(n, failures), n))
    mixed = special.betaln(fails + 0.5, passes + 0.5) - special.betaln(0.5, 0.5) - _log_bar(level)
    centre = fails / np.maximum(total, 1.0)

    def refuted(rate: Floats) -> NDArray[np.bool_]:
        held: NDArray[np.bool_] = mixed >= special.xlogy(fails, rate) + special.xlog1py(passes, -rate)
        return held

    low = np.where(fails == 0, 0.0, _bisect(refuted, np.zeros(centre.shape), centre))
    high = np.where(passes == 0, 1.0, _bisect(refuted, np.ones(centre.shape), centre))
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def growth(rate_treat: Array, rate_control: Array, margin: float) -> Floats:
    """Say by how much the log-evidence grows a pair, with the best bet, if treat and control failed independently.

    Args:
        rate_treat: failure rates with the description, 0 .. 1.
        rate_control: failure rates without it, 0 .. 1; broadcasts.
        margin: -1 < margin < 1.

    Returns:
        Natural logarithm a pair, at least 0: the evidence reaches e**6, say, after about 6 / growth pairs.
    """
    plus, minus = rate_treat * (1.0 - rate_control), (1.0 - rate_treat) * rate_control
    lose, stay, win = _log_factors(np.asarray(margin, dtype=np.float64))
    rest = 1.0 - plus - minus
    wealth = minus[..., None] * lose + rest[..., None] * stay + plus[..., None] * win
    best: Floats = np.maximum(wealth.max(axis=-1), 0.0)
    return best


def _mixture(minus: Floats, zero: Floats, plus: Floats, margin: Floats) -> Floats:
    """Give the log of the mean wealth over the bets; they lie on a last axis of their own."""
    lose, stay, win = _log_factors(margin)
    each = minus[..., None] * lose + zero[..., None] * stay + plus[..., None] * win
    most = each.max(axis=-1)
    mean: Floats = np.asarray(most + np.log(np.exp(each - most[..., None]).mean(axis=-1)))
    return mean


def _log_factors(margin: Floats) -> tuple[Floats, Floats, Floats]:
    """Give by what each bet multiplies the wealth when D is -1, 0 and +1, as logarithms; bets on the last axis."""
    share = _BETS / (1.0 + margin[..., None])
    stay = np.log1p(-share * margin[..., None])
    win = np.log1p(share * (1.0 - margin[..., None]))
    return np.log(_REST), stay, win


def _lower(minus: Floats, zero: Floats, plus: Floats, bar: float) -> Floats:
    """Give the largest margin that the evidence refutes, or -1: evidence falls with the margin, to 0 at the mean."""
    minus, zero, plus = np.broadcast_arrays(minus, zero, plus)
    mean = (plus - minus) / np.maximum(minus + zero + plus, 1.0)

    def refuted(margin: Floats) -> NDArray[np.bool_]:
        above = np.maximum(margin, -1.0 + 1e-9)  # at -1 a bet has no limit; a larger margin is refuted less
        held: NDArray[np.bool_] = _mixture(minus, zero, plus, above) >= bar
        return held

    return _bisect(refuted, np.full(mean.shape, -1.0), mean)


def _bisect(refuted: Callable[[Floats], NDArray[np.bool_]], outside: Floats, inside: Floats) -> Floats:
    """Narrow to where `refuted` turns false between a value that need not be inside and one that is; keep outside."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        out = refuted(middle)
        outside, inside = np.where(out, middle, outside), np.where(out, inside, middle)
    return np.asarray(outside)


def _counts(*given: Array | float) -> tuple[Floats, ...]:
    """Pass counts on as floats, or say why not."""
    counts = tuple(np.asarray(count, dtype=np.float64) for count in given)
    if not all(np.all(np.isfinite(count) & (count >= 0)) for count in counts):
        message = f"counts must be at least 0, got {', '.join(repr(count) for count in given)}"
        raise ValueError(message)
    return counts


def _log_bar(level: float) -> float:
    """Give the log-wealth that refutes at a level."""
    if not 0.0 < level < 1.0:
        message = f"a level must lie between 0 and 1, got {level!r}; 0.95 is usual"
        raise ValueError(message)
    return float(-np.log1p(-level))
