"""Guided by embeddings: what each step reads of the prompt is moved up the objective, together with the noise.

Comes in: prompts, seeds. Goes out: an image each. These are the variables of DiG-IN (Augustin, Neuhaus and Hein, arXiv
2311.17833): the noise, and for each step an embedding of the text and, where the pipeline is guided away from it, one
of the null text. The gradient goes through all of sampling, so each of `steps` samplings costs the way back through
every step. Neighbours: `climbing.py` has the loop; `noise.py` moves the noise alone; `steer.py` lets no gradient
through the denoiser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foible.errors import PartError
from foible.guiding.climb import Climb
from foible.guiding.climbing import climb
from foible.guiding.objective import Objective
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
        noise = Climb(self.generator.noise(prompts, seeds), self.rate)
        read = Climb(self.generator.embeddings(prompts, seeds), self.rate)
        return climb(self.generator.sample_read, [noise, read], self.objective, self.steps, (prompts, seeds))
