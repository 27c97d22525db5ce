"""What the user calls a label, resolved against the classes of the classifier.

Comes in: texts such as "coffee mug", "coffee mug (cup)" or "504|968=coffee mug (cup)", and the names of the
classifier's classes where it has them. Goes out: `Label` records. Neighbour: `stages/prompts.py` turns them into text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from foible.errors import LabelError, brief, near
from foible.records import Label

_FORM = re.compile(
    r"(?:(?P<indices>[0-9]{1,9}(?: ?\| ?[0-9]{1,9})*) ?= ?)?(?P<name>[^()=]+?) ?(?:\((?P<hypernym>[^()]*)\))?"
)
"""Of a text whose white space is single blanks."""
_INDEX = re.compile("[0-9]{1,9}")
MOST_BY_DEFAULT = 20
"""With more classes than this, the user must name the labels: hunting over all would take hours unasked."""


def split_name(text: str) -> tuple[str, str]:
    """Split "coffee mug (cup)" into name and hypernym; the hypernym is empty where there is none."""
    found = _FORM.fullmatch(" ".join(text.split()))
    return (found["name"], (found["hypernym"] or "").strip()) if found else (text.strip(), "")


def class_name(index: int, names: Sequence[str] | None) -> str:
    """Return what a class is called, without its hypernym; "class 17" where the classifier names none."""
    return split_name(names[index])[0] if names is not None and 0 <= index < len(names) else f"class {index}"


def resolve(
    texts: Sequence[str], names: Sequence[str] | None, accepted: Mapping[int, Collection[int]] | None = None
) -> tuple[Label, ...]:
    """Turn texts into labels.

    Args:
        texts: one label each; empty for every class of the classifier.
        names: the classifier's classes in order, each as "name" or "name (hypernym)"; None where it names none.
        accepted: index -> further classes that count as correct for a label that does not list its indices itself.

    Raises:
        LabelError: a label is malformed, unknown, given twice or out of range; or none is given, and there are many.
    """
    if not texts:
        texts = _every(names)
    labels = [_resolve(text, names, accepted or {}) for text in texts]
    seen: dict[int, str] = {}
    for text, label in zip(texts, labels, strict=True):
        if label.index in seen:
            message = (
                f"the label {brief(text)!r} is given twice (class {label.index} is also {brief(seen[label.index])!r}); "
                "name each label once"
            )
            raise LabelError(message)
        seen[label.index] = text
    doubled = [name for name, count in Counter(label.name for label in labels).items() if count > 1]
    if doubled:
        message = f"two labels are called {brief(doubled[0])!r}; tell them apart, as in '134=crane bird'"
        raise LabelError(message)
    return tuple(labels)


def find_class(text: str, names: Sequence[str] | None) -> int:
    """Return the index of one class, as the targeted mode names it.

    Raises:
        LabelError: as `resolve`.
    """
    return _resolve(text, names, {}).index


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


def _resolve(text: str, names: Sequence[str] | None, accepted: Mapping[int, Collection[int]]) -> Label:
    found = _FORM.fullmatch(" ".join(text.split()))
    if found is None or not found[0].isprintable():
        message = f"a label looks like 'coffee mug', 'coffee mug (cup)' or '504=coffee mug', but got {brief(text)!r}"
        raise LabelError(message)
    name, hypernym = found["name"], (found["hypernym"] or "").strip()
    if found["indices"] is None:
        index, hypernym = _look_up(name, hypernym, names)
        return Label(index, name, hypernym, frozenset({index, *accepted.get(index, ())}))
    indices = [int(part) for part in found["indices"].split("|")]
    if names is not None and max(indices) >= len(names):
        message = f"the label {brief(text)!r} names class {max(indices)}, but the classifier has {len(names)} (from 0)"
        raise LabelError(message)
    return Label(indices[0], name, hypernym, frozenset(indices))


def _look_up(name: str, hypernym: str, names: Sequence[str] | None) -> tuple[int, str]:
    if _INDEX.fullmatch(name) and not any(_same(split_name(each)[0], name) for each in names or ()):
        called = "name" if names is None else next((split_name(each)[0] for each in names[int(name) :][:1]), "")
        if called:
            message = f"a label is a name, but got {name!r}; for that class write {name}={brief(called)}"
            raise LabelError(message)
    if names is None:
        message = f"the classifier does not name its classes, so write the label as INDEX={brief(name)}"
        raise LabelError(message)
    known = [split_name(each) for each in names]
    hits = [i for i, (each, kind) in enumerate(known) if _same(each, name) and (not hypernym or _same(kind, hypernym))]
    if not hits:  # the user's hypernym may be another than the classifier's
        hits = [i for i, (each, _) in enumerate(known) if _same(each, name)]
    if not hits:
        message = f"there is no label {brief(name)!r}: {near(name, [each for each, _ in known])}"
        raise LabelError(message)
    if len(hits) > 1:
        message = f"the label {brief(name)!r} is the name of classes {hits}; say which, as {hits[0]}={brief(name)}"
        raise LabelError(message)
    return hits[0], hypernym or known[hits[0]][1]


def _same(one: str, other: str) -> bool:
    return one.casefold().replace("-", " ").strip() == other.casefold().replace("-", " ").strip()
