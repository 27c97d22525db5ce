"""Images in tar files: every process appends to a file of its own, all images of a unit of work at once.

Comes in: images. Goes out: the hash of their pixels and where each lies, and the images again. A unit costs one write
and one fsync however many images it has, nobody waits for a lock, and any program that reads tar shows the pictures:
each is a PNG named after its pixels. It is a folder and nothing more, so a worker can be handed one. What a killed
process left at the end of its file is named by no place. Neighbours: `images.py` finds a place by its hash; `pixels.py`
reads and writes the bytes; design/0033 says what else was measured.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tarfile
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

from foible import pixels
from foible.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAME = re.compile(r"[0-9a-f]{32}\.tar")
FULL = 2**28
"""Bytes of a file after which a process begins another."""
_RECENT = 4096
"""Images that a process remembers, so that one that is drawn again and again is written once."""
_OPEN = 32
"""Files that stay open to be read."""
_ENCODERS = 8
"""Images that are encoded at once."""
_LEFT = 86_400
"""Seconds after which a temporary file belongs to a process that was killed."""
GONE = "the archive {} has gone while the hunt ran; bring it back, and repeat the command, which goes on"
"""Of its folder: the sentence that ends a hunt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the PNG of an image lies."""

    shard: str
    """Name of a tar file."""
    start: int
    """Its first byte."""
    size: int
    """Bytes."""


_HEADER = tarfile.TarInfo("0" * 64 + ".png").tobuf(tarfile.USTAR_FORMAT)
_REST = sum(_HEADER) - sum(_HEADER[148:156]) + 8 * ord(" ") - sum(_HEADER[:64]) - sum(_HEADER[124:135])
"""Sum of a header without its name and size."""


class Objects(Protocol):
    """Where tar files are sent to, so that others see them."""

    def send(self, shard: str, data: bytes) -> None:
        """Put a tar file."""
        ...

    def fetch(self, shard: str) -> bytes | None:
        """Return a tar file; None where there is none."""
        ...


class Shards:
    """A folder of tar files; what is written goes to one of this object's own, begun with the first image."""

    def __init__(self, folder: Path, shared: Objects | None = None) -> None:
        """Name the folder, and the store that others share it through; nothing is opened yet."""
        self.folder = folder
        self._shared = shared
        self._lock = threading.Lock()
        self._out: IO[bytes] | None = None
        self._closed = False
        self._end = 0
        self._recent: OrderedDict[str, Place] = OrderedDict()
        self._files: OrderedDict[str, _Open] = OrderedDict()
        self._opening = threading.Lock()  # another one: who reads must not wait for a disk that is written to
        self._encoders: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """Close the file that was written to; nothing is written after that, by a thread that comes too late."""
        with self._lock:
            self._closed = True
            if self._out is not None:
                self._out.close()
                self._out = None
        with self._opening:
            self._files.clear()

    def __enter__(self) -> Self:
        """Return the shards themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def read(self, place: Place) -> bytes | None:
        """Return the PNG at a place; None where the file is not there, is too short, or the place can be none.

        Raises:
            StoreError: the folder cannot be read.
        """
        if not (_NAME.fullmatch(place.shard) and place.start >= 0 and 0 < place.size <= pixels.LARGEST):
            return None
        try:
            data = self._file(place.shard).part(place)
        except FileNotFoundError:
            return self._fetched(place)
        except OSError as problem:
            message = f"the image archive {self.folder} cannot be read ({problem.strerror}); name another --archive"
            raise StoreError(message) from problem
        return data if data is not None and len(data) == place.size else None

    def holds(self, places: Iterable[Place]) -> set[Place]:
        """Return the places that lie inside a file, without reading them."""
        places = list(places)
        if self._shared is not None:  # what is not here can be fetched
            return set(places)
        sizes = {name: self._size(name) for name in {place.shard for place in places}}
        return {one for one in places if one.start >= 0 < one.size and one.start + one.size <= sizes[one.shard]}

    def get(self, place: Place, image: str) -> NDArray[np.uint8] | None:
        """Return an image (height, width, 3); None where what lies there is torn, or another one."""
        data = self.read(place)
        found = None if data is None else pixels.read_png(data)
        return found if found is not None and pixels.content_hash(found) == image else None

    def put(self, images: Mapping[str, NDArray[np.uint8]]) -> dict[str, Place]:
        """Append images by the hash of their pixels, and bring them to disk; return where each lies.

        Raises:
            StoreError: the disk is full or cannot be written, or the folder has gone.
        """
        known = {name: place for name in images if (place := self._seen(name)) is not None}
        new = [name for name in images if name not in known]
        with self._lock:
            if self._encoders is None:
                self._encoders = ThreadPoolExecutor(_ENCODERS)
            encoders = self._encoders
        files = encoders.map(lambda name: pixels.write_png(images[name]), new)
        placed = self.append(dict(zip(new, files, strict=True)))
        with self._lock:
            self._recent |= placed
            while len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return known | placed

    def append(self, files: Mapping[str, bytes]) -> dict[str, Place]:
        """Append PNG files by the hash of their pixels, all or none, and bring them to disk.

        Raises:
            StoreError: the disk is full or cannot be written, or the folder has gone.
        """
        if not files:
            return {}
        with self._lock:
            if self._closed:
                message = f"the image archive {self.folder} was closed before an image came; repeat the command"
                raise StoreError(message)
            try:
                out = self._opened()
                shard, blocks, places = Path(out.name).name, [], {}
                at = self._end
                for name, data in files.items():
                    block = _member(name, data)
                    places[name] = Place(shard=shard, start=at + tarfile.BLOCKSIZE, size=len(data))
                    blocks.append(block)
                    at += len(block)
                left = memoryview(b"".join(blocks))
                while left:
                    left = left[out.write(left) :]
                os.fsync(out.fileno())
            except OSError as problem:
                self._forget()
                # While it is being removed, folders that were there a moment before are not.
                if isinstance(problem, FileNotFoundError) or not self.folder.is_dir():
                    raise StoreError(GONE.format(self.folder.parent)) from problem
                message = f"the image archive {self.folder} cannot be written ({problem.strerror}); free it, or name "
                raise StoreError(f"{message}another --archive") from problem
            self._end = at
            if self._shared is not None:  # an object cannot grow: each unit has a file of its own
                self._shared.send(shard, b"".join(blocks))
                self._forget()
        return places

    def sweep(self) -> None:
        """Remove what killed processes left unfinished more than a day ago."""
        with contextlib.suppress(OSError):
            for left in (self.folder / "unfinished").iterdir():
                if time.time() - left.stat().st_mtime > _LEFT:
                    left.unlink(missing_ok=True)

    def _file(self, shard: str) -> _Open:
        """Give a file to read from: the last few stay open, since to open one costs as much as to read an image."""
        with self._opening:
            file = self._files.pop(shard, None) or _Open(self.folder / shard)
            self._files[shard] = file
            if len(self._files) > _OPEN:
                self._files.popitem(last=False)
        return file

    def _seen(self, image: str) -> Place | None:
        """Give where this object wrote an image not long ago, if it is whole there."""
        with self._lock:
            place = self._recent.get(image)
        return place if place is not None and self.get(place, image) is not None else None

    def _fetched(self, place: Place) -> bytes | None:
        """Read from the store that is shared, and keep the file here, if files may be made here."""
        data = None if self._shared is None else self._shared.fetch(place.shard)
        if data is None:
            return None
        with contextlib.suppress(OSError):
            unfinished = self.folder / "unfinished" / f"{place.shard}.{uuid.uuid4().hex}"
            unfinished.parent.mkdir(exist_ok=True)
            unfinished.write_bytes(data)
            unfinished.replace(self.folder / place.shard)
        part = data[place.start : place.start + place.size]
        return part if len(part) == place.size else None

    def _size(self, shard: str) -> int:
        try:
            return (self.folder / shard).stat().st_size if _NAME.fullmatch(shard) else 0
        except OSError:
            return 0

    def _opened(self) -> IO[bytes]:
        """Give the file to append to: a new one where there is none, or it is full or has gone."""
        if self._out is not None:
            if self._end < FULL and Path(self._out.name).exists():
                return self._out
            self._out.close()
            self._out = None
        path = self.folder / f"{uuid.uuid4().hex}.tar"
        # Never the archive itself: one that has gone must not be half made anew.
        self._out = path.open("xb", buffering=0)
        self._end = 0
        with contextlib.suppress(OSError):  # a system on which a folder cannot be opened keeps it without
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return self._out

    def _forget(self) -> None:
        """Leave a file that could not be written, without what it took of the last images; the next begins another."""
        if self._out is not None:
            with contextlib.suppress(OSError):
                self._out.truncate(self._end)
            with contextlib.suppress(OSError):
                self._out.close()
            self._out = None


def room(size: int) -> int:
    """Give the bytes that a PNG of so many takes in a file."""
    return tarfile.BLOCKSIZE + size + -size % tarfile.BLOCKSIZE


def _member(name: str, data: bytes) -> bytes:
    """Write one file of a tar: a header, the bytes, and zeros up to the next block.

    `tarfile` takes as long for a header as the disk for an image: of one that it wrote, name, size and sum are changed
    here. The sum is that of all bytes of the header, its own eight taken for spaces.
    """
    own, size = name.encode("ascii"), b"%011o" % len(data)
    total = _REST + sum(own) + sum(size)
    header = b"".join((own, _HEADER[64:124], size, _HEADER[135:148], b"%06o\0 " % total, _HEADER[156:]))
    return header + data + bytes(-len(data) % tarfile.BLOCKSIZE)


class _Open:
    """A file that is read in parts, by several threads; it is closed when nobody has it any more."""

    __slots__ = ("_file",)

    def __init__(self, path: Path) -> None:
        # A pipe is opened without waiting, and never read.
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it could not be opened
            os.close(self._file)

    def part(self, place: Place) -> bytes | None:
        """Read what lies at a place, or less where the file is shorter; None where it is no file."""
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            return None
        if hasattr(os, "pread"):
            return os.pread(self._file, place.size, place.start)
        with _SEEKING:
            os.lseek(self._file, place.start, os.SEEK_SET)
            return os.read(self._file, place.size)


_SEEKING = threading.Lock()
