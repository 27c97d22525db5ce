"""What exploration saw becomes hypotheses, for one classifier.

Its failures are embedded, captioned and grouped, and the method of the config does the rest.

Comes in: what was explored. Goes out: hypotheses, and how they came about. Neighbours: `group.py` and `phrases.py`
prepare; `follow.py` or `contrast.py` proposes; `trial/` tests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foible.hunting.loop import Loop
from foible.hunting.study import Study
from foible.labels import called, split_name
from foible.records import Answered, Group, Hypothesis, Observation
from foible.search.contrast import describe
from foible.search.follow import Explored, Follow
from foible.search.group import group
from foible.search.phrases import cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspected:
    """What exploration leads to, for one classifier."""

    hypotheses: Sequence[Hypothesis]
    """The most telling first."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """By draw key."""
    phrases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By draw key: the phrases of its caption."""
    faults: Sequence[str] = ()
    """For each failure that could not be captioned or embedded, why: it may be in no hypothesis."""


def propose(
    explored: Sequence[Answered], classifier: int, study: Study, loop: Loop, guided: Sequence[Answered] = ()
) -> Suspected:
    """Turn what exploration saw into hypotheses about one classifier.

    Args:
        explored: of every label.
        classifier: its place among those of the run.
        study: labels, class maps and options.
        loop: captions, embeds and, where failures are followed, draws.
        guided: draws of every label that were led to fail. What fails among them is followed; it is not counted among
            what was explored, of which it says nothing.
    """
    options = study.config.describe
    seen = [one.seen_by(classifier) for one in explored]
    failed = [o for o in seen if o.outcome.status == "failed"]
    led = [o for o in (one.seen_by(classifier) for one in guided) if o.outcome.status == "failed"]
    failing = {o.request.label for o in (*failed, *led)}
    passed = _passes(seen, failing, options.passes) if options.method != "captions" else []
    vectors, unembedded = loop.embed([o.draw for o in failed])
    captions, uncaptioned = loop.caption([o.draw for o in (*failed, *passed, *led)])
    cutter = _cutter(seen, classifier, study)
    label_of = {o.key: o.request.label for o in (*seen, *led)}
    phrases = {key: cutter(text, label_of[key]) for key, text in captions.items()}
    groups = group(seen, vectors, study.config.group)
    if options.method == "follow":
        known = Explored(
            classifier=classifier,
            observations=seen,
            phrases=phrases,
            groups=[*groups, *_taken_alike(led)],
            cut=cutter,
            led=frozenset(o.key for o in led),
        )
        follow = Follow(known, study.requests, options, study.config.confirm.margin)
        loop.run(follow, classifier)
        found = follow.found()
    else:
        found = describe(groups, seen, phrases, options, classifier)
    return Suspected(hypotheses=found, captions=captions, phrases=phrases, faults=(*unembedded, *uncaptioned))


def _taken_alike(led: Sequence[Observation]) -> list[Group]:
    """Group guided failures by what they are taken for: each kind has its turn among the failures of its label."""
    found: dict[tuple[str, int | None], list[str]] = {}
    for o in led:
        found.setdefault((o.request.label, o.outcome.predicted), []).append(o.key)
    return [Group(label=label, predicted=taken, members=tuple(keys)) for (label, taken), keys in found.items()]


def for_all(hypotheses: Iterable[Hypothesis], classifiers: int) -> list[Hypothesis]:
    """Let every classifier be tested on what was suspected for one of them, at the price of its predictions."""
    own = list(hypotheses)
    known = {(h.about, h.classifier) for h in own}
    borrowed = [
        replace(h, classifier=place, predicted=None, score=0.0, borrowed=True, origin=None)
        for h in own
        for place in range(classifiers)
        if (h.about, place) not in known
    ]
    return [*own, *dict.fromkeys(borrowed)]


def _cutter(seen: Sequence[Observation], classifier: int, study: Study) -> Callable[[str, str], frozenset[str]]:
    """Return what cuts the caption of a draw of a label into phrases: (caption, label).

    No phrase says the label itself or what it was taken for, since that would draw the wrong thing. Other classes may
    be said: "beside a vase".
    """
    classes = study.maps[classifier]
    taken: dict[str, list[str]] = {label: [label] for label in study.labels}
    for o in seen:
        if o.outcome.predicted is not None and o.outcome.status == "failed":
            taken[o.request.label].append(split_name(called(o.outcome.predicted, classes))[0])
    banned = {label: list(dict.fromkeys(names)) for label, names in taken.items()}
    others = list(dict.fromkeys([*study.labels, *(name for names in banned.values() for name in names)]))
    return lambda caption, label: frozenset(cut(caption, banned[label], others)) if caption else frozenset()


def _passes(seen: Sequence[Observation], failing: Collection[str], most: int) -> list[Observation]:
    """Return the first passes of each label that also has failures: what its failures are set apart from."""
    by_label: dict[str, list[Observation]] = {label: [] for label in failing}
    for o in seen:
        if o.outcome.status == "passed" and o.request.label in failing:
            by_label[o.request.label].append(o)
    kept = {o.key for passes in by_label.values() for o in passes[:most]}
    return [o for o in seen if o.key in kept]
