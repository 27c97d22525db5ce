"""Image classification with an ONNX file, run by onnxruntime.

Comes in: images. Goes out: the network's scores. Neighbours: `_images.py` makes the input, `_beside.py` reads what
`transformers` saved with the model, `_outputs.py` finds the scores, `_names.py` names the classes.

Size, layout, type and batch size are the file's own; so are the names of the classes where it holds any.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from foible.adapters.files import beside as _beside
from foible.adapters.files import onnx_graph as _onnx_graph
from foible.adapters.shared import outputs as _outputs
from foible.adapters.shared import recipe as _images
from foible.adapters.shared.batches import InPieces
from foible.errors import ArgumentError, PluginError, brief, near
from foible.parts import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

ADAPTER_VERSION = 2
"""Raised when the adapter changes what it answers."""
_VERSION = f"adapter {ADAPTER_VERSION}; onnxruntime {onnxruntime.__version__}"
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_TYPES = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
}  # fmt: skip
_RANK = 4
_QUIET = 3
_LONGEST = 1_000_000
_ULTRALYTICS = "Ultralytics"
"""What this library, whose classifiers are trained on plain 0..1, writes as the author of its files."""


class OnnxClassifier:
    """A network in an ONNX file.

    Where a `preprocessor_config.json` of `transformers`, or a `config.json` of timm, is beside the file, it is the
    recipe, unless arguments give the whole of another. What nobody told is a guess; `guessed` lists it.

    Args:
        name: the file.
        size: side of the input in pixels, or [height, width]; by default the file's, or 224 where it takes any and
            has the outputs of an ImageNet classifier.
        crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in; by
            default what the file tells, or 0.875.
        mean: what is taken from the channels, on the scale 0..1 and in their order; by default ImageNet's for an
            nchw input of floats in RGB.
        std: what the channels are divided by then.
        pixel_range: in place of mean and std: what black and white become, such as [0, 255] or [-1, 1].
        layout: `nchw` or `nhwc`; by default the file's.
        channels: `rgb`, `bgr` or `grey`; by default grey where there is one channel, else rgb.
        interpolation: `bilinear` or `bicubic`; by default bilinear.
        output: name of the output that has the scores; by default the one that cannot be mistaken.
        single_label: rank the classes of a network with a sigmoid for each, since each image shows one.
        labels: `imagenet`, a text file with one class a line, or names; by default what the file's metadata say.
        device: `cpu` or `cuda`; by default cuda where onnxruntime has it.
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
        layout: str | None = None,
        channels: str | None = None,
        interpolation: str | None = None,
        output: str | None = None,
        single_label: bool = False,
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
    ) -> None:
        """Load the network; the class says what each argument is."""
        path = Path(name).expanduser()
        self._device = _device(name, device)
        self._session = _session(name, path, self._device)
        graph = _onnx_graph.read(name, path)
        self._input = _only_input(name, self._session)
        metadata = self._session.get_modelmeta().custom_metadata_map
        given = _images.Given(size, crop, mean, std, pixel_range, interpolation, channels)
        self._recipe, assumed, guessed = _recipe(name, path, self._input, metadata, layout, given)
        self._rows = first if isinstance(first := self._input.shape[0], int) and first > 0 else None
        own = None if labels is not None else _own(metadata) or _beside.names(path)
        ends = [(one.name, _outputs.trail(graph.made_by, one.name)) for one in self._session.get_outputs()]
        found = _outputs.settle(
            name, self._recipe, self._run, ends, wanted=output, labels=labels, own=own, alone=graph.leans,
            multi=_beside.is_multi_label(path), single_label=single_label,
        )  # fmt: skip
        _images.must_know_size(name, found.classes, assumed=assumed)
        self._place = found.place
        self._ask = InPieces(self._scores, most=1 if graph.leans else self._rows)
        self.labels, self.accepted, self.alike = found.named.labels, found.named.accepted, found.named.alike
        self.fingerprint = _fingerprint(path)
        guessed = [*guessed, *found.named.guesses]
        self.recipe = {**self._recipe.shown(), "guessed": guessed}
        self.resolved = {
            "device": self._device, "output": found.output, **self._recipe.plain(), "guessed": guessed,
        }  # fmt: skip
        self.version = "; ".join(part for part in (_VERSION, self._recipe.version) if part)

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give what the network gives: (n, classes), float32; for one probability p of a yes, 1 - p and p."""
        return np.stack(self._ask(images))

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return _outputs.scores(self._run(images)[self._place], len(images))

    def _run(self, images: Sequence[Image]) -> list[Any]:
        """Give each output; a file that takes so many rows and no fewer gets the last image several times."""
        most = self._rows or len(images)
        answers = [self._piece(images[at : at + most]) for at in range(0, len(images), most)]
        return answers[0] if len(answers) == 1 else [np.concatenate(some) for some in zip(*answers, strict=True)]

    def _piece(self, images: Sequence[Image]) -> list[Any]:
        filled = [*images, *[images[-1]] * ((self._rows or len(images)) - len(images))]
        batch = self._recipe.batch(filled).astype(_TYPES[self._input.type], copy=False)
        answers = self._session.run(None, {self._input.name: batch})
        if len(filled) == 1:
            answers = [_outputs.by_row(one) for one in answers]
        return [one[: len(images)] if getattr(one, "ndim", 0) and len(one) == len(filled) else one for one in answers]


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


def _recipe(  # noqa: PLR0913, PLR0917 - what it is made of
    name: str, path: Path, entry: Any, metadata: Mapping[str, str], layout: str | None, given: _images.Given
) -> tuple[_images.Recipe | _beside.Processor, bool, list[str]]:
    """Make the recipe, by the arguments, what is beside the file, or the file.

    Returns:
        It, whether its size is assumed, and which parts of it are guesses.
    """
    whole_pixels = entry.type == "tensor(uint8)"
    beside = None if whole_pixels else _beside.recipe_file(path)
    layout = layout or _layout(name, entry, is_torch=beside is not None)
    sides = entry.shape[2:4] if layout == "nchw" else entry.shape[1:3]
    known = [side if isinstance(side, int) and side > 0 else None for side in sides]
    if beside is not None and not given.is_whole(name, beside.name):
        processor = _beside.processor(name, beside, layout)
        if any(side not in (None, own) for side, own in zip(known, processor.size, strict=True)):
            message = f"{name!r} takes images of {known}, but its {beside.name} makes {list(processor.size)}: "
            raise ArgumentError(message + "mend it, or move it away and give the recipe as arguments")
        return processor, False, []
    places = entry.shape[1] if layout == "nchw" else entry.shape[3]
    channels = _images.channels(name, places if isinstance(places, int) and places > 0 else None, given.channels)
    crop, size = given.crop, given.size
    of_timm = {} if whole_pixels or beside is not None else _beside.timms(path)
    if of_timm and not given.is_whole(name, "config.json"):
        return _of_timm(name, of_timm, known, layout), False, []
    if metadata.get("author") == _ULTRALYTICS:
        size, crop = _ultralytics(name, metadata, size, crop, known)
    size, assumed = _images.sides(name, known, size)
    if whole_pixels:
        mean, std, pixel_range = _whole_pixels(name, (given.mean, given.std, given.pixel_range))
    else:
        mean, std, pixel_range = _scaled(name, f"{layout} {channels}", metadata, given)
    made = _images.recipe(
        name, size=size, crop=crop, mean=mean, std=std,
        pixel_range=pixel_range, layout=layout, interpolation=given.interpolation or "bilinear", channels=channels,
    )  # fmt: skip
    known_library = metadata.get("author") == _ULTRALYTICS
    return made, assumed, [] if known_library else given.guessed(whole_pixels=whole_pixels, channels=channels)


def _of_timm(name: str, said: Mapping[str, Any], known: Sequence[int | None], layout: str) -> _images.Recipe:
    """Make the recipe that timm saved; the sides are the file's where it fixes them.

    Raises:
        ArgumentError: it says what no recipe of foible's does.
    """
    own = list(said["input_size"])[1:]
    mode, crop = said.get("crop_mode") or "center", said.get("crop_pct") or _images.CROP
    if len(own) != len(known) or mode not in ("center", "squash") or (mode == "squash" and crop != 1):
        message = f"{name!r} has a recipe of timm's beside it that is not known here (crop_mode {brief(mode, 40)!r}): "
        raise ArgumentError(message + "give another recipe with crop, size, and mean and std, or move config.json away")
    size = [fixed or side for fixed, side in zip(known, own, strict=True)]
    return _images.recipe(
        name, size=size, crop=None if mode == "squash" else crop, mean=said["mean"], std=said["std"], layout=layout,
        interpolation=said.get("interpolation") or "bilinear",
    )  # fmt: skip


def _layout(name: str, entry: Any, *, is_torch: bool) -> str:
    """Find where the channels are; transformers' own models have them first."""
    shape = entry.shape
    for count in (3, 1):
        if shape[1] == count or shape[3] == count:
            return "nchw" if shape[1] == count else "nhwc"
    if is_torch or entry.name == "pixel_values":
        return "nchw"
    message = f"{name!r} does not say where its channels are (its input is {brief(shape)}): give layout: nchw or nhwc"
    raise ArgumentError(message)


