"""A suite is read: what its manifest says, and each image, if it is the one that was saved.

Comes in: a folder or an archive, not trusted. Goes out: a `Suite`, pixels, or one sentence that says what is wrong.
Neighbours: `box.py` gives the bytes, `write.py` writes what is read here.

The digest tells damage, not forgery: whoever changes a suite on purpose can hash it again. So everything is checked
that others rely on, as if there were no digest.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from foible import pixels
from foible.act.suites.box import MANIFEST, Box, opened
from foible.errors import OtherVersionError, StoreError, brief
from foible.identity import canonical
from foible.pointers import MEND, is_pointer
from foible.records import TIED
from foible.suites import Suite, SuiteImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 2
"""Raised when what a suite says changes its meaning, so that an older foible refuses it."""
VERSION, DIGEST = "foible_suite", "digest"
SUITE: TypeAdapter[Suite] = TypeAdapter(Suite)
_LONGEST = 64 * 2**20
"""Bytes of a manifest: a hundred bugs of sixty images take three million."""
_HASH = re.compile(r"[0-9a-f]{64}")
_SEEDS = 2**32
_LARGEST_INDEX = 2**53
_MOST_TOP = 100


class Held:
    """A suite that is open."""

    def __init__(self, box: Box) -> None:
        """Read what it holds.

        Raises:
            StoreError: it is no suite, is damaged or was edited.
            OtherVersionError: a newer foible saved it.
        """
        self._box = box
        self.suite = _parse(box)

    def image(self, image: str) -> NDArray[np.uint8]:
        """Read an image: uint8 (height, width, 3), RGB.

        Args:
            image: hash of its pixels, as a row of the suite has it.

        Raises:
            StoreError: it is not there, is torn, or is another one.
        """
        data = self._box.bytes(image_name(image), pixels.LARGEST)
        if data is None:
            message = f"the suite {self._box.path} lacks the image {image[:16]}…; copy or save it again"
            raise StoreError(message)
        found = pixels.read_png(data)
        if found is None or pixels.content_hash(found) != image:
            message = f"the image {image[:16]}… of the suite {self._box.path} "
            if is_pointer(data):
                raise StoreError(f"{message}is a Git LFS pointer, a short text in place of it: {MEND}")
            raise StoreError(f"{message}is torn, or not the one that was saved; copy or save it again")
        return found


def image_name(image: str) -> str:
    """Name the file of an image by the hash of its pixels."""
    return f"images/{image}.png"


@contextmanager
def held(path: Path | str) -> Iterator[Held]:
    """Open a suite, and see that each of its images is the one that was saved.

    Raises:
        StoreError: it is no suite, is damaged or was edited.
        OtherVersionError: a newer foible saved it.
    """
    with opened(Path(path)) as box:
        found = Held(box)
        for image in images_of(found.suite):
            found.image(image)
        yield found


def read_suite(suite: Path | str) -> Suite:
    """Read a suite, and check each byte of it that means anything.

    Args:
        suite: the folder, or the zip file, that `save_suite` made.

    Returns:
        What it holds, without the pixels.

    Raises:
        InputError: it is no suite, is damaged, or a newer foible saved it; one sentence says what to do.
    """
    with held(suite) as found:
        return found.suite


def images_of(suite: Suite) -> list[str]:
    """Give the hashes of the images that a suite keeps, each once, in the order of its rows."""
    return list(dict.fromkeys(one.image for row in suite.rows for one in row.images if one.image))


def digest_of(document: Mapping[str, Any]) -> str:
    """Hash a manifest, without the digest that it has."""
    content = {name: value for name, value in document.items() if name != DIGEST}
    return f"sha256:{hashlib.sha256(canonical(content).encode()).hexdigest()}"


def _parse(box: Box) -> Suite:
    where = f"{MANIFEST} of {box.path}"
    wrong = ""
    try:
        document = _document(box, where)
        fields = {name: value for name, value in document.items() if name != VERSION}
        found = SUITE.validate_json(json.dumps(fields), strict=True)
        wrong = next(_impossible(found), "")
    except ValidationError as problem:
        told = problem.errors(include_url=False)[0]
        wrong = f"{'.'.join(map(str, told['loc']))}: {told['msg']}"
    except RecursionError:  # each step on the way may be the one that it is too deep for
        wrong = "it nests without end"
    if wrong:
        message = f"{where} says what no suite can ({brief(wrong)}); it was edited, or is none of foible's"
        raise StoreError(message)
    return found


def _document(box: Box, where: str) -> dict[str, Any]:
    """Read the manifest as it was saved."""
    data = box.bytes(MANIFEST, _LONGEST)
    if data is None:
        what = "it is a run: foible suite save makes a suite of it" if _is_run(box) else "so it is no suite"
        message = f"{box.path} holds no {MANIFEST}; {what}"
        raise StoreError(message)
    if is_pointer(data):
        message = f"{where} is a Git LFS pointer, a short text in place of the file: {MEND}"
        raise StoreError(message)
    try:
        document: Any = json.loads(data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        message = f"{where} is no JSON text; the suite is damaged, or none of foible's"
        raise StoreError(message) from None
    version = document.get(VERSION) if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        message = f"{where} does not say that it is a suite; it is none of foible's"
        raise StoreError(message)
    if version > FORMAT:
        message = f"the suite {box.path} has format {version}, and this foible reads up to {FORMAT}; use a newer foible"
        raise OtherVersionError(message)
    if version < FORMAT:
        message = f"the suite {box.path} has format {version}, which does not say who judged its images; save it again "
        raise OtherVersionError(f"{message}from its run")
    if document.get(DIGEST) != digest_of(document):
        message = f"{where} is not as it was saved: its digest is another; copy or save the suite again"
        raise StoreError(message)
    return cast("dict[str, Any]", document)


def _is_run(box: Box) -> bool:
    return (box.path / "journal.jsonl").is_file()


def _impossible(suite: Suite) -> Iterator[str]:
    """Say what no run can have come to."""
    names = {label.name for label in suite.labels}
    abouts = [(row.label, row.description) for row in suite.rows]
    if len(names) < len(suite.labels) or len(set(abouts)) < len(abouts):
        yield "a label or a bug that is there twice"
    if {label for label, _ in abouts} - names:
        yield "a bug of a label that it does not have"
    if not suite.bugs or not all(bug.description for bug in suite.bugs):
        yield "no bug, or one without a description"
    if not all(one.indices and all(0 <= index < _LARGEST_INDEX for index in one.indices) for one in suite.labels):
        yield "a label without a class"
    if not 1 <= suite.top <= _MOST_TOP or not 0.0 < suite.level < 1.0 or not 0.0 <= suite.unscored <= 1.0:
        yield "a setting out of its range"
    for row in suite.rows:
        yield from (f"of {row.label!r} {wrong}" for one in row.images if (wrong := _wrong(one)))
        shown = [one.image for one in row.images if one.image]
        if not shown:
            yield f"of {row.label!r} not one image"
        if len(set(shown)) < len(shown):  # an image that counts twice is no evidence
            yield f"of {row.label!r} an image twice"


def _wrong(one: SuiteImage) -> str:
    if one.image and not _HASH.fullmatch(one.image):
        return "a hash that is none"
    if bool(one.image) != (one.status != "unscored" or one.reason == TIED):
        return "an image that is scored and not there, or there and of no use"
    if (one.status == "unscored") != bool(one.reason):
        return "an outcome with a reason, or none without one"
    return "" if 0 <= one.seed < _SEEDS else "a seed out of its range"


def _refuse(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
