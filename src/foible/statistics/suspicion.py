"""What one failure makes one suspect, and which description to draw next to learn the most.

Comes in: for one failure, which of its phrases each draw of its label has, and which draws failed. Goes out: how
probable it is that each set of phrases brings the failure about, or none does; and the description whose draw tells
most.
Neighbour: `evidence.py` weighs what is claimed. Nothing here is evidence: it steers exploration.

It is group testing with noise. Bayes' rule over the sets, with Beta priors on the failure rate with the set and without
it, gives the probabilities; the next draw is the one whose outcome has most mutual information with the answer
(Lindley, "On a measure of the information provided by an experiment", 1956).

A set of phrases is a whole number: bit i is set when phrase i is in it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITH, WITHOUT = (3.0, 1.5), (0.5, 8.0)
"""Beta priors on a label's failure rate with the phrases that bring failures about (2 in 3) and without (1 in 17)."""
CHANCE = 0.5
"""Believed of every failure before anything else is known: that no phrases bring it about."""
WHOLE = 0.1
"""Of what is not chance: believed of all phrases of a caption together, where they are more than a set may have."""
RARE = 0.5
"""Draws with a set that are imagined beside those seen: one that was never seen is rare and not impossible."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is believed of one failure."""

    chance: float
    """Probability that no set of its phrases brings it about."""
    sets: NDArray[np.intp]
    """(h,): the sets that may."""
    each: NDArray[np.float64]
    """(h,): the probability of each."""
    factor: NDArray[np.float64]
    """(h,): log10 of how many times the odds of each have grown since before anything was seen."""
    inside: NDArray[np.float64]
    """(h,): the failure rate expected with each set, if it is the one."""
    outside: NDArray[np.float64]
    """(h,): the failure rate expected without it."""
    base: float
    """The failure rate expected of any draw, if none is."""


def phrase_sets(phrases: int, most: int) -> NDArray[np.intp]:
    """Return every set of 1 to `most` of so many phrases, smaller ones first."""
    sizes = range(1, min(most, phrases) + 1)
    chosen = (c for size in sizes for c in itertools.combinations(range(phrases), size))
    return np.array([sum(1 << phrase for phrase in c) for c in chosen], dtype=np.intp)


def with_whole(sets: NDArray[np.intp]) -> NDArray[np.intp]:
    """Add the set of all phrases to sets as `phrase_sets` gives them, unless it is one of them."""
    whole = np.bitwise_or.reduce(sets)
    return sets if whole in sets else np.append(sets, whole)


def suspect(
    sets: NDArray[np.intp], seen: NDArray[np.intp], failed: NDArray[np.bool_], most: int | None = None
) -> Suspicion:
    """Weigh every set of phrases of a failure against chance.

    Args:
        sets: (h,), at least one, as `phrase_sets` gives them; sizes are equally probable beforehand, and so are the
            sets of one size.
        seen: (n,): the phrases of each scored draw of the label, as far as they are phrases of the failure.
        failed: (n,): whether it failed.
        most: phrases of a set at most; one that has more is the whole caption, which is much less probable beforehand.
            None where there is none.
    """
    has = (sets[:, None] & seen[None, :]) == sets[:, None]
    fails, draws = int(failed.sum()), len(failed)
    fails_in, draws_in = has @ failed.astype(np.int64), has.sum(axis=1)
    fails_out, draws_out = fails - fails_in, draws - draws_in
    sizes = np.bitwise_count(sets)
    whole = sizes > (most if most is not None else sizes.max())
    counts = np.bincount(sizes[~whole], minlength=int(sizes.max()) + 1)
    share = WHOLE if whole.any() else 0.0
    each = (1.0 - share) / (np.count_nonzero(counts) * np.maximum(counts, 1)[sizes])
    prior = (1.0 - CHANCE) * np.where(whole, share, each)
    likelihood = _log_marginal(fails_in, draws_in, WITH) + _log_marginal(fails_out, draws_out, WITHOUT)
    log_each = np.log(prior) + likelihood
    log_all = np.append(log_each, np.log(CHANCE) + _log_marginal(fails, draws, WITHOUT))
    probability = np.asarray(special.softmax(log_all), dtype=np.float64)
    others = 1.0 - probability
    likeliest = int(probability.argmax())
    others[likeliest] = np.delete(probability, likeliest).sum()  # not the rest to 1, which may be lost in rounding
    with np.errstate(divide="ignore"):
        log_odds = np.log(probability[:-1]) - np.log(others[:-1])
    return Suspicion(
        float(probability[-1]),
        sets,
        probability[:-1],
        (log_odds - special.logit(prior)) / np.log(10.0),
        _expected(fails_in, draws_in, WITH),
        _expected(fails_out, draws_out, WITHOUT),
        float(_expected(fails, draws, WITHOUT)),
    )


def most_telling(suspicion: Suspicion, natural: NDArray[np.intp]) -> int:
    """Return what to draw to learn most about which set it is: one of the sets, or all phrases of the failure together.

    All together tell chance from the rest at once. A draw that lacks a phrase of a set may have it by chance, as often
    as base prompts have it.

    Args:
        suspicion: what is believed now.
        natural: (n,): the phrases of draws of the base prompt, as far as they are phrases of the failure.
    """
    sets = suspicion.sets
    drawn = np.unique(np.append(sets, np.bitwise_or.reduce(sets)))
    missing = sets[None, :] & ~drawn[:, None]  # (what is drawn, the set in question): what only chance can add
    kinds, place = np.unique(missing, return_inverse=True)
    often = ((kinds[:, None] & natural[None, :]) == kinds[:, None]).sum(axis=1)
    share = np.where(kinds == 0, 1.0, (often + RARE) / (len(natural) + 1.0))[place.reshape(missing.shape)]
    rate = share * suspicion.inside + (1.0 - share) * suspicion.outside
    rate = np.column_stack([rate, np.full(len(drawn), suspicion.base)])
    belief = np.append(suspicion.each, suspicion.chance)
    gain = _entropy(rate @ belief) - _entropy(rate) @ belief
    best = drawn[gain > gain.max() - 1e-9]
    return int(best[np.argmin(np.bitwise_count(best))])  # of equals the one with the fewest phrases


def _log_marginal(
    fails: NDArray[np.int64] | int, draws: NDArray[np.int64] | int, prior: tuple[float, float]
) -> NDArray[np.float64]:
    """Log-probability of so many failures among draws, in their order, where the rate has a Beta prior."""
    joint = special.betaln(prior[0] + fails, prior[1] + draws - fails) - special.betaln(*prior)
    return np.asarray(joint, dtype=np.float64)


def _expected(
    fails: NDArray[np.int64] | int, draws: NDArray[np.int64] | int, prior: tuple[float, float]
) -> NDArray[np.float64]:
    return np.asarray((prior[0] + fails) / (sum(prior) + draws), dtype=np.float64)


def _entropy(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(special.entr(rate) + special.entr(1.0 - rate), dtype=np.float64)
