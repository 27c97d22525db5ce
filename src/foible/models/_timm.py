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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image as Picture

from foible import fingerprint
from foible.errors import FoibleError, PluginError, brief, near
from foible.models import _torch, _weights

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
    from foible.protocols import Image

ADAPTER_VERSION = 1
"""Raised when an adapter changes what it answers."""

VERSION = (
    f"adapter {ADAPTER_VERSION}; timm {timm.__version__}; torchvision {torchvision.__version__}; "
    f"torch {torch.__version__}"
)
_CHANNELS = 3


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

    def pixels(self, images: Sequence[Image]) -> torch.Tensor:
        """Turn images into what the model takes: (n, 3, height, width)."""
        batch = torch.stack([self.transform(Picture.fromarray(image)) for image in images])
        return batch.to(self.device, self.dtype)


def load(
    name: str,
    *,
    checkpoint: str | None = None,
    num_classes: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
) -> Loaded:
    """Load a model.

    Args:
        name: a name of timm's, a folder, or `hf-hub:owner/name`.
        checkpoint: a file with weights to take instead of the published ones.
        num_classes: outputs, where a checkpoint has others than the published weights; 0 for none (an embedder).
        device: `cpu`, `cuda`, `mps`; by default the fastest there is.
        dtype: `float32`, `float16` or `bfloat16`; by default float32 on a CPU and half precision elsewhere.

    Raises:
        PluginError: there is no such model, or its weights are broken or not at hand.
        ArgumentError: an unknown device or dtype.
    """
    where = _torch.device(name, device)
    numbers = _torch.dtype(name, dtype, where)
    source = _source(name)
    weights = None if checkpoint is None else _weights.read(name, checkpoint)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = timm.create_model(source, pretrained=weights is None, num_classes=num_classes)
    except FoibleError:
        raise
    except Exception as error:
        raise PluginError(_told(name, error)) from error
    if weights is not None:
        _weights.fill(name, model, weights)
    if getattr(model, "in_chans", _CHANNELS) != _CHANNELS:
        message = f"{name!r} takes images of {model.in_chans} channels, but images have three"
        raise PluginError(message)
    model = model.eval().requires_grad_(requires_grad=False)
    settings = resolve_model_data_config(model)
    transform = create_transform(**settings, is_training=False)
    known = fingerprint.of_object([model, {key: str(value) for key, value in settings.items()}])
    return Loaded(model.to(where, numbers), transform, dict(model.pretrained_cfg), known, where, numbers)


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
