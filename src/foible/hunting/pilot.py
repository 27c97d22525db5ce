"""What precedes a hunt: its first draws, and whether they show that the parts fit.

Comes in: what the run is about, and the loop. Goes out: the draws, what they showed, and which labels are hunted over;
or one sentence, where nothing that followed could be scored. Neighbours: `search/pilot.py` asks and counts;
`trying.py` asks parts again, and classifiers in other ways; `path.py` goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foible.draws.questions import GENERATOR, JUDGE
from foible.errors import MisfitError, brief
from foible.hunting.loop import Loop
from foible.hunting.study import Study
from foible.parts.ranked import MEND, SORTED
from foible.pilots import Hint, Pilot, PilotLabel
from foible.records import Answered, Judgement, Prediction
from foible.search import orders
from foible.search import pilot as first

_LISTED = 5
_IMAGES = 8
"""Images that all must have such answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piloted:
    """What the pilot leaves to the hunt."""

    answered: Sequence[Answered]
    """Its draws, which are the first of exploration."""
    found: Pilot


def pilot(study: Study, loop: Loop) -> Piloted:
    """Make the first draws of every label, and see whether the parts fit each other and the labels.

    Raises:
        MisfitError: the judge sees almost no label, or does not tell labels apart; or scores are sorted.
        PluginError: a part gives another answer when it is asked again, so that none of its answers can be used.
        OutOfTime: as every stage.
    """
    labels, options = list(study.labels), study.config
    wanted = min(first.draws_each(len(labels), orders.LEVEL), options.explore.draws)
    stop = options.pilot.misfit == "stop"
    asker = first.Pilot(study.requests, wanted)
    loop.run(asker)
    answered = asker.answered
    loop.ask_twice(answered)
    if stop:
        _refuse_sorted(answered, study, loop)
    counted = first.by_label(answered, labels, orders.LEVEL, stop=stop)
    judged = loop.judge_as(first.crossed(answered, counted))
    crossed = [one for one in judged.values() if isinstance(one, Judgement)]
    both = sum(one.faithful for one in crossed)
    found = Pilot(
        labels=counted,
        crossed=len(crossed),
        crossed_seen=both,
        tells_apart=not orders.surely(both, len(crossed)),
        hints=hints(answered, study, loop),
    )
    if stop:
        _refuse(found, study)
    return Piloted(answered=answered, found=found)


def _refuse_sorted(answered: Sequence[Answered], study: Study, loop: Loop) -> None:
    """Refuse a classifier that ranks: its highest score comes first whatever is shown, so that class 0 always wins."""
    for place, classes in enumerate(study.maps):
        said = loop.predictions([one.draw for one in answered if one.draw.image], place).values()
        read = [one.levels[:SORTED] for one in said if isinstance(one, Prediction)]
        ranked = [[level.runs[0][0] for level in levels if level.size == 1] for levels in read]
        scores = {levels[0].score for levels in read}
        if len(read) >= _IMAGES and len(scores) > 1 and all(one == list(range(SORTED)) for one in ranked):
            message = (
                f"the scores of the classifier {brief(classes.classifier)} come highest first for each of {len(read)} "
                "images: they are sorted, so that nobody can tell whose they are, and class 0 always wins; "
                f"{MEND}"
            )
            raise MisfitError(message)


def hints(answered: Sequence[Answered], study: Study, loop: Loop) -> tuple[Hint, ...]:
    """Find, for each classifier, what would let it name most of the images whose labels it does not name."""
    found = (_hint(answered, place, study, loop) for place in range(len(study.maps)))
    return tuple(hint for hint in found if hint is not None)


def _hint(answered: Sequence[Answered], place: int, study: Study, loop: Loop) -> Hint | None:
    """Find what would let a classifier name most of the labels that it does not name."""
    said, classes = orders.said_of(answered, place), study.maps[place]
    hint = orders.order_hint(said, classes, place)
    if hint is not None or not orders.names_few(said, classes):
        return hint
    tried = loop.try_recipes(place, [one for one in answered if first.shows(one)])
    if tried is None or not tried.attempts:
        return None
    best = max(tried.attempts, key=lambda attempt: attempt.named)  # the first of the best
    if best.named <= tried.named or not orders.surely(best.named, tried.images):
        return None
    kind = "argument" if best.argument else "channels"
    return Hint(
        classifier=place,
        images=tried.images,
        named=tried.named,
        would=best.named,
        kind=kind,  # type: ignore[arg-type]
        argument=best.argument,
    )


def _refuse(found: Pilot, study: Study) -> None:
    judge, generator = (brief(study.identities[kind]["spec"]) for kind in (JUDGE, GENERATOR))
    if len(found.left_out) == len(found.labels):
        message = (
            f"the judge {judge} sees the label in almost none of the first images that {generator} drew: "
            f"{_counts(found.left_out)}; look at them in the archive, and give another generator, another judge, or "
            "labels that can be drawn"
        )
        raise MisfitError(message)
    if not found.tells_apart:
        message = (
            f"the judge {judge} does not tell labels apart: of {found.crossed} images in which it sees their label, it "
            f"sees another one in {found.crossed_seen}, too; give another judge, or set its thresholds with foible "
            "calibrate-judge; where the labels mean the same, go on with --set pilot.misfit=say"
        )
        raise MisfitError(message)


def _counts(labels: Sequence[PilotLabel]) -> str:
    said = [f"{brief(one.label, 60)!r} in {one.seen} of {one.judged}" for one in labels[:_LISTED]]
    return ", ".join(said) + (f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else "")
