"""Image classification with a torch network of one's own: an exported program, or weights and a factory.

Comes in: images. Goes out: the network's scores. Neighbours: `_pt2.py` and `_weights.py` read the files, `_images.py`
makes the input, and `python:` takes a classifier that is ready made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foible.adapters import python
from foible.adapters.files import pt2 as _pt2
from foible.adapters.files import weights as _weights
from foible.adapters.files.steps import last_steps
from foible.adapters.shared import channels as _channels
from foible.adapters.shared import classes as _classes
from foible.adapters.shared import devices as _torch
from foible.adapters.shared import names as _names
from foible.adapters.shared import recipe as _images
from foible.adapters.shared import scores as _scores
from foible.adapters.shared import training as _training
from foible.adapters.shared.batches import InPieces
from foible.errors import ArgumentError, PluginError
from foible.parts import fingerprint
from foible.records import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

ADAPTER_VERSION = 2
"""Raised when the adapter changes what it answers."""
_PROGRAM = ".pt2"
_CHANNELS, _RANK = 3, 4
_SAME = 1e-3
"""Share of an answer that may differ when the same is asked again; accelerators add up in no fixed order."""
_SMALLEST = 1e-7
"""A probability below this counts as this one where its logarithm is taken."""
_OFTEN = 32
"""Times that a network which draws random numbers is asked again."""
_GUESS = "guess"
"""Of an argument that nobody gave; None is a value of its own there."""


class TorchClassifier:
    """A network of one's own; its input is of the size that is said, and by torchvision's recipe in all else.

    Args:
        name: `model.pt2`, an exported program; or weights: a safetensors file or a state dict.
        factory: for weights: `module:function` that makes the network they belong to.
        factory_args: what the factory is given.
        weights: for a checkpoint with both: `plain`, as they were trained, or `ema`, their average.
        size: side of the input in pixels, or [height, width]; asked for unless a program fixes it.
        crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in. By
            default 0.875, which is a guess, as is all that follows; `guessed` in the identity lists them.
        mean: what is taken from the channels, on the scale 0..1; by default ImageNet's. Null leaves 0..255.
        std: what they are divided by then.
        pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
        layout: `nchw` or `nhwc`; by default the program's, or `nchw`.
        channels: `rgb`, or `bgr`, to which mean and std then belong.
        interpolation: `bilinear` or `bicubic`.
        threshold: for a network with one output: from which number on the answer is yes.
        single_label: rank the classes of a network with a sigmoid for each, since each image shows one.
        labels: `imagenet`, a text file with one class a line, or names; for one output, those of no and yes.
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere. A
            program keeps the one that it was exported in.

    Raises:
        ArgumentError: a value that cannot be, or one that is needed and was not given, such as size.
        PluginError: the file does not load, does not fit, or does not give the same answer twice.
    """

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        factory: str | None = None,
        factory_args: Mapping[str, Any] | None = None,
        weights: str | None = None,
        size: int | Sequence[int] | None = None,
        crop: float | str | None = _GUESS,
        mean: Sequence[float] | str | None = _GUESS,
        std: Sequence[float] | str | None = _GUESS,
        pixel_range: Sequence[float] | None = None,
        layout: str | None = None,
        channels: str | None = None,
        interpolation: str | None = None,
        threshold: float | None = None,
        single_label: bool = False,
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        """Load the network; the class says what each argument is."""
        self._device = _torch.device(name, device)
        self._dtype = _torch.dtype(name, dtype, self._device)
        self._path = path = _file(name)
        made, shape, told = _loaded(name, path, factory, factory_args, weights)
        optional = {"pixel_range": pixel_range, "interpolation": interpolation, "channels": channels}
        said = _said(crop=crop, mean=mean, std=std)
        said |= {argument: value for argument, value in optional.items() if value is not None}
        self._channels = _channels.checked(name, said.pop("channels", "rgb"))
        layout = _layout(shape) if layout is None else layout
        self._recipe = _images.recipe(
            name, size=_size(name, shape, layout) if size is None else size, layout=layout, **said
        )
        self.fingerprint = _fingerprint(path, made)
        self._model = self._placed(path, made)
        self._ask = InPieces(self._scores)
        self._threshold = None
        count = _classes.classes(name, self._classes(name), threshold)
        self._threshold = threshold
        self._ends = self._must_rank(name, count, single_label=single_label)
        named = _names.names(name, count, given=labels)
        self.labels, self.accepted, self.alike = named.labels, named.accepted, named.alike
        guessed = [*_guessed({**said, **({"channels": channels} if channels else {})}), *named.guesses]
        self.recipe = {**self._recipe.plain(), "channels": self._channels, "guessed": guessed}
        self.resolved = {**_torch.resolved(self._device, self._dtype), **told, **self.recipe}
        self.version = f"adapter {ADAPTER_VERSION}; torch {torch.__version__}"

    def _placed(self, path: Path, made: torch.nn.Module) -> torch.nn.Module:
        """Put the network where it runs; a program keeps the numbers that it was exported in."""
        if path.suffix != _PROGRAM:
            return made.to(self._device, self._dtype)
        self._dtype = next((one.dtype for one in made.parameters() if one.is_floating_point()), torch.float32)
        return made.to(self._device)

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives, mostly logits: (n, classes), float32."""
        return np.stack(self._ask(images))

    @property
    def untrainable(self) -> str:
        """Why its weights cannot be trained; empty where they can."""
        program = "an exported program cannot be trained: name its weights, with the factory of the network"
        return program if self._path.suffix == _PROGRAM else _training.too_coarse(self._dtype)

    @property
    def network(self) -> torch.nn.Module:
        """The network that the factory made."""
        return self._model

    def last_layer(self) -> Sequence[str]:
        """Name the parameters of the last layer."""
        return _training.last_layer(self._model, lambda: self._scores([np.full((32, 32, 3), 128, np.uint8)]))

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of n images by the recipe: (n, 3, height, width), or as `layout` says."""
        batch = torch.from_numpy(self._recipe.batch(_channels.ordered(images, self._channels)))
        return batch.to(self._device, self._dtype)

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score an input: (n, classes); probabilities become what they were made of."""
        answer: torch.Tensor = self._model(batch).float().flatten(1)
        if self._ends == "sigmoid":
            half = None if self._threshold is None else float(torch.tensor(self._threshold).logit(_SMALLEST))
            return _training.logits_of_two(answer.logit(_SMALLEST), half)
        if self._ends == "softmax":
            return answer.clamp_min(_SMALLEST).log()
        return _training.logits_of_two(answer, self._threshold)

    def save(self, folder: Path) -> Spec:
        """Write a state dict: safetensors where the weights came so, else what `torch.save` writes."""
        file = folder / f"weights{self._path.suffix or '.pt'}"
        _training.write_weights(file, self._model.state_dict())
        return Spec(f"torch:{file}", {"weights": None})

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            answer = self._model(self.prepare(images))
        answer = answer.float().cpu() if isinstance(answer, torch.Tensor) else answer
        return _classes.yes_or_no(_scores.matrix(answer, len(images)), self._threshold)

    def _classes(self, name: str) -> int:
        """Try the network on one image, then on two; give how many numbers it answers with."""
        outputs = _scores.classes(name, self._recipe, self._scores)
        noise = np.random.default_rng(0).integers(0, 256, (*self._recipe.size, 3), np.uint8)
        with last_steps() as steps:
            first = self._scores([noise])[0]
        near = _SAME * float(np.abs(first).max())
        # Of a small dropout two draws are often the same.
        others = (self._scores([noise])[0] for _ in range(_OFTEN if steps.random else 1))
        if not all(np.allclose(first, again, rtol=_SAME, atol=near, equal_nan=True) for again in others):
            message = (
                f"{name!r} gives other answers when it is asked about the same image again: something in it works by "
                "chance, such as dropout that .eval() does not reach; take it out, or switch it off in the factory"
            )
            raise PluginError(message)
        try:
            self._scores([noise] * 2)
        except Exception:  # noqa: BLE001 - a program that was exported for one image at a time says so in many ways
            self._ask.most = 1
        return outputs

    def _must_rank(self, name: str, count: int, *, single_label: bool) -> str:
        """Refuse a network that gives the best scores by rank, or a probability of its own for each class.

        Returns:
            What it ends with: "sigmoid", "softmax", or nothing of the kind.
        """
        with last_steps() as steps, torch.inference_mode():
            noise = np.random.default_rng(0).integers(0, 256, (*self._recipe.size, 3), np.uint8)
            answer = self._model(self.prepare([noise]))
        last = steps.of(answer)
        if last & {"topk", "sort"}:
            message = (
                f"{name!r} gives its best scores by rank, which do not say whose they are: leave the last step, "
                f"{' and '.join(sorted(last))}, out of the network"
            )
            raise PluginError(message)
        several = count > 1 and self._threshold is None and "sigmoid" in last
        _classes.must_rank(name, "it ends with a sigmoid for each", None, multi=several, single_label=single_label)
        given = answer.float() if isinstance(answer, torch.Tensor) else torch.zeros(1)
        shares = given.numel() > 1 and bool((given >= 0).all()) and abs(float(given.sum()) - 1.0) < _SAME
        return "sigmoid" if "sigmoid" in last else "softmax" if shares else ""


