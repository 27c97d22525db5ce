"""Each attempt is written as soon as it is finished, so that an interrupt costs one seed, and the same call goes on.

Comes in: attempts. Goes out: the same, from the folder, where they were made by the very same call. Neighbours:
`explain.py` makes attempts; `report/explaining.py` writes the page over all of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foible import pixels
from foible.errors import StoreError
from foible.explaining import Attempt, Control
from foible.report.files import write_in_place

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Kept:
    """The attempts in a folder."""

    folder: Path
    key: str
    """Of everything that decides an attempt, beside its seed."""

    def attempt(self, seed: int) -> Attempt | None:
        """Give the attempt of a seed; None where there is none, or it is another call's, or damaged."""
        try:
            found: Any = json.loads(self._path(seed, "json").read_text("utf-8"))
            if found["key"] != self.key:
                return None
            control = found["attempt"].pop("control")
            held = Attempt(
                **found["attempt"],
                image=self._image(seed, "after", found["image"]),
                mask=_mask(self._image(seed, "mask", found["mask"])),
                control=None if control is None else Control(**control),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return held if held.seed == seed else None

    def keep(self, attempt: Attempt) -> Attempt:
        """Write an attempt, its pictures first.

        Raises:
            StoreError: the folder cannot be written.
        """
        fields = asdict(attempt)
        image, mask = fields.pop("image"), fields.pop("mask")
        hashes = [self._write(attempt.seed, "after", image), self._write(attempt.seed, "mask", _shown(mask))]
        document = {"key": self.key, "image": hashes[0], "mask": hashes[1], "attempt": fields}
        write_in_place(self._path(attempt.seed, "json"), json.dumps(document, indent=1) + "\n")
        return attempt

    def _path(self, seed: int, kind: str) -> Path:
        return self.folder / f"seed-{seed}{'.json' if kind == 'json' else f'-{kind}.png'}"

    def _write(self, seed: int, kind: str, image: NDArray[np.uint8] | None) -> str:
        if image is None:
            return ""
        path = self._path(seed, kind)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pixels.write_png(image))
        except OSError as problem:
            message = f"{path} cannot be written ({problem.strerror}); free the place or name another --out"
            raise StoreError(message) from problem
        return pixels.content_hash(image)

    def _image(self, seed: int, kind: str, wanted: str) -> NDArray[np.uint8] | None:
        """Read a picture; raises ValueError where it is not the one that was written."""
        if not wanted:
            return None
        image = pixels.read_png(self._path(seed, kind).read_bytes())
        if image is None or pixels.content_hash(image) != wanted:
            message = "another picture"
            raise ValueError(message)
        return image


def _shown(mask: NDArray[np.bool_] | None) -> NDArray[np.uint8] | None:
    """Make a picture of a mask: white where it may change."""
    return None if mask is None else np.repeat(mask[..., None].astype(np.uint8) * 255, 3, axis=2)


def _mask(image: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
    return None if image is None else image[..., 0] > 0
