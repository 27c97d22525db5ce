"""Photographs of the user's own, wherever they are kept: in a folder of image files, or in a dataset on disk.

Comes in: the name of a folder, or of a file that is a table. Goes out: a `Shelf`, which gives every photograph once,
undecoded, and any of them again. Neighbours: `_folder.py` is the shelf of a folder of image files, `_tables.py` that of
a dataset; `draw_folder.py` finds photographs by text, and does not know where they came from; `pixels.py` decodes
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from foible import pixels
from foible.adapters.photographs import files as _folder
from foible.errors import ArgumentError, PluginError, brief

TABLES = (".arrow", ".parquet")
"""Ends of the names of files that hold a table."""
SAVED = ("state.json", "dataset_dict.json")
"""What `save_to_disk` leaves in the folder of a dataset, and of several splits of one."""

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


class Shelf(Protocol):
    """Where photographs stand."""

    resolved: Mapping[str, str | None]
    """What was found by itself: arguments of the plug-in, for its identity."""

    def walk(self) -> Iterator[tuple[Any, bytes | str]]:
        """Give every photograph's place and content, in a fixed order.

        In the place of content that cannot be read: why, in words that follow a number, the same for the same cause.
        """

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
    if root.is_file():
        message = f"{brief(name)!r} is a file; to draw photographs, name the folder that holds them, or a table "
        raise PluginError(message + f"({', '.join(TABLES)})")
    if not root.is_dir():
        message = f"there is no folder {brief(name)!r} to draw photographs from"
        if _HUB_NAME.fullmatch(name):
            message += "; a dataset of the hub is not downloaded: fetch it with `hf download --repo-type dataset`, and "
            message += "name the folder that it came to"
        raise PluginError(message)
    images, parquet = (next(_folder.files(root, suffixes), None) for suffixes in (pixels.SUFFIXES, (".parquet",)))
    chosen = split is not None or column is not None
    if any((root / one).is_file() for one in SAVED) or (parquet and (chosen or not images)):
        return _dataset(name, root, split, column)
    if parquet:
        message = f"{brief(name)!r} holds image files and Parquet files: name the folder of one of them, or say by "
        raise PluginError(message + "the argument column that the dataset is meant")
    if chosen:
        message = f"the arguments split and column are for datasets, but {brief(name)!r} is a folder of image files"
        raise ArgumentError(message)
    return _folder.Folder(root)


def _dataset(name: str, root: Path, split: str | None, column: str | None) -> Shelf:
    for argument, value in (("split", split), ("column", column)):
        if value is not None and not isinstance(value, str):
            message = f"the argument {argument} of {brief(name)!r} is a text, but got {brief(repr(value), 40)}"
            raise ArgumentError(message)
    from foible.adapters.photographs.tables import Dataset  # needs pyarrow, which a folder of files does without

    return Dataset(name, root, split, column)
