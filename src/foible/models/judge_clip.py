"""Whether an image shows its label, by a joint embedding of images and texts.

Comes in: images and their labels. Goes out: judgements. Neighbours: `embed_transformers.py` makes the vectors; a
classifier under test is never its own judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.errors import ArgumentError, PluginError, brief
from foible.models.embed_transformers import TransformersEmbedder
from foible.records import Judgement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image
    from foible.records import Label


class ClipJudge:
    """Compares the cosine of an image with its label to its cosines with other things (CLIP, arXiv 2103.00020).

    With contrasts, the score is cosine(image, label) minus the largest cosine(image, contrast); without, it is
    cosine(image, label). An image is faithful when its score is at least the threshold. A contrast that names the label
    itself, in whatever case, is left out.
    """

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        contrasts: Sequence[str] = (),
        template: str = "a photo of a {}",
        threshold: float | None = None,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub, of a CLIP-like model.
            contrasts: names of other things that an image could show.
            template: the text for a name, which goes where `{}` stands.
            threshold: smallest score that is faithful; 0 by default with contrasts, and needed without.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.
        """
        self._contrasts = _names(name, contrasts)
        self._template = _template(name, template)
        self._threshold = _threshold(name, threshold, self._contrasts)
        self._embedder = TransformersEmbedder(
            name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code
        )
        if not self._embedder.reads_text:
            message = f"{name!r} embeds images alone; a judge needs a model of images and texts, such as CLIP"
            raise PluginError(message)
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self.fingerprint = self._embedder.fingerprint
        self.resolved = {
            **self._embedder.resolved,
            "contrasts": list(self._contrasts),
            "template": self._template,
            "threshold": self._threshold,
        }
        self.version = self._embedder.version

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:
        """Judge each image against its own label."""
        vectors = self._embedder.embed(images)
        return [self._one(vector, label.name) for vector, label in zip(vectors, labels, strict=True)]

    def _one(self, image: NDArray[np.float32], name: str) -> Judgement:
        others = [other for other in self._contrasts if other.casefold() != name.casefold()]
        score = self._cosine(image, name) - max((self._cosine(image, other) for other in others), default=0.0)
        return Judgement(score >= self._threshold, score)

    def _cosine(self, image: NDArray[np.float32], name: str) -> float:
        if name not in self._vectors:
            self._vectors[name] = self._embedder.embed_texts([self._template.replace("{}", name)])[0]
        return float(np.dot(image.astype(np.float64), self._vectors[name].astype(np.float64)))


def _names(spec: str, contrasts: Sequence[str]) -> tuple[str, ...]:
    if isinstance(contrasts, str) or not all(isinstance(one, str) and one.strip() for one in contrasts):
        message = f"the contrasts of {spec!r} must be a list of names, but are {brief(repr(contrasts))}"
        raise ArgumentError(message)
    return tuple(contrasts)


def _template(spec: str, template: str) -> str:
    if not isinstance(template, str) or "{}" not in template:
        message = f"the template of {spec!r} must hold {{}} where the name goes, but is {brief(repr(template))}"
        raise ArgumentError(message)
    return template


def _threshold(spec: str, threshold: float | None, contrasts: tuple[str, ...]) -> float:
    if threshold is None and contrasts:
        return 0.0
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not math.isfinite(threshold):
        message = f"{spec!r} needs a finite number as threshold where it has no contrasts, but got {threshold!r}"
        raise ArgumentError(message)
    return float(threshold)
