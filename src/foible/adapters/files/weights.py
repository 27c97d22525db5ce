"""Weights from one file into one network, without running anything that is in the file.

Comes in: a safetensors file, or a state dict that `torch.save` wrote, and the network. Goes out: the network, holding
exactly those, and what was chosen or taken off on the way. Neighbours: `_convert.py` says how a file that is refused
becomes one that is not; `_transformers.py` and `timm` read the folders of their own libraries.

Wrappers of torch and of training libraries put a prefix before every name (`module.`, `_orig_mod.`, `model.`). Which
one is in the way is found by the names that the network itself has, so that one whose own names begin so keeps them.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from foible.adapters.files import convert as _convert
from foible.errors import ArgumentError, PluginError, brief, near

KINDS = ("plain", "ema")
"""Which weights of a checkpoint: those that were trained, or their average over the training (EMA, SWA)."""
INSIDE = ("state_dict", "model_state_dict", "model", "weights", "net", "network")
"""Where training scripts put the weights beside an optimiser's state and a count of epochs."""
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema_model", "ema")
"""Where they put the average."""
_CALLBACKS = "callbacks"
"""Where Lightning keeps what its callbacks hold, by their names: an average may be among it."""
_WITHOUT_NAMES = ("shadow_params", "collected_params", "ema_weights")
"""Where libraries keep an average as a list in the order of the network's parameters."""
_CURRENT = "current_model_state"
"""Where Lightning's averaging puts the trained weights, while `state_dict` has the average."""
_AVERAGE = re.compile(r"(?:.*_)?(?:ema|swa|averaged)(?:_.*)?")
"""A piece of a name that says the same."""
_COMPILED = "_orig_mod"
"""What `torch.compile` puts into names, at any place; no network of one's own has it."""
_TRAINED_ON = "num_batches_tracked"
"""What batch normalisation counts in training alone; old files do not have it."""
_COUNTED = "n_averaged"
"""What `torch.optim.swa_utils.AveragedModel` counts."""
_BESIDE = re.compile(r"(?:criterion|loss|(?:.*_)?(?:loss|metrics?|acc|accuracy))(?:_.*)?|initted|(?:global_)?step")
"""What a training module holds beside the network: weights of a loss, states of a metric, an average's counters."""

_PICKLE = b"\x80"
"""The first byte of a pickle of any protocol that torch has written."""


def put(model: str, network: torch.nn.Module, file: str, *, which: str | None = None, hint: str = "") -> dict[str, str]:
    """Read a file and put its weights into a network, every one and no other.

    Args:
        model: as the user called it, for errors.
        network: what the weights belong to.
        file: `*.safetensors`, or what `torch.save` wrote of a state dict.
        which: one of `KINDS`; None where the file holds one kind alone.
        hint: what to look at when a shape differs, for the error.

    Returns:
        What stands in no argument: `prefix`, where one was taken off; `weights`, where they are an average.

    Raises:
        PluginError: there is no such file, it is torn, holds more than tensors, or does not fit.
        ArgumentError: the file holds both kinds and nobody said which, or not the kind that was asked for.
    """
    if which is not None and which not in KINDS:
        message = f"{model!r} takes no weights {brief(which)!r}; {near(str(which), KINDS)}"
        raise ArgumentError(message)
    tensors, chosen = read(model, file, which)
    prefix, averaged = fill(model, network, tensors, which="plain" if chosen else which, hint=hint)
    told = {"prefix": prefix} if prefix else {}
    return {**told, "weights": "ema"} if averaged or chosen == "ema" else told


def must_be_weights(model: str, file: str) -> None:
    """Refuse a file that cannot hold weights, such as a photograph, by how it begins; its content is not read.

    Raises:
        PluginError: it is neither a zip nor a pickle, as torch writes them, and its name does not end in .safetensors.
    """
    path = Path(file).expanduser()
    if path.suffix == ".safetensors" or zipfile.is_zipfile(path):
        return
    with path.open("rb") as stream:
        if stream.read(1) != _PICKLE:
            raise PluginError(_torn(model, file, ValueError("it is neither a zip nor a pickle, as torch writes them")))


