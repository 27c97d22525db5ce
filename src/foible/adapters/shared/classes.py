"""What the outputs of a network mean, where they are not one class out of several: one number, or names that are none.

Comes in: how many outputs there are, what the user said of them, and what a file calls them. Goes out: two classes for
a network with one output; names, or None. Neighbours: `_names.py` reads and checks names; `_scores.py` checks shapes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.codes import are_places
from foible.errors import ArgumentError, brief

if TYPE_CHECKING:
    from numpy.typing import NDArray

_YES_NO = 2


def named(texts: Sequence[Any]) -> list[str] | None:
    """Give the names in a model's own file; None where every one of them says no more than a number does."""
    found = [" ".join(str(text).split()) for text in texts]
    return None if are_places(tuple(found)) else found


def numbered(id2label: Mapping[Any, Any], label2id: Mapping[Any, Any] | None = None) -> list[str] | None:
    """Give the names of `id2label` in the order of the outputs.

    None where they are no names, where they do not number the outputs 0, 1, 2 … (a gap, a list from 1), or where
    `label2id` gives the same names in another order: whichever of the two is right, the other would be wrong.
    """
    try:
        table = {int(str(index)): str(name) for index, name in id2label.items()}
    except ValueError:
        return None
    if sorted(table) != list(range(len(table))):
        return None
    texts = [table[index] for index in range(len(table))]
    back = {str(name): str(index) for name, index in (label2id or {}).items()}
    if set(back) == set(texts) and any(table.get(int(back[n])) != n for n in back if back[n].isdecimal()):
        return None
    return named(texts)


def classes(model: str, outputs: int, threshold: float | None) -> int:
    """Give how many classes a network tells apart: as many as it has outputs, or two for one output with a threshold.

    Args:
        model: as the user called it, for errors.
        outputs: how many numbers it gives for an image.
        threshold: from which number on the answer of a network with one output is yes.

    Raises:
        ArgumentError: one output and no threshold, or a threshold and several outputs, or one that is no number.
    """
    if threshold is None:
        if outputs != 1:
            return outputs
        message = (
            f"{model!r} has one output, a yes or no, and one number cannot be ranked: give threshold, the output from "
            "which the answer is yes (0.5 for a probability, 0 for a logit); the classes are then no and yes"
        )
        raise ArgumentError(message)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not math.isfinite(threshold):
        message = f"the argument threshold of {model!r} is a number, but got {brief(repr(threshold), 40)}"
        raise ArgumentError(message)
    if outputs != 1:
        message = f"{model!r} has {outputs} outputs, which are ranked: leave the argument threshold out"
        raise ArgumentError(message)
    return _YES_NO


def must_rank(model: str, why: str, names: Sequence[str] | None, *, multi: bool, single_label: bool) -> None:
    """Refuse a model that says of each class whether an image shows it: its best class is not its answer.

    Args:
        model: as the user called it, for errors.
        why: what shows it.
        names: of its classes, as examples.
        multi: whether it is such a model.
        single_label: the argument of that name.

    Raises:
        ArgumentError: it is one and nobody said that an image shows one class; or that was said of another model.
    """
    if single_label and not multi:
        message = f"{model!r} is no multi-label model: leave single_label out"
        raise ArgumentError(message)
    if multi and not single_label:
        one, other = (brief(text, 40) for text in (*(names or ()), "dog", "person")[:2])
        message = (
            f"{model!r} says of each class for itself whether an image shows it ({why}), so that {one!r} at 0.92 "
            f"beside {other!r} at 0.95 would count as failed: wrap it with python:module:factory, whose classify gives "
            "the scores of no and yes for the class you mean, or give single_label: true if an image shows one alone"
        )
        raise ArgumentError(message)


def yes_or_no(scores: NDArray[np.float32], threshold: float | None) -> NDArray[np.float32]:
    """Make two classes, no and yes, of one output (n, 1): yes is first where the output is at least the threshold.

    Without a threshold the scores stay as they are.
    """
    if threshold is None:
        return scores
    above = (scores[:, 0] - np.float32(threshold)).astype(np.float32)
    return np.stack([np.where(above == 0, np.float32(-1e-12), -above), above], axis=1)


def two(texts: Sequence[str] | None, outputs: int) -> list[str] | None:
    """Name both answers of a network with one output, whose file names the one thing that it looks for."""
    if texts is None or outputs != 1 or len(texts) != 1:
        return None if texts is None else list(texts)
    return [f"not {texts[0]}", texts[0]]
