"""Promises about a generator that gives the same pixels for different requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from foible.pixels import content_hash
from foible.run.shards import Shards


def test_the_same_pixels_may_be_kept_by_many_at_once(tmp_path):
    """Units that are written at once may hold the same image: none disturbs another, and each can be read."""
    drawn = [np.full((64, 64, 3), value, np.uint8) for value in range(20) for _ in range(8)]
    with Shards(tmp_path) as shards, ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda array: shards.put({content_hash(array): array}), drawn))
    assert len({image for one in kept for image in one}) == 20
    for placed, array in zip(kept, drawn, strict=True):
        ((image, place),) = placed.items()
        held = shards.get(place, image)
        assert held is not None
        assert np.array_equal(held, array)
