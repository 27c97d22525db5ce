"""Guided step by step: in every step of sampling, the image that the denoiser foretells is moved up the objective.

Comes in: prompts, seeds. Goes out: an image each. No graph goes through the denoiser, so it suits generators of many
steps: a sampling costs as many decodings and looks of the classifier as it has steps. As in FreeDoM and universal
guidance (arXiv 2303.09833, 2302.07121). The mildest guidance that reaches the objective is kept. Neighbours: `noise.py`
moves the start alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from foible.errors import PartError
from foible.guiding.followed import eight_bits
from foible.guiding.kept import Kept
from foible.guiding.objective import Objective, dice_of
from foible.parts.protocols import StartsFromNoise
from foible.records import Drawn


@dataclass(frozen=True, kw_only=True)
class Steer:
    """Samples with guidance that grows from none, until the objective is reached, or `steps` images were sampled."""

    generator: StartsFromNoise
    objective: Objective
    steps: int
    rate: float
    """Share of its norm that the foretold image is moved by in each step; the second sampling has this much, the third
    twice as much, and so on."""

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images.

        Raises:
            FloatingPointError: a gradient is not finite.
            PluginError: the classifier has no gradients.
        """
        kept = Kept(len(prompts))
        noise = self.generator.noise(prompts, seeds)
        for number in range(self.steps):
            at = kept.open
            if not at:
                break
            texts, own = [prompts[place] for place in at], [seeds[place] for place in at]
            dice = dice_of(own, number)

            def score(
                images: torch.Tensor, texts: list[str] = texts, dice: list[torch.Generator] = dice, at: list[int] = at
            ) -> torch.Tensor:
                return self.objective.moving(images, texts, dice, kept.starts(at))

            with torch.no_grad():
                images = self.generator.sample(texts, own, noise[at], score if number else None, number * self.rate)
            kept.offer(at, eight_bits(images), self.objective.steady(images, texts, dice).tolist())
        return kept.drawn()
