"""Image classification with any `timm` model.

Comes in: images. Goes out: a probability for each class. Neighbours: `_timm.py` loads the model and its transform;
`_names.py` names the classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.errors import PluginError
from foible.models import _names, _timm, _torch
from foible.models._batches import InPieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

_SYNSET = re.compile(r"n\d{8}")
_IMAGENET = 1000


class TimmClassifier:
    """A model of timm's with its published weights, one from a folder, or one with weights of one's own."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        checkpoint: str | None = None,
        num_classes: int | None = None,
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        """Load the model.

        Args:
            name: as in `resnet50.a1_in1k`; a folder with `config.json` and weights; or `hf-hub:owner/name`.
            checkpoint: a safetensors file or state dict to take instead of the published weights.
            num_classes: outputs of the model in the checkpoint, where they are not those of the published weights.
            labels: `imagenet`, a text file with one class a line, or names; by default what the model's own files say.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.
        """
        found = _timm.load(name, checkpoint=checkpoint, num_classes=num_classes, device=device, dtype=dtype)
        outputs = found.model.num_classes
        if not outputs:
            message = f"{name!r} has no classes: its weights make vectors, so it is an embedder"
            raise PluginError(message)
        named = _names.names(name, outputs, given=labels, own=_own(found, outputs))
        self._found = found
        self._ask = InPieces(self._scores)
        self.labels = named.labels
        self.accepted = named.accepted
        self.fingerprint = found.fingerprint
        self.resolved = _torch.resolved(found.device, found.dtype)
        self.version = _timm.VERSION

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give probabilities: (n, classes), float32; each row sums to 1."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._found.model(self._found.pixels(images))
            scores: NDArray[np.float32] = logits.float().softmax(dim=-1).cpu().numpy()
        return scores


def _own(found: _timm.Loaded, outputs: int) -> list[str] | None:
    """Give the names in the model's own files; None where foible's own are better or there are none."""
    listed = found.config.get("label_names")
    if listed and not all(_SYNSET.fullmatch(str(name)) for name in listed):
        return [str(name) for name in listed]
    from timm.data import ImageNetInfo, infer_imagenet_subset  # here, after `_timm` has seen to it that it imports

    subset = None if outputs == _IMAGENET else infer_imagenet_subset(found.model)
    if subset is None:
        return None
    info = ImageNetInfo(subset)
    return [info.index_to_description(index).split(",")[0] for index in range(outputs)]
