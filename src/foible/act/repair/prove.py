"""What became of the bugs: both classifiers over images that were made for nothing else.

Comes in: a run, its bugs, and the repaired classifier. Goes out: rows: bugs, other words for their causes, their words
with other labels, labels; each with both failure rates and what may be said of it. Neighbours: `fresh.py` has the
images drawn; `act/paired.py` says what differs; `lessons.py` and `variants.py` say which words.

All rows count in one multiplicity. A bug is called repaired where it is surely better and what its words still add is
surely less than what counts as the same: better alone may be a bug that fails in half of the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from foible.act.fresh import Drawing
from foible.act.paired import Sides, weigh
from foible.act.repair.lessons import others_of
from foible.act.repair.variants import NONE
from foible.draws.outcome import outcome
from foible.draws.questions import KEPT
from foible.draws.request import BASE
from foible.draws.values import read_prediction, write_scores
from foible.errors import PluginError
from foible.findings import Finding, Rate
from foible.parts.asking import ask_classifier
from foible.parts.registry import Part
from foible.records import (
    TIED,
    Answered,
    ClassMap,
    Fault,
    Hypothesis,
    Judgement,
    Observation,
    Prediction,
    Request,
    Treatment,
)
from foible.repairs import Retested, RowKind, Varied
from foible.run.images import Images
from foible.statistics import paired_difference
from foible.trial.pairs import count_seen

_SEEN = Judgement(faithful=True, score=1.0)
"""Only images in which the judge saw the label are scored anew."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row before anybody was asked."""

    named: Retested
    requests: Sequence[Request]
    reason: str = ""
    """Why there are no requests; empty where there are."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tested."""

    place: int
    """Of the classifier among those of the run."""
    bugs: Mapping[int, Finding]
    """All that were confirmed for it, by number."""
    chosen: frozenset[int]
    """Those that were trained on."""
    variants: Mapping[int, Sequence[Treatment]]
    draws: int
    """Of each row."""


def rows_of(plan: Plan, drawing: Drawing) -> list[Row]:
    """Say which images each row has: the seeds are the same for a label with and without words, so that they pair."""
    study = drawing.read.study
    found: list[Row] = []
    for number, finding in plan.bugs.items():
        label, treatment = finding.trial.hypothesis.about
        trained = number in plan.chosen

        def named(
            kind: RowKind, text: str, *, number: int = number, trained: bool = trained, words: Treatment = treatment
        ) -> Retested:
            return Retested(kind=kind, label=text, number=number, words=words.words, trained=trained)

        found.append(Row(named=named("bug", label), requests=_on(drawing, label, [treatment], plan.draws)))
        if not trained:
            continue
        treatments = plan.variants[number]
        reason = "" if treatments else NONE.format(number)
        found.append(
            Row(named=named("variant", label), requests=_on(drawing, label, treatments, plan.draws), reason=reason)
        )
        counts = others_of(study, plan.place, finding, plan.draws)
        requests = [one for other, count in counts.items() for one in _on(drawing, other, [treatment], count)]
        text = f"other labels “{treatment.description}”"
        found += [Row(named=named("others", text), requests=requests)] if requests else []
    found += [
        Row(named=Retested(kind="label", label=label), requests=_on(drawing, label, [BASE], plan.draws))
        for label in study.labels
    ]
    return found


