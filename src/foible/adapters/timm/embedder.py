"""Embeddings with any `timm` model: what it knows of an image before it names it.

Comes in: images. Goes out: vectors of length 1. Neighbours: `_timm.py` loads the model and its transform;
`embed_transformers.py` also embeds texts, which a judge or a search by words needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.adapters.shared import devices as _torch
from foible.adapters.shared.batches import InPieces
from foible.adapters.timm import models as _timm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image


class TimmEmbedder:
    """A model of timm's without its head: the pooled features of its last layer."""

    def __init__(
        self,
        name: str,
        *,
        checkpoint: str | None = None,
        weights: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        """Load the model.

        Args:
            name: as in `vit_small_patch14_dinov2.lvd142m`; a folder with `config.json` and weights; or `hf-hub:…`.
            checkpoint: a safetensors file or state dict, of the model without its head, in place of published weights.
            weights: for a checkpoint with both: `plain`, as they were trained, or `ema`, their average.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.
        """
        self._found = _timm.load(name, checkpoint=checkpoint, weights=weights, head=False, device=device, dtype=dtype)
        self._ask = InPieces(self._vectors)
        self.fingerprint = self._found.fingerprint
        self.resolved = {**_torch.resolved(self._found.device, self._found.dtype), **self._found.resolved}
        self.version = _timm.VERSION

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images: (n, dimensions), float32, each row of length 1."""
        return np.stack(self._ask(images))

    def _vectors(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            flat = self._found.model(self._found.pixels(images)).float().flatten(1)
            unit: NDArray[np.float32] = (flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)).cpu().numpy()
        return unit
