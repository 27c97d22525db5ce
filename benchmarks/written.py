"""Scenes of the diorama's language, written into pixels instead of rendered: parts that cost nearly nothing.

What a hunt costs beside its models is seen best where the models are cheap. The classifier errs in two slices, so that
a hunt has something to find. Its classes come in either order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.diorama.scene import Scene, caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Label

PLAIN = [label.name for label in LABELS]
SIDE = 16


class Generator:
    """Writes what the diorama would render, and the seed, after a wait."""

    def __init__(self, seconds: float = 0.0) -> None:
        """Let every draw take so many seconds."""
        self._seconds = seconds

    @property
    def fingerprint(self) -> str:
        """Say what decides the images: the wait does not."""
        return "written scenes"

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Give images (16, 16, 3)."""
        time.sleep(self._seconds * len(prompts))
        return [_write(imagine(prompt, seed).scene, seed) for prompt, seed in zip(prompts, seeds, strict=True)]


class Classifier:
    """Takes a mug on grass for a bucket, and a striped bottle at night for a vase."""

    def __init__(self, *, reverse: bool = False) -> None:
        """Put the classes in the order of the diorama's labels, or the other way round."""
        of = LABELS[::-1] if reverse else LABELS
        self.labels = [f"{label.name} ({label.hypernym})" for label in of]
        self._places = {label.name: place for place, label in enumerate(of)}

    @property
    def fingerprint(self) -> str:
        """Say what decides the answers: the order of the classes too."""
        return f"written: {self.labels}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Give 1 to one class and 0 to the others."""
        return np.eye(len(self.labels))[[self._places[_answer(_read(image))] for image in images]]


class Captioner:
    """Says what is there."""

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Give one line of controlled English an image."""
        return [caption(_read(image)) for image in images]


class Embedder:
    """Gives the values of the scene."""

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give vectors (n, 9)."""
        return np.array([image[0, : len(ATTRIBUTES) + 1, 0] for image in images], np.float32)


class Judge:
    """Knows the truth."""

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[bool]:
        """Tell whether each image shows its label."""
        return [_read(image).label == label.name for image, label in zip(images, labels, strict=True)]


def parts(*, seconds: float = 0.0, reverse: bool = False) -> dict[str, Any]:
    """Give the parts of a hunt by kind; every draw takes so many seconds."""
    return {
        "classifier": Classifier(reverse=reverse),
        "generator": Generator(seconds),
        "captioner": Captioner(),
        "embedder": Embedder(),
        "judge": Judge(),
    }


def _write(scene: Scene, seed: int) -> Image:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    words = [[value.word for value in values] for values in ATTRIBUTES.values()]
    codes = [of.index(getattr(scene, name)) for name, of in zip(ATTRIBUTES, words, strict=True)]
    image[0, : len(codes) + 1, 0] = [PLAIN.index(scene.label), *codes]
    image[1, :4, 0] = list(seed.to_bytes(4, "big"))
    return image


def _read(image: Image) -> Scene:
    codes = [int(code) for code in image[0, : len(ATTRIBUTES) + 1, 0]]
    values = {name: of[code].word for (name, of), code in zip(ATTRIBUTES.items(), codes[1:], strict=True)}
    return Scene(label=PLAIN[codes[0]], **values)


def _answer(scene: Scene) -> str:
    if scene.label == "coffee mug" and scene.ground == "grass":
        return "bucket"
    if scene.label == "water bottle" and scene.texture == "striped" and scene.light == "night":
        return "vase"
    return scene.label
