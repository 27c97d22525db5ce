"""Image classification with any `transformers` image-classification model.

Comes in: images. Goes out: a probability for each class. Neighbours: `_transformers.py` loads the files;
`judge_clip.py` says whether an image shows its label, which is never this model's job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import AutoModelForImageClassification

from foible.models import _transformers as shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foible.protocols import Image


class TransformersClassifier:
    """Any model that `AutoModelForImageClassification` can load: ResNet, ViT, ConvNeXt, MobileNet and so on."""

    def __init__(
        self,
        name: str,
        *,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.
        """
        found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
        self._found = found
        self._model, _ = shared.model(found, AutoModelForImageClassification)
        self._processor = shared.image_processor(found)
        names: dict[int, str] = {int(index): name for index, name in self._model.config.id2label.items()}
        self.labels = tuple(names[index] for index in sorted(names))
        self.fingerprint = found.fingerprint
        self.resolved = found.resolved
        self.version = shared.VERSION

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give probabilities: (n, classes), float32; each row sums to 1."""
        with torch.inference_mode():
            logits = self._model(pixel_values=shared.pixels(self._processor, images, self._found)).logits
            scores: NDArray[np.float32] = logits.float().softmax(dim=-1).cpu().numpy()
        return scores
