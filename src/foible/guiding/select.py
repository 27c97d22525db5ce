"""Guided by selection: several draws for one, of which the one is kept that comes nearest to failing.

Comes in: prompts, seeds. Goes out: an image each. For any generator and classifier. Best of N at equal cost is what
every gradient must beat (Ma and others, "Inference-time scaling for diffusion models beyond scaling denoising steps",
arXiv 2501.09732). Neighbours: `noise.py`, `steer.py`, `embedding.py` and `evolve.py` move
what one draw begins with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foible.errors import PartError
from foible.guiding.kept import Kept
from foible.guiding.objective import Objective
from foible.identity import sibling
from foible.parts.asking import ask_generator
from foible.parts.registry import Part
from foible.records import Drawn


@dataclass(frozen=True, kw_only=True)
class Select:
    """Draws on, on other seeds, until the objective is reached or `steps` draws were made."""

    generator: Part
    objective: Objective
    steps: int

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images."""
        kept = Kept(len(prompts))
        for number in range(self.steps):
            open_ = kept.open
            if not open_:
                break
            texts = [prompts[place] for place in open_]
            drawn = ask_generator(self.generator, texts, [sibling(seeds[place], number) for place in open_])
            good = [at for at, one in enumerate(drawn) if isinstance(one, Drawn)]
            images = [one.image for one in drawn if isinstance(one, Drawn)]
            reached = self.objective.exact(images, [texts[at] for at in good]).tolist() if images else []
            numbers = dict(zip(good, reached, strict=True))
            kept.offer(open_, drawn, [numbers.get(at, 0.0) for at in range(len(drawn))])
        return kept.drawn()
