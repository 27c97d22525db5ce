"""Bugs of drawn images are sought in photographs: which of a label show the description, and how often do they fail?

Comes in: a run over drawn images, its bugs, and labelled photographs. Goes out: for each bug both rates, and an answer.
Neighbours: `fitting.py` says which photographs show a description; `drawing.py` is the other direction;
`trial/whole.py` has what may be claimed of a finite set.

Nothing of the photographs suggested the bugs, so all of them test. What the parts say is kept in the archive: a second
look asks nobody again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from foible.act.drawing import ANSWERS
from foible.act.fitting import Space, shown
from foible.act.lookers import Lookers
from foible.act.others import Remembered
from foible.config import HuntConfig
from foible.draws.execute import Here
from foible.draws.observe import Observer
from foible.draws.once import Once
from foible.draws.photograph import PhotographRequests
from foible.draws.questions import EMBEDDER, JUDGE
from foible.draws.request import prompt
from foible.draws.values import read_judgement
from foible.errors import ConfigError, PluginError
from foible.findings import Finding
from foible.hunting.clock import Clock
from foible.hunting.replay import Reread
from foible.progress import Progress
from foible.records import Answered, Fault, Label, Treatment
from foible.run.archive import Archive
from foible.seeking import Seen, Sought, seen_in
from foible.trial.whole import Half, decide_set

T = TypeVar("T")

NO_PHOTOGRAPHS = "no photograph of the set is annotated with the label"
NO_WAY = (
    "no column or caption says which photographs show it: name an --embedder that reads text, or say which attribute "
    "it is, as --phrase 'ground=grass=on grass'"
)
_AT_ONCE = 1024
"""Photographs whose vectors are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Which photographs of a bug's label show its description."""

    by: str
    """"annotations", "embedder", or empty where nothing says it."""
    shows: frozenset[str] = frozenset()
    """Keys of those that do."""
    unsure: frozenset[str] = frozenset()
    """Keys of those of which it is open."""
    reason: str = ""
    """Why nothing says it."""
    fit: int = 0
    """How many showed it before the judge was asked."""


@dataclass(frozen=True, kw_only=True)
class Looking:
    """What is looked for, and by whom."""

    read: Reread
    bugs: Sequence[Finding]
    who: Lookers
    config: HuntConfig
    odds: float
    archive: Archive


def look(looking: Looking, progress: Progress) -> tuple[Sought, ...]:
    """Seek bugs in photographs.

    Raises:
        PluginError: a part gives no usable answer at all.
        OutOfTime: the minutes or the requests are used up; the same call goes on.
    """
    requests = PhotographRequests(
        labels=looking.read.study.labels,
        source=looking.who.photographs,
        annotated=looking.who.labels,
        seed=looking.config.seed,
    )
    wanted = dict.fromkeys(bug.trial.hypothesis.label for bug in looking.bugs)
    numbers = {label: [*requests.halves[0][label], *requests.halves[1][label]] for label in wanted}
    total = sum(map(len, numbers.values()))
    observer = _observer(looking)
    seen: list[Answered] = []
    with progress.stage("photographs") as show:
        for label in wanted:
            for some in _pieces(numbers[label]):
                seen += observer.observe(requests.on(label, "test", some))
                show(len(seen), total, len(seen))
        once = Once()
        once.mark(looking.read.answered.values())
        seen = once.mark(seen)  # an image that suggested a bug, as one of a folder may have, does not test it
        fits = [_fits(bug, seen, looking, observer) for bug in looking.bugs]
    return _answered(looking, seen, fits)


def _observer(looking: Looking) -> Observer:
    labels = {**looking.read.study.labels, **{label.name: label for label in map(_described, looking.bugs)}}
    return Observer(
        executor=Here(looking.who.parts, looking.archive.shards),
        archive=looking.archive,
        notes=Remembered({}),
        identities={name: part.identity for name, part in looking.who.parts.items()},
        maps=looking.read.study.maps,
        labels=labels,
        batch=looking.config.batch,
        watch=Clock(looking.config.max_minutes),
    )


def _described(bug: Finding) -> Label:
    """Give what the judge is asked about: the label with its description."""
    hypothesis = bug.trial.hypothesis
    return Label(f"{hypothesis.label}, {hypothesis.description}")


def _fits(bug: Finding, seen: Sequence[Answered], looking: Looking, observer: Observer) -> Fits:
    """Tell which photographs of a bug's label show its description."""
    hypothesis, told = bug.trial.hypothesis, looking.who.told
    own = [one for one in seen if one.request.label == hypothesis.label]
    words = frozenset(hypothesis.treatment.words)
    if words <= told.known:
        bears = {one.request.key: told.bears[one.request.seed] for one in own}
        may = {one.request.key: bears[one.request.key] | told.unsure[one.request.seed] for one in own}
        shows = frozenset(key for key in bears if words <= bears[key])
        unsure = frozenset(key for key in may if words <= may[key]) - shows
        return Fits(by="annotations", shows=shows, unsure=unsure, fit=len(shows))
    if EMBEDDER not in looking.who.parts:
        return Fits(by="", reason=NO_WAY)
    try:
        found = _by_embedder(bug, own, looking, observer)
    except ConfigError as problem:
        return Fits(by="", reason=str(problem))
    return _judged(bug, own, found, observer) if looking.who.judges else found


