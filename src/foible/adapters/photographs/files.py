"""Photographs in a folder of image files, undecoded.

Comes in: a folder. Goes out: a shelf of the files in it. Neighbours: `_shelf.py` says what a shelf is, and chooses one;
`_tables.py` is the shelf of a dataset, and reads files in the same way where a row names one.

Files are untrusted: a link is followed inside the folder alone, or into what the hub's cache links to from there, and
what is not a file, or too large a one, is not read. Hidden files and folders are passed over: desktops and notebooks
leave copies and previews in them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from foible import pixels

OUTSIDE = "links that lead out of it, or nowhere"
FOLDER_LINK = "links to folders, which are not followed"
UNOPENED = f"not to be opened, or larger than {pixels.LARGEST // 2**20} MiB"
UNREAD = "in formats that are not read, such as HEIC (save them as JPEG or PNG)"
"""Why a photograph is left out, in words that follow a number."""
LARGEST_TABLE = 1 << 30
"""Bytes of a table of annotations beside image files that are read at most."""


class Folder:
    """A folder of image files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._homes = homes(root)
        self.resolved: Mapping[str, str | None] = {}

    def walk(self) -> Iterator[tuple[Path, bytes | str]]:
        """Give every photograph in the order of names, folder by folder: its content, or why it is left out."""
        for folder, inner, names in _visible(self._root):
            yield from ((folder / name, FOLDER_LINK) for name in inner if (folder / name).is_symlink())
            for name in names:
                if name.lower().endswith(pixels.SUFFIXES):
                    yield folder / name, self._content(folder / name)
                elif name.lower().endswith(pixels.UNREAD):
                    yield folder / name, UNREAD

    def read(self, place: Path) -> bytes:
        """Read a file again."""
        content = self._content(place)
        if isinstance(content, str):
            raise OSError(content)
        return content

    def _content(self, path: Path) -> bytes | str:
        try:
            found = path.resolve(strict=True)
        except (OSError, RuntimeError):  # the second where links go round
            return OUTSIDE if path.is_symlink() else UNOPENED
        if not inside(found, self._homes):
            return OUTSIDE
        try:
            return content(found)
        except OSError:
            return UNOPENED


def homes(root: Path) -> list[Path]:
    """Give the folders in which all of a folder, or of a table's, lies: its own, and what the hub's cache links to."""
    whole = root.resolve()
    own = whole.parent if root.is_file() else whole
    blobs = [parent.parent / "blobs" for parent in own.parents if parent.name == "snapshots"]
    return [own, *(folder for folder in blobs if folder.is_dir())]


def inside(path: Path, folders: list[Path]) -> bool:
    """Tell whether a path, its links followed, lies in one of the folders."""
    return any(path.resolve().is_relative_to(folder) for folder in folders)


def files(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Find files by the ends of their names, in the order of names; folders that are links are passed over.

    `metadata.parquet` describes image files beside it, by the custom of the hub, and is no dataset.
    """
    for folder, _, names in _visible(root):
        for name in names:
            if name.lower().endswith(suffixes) and name != "metadata.parquet":
                yield folder / name


def named(root: Path, names: tuple[str, ...]) -> list[Path]:
    """Find files of some names, in the order of folders and names; folders that are links are passed over."""
    return [folder / name for folder, _, inside in _visible(root) for name in inside if name in names]


def content(path: Path, most: int = pixels.LARGEST) -> bytes:
    """Read a file that is a file: no link, which could lead out of the folder, and no pipe, which could never end.

    Args:
        path: of the file.
        most: bytes that are read; a larger file is not.

    Raises:
        OSError: it is something else, too large, or cannot be read.
    """
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 - opened by number, without following links
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > most or path.is_symlink():
            raise OSError
        return file.read(most)


def _visible(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk through a folder in the order of names, without what is hidden in it."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if pixels.is_visible(name))
        yield Path(folder), inner, sorted(name for name in names if pixels.is_visible(name))
