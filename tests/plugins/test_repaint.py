"""Part of an image is drawn anew over real pipelines, built tiny: what changes, what does not, and by what."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import painted
from foible import testing
from foible.parts.protocols import offers
from foible.parts.repainting import Repaints
from foible.testing.repaint import repainted
from plugins.test_draw_diffusers import PROMPT, load, pipelines

__all__ = ["pipelines"]  # a fixture of the other file
FAMILIES = ["sd", "sdxl", "sd3", "flux"]
PAIR = [PROMPT, PROMPT]
SEEDS = [3, 4]


def bright(images):
    """Score images by how bright they are."""
    return images.mean(dim=(1, 2, 3))


def masks(generator):
    """Give the left half of an image, and one cell of another."""
    left, one = np.zeros((2, *generator.side), bool)
    left[:, : generator.side[1] // 2] = True
    one[: generator.cell, : generator.cell] = True
    return [left, one]


def numbers(images):
    """Give images as tensors (n, 3, height, width) of 0..1."""
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_lies_outside_the_mask_is_the_given_image(name, pipelines):
    """In four families, nothing outside a mask changes, something inside does, and the next drawing is as before."""
    generator = load(pipelines(name)).object
    drawn = [one.image for one in generator.draw(PAIR, SEEDS)]
    assert drawn[0].shape[:2] == generator.side
    assert offers(load(pipelines(name)).object, Repaints)
    free = masks(generator)
    made = generator.repaint(PAIR, SEEDS, drawn, free, 0.8)
    moved = (made - numbers(drawn)).abs().amax(1).numpy()
    assert all(float(one[~mask].max()) == 0 for one, mask in zip(moved, free, strict=True))
    assert all(float(one[mask].max()) > 0.001 for one, mask in zip(moved, free, strict=True))
    again = generator.draw(PAIR, SEEDS)
    assert all(np.array_equal(one, two.image) for one, two in zip(drawn, again, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_lies_inside_moves_up_the_score(name, pipelines):
    """In four families, the mask gets brighter when it is steered so, more so by more, each image by its own rate."""
    generator = load(pipelines(name)).object
    drawn = [one.image for one in generator.draw(PAIR[:1], SEEDS[:1])] * 3
    free = masks(generator)[:1] * 3
    made = generator.repaint([PROMPT] * 3, [5] * 3, drawn, free, 0.8, bright, [0.0, 0.05, 0.2])
    plain, mild, more = bright(made).tolist()
    assert plain < mild < more


@pytest.mark.parametrize("name", FAMILIES)
def test_an_image_hangs_on_its_own_seed_and_neighbours_alone(name, pipelines):
    """A batch gives what its elements give alone, but for rounding."""
    generator = load(pipelines(name)).object
    drawn = [one.image for one in generator.draw(PAIR, SEEDS)]
    free = masks(generator)
    both = generator.repaint(PAIR, SEEDS, drawn, free, 0.6, bright, [0.05, 0.1])
    alone = generator.repaint(PAIR[1:], SEEDS[1:], drawn[1:], free[1:], 0.6, bright, [0.1])
    assert torch.allclose(both[1:], alone, atol=2e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_two_prompts_are_contrasted_over_the_image(name, pipelines):
    """A prompt stands nowhere apart from itself, and somewhere from another one."""
    generator = load(pipelines(name)).object
    image = generator.draw(PAIR[:1], SEEDS[:1])[0].image
    apart = generator.contrast(PROMPT, "a photo of a blue cup", SEEDS, image)
    assert apart.shape == generator.side
    assert float(apart.max()) > 0
    assert float(generator.contrast(PROMPT, PROMPT, SEEDS, image).max()) == 0


def test_a_gradient_that_is_not_finite_is_told(pipelines):
    """A score whose gradient is NaN ends in a sentence, and leaves the pipeline as it was."""
    generator = load(pipelines("sd")).object
    drawn = [one.image for one in generator.draw(PAIR, SEEDS)]
    with pytest.raises(FloatingPointError, match="not finite"):
        generator.repaint(PAIR, SEEDS, drawn, masks(generator), 0.8, lambda x: bright(x) * torch.nan, [0.1, 0.1])
    again = generator.draw(PAIR, SEEDS)
    assert all(np.array_equal(one, two.image) for one, two in zip(drawn, again, strict=True))


class Careless(painted.Painter):
    """Repaints everything, whatever the mask."""

    def repaint(self, prompts, seeds, images, masks, *given, **named):
        """Repaint with a mask of its own."""
        return super().repaint(prompts, seeds, images, [np.ones_like(mask) for mask in masks], *given, **named)


class Idle(painted.Painter):
    """Repaints nothing."""

    def repaint(self, prompts, seeds, images, masks, *given, **named):
        """Give the images back."""
        return numbers(images)


def test_the_conformance_suite_knows_a_careless_painter():
    """One that keeps its promises passes; one that paints outside the mask, or not at all, is told so."""
    assert not [one for one in testing.check("generator", painted.Painter()) if "mask" in one]
    assert any("outside the mask" in one for one in testing.check("generator", Careless()))
    assert any("drawn anew" in one for one in testing.check("generator", Idle()))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_keeps_what_repainting_promises(name, pipelines):
    """Four families are repainted as the suite wants it."""
    assert list(repainted(load(pipelines(name)))) == []
