"""Guided by the noise: the noise that sampling starts from is moved up the gradient of the objective.

Comes in: prompts, seeds. Goes out: an image each. Costs `steps` samplings with gradients, so it suits generators of one
to four steps. Neighbours: `climbing.py` has the loop; `embedding.py` moves what is read of the prompt, too; `steer.py`
what each step foretells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foible.errors import PartError
from foible.guiding.climb import Climb
from foible.guiding.climbing import climb
from foible.guiding.objective import Objective
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
        noise = Climb(self.generator.noise(prompts, seeds), self.rate)
        return climb(self.generator.sample, [noise], self.objective, self.steps, (prompts, seeds))
