"""How near a counterfactual is to its image, and how directly the change leads to the answer.

Comes in: two images and a mask, a classifier. Goes out: numbers. Neighbour: `search.py` makes the images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.guiding.lpips import lpips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.guiding.sight import Sight
    from foible.parts.protocols import Image

STEPS = 20
"""Images between the two for COUT."""


def l1(before: Image, after: Image) -> float:
    """Give the mean difference over all pixels and channels, as a share of the whole scale: 0..1."""
    return float(np.abs(after.astype(np.int64) - before.astype(np.int64)).mean() / 255)


def lpips_of(network: str, before: Image, after: Image) -> float:
    """Say how far one image looks from another, by LPIPS: 0 where they are the same.

    Raises:
        PluginError: the library or the weights are missing, or the images are too small.
    """
    one, other = (torch.tensor(image).permute(2, 0, 1)[None].float() / 255 for image in (before, after))
    with torch.no_grad():
        return float(lpips(network)(one, other)[0])


def cout(sight: Sight, before: Image, after: Image, classes: tuple[tuple[int, ...], tuple[int, ...]]) -> float | None:
    """Say how fast the answer turns while pixels are changed, those that change most first: -1..1, None if unknown.

    The area under the probability of the wanted answer, minus that under the one before, along the way.

    Args:
        sight: the classifier.
        before: the image.
        after: its counterfactual.
        classes: those of the answer before, and those that were wanted.

    Source: Khorram and Fuxin, "Cycle-consistent counterfactuals by latent transformations" (arXiv 2203.15064), COUT.
    """
    moved = np.abs(after.astype(np.int64) - before.astype(np.int64)).sum(axis=2)
    order = np.argsort(-moved, axis=None, kind="stable")[: int((moved > 0).sum())]
    way = []
    for step in range(STEPS + 1):
        chosen = np.zeros(moved.size, bool)
        chosen[order[: round(len(order) * step / STEPS)]] = True
        way.append(np.where(chosen.reshape(moved.shape)[..., None], after, before))
    scores = sight.exact(way)
    if not bool(torch.isfinite(scores).all()):
        return None
    odds = scores.double().softmax(1)
    was, wanted = (odds[:, list(own)].sum(1) for own in classes)
    area = torch.trapezoid(wanted - was, dx=1 / STEPS)
    return float(area)


def apart(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Give the cosine distance of two vectors: 0..2."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return 1.0 - float(np.dot(one, other)) / size if size > 0 else 0.0
