"""What a guided image is to reach: that a classifier fails, or fails where another one does not.

Comes in: images and the prompts they were drawn for. Goes out: a number for each, above 0 where it is reached.
Neighbours: `aim.py` has the margin of one classifier; the methods raise the number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from foible.guiding.aim import Aim, margins
from foible.guiding.followed import eight_bits
from foible.guiding.sight import Sight

if TYPE_CHECKING:
    from torch import Tensor

    from foible.parts.protocols import Image

Pull = Callable[["Tensor", Sequence[str], "Tensor"], "Tensor"]
"""Of images (n, 3, height, width), 0..1, with gradients, their prompts, and what they were at first: (n,)."""
COPIES = 2
"""Disturbed copies of each image that the classifier is shown as well: what only fails to the pixel is no find."""
_SMALLEST = 0.85
"""Share of each side that a cut-out has at least."""
_NOISE = 0.02
"""Standard deviation of the noise, on the scale 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One classifier that should fail, or should not."""

    sight: Sight
    aims: Mapping[str, Aim]
    """By prompt."""
    fails: bool = True


class Objective:
    """All goals together: as much as the one that is reached least."""

    pull: Pull | None = None
    """What else moves an image, and decides nothing (`terms.py`)."""

    def __init__(self, goals: Sequence[Goal]) -> None:
        """Take the goals."""
        self._goals = goals

    def moving(self, images: Tensor, prompts: Sequence[str], dice: Sequence[torch.Generator], starts: Tensor) -> Tensor:
        """Give what images are moved up: how far disturbed copies reach the goals, and what else is weighed; (n,)."""
        return self.weighed(self.disturbed(images, prompts, dice), images, prompts, starts)

    def weighed(self, reached: Tensor, images: Tensor, prompts: Sequence[str], starts: Tensor) -> Tensor:
        """Add what else is weighed to how far the goals are reached: (n,)."""
        return reached if self.pull is None else reached + self.pull(images, prompts, starts).to(reached)

    def exact(self, images: Sequence[Image], prompts: Sequence[str]) -> Tensor:
        """Say how far the goals are reached by images as they are kept: (n,); minus infinity without an answer."""
        found = self._least([goal.sight.exact(images) for goal in self._goals], prompts)
        return found.nan_to_num(nan=-torch.inf)

    def graded(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Say so with gradients, of images (n, 3, height, width) of 0..1: (n,).

        Raises:
            PluginError: a classifier has no gradients.
        """
        return self._least([goal.sight.scores(images) for goal in self._goals], prompts)

    def disturbed(self, images: Tensor, prompts: Sequence[str], dice: Sequence[torch.Generator]) -> Tensor:
        """Say so of disturbed copies, on average: (n,), with gradients."""
        copies = [disturb(images, dice) for _ in range(COPIES)]
        return torch.stack([self.graded(one, prompts) for one in copies]).mean(0)

    def steady(self, images: Tensor, prompts: Sequence[str], dice: Sequence[torch.Generator]) -> Tensor:
        """Say how far the goals are reached by images as they are kept, and by disturbed copies of them: (n,)."""
        plain = self.exact(eight_bits(images), prompts)
        with torch.no_grad():
            copies = [self.exact(eight_bits(disturb(images, dice)), prompts) for _ in range(COPIES)]
        return torch.minimum(plain, torch.stack(copies).mean(0))

    def _least(self, scores: Sequence[Tensor], prompts: Sequence[str]) -> Tensor:
        each = [
            margins(rows, [goal.aims[prompt] for prompt in prompts]) * (1 if goal.fails else -1)
            for goal, rows in zip(self._goals, scores, strict=True)
        ]
        return torch.stack(each).min(0).values


def disturb(images: Tensor, dice: Sequence[torch.Generator]) -> Tensor:
    """Cut a little off each image, stretch the rest to its size, and add a little noise; with gradients.

    Args:
        images: (n, 3, height, width), 0..1.
        dice: n, on the CPU: one for each image, so that none hangs on what else is in the batch.
    """
    count, sides = len(images), tuple(images.shape[-2:])
    even = torch.stack([torch.rand(3, generator=one) for one in dice])
    share = _SMALLEST + (1 - _SMALLEST) * even[:, 0]
    moved = (1 - share)[:, None] * (2 * even[:, 1:] - 1)
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0] = turn[:, 1, 1] = share
    turn[:, :, 2] = moved
    grid = torch.nn.functional.affine_grid(turn, [count, 3, *sides], align_corners=False).to(images)
    cut = torch.nn.functional.grid_sample(images, grid, align_corners=False, padding_mode="border")
    noise = torch.stack([torch.randn(images.shape[1:], generator=one) for one in dice]).to(images)
    return (cut + _NOISE * noise).clamp(0, 1)


def dice_of(seeds: Sequence[int], number: int) -> list[torch.Generator]:
    """Give each element of a batch what the disturbances of one step are thrown with."""
    return [torch.Generator("cpu").manual_seed((seed << 16) + number) for seed in seeds]
