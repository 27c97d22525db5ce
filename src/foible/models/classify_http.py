"""Image classification by a server of one's own, asked in JSON over HTTP.

Comes in: images. Goes out: the server's scores, or why there are none, image by image. Neighbours: `_http.py` asks and
is patient; `docs/plugins.md` has the wire format, and a server in a few lines.

What answers at an address can change unseen, so the server may say its `version`: it becomes part of the identity, and
an answer under another version is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foible import pixels
from foible.errors import ArgumentError, PartError, PluginError, brief
from foible.models import _http, _names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

ADAPTER_VERSION = 1
"""Raised when the wire format, or what is made of an answer, changes."""
_GREY = np.full((64, 64, 3), 128, np.uint8)
_MOST = 256
_MATRIX = 2


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
        """Ask about one grey image, so that what is wrong is told before a hunt.

        Args:
            name: the address, such as `https://host/classify`.
            labels: `imagenet`, a text file with one class a line, or names; by default what the server says.
            batch: images in one request; one that fails takes all of them along.
            key_env: name of the environment variable that holds the key; none by default.
            timeout: seconds until an answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be, or names that do not match the scores.
            PluginError: the server does not answer, or not in this format.
        """
        if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= _MOST:
            message = f"the argument batch of {name!r} is a whole number from 1 to {_MOST}, but got {brief(batch, 40)}"
            raise ArgumentError(message)
        self._batch = batch
        self._server = _http.Server(
            name, name, key_env=key_env, timeout=timeout, retries=retries, concurrency=concurrency
        )
        first = self._server.each(_request, _read, [[_GREY]])[0]
        if isinstance(first, PartError):
            message = f"{name!r} is no classifier that can be asked: {first}"
            raise PluginError(message) from first
        scores, self._version, own = first
        named = _names.names(name, scores.shape[1], given=labels, own=own)
        self.labels = named.labels
        self.accepted = named.accepted
        told = f"{self._server.address}\0{self._version}"
        self.fingerprint = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        self.resolved = {**_http.RUNTIME, "key_env": None, "batch": None}
        self.version = f"adapter {ADAPTER_VERSION}; server {brief(self._version, 100) or 'without a version'}"

    def classify(self, images: Sequence[Image]) -> list[NDArray[np.float64] | PartError]:
        """Give the scores of each image; a `PartError` stands where the server gave none.

        Raises:
            OutOfRequests: the ceiling of requests is reached.
        """
        asked = [images[start : start + self._batch] for start in range(0, len(images), self._batch)]
        answers = self._server.each(_request, _read, asked)
        return [row for some, answer in zip(asked, answers, strict=True) for row in self._rows(some, answer)]

    def _rows(self, images: Sequence[Image], answer: Any) -> Sequence[NDArray[np.float64] | PartError]:
        """Give one entry for each image of a request."""
        if isinstance(answer, PartError):
            return [answer] * len(images)
        scores, version, _ = answer
        if version != self._version:
            message = f"the server's version is now {brief(version, 40)!r}, and was {brief(self._version, 40)!r}"
            return [PartError(message)] * len(images)
        if len(scores) != len(images):
            message = f"the server gave {len(scores)} rows of scores for {len(images)} images"
            return [PartError(message)] * len(images)
        rows: Sequence[NDArray[np.float64]] = scores
        return rows


def _request(images: Sequence[Image]) -> dict[str, Any]:
    return {"images": [_png(image) for image in images]}


def _png(image: Image) -> str:
    return base64.b64encode(pixels.write_png(image)).decode("ascii")


def _read(body: Any) -> tuple[NDArray[np.float64], str, list[Any] | None]:
    """Read scores, version and names; what they lack or have too much raises, and is told as another shape."""
    scores = np.asarray(body["scores"], np.float64)
    version, labels = body.get("version", ""), body.get("labels")
    if scores.ndim != _MATRIX or not scores.size or not isinstance(version, str):
        message = "the server's answer holds no row of scores for each image"
        raise PartError(message)
    return scores, version, labels if isinstance(labels, list) else None
