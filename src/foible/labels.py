"""What the user calls a label, resolved against the classes of the classifier.

Comes in: texts such as "coffee mug", "coffee mug (cup)" or "504|968=coffee mug (cup)", and the names of the
classifier's classes where it has them. Goes out: `Label` records. Neighbour: `stages/prompts.py` turns them into text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from foible.errors import LabelError, brief, near
from foible.records import Label

_FORM = re.compile(
    r"(?:(?P<indices>[0-9]{1,9}(?: ?\| ?[0-9]{1,9})*) ?= ?)?(?P<name>[^()=]+?) ?(?:\((?P<hypernym>[^()]*)\))?"
)
"""Of a text whose white space is single blanks."""
_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Zero-width marks that Persian, Hindi and many emoji are spelled with; no other unseen mark belongs in a label."""
MOST_BY_DEFAULT = 20
"""With more classes than this, the user must name the labels: hunting over all would take hours unasked."""


def split_name(text: str) -> tuple[str, str]:
    """Split "coffee mug (cup)" into name and hypernym; the hypernym is empty where there is none.

    Both are as they are said and drawn: "coffee_mug" is "coffee mug", and letters are composed (Unicode's NFC).
    """
    plain = _plain(text)
    found = _FORM.fullmatch(plain)
    return (found["name"], (found["hypernym"] or "").strip()) if found else (plain or text.strip(), "")


def class_name(index: int, names: Sequence[str] | None) -> str:
    """Return what a class is called; "class 17" where the classifier names none.

    The hypernym is left away, unless another class has the same name: "crane (bird)" is not "crane (machine)".
    """
    if names is None or not 0 <= index < len(names):
        return f"class {index}"
    name = split_name(names[index])[0]
    return _plain(names[index]) if _folded(name) in _shared_names(tuple(names)) else name


def is_printable(text: str) -> bool:
    """Say whether a text can be shown as it is: printable characters, and the joiners that scripts are spelled with."""
    return text.translate(_JOINERS).isprintable()


@lru_cache(maxsize=8)
def _shared_names(names: tuple[str, ...]) -> frozenset[str]:
    """Give the names, without hypernyms, that several classes have."""
    counts = Counter(_folded(split_name(each)[0]) for each in names)
    return frozenset(name for name, count in counts.items() if count > 1)


def _plain(text: str) -> str:
    """Write a text as it is said: composed letters, single blanks, none of the underscores that stand for blanks."""
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())


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
    if texts:
        labels = [_resolve(text, names, accepted or {}) for text in texts]
    else:
        texts = _every(names)
        labels = [_of_class(index, text, accepted or {}) for index, text in enumerate(texts)]
    seen: dict[int, str] = {}
    for text, label in zip(texts, labels, strict=True):
        if label.index in seen:
            message = (
                f"the label {brief(text)!r} is given twice (class {label.index} is also {brief(seen[label.index])!r}); "
                "name each label once"
            )
            raise LabelError(message)
        seen[label.index] = text
    counts = Counter(label.name for label in labels)
    doubled = next((label for label in labels if counts[label.name] > 1), None)
    if doubled is not None:
        apart = f"{doubled.index}={doubled.name} {doubled.hypernym or 'and what sets it apart'}"
        message = f"two labels are called {brief(doubled.name)!r}; tell them apart, as in {brief(apart)!r}"
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
    found = _FORM.fullmatch(_plain(text))
    if found is None or not is_printable(found[0]):
        whole = _whole(_plain(text), names or ())
        if whole is not None:
            return _of_class(*whole, accepted)
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


def _whole(text: str, names: Sequence[str]) -> tuple[int, str] | None:
    """Find a class whose name has no form of a label, such as "a = b", by all of it, with its index or without."""
    index, _, rest = text.partition("=")
    place = int(index) if re.fullmatch("[0-9]{1,9} ?", index) else None
    if place is not None and place < len(names) and _same(names[place], rest):
        return place, names[place]
    hits = [place for place, each in enumerate(names) if _same(each, text)]
    return (hits[0], names[hits[0]]) if len(hits) == 1 else None


def _of_class(index: int, text: str, accepted: Mapping[int, Collection[int]]) -> Label:
    """Make a label of a class by its own name, which is taken whole where it has no form that is known."""
    name, hypernym = split_name(text)
    if not name or not is_printable(name + hypernym):
        message = f"class {index} is called {brief(repr(text))}, which is no name; write the label as {index}=name"
        raise LabelError(message)
    return Label(index, name, hypernym, frozenset({index, *accepted.get(index, ())}))


def _same(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    """Give what two spellings of one name share: case, hyphens, underscores and the form of Unicode do not count."""
    return " ".join(_plain(unicodedata.normalize("NFC", text).casefold()).replace("-", " ").split())
