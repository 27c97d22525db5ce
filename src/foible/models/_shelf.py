"""Photographs of the user's own, wherever they are kept: in a folder of image files, or in a dataset on disk.

Comes in: the name of a folder, or of a file that is a table. Goes out: a `Shelf`, which gives every photograph once,
undecoded, and any of them again. Neighbours: `_tables.py` is the shelf of a dataset; `draw_folder.py` finds photographs
by text, and does not know where they came from; `_pictures.py` decodes them.

Files are untrusted: links are not followed, and what is not a file, or too large a one, is not read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from foible.errors import ArgumentError, PluginError, brief
from foible.families import FURTHER

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Ends of the names of image files, in any case; other files are passed over."""
TABLES = (".arrow", ".parquet")
"""Ends of the names of files that hold a table."""
SAVED = ("state.json", "dataset_dict.json")
"""What `save_to_disk` leaves in the folder of a dataset, and of several splits of one."""
LARGEST = 128 * 2**20
"""Bytes of an image that is read."""

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


class Shelf(Protocol):
    """Where photographs stand."""

    resolved: Mapping[str, str | None]
    """What was found by itself: arguments of the plug-in, for its identity."""

    def walk(self) -> Iterator[tuple[Any, bytes | None]]:
        """Give every photograph's place and content, in a fixed order; None where it cannot be read."""

    def read(self, place: Any) -> bytes:
        """Give the content at a place of `walk` once more.

        Raises:
            OSError: it has gone, or cannot be read.
        """


def find(name: str, split: str | None = None, column: str | None = None) -> Shelf:
    """Find out what a name stands for. Nothing is downloaded.

    Args:
        name: a folder of image files, in it or in folders inside it; a folder that `datasets` saved; a Parquet file or
            a folder of them.
        split: which part of a dataset; needed where there are several.
        column: where the images of a dataset are; needed where there are several such columns.

    Raises:
        PluginError: there is no such thing, or it is not clear what it is.
        ArgumentError: the dataset has no such split or column, or several, or the folder is none of a dataset.
    """
    root = Path(name).expanduser()
    if root.is_file() and root.suffix.lower() in TABLES:
        return _dataset(name, root, split, column)
    if not root.is_dir():
        message = f"there is no folder {brief(name)!r} to draw photographs from"
        if _HUB_NAME.fullmatch(name):
            message += "; a dataset of the hub is not downloaded: fetch it with `hf download --repo-type dataset`, and "
            message += "name the folder that it came to"
        raise PluginError(message)
    images, parquet = (next(files(root, suffixes), None) for suffixes in (SUFFIXES, (".parquet",)))
    chosen = split is not None or column is not None
    if any((root / one).is_file() for one in SAVED) or (parquet and (chosen or not images)):
        return _dataset(name, root, split, column)
    if parquet:
        message = f"{brief(name)!r} holds image files and Parquet files: name the folder of one of them, or say by "
        raise PluginError(message + "the argument column that the dataset is meant")
    if chosen:
        message = f"the arguments split and column are for datasets, but {brief(name)!r} is a folder of image files"
        raise ArgumentError(message)
    return _Folder(root)


def _dataset(name: str, root: Path, split: str | None, column: str | None) -> Shelf:
    for argument, value in (("split", split), ("column", column)):
        if value is not None and not isinstance(value, str):
            message = f"the argument {argument} of {brief(name)!r} is a text, but got {brief(repr(value), 40)}"
            raise ArgumentError(message)
    try:
        from foible.models._tables import Dataset
    except ModuleNotFoundError as error:
        message = f"the dataset {brief(name)!r} needs the module {error.name!r}, which is not installed: "
        raise PluginError(message + f'pip install "foible[{FURTHER["folder"][0]}]"') from error
    return Dataset(name, root, split, column)


class _Folder:
    """A folder of image files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.resolved: Mapping[str, str | None] = {}

    def walk(self) -> Iterator[tuple[Any, bytes | None]]:
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
