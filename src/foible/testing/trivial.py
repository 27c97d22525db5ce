"""A trivial plug-in of each kind, for tests of whatever takes one. Each keeps the promises of its kind.

Comes in: a batch. Goes out: answers that depend on nothing but the input. Neighbour: `__init__.py` holds plug-ins to
their promises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.records import Drawn, Judgement, Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image


class NoiseGenerator:
    """Draws noise around a colour of the prompt's own."""

    def __init__(self, *, size: int = 64) -> None:
        self.size = size

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn]:
        """Draw (size, size, 3) images that depend on prompt and seed alone."""
        return [Drawn(self._one(prompt, seed)) for prompt, seed in zip(prompts, seeds, strict=True)]

    def _one(self, prompt: str, seed: int) -> Image:
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
        noise = np.random.default_rng([seed, *digest[3:7]]).integers(-40, 41, (self.size, self.size, 3))
        pixels: Image = np.clip(noise + np.frombuffer(digest[:3], np.uint8), 0, 255).astype(np.uint8)
        return pixels


class ColourClassifier:
    """Tells which of red, green and blue an image has most of."""

    labels = ("red", "green", "blue")

    def classify(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score by the mean of each channel, 0..1."""
        means: NDArray[np.float64] = np.stack([image.mean(axis=(0, 1)) / 255 for image in images])
        return means


class ConstantCaptioner:
    """Says the same of every image."""

    def __init__(self, text: str = "a photo") -> None:
        self.text = text

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Give the text, once for each image."""
        return [self.text for _ in images]


class MeanEmbedder:
    """Embeds an image as the mean and spread of its channels."""

    def embed(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Give (n, 6) numbers, 0..1."""
        rows = [np.concatenate([image.mean(axis=(0, 1)), image.std(axis=(0, 1))]) / 255 for image in images]
        return np.stack(rows)


class YesJudge:
    """Finds that every image shows its label."""

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:
        """Say yes, with score 1."""
        return [Judgement(faithful=True, score=1.0) for _ in zip(images, labels, strict=True)]
