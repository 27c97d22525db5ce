"""Image classification with any `transformers` image-classification model, or with CLIP and its kin over named classes.

Comes in: images. Goes out: a probability for each class. Neighbours: `_transformers.py` loads the files;
`classify_zero_shot.py` compares images with the names of classes; `judge_clip.py` says whether an image shows its
label, which is never this model's job.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoModelForImageClassification

from foible.adapters.shared import channels as _channels
from foible.adapters.shared import classes as _classes
from foible.adapters.shared import names as _names
from foible.adapters.shared import recipe as _images
from foible.adapters.shared import training as _training
from foible.adapters.shared.batches import InPieces
from foible.adapters.transformers import models as shared
from foible.adapters.transformers.embedder import TransformersEmbedder
from foible.adapters.transformers.zero_shot import TEMPLATE, ZeroShotClassifier
from foible.errors import ArgumentError
from foible.records import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_MULTI = "multi_label_classification"


def classifier(  # noqa: PLR0913 - each is an argument that the user may name
    name: str,
    *,
    classes: str | Sequence[str] | None = None,
    template: str | Sequence[str] = TEMPLATE,
    labels: str | Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    channels: str | None = None,
    single_label: bool = False,
    threshold: float | None = None,
    device: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> TransformersClassifier | ZeroShotClassifier:
    """Load a classifier.

    Args:
        name: a folder, or a name on the hub.
        classes: for CLIP, SigLIP and the like, which have none of their own: `imagenet`, a text file with one class a
            line, or names.
        template: for those too: a sentence about a class, or several, with {name} for it.
        labels: for a model with classes of its own: names other than those in its files, as `classes`.
        mean: for those too: what is taken from the channels, on the scale 0..1, in place of what its files say.
        std: what the channels are divided by then.
        channels: `rgb`, or `bgr`, to which mean and std then belong.
        single_label: rank the classes of a multi-label model against one another, since each image shows one.
        threshold: for a model with one output: from which logit on the answer is yes.
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.
        revision: which version on the hub.
        trust_remote_code: run code that comes with the model.

    Raises:
        ArgumentError: an argument that does not belong to this kind of model, or one that is needed and was not given.
        PluginError: the files do not load.
    """
    found = shared.source(name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code)
    if classes is None and not _zero_shot(found):
        return TransformersClassifier(
            found, labels, mean=mean, std=std, channels=channels, single_label=single_label, threshold=threshold
        )
    own = {"mean": mean, "std": std, "channels": channels, "threshold": threshold, "single_label": single_label or None}
    classes = _must_be_zero_shot(name, classes, labels, own)
    precise = found.resolved["dtype"]
    embedder = TransformersEmbedder(
        name, device=device, dtype=precise, revision=revision, trust_remote_code=trust_remote_code
    )
    return ZeroShotClassifier(name, embedder, classes, template)


def _must_be_zero_shot(
    name: str, classes: str | Sequence[str] | None, labels: str | Sequence[str] | None, own: Mapping[str, object]
) -> str | Sequence[str]:
    """Give the classes of a model which compares images with texts; refuse arguments that do not belong to one."""
    if classes is None:
        message = (
            f"{name!r} has no classes of its own: it compares images with texts, so give the argument classes: "
            "'imagenet', a text file with one class a line, or a list of names"
        )
        raise ArgumentError(message)
    which = next((argument for argument, value in own.items() if value is not None), None)
    if which is not None:
        message = f"{name!r} compares images with the names of classes, and takes no {which}: leave it out"
        raise ArgumentError(message)
    if labels is not None:
        message = f"{name!r} takes either classes, which are told to the model, or labels, which rename its own"
        raise ArgumentError(message)
    return classes


class TransformersClassifier:
    """Any model that `AutoModelForImageClassification` can load: ResNet, ViT, ConvNeXt, MobileNet and so on."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        found: shared.Source,
        labels: str | Sequence[str] | None = None,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        channels: str | None = None,
        single_label: bool = False,
        threshold: float | None = None,
    ) -> None:
        """Load the model.

        Args:
            found: its files.
            labels: names other than those in its files: `imagenet`, a text file with one class a line, or names.
            mean: as `classifier`, and so on.
            std: with mean.
            channels: `rgb` or `bgr`.
            single_label: rank the classes of a multi-label model.
            threshold: of a model with one output.

        Raises:
            ArgumentError: as `classifier`.
            PluginError: the files do not load.
        """
        self._found = found
        self._channels = _channels.checked(found.name, channels or "rgb")
        scaling = _scaling(found.name, mean, std)
        self._model, _ = shared.model(found, AutoModelForImageClassification)
        self._processor = shared.image_processor(found, scaling)
        self._ask = InPieces(self._scores)
        config = self._model.config
        outputs = len(config.id2label)
        count = _classes.classes(found.name, outputs, threshold)
        self._threshold = threshold
        own = _classes.numbered(config.id2label, config.label2id)
        muddled = own is None and _classes.named(list(config.id2label.values())) is not None
        multi = config.problem_type == _MULTI and outputs > 1
        _classes.must_rank(found.name, f"problem_type {_MULTI}", own, multi=multi, single_label=single_label)
        if muddled and labels is None:  # names in no certain order are none, nor are ImageNet's in their place
            named = _names.Names(None)
        else:
            named = _names.names(found.name, count, given=labels, own=_classes.two(own, outputs))
        self.labels = named.labels
        self.accepted = named.accepted
        self.alike = named.alike
        self.recipe = {**shared.recipe(self._processor), "channels": self._channels, "guessed": [*named.guesses]}
        self.fingerprint = found.fingerprint
        self.resolved = found.resolved
        self.version = shared.VERSION

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
        return self._model  # type: ignore[no-any-return]

    def last_layer(self) -> Sequence[str]:
        """Name the parameters of the last layer."""
        return _training.last_layer(self._model, lambda: self._scores([np.full((32, 32, 3), 128, np.uint8)]))

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of n images, by the processor in the model's files: (n, channels, height, width)."""
        return shared.pixels(self._processor, _channels.ordered(images, self._channels), self._found)

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score an input: (n, classes)."""
        return _training.logits_of_two(self._model(pixel_values=batch).logits.float(), self._threshold)

    def save(self, folder: Path) -> Spec:
        """Write a folder of the library: weights as safetensors, and the other files as they were."""
        for file in self._found.texts:
            shutil.copyfile(file, folder / file.name)
        with shared.quiet():
            self._model.save_pretrained(folder)
        return Spec(f"transformers:{folder}", {"revision": None})

    def _scores(self, images: Sequence[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = self._model(pixel_values=self.prepare(images)).logits.float()
            scores = logits if self._threshold is not None else logits.softmax(dim=-1)
            return _classes.yes_or_no(scores.cpu().numpy(), self._threshold)


def _scaling(name: str, mean: Sequence[float] | None, std: Sequence[float] | None) -> dict[str, Any]:
    """Give the settings of a processor that mean and std stand for."""
    if mean is None and std is None:
        return {}
    checked = _images.recipe(name, size=1, mean=mean, std=std)
    return {"do_normalize": True, "image_mean": list(checked.mean or ()), "image_std": list(checked.std or ())}


def _zero_shot(found: shared.Source) -> bool:
    """Say whether the files are those of a model that joins images and texts, with no classes of its own."""
    try:
        config = json.loads((found.folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return False  # the library says what is wrong with it
    joined = isinstance(config, dict) and "text_config" in config and "vision_config" in config
    return joined and not any("ForImageClassification" in str(one) for one in config.get("architectures") or ())
