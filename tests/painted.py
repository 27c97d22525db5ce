"""A small world of grey pictures that can be repainted: a classifier takes whatever is bright for a lamp.

Comes in: prompts, images. Goes out: images, answers. Neighbour: `toyworld.py` has scenes, which nothing repaints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

SIDE, CELL = 32, 4
NAMES = ["mug (cup)", "lamp (light)"]
DARK, BRIGHT = 60, 200


def image(level=DARK):
    """Draw a picture of a level, with something to see in it."""
    made = np.full((SIDE, SIDE, 3), level, np.uint8)
    made[12:20, 12:20] -= 20
    return made


ASKED: list[list[int]] = []
"""The seeds that a painter of a test was asked for."""
BREAKS: list[Any] = []
"""What such a painter calls first with these seeds; not in the object, whose identity would change with it."""


class Painter:
    """Draws grey pictures, and repaints them with the grey of their seed, moved up the score."""

    unsteerable = ""
    side = (SIDE, SIDE)
    cell = CELL

    def draw(self, prompts, seeds):
        """Draw dark ones, and bright ones where that is asked for."""
        return [
            self._noisy(BRIGHT if "bright light" in prompt else DARK, seed)
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]

    def _noisy(self, level, seed):
        noise = np.random.default_rng(seed).integers(-4, 5, (SIDE, SIDE, 3))
        return (image(level).astype(int) + noise).clip(0, 255).astype(np.uint8)

    def repaint(self, prompts, seeds, images, masks, strength, steer=None, rates=()):  # noqa: PLR0913, PLR0917 - as its protocol
        """Repaint; each step goes as far as its rate says."""
        given = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
        free = torch.from_numpy(np.stack(masks)[:, None])
        shift = torch.tensor([np.random.default_rng(seed).uniform(-0.02, 0.02) for seed in seeds]).float()
        start = torch.where(free, given + strength * shift.reshape(-1, 1, 1, 1), given)
        if steer is None:
            return start.clamp(0, 1)
        with torch.enable_grad():
            wanted = start.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(steer(wanted).sum(), wanted)
        if not bool(gradient.isfinite().all()):
            message = "the gradient is not finite (NaN)"
            raise FloatingPointError(message)
        moved = start + torch.tensor(rates).reshape(-1, 1, 1, 1) * gradient.sign() * free
        return moved.clamp(0, 1)

    def contrast(self, prompt, other, seeds, image):
        """Say that the object is in the middle."""
        found = np.zeros((SIDE, SIDE), np.float32)
        found[8:24, 8:24] = 1.0
        return found


class Eye:
    """Takes what is bright, in all of the picture, for a lamp; with gradients."""

    labels: Sequence[str] = NAMES

    def __init__(self):
        self.network = torch.nn.Identity()

    def classify(self, images):
        """Score by brightness."""
        return self.logits(self.prepare(images)).numpy()

    def prepare(self, images):
        """Make numbers 0..1 of images."""
        return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)

    def logits(self, batch):
        """Score a batch."""
        bright = 10 * (batch.mean(dim=(1, 2, 3)) - 0.45)
        return torch.stack([-bright, bright], dim=1)


def look(images):
    """Score as `Eye` does, as a plain function without gradients."""
    return Eye().classify(images)


look.labels = NAMES  # type: ignore[attr-defined]


def describe(images):
    """Say whether a mug stands in the light."""
    return [f"a mug {'in bright light' if one.mean() > 114 else 'in the dark'}" for one in images]


def embed(images):
    """Place images by their brightness."""
    return np.stack([[one.mean() + 1, one.std() + 1] for one in images])


def judge(images, labels):
    """See every label."""
    return [True] * len(images)


PARTS = {"captioner": describe, "embedder": embed, "judge": judge}
