"""Claims held against the truth: what was found, what is false, what a bug cost.

Comes in: what each method answered, hunt by hunt. Goes out: a `Row` a method and a `Ratio` between two, with intervals.
Neighbours: `methods.py` claims, `page.py` prints.

A planted bug is *found* when a claim of its label that is true says all its attributes, perhaps with more. A claim is
*true* when, over all images of the pool that fit it, the failure rate exceeds the label's by more than the margin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bugs.methods import OPTIONS, Answer, Claim
from bugs.recipe import Target
from bugs.world import World
from foible.statistics import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did in one hunt."""

    singles: int
    conjunctions: int
    found_singles: int
    found_conjunctions: int
    claims: int
    false: int
    draws: int
    decoys: int = 0
    tested_decoys: int = 0
    """Decoys that a hypothesis says which is not true."""
    claimed_decoys: int = 0
    """Decoys that a claim says which is false."""

    @property
    def price(self) -> float:
        """Draws a planted bug that was found; infinite where none was."""
        found = self.found_singles + self.found_conjunctions
        return self.draws / found if found else float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """How one method did over all hunts; each with a 95 % interval."""

    method: str
    hunts: int
    price: tuple[float, float, float]
    """Median draws a bug: value, low, high (bootstrap over hunts)."""
    singles: tuple[float, float, float]
    """Share of planted bugs of one attribute that were found (exact interval)."""
    pairs: tuple[float, float, float]
    """Likewise of two attributes."""
    recall: float
    """Share of all planted bugs that were found."""
    false: tuple[float, float, float]
    """Share of claims that are false, averaged over hunts (a hunt without claims has none): bootstrap."""
    claims: int
    """In all hunts together."""
    false_claims: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times fewer draws a bug one method needs than another."""

    times: float
    """Of the medians over hunts."""
    low: float
    high: float
    """Its 95 % interval: bootstrap over hunts."""
    chosen: int
    """Which of the other's settings it was held against: the place in what was given."""

    def inverse(self) -> Ratio:
        """Turn it round: the method with settings needs so many times fewer draws than the one without."""
        times, low, high = (1.0 / value if value else math.inf for value in (self.times, self.high, self.low))
        return Ratio(times, low, high, self.chosen)


def score(answer: Answer, target: Target, world: World) -> Score:
    """Hold one answer against the truth."""
    true = [claim for claim in answer.claims if is_true(claim, world)]
    found = [bug for bug in target.bugs if any(_says(claim, bug.label, bug.attributes) for claim in true)]
    kinds = [bug.kind for bug in target.bugs]
    hit = [bug.kind for bug in found]
    tested, claimed = (
        sum(
            any(_says(each, d.label, d.attributes) and not is_true(each, world) for each in said) for d in target.decoys
        )
        for said in (answer.hypotheses, answer.claims)
    )
    return Score(
        kinds.count("single"),
        kinds.count("conjunction"),
        hit.count("single"),
        hit.count("conjunction"),
        len(answer.claims),
        len(answer.claims) - len(true),
        answer.draws,
        len(target.decoys),
        tested,
        claimed,
    )


def is_true(claim: Claim, world: World) -> bool:
    """Tell whether a claim holds over the whole pool."""
    treat = world.true_rate(claim.label, dict(claim.attributes))
    return treat - world.true_rate(claim.label, {}) > OPTIONS.margin


def summarise(method: str, scores: Sequence[Score], seed: int = 0) -> Row:
    """Put the hunts of one method together."""
    prices = np.array([each.price for each in scores])
    rates = np.array([each.false / each.claims if each.claims else 0.0 for each in scores])
    return Row(
        method,
        len(scores),
        _resampled(prices, _median, seed),
        _exact(sum(s.found_singles for s in scores), sum(s.singles for s in scores)),
        _exact(sum(s.found_conjunctions for s in scores), sum(s.conjunctions for s in scores)),
        sum(s.found_singles + s.found_conjunctions for s in scores) / sum(s.singles + s.conjunctions for s in scores),
        _resampled(rates, lambda values: values.mean(axis=-1), seed),
        sum(s.claims for s in scores),
        sum(s.false for s in scores),
    )


