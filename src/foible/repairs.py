"""The records of a repair: what a classifier was trained on further, and what became of its bugs and its labels.

Comes in: rates. Goes out: plain data, which `report/repair.py` writes. Neighbours: `act/repair/` makes these;
`comparison.py` has the rows of two classifiers, of which these are a kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.comparison import NO_DIFFERENCE, Change, Gated, Paired, verdict_of
from foible.findings import Rate, Subject
from foible.records import Label

Layers = Literal["last", "all"]
RowKind = Literal["bug", "variant", "others", "label", "photographs"]
"""bug: its own description. variant: other words that hold the same cause. others: its description, with other labels.
label: the base prompt alone. photographs: those of the user that were held out."""
State = Literal["repaired", "better", "same", "open", "worse", "unknown"]
"""repaired: surely better, and what is left of the bug is surely less than `Repair.same`."""
STATES: tuple[State, ...] = ("worse", "unknown", "open", "same", "better", "repaired")
"""From the worst to the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One of several treatments that a row puts together: of no verdict of its own."""

    label: str
    words: tuple[str, ...]
    scored: int
    """Draws that are scored for both."""
    before: int
    """Of these, failed before the repair."""
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retested(Paired):
    """A classifier before and after its repair, over images that were drawn for nothing else."""

    kind: RowKind
    number: int = 0
    """Of the bug, in the run's own table; 0 for rows that are about none."""
    words: tuple[str, ...] = ()
    """Of the bug."""
    trained: bool = False
    """Whether the bug was chosen to be trained on."""
    adds: Rate = NO_DIFFERENCE
    """Of a bug or a variant: what its words still add to the failure rate after the repair, on the same seeds. Its
    interval holds for all rows of bugs and variants together, at the level of the run."""
    mended: bool = False
    """Whether the row is better, and the interval of `adds` ends below `Repair.same`."""
    varied: tuple[Varied, ...] = ()
    """What the row puts together, where that is several treatments or labels."""

    @property
    def description(self) -> str:
        """Of a bug, or the words of its cause; empty for rows that are no bug's."""
        return ", ".join(self.words) if self.kind in {"bug", "variant"} else ""

    @property
    def state(self) -> State:
        """What may be said of the row."""
        return "repaired" if self.mended else self.change or "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Draws that were made to train on, of one label under one treatment."""

    kind: RowKind
    label: str
    words: tuple[str, ...] = ()
    number: int = 0
    """Of the bug; 0 for the base prompt and for photographs."""
    share: float
    """How much it counts in the loss, beside the others; spread evenly over its images."""
    train: int
    """Draws that are wanted to train on."""
    validate: int
    """Draws that are wanted to end the training by."""
    trained: int = 0
    """Different images that were trained on: those in which the judge sees the label."""
    validated: int = 0
    """Different images that ended the training, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the weights were trained."""

    layers: Layers
    rate: float
    """Step of a parameter, as a share of its root mean square."""
    passes: int
    """At most."""
    patience: int
    """Passes without a better one after which it ended."""
    parameters: tuple[str, ...]
    """Names of what was trained."""
    numbers: int
    """How many numbers that are."""
    epochs: int
    """Passes that were made: over all images once, over few of them several times."""
    best: int
    """After which of them the weights were taken; counted from 1."""
    before: float
    """Loss on the images that ended the training, before the first pass."""
    after: float
    """The same, of the weights that were taken."""
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A repaired classifier, held against the one of the run."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name; its level holds here too."""
    failure: str
    """What "failed" means here, as one sentence."""
    labels: tuple[Label, ...]
    before: Subject
    after: Subject
    """The repaired one, as it was loaded from what was written."""
    weights: str
    """How the repaired weights are loaded: a spec, in which OUT stands for the folder of this repair."""
    args: Mapping[str, object]
    """Arguments beside it."""
    parts: Mapping[str, Mapping[str, object]]
    """Identities of the generator and the judge, as they were loaded for this."""
    seed: int
    """Where the seeds of all draws and the order of the training come from."""
    same: float
    """0..1: rates that surely differ by less are the same."""
    fail_on: str
    """The gate: never, worse, open or rate>X; several have commas between them."""
    unseen: int | None
    """Classes that are right for no label of the run, of which no image was drawn; None where they are not known."""
    training: Training
    rows: tuple[Retested, ...]
    """Bugs, each with its variants and other labels; then labels, then photographs."""

    @property
    def verdict(self) -> Gated:
        """Say what the gate comes to."""
        return verdict_of(self.rows, self.fail_on)

    def count(self, change: Change | None) -> int:
        """Count the rows with a change."""
        return sum(row.change == change for row in self.rows)

    @property
    def bugs(self) -> Mapping[int, State]:
        """Say of each bug what became of it: the less good of its own description and of other words for its cause."""
        found: dict[int, State] = {}
        for row in self.rows:
            if row.kind in {"bug", "variant"}:
                known = found.get(row.number, "repaired")
                found[row.number] = min(known, row.state, key=STATES.index)
        return found
