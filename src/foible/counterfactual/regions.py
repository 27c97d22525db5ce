"""Which cells of an image may change: an order of them, and masks that grow along it.

Comes in: numbers for pixels. Goes out: masks. Neighbours: `attribution.py` and the generator's contrast have the
numbers; `search.py` lets masks grow.

A cell is the least square that the generator can draw anew. Masks consist of whole cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLAMP = 97
"""Percentile from which on a contrast counts as full: single cells are far apart."""
_OBJECT = 0.4
"""Share of a full contrast from which on a cell shows the object."""
_LEAST = 0.02
"""Share of the cells that an object takes up at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The cells that may change, and which of them change first."""

    ranking: NDArray[np.float64]
    """(rows, columns): a cell with a larger number changes before others."""
    allowed: NDArray[np.bool_]
    """(rows, columns): where nothing may change it is False."""
    cell: int
    """Pixels a side."""

    def mask(self, share: float) -> NDArray[np.bool_]:
        """Give the mask of a share of the cells that may change, 0..1, at least one: (height, width)."""
        order = np.argsort(np.where(self.allowed, -self.ranking, np.inf), axis=None, kind="stable")
        chosen = np.zeros(self.allowed.size, bool)
        chosen[order[: max(1, round(share * int(self.allowed.sum())))]] = True
        return spread(chosen.reshape(self.allowed.shape), self.cell)


def spread(cells: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Make pixels of cells."""
    return np.repeat(np.repeat(cells, cell, axis=0), cell, axis=1)


def by_cell(numbers: NDArray[np.floating], cell: int) -> NDArray[np.float64]:
    """Average numbers of pixels over each cell, and a little over its neighbours: (rows, columns)."""
    return np.asarray(ndimage.gaussian_filter(summed(numbers, cell) / cell**2, 0.7, mode="nearest"), np.float64)


def summed(numbers: NDArray[np.floating], cell: int) -> NDArray[np.float64]:
    """Add up numbers of pixels over each cell: (rows, columns)."""
    rows, columns = (side // cell for side in numbers.shape)
    return np.asarray(numbers.astype(np.float64).reshape(rows, cell, columns, cell).sum(axis=(1, 3)), np.float64)


def object_of(contrast: NDArray[np.floating], cell: int) -> NDArray[np.bool_] | None:
    """Say which cells show the object, from how far images for its name and for others are apart.

    Args:
        contrast: (height, width), 0 or more.
        cell: pixels a side.

    Returns:
        (rows, columns), without holes; None where next to nothing stands out, or next to everything does.
    """
    each = summed(contrast, cell) / cell**2
    full = float(np.percentile(each, _CLAMP))
    if full <= 0:
        return None
    full_enough = np.pad(np.minimum(each / full, 1) > _OBJECT, 1)
    closed = ndimage.binary_closing(full_enough, np.ones((3, 3), bool))[1:-1, 1:-1]
    found = np.asarray(ndimage.binary_fill_holes(closed), bool)
    return found if _LEAST <= found.mean() <= 1 - _LEAST else None


def at_random(shape: tuple[int, int], seed: int) -> NDArray[np.float64]:
    """Rank cells at random so that neighbours go together, as they do in an attribution: (rows, columns)."""
    return np.asarray(
        ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.5, mode="wrap"), np.float64
    )
