"""Promises about a generator that gives the same pixels for different requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from foible.run.images import Images


def test_the_same_pixels_may_be_kept_by_many_at_once(tmp_path):
    """One unit of work may hold an image twice: each is written by a thread of its own, and none disturbs another."""
    images = Images(tmp_path)
    drawn = [np.full((64, 64, 3), value, np.uint8) for value in range(20) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(images.put, drawn))
    assert len(set(kept)) == 20
    assert all((images.get(image) == array).all() for image, array in zip(kept, drawn, strict=True))
    assert not list((tmp_path / "unfinished").iterdir())