def _by_embedder(bug: Finding, own: Sequence[Answered], looking: Looking, observer: Observer) -> Fits:
    study, about = looking.read.study, bug.trial.hypothesis
    texts = [
        prompt(study.labels[about.label], study.config.explore.template, what)
        for what in (about.treatment, Treatment())
    ]
    direction = Space(looking.who.parts[EMBEDDER]).against(texts[0], texts[1])
    shows: set[str] = set()
    unsure: set[str] = set()
    for some in _pieces(own):
        said = observer.vectors([one.draw for one in some if one.draw.image])
        vectors = {key: one for key, one in said.items() if not isinstance(one, Fault)}
        if any(one.shape != direction.shape for one in vectors.values()):
            message = "the embedder gives images and texts vectors of different lengths, so they share no space"
            raise PluginError(message)
        both = shown(vectors, direction, looking.odds)
        shows |= both[0]
        unsure |= both[1] | {one.request.key for one in some} - vectors.keys()
    return Fits(by="embedder", shows=frozenset(shows), unsure=frozenset(unsure), fit=len(shows))


def _judged(bug: Finding, own: Sequence[Answered], found: Fits, observer: Observer) -> Fits:
    """Let the judge say whether photographs that may show the description do; what it rejects is open."""
    label = _described(bug).name
    asked = [
        replace(one.draw, request=replace(one.request, label=label))
        for one in own
        if one.request.key in found.shows | found.unsure and one.draw.image
    ]
    said = observer.each(asked, JUDGE, read_judgement)
    yes = frozenset(key for key, one in said.items() if not isinstance(one, Fault) and one.faithful)
    # Not seen by the judge, though the embedder held it for possible: on neither side.
    return replace(found, shows=yes, unsure=(found.shows | found.unsure) - yes, fit=len(found.shows | found.unsure))


def _pieces(of: Sequence[T]) -> Iterator[Sequence[T]]:
    return (of[start : start + _AT_ONCE] for start in range(0, len(of), _AT_ONCE))


def _answered(looking: Looking, seen: Sequence[Answered], fits: Sequence[Fits]) -> tuple[Sought, ...]:
    """Decide over all bugs together, and put both rates side by side."""
    bearing: dict[str, set[str]] = {one.request.key: set() for one in seen}
    unsure: dict[str, set[str]] = {one.request.key: set() for one in seen}
    hypotheses = []
    for at, (bug, own) in enumerate(zip(looking.bugs, fits, strict=True)):
        word = f"{at}"  # a description of one bug, told from that of any other
        for key in own.shows:
            bearing[key].add(word)
        for key in own.unsure:
            unsure[key].add(word)
        if own.shows:
            about = bug.trial.hypothesis
            hypotheses.append(replace(about, treatment=Treatment(words=(word,)), into=()))
    half = Half(
        seen=seen,
        bearing={key: frozenset(words) for key, words in bearing.items()},
        labels={one.request.key: one.request.label for one in seen},
        unsure={key: frozenset(words) for key, words in unsure.items()},
    )
    found = decide_set(hypotheses, half, looking.config.confirm, 0)
    by_bug = {int(one.trial.hypothesis.description): one for one in found}
    of = {label: sum(one.request.label == label for one in seen) for label in looking.read.study.labels}
    return tuple(
        _row(bug, own, by_bug.get(at), of[bug.trial.hypothesis.label])
        for at, (bug, own) in enumerate(zip(looking.bugs, fits, strict=True))
    )


def _row(bug: Finding, fits: Fits, found: Finding | None, of: int) -> Sought:
    row = Sought(
        found=bug,
        words=bug.trial.hypothesis.description,
        answer="unknown",
        reason=NO_PHOTOGRAPHS if not of else fits.reason,
        fit=fits.fit if fits.by and of else None,
        of=of,
        unsure=len(fits.unsure),
        drawn=seen_in(bug),
        photographs=Seen(),
    )
    if row.reason:
        return row
    row = replace(row, by="annotations" if fits.by == "annotations" else "embedder")
    if found is None:
        rejected = f"the judge sees it in none of {fits.fit} that may" if fits.fit else f"none of {of} fits"
        return replace(row, answer="none", reason=rejected)
    return replace(
        row, answer=ANSWERS[found.verdict], reason=found.reason, adjusted=found.adjusted, photographs=seen_in(found)
    )
