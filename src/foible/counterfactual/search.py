"""The mask grows until the answer turns: for one seed, the least region and the mildest guidance that do it.

Comes in: an image, a generator that repaints, a classifier, an order of cells. Goes out: an image that is the given one
outside its mask. Neighbours: `regions.py` has the masks, `figures.py` says how near the images are.

In each step of sampling the image that the denoiser foretells, pasted into the given one, is moved up the classifier's
margin to the wanted answer. Without gradients as many images are drawn on other seeds, and the best is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    sampled: int
    """Images that it took."""

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
    best: Found | Fault = Fault("no image was drawn")
    sampled = 0
    for share in shares:
        found = tried(turn, region.mask(share), seed, sampled)
        sampled += len(turn.rates)
        if isinstance(found, Fault):
            best = found if isinstance(best, Fault) else best
            continue
        if found.turned:
            return found
        if isinstance(best, Fault) or found.margin > best.margin:
            best = found
    return best


def tried(turn: Turn, mask: NDArray[np.bool_], seed: int, before: int = 0) -> Found | Fault:
    """Draw anew what is under one mask, by each rate: the mildest that turns the answer, or else the best.

    Args:
        turn: what is to be turned.
        mask: (height, width).
        seed: 0 .. 2**32 - 1.
        before: images that were sampled for this seed before.
    """
    count = len(turn.rates)
    seeds = [seed] * count if turn.guidance == "steer" else [sibling(seed, at) for at in range(count)]
    try:
        images, margins = _drawn(turn, mask, seeds, turn.rates)
    except FoibleError as error:
        return Fault(str(error))
    except FloatingPointError as error:
        return Fault(str(error))
    except Exception as error:  # noqa: BLE001 - a stranger's code, or the memory of the device
        if count == 1:
            return Fault(brief(f"{type(error).__name__}: {' '.join(str(error).split())}", 160))
        return _one_by_one(turn, mask, seeds, before)
    place = next((at for at, margin in enumerate(margins) if margin > 0), int(np.argmax(margins)))
    if not np.isfinite(margins[place]):
        return Fault("the classifier gave no answer")
    rate = turn.rates[place] if turn.guidance == "steer" else 0.0
    return Found(image=images[place], mask=mask, margin=margins[place], rate=rate, sampled=before + count)


def _drawn(
    turn: Turn, mask: NDArray[np.bool_], seeds: Sequence[int], rates: Sequence[float]
) -> tuple[list[Image], list[float]]:
    """Draw a batch, and say how far each image reaches."""
    count = len(seeds)
    texts, dice = [TEXT] * count, dice_of(seeds, 0)

    def score(images: torch.Tensor) -> torch.Tensor:
        return turn.objective.disturbed(images, texts, dice)

    made = turn.generator.repaint(
        [turn.prompt] * count,
        seeds,
        [turn.image] * count,
        [mask] * count,
        turn.strength,
        score if turn.guidance == "steer" else None,
        rates if turn.guidance == "steer" else (),
    )
    # Whatever the generator does, nothing outside the mask is another pixel.
    images = [np.where(mask[..., None], one, turn.image) for one in eight_bits(made)]
    kept = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
    margins: list[float] = turn.objective.steady(kept, texts, dice).tolist()
    return images, margins


def _one_by_one(turn: Turn, mask: NDArray[np.bool_], seeds: Sequence[int], before: int) -> Found | Fault:
    """Ask again for what a batch could not hold."""
    best: Found | Fault = Fault("no image was drawn")
    for seed, rate in zip(seeds, turn.rates, strict=True):
        alone = Turn(
            image=turn.image,
            generator=turn.generator,
            objective=turn.objective,
            prompt=turn.prompt,
            strength=turn.strength,
            rates=(rate,),
            guidance=turn.guidance,
        )
        found = tried(alone, mask, seed, before + len(seeds) - 1)
        if isinstance(found, Found) and found.turned:
            return found
        if isinstance(best, Fault) or (isinstance(found, Found) and found.margin > best.margin):
            best = found
    return best
