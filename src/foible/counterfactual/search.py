"""The mask grows until the answer turns, and is thinned then: for one seed, the least region that does it.

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

from foible.counterfactual.regions import Region, summed
from foible.errors import FoibleError, brief
from foible.guiding.followed import eight_bits
from foible.guiding.objective import Objective, dice_of
from foible.identity import sibling
from foible.records import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.parts.repainting import Repaints

Guidance = Literal["steer", "select"]

SHARES = (0.1, 0.2, 0.35, 0.6, 1.0)
"""Shares of the cells that may change, from one mask to the next."""
WIDE = SHARES[2:]
"""Those that are tried again from more noise, where none turned the answer: a form that stays needs room to go."""
ROUNDS, NEAR = 6, 0.25
"""Masks that are tried to thin one, and how near to the thinnest is near enough, as a share of it."""
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
    strengths: tuple[float, ...]
    """Of the noise that is repainted, the mildest first; a stronger one is tried where no mask turned the answer."""
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
    strength: float
    """Of the noise."""
    sampled: int = 1
    """Images that the search drew, this one among them."""
    unscored: int = 0
    """Of these, those that are not known: a gradient that is not finite, or a classifier without an answer."""

    @property
    def turned(self) -> bool:
        """Whether the classifier gives the wanted answer."""
        return self.margin > 0


def grow(turn: Turn, region: Region, seed: int) -> Found | Fault:
    """Let the mask grow until the answer turns, then from more noise; where it never does, the best image is given.

    Args:
        turn: what is to be turned.
        region: the order of the cells.
        seed: 0 .. 2**32 - 1.
    """
    seen: list[Found | Fault] = []
    for strength in turn.strengths:
        for share in WIDE if seen else SHARES:
            seen += tried(turn, region.mask(share), seed, strength)
            best = best_of(seen)
            if isinstance(best, Found) and best.turned:
                return best
    return best_of(seen)


def thin(turn: Turn, found: Found, seed: int) -> Found:
    """Thin the mask of an image that turned the answer, to the cells whose change did most for that.

    Their number is halved in between what turns and what does not; each mask is drawn anew by the generator, so that
    what is kept fits to what is not.

    Args:
        turn: what is to be turned.
        found: an image that turned it.
        seed: its seed.
    """
    cell = turn.generator.cell
    best, seen = found, list[Found | Fault]()
    least, most = 0, int(found.mask.sum()) // cell**2
    for _ in range(ROUNDS):
        if most - least <= max(1, NEAR * most):
            break
        middle = (least + most) // 2
        region = Region(ranking=_did(turn, best), allowed=best.mask[::cell, ::cell], cell=cell)
        made = tried(turn, region.mask(middle / most), seed, found.strength)
        seen += made
        thinner = best_of(made)
        if isinstance(thinner, Found) and thinner.turned:
            best, most = thinner, middle
        else:
            least = middle
    lost = sum(isinstance(one, Fault) for one in seen)
    return replace(best, sampled=found.sampled + len(seen), unscored=found.unscored + lost)


def _did(turn: Turn, found: Found) -> NDArray[np.float64]:
    """Say how much the change of each cell did for the answer: (rows, columns).

    With gradients to first order: that of the margin times the change; without, how far the cell changed.
    """
    moved = (found.image.astype(np.float64) - turn.image) / 255
    slope = _slope(turn, found) if turn.guidance == "steer" else None
    did = np.abs(moved) if slope is None else slope * moved
    return summed(did.sum(axis=2), turn.generator.cell)


def _slope(turn: Turn, found: Found) -> NDArray[np.float64] | None:
    """Give the gradient of the margin: (height, width, 3); None where there is none, and the change alone must do."""
    image = torch.from_numpy(found.image.transpose(2, 0, 1)[None].astype(np.float32) / 255).requires_grad_()
    try:
        (gradient,) = torch.autograd.grad(turn.objective.graded(image, [TEXT]).sum(), image)
    except Exception:  # noqa: BLE001 - a stranger's code, or the memory of the device: an order is no answer
        return None
    slope = gradient[0].double().cpu().numpy().transpose(1, 2, 0)
    return slope if np.isfinite(slope).all() else None


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


def tried(turn: Turn, mask: NDArray[np.bool_], seed: int, strength: float) -> list[Found | Fault]:
    """Draw anew what is under one mask, by each rate, the mildest first; at a lack of memory no more than needed.

    Args:
        turn: what is to be turned.
        mask: (height, width).
        seed: 0 .. 2**32 - 1.
        strength: of the noise.
    """
    count = len(turn.rates)
    seeds = [seed] * count if turn.guidance == "steer" else [sibling(seed, at) for at in range(count)]
    try:
        return _drawn(turn, mask, (seeds, turn.rates), strength)
    except Exception:  # noqa: BLE001 - a stranger's code, the memory of the device, or one image of several
        found: list[Found | Fault] = []
        for own, rate in zip(seeds, turn.rates, strict=True):
            found.append(_alone(turn, mask, (own, rate), strength))
            if isinstance(found[-1], Found) and found[-1].turned:
                break
        return found


def _alone(turn: Turn, mask: NDArray[np.bool_], way: tuple[int, float], strength: float) -> Found | Fault:
    """Draw one image, or say why there is none."""
    try:
        return _drawn(turn, mask, ([way[0]], [way[1]]), strength)[0]
    except (FoibleError, FloatingPointError) as error:
        return Fault(str(error))
    except Exception as error:  # noqa: BLE001 - as above
        return Fault(brief(f"{type(error).__name__}: {' '.join(str(error).split())}", 160))


def _drawn(
    turn: Turn, mask: NDArray[np.bool_], ways: tuple[Sequence[int], Sequence[float]], strength: float
) -> list[Found | Fault]:
    """Draw a batch, each image by its seed and rate, and say how far it reaches."""
    seeds, rates = ways
    count, steered = len(seeds), turn.guidance == "steer"
    texts, dice = [TEXT] * count, dice_of(seeds, 0)

    def score(images: torch.Tensor) -> torch.Tensor:
        return turn.objective.disturbed(images, texts, dice)

    made = turn.generator.repaint(
        [turn.prompt] * count,
        seeds,
        [turn.image] * count,
        [mask] * count,
        strength,
        score if steered else None,
        rates if steered else (),
    )
    # Whatever the generator does, nothing outside the mask is another pixel.
    images = [np.where(mask[..., None], one, turn.image) for one in eight_bits(made)]
    kept = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
    return [
        Found(image=image, mask=mask, margin=margin, rate=rate if steered else 0.0, strength=strength)
        if np.isfinite(margin)
        else Fault("the classifier gave no answer")
        for image, margin, rate in zip(images, turn.objective.steady(kept, texts, dice).tolist(), rates, strict=True)
    ]
