"""Images that the pool lacks, drawn when a method asks for them: long descriptions, of which the pool has too few.

Comes in: prompts and seeds. Goes out: numbers, and what the parts say of the images behind them. The parts are the real
ones; a classifier with planted biases answers as its source does, except in its slices. Neighbour: `world.py` asks the
pool first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bugs.pool import WORDS
from foible.diorama.biases import Bias
from foible.diorama.scene import Scene, imagine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

FIRST = 1_000_000_000
"""Numbers of live images begin here: beyond those of any pool."""


class Live:
    """Draws, and remembers what it drew."""

    def __init__(self, classifier: str, planted: Sequence[Bias]) -> None:
        """Begin with no image.

        Args:
            classifier: the spec of the classifier that answers.
            planted: biases that it was not trained with, and answers as if it had been.
        """
        self._classifier, self._planted = classifier, planted
        self._drawn: list[tuple[Image, Scene, int]] = []

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[int]:
        """Draw, and give a number for each image."""
        first = FIRST + len(self._drawn)
        drawn = _part("generator", "diorama:scenes").draw(prompts, seeds)
        for one, prompt, seed in zip(drawn, prompts, seeds, strict=True):
            self._drawn.append((one.image, imagine(prompt, seed).scene, seed))
        return list(range(first, FIRST + len(self._drawn)))

    def labels(self, numbers: Sequence[int]) -> list[int]:
        """Give the label that each image shows, by its place in `WORDS`."""
        return [WORDS["label"].index(self._drawn[number - FIRST][1].label) for number in numbers]

    def answers(self, numbers: Sequence[int]) -> list[int]:
        """Give the predicted class of each image."""
        scores = _part("classifier", self._classifier).classify(self._images(numbers))
        answers = [int(index) for index in np.asarray(scores).argmax(axis=1)]
        return [self._biased(answer, *self._drawn[n - FIRST][1:]) for n, answer in zip(numbers, answers, strict=True)]

    def captions(self, numbers: Sequence[int]) -> list[str]:
        """Give the caption of each image."""
        captions: list[str] = _part("captioner", "diorama:captioner").caption(self._images(numbers))
        return captions

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Give the vector of each image."""
        vectors: NDArray[np.float32] = _part("embedder", "diorama:embedder").embed(self._images(numbers))
        return vectors

    def _images(self, numbers: Sequence[int]) -> list[Image]:
        return [self._drawn[number - FIRST][0] for number in numbers]

    def _biased(self, answer: int, scene: Scene, seed: int) -> int:
        """Answer as if trained with the planted biases: in each slice a share of the right answers is wrong."""
        for place, bias in enumerate(self._planted):
            right = answer == WORDS["label"].index(scene.label)
            inside = scene.label == bias.label and all(getattr(scene, name) == word for name, word in bias.attributes)
            if right and inside and _lot(scene, seed, place) < bias.mislabelled:
                answer = WORDS["label"].index(bias.becomes)
        return answer


@cache
def _part(kind: str, spec: str) -> Any:
    from foible.parts import registry

    return registry.load(kind, spec).object


def _lot(scene: Scene, seed: int, place: int) -> float:
    """Draw lots for an image, 0 to 1."""
    digest = hashlib.blake2b(f"{scene}/{seed}/{place}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "little") / 2.0**48
