"""What two classifiers make of the same images becomes a change: worse, better, same or open.

Comes in: rows, each with both sides of its images. Goes out: the rows with rates, difference and change. A pure
function. Neighbours: `compare.py` and `suites/run.py` say which images; `statistics/` has the mathematics.

Where the number of images of a row was fixed before the first of them, and none was chosen by what failed, an exact
paired test holds. It is two-sided; over all rows the false-discovery rate is held by Benjamini and Hochberg's
procedure, which holds that of wrong directions too (Benjamini and Yekutieli, JASA 100, 2005). Where images were drawn
as long as a row was open, the evidence is that of a hunt, at the margin 0, for each direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from foible.comparison import Change, Paired
from foible.errors import ConfigError
from foible.findings import Rate
from foible.records import Hypothesis, Observation, Pairs, Treatment, Trial
from foible.statistics import (
    benjamini_hochberg,
    difference_lower,
    difference_sequence,
    e_adjusted,
    log_evidence,
    mcnemar_p,
    paired_difference,
)
from foible.trial.decide import ONE_SIDE, rate, running
from foible.trial.pairs import count_seen, spoilt

if TYPE_CHECKING:
    from numpy.typing import NDArray

Row = TypeVar("Row", bound=Paired)


NOTHING_DRAWN = "no run has images of it, and none was drawn before the images that there may be were used up"
"""Why nothing can be said of a row without an image."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The images of a row in one order, as either classifier sees them."""

    before: Sequence[Observation]
    after: Sequence[Observation]


def refuse_share(same: float) -> None:
    """Refuse a share below which rates are the same, where it is none.

    Raises:
        ConfigError: it is not between 0 and 1.
    """
    if not 0.0 < same < 1.0:
        message = f"rates are the same that differ by less than a share between 0 and 1, but got {same!r}"
        raise ConfigError(message)


def weigh(
    rows: Sequence[tuple[Row, Sides | str]], *, level: float, unscored: float, same: float, sequential: bool = False
) -> list[Row]:
    """Say of each row whether the rates differ.

    Args:
        rows: each as it is named, with its images, or why nothing can be said of it.
        level: the false-discovery rate over all rows; between 0 and 1.
        unscored: nothing is said of a row of which a larger share than this is unscored on one side; 0..1.
        same: rates that surely differ by less are the same; between 0 and 1.
        sequential: whether the number of images hung on what was seen of them.

    Returns:
        The rows in their order, each with what may be said of it.
    """
    tested = {at: trial_of(sides) for at, (_, sides) in enumerate(rows) if isinstance(sides, Sides)}
    lost = [bool(spoilt(trial, unscored)) for trial in tested.values()]
    pairs = [trial.pairs for trial in tested.values()]
    judged = (_at_any_time if sequential else _at_fixed_number)(pairs, lost, level, same)
    weighed = {at: (*both, gone) for at, both, gone in zip(tested, judged, lost, strict=True)}

    def told(at: int) -> Row:
        row, sides = rows[at]
        if isinstance(sides, str):
            return replace(row, reason=sides)
        trial, (change, difference, adjusted, evidence, is_lost) = tested[at], weighed[at]
        gone = len(sides.before) - sum(trial.pairs)
        lacking = "" if sides.before else NOTHING_DRAWN
        reason = f"{gone} of {len(sides.before)} images are unscored" if is_lost else lacking
        return replace(
            row,
            change=None if reason else change,
            reason=reason,
            before=running(trial.control) if sequential else rate(trial.control),
            after=running(trial.treat) if sequential else rate(trial.treat),
            difference=difference,
            adjusted=adjusted,
            evidence=evidence,
            images=trial.pairs,
            unscored=gone,
            now=trial.treat,
        )

    return [told(at) for at in range(len(rows))]


class Standing(NamedTuple):
    """How a row stands while images are drawn for it."""

    pairs: Pairs
    void: bool
    """Whether too many images are unscored."""
    open: bool
    """Whether further images may say more."""
    left: float
    """Images until it is likely to be the same, by how fast it came there so far; infinite where it moves away."""


def standings(trials: Sequence[Trial], *, level: float, unscored: float, same: float) -> list[Standing]:
    """Say which rows are open, as `weigh` will say it of rows whose number of images hangs on what was seen."""
    pairs, void = (
        [trial.pairs for trial in trials],
        np.array([bool(spoilt(one, unscored)) for one in trials], dtype=bool),
    )
    called = (e_adjusted(np.where(void, -np.inf, log_evidence_of(pairs)).ravel()) <= level).reshape(2, -1).any(axis=0)
    both, worse, better, neither = np.asarray(pairs, dtype=np.float64).reshape(-1, 4).T
    alike, bar = both + neither, -math.log(ONE_SIDE)
    # That the difference is above -same, and below same: the interval lies within both where each is refuted.
    near = np.minimum(log_evidence(better, alike, worse, -same), log_evidence(worse, alike, better, -same))
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(near > 0.0, (alike + worse + better) * (bar / near - 1.0), np.inf)
    open_ = ~(void | called | (near >= bar))
    return [Standing(*of) for of in zip(pairs, map(bool, void), map(bool, open_), map(float, left), strict=True)]


