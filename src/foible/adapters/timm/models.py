"""What the `timm` adapters share: a model by name or from a folder, and the transform that belongs to it.

Comes in: a name of timm's (`resnet50.a1_in1k`), a folder with `config.json` and weights, or `hf-hub:owner/name`;
perhaps a checkpoint of one's own. Goes out: the model in evaluation mode on its device, and what its images go through.
Neighbour: `_torchvision.py`, which makes timm importable where its torchvision does not match.

Weights are untrusted: timm reads safetensors where there are any, and otherwise with `weights_only`; a checkpoint of
one's own is read here, the same way.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image as Picture

from foible.adapters.files import weights as _weights
from foible.adapters.shared import channels as _channels
from foible.adapters.shared import devices as _torch
from foible.adapters.shared import recipe as _images
from foible.errors import ArgumentError, FoibleError, PluginError, brief, near
from foible.parts import fingerprint

try:
    import timm
    import torchvision
    from timm.data import create_transform, resolve_model_data_config
except ModuleNotFoundError:
    raise
except Exception as error:
    told = brief(" ".join(str(error).split()), 120)
    message = (
        "timm needs a torchvision that was built for the torch beside it, and this pair does not match: install both "
        f"together, as in pip install --upgrade torch torchvision timm ({told})"
    )
    raise PluginError(message) from error

if TYPE_CHECKING:
    from foible.parts.protocols import Image

ADAPTER_VERSION = 2
"""Raised when an adapter changes what it answers."""

VERSION = (
    f"adapter {ADAPTER_VERSION}; timm {timm.__version__}; torchvision {torchvision.__version__}; "
    f"torch {torch.__version__}"
)
GUESS = "guess"
"""Of a part of the recipe that the user did not say; None is a value of its own there."""
_CHANNELS = 3
_SQUASH = "squash"
"""What timm calls it when the whole image is squeezed into the input."""


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to be asked."""

    model: Any
    transform: Callable[[Any], torch.Tensor]
    """From a PIL image to (3, height, width)."""
    config: dict[str, Any]
    """The model's own `pretrained_cfg`."""
    fingerprint: str
    """Of structure, weights and transform."""
    device: torch.device
    dtype: torch.dtype
    channels: str
    """`rgb` or `bgr`."""
    resolved: dict[str, Any]
    """The recipe in use, which parts of it are guesses, and what was chosen among the weights."""

    def pixels(self, images: Sequence[Image]) -> torch.Tensor:
        """Turn images into what the model takes: (n, 3, height, width)."""
        ordered = _channels.ordered(images, self.channels)
        batch = torch.stack([self.transform(Picture.fromarray(image)) for image in ordered])
        return batch.to(self.device, self.dtype)


def load(  # noqa: PLR0913 - each is an argument that the user may name
    name: str,
    *,
    checkpoint: str | None = None,
    weights: str | None = None,
    num_classes: int | None = None,
    head: bool = True,
    recipe: Mapping[str, Any] | None = None,
    device: str | None = None,
    dtype: str | None = None,
) -> Loaded:
    """Load a model, with every weight from a file: timm would make up a head that the file does not have.

    Args:
        name: a name of timm's, a folder, or `hf-hub:owner/name`.
        checkpoint: a file with weights to take instead of the published ones.
        weights: which of a checkpoint with both: `plain` or `ema`.
        num_classes: outputs of the model in the checkpoint, where the published weights have others.
        head: False for an embedder, which leaves the model's head out.
        recipe: what the user said of `size`, `crop`, `mean`, `std`, `interpolation` and `channels`, without `GUESS`.
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.

    Raises:
        PluginError: there is no such model, or its weights are broken or not at hand.
        ArgumentError: an unknown device or dtype, a recipe that cannot be, or outputs that no file has weights for.
    """
    where = _torch.device(name, device)
    numbers = _torch.dtype(name, dtype, where)
    source = _source(name)
    said = recipe or {}
    model, told = _filled(name, source, checkpoint, weights, num_classes, head=head)
    if getattr(model, "in_chans", _CHANNELS) != _CHANNELS:
        message = f"{name!r} takes images of {model.in_chans} channels, but images have three"
        raise PluginError(message)
    model = model.eval().requires_grad_(requires_grad=False)
    settings = _settings(name, model, said)
    channels = _channels.checked(name, said.get("channels", "rgb"))
    known = fingerprint.of_object([model, {key: str(value) for key, value in settings.items()}, channels])
    own = checkpoint is not None and not source.startswith("local-dir:")
    told |= {**_plain_recipe(settings), "channels": channels, "guessed": [p for p in _PARTS if own and p not in said]}
    transform = create_transform(**settings, is_training=False)
    config = dict(model.pretrained_cfg)
    return Loaded(model.to(where, numbers), transform, config, known, where, numbers, channels, told)


