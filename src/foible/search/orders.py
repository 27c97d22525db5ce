"""Are the classes of a classifier in another order than it says? Read off what it says of the pilot's images.

Comes in: draws that show their labels, and one classifier's class map. Goes out: a `Hint`, or none. A pure function of
predictions. Neighbours: `pilot.py` made the draws; `hunting/trying.py` tries other recipes where this finds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from foible.labels import split_name
from foible.pilots import Hint
from foible.records import Answered, ClassMap
from foible.search.pilot import shows
from foible.statistics import surely_above

LEVEL = 0.05
_HALF = 0.5
_ONE_TO_ONE = 2 / 3
"""A network of another domain takes each label for some class, too; one whose classes are in another order does so
nearly always."""
_NEARLY = 0.75


class Said(NamedTuple):
    """What a classifier says of one image that shows its label."""

    label: str
    predicted: int


def said_of(answered: Iterable[Answered], place: int) -> list[Said]:
    """List what the classifier at a place says of images that show their label, each image once."""
    found: dict[tuple[str, str], Said] = {}
    for one in answered:
        predicted = one.outcomes[place].predicted
        if shows(one) and predicted is not None:
            found.setdefault((one.request.label, one.draw.image), Said(one.request.label, predicted))
    return list(found.values())


def named(said: Sequence[Said], classes: ClassMap) -> int:
    """Count the images of which a right class is said."""
    return sum(one.predicted in classes.right[one.label] for one in said)


def names_few(said: Sequence[Said], classes: ClassMap) -> bool:
    """Tell whether the classifier surely names less than half of the images."""
    return surely(len(said) - named(said, classes), len(said))


def surely(count: int, of: int, share: float = _HALF) -> bool:
    """Tell whether a count is surely above a share."""
    return bool(surely_above([count], [of], share, LEVEL)[0])


def order_hint(said: Sequence[Said], classes: ClassMap, place: int) -> Hint | None:
    """Find a shift, or another order of the classes, under which the classifier is right about most images.

    Args:
        said: of images that show their label.
        classes: its class map.
        place: of the classifier.
    """
    if len({one.label for one in said}) < 2 or not names_few(said, classes):  # noqa: PLR2004 - one label has no order
        return None
    hint = Hint(classifier=place, images=len(said), named=named(said, classes), would=0, kind="order")
    own = {one.label: classes.right[one.label][0] for one in said}
    usual = {label: Counter(one.predicted for one in said if one.label == label).most_common(1)[0][0] for label in own}
    most = _explained(said, usual)
    by_shift, shift = _shifted(said, own, classes)
    for kind, found in (("shifted", by_shift), ("alphabetical", _by_name(own, classes))):
        would = _explained(said, found)
        # What a plain order explains nearly as well as any order at all needs no other.
        if surely(would, len(said)) and would >= _NEARLY * most and _most_labels(said, found):
            told = replace(hint, kind=kind, would=would, classes=tuple(found.items()))  # type: ignore[arg-type]
            return replace(told, shift=shift) if kind == "shifted" else told
    if len(set(usual.values())) == len(usual) and surely(most, len(said), _ONE_TO_ONE):
        return replace(hint, would=most, classes=tuple(usual.items()))
    return None


def _explained(said: Sequence[Said], indices: Mapping[str, int]) -> int:
    """Count the images of which the class is said that an order gives."""
    return sum(indices.get(one.label) == one.predicted for one in said)


def _shifted(said: Sequence[Said], own: Mapping[str, int], classes: ClassMap) -> tuple[dict[str, int], int]:
    """Give, by label, the class that lies the most frequent distance away, and that distance.

    Where it is known how many classes there are, the last one stands before the first.
    """
    count = len(classes.names) if classes.names is not None else 0
    away = Counter(_wrapped(one.predicted - own[one.label], count) for one in said)
    shift = next((distance for distance, _ in away.most_common() if distance), 0)
    return {label: (index + shift) % count if count else index + shift for label, index in own.items()}, shift


def _wrapped(distance: int, count: int) -> int:
    """Give the shortest distance on a ring of so many classes; of any number where that is not known."""
    return (distance + count // 2) % count - count // 2 if count else distance


def _most_labels(said: Sequence[Said], indices: Mapping[str, int]) -> bool:
    """Tell whether an order explains most images of most labels, of two at least."""
    labels = list(indices)
    explained = 0
    for label in labels:
        own = [one.predicted == indices[label] for one in said if one.label == label]
        explained += 2 * sum(own) > len(own)
    return explained >= 2 and 2 * explained > len(labels)  # noqa: PLR2004 - see above


def _by_name(own: Mapping[str, int], classes: ClassMap) -> dict[str, int]:
    """Give, by label, the place of its class among the names in the order of the alphabet, as folders are read."""
    if classes.names is None:
        return {}
    names = [split_name(name)[0] for name in classes.names]
    place = {name: at for at, name in enumerate(sorted(names))}
    found = {label: place[names[index]] for label, index in own.items() if index < len(names)}
    return found if any(found[label] != own[label] for label in found) else {}
