"""A suite is written: a folder, or one zip file where its name ends so. Whole, or not at all.

Comes in: a suite and the bytes of its images. Goes out: files; the same suite gives the same bytes. Neighbours:
`save.py` makes the suite of a run, `read.py` reads it.
"""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from foible.act.placed import placed
from foible.act.suites.box import MANIFEST, NAMED, opened
from foible.act.suites.read import DIGEST, FORMAT, SUITE, VERSION, Held, digest_of, image_name, images_of
from foible.errors import OtherVersionError, StoreError, brief
from foible.suites import Suite

Png = Callable[[str], bytes]
"""Gives the bytes of an image by the hash of its pixels."""
_MEND = "name another place, or --replace the suite there"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""When every file of an archive was made, as far as it says: the earliest that the format knows."""
_UNIX = 3
_SUFFIX = ".zip"


def sealed(suite: Suite) -> Suite:
    """Give a suite with its digest."""
    return replace(suite, digest=digest_of(_plain(suite)))


def write_suite(suite: Suite, target: Path, png: Png, *, instead: bool) -> None:
    """Write a suite.

    Args:
        suite: with its digest.
        target: the folder, or the zip file, to make.
        png: gives the bytes of an image.
        instead: whether a suite that is there may go.

    Raises:
        StoreError: something is there, or nothing can be written there; nothing is left then.
    """
    try:
        taken = target.exists() and not (target.is_dir() and not any(target.iterdir()))
    except OSError as problem:
        message = f"the suite cannot be written to {target} ({problem.strerror}); name another place"
        raise StoreError(message) from problem
    if taken:
        _must_be_replaceable(target, instead=instead)
    if target.suffix.casefold() == _SUFFIX:
        if target.is_dir():
            message = f"{target} is a folder, and its name that of an archive; name another place"
            raise StoreError(message)
        _write_zip(target, suite, png)
        return
    if target.is_file():
        message = f"{target} is an archive, and its name that of a folder; name another place"
        raise StoreError(message)
    with placed(target, "the suite", _MEND, instead=instead) as place:
        (place / "images").mkdir()
        for name, data in _files(suite, png):
            (place / name).write_bytes(data)


def _must_be_replaceable(target: Path, *, instead: bool) -> None:
    """Refuse a place where something else lies than a suite, of which every file would go."""
    if not instead:
        message = f"{target} is there already; {_MEND}"
        raise StoreError(message)
    strange = _strange(target)
    if strange:
        message = f"{target} holds more than a suite ({brief(strange, 80)}), which would be lost; name another place"
        raise StoreError(message)
    try:
        with opened(target) as box:
            Held(box)
    except OtherVersionError:  # a suite all the same
        return
    except StoreError as problem:
        message = f"{target} is no suite that could be replaced; remove it yourself, or name another place"
        raise StoreError(message) from problem


def _strange(target: Path) -> str:
    """Name a file in a folder that no suite has; nothing where there is none."""
    if not target.is_dir():
        return ""
    for folder, inner, files in os.walk(target):
        own = Path(folder).relative_to(target)
        for name in (*inner, *files):
            place = (own / name).as_posix()
            if not NAMED.fullmatch(place) and place != "images":
                return place
    return ""


def _plain(suite: Suite) -> dict[str, object]:
    return {VERSION: FORMAT, **SUITE.dump_python(suite, mode="json")}


def _files(suite: Suite, png: Png) -> Iterator[tuple[str, bytes]]:
    """Give the files of a suite: the manifest, then each image once."""
    document = {VERSION: FORMAT, DIGEST: suite.digest, **_plain(suite)}
    yield MANIFEST, (json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
    for image in sorted(images_of(suite)):
        yield image_name(image), png(image)


def _write_zip(target: Path, suite: Suite, png: Png) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            # Images are packed already. Without the larger numbers of the format a hostile list is told by its size.
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as made:
                for name, data in _files(suite, png):
                    one = zipfile.ZipInfo(name, _EPOCH)
                    one.create_system, one.external_attr = _UNIX, (stat.S_IFREG | 0o644) << 16
                    made.writestr(one, data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except zipfile.LargeZipFile as problem:
        message = "the suite is larger than an archive may be (4 GiB, 65,535 files); "
        raise StoreError(f"{message}name a folder in the place of {target}") from problem
    except OSError as problem:
        message = f"the suite cannot be written to {target} ({problem.strerror}); free the place or name another"
        raise StoreError(message) from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
