"""Where a suite lies: a folder, or one zip file with the same names in it. Nothing of it is trusted or unpacked.

Comes in: a path that a stranger may have filled. Goes out: the bytes of one name, or one sentence. Neighbours:
`read.py` knows what the bytes mean, `write.py` writes them.

An archive holds `suite.json` and `images/HASH.png` and nothing else, so no name in it is ever a path: it is looked up,
not followed. The list at its end is measured before it is read, and of each file no more is unpacked than it may have.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from foible.errors import StoreError, brief
from foible.pointers import MEND, is_pointer

MANIFEST = "suite.json"
NAMED = re.compile(r"suite\.json|images/[0-9a-f]{64}\.png")
"""What a file of a suite is called."""
_END = b"PK\x05\x06"
_END_SIZE = 22
"""Bytes of the end of a zip file without a comment (APPNOTE.TXT 4.3.16)."""
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
"""What stands before that end where sizes and counts take more than 32 bits (4.3.15)."""
_LONGEST_LIST = 16 * 2**20
"""Bytes of the list of files at the end of a zip file: 65,535 files, the most that it can count, take 8 MiB."""
_BEGINNING = 1024
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)
"""What Python's reader raises for what is no zip file, or only half of one."""


class Box(Protocol):
    """Something that holds named files."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    def bytes(self, name: str, most: int) -> bytes | None:
        """Return the content of a file; None where there is none.

        Args:
            name: one that `NAMED` fits.
            most: bytes that it may have.

        Raises:
            StoreError: it has more, or cannot be read.
        """
        ...


@contextmanager
def opened(path: Path) -> Iterator[Box]:
    """Open what may be a suite.

    Raises:
        StoreError: there is nothing, or neither a folder nor a zip file as `foible suite save` writes one.
    """
    try:
        about = path.stat()
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        message = f"there is no suite at {path} ({why}); foible suite save makes one of a finished hunt"
        raise StoreError(message) from problem
    if stat.S_ISDIR(about.st_mode):
        yield _Folder(path)
        return
    if not stat.S_ISREG(about.st_mode):  # a pipe would never end
        message = f"{path} is a pipe or a device, and no suite"
        raise StoreError(message)
    try:
        file = path.open("rb")
    except OSError as problem:
        message = f"the suite {path} cannot be read ({problem.strerror})"
        raise StoreError(message) from problem
    with file:
        _must_be_zip(file.read(_BEGINNING), path)
        file.seek(max(0, about.st_size - _END_SIZE - _END_SIZE))
        _must_end(file.read(), path)
        try:
            held = zipfile.ZipFile(file)
        except (*_DAMAGE, OSError) as problem:
            raise _torn(path, problem) from problem
        with held:
            yield _Zipped(path, held)


class _Folder:
    """A folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def bytes(self, name: str, most: int) -> bytes | None:
        """Read a file, if it is one: a pipe or a device would never end."""
        place = self.path / name
        try:
            about = place.stat()
            if not stat.S_ISREG(about.st_mode):
                message = f"{place} is no file; the suite is damaged"
                raise StoreError(message)
            if about.st_size > most:
                raise _large(self.path, name, most)
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            message = f"{place} cannot be read ({problem.strerror})"
            raise StoreError(message) from problem


class _Zipped:
    """A zip file."""

    def __init__(self, path: Path, held: zipfile.ZipFile) -> None:
        """Look at what it says that it holds.

        Raises:
            StoreError: a name is none of a suite's, or comes twice, or its content cannot be read here.
        """
        self.path, self._held = path, held
        self._members: dict[str, zipfile.ZipInfo] = {}
        for one in held.infolist():
            name = one.filename
            if name == "images/":
                continue
            kind = stat.S_IFMT(one.external_attr >> 16)
            if not NAMED.fullmatch(name) or name in self._members or kind not in {0, stat.S_IFREG}:
                what = "twice" if name in self._members else "as a link" if stat.S_ISLNK(kind) else ""
                message = f"the archive {path} holds {brief(repr(name), 80)} {what}".rstrip()
                raise StoreError(f"{message}, which is no part of a suite; it is not as foible wrote it")
            if one.compress_type not in _METHODS or one.flag_bits & _ENCRYPTED:
                message = f"the archive {path} is encrypted, or packed in a way that is not read here; "
                raise StoreError(message + "save the suite again")
            self._members[name] = one

    def bytes(self, name: str, most: int) -> bytes | None:
        """Unpack a file, whatever size it claims, no further than it may be long."""
        one = self._members.get(name)
        if one is None:
            return None
        if one.file_size > most:
            raise _large(self.path, name, most)
        try:
            with self._held.open(one) as file:
                data = file.read(most + 1)
        except (*_DAMAGE, OSError) as problem:
            raise _torn(self.path, problem) from problem
        if len(data) > most:
            raise _large(self.path, name, most)
        return data


def _must_be_zip(beginning: bytes, path: Path) -> None:
    if is_pointer(beginning):
        message = f"{path} is a Git LFS pointer, a short text in place of the suite: {MEND}"
        raise StoreError(message)
    if not beginning.startswith(b"PK"):
        message = f"{path} is no suite: neither a folder with a {MANIFEST} nor a zip file"
        raise StoreError(message)


def _must_end(end: bytes, path: Path) -> None:
    """See that a zip file ends, and that the list of what it holds is no larger than that of a suite can be.

    Python reads that list whole before anybody can count its names.
    """
    if not end[-_END_SIZE:].startswith(_END) or end[-2:] != b"\0\0":
        message = f"the archive {path} is torn: its end is missing; copy or save it again"
        raise StoreError(message)
    (size,) = struct.unpack("<L", end[-10:-6])
    if size > _LONGEST_LIST or end[:-_END_SIZE][-_LOCATOR_SIZE:].startswith(_LOCATOR):
        message = f"the archive {path} lists more files than a suite can have; it is none of foible's"
        raise StoreError(message)


def _torn(path: Path, problem: Exception) -> StoreError:
    return StoreError(f"the archive {path} is damaged ({brief(problem, 100)}); copy or save it again")


def _large(path: Path, name: str, most: int) -> StoreError:
    return StoreError(f"{name} of {path} has more than {most // 2**20} MiB; it is none of foible's")
