"""What a data set holds: an image that was taken, its row in the table, and what was written in the end.

Comes in: images with what became of them. Goes out: plain values, the same for every format.
Neighbours: `export.py` takes images, `forms.py` writes rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.findings import Finding, Rate
from foible.hunting.replay import Reread
from foible.identity import digest
from foible.labels import called
from foible.records import Observation

COLUMNS = (
    *("file_name", "label", "kind", "description", "outcome", "predicted", "classifier", "finding"),
    *("prompt", "seed", "arm", "pixel_hash", "generator"),
)
"""Of the table, in order. `pixel_hash` names the pixels, `finding` the number of the bug in the run's own table."""
WHOLE = frozenset({"finding", "seed"})
"""Columns of whole numbers; the others are texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One image of a set."""

    number: int
    """Of the bug, from 1."""
    finding: Finding
    seen: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class FailsOn:
    """How often a classifier fails on the images of a set."""

    classifier: str
    rate: Rate
    images: int
    """Of the set, that are scored for it: others are of labels that it does not have, or it gave no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    folder: Path
    images: int
    counts: tuple[tuple[Finding, int], ...]
    """How many images of each bug; an image that shows two bugs counts for the first."""
    gone: int
    """Images that were wanted, and that the archive does not have, or that are torn there."""
    alike: int = 0
    """Images that were left out, since an embedder places them close to another one."""
    fails: tuple[FailsOn, ...] = ()
    """Of each classifier, those of the run first. Empty where no other classifier was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was drawn of one bug for an adversarial set, and what of it is there."""

    number: int
    """Of the bug, from 1, in the run's own table."""
    finding: Finding
    share: int
    """Images of a set that is even over labels, and in each over its bugs."""
    images: int
    """Of the set."""
    draws: int
    drawn_before: int
    """Of these, the first, by which no image was chosen: as many as the share, or as may be made."""
    before: FailsOn
    """How often the classifier fails on those."""
    ended: str
    """Why its share was not reached; empty where it was."""

    @property
    def lacking(self) -> int:
        """Images fewer than its share."""
        return max(self.share - self.images, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialExport:
    """A data set that was made for one classifier."""

    exported: Exported
    """The set itself; whoever else was asked about its images stands in `fails`, the classifier itself does not."""
    classifier: str
    """The one that it was made for, which fails on every image."""
    size: int
    """Images that were wanted."""
    most: int
    """Draws that might be made."""
    seed: int
    """Where the seeds of the draws come from."""
    bugs: tuple[Collected, ...]
    before: tuple[FailsOn, ...]
    """How often classifiers fail on the draws of all bugs before any choice, the one that it was made for first, then
    the others in the order of `exported.fails`."""

    @property
    def draws(self) -> int:
        """How many were made."""
        return sum(one.draws for one in self.bugs)

    @property
    def lacking(self) -> int:
        """Images fewer than were wanted."""
        return self.size - self.exported.images


def row(taken: Taken, read: Reread) -> dict[str, Any]:
    """Give what the table says of an image; its file lies in a folder of its label."""
    seen, hypothesis = taken.seen, taken.finding.trial.hypothesis
    label, classes = read.study.labels[hypothesis.label], read.study.maps[hypothesis.classifier]
    predicted = seen.outcome.predicted
    return {
        "file_name": f"data/{folder_name(label.name)}/{seen.draw.image}.png",
        "label": label.name,
        "kind": label.kind,
        "description": hypothesis.description,
        "outcome": seen.outcome.status,
        "predicted": "" if predicted is None else called(predicted, classes),
        "classifier": classes.classifier,
        "finding": taken.number,
        "prompt": seen.request.text,
        "seed": seen.request.seed,
        "arm": seen.request.arm,
        "pixel_hash": seen.draw.image,
        "generator": str(read.study.identities["generator"]["spec"]),
    }


def folder_name(label: str) -> str:
    """Name a folder after a label: letters, digits, blanks, dots and hyphens; what was changed is told by a hash."""
    name = re.sub(r"[^\w .-]+", "_", label)[:60].strip(" .")
    return name if name == label else f"{name or 'label'}-{digest(label)[:8]}"
