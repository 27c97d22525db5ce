"""Reads an exported program (`.pt2`, from `torch.export.save`) without running anything that is in the file.

Comes in: a file. Goes out: a module, and the shape of its input as far as the program fixes it. Neighbour:
`_weights.py` reads plain weights.

torch's own reader unpickles what it finds under some names, and evaluates the formulas of dynamic shapes as Python. So
the archive is looked through first, from the same bytes and with the same reader: a program of plain tensors and plain
formulas needs none of that, and anything else is refused.

A program keeps the mode that it was exported in: with dropout, or with the statistics of a batch, its answers are not
those of the trained network. Its graph says so, and it is refused.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from foible.errors import FoibleError, PluginError, brief

_RUNS = ("data/aotinductor/", "data/executorch/", "data/mtia", "xl_model_weights/")
"""Parts that hold compiled code, or that a program of tensors does not have."""
_CONFIGS = re.compile(r"data/(?:weights|constants)/[^/]+_config\.json")
_TENSORS = re.compile(r"data/(?:weights|constants)/(?:weight|tensor)_[0-9]+")
_EXAMPLES = re.compile(r"data/sample_inputs/[^/]+\.pt")
_FORMULA = re.compile(
    r"(?:Symbol\('[a-z]+[0-9]+'(?:, [a-z]+=(?:True|False))*\)"
    r"|[a-z]+[0-9]+|[A-Z][A-Za-z]*|[0-9.]+|True|False|[-+*/%(), <>=&|~])*"
)
"""Symbols such as s77, functions such as Max, numbers and operators; no text, no attribute, no lower-case name."""
_LONGEST = 1000
_SWITCHES = ("train", "training")
"""What the argument of an operator is called that says whether it is as in training."""


@dataclass(frozen=True)
class Program:
    """A program that is ready to be asked."""

    module: Any
    shape: tuple[int | None, ...] | None
    """Of its first input, None for a side that may be any; None where the input is no tensor."""


def load(model: str, file: Path) -> Program:
    """Load a program.

    Args:
        model: as the user called it, for errors.
        file: what `torch.export.save` wrote, with torch 2.8 or later.

    Raises:
        PluginError: the file is torn, older, holds what could run code when it is read, or was exported in training.
    """
    content = file.read_bytes()
    try:
        from torch.export.pt2_archive._package import PT2ArchiveReader  # here, as torch 2.7 has none

        with PT2ArchiveReader(io.BytesIO(content)) as archive:
            _look_through(model, archive)
        program = torch.export.load(io.BytesIO(content))
        _must_be_trained(model, program)
        return Program(program.module(), _shape(program))
    except FoibleError:
        raise
    except Exception as error:
        told = brief(" ".join(str(error).split()), 120)
        message = (
            f"{model!r} could not be loaded as an exported program (is it whole, and from torch.export.save of torch "
            f"2.8 or later?): {type(error).__name__}: {told}"
        )
        raise PluginError(message) from error


def _look_through(model: str, archive: Any) -> None:
    """Refuse whatever torch would unpickle, compile or evaluate."""
    for name in archive.get_file_names():
        if name.startswith(_RUNS):
            _refuse(model, f"compiled code ({name})")
        if name.startswith("data/") and not any(kind.fullmatch(name) for kind in (_CONFIGS, _TENSORS, _EXAMPLES)):
            _refuse(model, f"objects that are no tensors ({name})")
        if _CONFIGS.fullmatch(name) and any(_found(json.loads(archive.read_bytes(name)), "use_pickle")):
            _refuse(model, f"pickled weights ({name})")
        if _EXAMPLES.fullmatch(name):
            _only_tensors(model, name, archive.read_bytes(name))
        if name.startswith("models/"):
            for formula in _found(json.loads(archive.read_bytes(name)), "expr_str"):
                if len(str(formula)) > _LONGEST or not _FORMULA.fullmatch(str(formula)):
                    _refuse(model, f"a formula that is more than arithmetic ({brief(formula, 40)})")


def _must_be_trained(model: str, program: Any) -> None:
    """Refuse a graph in which an operator works as in training, or draws random numbers."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            trouble = _in_training(node) if isinstance(node.target, torch._ops.OpOverload) else ""  # noqa: SLF001 - no public name
            if trouble:
                message = (
                    f"{model!r} was exported in training mode: {brief(trouble, 80)}, so its answers are not those of "
                    "the trained network; call .eval() on the module and export it again with torch.export.export"
                )
                raise PluginError(message)


def _in_training(node: Any) -> str:
    """Say what an operator does that none does in evaluation; "" where all is well."""
    names = [argument.name for argument in node.target._schema.arguments]  # noqa: SLF001 - no public way
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    name = node.target.name().partition("::")[2].partition(".")[0]
    switches = [switch for switch in _SWITCHES if switch in names]
    if "dropout_p" in names or name.startswith("_scaled_dot_product"):  # attention: dropout by its share alone
        return f"{name} leaves out {given['dropout_p']:.0%}" if given.get("dropout_p", 0.0) else ""
    if switches:
        is_on = given.get(switches[0], False) is True and given.get("p", 1.0) != 0
        if "norm" in name:  # one without statistics of its own uses those of the batch, or of the image, always
            is_on = is_on and given.get("running_mean") is not None
            return f"batch statistics are in use ({name})" if is_on else ""
        return f"it leaves out or changes values by chance ({name})" if is_on else ""
    if name == "instance_norm" and given.get("running_mean") is not None and given.get("use_input_stats") is True:
        return f"batch statistics are in use ({name})"
    return f"it draws random numbers ({name})" if torch.Tag.nondeterministic_seeded in node.target.tags else ""


def _shape(program: Any) -> tuple[int | None, ...] | None:
    """Give the shape of the first input."""
    inputs = program.graph_signature.user_inputs
    for node in program.graph.nodes:
        if node.op == "placeholder" and inputs and node.name == inputs[0]:
            value = node.meta.get("val")
            if isinstance(value, torch.Tensor):
                return tuple(side if isinstance(side, int) else None for side in value.shape)
    return None


def _only_tensors(model: str, name: str, content: bytes) -> None:
    """Refuse example inputs that torch would read again as a full pickle."""
    if not content:
        return
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception:  # noqa: BLE001 - whatever it is, torch's own reader would go on with a full unpickling
        _refuse(model, f"example inputs that are no tensors ({name})")


def _found(value: Any, key: str) -> Iterator[Any]:
    """Give everything that stands under a key, however deep."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from _found(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item, key)


def _refuse(model: str, what: str) -> None:
    message = (
        f"{model!r} holds {brief(what, 120)}, which could run code when it is read: export the plain module on the CPU "
        "with torch.export, or give its state dict and a factory"
    )
    raise PluginError(message)
