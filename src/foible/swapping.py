"""The records of a swap: what becomes of the bugs of a run under another generator, judge, captioner or setting.

Comes in: rates. Goes out: plain data, which `report/` writes. Neighbours: `act/swap.py` makes these; `seeking.py` has
the bugs of a run in the other kind of images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from foible.findings import Finding, Subject
from foible.seeking import Seen

Kept = Literal["stays", "within", "open", "again", "missed", "unknown"]
"""Of a bug that was tested anew: stays: it fails more often with the description by more than the margin, here too.
within: surely by no more than the margin. open: these draws tell neither. Of one that was hunted for anew: again: a
confirmed bug of the label shares words with it. missed: none does, which says nothing of the bug itself. unknown: it
could not be asked."""


NOT_SEEN = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """A bug under one change."""

    kept: Kept
    reason: str
    """One clause: why."""
    seen: Seen = NOT_SEEN
    """The rates under the change; of a hunt anew those of the bug that shares words."""
    adjusted: float = 1.0
    """The smallest level at which it would be confirmed under the change, after multiplicity over its bugs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRow:
    """A bug, as the run confirmed it, and under every change."""

    found: Finding
    cells: tuple[Swapped, ...]
    """By change, in the order of `Swapping.changes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change, and the run that was made under it."""

    said: str
    """As it was given: "generator.args.size=128"."""
    folder: str
    """Name of the run directory, beside the others."""
    hunted: bool
    """Whether it was hunted anew, since the change decides what is suggested; else the bugs were probed."""
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapping:
    """The bugs of a run under changes."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name."""
    classifiers: tuple[Subject, ...]
    margin: float
    level: float
    """The false-discovery rate over all bugs under one change: that of the run, shared by the changes."""
    seed: int
    """Of the runs under the changes."""
    changes: tuple[Change, ...]
    rows: tuple[SwapRow, ...]

    def count(self, place: int, kept: Kept) -> int:
        """Count the bugs of which a change makes this."""
        return sum(row.cells[place].kept == kept for row in self.rows)
