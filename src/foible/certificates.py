"""The record of a certificate: how much can be wrong where nothing was found.

Comes in: counts. Goes out: plain data, which `report/certificate.py` writes. Neighbours: `act/certify.py` makes it;
`findings.py` has what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.comparison import Gated
from foible.findings import Subject
from foible.records import Label

Ended = Literal["certified", "draws", "hopeless"]
"""certified: the bound is as low as was wanted. draws: no more may be made. hopeless: so many modes were not cleared
that the bound will hardly come down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A label with a phrase beside it: a way in which a classifier may fail."""

    label: str
    phrase: str
    weight: float
    """Its share of the prior; above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A mode that was drawn by the prior, and what was seen of it."""

    mode: int
    """Its place in `Certificate.modes`; one that was drawn twice stands twice, each with images of its own."""
    passes: int
    failures: int
    unscored: int
    clearance: float
    """0..1; 1 where it is cleared of failing so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A bound of the weight of modes that fail often."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name."""
    failure: str
    """What failed means, a sentence."""
    labels: tuple[Label, ...]
    classifier: Subject
    parts: Mapping[str, Mapping[str, object]]
    """By kind: the identity of each part that was asked besides."""
    above: float
    """Between 0 and 1: a mode fails often where it fails in such a share of its faithful draws, or more."""
    below: float
    """Between 0 and 1: the weight that such modes were to stay below."""
    level: float
    """The chance, at most, that the bound is wrong."""
    seed: int
    most: int
    """Draws that might be made."""
    draws: int
    phrases_from: Literal["captions", "words"]
    """Whether the prior comes from captions of the run, or from words that a person gave."""
    modes: tuple[Mode, ...]
    """The prior."""
    prior: str
    """Hash of the modes with their weights."""
    looked: tuple[Looked, ...]
    """In the order in which they were drawn."""
    bound: float
    """The weight of modes that fail so often is below it; 1 where nothing is known."""
    ended: Ended
    fail_on: Literal["never", "open"]
    """open: to be without a certificate fails."""

    @property
    def cleared(self) -> int:
        """Count the modes that were cleared."""
        return sum(one.clearance == 1.0 for one in self.looked)

    @property
    def without(self) -> tuple[str, ...]:
        """Name the labels that the list has nothing of, since no caption said a phrase: nothing is known of them."""
        listed = {mode.label for mode in self.modes}
        return tuple(label.name for label in self.labels if label.name not in listed)

    @property
    def verdict(self) -> Gated:
        """Say what the gate comes to."""
        if self.fail_on == "never":
            return "none"
        return "passed" if self.ended == "certified" else "failed"
