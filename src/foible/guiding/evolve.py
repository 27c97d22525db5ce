"""Guided by evolution: the noise that sampling starts from is bred, without any gradient.

Comes in: prompts, seeds. Goes out: an image each. For any classifier, also behind a server, and any generator whose
noise can be given. CMA-ES with a diagonal covariance (Ros and Hansen, "A simple modification in CMA-ES achieving linear
time and space complexity", 2008), by the library `cma`. Neighbours: `noise.py` follows the gradient; `select.py` draws
anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cma
import numpy as np
import torch

from foible.errors import PartError
from foible.guiding.followed import eight_bits
from foible.guiding.kept import Kept
from foible.guiding.objective import Objective
from foible.parts.moving import norms
from foible.parts.protocols import StartsFromNoise
from foible.records import Drawn

BROOD = 4
"""Images of one draw in a generation."""


@dataclass(frozen=True, kw_only=True)
class Evolve:
    """Breeds noise until the objective is reached, or `steps` images were sampled."""

    generator: StartsFromNoise
    objective: Objective
    steps: int
    rate: float
    """Standard deviation of the first generation, as a share of that of the noise; 0..1."""

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images."""
        kept = Kept(len(prompts))
        noise = self.generator.noise(prompts, seeds)
        self._offer(kept, list(range(len(prompts))), noise, prompts, seeds)
        strains = [_strain(one, seed, self.rate) for one, seed in zip(noise, seeds, strict=True)]
        for _ in range((self.steps - 1) // BROOD):
            at = kept.open
            if not at:
                break
            broods = [strains[place].ask() for place in at]
            parents = [place for place in at for _ in range(BROOD)]
            bred = torch.from_numpy(np.stack([one for brood in broods for one in brood])).to(noise)
            bred = bred.reshape(len(parents), *noise.shape[1:])
            # The norm that the generator knows: among many dimensions, a noise of another one is none.
            bred = bred * norms(noise[parents]) / norms(bred)
            reached = self._offer(kept, parents, bred, prompts, seeds)
            for number, (place, brood) in enumerate(zip(at, broods, strict=True)):
                own = reached[BROOD * number : BROOD * (number + 1)]
                strains[place].tell(brood, [-one if np.isfinite(one) else _WORST for one in own])
        return kept.drawn()

    def _offer(
        self, kept: Kept, places: Sequence[int], noise: torch.Tensor, prompts: Sequence[str], seeds: Sequence[int]
    ) -> list[float]:
        """Sample and look; give what is bred for."""
        texts, own = [prompts[place] for place in places], [seeds[place] for place in places]
        with torch.no_grad():
            sampled = self.generator.sample(texts, own, noise)
            images = eight_bits(sampled)
            reached = self.objective.exact(images, texts)
            kept.offer(places, images, reached.tolist())
            bred: list[float] = self.objective.weighed(reached, sampled, texts, kept.starts(places)).tolist()
        return bred


_WORST = 1e9


def _strain(noise: torch.Tensor, seed: int, rate: float) -> Any:
    """Begin a strain at the noise of a draw, with random numbers of its own."""
    start = noise.double().cpu().numpy().ravel()
    rng = np.random.default_rng(seed)
    options = {
        "popsize": BROOD,
        "CMA_diagonal": True,
        "randn": lambda *shape: rng.standard_normal(shape),
        "seed": np.nan,
        "verbose": -9,
        "verb_log": 0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small broods, which are meant
        return cma.CMAEvolutionStrategy(start, rate * float(start.std()), options)
