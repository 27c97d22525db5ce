"""The sampling of a `diffusers` pipeline from given noise, with gradients: what guided generation needs of one.

Comes in: a pipeline and what it is called with. Goes out: the noise that a seed gives, and images of a noise, as
tensors that know how they hang on it. Neighbours: `generator.py` draws without any of this; `foible.guiding` moves the
noise.

No pipeline is copied or subclassed: for one call, the method that makes the noise and the scheduler's step are wrapped.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from foible.adapters.diffusers.recomputed import recomputed
from foible.parts.moving import direction, norms

_FLOW = "FlowMatchEulerDiscreteScheduler"
_SIGMAS = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
"""Schedulers whose sample is the clean image plus sigma times the noise."""
_PRESERVING = ("DDIMScheduler", "DDPMScheduler", "LCMScheduler", "TCDScheduler", "PNDMScheduler")
"""Schedulers whose sample keeps its variance."""
_SOLVERS = ("DPMSolverMultistepScheduler", "UniPCMultistepScheduler")
"""Schedulers that know both noise that keeps the variance and flows, and have sigmas for either."""
STEERED = (*_PRESERVING, *_SOLVERS, *_SIGMAS, _FLOW)
"""Schedulers of which it is known how a clean image follows from what the denoiser says."""
_DENOISERS = ("unet", "transformer")
_TEXT = "encoder_hidden_states"
"""What a denoiser of the library is given of the text, a vector for each token."""


class _Enough(Exception):  # noqa: N818 - ends a call once the noise is made; never leaves this file
    """Ends a call of the pipeline."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where latents become an image: the size that the pipeline was asked for."""

    height: int
    width: int


