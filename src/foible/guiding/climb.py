"""One variable of a search that climbs: it is moved along gradients, each element of a batch by itself.

Comes in: a start, gradients. Goes out: values. Nesterov's momentum; the norm of each element stays what it was, since a
noise or an embedding that grows is none that the generator knows. Neighbour: `climbing.py` has the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from foible.parts.moving import direction, norms

if TYPE_CHECKING:
    from torch import Tensor

MOMENTUM = 0.9


class Climb:
    """A batch of one variable."""

    def __init__(self, start: Tensor, rate: float) -> None:
        """Begin at a start (n, ...), to be moved by a share of its norm in the first step."""
        self._value, self._rate = start, rate
        self._length, self._speed = norms(start), torch.zeros_like(start)

    def at(self, places: Sequence[int]) -> Tensor:
        """Give the elements at some places, as the start of a graph."""
        return self._value[list(places)].detach().requires_grad_()

    def move(self, places: Sequence[int], gradient: Tensor) -> None:
        """Move the elements at some places up a gradient.

        Raises:
            FloatingPointError: it is not finite.
        """
        at = list(places)
        step = direction(gradient)
        self._speed[at] = MOMENTUM * self._speed[at] + step
        moved = self._value[at] + self._rate * self._length[at] * (step + MOMENTUM * self._speed[at])
        self._value[at] = moved * self._length[at] / norms(moved)
