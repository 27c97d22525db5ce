"""Image classification with any `transformers` image-classification model, or with CLIP and its kin over named classes.

Comes in: images. Goes out: a probability for each class. Neighbours: `_transformers.py` loads the files;
`classify_zero_shot.py` compares images with the names of classes; `judge_clip.py` says whether an image shows its
label, which is never this model's job.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import AutoModelForImageClassification

from foible.errors import ArgumentError
from foible.models import _names
from foible.models import _transformers as shared
from foible.models._batches import InPieces
from foible.models.classify_zero_shot import TEMPLATE, ZeroShotClassifier
from foible.models.embed_transformers import TransformersEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

_UNNAMED = re.compile(r"LABEL_\d+")
_IMAGENET = (1000, 1001)


def classifier(  # noqa: PLR0913 - each is an argument that the user may name
    name: str,
    *,
    classes: str | Sequence[str] | None = None,
    template: str | Sequence[str] = TEMPLATE,
    labels: str | Sequence[str] | None = None,
    device: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> TransformersClassifier | ZeroShotClassifier:
    """Load a classifier.

    Args:
        name: a folder, or a name on the hub.
        classes: for CLIP, SigLIP and the like, which have none of their own: `imagenet`, a text file with one class a
            line, or names.
        template: for those too: a sentence about a class, or several, with {name} for it.
        labels: for a model with classes of its own: names other than those in its files, as `classes`.
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.
        revision: which version on the hub.
        trust_remote_code: run code that comes with the model.
    """
    found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
    if classes is None and not _zero_shot(found):
        return TransformersClassifier(found, labels)
    if classes is None:
        message = (
            f"{name!r} has no classes of its own: it compares images with texts, so give the argument classes: "
            "'imagenet', a text file with one class a line, or a list of names"
        )
        raise ArgumentError(message)
    if labels is not None:
        message = f"{name!r} takes either classes, which are told to the model, or labels, which rename its own"
        raise ArgumentError(message)
    precise = found.resolved["dtype"]
    embedder = TransformersEmbedder(
        name, device=device, dtype=precise, revision=revision, trust_remote_code=trust_remote_code
    )
    return ZeroShotClassifier(name, embedder, classes, template)


class TransformersClassifier:
    """Any model that `AutoModelForImageClassification` can load: ResNet, ViT, ConvNeXt, MobileNet and so on."""

    def __init__(self, found: shared.Source, labels: str | Sequence[str] | None = None) -> None:
        """Load the model.

        Args:
            found: its files.
            labels: names other than those in its files: `imagenet`, a text file with one class a line, or names.
        """
        self._found = found
        self._model, _ = shared.model(found, AutoModelForImageClassification)
        self._processor = shared.image_processor(found)
        self._ask = InPieces(self._scores)
        own = self._model.config.id2label
        texts = [str(own[index]) for index in sorted(own)]
        unnamed = len(texts) in _IMAGENET and all(map(_UNNAMED.fullmatch, texts))
        named = _names.names(found.name, len(texts), given=labels, own=None if unnamed else texts)
        self.labels = named.labels
        self.accepted = named.accepted
        self.fingerprint = found.fingerprint
        self.resolved = found.resolved
        self.version = shared.VERSION

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give probabilities: (n, classes), float32; each row sums to 1."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._model(pixel_values=shared.pixels(self._processor, images, self._found)).logits
            scores: NDArray[np.float32] = logits.float().softmax(dim=-1).cpu().numpy()
        return scores


def _zero_shot(found: shared.Source) -> bool:
    """Say whether the files are those of a model that joins images and texts, with no classes of its own."""
    try:
        config = json.loads((found.folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return False  # the library says what is wrong with it
    joined = isinstance(config, dict) and "text_config" in config and "vision_config" in config
    return joined and not any("ForImageClassification" in str(one) for one in config.get("architectures") or ())
