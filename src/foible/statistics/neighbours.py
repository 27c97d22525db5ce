"""Which annotations may be wrong: those that the photographs nearest to theirs do not share.

Comes in: vectors and annotations. Goes out: what the neighbours of each say. Neighbour: `hunting/whole.py` shows those
that disagree; no classifier under test has a say, since what it gets wrong is what a hunt looks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST = 10
"""Neighbours that are asked, each other photograph being one."""
AGAINST, FOR = 0.5, 0.1
"""An annotation may be wrong where so much of the votes goes to one other, and no more than so much to itself."""
_AT_ONCE = 256


def neighbours_say(
    vectors: NDArray[np.floating], annotations: Sequence[str], nearest: int = NEAREST
) -> list[tuple[str, float, float]]:
    """Say of n photographs what most of the others nearest to them, by cosine, are annotated as (leave-one-out).

    Each annotation has a vote for each of its photographs among the neighbours, divided by how many photographs it has
    in all, so that a frequent one does not outvote a rare one. A photograph never votes for itself.

    Args:
        vectors: (n, dimensions), finite.
        annotations: of each.
        nearest: how many neighbours are asked, at most n - 1.

    Returns:
        For each: the annotation with the most votes (of equal ones the first by name), its share of the votes, and that
        of the photograph's own annotation; ("", 0, 0) where there is no other photograph.
    """
    count = len(annotations)
    asked = min(nearest, count - 1)
    if asked < 1:
        return [("", 0.0, 0.0)] * count
    centred = np.asarray(vectors, np.float32) - np.asarray(vectors, np.float32).mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    often = Counter(annotations)
    found = []
    for begin in range(0, count, _AT_ONCE):
        # Rounded, and ranked stably, so that the last bits of the arithmetic move no neighbour in or out.
        cosines = np.round(unit[begin : begin + _AT_ONCE] @ unit.T, 4)
        cosines[np.arange(len(cosines)), np.arange(begin, begin + len(cosines))] = -np.inf
        for row, ranked in enumerate(np.argsort(-cosines, axis=1, kind="stable")[:, :asked]):
            found.append(_votes([annotations[other] for other in ranked], annotations[begin + row], often))
    return found


def disagreeing(
    vectors: NDArray[np.floating], annotations: Sequence[str], nearest: int = NEAREST
) -> list[tuple[int, str, float]]:
    """Give (number, annotation of the neighbours, its share of the votes) where the own one may be wrong, surest first.

    Args:
        vectors: (n, dimensions), finite.
        annotations: of each.
        nearest: how many neighbours are asked.
    """
    said = enumerate(neighbours_say(vectors, annotations, nearest))
    found = [
        (number, best, share)
        for number, (best, share, own) in said
        if best not in {"", annotations[number]} and share >= AGAINST and own <= FOR
    ]
    return sorted(found, key=lambda one: (-one[2], one[0]))


def _votes(neighbours: Sequence[str], own: str, often: Counter[str]) -> tuple[str, float, float]:
    votes = {name: times / often[name] for name, times in Counter(neighbours).items()}
    whole = sum(votes.values())
    best = min(votes, key=lambda name: (-votes[name], name))
    return best, votes[best] / whole, votes.get(own, 0.0) / whole