class Sampling:
    """Samples from a pipeline that is loaded and placed."""

    def __init__(self, pipe: Any) -> None:
        """Wrap nothing yet; the weights want no gradients of their own from here on."""
        self._pipe = pipe
        for part in pipe.components.values():
            if isinstance(part, torch.nn.Module):
                part.requires_grad_(requires_grad=False)

    def noise(self, call: dict[str, Any]) -> torch.Tensor:
        """Give what sampling starts from in a call: (n, …), on the device of the pipeline."""
        made: list[torch.Tensor] = []

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            made.append(tensor.detach().clone())
            raise _Enough

        self._begun(call, keep)
        return made[0]

    def side(self, call: dict[str, Any]) -> tuple[int, int]:
        """Give the (height, width) of the images of a call, in pixels."""

        def stop(_: torch.Tensor) -> torch.Tensor:
            raise _Enough

        place = self._begun(call, stop)
        return place.height, place.width

    def laid_out(self, latents: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Give latents as they lie in images of a size: (n, channels, rows, columns)."""
        return unpacked(self._pipe, latents, Place(height, width))

    @property
    def unreadable(self) -> str:
        """Why what the denoiser reads of a text cannot be moved; empty where it can."""
        denoisers = _denoisers(self._pipe)
        taken = inspect.signature(denoisers[0].forward).parameters if denoisers else {}
        return "" if _TEXT in taken else f"a {type(self._pipe).__name__} is given its text in a way of its own"

    def embeddings(self, call: dict[str, Any]) -> torch.Tensor:
        """Give what the denoiser reads of the texts in a call, each time: (n, times, sides, tokens, width).

        Where a pipeline is guided away from a null text there are two sides, of which that is the first. Nothing is
        denoised for it: the steps are gone through with a denoiser that answers zeros.
        """
        read: list[torch.Tensor] = []

        def listen(own: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG001 - it is not asked
            def ask(*given: Any, **named: Any) -> tuple[torch.Tensor]:
                read.append(named[_TEXT].detach())
                return (torch.zeros_like(given[0] if given else named["hidden_states"]),)

            return ask

        with torch.no_grad(), _asked(self._pipe, listen):
            self._called({**call, "output_type": "latent"})
        count = len(call["prompt"])
        fine = torch.promote_types(read[0].dtype, torch.float32)
        each = [one.to(fine).reshape(-1, count, *one.shape[1:]).transpose(0, 1) for one in read]
        return torch.stack(each, dim=1)

    def _begun(self, call: dict[str, Any], start: Callable[[torch.Tensor], torch.Tensor]) -> Place:
        """Begin a call that ends once its noise is made, and say where that becomes an image."""
        with torch.no_grad(), _starting(self._pipe, start) as places:
            try:
                self._called(call)
            except _Enough:
                return places[0]
        message = f"a {type(self._pipe).__name__} makes its noise in a way of its own"
        raise TypeError(message)

    def images(
        self,
        call: dict[str, Any],
        noise: torch.Tensor,
        steer: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rate: float = 0.0,
        embeddings: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Sample from a noise: (n, 3, height, width), 0..1, with gradients of what wants them.

        Args:
            call: the pipeline's arguments, the random generators among them.
            noise: (n, …), as `noise` gives it.
            steer: scores images (n, 3, height, width) of 0..1: (n,), with gradients. In every step the clean image that
                the denoiser foretells is moved up the score.
            rate: how far, as a share of the norm of its latents.
            embeddings: what the denoiser reads, as `embeddings` gives it; by default what it reads of the prompts.
        """
        pipe = self._pipe
        graph = noise.requires_grad or (embeddings is not None and embeddings.requires_grad)
        with (
            _starting(pipe, noise.to) as place,
            _steered(pipe, place, steer, rate),
            _asked(pipe, recomputed) if graph else nullcontext(),
            nullcontext() if embeddings is None else _asked(pipe, _reading(embeddings)),
        ):
            found: torch.Tensor = self._called({**call, "output_type": "pt"}).images
        return found

    def _called(self, call: dict[str, Any]) -> Any:
        # Without the decorator that forbids gradients.
        call_with_gradients: Any = type(self._pipe).__call__
        return call_with_gradients.__wrapped__(self._pipe, **call)


@contextmanager
def _starting(pipe: Any, start: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[list[Place]]:
    """Put another noise in the place of the pipeline's own, in the very form in which its sampling takes it."""
    own = pipe.prepare_latents
    places: list[Place] = []

    def prepare(*given: Any, **named: Any) -> Any:
        made = own(*given, **named)
        height, width = (named[name] if name in named else given[at] for at, name in ((2, "height"), (3, "width")))
        places.append(Place(int(height), int(width)))
        if isinstance(made, tuple):
            return (start(made[0]), *made[1:])
        return start(made)

    pipe.prepare_latents = prepare
    try:
        yield places
    finally:
        del pipe.prepare_latents


@contextmanager
def _asked(pipe: Any, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Ask the denoiser in another way.

    With `recomputed` a graph keeps of each step what goes into the denoiser alone.
    """
    denoisers = _denoisers(pipe)
    before = [vars(one).get("forward") for one in denoisers]  # such as that which moves a part of a large one about
    for one in denoisers:
        one.forward = change(one.forward)
    try:
        yield
    finally:
        for one, own in zip(denoisers, before, strict=True):
            del one.forward
            if own is not None:
                one.forward = own


def _denoisers(pipe: Any) -> list[Any]:
    return [one for one in (getattr(pipe, name, None) for name in _DENOISERS) if one is not None]


def _reading(embeddings: torch.Tensor) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a denoiser read embeddings (n, times, sides, tokens, width), each time the next."""
    times = iter(embeddings.unbind(1))

    def change(own: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any, **named: Any) -> Any:
            rows = next(times).transpose(0, 1).flatten(0, 1)
            return own(*given, **{**named, _TEXT: rows.to(named[_TEXT].dtype)})

        return ask

    return change


@contextmanager
def _steered(
    pipe: Any, places: list[Place], steer: Callable[[torch.Tensor], torch.Tensor] | None, rate: float
) -> Iterator[None]:
    """Move what the denoiser foretells in every step."""
    if steer is None:
        yield
        return
    scheduler, own = pipe.scheduler, pipe.scheduler.step

    def step(output: torch.Tensor, t: Any, sample: torch.Tensor, *given: Any, **named: Any) -> Any:
        with torch.no_grad():
            clean, slope = foretold(scheduler, output, t, sample)
        with torch.enable_grad():
            latents = clean.detach().requires_grad_()
            score = steer(decoded(pipe, latents, places[0]))
            (gradient,) = torch.autograd.grad(score.sum(), latents)
        moved = rate * norms(clean) * direction(gradient)
        return own(output + (moved / slope).to(output.dtype), t, sample, *given, **named)

    scheduler.step = step
    try:
        yield
    finally:
        del scheduler.step


def foretold(scheduler: Any, output: torch.Tensor, t: torch.Tensor, sample: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Give the clean latents that a denoiser's output foretells, and how they change with it.

    As in DDIM (arXiv 2010.02502), EDM (arXiv 2206.00364) and rectified flow (arXiv 2209.03003).

    Args:
        scheduler: one of `STEERED`.
        output: of the denoiser.
        t: the time step.
        sample: the latents of this step.
    """
    name = type(scheduler).__name__
    kind = "flow_prediction" if name == _FLOW else scheduler.config.prediction_type
    if name in _PRESERVING:
        alpha = float(scheduler.alphas_cumprod[int(t)])
    else:
        sigma = float(scheduler.sigmas[int((scheduler.timesteps.cpu() == t.cpu()).nonzero()[0])])
        alpha = 1 / (1 + sigma**2)
    if kind == "flow_prediction":
        return sample - sigma * output, -sigma
    if name in _SIGMAS:
        if kind == "v_prediction":
            slope = -sigma / (sigma**2 + 1) ** 0.5
            return sample / (sigma**2 + 1) + slope * output, slope
        return (output, 1.0) if kind == "sample" else (sample - sigma * output, -sigma)
    if kind == "v_prediction":
        return alpha**0.5 * sample - (1 - alpha) ** 0.5 * output, -((1 - alpha) ** 0.5)
    slope = -(((1 - alpha) / alpha) ** 0.5)
    return (output, 1.0) if kind == "sample" else (sample / alpha**0.5 + slope * output, slope)


def decoded(pipe: Any, latents: torch.Tensor, place: Place) -> torch.Tensor:
    """Make images of latents, as the pipeline does at its end: (n, 3, height, width), 0..1, with gradients."""
    latents = unpacked(pipe, latents, place)
    config = pipe.vae.config
    latents = latents / config.scaling_factor
    if getattr(config, "latents_mean", None) is not None and getattr(config, "latents_std", None) is not None:
        shape = (1, -1, *[1] * (latents.ndim - 2))
        mean, std = (torch.tensor(one).reshape(shape).to(latents) for one in (config.latents_mean, config.latents_std))
        latents = latents * std + mean
    elif getattr(config, "shift_factor", None) is not None:
        latents = latents + config.shift_factor
    image: torch.Tensor = pipe.vae.decode(latents.to(pipe.vae.dtype), return_dict=False)[0]
    return (image / 2 + 0.5).clamp(0, 1)


def unpacked(pipe: Any, latents: torch.Tensor, place: Place) -> torch.Tensor:
    """Lay latents out as rows and columns, where a pipeline has them in a row: (n, channels, rows, columns)."""
    if not hasattr(pipe, "_unpack_latents"):
        return latents
    found: torch.Tensor = pipe._unpack_latents(latents, place.height, place.width, pipe.vae_scale_factor)  # noqa: SLF001 - no public way
    return found
