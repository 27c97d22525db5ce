"""Images from a `diffusers` pipeline, of any kind that its text-to-image loader knows.

Comes in: prompts and seeds. Goes out: one image each, or why there is none. Neighbours: `pipelines.py` loads the
pipelines; `foible.diorama.narrow` reads prompts for the one that ships, `diffusers:diorama`.

Each draw has a random generator of its own, on the CPU, made of its seed: neither its place in a batch nor the device
changes its noise. The arithmetic of a batch can still differ from that of a single draw in the last bits, which is why
a hunt draws whole units of work again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foible.adapters.diffusers import pipelines as shared
from foible.adapters.diffusers import sampling
from foible.adapters.diffusers.repainting import Repainting
from foible.adapters.shared import devices as _torch
from foible.adapters.shared.batches import InPieces
from foible.diorama import narrow
from foible.diorama.grammar import parse
from foible.diorama.vocabulary import LABELS
from foible.errors import ArgumentError, PartError, brief
from foible.pixels import LARGEST_SIDE
from foible.records import Drawn, Label

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DiffusersGenerator:
    """Stable Diffusion 1 to 3, Turbo, LCM, FLUX and their kin (arXiv 2112.10752, 2307.01952, 2403.03206)."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        steps: int | None = None,
        guidance: float | None = None,
        scheduler: str | None = None,
        negative: str | None = None,
        size: int | Sequence[int] | None = None,
        lora: str | Sequence[str] | Mapping[str, float] | None = None,
        offload: str | None = None,
        compile: bool = False,  # noqa: A002 - what torch calls it
        device: str | None = None,
        dtype: str | None = None,
        revision: str | None = None,
        variant: str | None = None,
    ) -> None:
        """Load the pipeline.

        Args:
            name: a folder, or a name on the hub; `diorama` is the pipeline that ships with foible.
            steps: of denoising; by default the pipeline's own, which is too many for Turbo and LCM models.
            guidance: weight of the prompt; the pipeline's own by default; 0 for Turbo models.
            scheduler: such as `ddim`, `eulerdiscrete`, `dpmsolvermultistep`, `lcm`; the pipeline's own by default.
            negative: what the images should not show, where the pipeline takes that.
            size: side in pixels, or [height, width]; the pipeline's own by default.
            lora: safetensors files to add; with weights as a mapping from file to weight.
            offload: `model` or `sequential`: keep parts in the main memory while they rest, for a small GPU.
            compile: compile the denoiser with torch, which pays for long hunts.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`; by default what is fast on the device.
            revision: which version on the hub.
            variant: which weights, such as `fp16`.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: the pipeline does not load.
        """
        _check_numbers(name, steps, guidance)
        where = _torch.device(name, device)
        numbers = _torch.dtype(name, dtype, where)
        found = shared.folder(name, revision, variant)
        self._hear, own = (narrow.hear, self._narrow(steps, guidance)) if found == shared.SHIPPED else (_as_it_is, {})
        self._pipe = shared.pipeline(name, found, numbers, variant)
        sampler = shared.schedule(name, self._pipe, scheduler)
        adapted = shared.adapt(name, self._pipe, lora)
        given = {"num_inference_steps": steps, "guidance_scale": guidance, "negative_prompt": negative, **own}
        self._call = _taken(name, self._pipe, {**given, **_sides(name, size)})
        shared.place(name, self._pipe, where, offload, compiled=compile)
        self._ask = InPieces(self._draw)
        self.fingerprint = shared.hashed(found, adapted)
        self.resolved = {
            **_torch.resolved(where, numbers),
            "scheduler": sampler,
            "pipeline": type(self._pipe).__name__,
            "offload": None,  # moves parts about, and changes no image
            **{_OURS[field]: value for field, value in own.items()},
        }
        self.version = shared.VERSION

    def _narrow(self, steps: int | None, guidance: float | None) -> dict[str, Any]:
        """Say what the pipeline that ships can draw; give how it draws where that is left open."""
        self.drawable, self.can_draw = tuple(label.name for label in LABELS), _shows
        weight = narrow.GUIDANCE if guidance is None else guidance
        return {"num_inference_steps": steps or narrow.STEPS, "guidance_scale": weight}

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Draw one image for each prompt and seed.

        A `PartError` stands where the safety checker took it away, where the pipeline's arithmetic overflowed, or where
        `diffusers:diorama` was never shown what is asked for. Words beyond what the pipeline can read are told as
        ignored.

        Raises:
            PartError: not even one image fits into the memory of the device.
        """
        heard = [self._hear(prompt) for prompt in prompts]
        asked = [(*one, seed) for one, seed in zip(heard, seeds, strict=True) if not isinstance(one, PartError)]
        drawn = iter(self._ask([text for text, _, _ in asked], [seed for _, _, seed in asked]))
        return [one if isinstance(one, PartError) else _ignoring(next(drawn), one[1]) for one in heard]

    @property
    def unsteerable(self) -> str:
        """Why its sampling cannot be steered step by step; empty where it can."""
        scheduler = type(self._pipe.scheduler).__name__
        known = ", ".join(sampling.STEERED)
        return "" if scheduler in sampling.STEERED else f"its scheduler is {scheduler}, and those that can are {known}"

    def noise(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        """Give the noise that sampling starts from for each prompt and seed: (n, ...)."""
        with shared.silent():
            return self._sampling.noise(self._called(self._understood(prompts), seeds))

    def sample(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        noise: torch.Tensor,
        steer: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rate: float = 0.0,
    ) -> torch.Tensor:
        """Sample from a noise: (n, 3, height, width), 0..1, with gradients of the noise where it wants them."""
        with shared.silent():
            return self._sampling.images(self._called(self._understood(prompts), seeds), noise, steer, rate)

    @property
    def unreadable(self) -> str:
        """Why what its denoiser reads of a prompt cannot be moved; empty where it can."""
        return self._sampling.unreadable

    def embeddings(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        """Give what the denoiser reads of each prompt, each time: (n, times, ...)."""
        with shared.silent():
            return self._sampling.embeddings(self._called(self._understood(prompts), seeds))

    def sample_read(
        self, prompts: Sequence[str], seeds: Sequence[int], noise: torch.Tensor, embeddings: torch.Tensor
    ) -> torch.Tensor:
        """Sample from a noise and embeddings: (n, 3, height, width), 0..1, with gradients of both."""
        with shared.silent():
            return self._sampling.images(self._called(self._understood(prompts), seeds), noise, embeddings=embeddings)

    @cached_property
    def side(self) -> tuple[int, int]:
        """(height, width) of its images, in pixels."""
        with shared.silent():
            return self._sampling.side(self._called([LABELS[0].name], [0]))  # no side hangs on a prompt

    @property
    def cell(self) -> int:
        """Pixels a side of one cell of its latents; where these are packed by twos, of two."""
        return int(self._pipe.vae_scale_factor) * (2 if hasattr(self._pipe, "_pack_latents") else 1)

    def repaint(  # noqa: PLR0913, PLR0917 - as `Repaints.repaint`
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        images: Sequence[NDArray[np.uint8]],
        masks: Sequence[NDArray[np.bool_]],
        strength: float,
        steer: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rates: Sequence[float] = (),
    ) -> torch.Tensor:
        """Draw anew what lies under the masks: (n, 3, height, width), 0..1."""
        with shared.silent():
            call = self._called(self._understood(prompts), seeds)
            return self._repainting.images(call, images, masks, strength, steer, rates)

    def contrast(self, prompt: str, other: str, seeds: Sequence[int], image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Say where an image would change most were it drawn for another prompt: (height, width)."""
        with shared.silent():
            one, two = (
                self._repainting.foretold(
                    self._called(self._understood([text] * len(seeds)), seeds), [image] * len(seeds)
                )
                for text in (prompt, other)
            )
            apart = self._sampling.laid_out(one - two, *image.shape[:2]).float().square().mean((0, 1)).sqrt()
        wide = torch.nn.functional.interpolate(apart[None, None], image.shape[:2], mode="nearest")[0, 0]
        return np.asarray(wide.cpu().numpy(), np.float32)

    @cached_property
    def _sampling(self) -> sampling.Sampling:
        return sampling.Sampling(self._pipe)

    @cached_property
    def _repainting(self) -> Repainting:
        return Repainting(self._pipe)

    def _understood(self, prompts: Sequence[str]) -> list[str]:
        """Give what the pipeline is given of each prompt; raises the `PartError` of the first that it cannot draw."""
        texts = []
        for heard in map(self._hear, prompts):
            if isinstance(heard, PartError):
                raise heard
            texts.append(heard[0])
        return texts

    def _called(self, prompts: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
        call: dict[str, Any] = dict(self._call)
        if "negative_prompt" in call:
            call["negative_prompt"] = [call["negative_prompt"]] * len(prompts)
        dice = [torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds]
        return {**call, "prompt": list(prompts), "generator": dice}

    def _draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        with torch.inference_mode(), shared.silent():
            # As numbers: the library's pictures are cut to 8 bits, in which NaN is black.
            answer = self._pipe(output_type="np", **self._called(prompts, seeds))
        taken = getattr(answer, "nsfw_content_detected", None) or [False] * len(prompts)
        return [
            PartError("the pipeline's safety checker took the image away") if gone else self._drawn(numbers, prompt)
            for numbers, gone, prompt in zip(answer.images, taken, prompts, strict=True)
        ]

    def _drawn(self, numbers: NDArray[Any], prompt: str) -> Drawn | PartError:
        """Make an image of numbers 0..1, (height, width, 3), or 1 where it is grey."""
        if not np.isfinite(numbers).all():
            return PartError("the pipeline's numbers overflowed (NaN), and are no image; try dtype float32 or bfloat16")
        image = np.broadcast_to((numbers * 255).round().astype(np.uint8), (*numbers.shape[:2], 3))
        return Drawn(np.ascontiguousarray(image), shared.unread(self._pipe, prompt))


def _as_it_is(prompt: str) -> tuple[str, tuple[str, ...]] | PartError:
    return prompt, ()


def _shows(label: Label) -> bool:
    """Tell whether a label is an object of the diorama, with no word that it does not know."""
    heard = parse(label.name)
    return heard.label is not None and not heard.ignored


def _ignoring(drawn: Drawn | PartError, words: tuple[str, ...]) -> Drawn | PartError:
    return drawn if isinstance(drawn, PartError) or not words else replace(drawn, ignored=(*words, *drawn.ignored))


def _check_numbers(name: str, steps: object, guidance: object) -> None:
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        message = f"the argument steps of {name!r} is a whole number from 1 up, but got {brief(repr(steps), 40)}"
        raise ArgumentError(message)
    numeric = isinstance(guidance, int | float) and not isinstance(guidance, bool)
    if guidance is not None and not (numeric and guidance >= 0):  # type: ignore[operator]
        message = f"the argument guidance of {name!r} is a number from 0 up, but got {brief(repr(guidance), 40)}"
        raise ArgumentError(message)


def _sides(name: str, size: int | Sequence[int] | None) -> dict[str, int]:
    if size is None:
        return {}
    sides = [size, size] if isinstance(size, int) else list(size) if isinstance(size, list | tuple) else []
    if len(sides) != 2 or not all(isinstance(side, int) and 8 <= side <= LARGEST_SIDE for side in sides):  # noqa: PLR2004 - height and width
        message = f"the argument size of {name!r} is a side in pixels, or [height, width], from 8 to {LARGEST_SIDE}, "
        raise ArgumentError(message + f"but got {brief(repr(size), 40)}")
    return dict(zip(("height", "width"), sides, strict=True))


def _taken(name: str, pipe: Any, call: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was not given; refuse what this pipeline does not take, rather than leave that out too."""
    call = {field: value for field, value in call.items() if value is not None}
    known = inspect.signature(pipe.__call__).parameters
    refused = [_OURS.get(field, field) for field in call if field not in known]
    if refused:
        message = f"{name!r} is a {type(pipe).__name__}, which takes no {' and no '.join(refused)}; leave it out"
        raise ArgumentError(message)
    return call


_OURS = {"num_inference_steps": "steps", "guidance_scale": "guidance", "negative_prompt": "negative"}
