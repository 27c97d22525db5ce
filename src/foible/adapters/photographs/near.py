"""Near-duplicates in a set of photographs: copies that were resaved, resized, cropped or brightened.

Comes in: a small picture of each photograph. Goes out: which of them belong together. Neighbour: `labelled.py`
leaves all but one of each group out, as it does where the pixels are the same.

A perceptual hash of the whole frame, as libraries have it, does not see a crop. So each photograph has a hash for every
window of a grid (the signs of its lowest cosine coefficients, as in pHash), and the whole frame of one is looked for
among the windows of the others: in hashes that were sorted, which takes time near-linear in their number. What is near
there is laid over one another, and compared. Measured in `design/0020-near-duplicates.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

    Floats = NDArray[np.float64]
    Side = tuple[float, float]
    """Of a window, along one side: where it starts, and how much of the side it has, 0..1."""
    Whole = NDArray[np.intp]

SIDE = 32
"""Of a small picture, in pixels."""
ALIKE = 0.96
"""Least correlation of two photographs, one laid over the other, that are taken for copies."""
LARGEST = 10
"""Photographs that a group may always have."""
LARGEST_SHARE = 0.1
"""And the share of the set: a larger group tells that small pictures do not tell these photographs apart."""
_FLAT = 2.0
"""Standard deviation of grey values, 0..255, below which a photograph shows too little to be known again."""
_LOW = 8
"""Cosine coefficients along each side whose signs are the hash; that of the mean has none."""
_FINE = 16
"""Those that are compared, at most."""
_RESOLVED = 0.4
"""Of its shorter side in pixels, so many coefficients of a photograph are worth comparing."""
_NEAR_BITS = 10
"""Of 63, in which the hash of a copy differs at most."""
_ORDERS, _BESIDE = 32, 8
"""In so many orders hashes are sorted, and compared with so many before and behind."""
_MOST = 8
"""Photographs that one is compared with, the nearest by hash."""
OTHER_COLOUR = 20.0
"""Levels of 255 by which the colours of some part of a copy differ at most."""
_PARTS = 8
"""Along each side, whose mean colours are compared."""
_PALER = (0.6, 1.5)
"""By which brightness may change all colours."""
_STEPS = ((0.03, 0.6), (0.015, 0.9), (0.008, 0.94), (0.004, 0.95))
"""By which a window is moved, as shares of a side, and the least correlation before: of 200 copies one has less."""
_SHARES = ((1.0, 1), (0.95, 2), (0.9, 3), (0.85, 4), (0.8, 5))
"""Windows: their share of a side, and at how many places along it."""
_AT_ONCE = 256
_WHOLE = (0.0, 1.0)
"""A whole side."""
_MOVES = np.array([(low, high) for low in (-1, 0, 1) for high in (-1, 0, 1)])
"""Of the two ends of a window along a side, in steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """What is kept of a photograph to know its copies."""

    image: str
    """Hash of its pixels."""
    grey: NDArray[np.uint8]
    """Of shape (SIDE, SIDE)."""
    colour: NDArray[np.uint8]
    """Blue and red difference (Cb, Cr), of shape (2, SIDE, SIDE)."""
    shorter: int
    """Its shorter side, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Which photographs are near-duplicates."""

    groups: tuple[tuple[str, ...], ...]
    """Hashes of pixels, of two photographs or more; each group in the order of the hashes."""
    confused: int = 0
    """Where small pictures do not tell the photographs apart: so many fell into one group, and there are no groups."""


def small(image: str, pixels: Image) -> Small:
    """Make the small picture of a photograph."""
    picture = Pictures.fromarray(pixels)
    grey = picture.convert("L").resize((SIDE, SIDE), Pictures.Resampling.BILINEAR)
    colour = np.asarray(picture.convert("YCbCr").resize((SIDE, SIDE), Pictures.Resampling.BILINEAR))[:, :, 1:]
    return Small(
        image=image, grey=np.asarray(grey), colour=np.moveaxis(colour, 2, 0).copy(), shorter=min(pixels.shape[:2])
    )


def near_duplicates(photographs: Sequence[Small]) -> Near:
    """Group photographs of which one is a copy of another, or of a copy of it; their order does not matter.

    What shows next to nothing (one colour, the dark) is in no group.
    """
    told = sorted((one for one in photographs if one.grey.std() >= _FLAT), key=lambda one: one.image)
    if len(told) < 2:  # noqa: PLR2004 - two photographs may be copies
        return Near(groups=())
    groups = _Groups(len(told))
    most = max(LARGEST, int(LARGEST_SHARE * len(photographs)))
    for first, window, second in _candidates(_hashes(told)):
        if groups.of(first) == groups.of(second) or not _copies(told[first], window, told[second]):
            continue
        size = groups.join(first, second)
        if size > most:
            return Near(groups=(), confused=size)
    return Near(groups=tuple(tuple(told[number].image for number in own) for own in groups.found()))