def ratio(ours: Sequence[Score], theirs: Sequence[Sequence[Score]], seed: int = 0) -> Ratio:
    """Say how many times fewer draws a bug a method needs than another at the setting that hindsight chooses.

    Hindsight takes the cheapest setting that finds at least as many bugs as ours; where none does, the cheapest of
    those that find the most. With one setting there is nothing to choose. The interval resamples hunts: both methods,
    and every setting, have the same resampled hunts, and hindsight chooses anew in each resample. Where both cost
    infinitely many draws a bug the ratio is 1, since neither is cheaper.

    Args:
        ours: one score a hunt.
        theirs: by setting, one score for each of the same hunts.
        seed: of the bootstrap.

    Raises:
        ValueError: the hunts of a setting are not as many as ours.
    """
    prices, found = _measured(ours)
    if any(len(scores) != len(ours) for scores in theirs):
        counts = ", ".join(str(len(scores)) for scores in theirs)
        message = f"a ratio needs the same hunts of both methods, but one has {len(ours)} and the other {counts}"
        raise ValueError(message + "; give a score for each hunt")
    settings = [_measured(scores) for scores in theirs]
    their_prices = np.stack([price for price, _ in settings])
    their_found = np.stack([bugs for _, bugs in settings])
    rows = np.random.default_rng(seed).integers(len(prices), size=(RESAMPLES, len(prices)))
    rows = np.vstack([np.arange(len(prices)), rows])  # the first is what was measured
    chosen = _in_hindsight(found[rows].sum(axis=-1), their_found[:, rows].sum(axis=-1), _median(their_prices[:, rows]))
    theirs_chosen = np.take_along_axis(_median(their_prices[:, rows]), chosen[None], axis=0)[0]
    times = _divided(theirs_chosen, _median(prices[rows]))
    low, high = np.quantile(times[1:], [0.025, 0.975], method="nearest")
    return Ratio(float(times[0]), float(low), float(high), int(chosen[0]))


def _in_hindsight(ours: NDArray[np.int64], found: NDArray[np.int64], prices: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose a setting in each resample: from bugs found by us (r,), bugs found and draws a bug by setting (k, r)."""
    enough = found >= ours
    allowed = np.where(enough.any(axis=0), enough, found == found.max(axis=0))
    finite = np.minimum(prices, np.finfo(np.float64).max)  # so that a setting that may not be chosen costs yet more
    chosen: NDArray[np.intp] = np.where(allowed, finite, np.inf).argmin(axis=0)
    return chosen


def _divided(theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    neither = np.isinf(theirs) & np.isinf(ours)
    return np.where(neither, 1.0, theirs / np.where(neither, 1.0, ours))


def _measured(scores: Sequence[Score]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give draws a bug and bugs found, each (hunts,)."""
    return (
        np.array([each.price for each in scores], np.float64),
        np.array([each.found_singles + each.found_conjunctions for each in scores], np.int64),
    )


def _says(claim: Claim, label: str, attributes: Sequence[tuple[str, str]]) -> bool:
    return claim.label == label and set(attributes) <= set(claim.attributes)


def _exact(hits: int, n: int) -> tuple[float, float, float]:
    low, high = clopper_pearson(hits, n)
    return (hits / n if n else 0.0, low, high)


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the upper median, which is a number that occurs: the mean of a number and infinity would say nothing."""
    middle: NDArray[np.float64] = np.sort(values, axis=-1)[..., values.shape[-1] // 2]
    return middle


def _resampled(
    values: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
) -> tuple[float, float, float]:
    rows = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(statistic(values[rows]), [0.025, 0.975], method="nearest")
    return float(statistic(values)), float(low), float(high)