def _loaded(
    name: str, path: Path, factory: str | None, factory_args: Mapping[str, Any] | None, weights: str | None
) -> tuple[Any, tuple[int | None, ...] | None, dict[str, str]]:
    """Give the module, the shape of its input where the file tells it, and what was chosen on the way."""
    if path.suffix == _PROGRAM:
        for argument, value in (("factory", factory), ("factory_args", factory_args), ("weights", weights)):
            if value is not None:
                message = f"{name!r} is a whole program and takes no {argument}; leave that argument out"
                raise ArgumentError(message)
        program = _pt2.load(name, path)
        return program.module, program.shape, {}
    _weights.must_be_weights(name, name)
    made = _network(name, factory, factory_args or {})
    told = _weights.put(name, made, name, which=weights, hint="; are factory_args those it was trained with?")
    made.eval().requires_grad_(requires_grad=False)
    return made, None, told


def _said(**given: Any) -> dict[str, Any]:
    """Leave out what nobody said."""
    return {argument: value for argument, value in given.items() if not (isinstance(value, str) and value == _GUESS)}


def _guessed(said: Mapping[str, Any]) -> list[str]:
    """List the parts of the recipe that nobody told."""
    scaled = "pixel_range" in said
    return [
        part
        for part in ("crop", "mean", "std", "channels", "interpolation")
        if part not in said and not (scaled and part in {"mean", "std"})
    ]