def _ultralytics(
    name: str, metadata: Mapping[str, str], size: Any, crop: Any, known: Sequence[int | None]
) -> tuple[Any, Any]:
    """Give size and crop: its classifiers see all of the shorter side, or squeezed images where they are no square."""
    task = metadata.get("task", "classify")
    if task != "classify":
        message = f"{name!r} is no classifier: its metadata say that its task is {brief(task, 40)!r}"
        raise PluginError(message)
    if size is None and None in known:
        try:
            trained = ast.literal_eval(metadata.get("imgsz", ""))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            trained = None
        sides = [trained, trained] if isinstance(trained, int) else trained
        size = list(sides) if isinstance(sides, list | tuple) else None
    square = size if size is not None else known
    is_square = isinstance(square, int) or len(set(square)) == 1
    return size, (1.0 if is_square else None) if crop == _images.BY_FILE else crop


def _whole_pixels(name: str, given: tuple[Any, Any, Any]) -> tuple[None, None, None]:
    if any(one is not None for one in given):
        message = f"{name!r} takes whole pixels (uint8), so mean, std and pixel_range say nothing; leave them out"
        raise ArgumentError(message)
    return None, None, None


def _scaled(name: str, form: str, metadata: Mapping[str, str], given: _images.Given) -> tuple[Any, Any, Any]:
    """Say how pixels become floats: as asked, or by what is known of where the file comes from."""
    if given.says_range:
        return given.mean, given.std, given.pixel_range
    if metadata.get("author") == _ULTRALYTICS:
        return None, None, (0, 1)
    if form == "nchw rgb":  # exported from torch, whose classifiers share one recipe
        return _images.MEAN, _images.STD, None
    raise ArgumentError(_images.of_which_range(name))


def _own(metadata: Mapping[str, str]) -> str | None:
    """Find the names of the classes in the metadata; a number there says how many there are."""
    for key in ("names", "labels", "classes", "class_names", "id2label", "label2id", "class_to_idx"):
        text = metadata.get(key, "").strip()
        if text and len(text) <= _LONGEST and not text.isdecimal():
            return text
    return None


def _fingerprint(path: Path) -> str:
    """Hash the file, those beside it that hold weights of it by the names that exporters use, and its recipe."""
    beside = {*path.parent.glob("*.data"), *path.parent.glob("*_data")}
    weights = sorted(one for one in beside if one.name.startswith(path.stem) and one.is_file())
    recipe = _beside.recipe_file(path)
    files = [path, *weights, *([recipe] if recipe else [])]
    return fingerprint.of_files(files, path.parent if recipe is None else recipe.parent)
