"""The records of a guided search: draws that were led to an end, each with where it began and what it came to.

Comes in: what classifiers and judge said. Goes out: plain data, which `report/guidance.py` writes. Neighbours:
`act/guide.py` makes these; `findings.py` has the guided draws of a hunt, which are followed and put into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.findings import Rate, Subject
from foible.records import Label, Tally

End = Literal["find", "lost", "missed", "same", "unknown"]
"""find: the objective is reached, and the judge bears it out. lost: it is reached, and the judge does not. missed: it
is not reached. same: the pixels are those of another draw of the search, so that they count once. unknown: there is no
image, or a part did not answer. Of the objective neuron, reached is what is higher than every explored draw;
of the objective generator it is reached where the judge does not see the label, and the classifiers bear it out where
none of them says it."""
NO_SHARE = Rate(value=None, low=0.0, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a classifier said of an image."""

    predicted: int | None = None
    """The class of the highest score; None where several share it, or there is no answer."""
    name: str = ""
    """What the class is called; empty where there is none."""
    score: float | None = None
    """The highest score as the classifier gives it, mostly a probability; None where there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """One draw that was led."""

    label: str
    seed: int
    prompt: str
    start: str
    """Hash of the image of the seed, which passed."""
    image: str
    """Hash of the image that it was led to; empty where there is none."""
    before: tuple[Said, ...]
    """Of the start, by each classifier."""
    after: tuple[Said, ...]
    end: End
    shows: bool | None
    """Whether the judge sees the label in the end; None where it was not asked, or did not answer."""
    shows_target: bool | None = None
    """Whether it sees the class that was to be raised; None where there is none, or it did not answer."""
    unit: tuple[float, float] | None = None
    """Of the objective neuron: the unit on the start, and on the image that it was led to."""
    moved: float | None
    """Mean difference of a number of the image from the start, as a share of its range, 0..1; None without an image."""
    samplings: int
    """Images that were sampled for it, the start among them; 0 where that is not known."""
    reason: str = ""
    """Why the end is unknown; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedLabel:
    """What became of a label."""

    label: Label
    explored: Tally
    """Draws of its base prompt that were made for a start, as the first classifier sees them."""
    share: Rate
    """Of its draws that reached the objective and were judged, the share that the judge bears out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A phrase that may raise a unit, and what fresh pairs on the same seeds, with it and without, say of that."""

    label: str
    phrase: str
    high: int
    """Images that say it, among those of the label that raise the unit most."""
    low: int
    """Likewise among those that raise it least."""
    of: int
    """Images at each of the two ends."""
    pairs: int = 0
    """Pairs that both show the label, and of which one raises the unit more."""
    raised: int = 0
    """Of these, the pairs in which the draw with the phrase does."""
    share: Rate = NO_SHARE
    """With its exact interval."""
    adjusted: float = 1.0
    """p-value of "in no more than half of the pairs", adjusted (Holm) over all phrases."""
    holds: bool = False
    """Whether it surely raises the unit, at the level of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """A guided search."""

    foible_version: str
    settings: Mapping[str, object]
    """By dotted name."""
    failure: str
    """What failed means, a sentence."""
    classifiers: tuple[Subject, ...]
    parts: Mapping[str, Mapping[str, object]]
    """By kind: the identity of each other part."""
    labels: tuple[LedLabel, ...]
    draws: tuple[Led, ...]
    """Label by label, in draw order."""
    share: Rate
    """As of a label, over all."""
    words: tuple[Word, ...] = ()
    """Of the objective neuron: what may raise the unit, label by label."""

    @property
    def target(self) -> str:
        """The class that was to be raised; empty where any wrong one would do."""
        return str(self.settings["failure.target"])

    @property
    def objective(self) -> str:
        """What was to be reached."""
        return str(self.settings["guide.objective"])

    def count(self, *ends: End, label: str | None = None) -> int:
        """Count the draws that came to one of some ends, of a label or of all."""
        return sum(one.end in ends for one in self.draws if label in {None, one.label})

    def samplings(self, label: str | None = None) -> int:
        """Count the images that were sampled to lead, of a label or of all, as far as that is known."""
        return sum(one.samplings for one in self.draws if label in {None, one.label})

    def led(self, label: str | None = None) -> int:
        """Count the draws that were led, of a label or of all."""
        return sum(label in {None, one.label} for one in self.draws)
