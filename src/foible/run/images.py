"""A folder of PNG files named after their pixels: what the generator drew, kept once, whoever asked for it.

Comes in: images. Goes out: the hash of their pixels, and the images again. It is a path and nothing more, so a worker
can be handed one. Files appear whole; two processes that write the same image write the same file. Neighbours:
`archive.py` knows which request gave which image; `pixels.py` reads and writes the bytes.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foible import pixels
from foible.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HASH = re.compile(r"[0-9a-f]{64}")
_LEFT = 86_400
"""Seconds after which a temporary file belongs to a process that was killed."""
GONE = "the archive {} has gone while the hunt ran; bring it back, and repeat the command, which goes on"
"""Of its folder: the sentence that ends a hunt."""


@dataclass(frozen=True, slots=True)
class Images:
    """A folder of images by the hash of their pixels."""

    folder: Path

    def path(self, image: str) -> Path:
        """Return where an image lies.

        Raises:
            StoreError: the hash is none (it would name a file elsewhere).
        """
        if not _HASH.fullmatch(image):
            message = f"the hash of an image is 64 hexadecimal digits, but got {image[:40]!r}; what holds it is damaged"
            raise StoreError(message)
        return self.folder.joinpath(image[:2], f"{image}.png")

    def bytes(self, image: str) -> bytes | None:
        """Return the PNG file of an image; None where there is none, or what no image can be.

        Raises:
            StoreError: the folder cannot be read.
        """
        path = self.path(image)
        try:
            about = path.stat()
            if not stat.S_ISREG(about.st_mode) or about.st_size > pixels.LARGEST:  # a pipe or a device would never end
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            message = f"the image archive {self.folder} cannot be read ({problem.strerror}); name another --archive"
            raise StoreError(message) from problem

    def holds(self, image: str) -> bool:
        """Tell whether there is a file for an image that is not empty, without reading it."""
        try:
            return self.path(image).stat().st_size > 0
        except OSError:
            return False

    def get(self, image: str) -> NDArray[np.uint8] | None:
        """Return an image (height, width, 3); None where it is missing, torn or another one."""
        data = self.bytes(image)
        found = None if data is None else pixels.read_png(data)
        return found if found is not None and pixels.content_hash(found) == image else None

    def put(self, array: NDArray[np.uint8]) -> str:
        """Keep an image (temporary name, fsync, rename) and return the hash of its pixels.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        image = pixels.content_hash(array)
        path = self.path(image)
        if self.get(image) is not None:
            return image
        # Of a process and a thread: a generator may give the same pixels for two requests that are written at once.
        temporary = self.folder / "unfinished" / f"{image}.{os.getpid()}-{threading.get_ident()}"
        try:
            for folder in (temporary.parent, path.parent):
                folder.mkdir(exist_ok=True)  # never the archive itself: one that has gone must not be half made anew
            with temporary.open("wb") as file:
                file.write(pixels.write_png(array))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as problem:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            # While it is being removed, folders that were made a moment before are not there.
            if isinstance(problem, FileNotFoundError) or not self.folder.is_dir():
                raise StoreError(GONE.format(self.folder.parent)) from problem
            message = f"the image archive {self.folder} cannot be written ({problem.strerror}); free it, or --archive"
            raise StoreError(message) from problem
        return image

    def sweep(self) -> None:
        """Remove what killed processes left unfinished more than a day ago."""
        with contextlib.suppress(OSError):
            for left in (self.folder / "unfinished").iterdir():
                if time.time() - left.stat().st_mtime > _LEFT:
                    left.unlink(missing_ok=True)
