"""The images of a report: each held once, however often it is shown.

Comes in: draw keys, and a way to fetch the PNG file of an image. Goes out: numbered draws for the page to refer to, and
the data of each different image as WebP: pixel for pixel where it is small, reduced where it is large, so that a page
of hundreds of images can be sent. Reduced ones lead to the whole ones, in a folder beside the page. Neighbour:
`html.py` lays the page out, and writes that folder.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foible.report.words import class_name, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from foible.findings import HuntResult
    from foible.records import Observation

_SMALL = 160
"""Images up to this many pixels a side are held pixel for pixel, and are enlarged with hard edges."""
_LARGEST = 256
"""Larger ones are held with at most this many pixels a side."""
_QUALITY = 85
HASH = re.compile(r"[0-9a-f]{64}")
WHOLE = "images"
"""The folder beside a page that has the whole images."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image, to be put into the page once."""

    number: int
    width: int
    """Of the small image, in pixels."""
    height: int
    data: str
    """A data URI of the small image."""
    whole: str = ""
    """Where the whole image lies, as a link from the page; empty where the page holds it pixel for pixel."""
    size: tuple[int, int] = (0, 0)
    """(width, height) of the whole image."""

    @property
    def small(self) -> bool:
        """Whether it should be enlarged with hard edges."""
        return max(self.width, self.height) <= _SMALL


@dataclass(frozen=True, slots=True)
class Shown:
    """A draw that the page shows."""

    number: int
    key: str
    seen: Observation | None
    """As the classifier sees it whose finding shows it."""
    picture: Picture | None
    """None where there is no image, or its file is torn."""
    said: str
    """The predicted label; empty without a prediction."""
    caption: str

    @property
    def status(self) -> str:
        """`failed`, `passed`, `unscored`, or `unknown` where nothing is known of the draw but its key."""
        return self.seen.outcome.status if self.seen else "unknown"

    @property
    def alt(self) -> str:
        """What the image is, in words."""
        if self.seen is None:
            return f"Draw {shorten(self.key, 40)}"
        verdict = {"failed": "Failed", "passed": "Passed", "unscored": "Unscored"}[self.status]
        taken = f", taken for {self.said}" if self.said else ""
        seed = "" if self.seen.request.arm == "test" else f" (seed {self.seen.request.seed})"
        return printable(f"{verdict}{taken}: {shorten(self.seen.request.text, 200)}{seed}")


class Pictures:
    """Numbers draws and images in the order in which the page first shows them."""

    def __init__(self, result: HuntResult, image: Callable[[str], bytes | None]) -> None:
        self._result = result
        self._image = image
        self.reduced: dict[str, str] = {}
        """Images that the page holds reduced: the link to the whole one, by the hash of its pixels."""
        self._shown: dict[tuple[str, int], Shown] = {}
        self._fetched: dict[str, Picture | None] = {}
        """By hash of the pixels."""
        self._pictures: dict[str, Picture] = {}
        """By data."""
        self._placed: set[int] = set()

    def of(self, key: str, classifier: int | None = None) -> Shown:
        """Give a draw as a classifier sees it; its image is fetched the first time.

        Args:
            key: of the draw.
            classifier: its place; None for the first for which the draw failed.
        """
        answered = self._result.observations.get(key)
        if classifier is None:
            statuses = [o.status for o in answered.outcomes] if answered is not None else []
            classifier = statuses.index("failed") if "failed" in statuses else 0
        if (key, classifier) not in self._shown:
            seen = None if answered is None else answered.seen_by(classifier)
            predicted = None if seen is None else seen.outcome.predicted
            self._shown[key, classifier] = Shown(
                number=len(self._shown) + 1,
                key=key,
                seen=seen,
                picture=None if seen is None or not seen.draw.image else self._picture(seen.draw.image),
                said="" if predicted is None else class_name(predicted, self._result, classifier, limit=80),
                caption=self._result.captions.get(key, ""),
            )
        return self._shown[key, classifier]

    def first(self, shown: Shown) -> bool:
        """Tell whether this is the first place that asks for the draw: the one to come back to."""
        before = shown.number in self._placed
        self._placed.add(shown.number)
        return not before

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Every draw so far."""
        return tuple(self._shown.values())

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every different image so far."""
        return tuple(self._pictures.values())

    def _picture(self, name: str) -> Picture | None:
        if name not in self._fetched:
            self._fetched[name] = self._fetch(name)
        return self._fetched[name]

    def _fetch(self, name: str) -> Picture | None:
        from foible import pixels

        data = self._image(name)
        image = None if data is None else pixels.read_png(data)
        if image is None:
            return None
        small = webp(image)
        uri = small.uri
        if uri not in self._pictures:
            # The hash is of the image that was read, so that a name that means something to a browser is no link.
            height, width, _ = image.shape
            whole = (
                f"{WHOLE}/{name}.png" if (width, height) != (small.width, small.height) and HASH.fullmatch(name) else ""
            )
            if whole:
                self.reduced[name] = whole
            self._pictures[uri] = Picture(
                len(self._pictures) + 1, small.width, small.height, uri, whole, (width, height)
            )
        return self._pictures[uri]


@dataclass(frozen=True, slots=True)
class Small:
    """The image that a page holds in place of a whole one."""

    data: bytes
    """A WebP file."""
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The file as a data URI."""
        return "data:image/webp;base64," + base64.b64encode(self.data).decode("ascii")


def data_uri(png: bytes) -> str:
    """Make the data URI of the image that a page holds in place of a PNG file; empty where the file is torn."""
    from foible import pixels

    image = pixels.read_png(png)
    return "" if image is None else webp(image).uri


def webp(image: NDArray[np.uint8], *, exact: bool = True) -> Small:
    """Make the image that a page holds.

    Args:
        image: uint8 (height, width, 3), RGB; whole up to 160 pixels a side, else reduced to at most 256.
        exact: hold a small one pixel for pixel.
    """
    from PIL import Image as Pictures

    picture, file = Pictures.fromarray(image), io.BytesIO()
    largest = max(picture.size)
    if largest > _LARGEST:
        sides = [max(1, round(side * _LARGEST / largest)) for side in picture.size]
        picture = picture.resize((sides[0], sides[1]), Pictures.Resampling.LANCZOS)
    if largest <= _SMALL and exact:
        # With the most effort a file is 5 % smaller, and takes seven times as long.
        picture.save(file, "WEBP", lossless=True, quality=25, method=2)
    else:
        picture.save(file, "WEBP", quality=_QUALITY, method=4)
    return Small(file.getvalue(), *picture.size)
