"""What the user calls a label, resolved against the classes of a classifier.

Comes in: texts such as "coffee mug", "coffee mug (cup)" or "504|968=coffee mug (cup)", and the names of the classes of
each classifier, where it has them. Goes out: `Label` records, which know no class, and a `ClassMap` for each
classifier. Neighbour: `draws/request.py` turns labels into text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from foible.codes import are_places, is_coded
from foible.errors import ConfigError, LabelError, brief, near
from foible.records import ClassMap, Label, Likeness

_FORM = re.compile(
    r"(?:(?P<indices>[0-9]{1,9}(?: ?\| ?[0-9]{1,9})*) ?= ?)?(?P<name>[^()=]+?) ?(?:\((?P<kind>[^()]*)\))?"
)
"""Of a text whose white space is single blanks."""
_INDEX = re.compile("[0-9]{1,9}")
_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Zero-width marks that Persian, Hindi and many emoji are spelled with; no other unseen mark belongs in a label."""
MOST_BY_DEFAULT = 20
"""With more classes than this, the user must name the labels: hunting over all would take hours unasked."""


def split_name(text: str) -> tuple[str, str]:
    """Split "coffee mug (cup)" into name and kind; the kind is empty where there is none.

    Both are as they are said and drawn: "coffee_mug" is "coffee mug", and letters are composed (Unicode's NFC).
    """
    plain = _plain(text)
    found = _FORM.fullmatch(plain)
    return (found["name"], (found["kind"] or "").strip()) if found else (plain or text.strip(), "")


def class_name(index: int, names: Sequence[str] | None) -> str:
    """Return what a class is called; "class 17" where the classifier names none.

    The kind is left away, unless another class has the same name: "crane (bird)" is not "crane (machine)".
    """
    if names is None or not 0 <= index < len(names):
        return f"class {index}"
    name = split_name(names[index])[0]
    return _plain(names[index]) if len(_places(tuple(names))[0][_folded(name)]) > 1 else name


def is_printable(text: str) -> bool:
    """Say whether a text can be shown as it is: printable characters, and the joiners that scripts are spelled with."""
    return text.translate(_JOINERS).isprintable()


def _plain(text: str) -> str:
    """Write a text as it is said: composed letters, single blanks, none of the underscores that stand for blanks."""
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())


