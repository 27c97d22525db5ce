"""Failures become groups: by label, by predicted label, and by clusters of an embedding.

Comes in: outcomes of the explore arm and vectors of the failures. Goes out: groups, larger before smaller. A pure
function. Neighbour: `follow.py` and `contrast.py` put a group into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from foible.config import GroupOptions
from foible.records import Group, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    for label in dict.fromkeys(o.request.label for o in observations):
        failed = [o for o in observations if o.request.label == label and o.outcome.status == "failed"]
        if not failed:
            continue
        groups.append(Group(label=label, predicted=None, members=_keys(failed)))
        predicted = sorted({o.outcome.predicted for o in failed if o.outcome.predicted is not None})
        for index in predicted:
            alike = [o for o in failed if o.outcome.predicted == index]
            groups.append(Group(label=label, predicted=index, members=_keys(alike)))
            groups += [Group(label=label, predicted=index, members=keys) for keys in _clusters(alike, vectors, options)]
    unique = {(g.label, g.members): g for g in groups}  # of two with the same members, the one that says more
    return sorted(unique.values(), key=lambda g: (g.label, -len(g.members), g.members))


def _keys(observations: Sequence[Observation]) -> tuple[str, ...]:
    return tuple(o.key for o in observations)


def _clusters(
    alike: Sequence[Observation], vectors: Mapping[str, NDArray[np.float32]], options: GroupOptions
) -> list[tuple[str, ...]]:
    """Cut the average-linkage tree of cosine distances where clusters are tight beside the whole."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    keys = [o.key for o in alike if o.key in vectors]
    if len(keys) < 2 * options.smallest:
        return []
    stacked = np.stack([vectors[key] for key in keys]).astype(np.float64)
    distances = pdist(stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12))
    if not distances.max() > 0:
        return []
    numbers = fcluster(linkage(distances, "average"), options.distance * distances.mean(), "distance")
    members = [tuple(k for k, n in zip(keys, numbers, strict=True) if n == number) for number in sorted(set(numbers))]
    return [keys for keys in members if len(keys) >= options.smallest]
