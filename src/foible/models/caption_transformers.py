"""Captions with a `transformers` image-to-text model.

Comes in: images. Goes out: one caption each, greedily decoded, so that the same image always gets the same words.
Neighbour: `_transformers.py` loads the files. Models that must be asked a question in a chat are not captioners here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForImageTextToText, GenerationConfig

from foible.errors import ArgumentError, PluginError, brief
from foible.models import _transformers as shared

if TYPE_CHECKING:
    from foible.protocols import Image

FAMILIES = ("vision-encoder-decoder", "git", "blip")
"""Model types that caption an image without being asked anything."""

_TOKENS = ("bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id")


class TransformersCaptioner:
    """A VisionEncoderDecoder, GIT or BLIP model (arXiv 2205.14100, 2201.12086)."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        max_new_tokens: int = 40,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub.
            max_new_tokens: where a caption is cut, in tokens; earlier where the model has fewer positions.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.
        """
        if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int) or max_new_tokens < 1:
            message = f"max_new_tokens must be a whole number from 1 up, but is {brief(repr(max_new_tokens))}"
            raise ArgumentError(message)
        found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
        self._found = found
        self._model, _ = shared.model(found, AutoModelForImageTextToText)
        if self._model.config.model_type not in FAMILIES:
            message = f"{name!r} is a {self._model.config.model_type} model; captions come from {', '.join(FAMILIES)}"
            raise PluginError(message)
        self._processor = shared.image_processor(found)
        self._tokenizer = shared.tokenizer(found)
        speaker = getattr(self._model, "text_decoder", self._model)  # a part of BLIP generates on its own
        speaker.generation_config = _greedy(speaker, max_new_tokens)
        self.fingerprint = found.fingerprint
        self.resolved = found.resolved
        self.version = shared.VERSION

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Caption each image in one line, without special tokens."""
        with torch.inference_mode():
            pixels = shared.pixels(self._processor, images, self._found)
            tokens = self._model.generate(pixel_values=pixels)
        texts: list[str] = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]


def _greedy(model: Any, max_new_tokens: int) -> GenerationConfig:
    """Keep the model's own special tokens and nothing else of how it would like to be sampled."""
    own = model.generation_config
    kept = {name: getattr(own, name) for name in _TOKENS if getattr(own, name, None) is not None}
    positions = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    longest = min(max_new_tokens, positions - 1) if positions else max_new_tokens  # one is the token to start from
    return GenerationConfig(do_sample=False, num_beams=1, max_new_tokens=longest, **kept)