def read(model: str, file: str, which: str | None = None) -> tuple[dict[str, torch.Tensor], str | None]:
    """Read tensors by name, as they are in the file.

    Args:
        model: as the user called it, for errors.
        file: `*.safetensors`, or what `torch.save` wrote of a state dict.
        which: one of `KINDS`, where the file holds both under names such as `state_dict` and `state_dict_ema`.

    Returns:
        The tensors, and which kind was chosen where the file held an average; else None.

    Raises:
        PluginError: there is no such file, it is torn, or it holds more than tensors.
        ArgumentError: the file holds an average too, and nobody said which.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        message = f"the weights of {model!r} are not there: no file {brief(file)!r}"
        raise PluginError(message)
    if path.suffix == ".safetensors":
        try:
            return load_file(path), None
        except (SafetensorError, OSError, ValueError) as error:
            raise PluginError(_torn(model, file, error)) from error
    must_be_weights(model, file)
    return _tensors(model, file, _load(model, file, path, which), which)


def fill(
    model: str,
    network: torch.nn.Module,
    weights: Mapping[str, torch.Tensor],
    *,
    which: str | None = None,
    hint: str = "",
) -> tuple[str, bool]:
    """Put weights into a network, every one and no other.

    Args:
        model: as the user called it, for errors.
        network: what the weights belong to.
        weights: by name, perhaps with a prefix before every one.
        which: one of `KINDS`, where the network's weights are there twice, under two prefixes.
        hint: what to look at when a shape differs.

    Returns:
        The prefix that was taken off, and whether the weights are an average.

    Raises:
        PluginError: a weight is lacking, too many, or of another shape.
        ArgumentError: both kinds are there and nobody said which, or not the kind that was asked for.
    """
    wanted = network.state_dict()
    plain_names = {_uncompiled(name): name for name in weights}
    found = {short: weights[name] for short, name in plain_names.items()}
    needed = [name for name in wanted if not name.endswith(_TRAINED_ON)]
    fitting = _fitting(needed, found)
    counted = any(name.endswith(_COUNTED) for name in found if name not in wanted)
    if counted and which == "ema" and not any(map(_is_average, fitting)):
        which = None  # the whole file is an average
    prefix = _choose(model, fitting, which) if fitting else _nearest(needed, found)
    own = {name.removeprefix(prefix): one for name, one in found.items() if name.startswith(prefix)}
    shown = _shown(prefix, own, plain_names)
    told = f" (once the prefix {brief(shown, 60)!r} is taken off)" if shown else ""
    shapes = [name for name in wanted.keys() & own.keys() if wanted[name].shape != own[name].shape]
    if shapes:
        name = min(shapes)
        message = (
            f"the weights do not fit {model!r}: {brief(name, 80)} has the shape {tuple(own[name].shape)} in the "
            f"file and {tuple(wanted[name].shape)} in the network{told}{hint}"
        )
        raise PluginError(message)
    lacking = sorted(name for name in needed if name not in own)
    others = [one for one in fitting if _is_average(one) != _is_average(prefix)]  # the kind that was not chosen
    known = {one + name for one in (prefix, *others) for name in wanted}
    extra = sorted(name for name in found if name not in known and not _is_beside(name, prefix))
    if lacking or extra:
        which_are = [f"lacks {_some(lacking)}"] if lacking else []
        which_are += [f"has {_some(extra)}, which the network does not"] if extra else []
        message = f"the weights do not fit {model!r}: the file {' and '.join(which_are)}{told}"
        raise PluginError(message)
    network.load_state_dict({name: one for name, one in own.items() if name in wanted}, strict=False)
    return shown, counted or _is_average(prefix)


# --- which names are the network's ---------------------------------------------------------------------------------


def _uncompiled(name: str) -> str:
    return ".".join(piece for piece in name.split(".") if piece != _COMPILED)


def _fitting(needed: list[str], found: Mapping[str, Any]) -> list[str]:
    """List the prefixes, "" among them, under which every weight of the network is there."""
    if not needed:
        return []
    anchor = max(needed, key=len)
    prefixes = sorted({name.removesuffix(anchor) for name in found if name.endswith(anchor)})
    prefixes = [one for one in prefixes if one == "" or one.endswith(".")]
    return [one for one in prefixes if all(one + name in found for name in needed)]


def _nearest(needed: list[str], found: Mapping[str, Any]) -> str:
    """Give the prefix under which most weights of the network are there, to say what is amiss with the others."""
    prefixes = {""}
    for name in needed:
        prefixes |= {each.removesuffix(name) for each in found if each.endswith(f".{name}")}
    return max(sorted(prefixes), key=lambda one: sum(one + name in found for name in needed))


def _choose(model: str, fitting: list[str], which: str | None) -> str:
    """Choose among the prefixes under which the whole network is there."""
    averaged = [one for one in fitting if _is_average(one)]
    plain = [one for one in fitting if one not in averaged]
    if which is None and averaged:
        raise ArgumentError(_ask(model, _listed(plain), _listed(averaged)))
    among = averaged if which == "ema" else plain
    if not among:
        raise ArgumentError(_none(model, which or "plain"))
    if "" not in among and len(among) > 1:
        message = (
            f"the file holds weights for {model!r} more than once, under {_listed(among)}: write those that are meant "
            "to a file of their own"
        )
        raise PluginError(message)
    return among[0]


def _is_average(prefix: str) -> bool:
    return any(_AVERAGE.fullmatch(piece) for piece in prefix.split("."))


def _is_beside(name: str, prefix: str) -> bool:
    """Say whether a weight belongs to no network: a counter, or, beside a network with a prefix, a loss or a metric."""
    outside = bool(prefix) and not name.startswith(prefix)
    return name.endswith(_COUNTED) or (outside and bool(_BESIDE.fullmatch(name.partition(".")[0])))


def _shown(prefix: str, own: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Give the prefix as it stands in the file, with what `torch.compile` put there."""
    first = next(iter(own), "")
    full = names.get(prefix + first, "")
    return full.removesuffix(first) if first and full.endswith(first) else prefix


