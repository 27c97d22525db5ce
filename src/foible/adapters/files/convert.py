"""How a pickle of more than tensors becomes a file of weights alone: one command that works for the file at hand.

Comes in: a file that torch does not read with `weights_only`. Goes out: a command for the user, who may trust the file;
nothing in it is run here. Its pickle is looked at opcode by opcode, which tells a dictionary from a whole module, and
the names that occur in it. Neighbour: `_weights.py` refuses the file.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

_LARGEST = 64 * 2**20
_BEFORE = 3
"""Pickles that an old file of torch has before its content: a magic number, a version, and facts about the machine."""
_DICTIONARY = ("EMPTY_DICT", "DICT", "MARK")
_HEADER = ("PROTO", "FRAME")


def command(path: Path, keys: Sequence[str]) -> str:
    """Give a command that writes the weights in a file to `weights.pth`, as tensors by name.

    Args:
        path: the file.
        keys: where its weights may lie if it is a dictionary, the first ones before the others.
    """
    inner = _key(path, keys)
    place = f"torch.load({str(path)!r}, map_location='cpu', weights_only=False)" + (f"[{inner!r}]" if inner else "")
    return (
        f'python -c "import torch; held = {place}; '
        "torch.save(held.state_dict() if hasattr(held, 'state_dict') else held, 'weights.pth')\""
    )


def _key(path: Path, keys: Sequence[str]) -> str | None:
    """Say under which key a dictionary has its weights; None for a whole module, and where that cannot be told."""
    try:
        opcodes = _opcodes(path)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, torch will say so when the user runs the command
        return None
    first = next((name for name, _ in opcodes if name not in _HEADER), "")
    texts = {argument for _, argument in opcodes if isinstance(argument, str)}
    return next((key for key in keys if key in texts), None) if first in _DICTIONARY else None


def _opcodes(path: Path) -> list[tuple[str, object]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next(one for one in archive.namelist() if one.rpartition("/")[2] == "data.pkl")
            with archive.open(name) as file:
                stream = BytesIO(file.read(_LARGEST))
        before = 0
    else:
        with path.open("rb") as file:
            stream = BytesIO(file.read(_LARGEST))
        before = _BEFORE
    for _ in range(before):
        for _ in pickletools.genops(stream):
            pass
    return [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(stream)]