def _layout(shape: tuple[int | None, ...] | None) -> str:
    return "nhwc" if shape and len(shape) == _RANK and shape[3] == _CHANNELS != shape[1] else "nchw"


def _size(name: str, shape: tuple[int | None, ...] | None, layout: str) -> list[int]:
    """Give the size that a program fixes.

    Raises:
        ArgumentError: nothing fixes one.
    """
    sides = () if shape is None or len(shape) != _RANK else shape[2:] if layout == "nchw" else shape[1:3]
    fixed = [side for side in sides if side is not None]
    if len(fixed) == 2:  # noqa: PLR2004 - height and width
        return fixed
    message = (
        f"{name!r} does not say how large the images are that it was trained on: give size, a side in pixels or "
        "[height, width]; and where its recipe is not that of torchvision's ImageNet classifiers, crop (0.875 of the "
        "shorter side; null for all of it), mean and std or pixel_range, channels, and interpolation"
    )
    raise ArgumentError(message)


def _network(name: str, factory: str | None, args: Mapping[str, Any]) -> torch.nn.Module:
    """Make the network that the weights belong to."""
    if factory is None:
        message = (
            f"{name!r} holds weights alone: give the argument factory as 'module:function', which makes the network, "
            "or a program from torch.export as a .pt2 file"
        )
        raise ArgumentError(message)
    made = python.find(factory)(**args)
    if not isinstance(made, torch.nn.Module):
        message = f"the factory {factory!r} should make a torch.nn.Module, but it made {type(made).__name__}"
        raise PluginError(message)
    return made


def _fingerprint(path: Path, made: torch.nn.Module) -> str:
    """Hash the file, and for weights alone the code of the network that they are put into."""
    content = fingerprint.of_files([path], path.parent)
    return content if path.suffix == _PROGRAM else fingerprint.of_object([content, made])


def _file(name: str) -> Path:
    """Give the file of a name, or say that there is none."""
    path = Path(name).expanduser()
    if not path.is_file():
        message = f"{name!r} could not be loaded: there is no such file"
        raise PluginError(message)
    return path
