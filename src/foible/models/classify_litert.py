"""Image classification with a LiteRT (TensorFlow Lite) file.

Comes in: images. Goes out: the network's scores. Neighbours: `_images.py` makes the input, `_names.py` names the
classes, `_scores.py` says whether the output fits.

Numbers of eight bits mean real ones by the scale and zero point in the file. Where nothing else is said, the pixels
0..255 fill the whole range of a quantised input, which is how such files are made.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from foible import fingerprint
from foible.errors import ArgumentError, PluginError, brief
from foible.models import _images, _names, _scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

ADAPTER_VERSION = 1
"""Raised when the adapter changes what it answers."""
_TYPES = (np.float32, np.uint8, np.int8)
_CHANNELS = 3
_RANK = 4
_LONGEST = 1_000_000


class LiteRTClassifier:
    """A network in a `.tflite` file, floating or quantised."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        crop: float | None = _images.CROP,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        pixel_range: Sequence[float] | None = None,
        interpolation: str = "bilinear",
        labels: str | Sequence[str] | None = None,
    ) -> None:
        """Load the network.

        Args:
            name: the file.
            crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in.
            mean: what is taken from the channels, on the scale 0..1; a quantised file needs none.
            std: what the channels are divided by then.
            pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
            interpolation: `bilinear` or `bicubic`.
            labels: `imagenet`, a text file with one class a line, or names; by default what the file's metadata say.
        """
        path = Path(name).expanduser()
        self._model = _interpreter(name, path)
        self._input, self._output = _ends(name, self._model)
        shape = [int(side) for side in self._input["shape"]]
        layout = "nhwc" if shape[3] == _CHANNELS else "nchw"
        whole = mean is None and std is None and pixel_range is None
        if whole and self._input["dtype"] is np.float32:
            message = (
                f"{name!r} takes floats but does not say of which range: give pixel_range, such as [-1, 1], [0, 1] or "
                "[0, 255], or mean and std"
            )
            raise ArgumentError(message)
        self._recipe = _images.recipe(
            name, size=shape[1:3] if layout == "nhwc" else shape[2:4], crop=crop, mean=mean, std=std,
            pixel_range=pixel_range, layout=layout, interpolation=interpolation,
        )  # fmt: skip
        outputs = _scores.classes(name, self._recipe, self.classify)
        named = _names.names(name, outputs, given=labels, own=_own(path, outputs))
        self.labels = named.labels
        self.accepted = named.accepted
        self.fingerprint = fingerprint.of_files([path], path.parent)
        self.resolved = {"device": "cpu", **self._recipe.plain()}
        self.version = f"adapter {ADAPTER_VERSION}; ai-edge-litert {ai_edge_litert.__version__}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives, as real numbers: (n, classes), float32; one image at a time."""
        return np.concatenate([self._one(image) for image in images])

    def _one(self, image: Image) -> NDArray[np.float32]:
        self._model.set_tensor(self._input["index"], _quantised(self._recipe.batch([image]), self._input))
        self._model.invoke()
        answer = _scores.matrix(self._model.get_tensor(self._output["index"]), 1)
        scale, zero = self._output["quantization"]
        return (answer - np.float32(zero)) * np.float32(scale) if scale else answer


def _quantised(batch: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    """Turn whole pixels or real numbers into what the input holds."""
    wanted = details["dtype"]
    if wanted is np.float32:
        return batch.astype(np.float32)
    lowest, highest = np.iinfo(wanted).min, np.iinfo(wanted).max
    if batch.dtype == np.uint8:
        return (batch.astype(np.int16) + lowest).astype(wanted)
    scale, zero = details["quantization"]
    whole: NDArray[Any] = np.clip(np.round(batch / (scale or 1) + zero), lowest, highest).astype(wanted)
    return whole


def _interpreter(name: str, path: Path) -> Any:
    if not path.is_file():
        message = f"{name!r} could not be loaded: there is no such file"
        raise PluginError(message)
    try:
        model = Interpreter(model_path=str(path))
        model.resize_tensor_input(
            model.get_input_details()[0]["index"], [1, *model.get_input_details()[0]["shape"][1:]]
        )
        model.allocate_tensors()
    except Exception as error:
        told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 200)
        message = f"{name!r} could not be loaded as a LiteRT file (is it whole?): {told}"
        raise PluginError(message) from error
    return model


def _ends(name: str, model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, outputs = model.get_input_details(), model.get_output_details()
    shape = tuple(int(side) for side in inputs[0]["shape"]) if inputs else ()
    fits = len(inputs) == 1 and len(shape) == _RANK and _CHANNELS in {shape[1], shape[3]}
    if not fits or inputs[0]["dtype"] not in _TYPES or not outputs:
        told = ", ".join(f"{one['dtype'].__name__} {tuple(map(int, one['shape']))}" for one in inputs)
        message = (
            f"{name!r} is no classifier of images: wanted one input of four sides, three channels among them, in "
            f"floats or numbers of eight bits, but it has {brief(told) or 'none'}"
        )
        raise PluginError(message)
    return inputs[0], outputs[0]


def _own(path: Path, outputs: int) -> list[str] | None:
    """Find the names of the classes in the metadata: a text file that is packed behind the network."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as packed:
        for item in packed.infolist():
            if item.filename.endswith(".txt") and item.file_size <= _LONGEST:
                lines = packed.read(item).decode("utf-8", "replace").rstrip().splitlines()
                if len(lines) == outputs:
                    return [line.split(",")[0] for line in lines]
    return None
