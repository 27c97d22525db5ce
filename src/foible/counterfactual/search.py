"""The mask grows until the answer turns: for one seed, the least region and the mildest guidance that do it.

Comes in: an image, a generator that repaints, a classifier, an order of cells. Goes out: an image that is the given one
outside its mask. Neighbours: `regions.py` has the masks, `figures.py` says how near the images are.

In each step of sampling the image that the denoiser foretells, pasted into the given one, is moved up the classifier's
margin to the wanted answer. Without gradients as many images are drawn on other seeds, and the best is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from foible.errors import FoibleError, brief
from foible.guiding.objective import Objective, dice_of
from foible.guiding.sight import eight_bits
from foible.identity import sibling
from foible.records import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.counterfactual.regions import Region
    from foible.parts.protocols import Image
    from foible.parts.repainting import Repaints

Guidance = Literal["steer", "select"]

SHARES = (0.1, 0.2, 0.35, 0.6, 1.0)
"""Shares of the cells that may change, from one mask to the next."""
TEXT = ""
"""By which the objective knows its one aim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be turned, and how."""

    image: Image
    generator: Repaints
    objective: Objective
    """Above 0 where the classifier gives the wanted answer; its one aim is that of `TEXT`."""
    prompt: str
    """What the whole image should show then."""
    strength: float
    rates: tuple[float, ...]
    """Of guidance, the mildest first; of "select", as many images are drawn."""
    guidance: Guidance


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An image, and the mask outside which it is the given one."""

    image: Image
    mask: NDArray[np.bool_]
    margin: float
    """By how much the classifier gives the wanted answer: above 0 if it does, for disturbed copies too."""
    rate: float
    """Of the guidance; 0 without."""
    sampled: int = 1
    """Images that the search drew, this one among them."""
    unscored: int = 0
    """Of these, those that are not known: a gradient that is not finite, or a classifier without an answer."""

    @property
    def turned(self) -> bool:
        """Whether the classifier gives the wanted answer."""
        return self.margin > 0


def grow(turn: Turn, region: Region, seed: int, shares: Sequence[float] = SHARES) -> Found | Fault:
    """Let the mask grow until the answer turns; where it never does, the best image is given.

    Args:
        turn: what is to be turned.
        region: the order of the cells.
        seed: 0 .. 2**32 - 1.
        shares: of the cells that may change, from small to large.
    """
    seen: list[Found | Fault] = []
    for share in shares:
        seen += tried(turn, region.mask(share), seed)
        if any(isinstance(one, Found) and one.turned for one in seen):
            break
    return best_of(seen)


def best_of(seen: Sequence[Found | Fault]) -> Found | Fault:
    """Choose among images: the first that turns the answer, or else the nearest; a fault where there is none.

    What is unscored hides nothing that is scored, and is counted.

    Args:
        seen: one at least.
    """
    scored = [one for one in seen if isinstance(one, Found)]
    if not scored:
        return seen[0]
    best = next((one for one in scored if one.turned), max(scored, key=lambda one: one.margin))
    return replace(best, sampled=len(seen), unscored=len(seen) - len(scored))


def tried(turn: Turn, mask: NDArray[np.bool_], seed: int) -> list[Found | Fault]:
    """Draw anew what is under one mask, by each rate, the mildest first; at a lack of memory no more than needed.

    Args:
        turn: what is to be turned.
        mask: (height, width).
        seed: 0 .. 2**32 - 1.
    """
    count = len(turn.rates)
    seeds = [seed] * count if turn.guidance == "steer" else [sibling(seed, at) for at in range(count)]
    try:
        return _drawn(turn, mask, seeds, turn.rates)
    except Exception:  # noqa: BLE001 - a stranger's code, the memory of the device, or one image of several
        found: list[Found | Fault] = []
        for own, rate in zip(seeds, turn.rates, strict=True):
            found.append(_alone(turn, mask, own, rate))
            if isinstance(found[-1], Found) and found[-1].turned:
                break
        return found


def _alone(turn: Turn, mask: NDArray[np.bool_], seed: int, rate: float) -> Found | Fault:
    """Draw one image, or say why there is none."""
    try:
        return _drawn(turn, mask, [seed], [rate])[0]
    except (FoibleError, FloatingPointError) as error:
        return Fault(str(error))
    except Exception as error:  # noqa: BLE001 - as above
        return Fault(brief(f"{type(error).__name__}: {' '.join(str(error).split())}", 160))


def _drawn(turn: Turn, mask: NDArray[np.bool_], seeds: Sequence[int], rates: Sequence[float]) -> list[Found | Fault]:
    """Draw a batch, and say how far each image reaches."""
    count, steered = len(seeds), turn.guidance == "steer"
    texts, dice = [TEXT] * count, dice_of(seeds, 0)

    def score(images: torch.Tensor) -> torch.Tensor:
        return turn.objective.disturbed(images, texts, dice)

    made = turn.generator.repaint(
        [turn.prompt] * count,
        seeds,
        [turn.image] * count,
        [mask] * count,
        turn.strength,
        score if steered else None,
        rates if steered else (),
    )
    # Whatever the generator does, nothing outside the mask is another pixel.
    images = [np.where(mask[..., None], one, turn.image) for one in eight_bits(made)]
    kept = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
    return [
        Found(image=image, mask=mask, margin=margin, rate=rate if steered else 0.0)
        if np.isfinite(margin)
        else Fault("the classifier gave no answer")
        for image, margin, rate in zip(images, turn.objective.steady(kept, texts, dice).tolist(), rates, strict=True)
    ]
