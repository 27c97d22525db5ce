"""One file, written whole or not at all.

Comes in: a text and where it goes. Goes out: the file; never half of it. Neighbours: journal and archive (`run/`)
keep what a hunt is made of; these files are made from it and can be made again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from foible.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Remove the temporary files that killed processes left; nobody else may be writing in the folder."""
    with suppress(OSError):
        for name in names:
            for left in folder.glob(f".{name}.*.part"):
                left.unlink(missing_ok=True)


def write_both(path: Path, document: str, page: str) -> None:
    """Write a document and its page as `PATH.json` and `PATH.html`; their folder is made where it is not there.

    Raises:
        StoreError: the folder cannot be made, is full or read-only.
    """
    write_in_place(path.with_name(f"{path.name}.json"), document)
    write_in_place(path.with_name(f"{path.name}.html"), page)


def write_in_place(path: Path, text: str) -> None:
    """Write one file, as `write_atomically` does; its folder is made where it is not there.

    Raises:
        StoreError: the folder cannot be made, is full or read-only.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        raise StoreError(f"the folder {path.parent} cannot be made ({why}); name another one") from problem
    write_atomically(path, text)


def write_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text to a temporary file in the same folder, bring it to disk, and put it in place.

    Raises:
        StoreError: the folder is missing, full or read-only.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        raise StoreError(f"{path} cannot be written ({why}); free the place or name another folder") from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
