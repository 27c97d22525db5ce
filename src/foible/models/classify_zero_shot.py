"""Image classification by comparing an image with the names of classes, as CLIP and SigLIP do.

Comes in: images; once, the classes and how a sentence about one looks. Goes out: a probability for each class.
Neighbours: `embed_transformers.py` makes the vectors; `judge_clip.py` compares an image with one label, and is a judge.

Several templates are averaged in the space of the vectors, as in the CLIP paper (arXiv 2103.00020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.errors import ArgumentError, PluginError, brief
from foible.models import _names
from foible.models import _transformers as shared
from foible.models._batches import InPieces
from foible.models.embed_transformers import TransformersEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

TEMPLATE = "a photo of a {name}."
_PLACE = "{name}"
_TEXTS = 256
"""Texts that are embedded at once: a thousand classes in a row would fill the memory for nothing."""


class ZeroShotClassifier:
    """CLIP, SigLIP and their kin over classes that the user names."""

    def __init__(
        self, name: str, embedder: TransformersEmbedder, classes: str | Sequence[str], template: str | Sequence[str]
    ) -> None:
        """Embed the classes.

        Args:
            name: of the model, as the user called it.
            embedder: the model; it must read text.
            classes: `imagenet`, a text file with one class a line, or names, each perhaps with its "(kind)".
            template: a sentence, or several, with {name} for the class.
        """
        if not embedder.reads_text:
            message = f"{name!r} reads no text, so classes cannot be named to it; leave the argument classes out"
            raise PluginError(message)
        named = _names.names(name, None, given=classes)
        self.labels = named.labels or ()
        self.accepted = named.accepted
        if not self.labels:
            message = f"{name!r} needs at least one class to compare images with, but the argument classes names none"
            raise ArgumentError(message)
        self._embedder = embedder
        self._texts = _texts(name, embedder, self.labels, [template] if isinstance(template, str) else template)
        self._ask = InPieces(self._scores)
        self.fingerprint = embedder.fingerprint
        self.resolved = {**embedder.resolved, "classes": list(self.labels), "template": template}
        self.version = shared.VERSION

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give probabilities: (n, classes), float32; of a model with a sigmoid each for itself, else summing to 1."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        factor, offset = self._embedder.scale
        logits = self._embedder.embed(images) @ self._texts.T * np.float32(factor)
        if offset is not None:
            alone: NDArray[np.float32] = 1 / (1 + np.exp(-np.clip(logits + np.float32(offset), -80, 80)))
            return alone
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores: NDArray[np.float32] = raised / raised.sum(axis=1, keepdims=True)
        return scores


def _texts(
    name: str, embedder: TransformersEmbedder, labels: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float32]:
    """Embed every class in every template and average: (classes, dimensions), each row of length 1."""
    for template in templates:
        if not isinstance(template, str) or template.count(_PLACE) != 1:
            message = f"a template of {name!r} is a sentence with one {_PLACE} in it, but got {brief(template)!r}"
            raise ArgumentError(message)
    if not templates:
        message = f"{name!r} needs a template, such as {TEMPLATE!r}"
        raise ArgumentError(message)
    bare = [label.partition(" (")[0] for label in labels]
    several = Counter(bare)
    said = [label if several[word] > 1 else word for word, label in zip(bare, labels, strict=True)]
    embed = InPieces(embedder.embed_texts, most=_TEXTS)
    mean = np.mean([embed([each.replace(_PLACE, word) for word in said]) for each in templates], axis=0)
    unit: NDArray[np.float32] = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
    return unit
