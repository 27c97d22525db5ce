"""What a classifier calls its classes: can it be drawn, told apart, and relied on?

Comes in: names and scores that a plug-in gave. Goes out: a sentence for each promise that they break.
Neighbours: `__init__.py` asks; `labels.py` turns names into labels, and refuses in a hunt what cannot be one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from foible.codes import are_places, is_coded
from foible.errors import FoibleError, brief
from foible.labels import Classes, class_name, is_printable, resolve
from foible.parts.ranked import ranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HALF = 0.5


def named(labels: Any, scores: Sequence[NDArray[np.float64]] | None) -> Iterator[str]:
    """Say what is wrong with the names of classes: one for each score, words, and no two that read alike."""
    if isinstance(labels, str) or not all(isinstance(label, str) and label.strip() for label in labels):
        yield "`labels` is a list of names: it holds something else, or an empty name"
    if scores and len(scores[0]) != len(labels):
        yield f"`labels` names every class: there are {len(labels)} names and {len(scores[0])} scores"
    texts = tuple(map(str, labels))
    all_coded = are_places(texts)
    coded = next((n for n, text in enumerate(texts) if all_coded or is_coded(text) or not is_printable(text)), None)
    if coded is not None:
        name = brief(repr(texts[coded]), 60)
        yield (
            f"names are words that can be drawn: class {coded} is called {name}; take numbers and codes away, and have "
            "no `labels` where there are no words"
        )
    read: dict[str, list[int]] = defaultdict(list)
    for index in range(len(texts)):
        read[class_name(index, texts).casefold()].append(index)
    alike = next(((name, which) for name, which in read.items() if len(which) > 1), None)
    if alike is not None:
        name, which = alike
        yield (
            f"no two classes are called the same: {brief(repr(name), 60)} are {which[:5]}; tell them apart by a kind "
            "in parentheses, as in 'crane (bird)'"
        )


def steady(before: Any, after: Any, again: Any) -> Iterator[str]:
    """Say where the names of classes change: between two questions, or from one loading to the next."""
    if not before == after == again:
        when = "while it answered" if before != after else "when it was loaded again"
        yield f"`labels` stay the same, in one order: they changed {when}, and each score goes by its place"


def accepted(table: Mapping[int, Any], classes: int) -> Iterator[str]:
    """Say where classes are accepted for others that are none."""
    beyond = [index for index, others in table.items() for index in (index, *others) if not 0 <= index < classes]
    if beyond:
        yield f"`accepted` speaks of its {classes} classes, counted from 0: it has {beyond[:3]}"


def alone_at_the_top(scores: Sequence[NDArray[np.float64]]) -> Iterator[str]:
    """Say that most images have several classes with the highest score: a hunt cannot score these."""
    tied = sum(int((row == row.max()).sum()) > 1 for row in scores)
    if tied > _HALF * len(scores):
        yield (
            f"the highest score is one class's alone: for {tied} of {len(scores)} images several classes have it, and "
            "such images are unscored; give finer scores"
        )


def in_order(classifier: str, scores: Sequence[NDArray[np.float64]]) -> Iterator[str]:
    """Say that scores come highest first and so, it seems, not in the order of the classes."""
    if told := ranked(classifier, scores):
        yield f"scores come in the order of the classes: {told}"


def right_about(
    scores: Sequence[NDArray[np.float64]],
    shows: Sequence[str],
    names: Sequence[str] | None,
    also: Mapping[int, Any],
) -> Iterator[str]:
    """Say that a classifier is wrong about more than half of images whose labels are known.

    Args:
        scores: of each image.
        shows: what each image shows, as labels are written.
        names: of the classes; None where it names none.
        also: `accepted`; empty where there is none.
    """
    known = Classes(classifier="it", names=None if names is None else tuple(names), accepted=also)
    try:
        _, (classes,) = resolve(list(dict.fromkeys(shows)), [known])
    except FoibleError as error:
        yield f"it has a class for what the images show: {error}"
        return
    right = [classes.right[label] for label in classes.right]
    of = dict(zip(dict.fromkeys(shows), right, strict=True))
    best = [[int(index) for index in (row == row.max()).nonzero()[0]] for row in scores]
    hits = sum(len(top) == 1 and top[0] in of[shown] for top, shown in zip(best, shows, strict=True))
    if hits < _HALF * len(scores):
        yield (
            f"it names what the images show: it is right about {hits} of {len(scores)}; are its size, crop, range, "
            "channels, output and the order of its classes those it was trained with?"
        )
