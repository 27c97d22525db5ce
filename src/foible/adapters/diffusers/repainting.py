"""Part of an image is drawn anew by a `diffusers` pipeline, and the rest is left as it is.

Comes in: a text-to-image pipeline, images and masks. Goes out: images that are the given ones outside their masks.
Neighbours: `sampling.py` draws whole images from a noise; `generator.py` asks both; `foible.counterfactual` chooses the
masks.

The library makes the image-to-image pipeline of the same parts. In each step the clean image that the denoiser
foretells is set to the given one outside the mask, so that what is inside fits to it (as RePaint, arXiv 2201.09865,
which sets the noisy one; the clean one suits schedulers that look back at earlier steps too). The library's inpainting
pipelines do that for latents of four channels alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
import torch

from foible.adapters.diffusers.pipelines import silent
from foible.adapters.diffusers.sampling import Place, decoded, foretold
from foible.errors import PluginError
from foible.parts.moving import direction, norms

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 8
"""Steps of denoising that a repainted image gets at least, however little noise it is drawn from."""
_NOISE_IS_ADDED = ("add_noise", "scale_noise")
"""Methods of schedulers that are given the clean latents of an image."""
_GUIDED = 0.5
"""Share of the steps in which the foretold image is moved: the first ones, which decide what is drawn. In the others
the generator finishes alone, which turns what it would not draw into something that it would."""
_HALFWAY = 0.5
"""Noise at which two prompts are contrasted, as in DiffEdit."""


class _Enough(Exception):  # noqa: N818 - ends a call; never leaves this file
    """Ends a call of the pipeline."""


@dataclass(kw_only=True)
class _Canvas:
    """What is repainted in one call."""

    images: torch.Tensor
    """(n, 3, height, width), 0..1."""
    masks: torch.Tensor
    """(n, 1, height, width): 1 where it may change."""
    steer: Callable[[torch.Tensor], torch.Tensor] | None
    rates: torch.Tensor
    """(n,)."""
    guided: int
    """Steps that are still to be moved."""
    clean: list[torch.Tensor] = field(default_factory=list)
    """The latents of the images, once the pipeline has made them."""

    def pasted(self, images: torch.Tensor) -> torch.Tensor:
        """Set images to the given ones outside the masks."""
        return torch.where(self.masks > 0, images.float(), self.images)


class Repainting:
    """Repaints with the parts of a pipeline that is loaded and placed."""

    def __init__(self, pipe: Any) -> None:
        """Make the image-to-image pipeline of the same parts.

        Raises:
            PluginError: the library knows none for this kind of pipeline.
        """
        try:
            with silent():
                self._pipe: Any = diffusers.AutoPipelineForImage2Image.from_pipe(pipe)
        except (ValueError, TypeError) as error:
            message = f"the library diffusers has no image-to-image pipeline for a {type(pipe).__name__}"
            raise PluginError(message) from error
        self._pipe.set_progress_bar_config(disable=True)

    def images(  # noqa: PLR0913, PLR0917 - as `Repaints.repaint`
        self,
        call: dict[str, Any],
        images: Sequence[NDArray[np.uint8]],
        masks: Sequence[NDArray[np.bool_]],
        strength: float,
        steer: Callable[[torch.Tensor], torch.Tensor] | None,
        rates: Sequence[float],
    ) -> torch.Tensor:
        """Draw anew what lies under the masks; as `Repaints.repaint`."""
        where = self._pipe.device
        canvas = _Canvas(
            images=_numbers(images).to(where),
            masks=torch.from_numpy(np.stack(masks)[:, None].astype(np.float32)).to(where),
            steer=steer,
            rates=torch.tensor(rates or [0.0] * len(images), device=where),
            guided=round(_GUIDED * max(call.get("num_inference_steps", STEPS), STEPS)),
        )
        with torch.no_grad(), _on(self._pipe, canvas):
            found = self._called(call, canvas.images, strength).images
        return canvas.pasted(found)

    def foretold(self, call: dict[str, Any], images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Give the clean latents that the denoiser foretells of images half of which is noise: (n, …)."""
        made: list[torch.Tensor] = []
        scheduler = self._pipe.scheduler

        def step(output: torch.Tensor, t: torch.Tensor, sample: torch.Tensor, *_: Any, **__: Any) -> Any:
            made.append(foretold(scheduler, output, t, sample)[0])
            raise _Enough

        scheduler.step = step
        try:
            with torch.no_grad():
                self._called(call, _numbers(images), _HALFWAY)
        except _Enough:
            pass
        finally:
            del scheduler.step
        return made[0]

    def _called(self, call: dict[str, Any], images: torch.Tensor, strength: float) -> Any:
        sizes = {"height": int(images.shape[-2]), "width": int(images.shape[-1])}
        known = inspect.signature(self._pipe.__call__).parameters
        own = {name: value for name, value in {**call, **sizes}.items() if name in known or name not in sizes}
        # The library leaves out the steps of the noise that is not added; here as many are made as were asked for.
        steps = round(max(own.pop("num_inference_steps", STEPS), STEPS) / strength)
        asked = {**own, "image": images, "strength": strength, "num_inference_steps": steps, "output_type": "pt"}
        return self._pipe(**asked)


