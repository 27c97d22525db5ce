"""The records of attribution pictures: what of an image the score of its answer reacts to.

Comes in: numbers of `foible.counterfactual.attribution`. Goes out: plain data, kept in the archive and shown on the
page of a run. Neighbours: `act/attribute.py` makes them, `hunting/attributed.py` reads what is kept,
`report/attribution.py` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

How = Literal["gradients", "occlusion"]
"""gradients: of the input, averaged over disturbed copies. occlusion: what covering a part of the image changes."""
SIDE = 64
"""Rows and columns of a map at most: it is looked at beside a small picture."""


class Looked(NamedTuple):
    """Of which answer to which image it is asked what it reacts to."""

    classifier: int
    """Its place in the run."""
    image: str
    """Hash of the pixels."""
    predicted: int
    """The class that the classifier says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """How much the score of an answer reacts to each part of an image."""

    how: How
    numbers: NDArray[np.uint8]
    """(rows, columns), at most `SIDE` each; 255 is the most of this image: two maps are not to be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributions:
    """The maps of a page."""

    maps: Mapping[Looked, Map]
    made: int = 0
    """Of these, the ones that were made by this call; the others were kept."""
    unscored: Mapping[Looked, str] = field(default_factory=dict)
    """Why there is no map of an image that is shown."""
