"""Photographs in a folder of image files, undecoded.

Comes in: a folder. Goes out: a shelf of the files in it. Neighbours: `_shelf.py` says what a shelf is, and chooses one;
`_tables.py` is the shelf of a dataset, and reads files in the same way where a row names one.

Files are untrusted: links are not followed, and what is not a file, or too large a one, is not read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Ends of the names of image files, in any case; other files are passed over."""
LARGEST = 128 * 2**20
"""Bytes of an image that is read."""


class Folder:
    """A folder of image files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.resolved: Mapping[str, str | None] = {}

    def walk(self) -> Iterator[tuple[Path, bytes | None]]:
        """Give every file in the order of their names, folder by folder."""
        for path in files(self._root, SUFFIXES):
            try:
                yield path, content(path)
            except OSError:
                yield path, None

    def read(self, place: Path) -> bytes:
        """Read a file again."""
        return content(place)


def files(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Find files by the ends of their names, in the order of names; folders that are links are passed over.

    `metadata.parquet` describes image files beside it, by the custom of the hub, and is no dataset.
    """
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            if name.lower().endswith(suffixes) and name != "metadata.parquet":
                yield Path(folder, name)


def content(path: Path) -> bytes:
    """Read a file that is a file: no link, which could lead out of the folder, and no pipe, which could never end.

    Raises:
        OSError: it is something else, too large, or cannot be read.
    """
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 - opened by number, without following links
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST or path.is_symlink():
            raise OSError
        return file.read(LARGEST)