def called(index: int, classes: ClassMap) -> str:
    """Return what a class is called: the name of the label that it is the first right class of, or its own."""
    own = next((label for label, right in classes.right.items() if right[0] == index), None)
    return own if own is not None else class_name(index, classes.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """What a classifier says of its own classes."""

    classifier: str
    """What the run calls it."""
    names: tuple[str, ...] | None = None
    """In order, each as "name" or "name (kind)"; None where it names none."""
    accepted: Mapping[int, Collection[int]] = field(default_factory=dict)
    """Index -> further classes that are as good, for a label that does not list its indices itself."""
    alike: Mapping[int, Mapping[int, float]] = field(default_factory=dict)
    """Index -> further classes that annotators saw in its pictures, each with the share of pictures, 0..1."""


def resolve(
    texts: Sequence[str], classifiers: Sequence[Classes], *, top: int = 1, target: str = ""
) -> tuple[tuple[Label, ...], tuple[ClassMap, ...]]:
    """Turn texts into labels, and find each in the classes of every classifier.

    Args:
        texts: one label each; empty for every class of the first classifier.
        classifiers: at least one. Indices that a text lists hold for all of them.
        top: how many of the highest scores count.
        target: the wrong class of the targeted mode; empty otherwise.

    Returns:
        The labels, and for each classifier its class map.

    Raises:
        LabelError: a label is malformed, unknown, given twice or out of range; or none is given, and there are many.
        ConfigError: so many scores count that a label could never fail.
    """
    several = len(classifiers) > 1
    every = [] if texts else _every(classifiers[0].names)
    first = [_of_class(index, text, classifiers[0]) for index, text in enumerate(every)]
    texts = texts or [_text(label) for label, _ in first]
    each = [
        [_resolve(text, of, several=several) for text in texts] for of in (classifiers[1:] if first else classifiers)
    ]
    each = [first, *each] if first else each
    labels = tuple(
        max((found[row][0] for found in each), key=lambda label: bool(label.kind)) for row in range(len(texts))
    )
    for found in each:
        _refuse_twice(texts, [indices for _, indices in found])
    _refuse_alike(labels, each[0])
    maps = tuple(
        ClassMap(
            classifier=of.classifier,
            names=of.names,
            right={label.name: indices for label, (_, indices) in zip(labels, found, strict=True)},
            top=top,
            target=_find_target(target, of, found) if target else (),
            alike={} if target else _all_alike(labels, found, of),
        )
        for of, found in zip(classifiers, each, strict=True)
    )
    for one in maps:
        if one.names is not None:
            check_classes(one, len(one.names))
    return labels, maps


def texts_of(annotations: Sequence[str], classifier: Classes) -> tuple[list[str], list[str]]:
    """Turn the annotations of photographs into texts for `resolve`: those that a classifier knows, and the others.

    A whole number that is no name of a class is the index of one.

    Raises:
        LabelError: the classifier names no classes, and the annotations are no indices.
    """
    names = classifier.names
    if names is None and not all(_INDEX.fullmatch(one) for one in annotations):
        message = "the classifier does not name its classes, so say which each annotation is, as INDEX=name, such as "
        raise LabelError(message + f"--label '0={brief(annotations[0], 40)}'")
    known: dict[str, str] = {}
    unknown = []
    for one in annotations:
        index = int(one) if _INDEX.fullmatch(one) and not any(_same(each, one) for each in names or ()) else None
        text = one if index is None else f"{index}={class_name(index, names)}"
        try:
            _resolve(text, classifier, several=False)
        except LabelError:
            unknown.append(one)
        else:
            known.setdefault(_folded(text), text)
    return list(known.values()), unknown


def labels_of(found: Iterable[str], labels: Mapping[str, Label], classes: ClassMap) -> dict[str, str]:
    """Say which label each annotation of photographs is: by its name, or by the index of its class.

    Args:
        found: the annotations.
        labels: of the run, by name.
        classes: of the first classifier, whose indices annotations may be.

    Returns:
        Annotation -> name of the label; an annotation that is none of the labels is not in it.
    """
    by_name = {_folded(label.name): name for name, label in labels.items()}
    by_index = {str(right[0]): name for name, right in classes.right.items()}
    said = {one: by_name.get(_folded(split_name(one)[0]), by_name.get(_folded(one))) for one in found}
    return {one: name for one, own in said.items() if (name := own or by_index.get(one)) is not None}


def check_classes(classes: ClassMap, count: int) -> None:
    """Refuse what no classifier of so many classes can pass, or fail.

    Raises:
        LabelError: a label or the target lies beyond the classes.
        ConfigError: so many scores count that a label could never fail.
    """
    for label, right in classes.right.items():
        beyond = max(*right, *classes.target, 0)
        name = brief(label)
        if beyond >= count:
            message = f"the label {name!r} needs class {beyond}, but the classifier has {count} (from 0)"
            raise LabelError(f"{message}; name another")
        if not classes.target and classes.top + len(right) > count:
            message = f"with failure.top {classes.top} and {count} classes the label {name!r} can never fail"
            raise ConfigError(f"{message}; lower failure.top, or accept fewer classes")


def _refuse_alike(labels: Sequence[Label], found: Sequence[tuple[Label, tuple[int, ...]]]) -> None:
    """Refuse two labels of one name: nobody could tell their draws apart."""
    counts = Counter(label.name for label in labels)
    doubled = next(((label, right) for label, right in found if counts[label.name] > 1), None)
    if doubled is not None:
        label, right = doubled
        apart = f"{right[0]}={label.name} {label.kind or 'and what sets it apart'}"
        message = f"two labels are called {brief(label.name)!r}; tell them apart, as in {brief(apart)!r}"
        raise LabelError(message)


def _text(label: Label) -> str:
    return f"{label.name} ({label.kind})" if label.kind else label.name


def _refuse_twice(texts: Sequence[str], indices: Sequence[tuple[int, ...]]) -> None:
    seen: dict[int, str] = {}
    for text, (index, *_) in zip(texts, indices, strict=True):
        if index in seen:
            message = (
                f"the label {brief(text)!r} is given twice (class {index} is also {brief(seen[index])!r}); "
                "name each label once"
            )
            raise LabelError(message)
        seen[index] = text


def _find_target(text: str, of: Classes, found: Sequence[tuple[Label, tuple[int, ...]]]) -> tuple[int, ...]:
    """Find the classes of the target; none of them may be right for a label."""
    _, target = _resolve(text, Classes(classifier=of.classifier, names=of.names), several=False)
    for label, right in found:
        if set(target) & set(right):
            message = (
                f"the target {brief(text)!r} is an accepted answer for the label {label.name!r}; "
                "hunt over other labels, or name another target"
            )
            raise LabelError(message)
    return target


def _every(names: Sequence[str] | None) -> Sequence[str]:
    if names is None:
        message = (
            "the classifier does not name its classes, so labels must be given as INDEX=name, such as 504=coffee mug"
        )
        raise LabelError(message)
    if len(names) > MOST_BY_DEFAULT:
        message = f"the classifier has {len(names)} classes; name the labels to hunt over, such as {brief(names[0])!r}"
        raise LabelError(message)
    return names


def _resolve(text: str, of: Classes, *, several: bool) -> tuple[Label, tuple[int, ...]]:
    """Return a label, and the classes that are right for it, its own first."""
    found = _FORM.fullmatch(_plain(text))
    if found is None or not is_printable(found[0]):
        whole = _whole(_plain(text), of.names or ())
        if whole is not None:
            return _of_class(*whole, of)
        message = f"a label looks like 'coffee mug', 'coffee mug (cup)' or '504=coffee mug', but got {brief(text)!r}"
        raise LabelError(message)
    name, kind = found["name"], (found["kind"] or "").strip()
    if found["indices"] is None:
        index, kind = _look_up(name, kind, of.names)
        if not _INDEX.fullmatch(name):  # whoever asks for a "7" of a classifier of digits means it
            _refuse_coded(index, name, of)
        return Label(name, kind), (index, *sorted(set(of.accepted.get(index, ())) - {index}))
    indices = tuple(dict.fromkeys(int(part) for part in found["indices"].split("|")))
    if of.names is not None and max(indices) >= len(of.names):
        message = (
            f"the label {brief(text)!r} names class {max(indices)}, but the classifier has {len(of.names)} (from 0)"
        )
        raise LabelError(message)
    if several and of.names is not None:
        _same_class_everywhere(text, name, indices, of)
    return Label(name, kind), indices


def _same_class_everywhere(text: str, name: str, indices: tuple[int, ...], of: Classes) -> None:
    """Refuse indices that hold for one of several classifiers alone."""
    assert of.names is not None  # noqa: S101 - asked before
    own = _places(of.names)[0].get(_folded(name), [])
    if own and not set(own) & set(indices):
        message = f"{brief(text)!r} names class {indices[0]}, but {of.classifier} has {brief(name)!r} as class {own[0]}"
        raise LabelError(f"{message}; with several classifiers give the label by its name")


def _look_up(name: str, kind: str, names: Sequence[str] | None) -> tuple[int, str]:
    if _INDEX.fullmatch(name) and _folded(name) not in _places(tuple(names or ()))[0]:
        called = "name" if names is None else next((split_name(each)[0] for each in names[int(name) :][:1]), "")
        if called:
            message = f"a label is a name, but got {name!r}; for that class write {name}={brief(called)}"
            raise LabelError(message)
    if names is None:
        message = f"the classifier does not name its classes, so write the label as INDEX={brief(name)}"
        raise LabelError(message)
    called_so = _places(tuple(names))[0].get(_folded(name), [])
    # The user's kind may be another than the classifier's.
    hits = [i for i in called_so if not kind or _same(split_name(names[i])[1], kind)] or called_so
    if not hits:
        message = f"there is no label {brief(name)!r}: {near(name, [split_name(each)[0] for each in names])}"
        raise LabelError(message)
    if len(hits) > 1:
        message = f"the label {brief(name)!r} is the name of classes {hits}; say which, as {hits[0]}={brief(name)}"
        raise LabelError(message)
    return hits[0], kind or split_name(names[hits[0]])[1]


def _whole(text: str, names: Sequence[str]) -> tuple[int, str] | None:
    """Find a class whose name has no form of a label, such as "a = b", by all of it, with its index or without."""
    index, _, rest = text.partition("=")
    place = int(index) if re.fullmatch("[0-9]{1,9} ?", index) else None
    if place is not None and place < len(names) and _same(names[place], rest):
        return place, names[place]
    hits = [place for place, each in enumerate(names) if _same(each, text)]
    return (hits[0], names[hits[0]]) if len(hits) == 1 else None


def _of_class(index: int, text: str, of: Classes) -> tuple[Label, tuple[int, ...]]:
    """Make a label of a class by its own name, which is taken whole where it has no form that is known."""
    name, kind = split_name(text)
    if not name or not is_printable(name + kind):
        message = f"class {index} is called {brief(repr(text))}, which is no name; write the label as {index}=name"
        raise LabelError(message)
    _refuse_coded(index, text, of)
    return Label(name, kind), (index, *sorted(set(of.accepted.get(index, ())) - {index}))


def accepting(label: Label, right: Sequence[int]) -> str:
    """Write a label with all of its right classes, as a user gives it: "504|968=coffee mug (cup)".

    Returns:
        A text that `resolve` reads as this label and these classes; empty where there is none.
    """
    text = f"{'|'.join(map(str, right))}={_text(label)}"
    try:
        same = _resolve(text, Classes(classifier=""), several=False) == (label, tuple(right))
    except LabelError:
        return ""
    return text if same else ""


def _all_alike(
    labels: Sequence[Label], found: Sequence[tuple[Label, tuple[int, ...]]], of: Classes
) -> dict[str, tuple[Likeness, ...]]:
    each = {label.name: _alike(label, right, of) for label, (_, right) in zip(labels, found, strict=True)}
    return {name: alike for name, alike in each.items() if alike}


def _alike(label: Label, right: Sequence[int], of: Classes) -> tuple[Likeness, ...]:
    """Return the classes that may show the same thing as a label: as annotators say, or else as names say."""
    if of.alike:  # a "monitor" is a lizard in one name and a screen in the other; people do not mix these up
        seen = of.alike.get(right[0], {})
        found = {index: share for index, share in seen.items() if index not in right}
        return tuple(Likeness(index=i, share=found[i]) for i in sorted(found, key=lambda i: (-found[i], i)))
    by_name, by_kind = _places(tuple(of.names or ()))
    kinds = {_folded(label.kind)} | {_folded(split_name(name)[1]) for name in (of.names or ())[right[0] : right[0] + 1]}
    named = {at for kind in kinds - {""} for at in by_name.get(kind, ())} | {*by_kind.get(_folded(label.name), ())}
    return tuple(Likeness(index=index) for index in sorted(named - set(right)))


@lru_cache(maxsize=8)
def _places(names: tuple[str, ...]) -> tuple[Mapping[str, Sequence[int]], Mapping[str, Sequence[int]]]:
    """Give the indices of classes by their names, and by their kinds."""
    by_name: dict[str, list[int]] = {}
    by_kind: dict[str, list[int]] = {}
    for index, text in enumerate(names):
        name, kind = split_name(text)
        by_name.setdefault(_folded(name), []).append(index)
        if kind:
            by_kind.setdefault(_folded(kind), []).append(index)
    return by_name, by_kind


def _refuse_coded(index: int, text: str, of: Classes) -> None:
    """Refuse a name that would be drawn as a code."""
    if is_coded(text) or are_places(tuple(of.names or ())):
        message = f"class {index} is called {brief(repr(text))}, a number or a code that nobody can draw"
        raise LabelError(f"{message}; say what it shows, as in '{index}=coffee mug'")


def _same(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    """Give what two spellings of one name share: case, hyphens, underscores and the form of Unicode do not count."""
    return " ".join(_plain(unicodedata.normalize("NFKC", text).casefold()).replace("-", " ").split())
