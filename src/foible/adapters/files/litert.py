"""Image classification with a LiteRT (TensorFlow Lite) file.

Comes in: images. Goes out: the network's scores. Neighbours: `_images.py` makes the input, `_names.py` names the
classes, `_scores.py` says whether the output fits.

Numbers of eight bits mean real ones by the scale and zero point in the file. Where nothing else is said, the pixels
0..255 fill the whole range of a quantised input, which is how such files are made.
"""

from __future__ import annotations

import zipfile
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from foible.adapters.shared import name_files as _name_files
from foible.adapters.shared import outputs as _outputs
from foible.adapters.shared import recipe as _images
from foible.errors import ArgumentError, PluginError, brief
from foible.parts import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

ADAPTER_VERSION = 2
"""Raised when the adapter changes what it answers."""
_TYPES = (np.float32, np.uint8, np.int8)
_EIGHT_BITS = (np.uint8, np.int8)
_RANK = 4
_LONGEST = 1_000_000


class LiteRTClassifier:
    """A network in a `.tflite` file, floating or quantised.

    What neither the file nor the user tells is a guess; `guessed` lists it.

    Args:
        name: the file.
        size: side of the input in pixels, or [height, width]; by default the file's, or 224 where it takes any and
            has the outputs of an ImageNet classifier.
        crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in; by
            default 0.875.
        mean: what is taken from the channels, on the scale 0..1 and in their order; a quantised file needs none.
        std: what the channels are divided by then.
        pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
        channels: `rgb`, `bgr` or `grey`; by default grey where there is one channel, else rgb.
        interpolation: `bilinear` or `bicubic`; by default bilinear.
        output: name of the output that has the scores; by default the one that cannot be mistaken.
        single_label: rank the classes of a network with a sigmoid for each, since each image shows one.
        labels: `imagenet`, a text file with one class a line, or names; by default what the file's metadata say.
    """

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        size: int | Sequence[int] | None = None,
        crop: float | str | None = _images.BY_FILE,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        pixel_range: Sequence[float] | None = None,
        channels: str | None = None,
        interpolation: str | None = None,
        output: str | None = None,
        single_label: bool = False,
        labels: str | Sequence[str] | None = None,
    ) -> None:
        """Load the network; the class says what each argument is."""
        path = Path(name).expanduser()
        self._model = _opened(name, path)
        made_by = _made_by(self._model)
        entry = _only_input(name, self._model)
        layout, known, count = _form(entry)
        given = _images.Given(size, crop, mean, std, pixel_range, interpolation, channels)
        channels = _images.channels(name, count, channels)
        whole = mean is None and std is None and pixel_range is None
        if whole and entry["dtype"] is np.float32:
            raise ArgumentError(_images.of_which_range(name))
        height_and_width, assumed = _images.sides(name, known, size)
        self._recipe = _images.recipe(
            name, size=height_and_width, crop=crop, mean=mean, std=std, pixel_range=pixel_range, layout=layout,
            interpolation=interpolation or "bilinear", channels=channels,
        )  # fmt: skip
        _give_shape(name, self._model, self._recipe)
        self._input = self._model.get_input_details()[0]
        self._ends = self._model.get_output_details()
        ends = [(_called(self._model, one), _outputs.trail(made_by, one["index"])) for one in self._ends]
        own = None if labels is not None else _own(path, self._ends)
        found = _outputs.settle(
            name,
            self._recipe,
            self._run,
            ends,
            wanted=output,
            labels=labels,
            own=own,
            alone=True,
            single_label=single_label,
        )
        _images.must_know_size(name, found.classes, assumed=assumed)
        self._place = found.place
        self.labels = found.named.labels
        self.accepted = found.named.accepted
        self.alike = found.named.alike
        self.fingerprint = fingerprint.of_files([path], path.parent)
        # Of an input in eight bits, 0..255 over its whole range is the format's own custom.
        guessed = given.guessed(whole_pixels=entry["dtype"] in _EIGHT_BITS, channels=channels)
        self.recipe = {**self._recipe.plain(), "guessed": [*guessed, *found.named.guesses]}
        self.resolved = {"device": "cpu", "output": found.output, **self.recipe}
        self.version = f"adapter {ADAPTER_VERSION}; ai-edge-litert {ai_edge_litert.__version__}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives, as real numbers: (n, classes), float32; for one probability p, 1 - p and p."""
        return _outputs.scores(self._run(images)[self._place], len(images))

    def _run(self, images: Sequence[Image]) -> list[Any]:
        """Give each output, one image at a time."""
        answers = [self._one(image) for image in images]
        return answers[0] if len(answers) == 1 else [np.concatenate(some) for some in zip(*answers, strict=True)]

    def _one(self, image: Image) -> list[Any]:
        self._model.set_tensor(self._input["index"], _quantised(self._recipe.batch([image]), self._input))
        self._model.invoke()
        return [_outputs.by_row(_real(self._model.get_tensor(one["index"]), one)) for one in self._ends]


