"""Image classification by comparing an image with the names of classes, as CLIP and SigLIP do.

Comes in: images; once, the classes and how a sentence about one looks. Goes out: a probability for each class.
Neighbours: `embed_transformers.py` makes the vectors; `judge_clip.py` compares an image with one label, and is a judge.

Several templates are averaged in the space of the vectors, as in the CLIP paper (arXiv 2103.00020).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.adapters.shared import names as _names
from foible.adapters.shared import votes as _votes
from foible.adapters.shared.batches import InPieces
from foible.adapters.transformers import models as shared
from foible.adapters.transformers.embedder import TransformersEmbedder
from foible.errors import ArgumentError, PluginError, brief
from foible.labels import split_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

TEMPLATE = "a photo of a {name}."
TEXTS_VERSION = 2
"""Raised when the same classes and templates make other texts."""
_PLACE, _KIND = "{name}", "{kind}"
_FIELD = re.compile(r"\{[^{}]*\}")
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
            template: a sentence, or several, with {name} for the class, and perhaps {kind} for its kind; where that
                is not in it, {name} is all that `classes` says, the kind in parentheses too.

        Raises:
            ArgumentError: a template without a place for the name, or classes that the model cannot tell apart.
            PluginError: the model reads no text, or a file of names cannot be read.
        """
        if not embedder.reads_text:
            message = f"{name!r} reads no text, so classes cannot be named to it; leave the argument classes out"
            raise PluginError(message)
        named = _names.names(name, None, given=classes)
        self.labels = named.labels or ()
        self.accepted = named.accepted
        self.alike = named.alike
        if not self.labels:
            message = f"{name!r} needs at least one class to compare images with, but the argument classes names none"
            raise ArgumentError(message)
        self._embedder = embedder
        templates = [template] if isinstance(template, str) else list(template)
        _check(name, templates)
        said = _said(name, self.labels, templates, short=classes == _names.IMAGENET)
        _must_differ(name, embedder, self.labels, said)
        self._texts = _texts(embedder, said)
        self._ask = InPieces(self._scores)
        self.fingerprint = embedder.fingerprint
        self.recipe = embedder.recipe
        self.resolved = {**embedder.resolved, "classes": list(self.labels), "template": template}
        cut = [label for row, label in enumerate(self.labels) if any(embedder.unread(texts[row]) for texts in said)]
        self.resolved |= {"cut": cut} if cut else {}
        self.version = f"texts {TEXTS_VERSION}; {shared.VERSION}"

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


def _check(name: str, templates: Sequence[object]) -> None:
    for template in templates:
        if not isinstance(template, str) or template.count(_PLACE) != 1:
            message = f"a template of {name!r} is a sentence with one {_PLACE} in it, but got {brief(template)!r}"
            raise ArgumentError(message)
        others = sorted(set(_FIELD.findall(template)) - {_PLACE, _KIND})
        if others:
            message = (
                f"a template of {name!r} has places for {_PLACE} and {_KIND} alone, but got {brief(others[0], 40)!r} "
                f"in {brief(template)!r}"
            )
            raise ArgumentError(message)
    if not templates:
        message = f"{name!r} needs a template, such as {TEMPLATE!r}"
        raise ArgumentError(message)


def _said(name: str, labels: Sequence[str], templates: Sequence[str], *, short: bool) -> list[list[str]]:
    """Write every class into every template: a list for each template.

    Args:
        name: of the model, for errors.
        labels: as they are told, perhaps with a kind in parentheses.
        templates: checked ones.
        short: leave the kind out where a name is the only one of its kind: so for ImageNet, whose kinds are foible's
            own, while those of a user are part of what is meant.
    """
    split = [split_name(label) for label in labels]
    several = Counter(bare for bare, _ in split)
    unkind = [label for label, (_, kind) in zip(labels, split, strict=True) if not kind]
    found = []
    for template in templates:
        if _KIND in template and unkind:
            message = (
                f"a template of {name!r} has a place for {_KIND}, but {brief(unkind[0], 60)!r} has none: write each "
                "class as 'mouse (rodent)', or leave that place out"
            )
            raise ArgumentError(message)
        full = _KIND not in template
        words = [
            label if full and not (short and several[bare] == 1) else bare
            for label, (bare, _) in zip(labels, split, strict=True)
        ]
        found.append([_votes.filled(template, word, kind) for word, (_, kind) in zip(words, split, strict=True)])
    return found


def _must_differ(
    name: str, embedder: TransformersEmbedder, labels: Sequence[str], said: Sequence[Sequence[str]]
) -> None:
    """Refuse two classes of which the model reads the same: the second could never win."""
    read = list(zip(*(embedder.tokens(texts) for texts in said), strict=True))
    first: dict[object, int] = {}
    for row, tokens in enumerate(read):
        before = first.setdefault(tokens, row)
        if before == row:
            continue
        cut = any(embedder.unread(texts[row]) for texts in said)
        why = "in what it has room for" if cut else "in words that it knows"
        message = (
            f"{name!r} reads the same text for the classes {before} ({brief(labels[before], 60)!r}) and {row} "
            f"({brief(labels[row], 60)!r}), so that the second could never be the answer: they do not differ {why}; "
            f"{'shorten the names or the template' if cut else 'leave one out, or tell them apart'}"
        )
        raise ArgumentError(message)


def _texts(embedder: TransformersEmbedder, said: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Embed every class in every template and average: (classes, dimensions), each row of length 1."""
    embed = InPieces(embedder.embed_texts, most=_TEXTS)
    mean = np.mean([embed(texts) for texts in said], axis=0)
    unit: NDArray[np.float32] = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
    return unit
