"""Evidence and intervals for finite sets, from which images are taken without replacement.

Comes in: how many images of a set were looked at, how many of them failed, and how many there are. Goes out: log
e-values and confidence sequences that grow sharper as the set runs out, and are exact when it has. Neighbours:
`evidence.py` is for a source without end; `multiplicity.py` joins the e-values of many hypotheses; what they are used
for: `design/0016-finite-sets.md`.

Two questions are told apart. *Is it so in this set?* (`log_difference`): the failure rate of the images with an
attribute exceeds that of the others by more than a margin. When all are looked at that is known, and the evidence is
infinite or none. *Could chance have put it there?* (`log_association`): if the attribute has nothing to do with
failing, the failures lie in the set like red balls in an urn, and those among the images with the attribute are drawn
without replacement.

Source: Waudby-Smith and Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 33 (2020), for the
ratio of prior and posterior; Fisher, "The logic of inductive inference", J. R. Statist. Soc. 98 (1935), for the
conditional distribution; Grünwald, de Heide and Koolen, "Safe testing", JRSS B 86 (2024), for e-values as mixtures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PRIOR = 0.5
"""Of the beta distribution that is mixed over: Jeffreys' prior, as for a source without end."""
_ODDS = np.linspace(0.5, 6.0, 23)
"""Log odds ratios that the evidence of an association is mixed over, in equal parts: from 1.6 to 400 times the odds."""


class Sample(NamedTuple):
    """What is known of one kind of image in a set."""

    failures: int
    """Of those looked at; 0 .. n."""
    n: int
    """Looked at; 0 .. size."""
    size: int
    """In the set."""


class Stratum(NamedTuple):
    """The images of one label, all looked at: those with an attribute, and the others."""

    treat_failures: int
    treat: int
    control_failures: int
    control: int


def set_rate(sample: Sample, level: float = 0.95) -> tuple[float, float]:
    """Give an interval of the failure rate of a finite set that holds at all times at once.

    Holds every number of failures in the set against which a gambler who spreads wealth over all numbers by a
    beta-binomial prior has not reached 1 / (1 - level). One point when all are looked at.

    Args:
        sample: the images looked at, in an order that says nothing of them, and how many there are.
        level: the chance, at least, that the true rate is inside after every image; between 0 and 1.

    Returns:
        (low, high) within 0 .. 1; (0, 1) for an empty set.

    Raises:
        ValueError: the counts cannot be, or the level is out of range.
    """
    held = np.flatnonzero(_log_ratio(sample) < _bar(level))
    if not sample.size:
        return 0.0, 1.0
    return float(held[0] / sample.size), float(held[-1] / sample.size)


def set_difference(treat: Sample, control: Sample, level: float = 0.95) -> tuple[float, float]:
    """Give an interval of the difference of the rates of two finite sets that holds at all times at once.

    Holds every pair of numbers of failures that the product of both gamblers' wealth has not refuted.

    Args:
        treat: the images with the attribute.
        control: the images without it; both sampled in an order that says nothing of them.
        level: the chance, at least, that the true difference (treat minus control) is inside; between 0 and 1.

    Returns:
        (low, high) within -1 .. 1; (-1, 1) where one of the sets is empty.

    Raises:
        ValueError: the counts cannot be, or the level is out of range.
    """
    with_it, without = _log_ratio(treat), _log_ratio(control)
    if not treat.size or not control.size:
        return -1.0, 1.0
    left = _bar(level) - without
    most = _ends(with_it, left, last=True) / treat.size - np.arange(len(without)) / control.size
    least = _ends(with_it, left, last=False) / treat.size - np.arange(len(without)) / control.size
    return float(np.nanmin(least)), float(np.nanmax(most))


def log_difference(treat: Sample, control: Sample, margin: float) -> float:
    """Weigh the evidence that, in this set, the images with an attribute fail more often by more than a margin.

    The null: of the whole set, rate with the attribute - rate without it <= margin. The evidence is the smallest
    product of both gamblers' wealth over all numbers of failures for which the null holds; it may be looked at after
    every image.

    Args:
        treat: the images with the attribute.
        control: the images without it; both sampled in an order that says nothing of them.
        margin: -1 < margin < 1.

    Returns:
        Natural logarithm of an e-value; infinite where what was looked at leaves the null no room; at most 0 for an
        empty set.

    Raises:
        ValueError: the counts cannot be, or the margin is out of range.
    """
    if not -1.0 < margin < 1.0:
        message = f"the margin must lie between -1 and 1, got {margin!r}"
        raise ValueError(message)
    with_it, without = _log_ratio(treat), _log_ratio(control)
    if not treat.size or not control.size:
        return 0.0
    # The largest number of failures with the attribute that the null allows beside each number without it; what
    # rounding cannot tell from the margin counts as the null.
    allowed = np.floor(treat.size * (margin + np.arange(len(without)) / control.size) + 1e-9).astype(np.int64)
    best = np.minimum.accumulate(with_it)
    room = allowed >= 0
    least = best[np.minimum(allowed[room], treat.size)] + without[room]
    return float(least.min()) if least.size else np.inf


