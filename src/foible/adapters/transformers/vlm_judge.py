"""Whether an image shows its label, by asking a chat model that sees images a question of yes or no.

Comes in: images and their labels. Goes out: judgements. Neighbours: `judge_clip.py` judges by cosines; `_votes.py`
makes one judgement of several questions; `caption_transformers.py` lets such models describe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image as Pictures
from transformers import AutoModelForImageTextToText

from foible.adapters.shared import votes as _votes
from foible.adapters.shared.batches import InPieces
from foible.adapters.transformers import models as shared
from foible.errors import ArgumentError, PartError, PluginError, brief

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Judgement, Label

QUESTION = "Does this image show a {name}? Answer yes or no."
FLOOR = 0.1
"""A model that says neither yes nor no nine times of ten has not understood the question: its odds are noise."""
ASKED = 2
"""Raised when the question reaches the model in another form."""
_YES = ("yes", "Yes", "YES", " yes", " Yes", " YES")
_NO = ("no", "No", "NO", " no", " No", " NO")


class VlmJudge:
    """Asks "does this image show …?" and compares the first token's chances of yes and of no.

    A score is P(yes) / (P(yes) + P(no)), over every spelling of each that is one token, where the two together reach a
    floor; below it the model has answered neither, and there is no score. Nothing is sampled. The idea is
    that of VQAScore (arXiv 2404.01291). There is a score for each question.
    """

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        question: str | Sequence[str] | None = None,
        threshold: float | Sequence[float] | None = None,
        needed: int | None = None,
        floor: float = FLOOR,
        calibration: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub, of a chat model that sees images and has a chat template.
            question: what is asked, with `{name}` (and `{kind}`) where the label goes; several give several scores.
            threshold: smallest score that is faithful, for all questions or one for each; 0.5 by default.
            needed: how many scores must reach their thresholds; 2 by default, 1 with one question.
            floor: smallest probability of yes and no together, 0 to 1, with which the model has answered.
            calibration: a file of `foible calibrate-judge`, in place of the three above.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`; by default what is fast on the device.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.
        """
        given = {"question": question, "threshold": threshold, "needed": needed}
        shared.must_exist(name)
        self._floor = _share(name, floor)
        if calibration is None:  # before the model is loaded, which takes longer
            _checked(name, given)
        found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
        self._found = found
        self.fingerprint = found.fingerprint
        self._questions, self._votes = _checked(name, _votes.settle(name, given, calibration, self.fingerprint))
        self._processor = shared.chat_processor(found)
        if shared.thinks(found, self._processor):
            message = f"{name!r} thinks aloud before it answers, so its first word is neither yes nor no; name a model "
            raise PluginError(message + "that answers at once")
        self._model, _ = shared.model(found, AutoModelForImageTextToText)
        self._yes, self._no = _answers(found, self._processor.tokenizer)
        self._ask = InPieces(self._chances)
        self.calibrates = {"question": list(self._questions)}
        self.resolved = {
            **found.resolved,
            **self.calibrates,
            "threshold": list(self._votes.thresholds),
            "needed": self._votes.needed,
            "floor": self._floor,
            "calibration": None,
        }
        self.version = f"{shared.VERSION}; question {ASKED}"

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement | PartError]:
        """Judge each image against its own label; where the model says neither yes nor no, there is no judgement."""
        return self._votes.judge(self.scores(images, labels))

    def scores(self, images: Sequence[Image], labels: Sequence[Label]) -> NDArray[np.float64]:
        """Score each image for its own label: (n, questions), float64, 0 .. 1; NaN where the model says neither."""
        columns = [
            self._ask(images, [_votes.filled(question, label.name, label.kind) for label in labels])
            for question in self._questions
        ]
        return np.array(columns, np.float64).reshape(len(self._questions), len(images)).T

    def _chances(self, images: Sequence[Image], questions: Sequence[str]) -> list[float]:
        """Give the chance of yes against no for each image and question; NaN where the model says neither."""
        talks = [_talk(image, question) for image, question in zip(images, questions, strict=True)]
        with shared.quiet():
            given = self._processor.apply_chat_template(
                talks,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                add_generation_prompt=True,
                processor_kwargs={"padding": True, "padding_side": "left"},
                **shared.BRIEFLY,
            )
        given = given.to(self._found.device, self._found.dtype)  # which leaves whole numbers whole
        with torch.inference_mode(), shared.quiet():
            # One token of generation, not a bare forward pass: it counts the places of a padded text right.
            answer = self._model.generate(
                **given,
                max_new_tokens=1,
                do_sample=False,
                num_beams=1,
                output_logits=True,
                return_dict_in_generate=True,
            )
        logits = answer.logits[0].float()
        yes, no = (logits[:, tokens].logsumexp(dim=1) for tokens in (self._yes, self._no))
        said = torch.logaddexp(yes, no) - logits.logsumexp(dim=1)
        chances = torch.where(said.exp() >= self._floor, torch.sigmoid(yes - no), torch.nan)
        return [float(chance) for chance in chances]


def _checked(name: str, given: dict[str, Any]) -> tuple[tuple[str, ...], _votes.Votes]:
    """Give questions and rule."""
    questions = _votes.texts(name, "question", QUESTION if given["question"] is None else given["question"])
    return questions, _votes.votes(name, len(questions), given["threshold"], given["needed"], 0.5)


def _share(name: str, floor: object) -> float:
    if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 1:
        message = f"the argument floor of {name!r} is a probability from 0 to 1, but got {brief(repr(floor), 40)}"
        raise ArgumentError(message)
    return float(floor)


def _answers(found: shared.Source, tokenizer: Any) -> tuple[list[int], list[int]]:
    """Give the tokens that say yes, and those that say no."""
    yes, no = (_tokens(tokenizer, words) for words in (_YES, _NO))
    if not yes or not no or yes & no:
        message = f"{found.name!r} has no token of its own for yes and for no, so its answer cannot be read"
        raise PluginError(message)
    return sorted(yes), sorted(no)


def _tokens(tokenizer: Any, words: Sequence[str]) -> set[int]:
    coded = [tokenizer.encode(word, add_special_tokens=False) for word in words]
    return {tokens[0] for tokens in coded if len(tokens) == 1 and tokens[0] != tokenizer.unk_token_id}


def _talk(image: Image, question: str) -> list[dict[str, Any]]:
    picture = Pictures.fromarray(np.ascontiguousarray(image))
    content = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
    return [{"role": "user", "content": content}]