def _real(answer: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    """Say numbers of eight bits as the real ones that they mean."""
    scale, zero = details["quantization"]
    if details["dtype"] not in _EIGHT_BITS:
        return answer
    return (answer.astype(np.float32) - np.float32(zero)) * np.float32(scale or 1)


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


def _opened(name: str, path: Path) -> Any:
    if not path.is_file():
        message = f"{name!r} could not be loaded: there is no such file"
        raise PluginError(message)
    try:
        return Interpreter(model_path=str(path))
    except Exception as error:
        raise PluginError(_broken(name, error)) from error


def _give_shape(name: str, model: Any, recipe: _images.Recipe) -> None:
    """Make room for one image of the recipe's size."""
    sides = (*recipe.size, _images.CHANNELS[recipe.channels])
    try:
        model.resize_tensor_input(
            model.get_input_details()[0]["index"], [1, *(sides if recipe.layout == "nhwc" else (sides[2], *sides[:2]))]
        )
        model.allocate_tensors()
    except Exception as error:
        raise PluginError(_broken(name, error)) from error


def _broken(name: str, error: Exception) -> str:
    told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 200)
    return f"{name!r} could not be loaded as a LiteRT file (is it whole?): {told}"


def _only_input(name: str, model: Any) -> dict[str, Any]:
    inputs = model.get_input_details()
    shape = tuple(int(side) for side in inputs[0]["shape"]) if inputs else ()
    fits = len(inputs) == 1 and len(shape) == _RANK and {shape[1], shape[3]} & set(_images.CHANNELS.values())
    if not fits or inputs[0]["dtype"] not in _TYPES or not model.get_output_details():
        told = ", ".join(f"{one['dtype'].__name__} {tuple(map(int, one['shape']))}" for one in inputs)
        message = (
            f"{name!r} is no classifier of images: wanted one input of four sides, one or three channels among them, "
            f"in floats or numbers of eight bits, but it has {brief(told) or 'none'}"
        )
        raise PluginError(message)
    found: dict[str, Any] = inputs[0]
    return found


def _form(entry: dict[str, Any]) -> tuple[str, list[int | None], int | None]:
    """Give layout, height and width, and the number of channels; None for what the file leaves open.

    An open side has the length 1 in `shape`, and -1 in `shape_signature` alone, which old files lack.
    """
    signed = [int(side) for side in entry.get("shape_signature", ())]
    shape = signed if len(signed) == _RANK else [int(side) for side in entry["shape"]]
    places = [(at, count) for count in (3, 1) for at in (3, 1) if shape[at] == count]
    at, count = places[0] if places else (3, None)
    layout, sides = ("nhwc", shape[1:3]) if at == 3 else ("nchw", shape[2:4])  # noqa: PLR2004 - the last side
    return layout, [side if side > 1 else None for side in sides], count


def _made_by(model: Any) -> dict[Hashable, tuple[str, Hashable]]:
    """Say which operation makes each tensor, and from which; nothing, where the library does not tell."""
    tell = getattr(model, "_get_ops_details", None)
    return {
        int(output): (str(one["op_name"]), next(iter(map(int, one["inputs"])), None))
        for one in (tell() if tell else ())
        for output in one["outputs"]
    }


def _called(model: Any, details: dict[str, Any]) -> str:
    """Give the name that the signature has for an output, or that of its tensor."""
    for signature in model.get_signature_list():
        for name, one in model.get_signature_runner(signature).get_output_details().items():
            if one["index"] == details["index"]:
                return str(name)
    return str(details["name"])


def _own(path: Path, ends: Sequence[dict[str, Any]]) -> str | None:
    """Find the names of the classes in the metadata: a text file that is packed behind the network."""
    if not zipfile.is_zipfile(path):
        return None
    widths = {max(2, int(one["shape"][-1])) for one in ends if len(one["shape"])}
    with zipfile.ZipFile(path) as packed:
        for item in packed.infolist():
            if item.filename.endswith(".txt") and item.file_size <= _LONGEST:
                try:
                    text = _name_files.decoded(packed.read(item))
                    count = len(_name_files.parsed(text))
                except Exception:  # noqa: BLE001, S112 - whatever is wrong with it, it holds no names
                    continue
                if count in widths:
                    return text
    return None
