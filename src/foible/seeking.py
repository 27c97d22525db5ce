"""The records of bugs that were sought in the other kind of images: of drawn ones in photographs, and the reverse.

Comes in: rates. Goes out: plain data, which `report/` writes. Neighbours: `act/seek.py` makes these; `comparison.py`
has what two classifiers make of the same images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.comparison import NO_DIFFERENCE, NOTHING, Gated, verdict_of
from foible.findings import Finding, Rate, Subject
from foible.records import Tally

Kind = Literal["drawn", "photographs"]
"""Of images."""
Answer = Literal["there", "within", "open", "none", "unknown"]
"""there: with the description the classifier fails more often by more than the margin, in the other images too. within:
surely by no more than the margin. open: these images tell neither. none: no photograph of the label fits, so that
nothing is known of real ones. unknown: it could not be asked."""
NO_TALLY = Tally(draws=0, failures=0, unscored=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one kind of images says of a bug."""

    treat: Rate = NOTHING
    """The failure rate with the description."""
    control: Rate = NOTHING
    """Without it."""
    difference: Rate = NO_DIFFERENCE
    treated: Tally = NO_TALLY
    """The counts that `treat` comes from."""
    others: Tally = NO_TALLY
    """The counts that `control` comes from."""


def seen_in(finding: Finding) -> Seen:
    """Give the rates of a finding with their counts."""
    return Seen(
        treat=finding.treat,
        control=finding.control,
        difference=finding.difference,
        treated=finding.rated.treat,
        others=finding.rated.control,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A bug that was found in one kind of images, and what became of it in the other."""

    found: Finding
    """As the run confirmed it."""
    words: str
    """The description that was drawn, and in photographs looked for. Empty where nothing could be said."""
    answer: Answer
    reason: str
    """One clause: why this answer."""
    by: Literal["generator", "annotations", "embedder", ""] = ""
    """What put the images with the description apart from the others; empty where nothing did."""
    fit: int | None = None
    """Photographs of the label that were held to show the description, before the judge; None where none were looked
    for."""
    of: int = 0
    """Photographs of the label."""
    unsure: int = 0
    """Photographs that count on neither side: embedder or judge leave open whether they show the description."""
    adjusted: float = 1.0
    """The smallest level at which "there" would be said, after multiplicity over all bugs that were sought."""
    drawn: Seen
    photographs: Seen
    gate: Gated = "none"
    told: str = ""
    """Why it failed the gate, or is unknown to it; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeking:
    """The bugs of a run, sought in the other kind of images."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name."""
    found_in: Kind
    """The images of the run."""
    classifiers: tuple[Subject, ...]
    """Those of the run."""
    parts: Mapping[str, Mapping[str, object]]
    """By kind: the identity of each part that was asked besides."""
    margin: float
    level: float
    """The false-discovery rate over all bugs that were sought."""
    fail_on: str = "never"
    """The gate: never, there, open or rate>X; several have commas between them."""
    rows: tuple[Sought, ...]
    notes: tuple[str, ...] = ()
    """What ought to be known of the photographs, a sentence each."""

    @property
    def sought_in(self) -> Kind:
        """The other kind of images."""
        return "photographs" if self.found_in == "drawn" else "drawn"

    @property
    def verdict(self) -> Gated:
        """Say what the gate comes to."""
        return verdict_of(self.rows, self.fail_on)

    def count(self, answer: Answer) -> int:
        """Count the rows with an answer."""
        return sum(row.answer == answer for row in self.rows)
