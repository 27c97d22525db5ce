"""An archive in an object store: tar files of images, and a log of units that nobody can write twice.

Comes in: the rows of a unit. Goes out: whether they are the next in the log, or what others put there first. Entries
are numbered, and each is made by a conditional write, which the store grants once: so all who share an archive agree on
one order, and the first that finishes a row wins, as within one database. Every machine keeps a copy of the rows in its
own archive, and fetches images when it needs them. Neighbours: `archive.py` is the copy; `shards.py` writes the images.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from foible.errors import StoreError, brief
from foible.identity import canonical, digest

if TYPE_CHECKING:
    from obstore.store import ObjectStore

URL = "FOIBLE_ARCHIVE_URL"
"""The variable of the environment that names the store, such as s3://bucket/hunts."""
_LOG, _IMAGES = "log", "images"
_FILE = re.compile(rf"(?:^|/){_IMAGES}/([0-9a-f]{{32}}\.tar)$")
"""Path of a tar file of images: what else lies there is somebody else's."""
_SEAL = 32
"""Digits of a seal."""
_LARGEST = 2**30
"""Bytes of an object that is read."""
_AT_ONCE = 16
"""Objects that are fetched at once."""

_RETRIES = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}

T = TypeVar("T")


class Entry(BaseModel):
    """The rows of one unit, as others are told of them."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    draws: tuple[tuple[str, str, tuple[str, ...], str, int, int], ...] = ()
    """Of each: key, hash of its image, words that were not used, prompt, seed, samplings."""
    answers: dict[str, Any] = {}
    images: dict[str, tuple[str, int, int]] = {}
    """By hash: name of a tar file, first byte, bytes."""


class Shared:
    """The store of an archive that machines share."""

    def __init__(self, url: str) -> None:
        """Name the store; nothing is asked of it yet.

        Raises:
            StoreError: obstore is not installed, or the URL names no store.
        """
        self.url = url
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            message = f"an archive at {brief(url)} needs the module {error.name!r}, which is not installed: "
            raise StoreError(message + 'pip install "foible[share]"') from error
        try:
            self._store: ObjectStore = from_url(
                url, **({"mkdir": True} if url.startswith("file:") else {"retry_config": _RETRIES})
            )
        except (BaseError, ValueError, TypeError) as problem:
            message = (
                f"{URL} is {brief(url)}, which names no store ({_first(problem)}); it is such as s3://bucket/hunts"
            )
            raise StoreError(message) from problem

    def entries(self, after: int) -> Iterator[tuple[int, Entry]]:
        """Yield the entries behind a number, in order.

        Raises:
            StoreError: the store cannot be reached, or an entry is damaged.
        """
        import obstore

        listed = self._told(lambda: [one["path"] for some in obstore.list(self._store, _LOG) for one in some])
        names = {_number(path): path for path in listed}
        numbers = range(after + 1, max(names, default=0) + 1)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for number, data in zip(numbers, pool.map(lambda n: self._get(_name(n)), numbers), strict=True):
                yield number, self._entry(number, data)

    def append(self, number: int, entry: Entry) -> bool:
        """Put an entry under a number; say whether it is there, or another one was before.

        Raises:
            StoreError: the store cannot be reached, or may not be written.
        """
        body = canonical(entry.model_dump())
        return self._create(_name(number), f'["{digest(["entry", number, body])}",{body}]\n'.encode())

    def send(self, shard: str, data: bytes) -> None:
        """Put a tar file of images.

        Raises:
            StoreError: the store cannot be reached, or may not be written.
        """
        self._create(f"{_IMAGES}/{shard}", data)

    def fetch(self, shard: str) -> bytes | None:
        """Return a tar file of images; None where there is none.

        Raises:
            StoreError: the store cannot be reached.
        """
        return self._get(f"{_IMAGES}/{shard}")

    def images(self) -> dict[str, tuple[int, float]]:
        """Give the tar files of images by name: bytes, and when each was put, in seconds since 1970.

        Raises:
            StoreError: the store cannot be reached.
        """
        import obstore

        def listed() -> dict[str, tuple[int, float]]:
            every = (one for some in obstore.list(self._store, _IMAGES) for one in some)
            own = ((found[1], one) for one in every if (found := _FILE.search(one["path"])) is not None)
            return {name: (int(one["size"]), one["last_modified"].timestamp()) for name, one in own}

        return self._told(listed)

    def remove(self, shards: Collection[str]) -> None:
        """Remove tar files of images; one that has gone is none.

        Raises:
            StoreError: the store cannot be reached, or may not be written.
        """
        import obstore

        paths = [f"{_IMAGES}/{shard}" for shard in shards]

        def delete() -> None:
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    obstore.delete(self._store, path)

        self._told(delete)

    def _entry(self, number: int, data: bytes | None) -> Entry:
        head = len('["",') + _SEAL
        body = b"" if data is None else data[head:-2]
        try:
            text = body.decode()
            whole = data is not None and data[2 : head - 2].decode() == digest(["entry", number, text])
            return Entry.model_validate_json(text if whole else "")
        except ValueError:
            message = (
                f"entry {number} of the archive at {brief(self.url)} is damaged or of another foible; name another"
            )
            raise StoreError(f"{message} {URL}") from None

    def _create(self, name: str, data: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        def put() -> bool:
            try:
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                # Where the answer to a first try was lost, the second finds what it put itself.
                return self._get(name) == data
            return True

        return self._told(put)

    def _get(self, name: str) -> bytes | None:
        import obstore

        def get() -> bytes | None:
            try:
                found = obstore.get(self._store, name)
            except FileNotFoundError:
                return None
            return bytes(found.bytes()) if found.meta["size"] <= _LARGEST else None

        return self._told(get)

    def _told(self, work: Callable[[], T]) -> T:
        """Do something with the store, and turn what it says into one sentence."""
        from obstore.exceptions import BaseError

        try:
            return work()
        except (BaseError, OSError, ValueError) as problem:
            message = (
                f"the archive at {brief(self.url)} cannot be used ({_first(problem)}); see to the store, its rights "
            )
            raise StoreError(f"{message}and the network, and repeat the command, which goes on") from problem


def of_environment() -> Shared | None:
    """Return the store that the environment names; None where it names none."""
    url = os.environ.get(URL, "")
    return Shared(url) if url else None


def _name(number: int) -> str:
    return f"{_LOG}/{number:012}.json"


def _number(path: str) -> int:
    stem = path.rpartition("/")[2].removesuffix(".json")
    return int(stem) if stem.isascii() and stem.isdigit() and len(stem) == len(f"{0:012}") else 0


def _first(problem: Exception) -> str:
    return brief(str(problem).partition("\n")[0] or type(problem).__name__, 200)
