"""The records of a comparison: is another classifier better or worse than the one of a run, and where?

Comes in: rates. Goes out: plain data, which `report/` writes. Neighbours: `findings.py` has the result of a hunt;
`act/compare.py` makes these; `suites.py` has what a suite is, whose rows are pairs, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from foible.findings import Finding, Rate, Subject
from foible.records import Label, Pairs, Tally

Change = Literal["worse", "better", "same", "open"]
"""worse, better: the failure rate surely differs. same: it surely differs by less than `Comparison.same`."""
Whose = Literal["first", "second", "both"]
"""Of which of two classifiers a bug is."""
Gated = Literal["none", "passed", "failed", "unknown"]
"""none: no gate looks at it. unknown: nothing can be said of it, so that it has not passed."""

NOTHING, NO_DIFFERENCE = Rate(value=None, low=0.0, high=1.0), Rate(value=None, low=-1.0, high=1.0)
NO_PAIRS, NO_COUNTS = Pairs(0, 0, 0, 0), Tally(draws=0, failures=0, unscored=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What two classifiers make of the same images."""

    label: str
    """What the images show."""
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
    evidence: tuple[float, float] | None = None
    """Natural logarithms of the e-values of "worse" and of "better", which may be looked at after every image; None
    where the number of images was fixed beforehand, and an exact test was made."""
    drawn: int = 0
    """Images among them that were drawn for this row."""
    now: Tally = NO_COUNTS
    """Counts of the second classifier over all images of the row."""
    gate: Gated = "none"
    rule: str = ""
    """Which gate it failed first, worse, open or rate; unknown; empty otherwise."""
    told: str = ""
    """Why it failed the gate, or is unknown; empty otherwise."""

    @property
    def description(self) -> str:
        """Of a bug; empty for images of the base prompt."""
        return ""


class HasGate(Protocol):
    """A row of which a gate says something."""

    @property
    def gate(self) -> Gated:
        """What the gate says."""
        ...


def verdict_of(rows: Sequence[HasGate], fail_on: str) -> Gated:
    """Say what a gate comes to over all rows.

    Args:
        rows: each with what the gate says of it.
        fail_on: the gate.

    Returns:
        failed: a row fails it. unknown: none does, and of some nothing can be said, or it looks at no row. none: there
        is no gate.
    """
    told = {row.gate for row in rows}
    order: tuple[Gated, ...] = ("failed", "unknown", "passed")
    nothing: Gated = "none" if set(map(str.strip, fail_on.split(","))) == {"never"} else "unknown"
    return next((one for one in order if one in told), nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Paired):
    """Two classifiers over the images of a label, or of a bug."""

    found: Finding | None
    """The bug, as a hunt confirmed it; None for images of the base prompt."""
    whose: Whose | None = None
    """For which of the classifiers it was confirmed: that one was chosen by what failed. None for the base prompt."""

    @property
    def description(self) -> str:
        """Of the bug; empty for images of the base prompt."""
        return "" if self.found is None else self.found.trial.hypothesis.description


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One classifier against another, over the images of a run, or of two."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name; of the first, where there are two."""
    runs: Literal[1, 2]
    """Of two runs the bugs of both classifiers are rows, of one those of the first alone."""
    level: float
    """The false-discovery rate over all rows: that of the run, and of two the lower."""
    most: int = 0
    """At most so many images were to be drawn where a row was open."""
    lacking: tuple[tuple[str, str], ...] = ()
    """(classifier, why it could not be asked about images of the other run): only images that both runs have count."""
    labels: tuple[Label, ...]
    before: Subject
    after: Subject
    same: float
    """0..1: rates that surely differ by less are the same."""
    fail_on: str
    """The gate: never, worse, open or rate>X; several have commas between them."""
    rows: tuple[Compared, ...]
    """Bugs of the first classifier, bugs of the second alone, labels."""

    @property
    def verdict(self) -> Gated:
        """Say what the gate comes to."""
        return verdict_of(self.rows, self.fail_on)

    @property
    def drawn(self) -> int:
        """Count the images that were drawn for it."""
        return sum(row.drawn for row in self.rows)

    def count(self, change: Change | None) -> int:
        """Count the rows with a change."""
        return sum(row.change == change for row in self.rows)
