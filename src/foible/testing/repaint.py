"""What a generator promises that draws part of an image anew: nothing outside the mask changes, and a seed is a seed.

Comes in: a part. Goes out: broken promises. Neighbours: `testing/__init__.py`, which asks; `noise.py` tries the other
capability of generators; `foible.counterfactual` relies on this one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foible.errors import brief
from foible.parts import asking
from foible.parts.protocols import offers
from foible.parts.registry import Part
from foible.parts.repainting import Repaints
from foible.records import Drawn

_PROMPTS = ["a photo of a cup", "a photo of a ball"]
_SEEDS = [0, 1]
_STRENGTH = 0.8
_LEAST = 0.5 / 255
"""Half a level: less is no other pixel."""


def repainted(part: Part) -> Iterator[str]:
    """List the promises that such a generator breaks; nothing for one that is none, or says that it cannot."""
    if not offers(part.object, Repaints) or part.object.unsteerable:
        return
    try:
        yield from _broken(part, part.object)
    except Exception as error:  # noqa: BLE001 - a stranger's code
        told = brief(" ".join(str(error).split()), 160)
        yield f"it repaints images: it raised {type(error).__name__}: {told}"


def _broken(part: Part, generator: Repaints) -> Iterator[str]:
    height, width = generator.side
    drawn = asking.ask_generator(part, _PROMPTS, _SEEDS)
    images = [one.image for one in drawn if isinstance(one, Drawn)]
    if len(images) < len(_SEEDS):
        return  # told elsewhere
    if any(image.shape[:2] != (height, width) for image in images):
        yield f"its images have the side that it names, {height} by {width}: they have another one"
        return
    if height % generator.cell or width % generator.cell:
        yield f"its sides are multiples of its cell: {height} and {width} are none of {generator.cell}"
        return
    mask = np.zeros((height, width), bool)
    mask[: max(generator.cell, height // 2 // generator.cell * generator.cell)] = True
    once, again = (
        generator.repaint(_PROMPTS, _SEEDS, images, [mask] * len(images), _STRENGTH).detach().float().cpu().numpy()
        for _ in range(2)
    )
    if once.shape != (len(images), 3, height, width):
        yield f"it gives n images (n, 3, height, width): got {once.shape}"
        return
    if not np.isfinite(once).all() or once.min() < 0 or once.max() > 1:
        yield "its numbers are within 0..1: they are not"
    moved = np.abs(once - np.stack(images).transpose(0, 3, 1, 2) / 255).max(axis=1)
    if moved[:, ~mask].max(initial=0) > _LEAST:
        yield "nothing outside the mask changes: something did"
    if moved[:, mask].max(initial=0) <= _LEAST:
        yield "what is under the mask is drawn anew: it is as it was"
    if np.abs(once - again).max() > _LEAST:
        yield "the same seed repaints the same: it was another image"
