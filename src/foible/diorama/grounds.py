"""The six grounds, each painted once as a seamless square and read at the right sharpness.

In: the name of a ground, and points on the plane. Out: linear colours. The light that falls on them
is `shade`'s. A ground is a pyramid of ever smaller averages of itself, so that far away it neither
flickers nor turns to noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .profiles import Array

SIDE = 512
"""Texels along the edge of the finest level."""
SPAN = 4.0
"""Length of that edge in the world."""
LEVELS = 9
PLAIN_SNOW = 0.994
"""Share of the snow that does not sparkle."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground, ready to be read."""

    texels: Array
    """Linear red, green, blue of every texel of every level, (3, n) float32."""
    offsets: Array
    """Where each level begins in `texels`."""


def read(ground: Ground, x: Array, z: Array, footprint: Array) -> Array:
    """Colours at points of the plane, averaged over about `footprint`; (3, n) float32, linear."""
    whole, exponent = np.frexp(np.maximum(footprint * (SIDE / SPAN), 1.0))
    level = np.minimum(exponent - 1, LEVELS - 2)
    share = np.clip(whole * 2.0 - 1.0, 0.0, 1.0)
    fine = _read_level(ground, x, z, level)
    fine += (_read_level(ground, x, z, level + 1) - fine) * share
    return fine


def _read_level(ground: Ground, x: Array, z: Array, level: Array) -> Array:
    """Bilinear reading of one level per point."""
    side = SIDE >> level
    scale = side.astype(np.float32) * np.float32(1.0 / SPAN)
    u, v = x * scale, z * scale
    left, top = np.floor(u), np.floor(v)
    right, down = u - left, v - top
    mask = side - 1
    column, row = left.astype(np.int32), top.astype(np.int32)
    first = ground.offsets.take(level) + (row & mask) * side
    second = ground.offsets.take(level) + ((row + 1) & mask) * side
    near, far = column & mask, (column + 1) & mask
    above: Array = ground.texels.take(first + near, axis=1)
    above += (ground.texels.take(first + far, axis=1) - above) * right
    below = ground.texels.take(second + near, axis=1)
    below += (ground.texels.take(second + far, axis=1) - below) * right
    above += (below - above) * down
    return above


@cache
def ground_of(name: str) -> Ground:
    """The ground of that name. Raises KeyError for a ground that does not exist."""
    image = np.clip(_PAINTERS[name](), 0.0, 1.0).astype(np.float32)
    levels = [image]
    for _ in range(LEVELS - 1):
        last = levels[-1]
        pairs = last[0::2, 0::2] + last[1::2, 0::2] + (last[0::2, 1::2] + last[1::2, 1::2])
        levels.append(pairs * np.float32(0.25))
    sizes = [level.shape[0] * level.shape[1] for level in levels]
    offsets = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int32)
    texels = np.concatenate([level.reshape(-1, 3) for level in levels]).T
    return Ground(np.ascontiguousarray(texels), offsets)


def scatter(x: Array, y: Array, salt: int) -> Array:
    """A hash of integer places: float32 in [0, 1), the same for the same place and salt."""
    mixed = x.astype(np.uint32) * np.uint32(0x9E3779B1) + y.astype(np.uint32) * np.uint32(0x85EBCA77)
    mixed = mixed + np.uint32(salt * 0x27D4EB2F & 0xFFFFFFFF)
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    mixed = (mixed ^ (mixed >> np.uint32(15))) >> np.uint32(8)
    share: Array = mixed.astype(np.float32) * np.float32(2**-24)
    return share


def _noise(columns: int, rows: int, salt: int, warp: Array | float = 0.0) -> Array:
    """Seamless value noise with that many cells across and down; (SIDE, SIDE) in [0, 1)."""
    place = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    u, v = np.broadcast_arrays(place[None, :] * columns + warp, place[:, None] * rows)
    left, top = np.floor(u), np.floor(v)
    right, down = u - left, v - top
    right, down = right * right * (3 - 2 * right), down * down * (3 - 2 * down)
    near, far = left.astype(np.int64) % columns, (left.astype(np.int64) + 1) % columns
    over, under = top.astype(np.int64) % rows, (top.astype(np.int64) + 1) % rows
    above = scatter(near, over, salt) * (1 - right) + scatter(far, over, salt) * right
    below = scatter(near, under, salt) * (1 - right) + scatter(far, under, salt) * right
    blended: Array = above * (1 - down) + below * down
    return blended


def _clouds(cells: int, octaves: int, salt: int) -> Array:
    """Noise upon noise, each half as strong and twice as fine; (SIDE, SIDE), mean about 0.5."""
    total: Array = np.zeros((SIDE, SIDE), np.float32)
    weight = 0.0
    for octave in range(octaves):
        share = 0.5**octave
        total = total + _noise(cells << octave, cells << octave, salt + octave) * share
        weight += share
    return total / weight


