"""Which hypotheses to draw next, and which to give up: where the next draws are expected to buy the most bugs.

Comes in: the tally of every hypothesis that was ever tried, and what was believed before the first draw. Goes out: what
each is worth, and the indices to draw next. Neighbours: `evidence.py` alone says what may be claimed. What is believed
here decides where draws are spent, never what is confirmed, so a wrong belief costs draws and no validity, as long as a
choice knows nothing of the draws that it chooses: a round's control draws have seeds of their own.

A hypothesis is worth the bugs it is expected to yield a draw. To go on with one costs, for a bug, the pairs until its
evidence suffices, and for anything else the pairs until it is given up: about one failure's wait. The inverse is its
price, in pairs a bug; the cheapest are drawn first, and the hunt is over when none is below the price one would pay.
That is the index of a bandit whose arms pay once, for a two-point look ahead.

Source: Gittins, "Bandit processes and dynamic allocation indices", JRSS B 41 (1979), for the index; Robbins, "An
empirical Bayes approach to statistics" (1956), for the share of bugs, which is learnt from all hypotheses together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from foible.statistics.evidence import growth, log_evidence
from foible.statistics.multiplicity import e_adjusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BUGS = (np.arange(24) + 0.5) / 24
"""Rates of a bug, from the margin above the base rate (0) to 1 (1): all alike before the first draw."""

_OTHERS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
_OTHERS_SHARE = np.array([0.6, 0.1, 0.1, 0.1, 0.1])
"""Rates of anything else, from the base rate (0) to the margin above it (1): mostly the base rate."""

_LEARNING = 6
"""Steps of expectation-maximisation towards the share of bugs."""

_PRIOR_WEIGHT = 20.0
"""Hypotheses that the prior share of bugs counts for against what the draws say."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a hunt wants, and what it would pay for it."""

    margin: float
    """By how much the failure rate must exceed the base rate: 0 <= margin < 1."""
    level: float = 0.05
    """False-discovery rate over all hypotheses tried: between 0 and 1."""
    price: float = 300.0
    """Pairs that one more bug is worth; a hypothesis with a higher price is given up. At least 1; may be infinite."""
    least: int = 4
    """Pairs that every hypothesis gets before it may be given up, whatever is believed of it. At least 0."""

    def __post_init__(self) -> None:
        """Say what is out of range."""
        if not 0.0 <= self.margin < 1.0:
            message = f"the margin must be at least 0 and below 1, got {self.margin!r}"
            raise ValueError(message)
        if not 0.0 < self.level < 1.0:
            message = f"the level must lie between 0 and 1, got {self.level!r}"
            raise ValueError(message)
        if not self.price >= 1.0:
            message = f"the price must be at least 1 pair a bug, got {self.price!r}"
            raise ValueError(message)
        if self.least < 0:
            message = f"the least number of pairs must be at least 0, got {self.least!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was drawn so far, one element for every hypothesis that was ever tried."""

    minus: NDArray[Any]
    """Pairs in which control alone failed."""
    plus: NDArray[Any]
    """Pairs in which treat alone failed."""
    both: NDArray[Any]
    """Pairs in which both failed."""
    neither: NDArray[Any]
    """Pairs in which both passed."""
    base: Floats
    """Failure rate of the base prompt as believed so far, 0 .. 1, from whatever is known."""
    chance: Floats
    """Chance of being a bug as believed before the first pair, 0 .. 1; only the odds between hypotheses matter much."""
    void: NDArray[np.bool_] | None = None
    """Whose evidence must not count, as things stand: an e-value of 0. None for nobody's."""
    closed: NDArray[np.bool_] | None = None
    """Which may get no further pair, whatever they are worth. None for none."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What each hypothesis looks like now, in the order of the tally."""

    pairs: Floats
    """How many it was tested on."""
    evidence: Floats
    """Natural logarithm of its e-value."""
    confirmed: NDArray[np.bool_]
    """Whether it is called by e-BH at the level, over all hypotheses; never where its evidence is void."""
    bug: Floats
    """Chance that it is a bug, as believed now."""
    price: Floats
    """Pairs that a bug costs by going on with it, as believed now; infinite without hope."""
    closed: NDArray[np.bool_]
    """Which may get no further pair."""


def outlook(tally: Tally, aim: Aim) -> Outlook:
    """Weigh every hypothesis.

    Args:
        tally: what was drawn so far.
        aim: what is wanted.

    Returns:
        Arrays of the same length, possibly empty.

    Raises:
        ValueError: the arrays differ in length, or a number is out of range.
    """
    _check(tally)
    evidence = log_evidence(tally.minus, tally.both + tally.neither, tally.plus, aim.margin)
    counted = evidence if tally.void is None else np.where(tally.void, -np.inf, evidence)
    confirmed = e_adjusted(counted) <= aim.level  # as the verdicts will be, to the last bit
    pairs = np.asarray(tally.minus + tally.plus + tally.both + tally.neither, dtype=np.float64)
    closed = np.zeros(len(evidence), dtype=np.bool_) if tally.closed is None else tally.closed
    if len(evidence) == 0:
        return Outlook(pairs, evidence, confirmed, evidence, evidence, closed)
    base = np.clip(np.round(tally.base, 3), 1e-3, 1.0 - 1e-3)
    room = 1.0 - base - aim.margin  # rates that a bug can have; none where the base rate leaves no room
    bug, share = _believe(tally, base, aim.margin)
    bug = np.where(room > 0.0, bug, 0.0)
    expected = max(1.0, float(bug.sum()), float(confirmed.sum()) + 1.0)
    needed = np.log(len(bug) / (aim.level * expected)) - evidence
    speed, rate = _pace(base, aim.margin)
    a_pair = (share * speed).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.maximum(needed, 0.0) / a_pair + (1.0 - bug) / (bug * (share * rate).sum(axis=1))
    return Outlook(pairs, evidence, confirmed, bug, np.where(bug > 0.0, np.maximum(price, 1.0), np.inf), closed)


