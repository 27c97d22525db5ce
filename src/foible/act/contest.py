"""Two classifiers that are held against each other, and the drawing of further images for them.

Comes in: what the runs note of parts, and parts that a person named. Goes out: rows with more images. Neighbours:
`compare.py` and `between.py` say who is compared, and over which images; `recorded.py` loads parts of a run again;
`further.py` says for which rows images are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from foible.act.further import FreshDraws, Rules, further
from foible.act.opened import Opened
from foible.act.others import Remembered
from foible.act.paired import Sides
from foible.act.recorded import recorded
from foible.act.sought import subject_of
from foible.comparison import Compared
from foible.draws.execute import Here
from foible.draws.observe import Observer
from foible.draws.once import Once
from foible.draws.questions import GENERATOR, JUDGE, classifier
from foible.draws.request import BASE
from foible.errors import ConfigError
from foible.findings import Subject
from foible.hunting.clock import Clock
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part
from foible.records import ClassMap, Treatment
from foible.run.archive import Archive


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One of two classifiers."""

    classes: ClassMap
    """What the labels mean for it."""
    identity: Mapping[str, Any]
    part: Part | None = None
    """None where it is to be loaded from what its run notes, if it is asked at all."""
    unknown: frozenset[str] = frozenset()
    """Labels that it does not have."""

    @property
    def subject(self) -> Subject:
        """As a comparison speaks of it."""
        return subject_of(self.classes, self.identity)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is compared: rows with their images, and how they are weighed."""

    rows: Sequence[tuple[Compared, Sides | str]]
    runs: tuple[Opened, ...]
    """One or two; further images are drawn as the first would draw them."""
    before: Contender
    after: Contender
    level: float
    unscored: float
    most: int = 0
    """At most so many further images."""
    lacking: tuple[tuple[str, str], ...] = ()
    """(classifier, why it could not be asked about images of the other run)."""


def contender(run: Opened) -> Contender:
    """Give the classifier of a run."""
    return Contender(classes=run.classes, identity=run.identity)


def draw_more(held: Held, named: Sequence[Part], most: int, same: float, ceiling: Ceiling) -> Held:
    """Draw images for rows that are open.

    Args:
        held: what is compared.
        named: parts of the runs that a person named.
        most: images, at least 1.
        same: rates that surely differ by less are the same.
        ceiling: from which parts take requests to servers.

    Raises:
        ConfigError: the number is below 1.
        InputError: a part cannot be loaded again, or answers nothing.
        OutOfRequests: the requests to servers are used up; what was drawn is kept, and the same call goes on.
    """
    if most < 1:
        message = f"draws is a number of images, at least 0, but got {most!r}"
        raise ConfigError(message)
    study = held.runs[0].read.study
    noted = {
        GENERATOR: study.identities[GENERATOR],
        classifier(0): held.before.identity,
        classifier(1): held.after.identity,
        JUDGE: study.identities[JUDGE],
    }
    own = {classifier(0): held.before.part, classifier(1): held.after.part}
    parts = {
        name: own.get(name) or _again(name.partition(" ")[0], identity, named, ceiling)
        for name, identity in noted.items()
    }
    identities = {name: part.identity for name, part in parts.items()}  # libraries may have other versions by now
    rules = Rules(level=held.level, unscored=held.unscored, same=same)
    answered = [one for run in held.runs for one in run.read.answered.values()]
    once = Once()
    once.mark(answered)
    spent = frozenset(one.request.seed for one in answered)
    with Archive(held.runs[0].archive) as kept:
        observer = Observer(
            executor=Here(parts, kept.shards),
            archive=kept,
            notes=Remembered({}),
            identities=identities,
            maps=[held.before.classes, held.after.classes],
            labels=study.labels,
            batch=study.config.batch,
            watch=Clock(None),
        )
        requests = replace(study.requests, spent=spent, generator=identities[GENERATOR])
        fresh = FreshDraws(observer=observer, requests=requests, once=once)
        return replace(held, rows=further(held.rows, _abouts(held), fresh, most, rules), most=most, lacking=())


def _again(kind: str, identity: Mapping[str, Any], named: Sequence[Part], ceiling: Ceiling) -> Part:
    part = recorded(kind, identity, named, ceiling)
    if isinstance(part, str):
        message = f"no further image can be drawn: {part}"
        raise ConfigError(message)
    return part


def _abouts(held: Held) -> dict[int, tuple[str, Treatment]]:
    """Say what may be drawn for each row: not for one whose label a classifier does not have."""
    unknown = held.before.unknown | held.after.unknown
    return {
        at: (row.label, BASE if row.found is None else row.found.trial.hypothesis.treatment)
        for at, (row, _) in enumerate(held.rows)
        if row.label not in unknown
    }