def _mix(low: tuple[float, float, float], high: tuple[float, float, float], share: Array) -> Array:
    """Colours between two; (SIDE, SIDE, 3)."""
    share = np.clip(share, 0.0, 1.0)[..., None]
    mixed: Array = np.array(low, np.float32) * (1 - share) + np.array(high, np.float32) * share
    return mixed


def _grass() -> Array:
    """Blades leaning this way and that, over darker earth, in greener and drier patches."""
    lean = (_clouds(6, 2, 11) - 0.5) * 14
    blades = np.maximum(_noise(160, 34, 12, lean), _noise(120, 26, 13, -lean))
    patches = _clouds(5, 3, 14)
    colour = _mix((0.035, 0.085, 0.012), (0.23, 0.36, 0.06), (blades - 0.32) * 1.7)
    dry = _mix((0.05, 0.08, 0.01), (0.40, 0.42, 0.10), (blades - 0.30) * 1.6)
    share = np.clip((patches - 0.50) * 3.0, 0.0, 0.8)[..., None]
    return colour * (1 - share) + dry * share


def _sand() -> Array:
    """Wind ripples over fine grain."""
    place = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    phase = place[:, None] * 13 + _clouds(3, 3, 21) * 2.6 + place[None, :] * 2
    wave = np.abs(phase - np.floor(phase) - 0.5) * 2
    wave = wave * wave * (3 - 2 * wave)
    grain = _noise(256, 256, 22) - 0.5 + (_noise(128, 128, 23) - 0.5) * 0.7
    tone = 0.18 + 0.52 * wave + 0.30 * _clouds(4, 2, 24) + 0.22 * grain
    return _mix((0.40, 0.27, 0.13), (0.80, 0.62, 0.38), tone)


def _wood() -> Array:
    """Planks along x, each with its own tone, grain and joint."""
    place = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    across = np.broadcast_to(place[:, None] * 9, (SIDE, SIDE))
    plank = np.floor(across)
    inside = across - plank
    tone = scatter(plank, plank * 0, 31)
    shifted = (place[None, :] + scatter(plank, plank * 0, 32)) * 1
    length = shifted * 2
    board = np.floor(length) % 2
    tone = 0.6 * tone + 0.4 * scatter(plank, board, 33)
    rings = _noise(5, 70, 34) * 5 + _noise(12, 36, 35) * 2 + tone * 7
    rings = np.abs(rings - np.floor(rings) - 0.5) * 2
    fibre = _noise(24, 256, 36)
    colour = _mix((0.25, 0.125, 0.055), (0.56, 0.345, 0.17), 0.20 + 0.38 * tone + 0.25 * rings + 0.25 * fibre)
    gap = np.minimum(np.minimum(inside, 1 - inside) * 22, np.abs(length - np.floor(length + 0.5)) * 170)
    colour *= np.clip(0.18 + gap, 0.0, 1.0)[..., None]
    return colour


def _snow() -> Array:
    """Soft hollows, and here and there a crystal that catches the light."""
    soft = _clouds(5, 4, 41)
    colour = _mix((0.44, 0.53, 0.68), (0.76, 0.80, 0.85), (soft - 0.25) * 2.0)
    place = np.arange(SIDE)
    sparkle = scatter(place[None, :], place[:, None], 45) > PLAIN_SNOW
    return colour + sparkle[..., None] * np.float32(0.35)


def _tiles() -> Array:
    """Square tiles in two glazes, with pale grout between."""
    place = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 10
    u, v = np.broadcast_arrays(place[None, :], place[:, None])
    column, row = np.floor(u), np.floor(v)
    dark = (column + row) % 2
    tone = scatter(column, row, 51) * 0.25 + _clouds(12, 3, 52) * 0.35
    glaze = _mix((0.58, 0.53, 0.45), (0.80, 0.76, 0.68), tone * 1.6)
    other = _mix((0.07, 0.16, 0.20), (0.17, 0.30, 0.34), tone * 1.6)
    colour = glaze * (1 - dark)[..., None] + other * dark[..., None]
    edge = np.minimum(0.5 - np.abs(u - column - 0.5), 0.5 - np.abs(v - row - 0.5))
    grout = np.clip((0.045 - edge) * 40, 0.0, 1.0)[..., None]
    grouted: Array = colour * (1 - grout) + np.float32(0.42) * grout
    return grouted


def _asphalt() -> Array:
    """Dark binder with pale chips, and a few worn patches."""
    chips = _noise(230, 230, 61)
    fine = _noise(256, 256, 62)
    worn = _clouds(4, 3, 63)
    tone = 0.10 + 0.35 * fine + 0.40 * (worn - 0.4) + np.clip((chips - 0.72) * 4, 0, 1) * 0.75
    crack = np.abs(_clouds(4, 4, 64) - 0.5)
    colour = _mix((0.045, 0.047, 0.052), (0.27, 0.27, 0.275), tone)
    return colour * np.clip(0.35 + crack * 60, 0.0, 1.0)[..., None]


_PAINTERS = {
    "grass": _grass,
    "sand": _sand,
    "wood": _wood,
    "snow": _snow,
    "tiles": _tiles,
    "asphalt": _asphalt,
}
