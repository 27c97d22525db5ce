"""The best image that was met on the way, for each element of a batch.

Comes in: images with their numbers. Goes out: what is still open, and in the end the images. Neighbours: the methods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.errors import PartError
from foible.records import Drawn, Fault

if TYPE_CHECKING:
    from foible.parts.protocols import Image

NONE = "no image of the search was drawn and scored"


class Kept:
    """The best so far; an element is done when its objective is reached."""

    def __init__(self, count: int) -> None:
        """Begin with nothing."""
        self._best: list[Drawn | None] = [None] * count
        self._reached = [-math.inf] * count
        self._fault = [NONE] * count
        self._samplings = [0] * count
        self._starts: dict[int, Image] = {}

    def starts(self, places: Sequence[int]) -> torch.Tensor:
        """Give the first image of each of some elements: (n, 3, height, width), 0..1."""
        images = np.stack([self._starts[place] for place in places])
        return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255

    @property
    def open(self) -> list[int]:
        """The places of the elements that have not reached their objective."""
        return [place for place, reached in enumerate(self._reached) if reached <= 0]

    def offer(self, places: Sequence[int], drawn: Sequence[Drawn | Image | Fault], reached: Iterable[float]) -> None:
        """Keep what is better than before; a fault is kept where there is nothing else."""
        for place, one, number in zip(places, drawn, reached, strict=True):
            self._samplings[place] += 1
            if isinstance(one, Fault):
                self._fault[place] = one.reason
                continue
            self._starts.setdefault(place, one.image if isinstance(one, Drawn) else one)
            if number > self._reached[place]:
                self._best[place] = one if isinstance(one, Drawn) else Drawn(one)
                self._reached[place] = number

    def drawn(self) -> list[Drawn | PartError]:
        """Give the best of each, or why there is none."""
        return [
            PartError(fault) if one is None else replace(one, samplings=samplings)
            for one, fault, samplings in zip(self._best, self._fault, self._samplings, strict=True)
        ]
