"""Guided by the noise: the noise that sampling starts from is moved up the gradient of the objective.

Comes in: prompts, seeds. Goes out: an image each. Costs `steps` samplings with gradients, so it suits generators of one
to four steps. As in ReNO (Eyring and others, arXiv 2406.04312): Nesterov's momentum, the best image on the way is kept.
Neighbours: `climb.py` moves it; `embedding.py` moves what is read of the prompt, too; `steer.py` what each step
foretells; `objective.py` disturbs the images, against changes that no eye sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from foible.errors import PartError
from foible.guiding.climb import Climb
from foible.guiding.kept import Kept
from foible.guiding.objective import Objective, dice_of
from foible.guiding.sight import eight_bits
from foible.parts.protocols import StartsFromNoise
from foible.records import Drawn


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Moves noise until the objective is reached, or `steps` images were sampled."""

    generator: StartsFromNoise
    objective: Objective
    steps: int
    rate: float
    """Share of its norm that the noise is moved by in the first step."""

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images.

        Raises:
            FloatingPointError: a gradient is not finite.
            PluginError: the classifier has no gradients.
        """
        kept = Kept(len(prompts))
        noise = Climb(self.generator.noise(prompts, seeds), self.rate)
        for number in range(self.steps):
            at = kept.open
            if not at:
                break
            texts, own = [prompts[place] for place in at], [seeds[place] for place in at]
            start = noise.at(at)
            with torch.enable_grad():
                images = self.generator.sample(texts, own, start)
            dice = dice_of(own, number)
            kept.offer(at, eight_bits(images), self.objective.steady(images, texts, dice).tolist())
            if number + 1 < self.steps:
                with torch.enable_grad():
                    (gradient,) = torch.autograd.grad(self.objective.disturbed(images, texts, dice).sum(), start)
                noise.move(at, gradient)
        return kept.drawn()
