"""What two classifiers make of the same images becomes a change: worse, better, same or open.

Comes in: rows, each with both sides of its images. Goes out: the rows with rates, difference and change. A pure
function. Neighbours: `compare.py` and `suites/run.py` say which images; `statistics/` has the mathematics.

How many images a row has was fixed before the first of them, and none was chosen by what failed, so an exact paired
test holds. It is two-sided; over all rows the false-discovery rate is held by Benjamini and Hochberg's procedure,
which holds that of wrong directions too (Benjamini and Yekutieli, JASA 100, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from foible.comparison import Change, Paired
from foible.errors import ConfigError
from foible.findings import Rate
from foible.records import Hypothesis, Observation, Pairs, Treatment
from foible.statistics import benjamini_hochberg, mcnemar_p, paired_difference
from foible.trial.decide import rate
from foible.trial.pairs import count_seen, spoilt

Row = TypeVar("Row", bound=Paired)


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


def weigh(rows: Sequence[tuple[Row, Sides | str]], *, level: float, unscored: float, same: float) -> list[Row]:
    """Say of each row whether the rates differ.

    Args:
        rows: each as it is named, with its images, or why nothing can be said of it.
        level: the false-discovery rate over all rows; between 0 and 1.
        unscored: nothing is said of a row of which a larger share than this is unscored on one side; 0..1.
        same: rates that surely differ by less are the same; between 0 and 1.

    Returns:
        The rows in their order, each with what may be said of it.
    """
    about = Hypothesis(label="", treatment=Treatment())
    tested = {
        at: count_seen(about, sides.after, sides.before).trial
        for at, (_, sides) in enumerate(rows)
        if isinstance(sides, Sides)
    }
    lost = {at for at, trial in tested.items() if spoilt(trial, unscored)}
    p_values = [1.0 if at in lost else two_sided(trial.pairs) for at, trial in tested.items()]
    adjusted = dict(zip(tested, map(float, benjamini_hochberg(p_values)), strict=True))

    def told(at: int) -> Row:
        row, sides = rows[at]
        if isinstance(sides, str):
            return replace(row, reason=sides)
        trial = tested[at]
        change, difference = change_of(trial.pairs, adjusted[at], level, same)
        gone = len(sides.before) - sum(trial.pairs)
        return replace(
            row,
            change=None if at in lost else change,
            reason=f"{gone} of {len(sides.before)} images are unscored" if at in lost else "",
            before=rate(trial.control),
            after=rate(trial.treat),
            difference=difference,
            adjusted=adjusted[at],
            images=trial.pairs,
            unscored=gone,
            now=trial.treat,
        )

    return [told(at) for at in range(len(rows))]


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
