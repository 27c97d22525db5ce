"""The images of a run's bugs and labels on which another classifier can be compared with the run's own.

Comes in: a finished run. Goes out: for each bug the draws that measured it, for each label those that were explored.
Neighbours: `chosen.py` chooses bugs by their numbers; `compare.py` asks about the images, `suites/save.py` keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from foible.act.chosen import chosen
from foible.errors import ConfigError, brief, near
from foible.findings import Finding
from foible.hunting.replay import Reread
from foible.records import Answered

NO_BASE = "nothing was explored of it"
"""Why nothing can be said of a label: a probe explores none."""
NO_DRAWS = "it has no draws of its own: the hunt measured none (measure.most, or the budget), or too few are scored"
"""Why nothing can be said of a bug: the draws that decided selected it."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The images of a bug, or of a label under its base prompt."""

    label: str
    found: Finding | None
    """The bug; None for the base prompt."""
    draws: Sequence[Answered]
    """In draw order; none where the hunt made none."""


def place_of(read: Reread, name: str) -> int:
    """Find a classifier of a run by its name; the first where none is given.

    Raises:
        ConfigError: the run, which is over drawn images, has no such classifier; or it is over photographs.
    """
    if read.study.photographs is not None:
        message = "the run is over photographs; hunt over them with both classifiers in one run to compare them"
        raise ConfigError(message)
    names = [m.classifier for m in read.study.maps]
    if name and name not in names:
        message = f"the run has no classifier {brief(name)!r}: {near(name, names)}"
        raise ConfigError(message)
    return names.index(name) if name else 0


def bugs_of(read: Reread, place: int, numbers: Sequence[int]) -> list[Shown]:
    """Give the draws with the description that measured each bug of a classifier.

    Args:
        read: the run.
        place: of the classifier.
        numbers: of confirmed findings, from 1. Empty for all of this classifier.

    Raises:
        ConfigError: a number is none, or of a bug of another classifier.
    """
    if not numbers and not any(f.verdict == "confirmed" for f in read.result.findings):
        return []
    found = list(chosen(read.result, numbers).values())
    if numbers and any(f.trial.hypothesis.classifier != place for f in found):
        message = f"a chosen finding is no bug of {read.study.maps[place].classifier}; say --against, or choose others"
        raise ConfigError(message)
    own = [f for f in found if f.trial.hypothesis.classifier == place]
    return [Shown(label=f.trial.hypothesis.label, found=f, draws=_measured(f, read)) for f in own]


def _measured(finding: Finding, read: Reread) -> list[Answered]:
    if finding.measured is None:
        return []
    label, treatment = finding.trial.hypothesis.about
    seeds = list(islice(read.study.requests.seeds(label, "measure"), finding.measured.treat.draws))
    return [read.answered[one.key] for one in read.study.requests.on(label, treatment, "measure", seeds)]


def labels_of(read: Reread) -> list[Shown]:
    """Give the explored draws of each label."""
    explored = [one for one in read.answered.values() if one.request.arm == "explore"]
    return [
        Shown(label=label, found=None, draws=[one for one in explored if one.request.label == label])
        for label in read.study.labels
    ]