def given_up(seen: Outlook, aim: Aim) -> NDArray[np.bool_]:
    """Say which hypotheses get no further draw: unconfirmed, and closed or, after the least number of pairs, too dear.

    Giving up is a decision about draws, not a claim: whether an effect is excluded, `log_futility` says.

    Args:
        seen: of `outlook`.
        aim: the same as there.

    Returns:
        Mask in the order of the tally.
    """
    return ~seen.confirmed & (seen.closed | ((seen.price > aim.price) & (seen.pairs >= aim.least)))


def expected_left(seen: Outlook, aim: Aim, most: float) -> float:
    """Foretell how many pairs are still to be drawn until none is worth another, as believed now.

    A price is pairs a bug, so that a hypothesis costs its price times its chance of being one: the pairs until its
    evidence suffices, or until it is given up.

    Args:
        seen: of `outlook`.
        aim: the same as there.
        most: pairs that one hypothesis may get.
    """
    live = ~seen.confirmed & ~given_up(seen, aim) & ~seen.closed
    hope = seen.bug[live] > 0.0
    cost = np.where(hope, seen.bug[live] * np.where(hope, seen.price[live], 0.0), aim.least - seen.pairs[live])
    return float(np.clip(cost, 1.0, np.maximum(most - seen.pairs[live], 1.0)).sum())


def choose(seen: Outlook, aim: Aim, most: int, seed: int) -> NDArray[np.intp]:
    """Choose the hypotheses to draw next: the cheapest that are neither confirmed nor given up.

    Args:
        seen: of `outlook`.
        aim: the same as there.
        most: how many at most, at least 0.
        seed: decides between equals; whole number, at least 0.

    Returns:
        Indices into the tally, the cheapest first; empty when the hunt is over. The same input gives the same output.

    Raises:
        ValueError: `most` is negative.
    """
    if most < 0:
        message = f"the number of hypotheses to choose must be at least 0, got {most!r}"
        raise ValueError(message)
    live = np.flatnonzero(~seen.confirmed & ~given_up(seen, aim))
    ties = np.random.default_rng(seed).random(len(seen.price))[live]
    return np.asarray(live[np.lexsort((ties, seen.price[live]))][:most], dtype=np.intp)


def _believe(tally: Tally, base: Floats, margin: float) -> tuple[Floats, Floats]:
    """Give the chance that each is a bug, and how its rate would then be spread over `_BUGS`.

    The odds of all hypotheses are scaled alike until the expected number of bugs agrees with what was drawn.
    """
    fails = (tally.plus + tally.both)[:, None]
    passes = (tally.minus + tally.neither)[:, None]
    different, where = np.unique(base, return_inverse=True)  # few: one for each label
    bugs = np.minimum(_rates(different, margin), 1.0 - 1e-9)
    others = different[:, None] + np.minimum(margin, 1.0 - 1e-3 - different[:, None]) * _OTHERS
    as_bug = fails * np.log(bugs)[where] + passes * np.log1p(-bugs)[where]
    as_other = fails * np.log(others)[where] + passes * np.log1p(-others)[where]
    most = np.maximum(as_bug.max(axis=1), as_other.max(axis=1))[:, None]
    weight = np.exp(as_bug - most)
    with np.errstate(divide="ignore"):
        factor = np.log(weight.mean(axis=1)) - np.log(np.exp(as_other - most) @ _OTHERS_SHARE)
    chance = np.asarray(tally.chance, dtype=np.float64)
    prior = chance.mean()
    odds = special.logit(chance) + factor
    bug = special.expit(odds)
    scale = 0.0
    for _ in range(_LEARNING if 0.0 < prior < 1.0 else 0):
        share = (_PRIOR_WEIGHT * prior + bug.sum()) / (_PRIOR_WEIGHT + len(bug))
        scale = special.logit(share) - special.logit(prior)
        bug = special.expit(odds + scale)
    total = weight.sum(axis=1, keepdims=True)
    return bug, weight / np.where(total > 0.0, total, 1.0)


def _pace(base: Floats, margin: float) -> tuple[Floats, Floats]:
    """Give the growth of evidence a pair at each rate of a bug, and the rate; worked out once for each base rate."""
    different, where = np.unique(base, return_inverse=True)
    rate = np.minimum(_rates(different, margin), 1.0)
    return growth(rate, different[:, None], margin)[where], rate[where]


def _rates(base: Floats, margin: float) -> Floats:
    """Give the rates that a bug can have beside each base rate, on a last axis; above 1 where there is no room."""
    room = np.maximum(1.0 - base - margin, 0.0)
    rates: Floats = base[:, None] + margin + room[:, None] * _BUGS
    return rates


def _check(tally: Tally) -> None:
    """Say what is out of range."""
    arrays: list[NDArray[Any]] = [tally.minus, tally.plus, tally.both, tally.neither, tally.base, tally.chance]
    arrays += [mask for mask in (tally.void, tally.closed) if mask is not None]
    shapes = {np.shape(array) for array in arrays}
    if len(shapes) != 1 or len(shapes.pop()) != 1:
        message = f"expected arrays of one length, got shapes {[np.shape(array) for array in arrays]}"
        raise ValueError(message)
    if not all(np.all((array >= 0.0) & (array <= 1.0)) for array in (tally.base, tally.chance)):
        message = "base rates and chances must lie in 0 .. 1"
        raise ValueError(message)
