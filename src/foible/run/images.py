"""The images of an archive by the hash of their pixels: what the generator drew, kept once, whoever asked for it.

Comes in: hashes. Goes out: PNG bytes or pixels. The archive's table `images` says where each lies; `shards.py` has the
files. An image counts only if its pixels are those of its name, so neither a torn file nor a wrong place can deceive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foible.run.shards import Place, Shards

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Images:
    """Finds images by the hash of their pixels."""

    shards: Shards
    places: Callable[[Iterable[str]], Mapping[str, Place]]
    """Says where images lie, by hash; those that are not known are left out."""

    def bytes(self, image: str) -> bytes | None:
        """Return the PNG file of an image; None where there is none.

        Raises:
            StoreError: the folder or the archive cannot be read.
        """
        place = self.places([image]).get(image)
        return None if place is None else self.shards.read(place)

    def get(self, image: str) -> NDArray[np.uint8] | None:
        """Return an image (height, width, 3); None where it is missing, torn or another one."""
        place = self.places([image]).get(image)
        return None if place is None else self.shards.get(place, image)

    def holds(self, images: Iterable[str]) -> set[str]:
        """Return the images for which there are bytes, without reading them."""
        places = self.places(images)
        there = self.shards.holds(places.values())
        return {image for image, place in places.items() if place in there}
