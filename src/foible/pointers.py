"""Files that stand for others: what Git LFS leaves where the file itself was not fetched.

Comes in: bytes, or paths. Goes out: a sentence, or nothing. Neighbours: `pixels.py` reads images, and
`parts/registry.py` looks here when a part cannot be loaded.
"""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from foible.errors import brief

_BEGINS = b"version https://git-lfs.github.com/spec/"
_LONGEST = 1024
"""Bytes of a pointer at most, by its specification."""
_MOST = 2000
"""Files of a folder that are looked at."""
MEND = "fetch the file with git lfs pull"


def is_pointer(content: bytes) -> bool:
    """Tell whether the content of a file is a Git LFS pointer."""
    return len(content) < _LONGEST and content.startswith(_BEGINS)


def pointer_among(texts: Iterable[str]) -> str:
    """Say that what is named is, or holds, a Git LFS pointer; nothing where none does.

    Args:
        texts: whatever may be a path of a file or a folder, such as the name in a spec.
    """
    found = next((path for text in texts for path in _files(text) if _points(path)), None)
    if found is None:
        return ""
    return f"{brief(found.name, 80)!r} is a Git LFS pointer, a short text in place of the file: {MEND}"


def texts_in(value: Any) -> Iterator[str]:
    """Give every text in a nest of lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(inner)


def _files(text: str) -> Iterator[Path]:
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            yield from itertools.islice((one for one in sorted(path.rglob("*")) if _is_short(one)), _MOST)
        elif _is_short(path):
            yield path
    except (OSError, ValueError, RuntimeError):  # no path at all
        return


def _is_short(path: Path) -> bool:
    about = path.stat()
    return stat.S_ISREG(about.st_mode) and about.st_size < _LONGEST


def _points(path: Path) -> bool:
    try:
        return is_pointer(path.read_bytes())
    except OSError:
        return False