class _Groups:
    """Disjoint groups of numbers, joined two by two."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._size = [1] * count

    def of(self, number: int) -> int:
        """Return which number stands for a group."""
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, first: int, second: int) -> int:
        """Join the groups of two numbers; return the size."""
        small, large = sorted((self.of(first), self.of(second)), key=lambda one: self._size[one])
        self._parent[small] = large
        self._size[large] += self._size[small]
        return self._size[large]

    def found(self) -> Iterable[list[int]]:
        """Give every group of two or more."""
        groups: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            groups.setdefault(self.of(number), []).append(number)
        return [own for own in groups.values() if len(own) > 1]


# --- cosine coefficients of windows -----------------------------------------------------------------------------------


def _cosines(start: Floats, share: Floats, count: int) -> Floats:
    """Return what turns the pixels along a side into coefficients of windows: shape (windows, count, SIDE).

    Args:
        start: where each window begins, as a share of the side.
        share: how much of the side it has.
        count: of coefficients.
    """
    ends = np.arange(SIDE + 1) / SIDE
    start, share = start[:, None], share[:, None]
    low, high = np.clip(ends[:-1], start, start + share), np.clip(ends[1:], start, start + share)
    turns = np.pi * ((low + high) / 2 - start) / share
    waves = np.cos(np.arange(count)[:, None] * turns[:, None, :])
    found: Floats = waves * ((high - low) / share)[:, None, :]
    return found


def _grid() -> tuple[Floats, Floats]:
    """Return every window: (start of rows and of columns, share of a side), shapes (windows, 2) and (windows,)."""
    starts, shares = [], []
    for share, places in _SHARES:
        along = np.linspace(0.0, 1.0 - share, places)
        starts += [(row, column) for row in along for column in along]
        shares += [share] * places**2
    return np.array(starts), np.array(shares)


_STARTS, _SHARE = _grid()


def _hashes(photographs: Sequence[Small]) -> NDArray[np.uint64]:
    """Return the hashes of every window of each photograph, that of the whole frame first: (photographs, windows)."""
    rows, columns = (_cosines(_STARTS[:, axis], _SHARE, _LOW) for axis in (0, 1))
    weights = np.uint64(1) << np.arange(_LOW**2 - 1, dtype=np.uint64)
    found = np.empty((len(photographs), len(_SHARE)), np.uint64)
    for begin in range(0, len(photographs), _AT_ONCE):
        grey = np.array([one.grey for one in photographs[begin : begin + _AT_ONCE]], np.float64)
        for window in range(len(_SHARE)):
            values = (rows[window] @ grey @ columns[window].T).reshape(len(grey), -1)[:, 1:]
            # Not above zero but above what rounding leaves of it, which another machine may round otherwise.
            found[begin : begin + len(grey), window] = np.where(values > 1e-6, weights, np.uint64(0)).sum(1)  # noqa: PLR2004 - see above
    return found


# --- looking for near hashes ------------------------------------------------------------------------------------------


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Give (photograph, window of it, photograph whose whole frame has a near hash), the nearest first.

    Hashes are sorted in several orders of their bits, and each whole frame is compared with those that stand beside its
    place (Charikar 2002): where hashes are near, their first bits are the same in some order.
    """
    count, windows = hashes.shape
    every, whole = hashes.ravel(), hashes[:, 0]
    rng = np.random.default_rng(0)
    beside = np.arange(-_BESIDE, _BESIDE)
    kept = np.empty((0, 4), np.int64)  # distance, photograph whose frame it is, the other, its window
    for _ in range(_ORDERS):
        order = rng.permutation(_LOW**2)
        turned = _permuted(every, order)
        ranks = np.argsort(turned, kind="stable")
        place = np.searchsorted(turned[ranks], _permuted(whole, order))
        entries = ranks[np.clip(place[:, None] + beside, 0, len(every) - 1)]
        apart = np.bitwise_count(every[entries] ^ whole[:, None]).astype(np.int64)
        frame, at = np.nonzero((apart <= _NEAR_BITS) & (entries // windows != np.arange(count)[:, None]))
        other, window = np.divmod(entries[frame, at], windows)
        rows = np.column_stack([apart[frame, at], frame, other, window])
        kept = _nearest(np.concatenate([kept, rows]))
    for _, frame, other, window in kept[np.lexsort(kept.T[::-1])].tolist():
        yield other, window, frame


def _nearest(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep the best window of each pair, and the nearest pairs of each photograph."""
    rows = rows[np.lexsort((rows[:, 3], rows[:, 0], rows[:, 2], rows[:, 1]))]
    rows = rows[_first(rows[:, 1:3])]
    rows = rows[np.lexsort((rows[:, 2], rows[:, 0], rows[:, 1]))]
    first = np.flatnonzero(_first(rows[:, 1:2]))
    rank = np.arange(len(rows)) - np.repeat(first, np.diff([*first, len(rows)]))
    return rows[rank < _MOST]


def _first(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of sorted rows which one is the first of its kind."""
    found = np.ones(len(rows), bool)
    found[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return found


def _permuted(hashes: NDArray[np.uint64], order: Whole) -> NDArray[np.uint64]:
    """Put the bits of hashes into another order, a byte at a time by a table."""
    byte = np.arange(256, dtype=np.uint64)
    found = np.zeros_like(hashes)
    for place in range(0, 64, 8):
        table = np.zeros(256, np.uint64)
        for bit in range(8):
            table |= (byte >> np.uint64(bit) & np.uint64(1)) << np.uint64(order[place + bit])
        found |= table[(hashes >> np.uint64(place) & np.uint64(255)).astype(np.intp)]
    return found


# --- laying one over the other ----------------------------------------------------------------------------------------


def _copies(of: Small, window: int, frame: Small) -> bool:
    """Tell whether the frame of one photograph shows what about this window of another shows.

    The window is moved and stretched to where both fit best.
    """
    count = int(np.clip(_RESOLVED * min(of.shorter, frame.shorter), _LOW - 2, _FINE))
    whole = _beside(_WHOLE, 0.0, count)[1]
    wanted = _weighed(frame.grey.astype(np.float64), whole, whole)[0, 0]
    grey = of.grey.astype(np.float64)
    rows, columns = ((float(start), float(_SHARE[window])) for start in _STARTS[window])

    def best(step: float) -> tuple[float, Side, Side]:
        (down, waves), (along, others) = _beside(rows, step, count), _beside(columns, step, count)
        scores = np.round(_weighed(grey, waves, others) @ wanted, 6)
        row, column = divmod(int(scores.argmax()), len(along))
        return float(scores[row, column]), down[row], along[column]

    score = best(0.0)[0]
    for step, least in _STEPS:
        better = score >= least
        while better and score < ALIKE:
            found, down, along = best(step)
            better = found > score
            if better:
                score, rows, columns = found, down, along
    return score >= ALIKE and _colours_apart(of, rows, columns, frame) <= OTHER_COLOUR


def _colours_apart(of: Small, rows: Side, columns: Side, frame: Small) -> float:
    """Return by how many levels of 255 the colours of some part of a window and of a frame differ, at most.

    A thing in another colour on the same ground is no copy, though its grey values say so.
    """
    whole = _means(*_WHOLE)
    one = _means(*rows) @ (of.colour.astype(np.float64) - 128.0) @ _means(*columns).T
    other = whole @ (frame.colour.astype(np.float64) - 128.0) @ whole.T
    # Brightness moves colours towards grey or away from it, all alike.
    norm = float((one * one).sum())
    scale = np.clip(float((one * other).sum()) / norm, *_PALER) if norm > 0 else 1.0
    return float(np.sqrt(((scale * one - other) ** 2).sum(0)).max())


def _means(start: float, share: float) -> Floats:
    """Return what takes the means of the parts of a window along a side: shape (parts, SIDE)."""
    ends = np.arange(SIDE + 1) / SIDE
    parts = start + share * np.arange(_PARTS + 1) / _PARTS
    inside = np.minimum(ends[1:], parts[1:, None]) - np.maximum(ends[:-1], parts[:-1, None])
    found: Floats = np.clip(inside, 0.0, None) * (_PARTS / share)
    return found


@lru_cache(maxsize=1024)
def _beside(side: Side, step: float, count: int) -> tuple[tuple[Side, ...], Floats]:
    """Move either end of a window along a side, or both ends, by a step; 0 for not at all.

    Returns:
        The windows that lie within the frame, n of them; and what turns pixels along the side into coefficients of
        each: shape (n, count, SIDE). Many photographs are compared about the same windows.
    """
    ends = np.array([side[0], side[0] + side[1]])
    low, high = np.clip(ends + (_MOVES if step else np.zeros((1, 2))) * step, 0.0, 1.0).T
    able = high - low >= _SHARES[-1][0] - 2 * _STEPS[0][0]
    start, share = low[able], (high - low)[able]
    return tuple(zip(start.tolist(), share.tolist(), strict=True)), _cosines(start, share, count)


def _weighed(grey: Floats, down: Floats, along: Floats) -> Floats:
    """Return the coefficients of windows, each weighed by its frequency and all together of length 1.

    Args:
        grey: of shape (SIDE, SIDE).
        down: what turns pixels along the rows into coefficients, of shape (n, count, SIDE).
        along: likewise along the columns, of shape (m, count, SIDE); each is taken with each.

    Returns:
        Of shape (n, m, count² - 1). That of the mean is left out, so that neither brightness nor contrast counts.
    """
    found = ((down @ grey)[:, None] @ along.transpose(0, 2, 1)) * _weights(down.shape[1])
    flat = found.reshape(len(down), len(along), -1)[:, :, 1:]
    scaled: Floats = flat / np.maximum(np.sqrt((flat * flat).sum(2, keepdims=True)), 1e-9)
    return scaled


@lru_cache
def _weights(count: int) -> Floats:
    """Return what each coefficient is multiplied by, so that each says as much as another: shape (count, count).

    Coefficients of photographs fall as one over the frequency.
    """
    frequency = np.sqrt(np.add.outer(np.arange(count) ** 2, np.arange(count) ** 2)) + 1.0
    doubled = np.where(np.arange(count) > 0, np.sqrt(2.0), 1.0)
    found: Floats = frequency * np.multiply.outer(doubled, doubled)
    return found
