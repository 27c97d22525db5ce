"""Images of older archives: a PNG file each, taken over into shards when such an archive is opened for writing.

Comes in: an archive whose folder of images may hold such files. Goes out: nothing; their images lie in shards, a batch
at a time, and each file is removed when its place is kept, so that a kill costs nothing. What is no image stays.
"""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from foible.errors import StoreError
from foible.pixels import LARGEST
from foible.run.shards import Place, Shards

_FOLDER, _FILE = re.compile(r"[0-9a-f]{2}"), re.compile(r"([0-9a-f]{64})\.png")
_AT_ONCE = 256


class Archive(Protocol):
    """What keeps places."""

    shards: Shards

    def add(self, draws: list[Any], answers: Mapping[str, Any], *, images: Mapping[str, Place]) -> None:
        """Keep where images lie."""
        ...


def take_in(archive: Archive) -> None:
    """Move every PNG file that lies in a folder of its own into a shard.

    Raises:
        StoreError: the disk is full or cannot be written.
    """
    root = archive.shards.folder
    try:
        for folder in sorted(one for one in root.iterdir() if _FOLDER.fullmatch(one.name)):
            files = _files(folder)
            for some in (files[start : start + _AT_ONCE] for start in range(0, len(files), _AT_ONCE)):
                whole = {name: data for name, path in some if (data := path.read_bytes())}
                archive.add([], {}, images=archive.shards.append(whole))
                for _, path in some:
                    path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something else lies in it
                folder.rmdir()
    except OSError as problem:
        message = (
            f"the images in {root} cannot be moved ({problem.strerror}); make them writable, or name another --archive"
        )
        raise StoreError(message) from problem


def _files(folder: Path) -> list[tuple[str, Path]]:
    """List the images of a folder by the hash of their pixels."""
    found = [(path, _FILE.fullmatch(path.name)) for path in folder.iterdir()]
    return [(name[1], path) for path, name in found if name is not None and 0 < _size(path) <= LARGEST]


def _size(path: Path) -> int:
    about = path.stat()
    return about.st_size if stat.S_ISREG(about.st_mode) else 0