def log_association(strata: Sequence[Stratum]) -> float:
    """Weigh the evidence that failing goes with an attribute, within labels.

    The null: within each stratum the failures lie among the images as chance has it. Given how many there are, those
    among the images with the attribute follow the hypergeometric distribution, whatever the rate; the evidence is the
    mean, over odds ratios above 1, of Fisher's noncentral distribution over it. Its expectation is exactly 1 under the
    null, for numbers of images that do not depend on what failed.

    Args:
        strata: one for each label.

    Returns:
        Natural logarithm of an e-value; 0 where no stratum can tell.

    Raises:
        ValueError: the counts cannot be.
    """
    return float(special.logsumexp(_each(strata).sum(axis=0)) - np.log(len(_ODDS)))


def log_association_beyond(strata: Sequence[Stratum]) -> float:
    """Weigh the evidence that failing goes with an attribute in more than one label.

    The least of `log_association` with one stratum left out, whichever it is: so no label alone makes the evidence.

    Args:
        strata: one for each label.

    Returns:
        Natural logarithm of an e-value against "within all strata but one, the failures lie as chance has it"; 0 for
        one stratum.

    Raises:
        ValueError: the counts cannot be.
    """
    each = _each(strata)
    left = each.sum(axis=0) - each
    return float(special.logsumexp(left, axis=1).min(initial=np.inf) - np.log(len(_ODDS))) if len(strata) else 0.0


def _each(strata: Sequence[Stratum]) -> Floats:
    """Give, by stratum and odds ratio, the log of Fisher's noncentral probability over the central one."""
    each = np.zeros((len(strata), len(_ODDS)))
    for row, one in enumerate(strata):
        a, n_a, b, n_b = one
        if not (0 <= a <= n_a and 0 <= b <= n_b):
            message = f"expected failures within 0 .. n on both sides, got {one!r}"
            raise ValueError(message)
        failures, low = a + b, max(0, a + b - n_b)
        support = np.arange(low, min(failures, n_a) + 1)
        ways = _choose(n_a, support) + _choose(n_b, failures - support)
        ways -= special.logsumexp(ways)
        each[row] = a * _ODDS - special.logsumexp(ways + _ODDS[:, None] * support, axis=1)
    return each


def _log_ratio(sample: Sample) -> Floats:
    """Give, for each number of failures in the set, 0 .. size, the log of the wealth of the gambler against it.

    That is the prior over the posterior, which is the mixed likelihood of what was seen over its likelihood: the
    probability of the order in which failures came is C(N - n, K - k) / C(N, K).
    """
    k, n, size = sample
    if not (0 <= k <= n <= size):
        message = f"expected failures of n of size images, 0 <= failures <= n <= size, got {sample!r}"
        raise ValueError(message)
    held = np.arange(size + 1)
    mixed = special.betaln(k + _PRIOR, n - k + _PRIOR) - special.betaln(_PRIOR, _PRIOR)
    possible = (held >= k) & (held <= size - n + k)
    likely = np.full(size + 1, -np.inf)
    likely[possible] = _choose(size - n, held[possible] - k) - _choose(size, held[possible])
    found: Floats = np.where(possible, mixed - likely, np.inf)
    return found


def _ends(ratios: Floats, below: Floats, *, last: bool) -> Floats:
    """Give the first, or the last, place at which the ratios lie below each bound; NaN where none does.

    The ratios fall to one least value and rise from there, since the likelihood has one peak.
    """
    order = ratios[::-1] if last else ratios
    # From the end that is asked for, the least of all so far falls: the first place below a bound is found by search.
    falling = np.minimum.accumulate(order)
    places = np.searchsorted(-falling, -below, side="right").astype(np.float64)
    places[places == len(ratios)] = np.nan
    return len(ratios) - 1 - places if last else places


def _choose(n: int, k: NDArray[np.int64]) -> Floats:
    """Give the log of the number of ways to choose k of n."""
    found: Floats = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return found


def _bar(level: float) -> float:
    """Give the log-wealth that refutes at a level."""
    if not 0.0 < level < 1.0:
        message = f"a level must lie between 0 and 1, got {level!r}; 0.95 is usual"
        raise ValueError(message)
    return float(-np.log1p(-level))
