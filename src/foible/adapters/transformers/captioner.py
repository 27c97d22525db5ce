"""Captions with a `transformers` model: one that captions unasked, or a chat model that is asked to.

Comes in: images. Goes out: one caption each, greedily decoded, so that the same image always gets the same words.
Neighbours: `_transformers.py` loads the files; `judge_vlm.py` asks chat models a question of yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image as Pictures
from transformers import AutoModelForImageTextToText, GenerationConfig

from foible.adapters.shared.batches import InPieces
from foible.adapters.transformers import models as shared
from foible.errors import ArgumentError, PartError, brief
from foible.parts import answers as _answers

if TYPE_CHECKING:
    from foible.parts.protocols import Image

FAMILIES = ("vision-encoder-decoder", "git", "blip")
"""Model types that caption an image without being asked anything."""

PROMPT = "Describe this photograph in one short sentence: what it shows, where, in which light, from which viewpoint."
"""What a chat model is asked."""

_TOKENS = ("bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id")


class TransformersCaptioner:
    """A VisionEncoderDecoder, GIT or BLIP model (arXiv 2205.14100, 2201.12086), or a chat model that sees images."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        prompt: str | None = None,
        max_new_tokens: int = 40,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub.
            prompt: what a chat model is asked about each image; a model of another kind is asked nothing.
            max_new_tokens: where a caption is cut, in tokens; also at the longest text that the model knows.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.

        Raises:
            ArgumentError: a value that cannot be, or a prompt for a model that is asked nothing.
            PluginError: the model does not load, or is a chat model without a chat template.
        """
        if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int) or max_new_tokens < 1:
            message = f"max_new_tokens must be a whole number from 1 up, but is {brief(repr(max_new_tokens))}"
            raise ArgumentError(message)
        if prompt is not None and (not isinstance(prompt, str) or not prompt.strip()):
            message = f"the argument prompt of {name!r} is a question about the image, but got {brief(repr(prompt))}"
            raise ArgumentError(message)
        found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
        self._found = found
        self._model, _ = shared.model(found, AutoModelForImageTextToText)
        chats = self._model.config.model_type not in FAMILIES
        if prompt is not None and not chats:
            message = f"{name!r} is a {self._model.config.model_type} model, which is asked nothing: leave prompt out"
            raise ArgumentError(message)
        if chats:
            self._prompt = PROMPT if prompt is None else prompt
            self._processor = shared.chat_processor(found)
            self._tokenizer = self._processor.tokenizer
            self._thinks = shared.thinks(found, self._processor)
        else:
            self._processor = shared.image_processor(found)
            self._tokenizer = shared.tokenizer(found)
            max_new_tokens = min(max_new_tokens, _places(self._model))
        speaker = getattr(self._model, "text_decoder", self._model)  # a part of BLIP generates on its own
        speaker.generation_config = _greedy(speaker, max_new_tokens)
        self._ask = InPieces(self._answers if chats else self._captions)
        self.fingerprint = found.fingerprint
        self.resolved = {**found.resolved, **({"prompt": self._prompt} if chats else {})}
        self.version = shared.VERSION

    def caption(self, images: Sequence[Image]) -> list[str | PartError]:
        """Caption each image in one line, without special tokens; a `PartError` stands where a chat model refused."""
        return self._ask(images)

    def _captions(self, images: Sequence[Image]) -> list[str | PartError]:
        """Let a captioning model speak."""
        with torch.inference_mode():
            pixels = shared.pixels(self._processor, images, self._found)
            tokens = self._model.generate(pixel_values=pixels)
        texts: list[str] = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _answers(self, images: Sequence[Image]) -> list[str | PartError]:
        """Ask a chat model; each image is a chat of its own, padded on the left so that all answers begin together."""
        with shared.quiet():
            given = self._processor.apply_chat_template(
                [_talk(image, self._prompt) for image in images],
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                add_generation_prompt=True,
                processor_kwargs={"padding": True, "padding_side": "left"},
                **shared.BRIEFLY,
            )
        given = given.to(self._found.device, self._found.dtype)  # which leaves whole numbers whole
        with torch.inference_mode(), shared.quiet():
            tokens = self._model.generate(**given)
        return [self._answer(row) for row in tokens[:, given["input_ids"].shape[1] :]]

    def _answer(self, tokens: torch.Tensor) -> str | PartError:
        """Give what a chat model says behind its thoughts; what marks those may be special tokens."""
        whole = self._tokenizer.decode(tokens).strip()
        try:
            said = _answers.after_thoughts(("<think>" if self._thinks else "") + whole)
        except PartError as error:
            return error
        if said == whole:
            return str(self._tokenizer.decode(tokens, skip_special_tokens=True))
        for special in self._tokenizer.all_special_tokens:
            said = said.replace(special, " ")
        return said


def _places(model: Any) -> int:
    """Say how many tokens a caption can have: a model that counts places has no more than it was made with."""
    config = getattr(model.config, "decoder", None) or model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or 2**20)


def _talk(image: Image, prompt: str) -> list[dict[str, Any]]:
    picture = Pictures.fromarray(np.ascontiguousarray(image))
    content = [{"type": "image", "image": picture}, {"type": "text", "text": prompt}]
    return [{"role": "user", "content": content}]


def _greedy(model: Any, max_new_tokens: int) -> GenerationConfig:
    """Keep the model's own special tokens and nothing else of how it would like to be sampled."""
    own = model.generation_config
    kept = {name: getattr(own, name) for name in _TOKENS if getattr(own, name, None) is not None}
    return GenerationConfig(do_sample=False, num_beams=1, max_new_tokens=max_new_tokens, **kept)
