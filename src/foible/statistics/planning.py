"""What a number of draws can show, before any is made; and what remains possible when nothing was found.

Comes in: the effect one hopes for, the base rate, and how sure one wants to be. Goes out: numbers of draws, powers,
effects and bounds. Neighbours: `paired.py` is the test that `power` is of, `evidence.py` the evidence whose time
`expected_pairs` foretells. Treat and control are taken to fail independently on a seed; where they fail together, less
is needed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from foible.statistics.evidence import growth
from foible.statistics.paired import paired_margin_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_PAIRS = 1000
"""Beyond this many pairs a hypothesis, say that the effect cannot be seen rather than search on."""

_NEGLIGIBLE = 1e-8
"""Outcomes of less than this chance are left out of a power, which thereby is too small by less than 1e-4."""


def power(n: int, rate_treat: float, rate_control: float, margin: float, level: float = 0.05) -> float:
    """Give the chance that the exact paired test sees an effect.

    Args:
        n: pairs a hypothesis, at least 0.
        rate_treat: failure rate with the description, 0 .. 1.
        rate_control: failure rate of the base prompt, 0 .. 1.
        margin: 0 <= margin < 1.
        level: p-value that must be reached. Of K hypotheses with about k bugs Benjamini-Hochberg asks for about
            k / K times the false-discovery rate.

    Returns:
        Probability, right to 1e-4 and never too large.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(rate_treat, rate_control, level)
    if n == 0:
        return 0.0
    plus, minus = rate_treat * (1 - rate_control), (1 - rate_treat) * rate_control
    share = min(1.0, plus / (1 - minus)) if minus < 1 else 0.0
    chance = _binomial(n, minus)
    total, needed = 0.0, 0
    for lost in np.flatnonzero(chance > _NEGLIGIBLE).tolist():
        least = _least_plus(lost, n, margin, level, needed)
        if least is None:
            break  # nor beside more pairs lost
        needed = least
        total += float(chance[lost] * (special.bdtrc(needed - 1, n - lost, share) if needed > 0 else 1.0))
    return min(total, 1.0)


def pairs_needed(
    rate_treat: float, rate_control: float, margin: float, level: float = 0.05, wanted: float = 0.9
) -> int | None:
    """Give the pairs a hypothesis with which the exact paired test sees an effect with the wanted chance.

    Power does not grow evenly with n, since counts are whole; given is the end of a bisection to 2 %.

    Args:
        rate_treat: failure rate with the description, 0 .. 1.
        rate_control: failure rate of the base prompt, 0 .. 1.
        margin: 0 <= margin < 1.
        level: p-value that must be reached; see `power`.
        wanted: chance of seeing the effect, between 0 and 1.

    Returns:
        Pairs, at most 2 % more than needed, or None where more than 1,000 would be needed.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(rate_treat, rate_control, level)
    _check_share(wanted)
    if rate_treat - rate_control <= margin:
        return None
    short, enough = 0, _guess(rate_treat, rate_control, margin, level, wanted)
    while enough <= _MOST_PAIRS and power(enough, rate_treat, rate_control, margin, level) < wanted:
        short, enough = enough, enough + enough // 4 + 1
    if enough > _MOST_PAIRS:
        return None
    while enough - short > 1 + enough // 50:
        middle = max((short + enough) // 2, enough - enough // 4 - 1)
        if power(middle, rate_treat, rate_control, margin, level) >= wanted:
            enough = middle
        else:
            short = middle
    return enough


def smallest_effect(
    n: int, rate_control: float, margin: float, level: float = 0.05, wanted: float = 0.9
) -> float | None:
    """Give the smallest failure rate with the description that a number of pairs shows with the wanted chance.

    Args:
        n: pairs a hypothesis, at least 0.
        rate_control: failure rate of the base prompt, 0 .. 1.
        margin: 0 <= margin < 1.
        level: p-value that must be reached; see `power`.
        wanted: chance of seeing the effect, between 0 and 1.

    Returns:
        Failure rate (not the difference), right to 0.001 and enough; None where even a rate of 1 is not shown.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(1.0, rate_control, level)
    _check_share(wanted)
    if power(n, 1.0, rate_control, margin, level) < wanted:
        return None
    short, enough = min(1.0, rate_control + margin), 1.0
    while enough - short > 1e-3:  # noqa: PLR2004 - the promised accuracy
        middle = (short + enough) / 2
        if power(n, middle, rate_control, margin, level) >= wanted:
            enough = middle
        else:
            short = middle
    return enough


