"""Image classification with any `timm` model.

Comes in: images. Goes out: a probability for each class. Neighbours: `_timm.py` loads the model and its transform;
`_names.py` names the classes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foible.adapters.shared import classes as _classes
from foible.adapters.shared import devices as _torch
from foible.adapters.shared import names as _names
from foible.adapters.shared import training as _training
from foible.adapters.shared.batches import InPieces
from foible.adapters.timm import models as _timm
from foible.errors import ArgumentError, PluginError, brief
from foible.records import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_SYNSET = re.compile(r"n\d{8}")
_IMAGENET = 1000


class TimmClassifier:
    """A model of timm's with its published weights, one from a folder, or one with weights of one's own.

    Args:
        name: as in `resnet50.a1_in1k`; a folder with `config.json` and weights; or `hf-hub:owner/name`.
        checkpoint: a safetensors file or state dict to take instead of the published weights.
        weights: for a checkpoint with both: `plain`, as they were trained, or `ema`, their average.
        num_classes: outputs of the model in the checkpoint, where they are not those of the published weights.
        size: side of the input in pixels, or [height, width]; by default what the model's own files say, as for
            the rest of the recipe; `guessed` in the identity lists what may be otherwise for one's own checkpoint.
        crop: share of the shorter side that the input shows, from the centre; null squeezes the whole image in.
        mean: what is taken from the channels, on the scale 0..1.
        std: what the channels are divided by then.
        interpolation: `bilinear` or `bicubic`.
        channels: `rgb`, or `bgr`, to which mean and std then belong.
        threshold: for a model with one output: from which logit on the answer is yes.
        labels: `imagenet`, a text file with one class a line, or names; by default what the model's own files say.
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.
    """

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        checkpoint: str | None = None,
        weights: str | None = None,
        num_classes: int | None = None,
        size: int | Sequence[int] | None = None,
        crop: float | str | None = _timm.GUESS,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        interpolation: str | None = None,
        channels: str | None = None,
        threshold: float | None = None,
        labels: str | Sequence[str] | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        """Load the model; the class says what each argument is."""
        if num_classes == 0:
            raise PluginError(_headless(name))
        recipe = {"size": size, "mean": mean, "std": std, "interpolation": interpolation, "channels": channels}
        said: dict[str, Any] = {part: value for part, value in recipe.items() if value is not None}
        said |= {} if crop == _timm.GUESS else {"crop": crop}
        found = _timm.load(
            name,
            checkpoint=checkpoint,
            weights=weights,
            num_classes=num_classes,
            recipe=said,
            device=device,
            dtype=dtype,
        )
        outputs = found.model.num_classes
        if not outputs:
            raise PluginError(_headless(name))
        count = _classes.classes(name, outputs, threshold)
        named = _named(name, found, outputs, count, labels)
        self._found = found
        self._name = name
        self._checkpoint = checkpoint
        self._threshold = threshold
        self._ask = InPieces(self._scores)
        if size is not None:
            _must_take(name, size, self._scores)
        # What timm publishes with 1,000 classes was trained on ImageNet; other files may not have been.
        published = checkpoint is None and ":" not in name and not Path(name).expanduser().is_dir()
        guesses = {"guessed": [*found.resolved["guessed"], *(() if published else named.guesses)]}
        self.recipe = {part: value for part, value in {**found.resolved, **guesses}.items() if part in _timm.RECIPE}
        self.labels = named.labels
        self.accepted = named.accepted
        self.alike = named.alike
        self.fingerprint = found.fingerprint
        self.resolved = {**_torch.resolved(found.device, found.dtype), **found.resolved, **guesses}
        self.version = _timm.VERSION

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give probabilities: (n, classes), float32, each row summing to 1; of one output, how far it is from yes."""
        return np.stack(self._ask(images))

    @property
    def untrainable(self) -> str:
        """Why its weights cannot be trained; empty where they can."""
        return _training.too_coarse(self._found.dtype)

    @property
    def network(self) -> torch.nn.Module:
        """The model of the library."""
        return self._found.model  # type: ignore[no-any-return]

    def last_layer(self) -> Sequence[str]:
        """Name the parameters of the last layer."""
        return _training.last_layer(self._found.model, lambda: self._scores([np.full((32, 32, 3), 128, np.uint8)]))

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of n images by the transform that belongs to the model: (n, 3, height, width)."""
        return self._found.pixels(images)

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score an input: (n, classes)."""
        return _training.logits_of_two(self._found.model(batch).float(), self._threshold)

    def save(self, folder: Path) -> Spec:
        """Write the weights: into a folder of timm's where they came from one, else as a checkpoint of the model."""
        weights = self._found.model.state_dict()
        own = Path(self._name).expanduser()
        if self._checkpoint is None and own.is_dir():
            shutil.copyfile(own / "config.json", folder / "config.json")
            _training.write_weights(folder / "model.safetensors", weights)
            return Spec(f"timm:{folder}")
        file = folder / f"weights{Path(self._checkpoint or '.safetensors').suffix or '.safetensors'}"
        _training.write_weights(file, weights)
        return Spec(f"timm:{self._name}", {"checkpoint": str(file), "weights": None})

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._found.model(self._found.pixels(images)).float()
            scores = logits if self._threshold is not None else logits.softmax(dim=-1)
            return _classes.yes_or_no(scores.cpu().numpy(), self._threshold)