def _on(drawing: Drawing, label: str, treatments: Sequence[Treatment], draws: int) -> list[Request]:
    """Make requests on the first seeds of a label, shared out among treatments in turn."""
    requests = drawing.requests
    seeds = list(islice(requests.seeds(label, "retest"), draws))
    own = [seeds[at :: len(treatments)] for at in range(len(treatments))]
    return [one for what, some in zip(treatments, own, strict=True) for one in requests.on(label, what, "retest", some)]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Two classifiers, and how sure what is said of them has to be."""

    before: ClassMap
    after: ClassMap
    part: Part
    """The second."""
    images: Images
    batch: int
    level: float
    unscored: float
    same: float


def proved(
    rows: Sequence[Row],
    answered: Sequence[Answered],
    by: Judged,
    more: Sequence[tuple[Retested, Sides | str]] = (),
) -> list[Retested]:
    """Say of each row what became of it.

    Args:
        rows: what was asked for.
        answered: what became of all requests of all rows, in their order, for the classifier as it was.
        by: the repaired classifier.
        more: rows of which both sides are known already; they count in the multiplicity.

    Raises:
        PluginError: it gives no usable answer at all.
    """
    said = _ask(answered, by)
    sides: list[Sides | str] = []
    left = iter(answered)
    for row in rows:
        before = [one.seen_by(0) for one in islice(left, len(row.requests))]
        sides.append(row.reason or Sides(before=before, after=[_now(seen, said, by.after) for seen in before]))
    named = [*((row.named, own) for row, own in zip(rows, sides, strict=True)), *more]
    weighed = weigh(named, level=by.level, unscored=by.unscored, same=by.same)
    bases = {row.label: own for row, own in named if row.kind == "label"}
    family = sum(row.kind in {"bug", "variant"} for row in weighed)
    return [
        _told(row, own, bases.get(row.label), by, by.level / max(family, 1)) if isinstance(own, Sides) else row
        for row, (_, own) in zip(weighed, named, strict=True)
    ]


def _ask(answered: Sequence[Answered], by: Judged) -> dict[str, Prediction | Fault]:
    """Ask the repaired classifier about each image once: by hash, what it says."""
    wanted = list(dict.fromkeys(one.draw.image for one in answered if one.draw.image))
    said: dict[str, Prediction | Fault] = {}
    classes = len(by.after.names) if by.after.names is not None else None
    for start in range(0, len(wanted), by.batch):
        shown = {image: by.images.get(image) for image in wanted[start : start + by.batch]}
        there = {image: array for image, array in shown.items() if array is not None}
        for image, one in zip(there, ask_classifier(by.part, list(there.values()), classes), strict=True):
            kept = max(KEPT, by.after.top)
            said[image] = one if isinstance(one, Fault) else read_prediction(write_scores(one, kept))
        said |= {image: Fault("the image has gone from the archive") for image in shown.keys() - there.keys()}
    lost = [one.reason for one in said.values() if isinstance(one, Fault)]
    if lost and len(lost) == len(said):
        message = f"the repaired classifier gave no usable answer for any of {len(lost)} images: {lost[0]}"
        raise PluginError(message)
    return said


def _now(seen: Observation, said: Mapping[str, Prediction | Fault], classes: ClassMap) -> Observation:
    """Say what the repaired classifier makes of a draw; what nobody may be scored on stays unscored."""
    if seen.outcome.status == "unscored" and seen.outcome.reason != TIED:
        return seen
    return replace(seen, outcome=outcome(seen.draw, said[seen.draw.image], _SEEN, classes))


def _told(row: Retested, own: Sides, base: Sides | str | None, by: Judged, risk: float) -> Retested:
    """Add what a row puts together, and of a bug what its words still add."""
    row = replace(row, varied=_varied(own))
    if row.kind not in {"bug", "variant"} or not isinstance(base, Sides):
        return row
    without = {one.request.seed: one for one in base.after}
    about = Hypothesis(label=row.label, treatment=Treatment(words=row.words))
    pairs = count_seen(about, own.after, [without[one.request.seed] for one in own.after]).trial.pairs
    low, high = paired_difference(pairs, 1.0 - risk)
    more = (pairs.only_treat - pairs.only_control) / sum(pairs) if sum(pairs) else None
    mended = row.change == "better" and high < by.same
    return replace(row, adds=Rate(value=more, low=low, high=high), mended=mended)


def _varied(own: Sides) -> tuple[Varied, ...]:
    """Count each treatment and label of a row by itself, where there are several."""
    both = list(zip(own.before, own.after, strict=True))
    different = list(dict.fromkeys((one.request.label, one.request.treatment) for one, _ in both))
    if len(different) < 2:  # noqa: PLR2004 - one is the row itself
        return ()
    return tuple(
        _one(label, what, [p for p in both if (p[0].request.label, p[0].request.treatment) == (label, what)])
        for label, what in different
    )


def _one(label: str, what: Treatment, both: Sequence[tuple[Observation, Observation]]) -> Varied:
    scored = [(one.outcome.status, other.outcome.status) for one, other in both]
    scored = [pair for pair in scored if "unscored" not in pair]
    return Varied(
        label=label,
        words=what.words,
        scored=len(scored),
        before=sum(one == "failed" for one, _ in scored),
        after=sum(other == "failed" for _, other in scored),
    )
