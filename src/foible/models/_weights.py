"""Weights from one file into one network, without running anything that is in the file.

Comes in: a safetensors file, or a state dict that `torch.save` wrote. Goes out: tensors by name; a network that holds
exactly those. Neighbours: `_transformers.py` and `timm` read the folders of their own libraries.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from foible.errors import PluginError, brief

_INSIDE = ("state_dict", "model_state_dict", "model", "weights")
"""Where training scripts put the weights beside an optimiser's state and a count of epochs."""
_WRAPPERS = ("module.", "_orig_mod.")
"""What wrappers of torch put before every name: `DataParallel`, `torch.compile`."""
_COUNTER = "num_batches_tracked"
"""What batch normalisation counts in training alone; old files do not have it."""

CONVERT = (
    "if you trust it, convert it: torch.save(torch.load(file, weights_only=False).state_dict(), new_file), or "
    "safetensors.torch.save_file(…)"
)


def read(model: str, file: str) -> dict[str, torch.Tensor]:
    """Read tensors by name.

    Args:
        model: as the user called it, for errors.
        file: `*.safetensors`, or what `torch.save` wrote of a state dict.

    Raises:
        PluginError: there is no such file, it is torn, or it holds more than tensors.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        message = f"the weights of {model!r} are not there: no file {brief(file)!r}"
        raise PluginError(message)
    if path.suffix == ".safetensors":
        try:
            found: dict[str, torch.Tensor] = load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise PluginError(_torn(model, file, error)) from error
        return found
    return _tensors(model, file, _load(model, file, path))


def fill(model: str, network: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Put weights into a network, every one and no other.

    Raises:
        PluginError: a weight is lacking, too many, or of another shape.
    """
    wanted = network.state_dict()
    lacking = sorted(name for name in wanted.keys() - weights.keys() if not name.endswith(_COUNTER))
    extra = sorted(weights.keys() - wanted.keys())
    shapes = [name for name in wanted.keys() & weights.keys() if wanted[name].shape != weights[name].shape]
    if shapes:
        name = min(shapes)
        message = (
            f"the weights do not fit {model!r}: {brief(name, 80)} has the shape {tuple(weights[name].shape)} in the "
            f"file and {tuple(wanted[name].shape)} in the network"
        )
        raise PluginError(message)
    if lacking or extra:
        which = f"lacks {_some(lacking)}" if lacking else f"has {_some(extra)}, which the network does not"
        message = f"the weights do not fit {model!r}: the file {which}"
        raise PluginError(message)
    network.load_state_dict(dict(weights), strict=False)


def _load(model: str, file: str, path: Path) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.rpartition("/")[2] == "constants.pkl" for name in archive.namelist()):
                message = (
                    f"{brief(file)!r} is a TorchScript program, which torch has given up: export the module with "
                    "torch.export.save(torch.export.export(module, (example,)), 'model.pt2')"
                )
                raise PluginError(message)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise PluginError(_torn(model, file, error)) from error
        message = f"{brief(file)!r} is a pickle of more than tensors, which can run code when it is read; {CONVERT}"
        raise PluginError(message) from error
    except Exception as error:
        raise PluginError(_torn(model, file, error)) from error


def _tensors(model: str, file: str, content: Any) -> dict[str, torch.Tensor]:
    """Find the state dict in what a training script saved, and take the wrappers' prefixes off."""
    found = content
    for key in _INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping) or not found or not all(isinstance(one, torch.Tensor) for one in found.values()):
        message = (
            f"{brief(file)!r} holds no state dict for {model!r}: wanted tensors by name, alone or under one of "
            f"{', '.join(_INSIDE)}"
        )
        raise PluginError(message)
    weights = {str(name): tensor for name, tensor in found.items()}
    for prefix in _WRAPPERS:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return weights


def _torn(model: str, file: str, error: Exception) -> str:
    told = brief(" ".join(str(error).split()), 120)
    return f"the weights of {model!r} could not be read from {brief(file)!r} (is the file whole?): {told}"


def _some(names: list[str]) -> str:
    return ", ".join(brief(name, 80) for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - as many as are told
