"""Image classification with an ONNX file, run by onnxruntime.

Comes in: images. Goes out: the network's scores. Neighbours: `_images.py` makes the input, `_names.py` names the
classes, `_scores.py` says whether the output fits.

Size, layout, type and batch size are the file's own; so are the names of the classes where it holds any.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from foible import fingerprint
from foible.errors import ArgumentError, PluginError, brief, near
from foible.models import _images, _names, _scores
from foible.models._batches import InPieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

ADAPTER_VERSION = 1
"""Raised when the adapter changes what it answers."""
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_SIZE = 224
_CHANNELS = 3
_RANK = 4
_QUIET = 3
_LONGEST = 1_000_000


class OnnxClassifier:
    """A network in an ONNX file."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        size: int | Sequence[int] | None = None,
        crop: float | None = _images.CROP,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        pixel_range: Sequence[float] | None = None,
        layout: str | None = None,
        interpolation: str = "bilinear",
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
    ) -> None:
        """Load the network.

        Args:
            name: the file.
            size: side of the input in pixels, or [height, width]; by default the file's, or 224 where it takes any.
            crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in.
            mean: what is taken from the channels, on the scale 0..1; by default ImageNet's for an nchw input of floats.
            std: what the channels are divided by then.
            pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
            layout: `nchw` or `nhwc`; by default the file's.
            interpolation: `bilinear` or `bicubic`.
            labels: `imagenet`, a text file with one class a line, or names; by default what the file's metadata say.
            device: `cpu` or `cuda`; by default cuda where onnxruntime has it.
        """
        path = Path(name).expanduser()
        self._device = _device(name, device)
        self._session = _session(name, path, self._device)
        self._input = _only_input(name, self._session)
        metadata = self._session.get_modelmeta().custom_metadata_map
        layout = layout or _layout(name, self._input.shape)
        if self._input.type == "tensor(uint8)":
            mean, std, pixel_range = _whole_pixels(name, (mean, std, pixel_range))
        else:
            mean, std, pixel_range = _scaled(name, layout, metadata, (mean, std, pixel_range))
        self._recipe = _images.recipe(
            name, size=size or _size(self._input.shape, layout), crop=crop, mean=mean, std=std,
            pixel_range=pixel_range, layout=layout, interpolation=interpolation,
        )  # fmt: skip
        first = self._input.shape[0]
        self._rows = first if isinstance(first, int) and first > 0 else None
        self._ask = InPieces(self._scores, most=self._rows)
        outputs = _scores.classes(name, self._recipe, self._scores)
        named = _names.names(name, outputs, given=labels, own=_own(metadata))
        self.labels = named.labels
        self.accepted = named.accepted
        self.fingerprint = fingerprint.of_files(_files(path), path.parent)
        self.resolved = {"device": self._device, **self._recipe.plain()}
        self.version = f"adapter {ADAPTER_VERSION}; onnxruntime {onnxruntime.__version__}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives: (n, classes), float32."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Run the network; a file that takes so many rows and no fewer gets the last image several times."""
        filled = [*images, *[images[-1]] * ((self._rows or len(images)) - len(images))]
        batch = self._recipe.batch(filled).astype(_TYPES[self._input.type], copy=False)
        answer = self._session.run(None, {self._input.name: batch})[0]
        return _scores.matrix(answer, len(filled))[: len(images)]


def _device(name: str, wanted: str | None) -> str:
    present = [device for device, provider in _PROVIDERS.items() if provider in onnxruntime.get_available_providers()]
    if wanted is None:
        return present[-1]
    if wanted not in present:
        message = f"{name!r} cannot run on the device {brief(wanted)!r} with this onnxruntime; {near(wanted, present)}"
        raise ArgumentError(message)
    return wanted


def _session(name: str, path: Path, device: str) -> Any:
    if not path.is_file():
        message = f"{name!r} could not be loaded: there is no such file"
        raise PluginError(message)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[_PROVIDERS[device]])
    except Exception as error:
        told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 200)
        message = f"{name!r} could not be loaded as an ONNX file (is it whole?): {told}"
        raise PluginError(message) from error


def _only_input(name: str, session: Any) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != _RANK or inputs[0].type not in _TYPES:
        told = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        message = (
            f"{name!r} is no classifier of images: wanted one input of four sides, in floats or uint8, but it has "
            f"{brief(told) or 'none'}"
        )
        raise PluginError(message)
    return inputs[0]


def _layout(name: str, shape: Sequence[Any]) -> str:
    """Find where the three channels are."""
    if shape[1] == _CHANNELS:
        return "nchw"
    if shape[3] == _CHANNELS:
        return "nhwc"
    message = f"{name!r} does not say where its three channels are (its input is {shape}): give layout: nchw or nhwc"
    raise ArgumentError(message)


def _size(shape: Sequence[Any], layout: str) -> list[int]:
    sides = shape[2:4] if layout == "nchw" else shape[1:3]
    return [side if isinstance(side, int) and side > 0 else _SIZE for side in sides]


def _whole_pixels(name: str, given: tuple[Any, Any, Any]) -> tuple[None, None, None]:
    if any(one is not None for one in given):
        message = f"{name!r} takes whole pixels (uint8), so mean, std and pixel_range say nothing; leave them out"
        raise ArgumentError(message)
    return None, None, None


def _scaled(name: str, layout: str, metadata: Mapping[str, str], given: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """Say how pixels become floats: as asked, or by what is known of where the file comes from."""
    if any(one is not None for one in given):
        return given
    if metadata.get("author") == "Ultralytics":  # its classifiers are trained on plain 0..1
        return None, None, (0, 1)
    if layout == "nchw":  # exported from torch, whose classifiers share one recipe
        return _images.MEAN, _images.STD, None
    message = (
        f"{name!r} takes floats but does not say of which range: give pixel_range, such as [-1, 1], [0, 1] or "
        "[0, 255], or mean and std"
    )
    raise ArgumentError(message)


def _own(metadata: Mapping[str, str]) -> list[str] | None:
    """Find the names of the classes in the metadata: a list, or a table by number, in JSON or as Python writes it."""
    for key in ("names", "labels", "classes", "class_names", "id2label"):
        text = metadata.get(key, "")
        if not text or len(text) > _LONGEST:
            continue
        found = _parsed(text)
        if isinstance(found, dict):
            found = [found[index] for index in sorted(found, key=lambda index: int(str(index)))]
        if isinstance(found, list) and all(isinstance(name, str) for name in found):
            return found
    return None


def _parsed(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, list) or (isinstance(found, dict) and all(str(key).isdecimal() for key in found)):
            return found
    return text.splitlines() if "\n" in text else text.split(",")


def _files(path: Path) -> list[Path]:
    """Give the file, and those beside it that hold weights of it by the names that exporters use."""
    beside = {*path.parent.glob("*.data"), *path.parent.glob("*_data")}
    return [path, *sorted(one for one in beside if one.name.startswith(path.stem) and one.is_file())]
