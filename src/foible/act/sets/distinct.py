"""Images of a set that are unlike one another: of those that an embedder places close together the first stays.

Comes in: images one by one, and an embedder. Goes out: those that stay. Neighbours: `export.py`, which takes images;
`search/group.py` groups failures by the same vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from foible.act.sets.rows import Taken
from foible.errors import ConfigError, PluginError
from foible.parts.asking import ask_embedder
from foible.parts.registry import Part
from foible.records import Fault

if TYPE_CHECKING:
    from foible.parts.protocols import Image


class Distinct:
    """Leaves out what is too much like what was taken before it, of the same label."""

    def __init__(self, embedder: Part, least: float, images: Callable[[str], Image | None], batch: int) -> None:
        """Remember whom to ask.

        Args:
            embedder: says what is alike.
            least: above 0, at most 1: images of a label whose vectors have a higher cosine are alike.
            images: gives the pixels of an image by their hash; None where it has gone.
            batch: images that the embedder is shown at once.
        """
        self._embedder, self._least, self._images, self._batch = embedder, least, images, batch
        self._kept: dict[str, list[np.ndarray[tuple[int], np.dtype[np.float64]]]] = {}
        self.left_out = 0
        """Images that were too much like another."""

    def of(self, taken: Iterable[Taken]) -> Iterator[Taken]:
        """Give the images that stay, in their order; what has gone is left for others to count.

        Raises:
            PluginError: the embedder says nothing usable of an image.
        """
        source = iter(taken)
        while some := list(islice(source, self._batch)):
            pixels = [self._images(one.seen.draw.image) for one in some]
            found = iter(ask_embedder(self._embedder, [image for image in pixels if image is not None]))
            for one, image in zip(some, pixels, strict=True):
                if image is None or self._new(one, next(found)):
                    yield one

    def _new(self, one: Taken, vector: np.ndarray[tuple[int], np.dtype[np.float64]] | Fault) -> bool:
        if isinstance(vector, Fault):
            message = f"the embedder, which tells images apart, failed: {vector}; leave --distinct out, or mend it"
            raise PluginError(message)
        norm = float(np.linalg.norm(vector))
        unit = vector / norm if norm > 0 else vector
        kept = self._kept.setdefault(one.finding.trial.hypothesis.label, [])
        if kept and float((np.stack(kept) @ unit).max()) > self._least:
            self.left_out += 1
            return False
        kept.append(unit)
        return True


def refuse_cosine(least: float) -> None:
    """Refuse what is no bound of a cosine.

    Raises:
        ConfigError: it is not above 0 and at most 1.
    """
    if not 0 < least <= 1:
        message = f"--distinct wants a cosine above 0 and at most 1, but got {least}"
        raise ConfigError(message)
