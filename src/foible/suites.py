"""The records of a suite: frozen bugs with their images, and what became of them for another classifier.

Comes in: rates. Goes out: plain data. Neighbours: `act/suites/` makes, keeps and runs them; `report/suites.py` writes
what a run of one says; `comparison.py` has what two classifiers make of the same images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.comparison import Change, Gated, Paired, verdict_of
from foible.findings import Rate, Subject
from foible.records import Label, Status, kept

IMAGES = 64
"""Images of a bug, and of a label, that are kept by default: all that a hunt with the defaults makes of them (48), and
enough to see nine times in ten that a rate went from 20 % to 60 %."""

RowKind = Literal["added", "dropped", "changed", "same"]
"""changed: other images, or of the same ones something else was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteLabel:
    """A label of a suite, and what it meant for the classifier of the run."""

    name: str
    kind: str
    accepted: tuple[str, ...]
    """What the classes are called that are right for it, its own first; empty where the classifier names none."""
    indices: tuple[int, ...]
    """Of these classes; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteImage:
    """A draw of a run, and what the run's classifier made of it."""

    image: str
    """Hash of the pixels; empty where the suite does not keep them, since no classifier could be scored on them."""
    prompt: str
    seed: int
    status: Status
    predicted: str = ""
    """What the predicted class is called; empty where there is none."""
    reason: str = ""
    """Why it is unscored; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteBug:
    """A confirmed bug, with draws that measured it."""

    label: str
    words: tuple[str, ...]
    """Phrases that are added to the base prompt."""
    treat: Rate
    """How often the run's classifier fails with them, by the run."""
    control: Rate
    """How often without."""
    difference: Rate
    images: tuple[SuiteImage, ...]

    @property
    def description(self) -> str:
        """The words as they stand in a prompt."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteControl:
    """Explored draws of a label's base prompt: what a classifier must not lose where it is mended."""

    label: str
    images: tuple[SuiteImage, ...]

    @property
    def description(self) -> str:
        """Nothing is added to the base prompt."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Bugs of one classifier with the images that measured them, and images of their labels."""

    foible_version: str
    """Of the foible that saved it."""
    classifier: str
    """Whose bugs they are."""
    fingerprint: str
    """Of its weights; empty where it has none."""
    generator: str
    """What drew the images."""
    judge: str
    """What judged them: images in which it did not see the label are not kept."""
    judge_weights: tuple[str, ...]
    """Fingerprints of the judge and of its members: a classifier that has one of these is refused."""
    failure: str
    """What "failed" means here, as one sentence."""
    classes: str
    """Hash of the names of the classifier's classes in their order; empty where it names none."""
    top: int
    """A draw fails when no right class is among this many highest scores."""
    target: str
    """Targeted mode: the label that a draw must not be taken for; empty otherwise."""
    level: float
    """The false-discovery rate at which rates are said to differ."""
    unscored: float
    """Nothing is said of images of which a larger share than this is unscored."""
    labels: tuple[SuiteLabel, ...]
    bugs: tuple[SuiteBug, ...]
    """At least one."""
    controls: tuple[SuiteControl, ...]
    """For labels of the bugs. None of a probe, which explores nothing."""
    left_out: tuple[tuple[str, str], ...] = ()
    """(label, description) of the bugs of the run of which it made no images that could be kept."""
    digest: str = ""
    """SHA-256 over all of the above: two suites of the same content have the same, wherever they lie."""

    @property
    def rows(self) -> tuple[SuiteBug | SuiteControl, ...]:
        """Bugs, then controls."""
        return (*self.bugs, *self.controls)

    @property
    def by_name(self) -> Mapping[str, Label]:
        """The labels by name."""
        return {one.name: Label(one.name, one.kind) for one in self.labels}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked(Paired):
    """What another classifier makes of a bug, or a label, of a suite."""

    words: tuple[str, ...] = ()
    """Of the bug; empty for the base prompt."""

    @property
    def description(self) -> str:
        """The words as they stand in a prompt."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """A classifier over all images of a suite."""

    foible_version: str
    suite: str
    """Digest of the suite."""
    before: str
    """The classifier whose bugs they are."""
    after: Subject
    """The one that was asked."""
    level: float
    """The false-discovery rate over all rows."""
    same: float
    """0..1: rates that surely differ by less are the same."""
    fail_on: str
    """The gate: never, worse, open or rate>X; several have commas between them."""
    rows: tuple[Rechecked, ...]
    """Bugs, then labels."""

    @property
    def verdict(self) -> Gated:
        """Say what the gate comes to."""
        return verdict_of(self.rows, self.fail_on)

    def count(self, change: Change | None) -> int:
        """Count the rows with a change."""
        return sum(row.change == change for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDiff:
    """What two suites have of one bug, or of one label under its base prompt."""

    label: str
    words: tuple[str, ...]
    """Of the bug; empty for the base prompt."""
    kind: RowKind
    images_added: int
    """Images that the second suite alone has."""
    images_dropped: int
    """Images that the first suite alone has."""
    outcomes: int
    """Images that both have, and of which their classifiers made something else."""

    @property
    def description(self) -> str:
        """The words as they stand in a prompt."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteDiff:
    """What one suite has otherwise than another."""

    before: str
    """Digest of the first."""
    after: str
    """Digest of the second."""
    facts: tuple[tuple[str, str, str], ...]
    """(what, the first, the second) of whatever they say differently beside their images."""
    rows: tuple[RowDiff, ...]
    """Bugs and labels of the first, then those of the second alone."""

    def count(self, kind: RowKind) -> int:
        """Count the rows of a kind."""
        return sum(row.kind == kind for row in self.rows)


kept(SuiteLabel, SuiteImage, SuiteBug, SuiteControl, Suite)
