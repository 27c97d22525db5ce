"""Finds the labels of a run, or of a suite, among the classes of another classifier.

Comes in: what labels mean for the classifiers that are known, and what another one says of its own classes. Goes out:
a class map, and why a label is in none of its classes; a classifier that judged the images is refused. Neighbours:
`labels.py` reads texts; `others.py` asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from foible.draws.questions import JUDGE
from foible.errors import ConfigError, LabelError, brief
from foible.findings import Subject
from foible.hunting.study import Study
from foible.identity import digest
from foible.labels import Classes, called, resolve
from foible.parts.members import weights_in
from foible.parts.registry import Part
from foible.records import ClassMap, Label


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the labels mean for one classifier that is known."""

    classes: str
    """`class_list` of its classes; empty where it names none."""
    right: Mapping[str, tuple[int, ...]]
    """By the name of a label: the classes that are right for it, its own first."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Labels that are sought among the classes of another classifier."""

    labels: Mapping[str, Label]
    """By name."""
    accepted: Mapping[str, tuple[str, ...]]
    """By the name of a label: what the classes are called that are right for it, its own first; empty where they have
    no names."""
    known: Sequence[Known]
    top: int
    """How many of the highest scores count."""
    target: str
    """The wrong class of the targeted mode; empty otherwise."""
    whose: str = "the run"
    """What has the labels, for a sentence."""


@dataclass(frozen=True, kw_only=True)
class Other:
    """A classifier that was not under test before, or was, and the labels that it has."""

    part: Part
    classes: ClassMap
    unknown: Mapping[str, str]
    """By the name of a label that it does not have: why not."""


def class_list(names: Sequence[str] | None) -> str:
    """Hash the names of a classifier's classes in their order; empty where it names none."""
    return "" if names is None else digest(list(names))


def names_of(label: str, classes: ClassMap) -> tuple[str, ...]:
    """Give what the classes are called that are right for a label, its own first; nothing where they have no names."""
    return () if classes.names is None else tuple(classes.names[index] for index in classes.right[label])


def sought(study: Study, place: int = 0) -> Sought:
    """Say which labels a run has.

    Args:
        study: the run.
        place: of the classifier whose accepted classes another one is to accept, where it has classes of these names.
    """
    own = study.maps[place]
    return Sought(
        labels=study.labels,
        accepted={name: names_of(name, own) for name in study.labels},
        known=[Known(classes=class_list(m.names), right=m.right) for m in study.maps],
        top=study.config.failure.top,
        target=study.config.failure.target,
    )


def refuse_judge(part: Part, study: Study) -> None:
    """Refuse a classifier that has the weights of a run's judge, or of a member of it.

    Args:
        part: a classifier that is to be held against those of the run, over its images.
        study: the run.

    Raises:
        ConfigError: it has these weights, under whatever name.
    """
    judge = study.identities[JUDGE]
    refuse_weights(part, weights_in(judge), f"the run ({brief(judge['spec'])})")


def refuse_weights(part: Part, weights: Collection[str], whose: str) -> None:
    """Refuse a classifier whose weights judged the images: what it errs on is left out, so that it looks better.

    Args:
        part: a classifier.
        weights: fingerprints of all that judged.
        whose: whose judge it is, for a sentence.

    Raises:
        ConfigError: it has one of these.
    """
    if part.identity["fingerprint"] in weights:
        spec = brief(part.identity["spec"])
        message = f"{spec} has weights of the judge of {whose}, which leaves out what it errs on, so that it would "
        message += "look better than it is; hunt with another judge, and go on from that"
        raise ConfigError(message)


def find_labels(part: Part, of: Classes, wanted: Sought, texts: Sequence[str]) -> Other:
    """Find labels among the classes of a classifier.

    Args:
        part: the classifier.
        of: what it says of its classes.
        wanted: the labels. Where a classifier that is known has the same names in the same order, what is right there
            is right; else the classes of the same names are.
        texts: as a hunt takes them, for labels that cannot be found by name: "504|968=coffee mug".

    Raises:
        LabelError: a text is about no label of these, or no class; or the target is none of the classes.
    """
    given = {label.name: text for text in texts for label in resolve([text], [of])[0]}
    if strange := given.keys() - wanted.labels.keys():
        message = f"{wanted.whose} has no label {min(strange)!r}; it has {', '.join(map(repr, wanted.labels))}"
        raise LabelError(message)
    own = class_list(of.names)
    alike = next((known for known in wanted.known if own and known.classes == own), None)
    right: dict[str, tuple[int, ...]] = {}
    unknown: dict[str, str] = {}
    for name in wanted.labels:
        try:
            if name in given:
                right[name] = _right(given[name], of, wanted.top)
            else:
                right[name] = alike.right[name] if alike is not None else _by_name(name, of, wanted)
        except LabelError as problem:
            unknown[name] = str(problem)
    target = _right(wanted.target, of, 1) if wanted.target else ()
    classes = ClassMap(classifier=of.classifier, names=of.names, right=right, top=wanted.top, target=target)
    return Other(part=part, classes=classes, unknown=unknown)


def _by_name(name: str, of: Classes, wanted: Sought) -> tuple[int, ...]:
    """Find the classes of a label by its own name, and by those of the classes that were right for it."""
    label = wanted.labels[name]
    found: dict[int, None] = {}
    lacking: LabelError | None = None
    for text in (f"{name} ({label.kind})" if label.kind else name, *wanted.accepted[name]):
        try:
            found |= dict.fromkeys(_right(text, of, wanted.top))
        except LabelError as problem:
            lacking = lacking or problem
    if not found and lacking is not None:
        raise lacking
    return tuple(found)


def _right(text: str, of: Classes, top: int) -> tuple[int, ...]:
    return next(iter(resolve([text], [of], top=top)[1][0].right.values()))


def subject_of(classes: ClassMap, identity: Mapping[str, object]) -> Subject:
    """Say of a classifier what its labels are, and what their classes are called."""
    indices = sorted({index for right in classes.right.values() for index in right})
    names = {index: called(index, classes) for index in indices}
    return Subject(name=classes.classifier, identity=identity, right=classes.right, class_names=names)
