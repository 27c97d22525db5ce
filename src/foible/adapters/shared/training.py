"""What classifiers made of torch share where they are trained further: their last layer, their numbers, their files.

Comes in: a network. Goes out: names of parameters, a file. Neighbours: the adapters, one per library, which know how
images become an input; `act/repair/` trains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

_MATRIX = 2


def too_coarse(dtype: torch.dtype) -> str:
    """Say why numbers of a kind cannot be trained; empty for those that can."""
    half = "its numbers are of half precision, in which small steps are lost: give the argument dtype: float32"
    return "" if dtype == torch.float32 else half


def logits_of_two(output: torch.Tensor, threshold: float | None) -> torch.Tensor:
    """Make two logits, no and yes, of a network with one output (n, 1) and a threshold; others stay as they are."""
    if threshold is None:
        return output
    above = output[:, 0] - threshold
    return torch.stack([-above, above], dim=1)


def last_layer(network: torch.nn.Module, ask: Callable[[], object]) -> tuple[str, ...]:
    """Name the parameters of the last layer: of the last module at work that has a matrix, and of those behind it.

    Args:
        network: whose.
        ask: lets it answer once.
    """
    worked: list[str] = []
    own = {name: one for name, one in network.named_modules() if next(one.parameters(recurse=False), None) is not None}

    def noting(name: str) -> Callable[..., None]:
        return lambda *_: worked.append(name)

    hooks = [one.register_forward_hook(noting(name)) for name, one in own.items()]
    try:
        with torch.inference_mode():
            ask()
    finally:
        for hook in hooks:
            hook.remove()
    found: list[str] = []
    for name in dict.fromkeys(reversed(worked)):  # from the last one at work to the first
        parameters = dict(own[name].named_parameters(recurse=False))
        found += [f"{name}.{short}".lstrip(".") for short in parameters]
        if any(one.ndim >= _MATRIX for one in parameters.values()):
            break
    return tuple(found)


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write a state dict: safetensors where the name ends so, else what `torch.save` writes of one.

    Raises:
        OSError: the file cannot be written.
    """
    whole: dict[str, Any] = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
    if path.suffix == ".safetensors":
        save_file(whole, path, metadata={"format": "pt"})
    else:
        torch.save(whole, path)
