"""A world for tests of the hunt itself: scenes of the diorama's language, written into pixels instead of rendered.

The first pixels of an image hold the scene's values, so that the classifier, captioner, embedder and judge below read
them back exactly. A hunt over it takes a second, and what is true is known. Its classifier takes a mug on grass for a
bucket, and a striped bottle at night for a vase.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foible.diorama.scene import Scene, caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS

NAMES = [f"{label.name} ({label.hypernym})" for label in LABELS]
PLAIN = [label.name for label in LABELS]
FIELDS = list(ATTRIBUTES)


def draw(prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
    """Write each imagined scene, and its seed, into the first row of pixels."""
    return [_write(imagine(prompt, seed).scene, seed) for prompt, seed in zip(prompts, seeds, strict=True)]


def read(image: np.ndarray) -> Scene:
    """Read a scene back from its pixels."""
    codes = image[0, :, 0]
    values = {f: ATTRIBUTES[f][int(codes[i + 1])].word for i, f in enumerate(FIELDS)}
    return Scene(label=PLAIN[int(codes[0])], **values)


class Classifier:
    """Right everywhere but in two planted slices."""

    labels = NAMES

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Score one class 1 and the others 0."""
        scores = np.zeros((len(images), len(NAMES)))
        for row, image in enumerate(images):
            scores[row, PLAIN.index(self.answer(read(image)))] = 1
        return scores

    def answer(self, scene: Scene) -> str:
        """Name what is seen."""
        if scene.label == "coffee mug" and scene.ground == "grass":
            return "bucket"
        if scene.label == "water bottle" and scene.texture == "striped" and scene.light == "night":
            return "vase"
        return scene.label


class Perfect(Classifier):
    """Right everywhere."""

    def answer(self, scene: Scene) -> str:
        """Name what is there."""
        return scene.label


def describe(images: Sequence[np.ndarray]) -> list[str]:
    """Caption each image with what is in it."""
    return [caption(read(image)) for image in images]


def embed(images: Sequence[np.ndarray]) -> np.ndarray:
    """Place images by their ground and light."""
    scenes = [read(image) for image in images]
    grounds, lights = [v.word for v in ATTRIBUTES["ground"]], [v.word for v in ATTRIBUTES["light"]]
    vectors = np.zeros((len(images), len(grounds) + len(lights)))
    for row, scene in enumerate(scenes):
        vectors[row, grounds.index(scene.ground)] = 1
        vectors[row, len(grounds) + lights.index(scene.light)] = 1
    return vectors


def judge(images: Sequence[np.ndarray], labels: Sequence[object]) -> list[bool]:
    """Say whether each image shows its label."""
    return [read(image).label == label.name for image, label in zip(images, labels, strict=True)]


PARTS = {"generator": draw, "captioner": describe, "embedder": embed, "judge": judge}


def _write(scene: Scene, seed: int) -> np.ndarray:
    image = np.zeros((16, 16, 3), np.uint8)
    image[0, 0, 0] = PLAIN.index(scene.label)
    for i, field in enumerate(FIELDS):
        words = [value.word for value in ATTRIBUTES[field]]
        image[0, i + 1, 0] = words.index(getattr(scene, field))
    image[1, :4, 1] = list(seed.to_bytes(4, "big"))
    return image
