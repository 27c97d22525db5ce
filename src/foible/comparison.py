"""The records of a comparison: is another classifier better or worse than the one of a run, and where?

Comes in: rates. Goes out: plain data, which `report/` writes. Neighbours: `findings.py` has the result of a hunt;
`act/compare.py` makes these; `suites.py` has what a suite is, whose rows are pairs, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.findings import Finding, Rate, Subject
from foible.records import Label, Pairs

Change = Literal["worse", "better", "same", "open"]
"""worse, better: the failure rate surely differs. same: it surely differs by less than `Comparison.same`."""

NOTHING, NO_DIFFERENCE = Rate(value=None, low=0.0, high=1.0), Rate(value=None, low=-1.0, high=1.0)
NO_PAIRS = Pairs(0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What two classifiers make of the same images."""

    change: Change | None = None
    """None where nothing can be said: images or label are lacking, or more than `confirm.unscored` are unscored."""
    reason: str = ""
    """Why nothing can be said; empty where there is a change."""
    before: Rate = NOTHING
    after: Rate = NOTHING
    difference: Rate = NO_DIFFERENCE
    """After minus before, over the images that are scored for both. Its interval is the one that goes with `change`."""
    adjusted: float = 1.0
    """The smallest level at which "worse" or "better" would be said, after multiplicity."""
    images: Pairs = NO_PAIRS
    """Scored for both: failed by both, by the second alone, by the first alone, by neither."""
    unscored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Paired):
    """Two classifiers over the images of a label, or of a bug."""

    label: str
    found: Finding | None
    """The bug, as the hunt confirmed it for the first classifier; None for images of the base prompt."""

    @property
    def description(self) -> str:
        """Of the bug; empty for images of the base prompt."""
        return "" if self.found is None else self.found.trial.hypothesis.description


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One classifier against another, over the images of a run."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name; its level holds here too."""
    labels: tuple[Label, ...]
    before: Subject
    after: Subject
    same: float
    """0..1: rates that surely differ by less are the same."""
    rows: tuple[Compared, ...]
    """Bugs, then labels."""

    def count(self, change: Change | None) -> int:
        """Count the rows with a change."""
        return sum(row.change == change for row in self.rows)