def _numbers(images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)


@contextmanager
def _on(pipe: Any, canvas: _Canvas) -> Iterator[None]:
    """Hold what a pipeline draws to a canvas: it changes under the masks alone, and up the score."""
    scheduler = pipe.scheduler
    own = scheduler.step
    adding = {name: getattr(scheduler, name) for name in _NOISE_IS_ADDED if hasattr(scheduler, name)}

    def heard(add: Callable[..., Any]) -> Callable[..., Any]:
        def added(clean: torch.Tensor, *given: Any, **named: Any) -> Any:
            canvas.clean.append(clean)
            return add(clean, *given, **named)

        return added

    def step(output: torch.Tensor, t: torch.Tensor, sample: torch.Tensor, *given: Any, **named: Any) -> Any:
        known, free = _in_form(pipe, canvas, sample)
        clean, slope = foretold(scheduler, output, t, sample)
        wanted = clean + _moved(pipe, canvas, torch.where(free, clean, known), free)
        wanted = torch.where(free, wanted, known)
        return own(output + ((wanted - clean) / slope).to(output.dtype), t, sample, *given, **named)

    scheduler.step = step
    for name, add in adding.items():
        setattr(scheduler, name, heard(add))
    try:
        yield
    finally:
        for name in ("step", *adding):
            delattr(scheduler, name)


def _in_form(pipe: Any, canvas: _Canvas, sample: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the latents of the images, and where they may change, in the form of the samples of this pipeline."""
    known = canvas.clean[0].to(sample)
    small = torch.nn.functional.interpolate(canvas.masks, known.shape[-2:], mode="nearest").to(sample).expand_as(known)
    if known.ndim != sample.ndim:
        known, small = (pipe._pack_latents(one, *one.shape) for one in (known, small))  # noqa: SLF001 - no public way
    return known, small > 0


def _moved(pipe: Any, canvas: _Canvas, clean: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
    """Say how far the clean latents are moved, where they are free, up the score of the images they make."""
    if canvas.steer is None or canvas.guided < 1:
        return torch.zeros_like(clean)
    canvas.guided -= 1
    with torch.enable_grad():
        latents = clean.detach().requires_grad_()
        height, width = canvas.images.shape[-2:]
        score = canvas.steer(canvas.pasted(decoded(pipe, latents, Place(height, width))))
        (gradient,) = torch.autograd.grad(score.sum(), latents)
    # As far for each number as if all of the image were free.
    share = free.float().flatten(1).mean(1).reshape(-1, *[1] * (clean.ndim - 1))
    rates = canvas.rates.reshape(-1, *[1] * (clean.ndim - 1))
    moved: torch.Tensor = rates * share.sqrt() * norms(clean) * direction(gradient * free)
    return moved
