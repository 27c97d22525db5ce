"""What a classifier makes of images: its exact answers, and scores with gradients.

Comes in: a classifier, images. Goes out: scores. Neighbours: `followed.py` lets the gradient through what prepares an
image; `aim.py` makes margins of scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.errors import PluginError, brief
from foible.guiding.followed import WITHOUT, Followed
from foible.parts.asking import ask_classifier
from foible.parts.protocols import Differentiable, offers
from foible.parts.registry import Part
from foible.records import Fault

if TYPE_CHECKING:
    from torch import Tensor

    from foible.parts.protocols import Image

_SUM, _LEAST = 1e-3, 1e-30


class Sight:
    """One classifier, looked at from both sides."""

    def __init__(self, part: Part) -> None:
        """Take the part; its gradients are asked for later, if at all."""
        self._part = part
        self._followed: Followed | None = None

    def exact(self, images: Sequence[Image]) -> Tensor:
        """Score images as the run does, in the same order: (n, classes), on the CPU; a row without an answer is NaN."""
        answers = ask_classifier(self._part, images)
        good = next((one for one in answers if not isinstance(one, Fault)), None)
        if good is None:
            return torch.full((len(images), 1), torch.nan)
        none = np.full(len(good), np.nan)
        rows = np.stack([none if isinstance(one, Fault) else one for one in answers])
        if bool((good >= 0).all()) and abs(float(good.sum()) - 1) < _SUM:
            # Of probabilities the logarithms, which tell sure from surer.
            rows = np.log(rows.clip(_LEAST))
        return torch.from_numpy(rows.astype(np.float32))

    def differentiable(self) -> Differentiable:
        """Give the classifier, which has gradients.

        Raises:
            PluginError: it has none.
        """
        classifier = self._part.object
        if not offers(classifier, Differentiable):
            message = f"the classifier {brief(self._part.identity['spec'])} has no gradients; {WITHOUT}"
            raise PluginError(message)
        return classifier

    def scores(self, images: Tensor) -> Tensor:
        """Score images (n, 3, height, width) of 0..1 with gradients: logits (n, classes).

        Raises:
            PluginError: the classifier has no gradients.
        """
        classifier = self.differentiable()
        classifier.network.requires_grad_(requires_grad=False)
        if self._followed is None:
            self._followed = Followed(classifier.prepare, f"the classifier {brief(self._part.identity['spec'])}")
        return classifier.logits(self._followed(images))
