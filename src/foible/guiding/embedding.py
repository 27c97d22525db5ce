"""Guided by embeddings: what each step reads of the prompt is moved up the objective, together with the noise.

Comes in: prompts, seeds. Goes out: an image each. These are the variables of DiG-IN (Augustin, Neuhaus and Hein, arXiv
2311.17833): the noise, and for each step an embedding of the text and, where the pipeline is guided away from it, one
of the null text. The gradient goes through all of sampling, so each of `steps` samplings costs the way back through
every step. Neighbours: `noise.py` moves the noise alone; `steer.py` lets no gradient through the denoiser.
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
from foible.parts.protocols import ReadsText
from foible.records import Drawn


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Moves noise and embeddings until the objective is reached, or `steps` images were sampled."""

    generator: ReadsText
    objective: Objective
    steps: int
    rate: float
    """Share of its norm that each of the two is moved by in the first step."""

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images.

        Raises:
            FloatingPointError: a gradient is not finite.
            PluginError: the classifier has no gradients, or the generator reads a text in a way of its own.
        """
        kept = Kept(len(prompts))
        noise = Climb(self.generator.noise(prompts, seeds), self.rate)
        read = Climb(self.generator.embeddings(prompts, seeds), self.rate)
        for number in range(self.steps):
            at = kept.open
            if not at:
                break
            texts, own = [prompts[place] for place in at], [seeds[place] for place in at]
            starts = noise.at(at), read.at(at)
            with torch.enable_grad():
                images = self.generator.sample_read(texts, own, *starts)
            dice = dice_of(own, number)
            kept.offer(at, eight_bits(images), self.objective.steady(images, texts, dice).tolist())
            if number + 1 < self.steps:
                with torch.enable_grad():
                    gradients = torch.autograd.grad(self.objective.disturbed(images, texts, dice).sum(), starts)
                noise.move(at, gradients[0])
                read.move(at, gradients[1])
        return kept.drawn()
