"""Embeddings with a `transformers` model: of images, and of texts where the model joins the two.

Comes in: images or texts. Goes out: vectors of length 1. Neighbours: `judge_clip.py` compares the two;
`_transformers.py` loads the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModel

from foible.adapters.transformers import models as shared
from foible.errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_LONGEST = 512


class TransformersEmbedder:
    """CLIP and its kin (arXiv 2103.00020), or any vision model by its pooled output."""

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
        self._model, lacking = shared.model(found, AutoModel, may_lack=("pooler.",))
        self._pooled = not lacking
        self._processor = shared.image_processor(found)
        self._tokenizer = shared.tokenizer(found) if self.reads_text else None
        self.recipe = shared.recipe(self._processor)
        self.fingerprint = found.fingerprint
        self.resolved = found.resolved
        self.version = shared.VERSION

    @property
    def reads_text(self) -> bool:
        """Whether `embed_texts` works: the model joins images and texts."""
        return hasattr(self._model, "get_image_features") and hasattr(self._model, "get_text_features")

    @property
    def scale(self) -> tuple[float, float | None]:
        """(factor, offset) that turn a cosine of image and text into the logit that the model was trained with.

        The offset is None in a model such as CLIP, where texts compete; a sigmoid of one with an offset stands alone.
        """
        factor, offset = getattr(self._model, "logit_scale", None), getattr(self._model, "logit_bias", None)
        return (float(factor.exp()) if factor is not None else 1.0, float(offset) if offset is not None else None)

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images: (n, dimensions), float32, each row of length 1."""
        with torch.inference_mode():
            vectors: NDArray[np.float32] = self.vectors(self.prepare(images)).cpu().numpy()
        return vectors

    @property
    def network(self) -> torch.nn.Module:
        """The model."""
        network: torch.nn.Module = self._model
        return network

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of the model of n images."""
        return shared.pixels(self._processor, images, self._found)

    def vectors(self, batch: torch.Tensor) -> torch.Tensor:
        """Embed an input that was prepared: (n, dimensions), float32, each row of length 1, with gradients."""
        batch = batch.to(self._found.dtype)
        if self.reads_text:
            return _unit(_features(self._model.get_image_features(pixel_values=batch)))
        answer = self._model(pixel_values=batch)
        pooled = getattr(answer, "pooler_output", None) if self._pooled else None
        return _unit(_mean(answer.last_hidden_state) if pooled is None else pooled)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in the same space: (n, dimensions), float32, each row of length 1.

        Every text is padded to the model's full length, so that its vector does not depend on its neighbours.
        """
        tokens = self._tokens(texts)
        names = [name for name in ("input_ids", "attention_mask") if name in tokens]
        given = {name: tokens[name].to(self._found.device) for name in names}
        with torch.inference_mode():
            vectors: NDArray[np.float32] = _unit(_features(self._model.get_text_features(**given))).cpu().numpy()
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Give what the model reads of each text, as numbers: two texts with the same ones have the same vector.

        Raises:
            PluginError: the model reads no text.
        """
        return [tuple(row) for row in self._tokens(texts)["input_ids"].tolist()]

    def unread(self, text: str) -> tuple[str, ...]:
        """List the words at the end of a text for which the model has no room, the one that is cut in two among them.

        Raises:
            PluginError: the model reads no text.
        """
        tokenizer = self._reader()
        room = self._longest() - tokenizer.num_special_tokens_to_add()
        with shared.quiet():
            tokens = tokenizer(text, add_special_tokens=False, return_offsets_mapping=tokenizer.is_fast)
        if len(tokens["input_ids"]) <= room:
            return ()
        if not tokenizer.is_fast:
            return tuple(tokenizer.decode(tokens["input_ids"][room:], skip_special_tokens=True).split())
        read = text[: tokens["offset_mapping"][room][0]]
        whole = read.split() if text[len(read) :][:1].isspace() or read[-1:].isspace() else read.split()[:-1]
        return tuple(text.split()[len(whole) :])

    def _tokens(self, texts: Sequence[str]) -> Any:
        return self._reader()(
            list(texts), padding="max_length", max_length=self._longest(), truncation=True, return_tensors="pt"
        )

    def _longest(self) -> int:
        text_config = self._model.config.get_text_config()
        longest = getattr(text_config, "max_position_embeddings", _LONGEST)
        return int(min(self._reader().model_max_length, longest))

    def _reader(self) -> Any:
        if self._tokenizer is None:
            message = f"{self._found.name!r} embeds images alone; for texts it must be a model such as CLIP"
            raise PluginError(message)
        return self._tokenizer


def _features(answer: Any) -> torch.Tensor:
    """Take the vectors out of an answer, which older versions give bare."""
    return answer if isinstance(answer, torch.Tensor) else answer.pooler_output


def _mean(hidden: torch.Tensor) -> torch.Tensor:
    """Average over the places of an image: (n, places, channels) or (n, channels, height, width)."""
    return hidden.mean(dim=1) if hidden.ndim < 4 else hidden.flatten(2).mean(dim=2)  # noqa: PLR2004 - it says which


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    flat = vectors.float().flatten(1)
    unit: torch.Tensor = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return unit
