"""Reported faults of grouping failures."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from foible.config import GroupOptions
from foible.records import Draw, Observation, Outcome, Prompt
from foible.stages.group import MOST, group


def failures(count):
    """Make failures of one label into one class, with keys as draws have them."""
    keys = [hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest() for number in range(count)]
    return [
        Observation(Draw(key, Prompt("mug", "", "a mug"), number, "explore"), Outcome("failed", 5))
        for number, key in enumerate(keys)
    ]


def by_vectors(vectors):
    """Group failures with these vectors; give the members of each cluster, as numbers."""
    observed = failures(len(vectors))
    number = {o.draw.key: o.draw.seed for o in observed}
    embedded = {o.draw.key: vector for o, vector in zip(observed, vectors, strict=True)}
    groups = group(observed, embedded, GroupOptions())
    return sorted([number[key] for key in g.members] for g in groups if len(g.members) < len(vectors))


def plain(vectors):
    """Cluster all of them at once, as the definition says."""
    options = GroupOptions()
    distances = pdist(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
    if len(vectors) < 2 * options.smallest or not distances.max() > 0:
        return []
    numbers = fcluster(linkage(distances, "average"), options.distance * distances.mean(), "distance")
    found = [np.flatnonzero(numbers == number).tolist() for number in set(numbers)]
    return sorted(one for one in found if options.smallest <= len(one) < len(vectors))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 6))
def test_few_failures_are_clustered_all_at_once(seed, count, kinds):
    """B26: up to the bound, clusters are those of the whole average-linkage tree, cut where the setting says."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(kinds, 4))
    vectors = centres[dice.integers(0, kinds, count)] + dice.normal(size=(count, 4)) * dice.uniform(0, 1)
    assert by_vectors(vectors) == plain(vectors)


def test_many_failures_fall_into_the_same_clusters_in_bounded_memory():
    """B26: three times the bound: each is in its cluster, a stray one in none, and pairs do not fill memory."""
    dice = np.random.default_rng(0)
    count = 3 * MOST
    kind = dice.integers(0, 8, count)
    vectors = (np.eye(16)[kind] + 0.05 * dice.normal(size=(count, 16))).astype(np.float32)
    strays = [5, 1234, count - 1]
    vectors[strays] = np.eye(16)[[13, 14, 15]]
    kind[strays] = -1
    tracemalloc.start()
    found = by_vectors(vectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == sorted(np.flatnonzero(kind == one).tolist() for one in range(8))
    assert peak < 100e6  # all pairs at once take 144 MB, and their tree as much again
    assert by_vectors(vectors) == found
