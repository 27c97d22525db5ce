"""The loop of a search that moves what sampling starts from: sample, look, and move all of it up the gradient.

Comes in: prompts, seeds, the variables. Goes out: an image each. Costs `steps` samplings with gradients. As in ReNO
(Eyring and others, arXiv 2406.04312): Nesterov's momentum, the best image on the way is kept. Neighbours: `noise.py`
and `embedding.py` say what is moved; `climb.py` moves one variable; `objective.py` disturbs the images, against changes
that no eye sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from foible.errors import PartError
from foible.guiding.climb import Climb
from foible.guiding.followed import eight_bits
from foible.guiding.kept import Kept
from foible.guiding.objective import Objective, dice_of
from foible.records import Drawn

if TYPE_CHECKING:
    from torch import Tensor

Sample = Callable[..., "Tensor"]
"""Of prompts, seeds and a tensor for each variable: images (n, 3, height, width), 0..1, with gradients."""


def climb(
    sample: Sample,
    variables: Sequence[Climb],
    objective: Objective,
    steps: int,
    of: tuple[Sequence[str], Sequence[int]],
) -> list[Drawn | PartError]:
    """Move variables until the objective is reached, or `steps` images were sampled, for each prompt and seed of `of`.

    Raises:
        FloatingPointError: a gradient is not finite.
        PluginError: the classifier has no gradients.
    """
    prompts, seeds = of
    kept = Kept(len(prompts))
    for number in range(steps):
        at = kept.open
        if not at:
            break
        texts, own = [prompts[place] for place in at], [seeds[place] for place in at]
        values = [one.at(at) for one in variables]
        with torch.enable_grad():
            images = sample(texts, own, *values)
        dice = dice_of(own, number)
        kept.offer(at, eight_bits(images), objective.steady(images, texts, dice).tolist())
        if number + 1 < steps:
            with torch.enable_grad():
                moving = objective.moving(images, texts, dice, kept.starts(at))
                gradients = torch.autograd.grad(moving.sum(), values)
            for one, gradient in zip(variables, gradients, strict=True):
                one.move(at, gradient)
    return kept.drawn()
