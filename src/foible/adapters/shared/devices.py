"""Where torch models run, and in which numbers.

Comes in: a device and a dtype as the user wrote them, or nothing. Goes out: those of torch, chosen as a user would
where nothing was said. Neighbour: `_transformers.py`, which finds the files of a model.
"""

from __future__ import annotations

import torch

from foible.errors import ArgumentError, brief, near

DTYPES = ("float32", "float16", "bfloat16")
_ALONE = ("cpu", "mps")
"""Devices of which a machine has one."""
_HAS_BFLOAT = 8
"""CUDA's compute capability from which bfloat16 is in the hardware."""


def device(name: str, wanted: str | None) -> torch.device:
    """Give the device: the wanted one, or the fastest there is of cuda, mps and cpu.

    Args:
        name: of the model, for the error.
        wanted: `cpu`, `cuda`, `cuda:1`, `mps`, or None.

    Raises:
        ArgumentError: this machine has no such device.
    """
    if wanted is None:
        best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(best)
    try:
        found = torch.device(wanted)
        there = found.type not in _ALONE or not found.index  # torch takes cpu:5 for the one there is
        there = there and torch.ones(1, device=found).item() == 1  # "meta" makes tensors that hold nothing
    except Exception as error:
        raise ArgumentError(_absent(name, wanted)) from error
    if not there:
        raise ArgumentError(_absent(name, wanted))
    return found


def _absent(name: str, wanted: str) -> str:
    return (
        f"{name!r} cannot run on the device {brief(repr(wanted))}: write 'cpu', 'cuda', 'cuda:1' or 'mps', and only "
        "what this machine has"
    )


def dtype(name: str, wanted: str | None, where: torch.device) -> torch.dtype:
    """Give the dtype: the wanted one; else half precision on an accelerator, and float32 on a CPU, which is faster so.

    On CUDA that is bfloat16, which cannot overflow, where the hardware has it.

    Raises:
        ArgumentError: no such dtype.
    """
    if wanted is None:
        if where.type == "cpu":
            return torch.float32
        bfloat = where.type == "cuda" and torch.cuda.get_device_capability(where)[0] >= _HAS_BFLOAT
        return torch.bfloat16 if bfloat else torch.float16
    if wanted not in DTYPES:
        message = f"{name!r} takes no dtype {brief(wanted)!r}; {near(str(wanted), DTYPES)}"
        raise ArgumentError(message)
    return getattr(torch, wanted)  # type: ignore[no-any-return]


def resolved(where: torch.device, numbers: torch.dtype) -> dict[str, str]:
    """Say both as texts, for the identity of a part: they can change the last bits of an answer."""
    return {"device": str(where), "dtype": str(numbers).removeprefix("torch.")}
