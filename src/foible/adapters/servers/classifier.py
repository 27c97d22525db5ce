"""Image classification by a server of one's own, asked in JSON over HTTP.

Comes in: images. Goes out: the server's scores, or why there are none, image by image. Neighbours: `_http.py` asks and
is patient; `docs/plugins.md` has the wire format, and a server in a few lines.

What answers at an address can change unseen, so the server may say its `version`: it becomes part of the identity, and
an answer under another version is refused. It may name its classes too, and in another order in each answer: the scores
of every answer are put into the order of the first by the names beside them. Where those are other names, or none,
nobody can tell which score is whose, and there is no answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from foible import pixels
from foible.adapters.servers import server as _http
from foible.adapters.shared import names as _names
from foible.errors import ArgumentError, PartError, PluginError, brief

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.ceiling import Ceiling
    from foible.parts.protocols import Image

ADAPTER_VERSION = 2
"""Raised when the wire format, or what is made of an answer, changes."""
_GREY = np.full((64, 64, 3), 128, np.uint8)
_STRIPES = np.tile(np.repeat(np.array([[[220, 40, 20]], [[20, 90, 200]]], np.uint8), 4, axis=0), (8, 64, 1))
_MOST = 256
_MATRIX = 2


@dataclass(frozen=True)
class _Read:
    """An answer of the server."""

    scores: NDArray[np.float64]
    """(images, classes)"""
    version: str
    names: tuple[str, ...] | None
    """Of the classes, in the order of these scores; None where the answer names none."""


@dataclass(frozen=True)
class _Known:
    """What the first answer tells of the server."""

    version: str
    order: tuple[str, ...] | None
    """The server's own names of the classes, in the order in which scores are given on; None where it names none."""
    named: _names.Names
    count: int


