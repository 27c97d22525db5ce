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

from foible import fingerprint
from foible.errors import ArgumentError, PluginError
from foible.models import _images, _names, _pt2, _scores, _torch, _weights, python
from foible.models._batches import InPieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

ADAPTER_VERSION = 1
"""Raised when the adapter changes what it answers."""
_PROGRAM = ".pt2"
_SIZE = 224


class TorchClassifier:
    """A network of one's own; the input is made by torchvision's recipe unless the arguments say otherwise."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        factory: str | None = None,
        factory_args: Mapping[str, Any] | None = None,
        size: int | Sequence[int] = _SIZE,
        crop: float | None = _images.CROP,
        mean: Sequence[float] = _images.MEAN,
        std: Sequence[float] = _images.STD,
        pixel_range: Sequence[float] | None = None,
        layout: str = "nchw",
        interpolation: str = "bilinear",
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        """Load the network.

        Args:
            name: `model.pt2`, an exported program; or weights: a safetensors file or a state dict.
            factory: for weights: `module:function` that makes the network they belong to.
            factory_args: what the factory is given.
            size: side of the input in pixels, or [height, width].
            crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in.
            mean: what is taken from the channels, on the scale 0..1; by default ImageNet's.
            std: what the channels are divided by then.
            pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
            layout: `nchw` or `nhwc`.
            interpolation: `bilinear` or `bicubic`.
            labels: `imagenet`, a text file with one class a line, or names.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere. A
                program keeps the one that it was exported in.
        """
        self._recipe = _images.recipe(
            name, size=size, crop=crop, mean=mean, std=std, pixel_range=pixel_range, layout=layout,
            interpolation=interpolation,
        )  # fmt: skip
        self._device = _torch.device(name, device)
        self._dtype = _torch.dtype(name, dtype, self._device)
        path = Path(name).expanduser()
        if not path.is_file():
            message = f"{name!r} could not be loaded: there is no such file"
            raise PluginError(message)
        if path.suffix == _PROGRAM:
            made: Any = _program(name, path, factory)
            self._dtype = next((one.dtype for one in made.parameters() if one.is_floating_point()), torch.float32)
        else:
            made = _network(name, factory, factory_args or {})
            _weights.fill(name, made, _weights.read(name, name))
            made.eval().requires_grad_(requires_grad=False)
        self.fingerprint = _fingerprint(path, made)
        self._model = made.to(self._device, self._dtype) if path.suffix != _PROGRAM else made.to(self._device)
        self._ask = InPieces(self._scores)
        named = _names.names(name, self._outputs(name), given=labels)
        self.labels = named.labels
        self.accepted = named.accepted
        self.resolved = {**_torch.resolved(self._device, self._dtype), **self._recipe.plain()}
        self.version = f"adapter {ADAPTER_VERSION}; torch {torch.__version__}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives, mostly logits: (n, classes), float32."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        batch = torch.from_numpy(self._recipe.batch(images)).to(self._device, self._dtype)
        with torch.inference_mode():
            answer = self._model(batch)
        return _scores.matrix(answer.float().cpu() if isinstance(answer, torch.Tensor) else answer, len(images))

    def _outputs(self, name: str) -> int:
        """Try the network on one grey image, then on two; give how many classes."""
        outputs = _scores.classes(name, self._recipe, self._scores)
        try:
            self._scores([np.full((*self._recipe.size, 3), 128, np.uint8)] * 2)
        except Exception:  # noqa: BLE001 - a program that was exported for one image at a time says so in many ways
            self._ask.most = 1
        return outputs


def _program(name: str, path: Path, factory: str | None) -> Any:
    if factory is not None:
        message = f"{name!r} is a whole program and takes no factory; leave that argument out"
        raise ArgumentError(message)
    return _pt2.load(name, path)


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
