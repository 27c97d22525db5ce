"""Failures become groups: by label, by predicted label, and by clusters of an embedding.

Comes in: outcomes of the explore arm and vectors of the failures. Goes out: groups, larger before smaller. A pure
function. Neighbour: `follow.py` and `contrast.py` put a group into words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from foible.config import GroupOptions
from foible.records import Group, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 2000
"""Failures whose every pair is compared; of more, so many are clustered, and the others join these clusters."""
_AT_ONCE = 250


def group(
    observations: Sequence[Observation], vectors: Mapping[str, NDArray[np.float32]], options: GroupOptions
) -> list[Group]:
    """Group the failures of the explore arm.

    For each label: all its failures; those with one predicted label; and clusters among those. A failure is in every
    group that it belongs to, since only the captions can tell which cut is the telling one.

    Args:
        observations: the explore arm, of any labels.
        vectors: draw key -> embedding, for the failures; a failure without one is in no cluster.
        options: how near is near.
    """
    groups: list[Group] = []
    failures = _by((o.request.label, o) for o in observations if o.outcome.status == "failed")
    for label, failed in failures.items():
        groups.append(Group(label=label, predicted=None, members=_keys(failed)))
        predicted = _by((o.outcome.predicted, o) for o in failed if o.outcome.predicted is not None)
        for index in sorted(predicted):
            alike = predicted[index]
            groups.append(Group(label=label, predicted=index, members=_keys(alike)))
            groups += [Group(label=label, predicted=index, members=keys) for keys in _clusters(alike, vectors, options)]
    unique = {(g.label, g.members): g for g in groups}  # of two with the same members, the one that says more
    return sorted(unique.values(), key=lambda g: (g.label, -len(g.members), g.members))


def _by(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Gather what has the same key, in order."""
    gathered: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        gathered[key].append(value)
    return gathered


def _keys(observations: Sequence[Observation]) -> tuple[str, ...]:
    return tuple(o.key for o in observations)


def _clusters(
    alike: Sequence[Observation], vectors: Mapping[str, NDArray[np.float32]], options: GroupOptions
) -> list[tuple[str, ...]]:
    """Cut the average-linkage tree of cosine distances where clusters are tight beside the whole."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    keys = [o.key for o in alike if o.key in vectors]
    if len(keys) < 2 * options.smallest:
        return []
    compared = _sample(keys)
    directions = _directions([vectors[keys[place]] for place in compared])
    distances = pdist(directions)
    if not distances.max() > 0:
        return []
    near = options.distance * float(distances.mean())
    numbers = fcluster(linkage(distances, "average"), near, "distance")
    belongs = dict(zip(compared, numbers.tolist(), strict=True))
    rest = [place for place in range(len(keys)) if place not in belongs]
    for start in range(0, len(rest), _AT_ONCE):
        some = rest[start : start + _AT_ONCE]
        joined = _joined(_directions([vectors[keys[place]] for place in some]), directions, numbers, near)
        belongs |= {place: number for place, number in zip(some, joined, strict=True) if number is not None}
    members = _by((belongs[place], key) for place, key in enumerate(keys) if place in belongs)
    return [tuple(members[number]) for number in sorted(members) if len(members[number]) >= options.smallest]


def _sample(keys: Sequence[str]) -> list[int]:
    """Return the places of at most `MOST` keys: those whose keys come first, which says nothing of what they show."""
    if len(keys) <= MOST:
        return list(range(len(keys)))
    return sorted(sorted(range(len(keys)), key=lambda place: (keys[place], place))[:MOST])


def _directions(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Scale vectors to length 1: (n, dimensions); a vector of zeros stays one."""
    import numpy as np

    stacked = np.stack(vectors).astype(np.float64)
    scaled: NDArray[np.float64] = stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
    return scaled


def _joined(
    rest: NDArray[np.float64], compared: NDArray[np.float64], numbers: NDArray[np.int32], near: float
) -> Iterator[int | None]:
    """Yield for each further vector the cluster that it is nearest to, as average linkage means it; None beyond `near`.

    Args:
        rest: (n, dimensions), of length 1.
        compared: (m, dimensions), of length 1.
        numbers: (m,), the cluster of each, from 1 on.
        near: the largest mean distance to the members of a cluster that is joined.
    """
    import numpy as np

    squares = (rest**2).sum(axis=1)[:, None] + (compared**2).sum(axis=1)[None, :] - 2 * rest @ compared.T
    distances = np.sqrt(np.maximum(squares, 0.0))
    each = np.unique(numbers)
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], each)
    sizes = np.diff(np.append(starts, len(numbers)))
    means = np.add.reduceat(distances[:, order], starts, axis=1) / sizes
    nearest = means.argmin(axis=1)
    for row, place in enumerate(nearest):
        yield int(each[place]) if means[row, place] <= near else None
