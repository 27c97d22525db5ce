"""Photographs in tar archives, as WebDataset keeps them: files of one name belong together.

Comes in: tar archives without compression. Goes out: each image with what the files beside it say: `name.cls` is the
label, `name.txt` the caption, `name.json` columns. Neighbour: `labelled.py` says what a reader is.

Archives are untrusted: nothing is unpacked, and a member is read at its place, if it is a file and not too large.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foible import pixels
from foible.adapters.photographs.files import UNOPENED
from foible.errors import PluginError, brief

_TEXTS = {"cls": "label", "txt": "caption"}
"""By the end of a member's name: the column that it is."""
_LONGEST = 1 << 20
"""Bytes of a member that is text."""


class Archives:
    """The images of tar archives."""

    def __init__(self, name: str, archives: Sequence[Path]) -> None:
        """Note the archives, and which columns the first samples of each have.

        Raises:
            PluginError: an archive cannot be read.
        """
        self._name, self._archives = name, archives
        known: dict[str, None] = {}
        for archive in archives:
            for row in self._rows(archive):
                known |= dict.fromkeys(row)
        self.columns = tuple(known)
        self.resolved: Mapping[str, str | None] = {}

    def walk(self) -> Iterator[tuple[str, tuple[Path, int, int], bytes | str, str, Mapping[str, str]]]:
        """Give every image, archive by archive."""
        for archive in self._archives:
            for image, where, row in self._samples(archive):
                try:
                    content: bytes | str = self.read((archive, *where)) if where[1] <= pixels.LARGEST else UNOPENED
                except OSError:
                    content = UNOPENED
                yield f"{archive.name}/{image}", (archive, *where), content, "", row

    def read(self, where: tuple[Path, int, int]) -> bytes:
        """Read a member at its place."""
        archive, offset, size = where
        with archive.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _rows(self, archive: Path) -> Iterator[dict[str, str]]:
        return (row for _, _, row in self._samples(archive))

    def _samples(self, archive: Path) -> Iterator[tuple[str, tuple[int, int], dict[str, str]]]:
        """Give (name of the image, its place, its columns) of each sample."""
        sample, image, row = "", None, dict[str, str]()
        for key, end, member, text in self._members(archive):
            if key != sample:
                if image is not None:
                    yield *image, row
                sample, image, row = key, None, {}
            if f".{end}".endswith(pixels.SUFFIXES):
                image = member.name, (member.offset_data, member.size)
            else:
                row |= _columns(end, text)
        if image is not None:
            yield *image, row

    def _members(self, archive: Path) -> Iterator[tuple[str, str, tarfile.TarInfo, bytes]]:
        """Give (name of the sample, end of the name, member, content of a text) of each file."""
        try:
            with tarfile.open(archive, "r:") as held:
                for member in held:
                    folder, slash, name = member.name.rpartition("/")
                    key, _, end = name.partition(".")
                    if not member.isreg() or not key:
                        continue
                    end = end.lower()
                    wanted = end in {*_TEXTS, "json"} and member.size <= _LONGEST
                    text = held.extractfile(member) if wanted else None
                    yield folder + slash + key, end, member, text.read() if text is not None else b""
                    held.members = []  # type: ignore[attr-defined] # what was walked over would stay in memory
        except (tarfile.TarError, OSError, EOFError) as problem:
            message = f"the archive {brief(archive.name)!r} of {brief(self._name)!r} cannot be read "
            raise PluginError(f"{message}({brief(problem, 120)}); save it as tar without compression") from problem


def _columns(end: str, text: bytes) -> dict[str, str]:
    """Read the columns that a file beside an image is; what is no text says nothing."""
    try:
        if end in _TEXTS:
            return {_TEXTS[end]: text.decode("utf-8").strip()}
        read: Any = json.loads(text) if end == "json" else {}
    except (ValueError, RecursionError):
        return {}
    plain = read.items() if isinstance(read, dict) else ()
    return {str(key): str(value) for key, value in plain if isinstance(value, str | int | float | bool)}