def _headless(name: str) -> str:
    return f"{name!r} has no classes: its weights make vectors, so it is an embedder"


def _must_take(name: str, size: object, ask: Callable[[Sequence[Image]], object]) -> None:
    """Try a size that was said: some architectures are made for one alone."""
    try:
        ask([np.full((32, 32, 3), 128, np.uint8)])
    except Exception as error:
        told = brief(" ".join(str(error).split()), 120)
        message = f"{name!r} does not take images of the size {brief(size, 40)}: {told}"
        raise ArgumentError(message) from error


def _named(name: str, found: _timm.Loaded, outputs: int, count: int, given: str | Sequence[str] | None) -> _names.Names:
    """Name the classes: as given, by the model's own files, or by the ImageNet of that many classes."""
    listed = found.config.get("label_names")
    if given is not None or not listed or not isinstance(listed, list | tuple):
        return _names.names(name, count, given=given, own=_by_count(found, outputs))
    if len(listed) != outputs:
        message = f"{name!r} has {outputs} outputs, but its own files name {len(listed)} classes: give labels"
        raise ArgumentError(message)
    described = found.config.get("label_descriptions")
    told = described if isinstance(described, Mapping) else {}
    texts = [str(text) for text in listed]
    if all(map(_SYNSET.fullmatch, texts)):
        return _by_synsets(name, texts, told)
    own = _classes.named([str(told.get(text, text)).split(",")[0] if text in told else text for text in texts])
    if own is None:
        return _names.Names(None)
    return _names.names(name, count, given=None, own=_classes.two(own, outputs))


def _by_synsets(name: str, synsets: Sequence[str], told: Mapping[str, object]) -> _names.Names:
    """Name classes that are numbers of WordNet, in whatever order the file has them."""
    from timm.data import ImageNetInfo  # here, after `_timm` has seen to it that it imports

    places = {synset: place for place, synset in enumerate(ImageNetInfo("imagenet-1k").label_names())}
    if all(synset in places for synset in synsets):
        known = _names.imagenet(_IMAGENET)
        back = {places[synset]: index for index, synset in enumerate(synsets)}
        accepted = {
            back[place]: frozenset(back[other] for other in others if other in back)
            for place, others in known.accepted.items()
            if place in back and any(other in back for other in others)
        }
        alike = {
            back[place]: {back[other]: share for other, share in seen.items() if other in back}
            for place, seen in known.alike.items()
            if place in back and any(other in back for other in seen)
        }
        return _names.Names(tuple((known.labels or ())[places[synset]] for synset in synsets), accepted, alike)
    words = {**ImageNetInfo("imagenet-22k").label_descriptions(as_dict=True), **told}
    if not all(synset in words for synset in synsets):
        return _names.Names(None)
    return _names.names(name, len(synsets), given=None, own=[str(words[synset]).split(",")[0] for synset in synsets])


def _by_count(found: _timm.Loaded, outputs: int) -> list[str] | None:
    """Give the names of a larger ImageNet that has as many classes; None where there is none, or foible has its own."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = None if outputs == _IMAGENET else infer_imagenet_subset(found.model)
    if subset is None:
        return None
    info = ImageNetInfo(subset)
    return [info.index_to_description(index).split(",")[0] for index in range(outputs)]
