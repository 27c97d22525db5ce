"""What a generator promises whose noise can be moved: its own noise gives its own images, with gradients.

Comes in: a part. Goes out: broken promises. Neighbours: `testing/__init__.py` asks; `foible.guiding` relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foible.errors import brief
from foible.parts import asking
from foible.parts.protocols import ReadsText, StartsFromNoise, offers
from foible.parts.registry import Part
from foible.records import Drawn

_PROMPTS = ["a photo of a cup", "a photo of a ball"]
_SEEDS = [0, 1]
_LEVELS = 255
_OFF = 1
"""Levels of 255 by which a pixel may be another: gradients may take another way through the same arithmetic."""


def sampled(part: Part) -> Iterator[str]:
    """List the promises that such a generator breaks; nothing for one that is none."""
    if not offers(part.object, StartsFromNoise):
        return
    try:
        yield from _broken(part, part.object)
    except Exception as error:  # noqa: BLE001 - a stranger's code
        told = brief(" ".join(str(error).split()), 160)
        yield f"its noise can be moved: it raised {type(error).__name__}: {told}"


def _broken(part: Part, generator: StartsFromNoise) -> Iterator[str]:
    import torch

    drawn = asking.ask_generator(part, _PROMPTS, _SEEDS)
    noise = generator.noise(_PROMPTS, _SEEDS).detach().requires_grad_()
    if len(noise) != len(_SEEDS):
        yield f"it gives a noise for each prompt and seed: wanted {len(_SEEDS)}, got {len(noise)}"
        return
    images = generator.sample(_PROMPTS, _SEEDS, noise)
    shown = (images.detach().float().cpu().numpy() * _LEVELS).round().transpose(0, 2, 3, 1)
    for mine, one in zip(shown, drawn, strict=True):
        if isinstance(one, Drawn) and (mine.shape != one.image.shape or np.abs(mine - one.image).max() > _OFF):
            yield "from the noise of its seed, an image is sampled as it is drawn: it is another one"
            break
    (gradient,) = torch.autograd.grad(images.square().sum(), noise)
    if not bool(torch.isfinite(gradient).all()) or not bool(gradient.any()):
        yield "its images have gradients of their noise: these are zero, or not finite"
    if not offers(generator, ReadsText) or generator.unreadable:
        return
    embeddings = generator.embeddings(_PROMPTS, _SEEDS).detach().requires_grad_()
    read = generator.sample_read(_PROMPTS, _SEEDS, noise.detach(), embeddings)
    if read.shape != images.shape or float((read - images).detach().abs().max()) * _LEVELS > _OFF:
        yield "from the embeddings of its prompt, an image is sampled as it is drawn: it is another one"
    (gradient,) = torch.autograd.grad(read.square().sum(), embeddings)
    if not bool(torch.isfinite(gradient).all()) or not bool(gradient.any()):
        yield "its images have gradients of their embeddings: these are zero, or not finite"