class HttpClassifier:
    """A server that is sent images and answers with scores."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        *,
        labels: str | Sequence[str] | None = None,
        batch: int = 1,
        key_env: str | None = None,
        timeout: float = 60.0,
        retries: int = 6,
        concurrency: int = 4,
    ) -> None:
        """Check the arguments.

        The server is asked about one grey image when its classes or its identity are first wanted, which is before a
        hunt begins.

        Args:
            name: the address, such as `https://host/classify`.
            labels: `imagenet`, a text file with one class a line, or names; by default what the server says. Where
                these are the server's own names, in any order, theirs is the order of the scores; other names stand for
                the server's one by one, and then its order must stay what it is.
            batch: images in one request; one that fails takes all of them along.
            key_env: name of the environment variable that holds the key; none by default.
            timeout: seconds until an answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: there is no key where one is needed.
        """
        if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= _MOST:
            message = f"the argument batch of {name!r} is a whole number from 1 to {_MOST}, but got {brief(batch, 40)}"
            raise ArgumentError(message)
        self._batch = batch
        self._server = _http.Server(
            name, name, key_env=key_env, timeout=timeout, retries=retries, concurrency=concurrency
        )
        self._name, self._given = name, labels
        self.resolved = {**_http.RUNTIME, "key_env": None, "batch": None}

    def count_on(self, ceiling: Ceiling) -> None:
        """Take every request from a ceiling that other parts share."""
        self._server.count_on(ceiling)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The names of the classes, in the order of the scores; None where nobody names them.

        Raises:
            ArgumentError: names that do not match the scores.
            PluginError: the server does not answer, or not in this format.
        """
        return self._known.named.labels

    @property
    def accepted(self) -> Mapping[int, frozenset[int]]:
        """Class index to the other classes that count as correct for it."""
        return self._known.named.accepted

    @property
    def alike(self) -> Mapping[int, Mapping[int, float]]:
        """Class index to the other classes that people saw in its pictures, with the share of pictures."""
        return self._known.named.alike

    @property
    def fingerprint(self) -> str:
        """Address, version and the order of the classes stand for what cannot be hashed."""
        told = json.dumps([self._server.address, self._known.version, self._known.order, self.labels])
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def version(self) -> str:
        """Of this adapter, and of the server."""
        return f"adapter {ADAPTER_VERSION}; server {brief(self._known.version, 100) or 'without a version'}"

    @cached_property
    def _known(self) -> _Known:
        """Ask about one image, so that what is wrong is told before a hunt."""
        first = self._first(_GREY)
        count = first.scores.shape[1]
        named = _names.names(self._name, count, given=self._given, own=first.names)
        if first.names is None or self._given is None or named.labels is None:
            return _Known(first.version, first.names, named, count)
        if len(first.names) != count:
            message = f"{self._name!r} has {count} outputs, but its own list has {len(first.names)} names"
            raise PluginError(message)
        if sorted(first.names) == sorted(named.labels) and len(set(first.names)) == count:
            return _Known(first.version, named.labels, named, count)
        # The names stand for the server's by their places, so the places must be lasting ones.
        if self._first(_STRIPES).names != first.names:
            message = f"{self._name!r} orders its classes anew in each answer, so the argument labels must be its own "
            raise ArgumentError(message + f"names: {brief(', '.join(sorted(first.names)), 120)}; or leave it out")
        return _Known(first.version, first.names, named, count)

    def _first(self, image: Image) -> _Read:
        answer = self._server.each(_request, _read, [[image]])[0]
        if isinstance(answer, PartError):
            message = f"{self._name!r} is no classifier that can be asked: {answer}"
            raise PluginError(message) from answer
        read: _Read = answer
        return read

    def classify(self, images: Sequence[Image]) -> list[NDArray[np.float64] | PartError]:
        """Give the scores of each image; a `PartError` stands where the server gave none.

        Raises:
            OutOfRequests: the ceiling of requests is reached.
        """
        asked = [images[start : start + self._batch] for start in range(0, len(images), self._batch)]
        answers = self._server.each(_request, _read, asked)
        return [row for some, answer in zip(asked, answers, strict=True) for row in self._rows(some, answer)]

    def _rows(self, images: Sequence[Image], answer: _Read | PartError) -> list[NDArray[np.float64] | PartError]:
        """Give one entry for each image of a request."""
        if isinstance(answer, PartError):
            return [answer] * len(images)
        told = self._fault(answer, len(images))
        if told:
            return [PartError(told)] * len(images)
        rows = answer.scores
        if answer.names is not None and answer.names != self._known.order:
            place = {name: place for place, name in enumerate(answer.names)}
            rows = rows[:, [place[name] for name in self._known.order or ()]]
        return [PartError(_TOO_LARGE) if np.isinf(row).any() else row for row in rows]

    def _fault(self, answer: _Read, count: int) -> str:  # noqa: PLR0911 - a sentence each
        """Say why the scores of an answer cannot be used for as many images; nothing where they can."""
        known = self._known
        if answer.version != known.version:
            return f"the server's version is now {brief(answer.version, 40)!r}, and was {brief(known.version, 40)!r}"
        if len(answer.scores) != count:
            return f"the server gave {len(answer.scores)} rows of scores for {count} images"
        if answer.scores.shape[1] != known.count:
            return f"the server gave {answer.scores.shape[1]} scores for an image, and {known.count} at first"
        if answer.names == known.order:
            return ""
        if answer.names is None:
            return "the server named its classes at first, and names none now"
        if known.order is None:
            return "the server named no classes at first, and names them now"
        if sorted(answer.names) != sorted(known.order) or len(set(known.order)) < known.count:
            falling = (np.diff(answer.scores) <= 0).all()
            return "the server's classes are others than at first" + (_TOP if falling else "")
        if self._given is not None and known.order != known.named.labels:
            return "the server's classes are in another order than at first, and the argument labels goes by the order"
        return ""


_TOP = (
    ", and their scores come highest first: it seems to give its best classes alone (top-k); let it give one score for "
    "each of its classes"
)
_TOO_LARGE = "the server gave a score that is infinite, or too large for a number of 64 bits"


def _request(images: Sequence[Image]) -> dict[str, Any]:
    return {"images": [_png(image) for image in images]}


def _png(image: Image) -> str:
    return base64.b64encode(pixels.write_png(image)).decode("ascii")


def _read(body: Any) -> _Read:
    """Read an answer; what it lacks or has too much raises, and is told as another shape."""
    version, names = body.get("version", ""), body.get("labels")
    scores = np.asarray(body["scores"], np.float64)
    if scores.ndim != _MATRIX or not scores.size or not isinstance(version, str):
        message = "the server's answer holds no row of scores for each image"
        raise PartError(message)
    if names is None:
        return _Read(scores, version, None)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        message = "the labels in the server's answer are no list of names"
        raise PartError(message)
    return _Read(scores, version, tuple(" ".join(name.split()) for name in names))