# --- reading -------------------------------------------------------------------------------------------------------


def _load(model: str, file: str, path: Path, which: str | None) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.rpartition("/")[2] == "constants.pkl" for name in archive.namelist()):
                message = (
                    f"{brief(file)!r} is a TorchScript program, which torch has given up: export the module with "
                    "torch.export.save(torch.export.export(module.eval(), (example,)), 'model.pt2')"
                )
                raise PluginError(message)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise PluginError(_torn(model, file, error)) from error
        keys = (*AVERAGED, *INSIDE) if which == "ema" else INSIDE
        message = (
            f"{brief(file)!r} is a pickle of more than tensors, which can run code when it is read; if you trust it, "
            f"convert it and name the new file: {_convert.command(path, keys)}"
        )
        raise PluginError(message) from error
    except Exception as error:
        raise PluginError(_torn(model, file, error)) from error


def _tensors(model: str, file: str, content: Any, which: str | None) -> tuple[dict[str, torch.Tensor], str | None]:
    """Find the state dict in what a training script saved."""
    found, chosen = _beside_callbacks(content), None
    if (bare := _without_names(found)) and which != "plain":
        raise ArgumentError(
            _listed_average(model, bare, alone=not any(isinstance(found.get(k), Mapping) for k in INSIDE))
        )
    for _ in range(len(INSIDE)):  # as deep as one may lie in another
        held = {key for key, one in found.items() if isinstance(one, Mapping)} if isinstance(found, Mapping) else set()
        plain = [key for key in INSIDE if key in held]
        averaged = [key for key in AVERAGED if key in held] if chosen is None else []
        if _CURRENT in held and chosen is None:
            plain, averaged = [_CURRENT], ["state_dict"]
        if averaged and which is None:
            raise ArgumentError(_ask(model, _listed(plain), _listed(averaged)))
        if which == "plain" and averaged and not plain:
            raise ArgumentError(_none(model, which))
        if averaged or _CURRENT in plain:
            chosen = which
        if not plain and not averaged:
            break
        found = found[averaged[0] if averaged and which == "ema" else plain[0]]
    if not isinstance(found, Mapping) or not found or not all(isinstance(one, torch.Tensor) for one in found.values()):
        message = (
            f"{brief(file)!r} holds no state dict for {model!r}: wanted tensors by name, alone or under one of "
            f"{', '.join(INSIDE)}"
        )
        raise PluginError(message)
    return {str(name): tensor for name, tensor in found.items()}, chosen


def _beside_callbacks(content: Any) -> Any:
    """Put an average that a callback of Lightning's holds where other scripts put theirs."""
    held = content.get(_CALLBACKS) if isinstance(content, Mapping) else None
    for own in held.values() if isinstance(held, Mapping) else ():
        for key, one in own.items() if isinstance(own, Mapping) else ():
            if isinstance(key, str) and _AVERAGE.fullmatch(key) and isinstance(one, Mapping | list | tuple) and one:
                return {**content, AVERAGED[0]: one if isinstance(one, Mapping) else {_WITHOUT_NAMES[0]: one}}
    return content


def _without_names(content: Any) -> str:
    """Say where an average lies that names no weight; nothing where there is none."""
    for key in AVERAGED if isinstance(content, Mapping) else ():
        own = content.get(key)
        lists = [
            name for name in _WITHOUT_NAMES if isinstance(own, Mapping) and isinstance(own.get(name), list | tuple)
        ]
        if lists:
            return f"{key}.{lists[0]}"
    return ""


def _listed_average(model: str, place: str, *, alone: bool) -> str:
    other = "" if alone else ", or give weights: plain to take those that were trained"
    return (
        f"the file holds an average of the weights of {model!r} as a list without names ({place}), which cannot be "
        f"told apart: copy it into the network (in diffusers EMAModel.copy_to) and save its state_dict(){other}"
    )


def _ask(model: str, plain: str, averaged: str) -> str:
    if not plain:
        return f"the file holds weights for {model!r} only as an average ({averaged}): give weights: ema to take it"
    return (
        f"the file holds the weights of {model!r} twice, as they were trained ({plain}) and averaged ({averaged}): "
        "give weights: plain or weights: ema"
    )


def _none(model: str, which: str) -> str:
    other = "an average alone: give weights: ema" if which == "plain" else "no average: leave the argument weights out"
    return f"the file holds no {which} weights for {model!r}, but {other}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(brief(name, 60) or "no prefix" for name in names)


def _torn(model: str, file: str, error: Exception) -> str:
    told = brief(" ".join(str(error).split()), 120)
    return f"the weights of {model!r} could not be read from {brief(file)!r} (is the file whole?): {told}"


def _some(names: list[str]) -> str:
    return ", ".join(brief(name, 80) for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - as many as are told