def trial_of(sides: Sides) -> Trial:
    """Count the images of a row: after in the place of the treatment, before in that of the control."""
    return count_seen(Hypothesis(label="", treatment=Treatment()), sides.after, sides.before).trial


class _Weighed(NamedTuple):
    """What may be said of a row by its pairs."""

    change: Change
    difference: Rate
    adjusted: float
    evidence: tuple[float, float] | None


def _at_fixed_number(pairs: Sequence[Pairs], lost: Sequence[bool], level: float, same: float) -> list[_Weighed]:
    """Test each row once, over a number of images that was fixed beforehand."""
    p_values = [1.0 if gone else two_sided(own) for own, gone in zip(pairs, lost, strict=True)]
    adjusted = [float(q) for q in benjamini_hochberg(p_values)]
    return [
        _Weighed(*change_of(own, q, level, same), adjusted=q, evidence=None)
        for own, q in zip(pairs, adjusted, strict=True)
    ]


def _at_any_time(pairs: Sequence[Pairs], lost: Sequence[bool], level: float, same: float) -> list[_Weighed]:
    """Weigh each row by evidence that may be looked at after every image.

    "Worse" and "better" are two hypotheses of a row, so that a wrong direction counts as false; e-BH is over both of
    all rows. The interval of one that is called goes with that: its end towards 0 has the risk that it was called at.
    """
    evidence = log_evidence_of(pairs)
    counted = np.where(np.asarray([lost, lost], dtype=np.bool_), -np.inf, evidence)
    adjusted = e_adjusted(counted.ravel()).reshape(counted.shape)
    risk = level * int((adjusted <= level).sum()) / max(adjusted.size, 1)
    counts = np.asarray(pairs, dtype=np.float64).reshape(-1, 4).T
    lows, highs = difference_sequence(counts[2], counts[0] + counts[3], counts[1])

    def one(at: int) -> _Weighed:
        own, low, high = pairs[at], float(lows[at]), float(highs[at])
        both = own.both_failed + own.both_passed
        change: Change = "open"
        if adjusted[:, at].min() <= level:
            change = "worse" if evidence[0, at] >= evidence[1, at] else "better"
        if change == "worse":
            low = max(difference_lower(own.only_control, both, own.only_treat, risk), 0.0)
        elif change == "better":
            high = -max(difference_lower(own.only_treat, both, own.only_control, risk), 0.0)
        else:
            # As at a fixed number: of one that is not called the interval holds 0.
            low, high = min(low, 0.0), max(high, 0.0)
            change = "same" if -same < low and high < same else "open"
        scored = sum(own)
        value = (own.only_treat - own.only_control) / scored if scored else None
        return _Weighed(
            change=change,
            difference=Rate(value=value, low=low, high=high),
            adjusted=float(adjusted[:, at].min()),
            evidence=(float(evidence[0, at]), float(evidence[1, at])),
        )

    return [one(at) for at in range(len(pairs))]


def log_evidence_of(pairs: Sequence[Pairs]) -> NDArray[np.float64]:
    """Give the log e-values of "worse" and of "better", a row each, over pairs of after and before."""
    both, worse, better, neither = np.asarray(pairs, dtype=np.float64).reshape(-1, 4).T
    alike = both + neither
    return np.stack([log_evidence(better, alike, worse, 0.0), log_evidence(worse, alike, better, 0.0)])


def two_sided(pairs: Pairs) -> float:
    """Test that two classifiers fail equally often over the same images: exact McNemar, two-sided."""
    one, other = pairs.only_treat, pairs.only_control
    return min(1.0, 2 * min(mcnemar_p(one, other), mcnemar_p(other, one)))


def change_of(pairs: Pairs, adjusted: float, level: float, same: float) -> tuple[Change, Rate]:
    """Say whether the rates differ, with an interval that says no other.

    Args:
        pairs: images by what became of them: after in the place of the treatment, before in that of the control.
        adjusted: the p-value after multiplicity.
        level: at which rates are said to differ.
        same: rates that differ by less are the same.
    """
    low, high = paired_difference(pairs)
    scored, more = sum(pairs), pairs.only_treat - pairs.only_control
    value = more / scored if scored else None
    change: Change = "open"
    if adjusted <= level:
        change = "worse" if more > 0 else "better"
        low, high = (max(low, 0.0), high) if more > 0 else (low, min(high, 0.0))
    else:
        # One that is not called differs no more than by chance, for all that were looked at: its interval holds 0.
        low, high = min(low, 0.0), max(high, 0.0)
        if -same < low and high < same:
            change = "same"
    return change, Rate(value=value, low=low, high=high)
