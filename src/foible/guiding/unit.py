"""A unit of a layer of a classifier: read on images, and raised by a guide.

Comes in: a classifier with a network, and the name of a unit. Goes out: activations, and an objective. Neighbours:
`objective.py` has what scores say; `act/unit.py` puts what raises a unit into words, and tests these.

As in DiG-IN (arXiv 2311.17833), the images that raise a unit most are drawn, not only looked for. How far a unit can
be raised nobody knows before, so that the objective is never reached, and every guided draw takes all of its steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foible.errors import ConfigError, PluginError, brief, near
from foible.guiding.asked import Unit
from foible.guiding.objective import Objective
from foible.guiding.sight import Sight
from foible.parts.protocols import Differentiable, offers
from foible.parts.registry import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from foible.parts.protocols import Image

_BATCH = 32
_LISTED = 16
"""Layers that a sentence names."""
_TOKENS = 3
"""Dimensions of an output whose units stand last: (images, tokens, units). Elsewhere they stand second."""


class Watched:
    """A unit of one classifier."""

    def __init__(self, part: Part, unit: Unit) -> None:
        """Find the unit.

        Raises:
            PluginError: the classifier shows no network, or the layer gives no numbers.
            ConfigError: it has no such layer, or the layer no such unit.
        """
        classifier, spec = part.object, brief(part.identity["spec"], 80)
        if not offers(classifier, Differentiable):
            message = (
                f"no unit of the classifier {spec} can be read, since it shows no network; those of timm:, "
                "transformers:, torch: and diorama: do"
            )
            raise PluginError(message)
        layers: dict[str, Any] = {name: module for name, module in classifier.network.named_modules() if name}
        if unit.layer not in layers:
            outer = sorted(layers, key=lambda name: (name.count("."), name))
            more = f"; and {len(outer) - _LISTED} layers within these" if len(outer) > _LISTED else ""
            message = f"the classifier {spec} has no layer {brief(unit.layer, 80)!r}: "
            raise ConfigError(message + near(unit.layer, outer[:_LISTED]) + more)
        self._classifier, self._unit, self._module = classifier, unit, layers[unit.layer]
        self.of([np.full((64, 64, 3), 128, np.uint8)])

    def of(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Read the unit on images: its mean over places, (n,)."""
        rows = [np.zeros(0)]
        for start in range(0, len(images), _BATCH):
            some = images[start : start + _BATCH]
            with torch.no_grad(), self._kept() as kept:
                self._classifier.logits(self._classifier.prepare(some))
            rows.append(self._read(kept, len(some)).double().cpu().numpy())
        return np.concatenate(rows)

    def graded(self, sight: Sight, images: Tensor) -> Tensor:
        """Read it on images (n, 3, height, width) of 0..1, with gradients: (n,)."""
        with self._kept() as kept:
            sight.scores(images)
        return self._read(kept, len(images))

    @contextmanager
    def _kept(self) -> Iterator[list[Any]]:
        """Keep what the layer gives; the last is that of the scores."""
        kept: list[Any] = []
        handle = self._module.register_forward_hook(lambda _, __, output: kept.append(output))
        try:
            yield kept
        finally:
            handle.remove()

    def _read(self, kept: Sequence[Any], count: int) -> Tensor:
        layer, index = self._unit.layer, self._unit.index
        output = kept[-1] if kept else None
        output = output if isinstance(output, torch.Tensor) or output is None else output[0]
        if not isinstance(output, torch.Tensor) or output.ndim < 2 or len(output) != count:  # noqa: PLR2004 - images, units
            message = f"the layer {brief(layer, 80)!r} gives no numbers for each image; name another one"
            raise PluginError(message)
        units = output.movedim(-1, 1) if output.ndim == _TOKENS else output
        if index >= units.shape[1]:
            message = f"the layer {brief(layer, 80)!r} has {units.shape[1]} units, from 0 on, but got {index}"
            raise ConfigError(message)
        return units[:, index].float().reshape(count, -1).mean(1)


class Activation(Objective):
    """Raises a unit, as far as it goes."""

    def __init__(self, part: Part, unit: Unit) -> None:
        """Take the classifier and its unit.

        Raises:
            InputError: as `Watched`.
        """
        super().__init__(())
        self._sight, self._watched = Sight(part), Watched(part, unit)

    def exact(self, images: Sequence[Image], prompts: Sequence[str]) -> Tensor:  # noqa: ARG002 - an objective's signature
        """Say how high it is on images as they are kept: (n,), below 0, since it is never reached."""
        found = torch.from_numpy(np.arctan(self._watched.of(images)) - math.pi / 2)
        return found.nan_to_num(nan=-torch.inf)

    def graded(self, images: Tensor, prompts: Sequence[str]) -> Tensor:  # noqa: ARG002 - an objective's signature
        """Say how high it is with gradients, of images (n, 3, height, width) of 0..1: (n,)."""
        return self._watched.graded(self._sight, images)