def _filled(  # noqa: PLR0913 - as `load`
    name: str, source: str, checkpoint: str | None, weights: str | None, num_classes: int | None, *, head: bool
) -> tuple[Any, dict[str, Any]]:
    """Make the model with every weight from a file; and what was chosen on the way."""
    if checkpoint is not None:
        model = _create(name, source, pretrained=False, num_classes=num_classes if head else 0)
        return model, dict(
            _weights.put(name, model, checkpoint, which=weights, hint="; is num_classes that of the file?")
        )
    if weights is not None:
        message = f"{name!r} has one kind of weights: leave weights out, or name the checkpoint that has two"
        raise ArgumentError(message)
    _no_other_head(name, num_classes, _published(source))
    model = _with_its_own_head(name, source)
    _no_other_head(name, num_classes, model.num_classes)
    if not head and model.num_classes:
        model.reset_classifier(0)
    return model, {}


def _plain_recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Say how images become the input, as plain values."""
    squeezed = settings["crop_mode"] == _SQUASH and settings["crop_pct"] == 1
    return {
        "size": list(settings["input_size"][1:]),
        "crop": None if squeezed else settings["crop_pct"],
        "crop_mode": settings["crop_mode"],
        "mean": list(settings["mean"]),
        "std": list(settings["std"]),
        "interpolation": settings["interpolation"],
    }


_PARTS = ("size", "crop", "mean", "std", "interpolation", "channels")
RECIPE = (*_PARTS, "crop_mode", "guessed")
"""Of a recipe, and what is told of it in `resolved`.

Where weights of one's own go into a published architecture, its recipe is theirs only perhaps."""


def _settings(name: str, model: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Give timm's settings of the transform: the model's own, but for what was said."""
    settings: dict[str, Any] = resolve_model_data_config(model)
    wanted = {part: said[part] for part in ("mean", "std") if part in said}
    if len(wanted) == 1:
        message = f"{name!r} needs mean and std together"
        raise ArgumentError(message)
    checked = _images.recipe(
        name,
        size=said.get("size", settings["input_size"][1]),
        crop=said.get("crop", 1.0),
        interpolation=said.get("interpolation", "bilinear"),
        **wanted,
    )
    if "size" in said:
        settings["input_size"] = (_CHANNELS, *checked.size)
    if "crop" in said:
        settings["crop_pct"] = checked.crop or 1.0
        settings["crop_mode"] = _SQUASH if checked.crop is None else "center"
    if "interpolation" in said:
        settings["interpolation"] = checked.interpolation
    return {**settings, **({"mean": checked.mean, "std": checked.std} if wanted else {})}


# --- which model ---------------------------------------------------------------------------------------------------


def _create(name: str, source: str, **args: Any) -> Any:
    """Ask timm for a model; whatever it raises becomes one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return timm.create_model(source, **args)
    except FoibleError:
        raise
    except Exception as error:
        raise PluginError(_told(name, error)) from error


def _with_its_own_head(name: str, source: str) -> Any:
    """Load a model with the head that is in its file.

    Where a folder's `config.json` says another count of classes than its `model_args`, timm leaves the file's head out
    and makes one up. So each count is tried with the claim that the file has it, and only one can fit the file.
    """
    model = _create(name, source, pretrained=True)
    claimed = model.pretrained_cfg.get("num_classes")
    if claimed is None or model.num_classes == claimed:
        return model
    for count in (model.num_classes, claimed):
        with suppress(PluginError):
            overlay = {"num_classes": count}
            return _create(name, source, pretrained=True, num_classes=count, pretrained_cfg_overlay=overlay)
    message = (
        f"{name!r} says that it has {claimed} classes and that it has {model.num_classes} (in model_args), and its "
        "weights are those of neither: mend its config.json"
    )
    raise PluginError(message)


def _published(source: str) -> int | None:
    """Give how many outputs the published weights of a name of timm's have, before they are fetched."""
    config = None if ":" in source else timm.models.get_pretrained_cfg(source)
    return None if config is None else config.num_classes


def _no_other_head(name: str, wanted: int | None, there: int | None) -> None:
    """Refuse a count of classes for which there are no weights."""
    if wanted is not None and there is not None and wanted != there:
        message = (
            f"the weights of {name!r} have {there} classes, so a head of {wanted} would be made up: give the "
            "checkpoint that has it, or leave num_classes out"
        )
        raise ArgumentError(message)


def _source(name: str) -> str:
    """Say to timm what is meant: it tells a folder and a hub name from one of its own by what stands before them."""
    if name.startswith(("hf-hub:", "hf_hub:")):
        return name
    if Path(name).expanduser().is_dir():
        return f"local-dir:{Path(name).expanduser()}"
    if "/" in name or "\\" in name or name.startswith((".", "~")):
        message = (
            f"{name!r} could not be loaded: there is no such folder (for a model on the hub write 'hf-hub:{name}')"
        )
        raise PluginError(message)
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        close = ", ".join(difflib.get_close_matches(architecture, timm.list_models(), n=5, cutoff=0.5)) or "none"
        message = f"timm has no model {brief(name)!r}; near it: {close}; timm.list_models() gives all"
        raise PluginError(message)
    tags = [known.partition(".")[2] for known in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        message = f"timm has no weights {brief(tag)!r} for {architecture!r}; {near(tag, tags)}"
        raise PluginError(message)
    return name


def _told(name: str, error: Exception) -> str:
    told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 200)
    if type(error).__name__ in {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "RepositoryNotFoundError"}:
        return f"the weights of {name!r} are neither on this machine nor to be had from the hub: {told}"
    return f"{name!r} could not be loaded (are its files whole?): {type(error).__name__}: {told}"