def expected_pairs(rate_treat: float, rate_control: float, margin: float, e_value: float) -> float:
    """Foretell the pairs after which sequential evidence confirms a hypothesis, roughly.

    The evidence needed over its growth a pair; a tenth is added for bets that turn out too small or too bold.

    Args:
        rate_treat: failure rate with the description, 0 .. 1.
        rate_control: failure rate of the base prompt, 0 .. 1.
        margin: -1 < margin < 1.
        e_value: what must be reached, above 1. Of K hypotheses with k bugs, e-BH asks for K / (k level).

    Returns:
        Pairs, at least 1; infinite where the effect is not above the margin.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(rate_treat, rate_control, 0.5)
    if not e_value > 1.0:
        message = f"the e-value to reach must be above 1, got {e_value!r}"
        raise ValueError(message)
    pace = float(growth(np.asarray(rate_treat), np.asarray(rate_control), margin))
    return max(1.0, 1.1 * float(np.log(e_value)) / pace) if pace > 0.0 else float("inf")


def bound_without_failure(n: int, level: float = 0.95, hypotheses: int = 1) -> float:
    """Bound a failure rate after n draws without a failure: the exact "rule of three".

    Args:
        n: draws, at least 0, none of which failed; fixed beforehand.
        level: chance, at least, that the bound holds; for all hypotheses together.
        hypotheses: how many were each drawn n times without a failure, at least 1.

    Returns:
        The largest rate that is not refuted: 1 - (1 - level)^(1/n) for one hypothesis, about 3 / n at 95 %; 1 where n
        is 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983); Bonferroni for
    several hypotheses.
    """
    _check_share(level)
    if n < 0 or hypotheses < 1:
        message = f"expected at least 0 draws and 1 hypothesis, got {n} and {hypotheses}"
        raise ValueError(message)
    return float(-np.expm1(np.log((1.0 - level) / hypotheses) / n)) if n else 1.0


def _guess(rate_treat: float, rate_control: float, margin: float, level: float, wanted: float) -> int:
    """Give the pairs that would be needed if the difference were normal: where to begin the search."""
    plus, minus = rate_treat * (1 - rate_control), (1 - rate_treat) * rate_control
    spread = np.sqrt(max(plus + minus - (plus - minus) ** 2, 0.01))
    steps = special.ndtri(wanted) - special.ndtri(level)
    return 1 + int(min((max(steps, 0.0) * spread / (rate_treat - rate_control - margin)) ** 2, 2.0 * _MOST_PAIRS))


@lru_cache(maxsize=65536)
def _least_plus(minus: int, n: int, margin: float, level: float, at_least: int) -> int | None:
    """Give how many pairs must fail in treat alone, beside `minus` in control alone, for a p-value at the level.

    Beside fewer in control alone, `at_least` were needed: not fewer now, and probably few more.
    """
    short, enough, step = at_least - 1, n - minus, 2
    if enough < at_least or paired_margin_p(enough, minus, n, margin) > level:
        return None
    while enough - short > 1:
        middle = min(short + step, (short + enough + 1) // 2)
        if paired_margin_p(middle, minus, n, margin) <= level:
            enough, step = middle, 1
        else:
            short, step = middle, step * 2
    return enough


def _binomial(n: int, p: float) -> NDArray[np.float64]:
    """Give the binomial probabilities of 0 .. n."""
    k = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.exp(ways + special.xlogy(k, p) + special.xlog1py(n - k, -p))


def _check(rate_treat: float, rate_control: float, level: float) -> None:
    """Say which rate or level is out of range."""
    if not (0.0 <= rate_treat <= 1.0 and 0.0 <= rate_control <= 1.0):
        message = f"failure rates must lie in 0 .. 1, got {rate_treat!r} and {rate_control!r}"
        raise ValueError(message)
    _check_share(level)


def _check_share(share: float) -> None:
    """Say when a level or a wanted chance is out of range."""
    if not 0.0 < share < 1.0:
        message = f"levels and wanted chances must lie between 0 and 1, got {share!r}"
        raise ValueError(message)
