"""Matter: what the things are made of, painted and patterned.

In: where a body was hit. Out: its own colour there, how glossy it is and whether it glows. What shape
it has is in `shapes`; what the light makes of it is in `shade`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import profiles as parts
from .march import Body, Hits
from .profiles import Array, Places
from .scene import Scene
from .shapes import HALF, Shape

Colour = tuple[float, float, float]
"""Red, green, blue; linear, so that twice the number is twice the light."""

PAINTS: dict[str, Colour] = {
    "red": (0.60, 0.035, 0.04),
    "orange": (0.88, 0.26, 0.015),
    "yellow": (0.90, 0.64, 0.04),
    "green": (0.03, 0.34, 0.12),
    "blue": (0.035, 0.13, 0.58),
    "purple": (0.27, 0.055, 0.46),
    "white": (0.86, 0.86, 0.83),
    "black": (0.020, 0.020, 0.024),
}
"""Linear albedo of each colour word."""

CREAM: Colour = (0.86, 0.79, 0.62)
METAL: Colour = (0.42, 0.42, 0.43)
IRON: Colour = (0.20, 0.20, 0.21)
DARK: Colour = (0.05, 0.04, 0.035)
CONE: Colour = (0.90, 0.20, 0.02)
BAND: Colour = (0.85, 0.85, 0.82)
WOOD: Colour = (0.60, 0.40, 0.19)
AMBER: Colour = (1.0, 0.62, 0.18)
PEARL: Colour = (0.95, 0.85, 0.62)
FLAME: Colour = (3.0, 1.6, 0.45)
BULB: Colour = (1.5, 1.15, 0.65)
THROUGH_SHADE: Colour = (0.62, 0.50, 0.34)
"""What of the bulb's light a lampshade lets through, before its own colour."""

MARKS: dict[str, Colour] = {
    "yellow": (0.10, 0.06, 0.04),
    "white": (0.13, 0.16, 0.24),
    "black": (0.60, 0.55, 0.46),
}
"""The colour of stripes and spots, where it is not cream."""

STRIPE = 0.24
"""Arc length from one stripe to the next."""
SPOT_ROW, SPOT_GAP, SPOT = 0.28, 0.34, 0.092
"""Arc length between rows of spots, between spots in a row, and the radius of a spot.

Spots are wide apart and stripes close together, so that a small picture tells one from the other.
"""
CRATE_EDGE, CRATE_FRAME, SLAT_GAP = 0.008, 0.044, 0.10
"""How near its edges a point of the crate is on another face, or on the frame; gaps between slats."""

_GLOSS = np.array([0.45, 0.35, 0.9, 0.15, 0.1, 0.0, 0.2, 0.3, 0.3, 0.1], np.float32)
"""Of every part, in the order of `profiles`."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is at n points of a body."""

    albedo: Array
    """The share of light that it throws back, (3, n)."""
    gloss: Array
    """(n,), 0 to 1."""
    glow: Array
    """Light that it gives off at full strength, (3, n)."""


def matter_of(body: Body, scene: Scene, hits: Hits, phase: float, hue: Colour) -> Matter:
    """What a body is made of where it was hit.

    Args:
        body: the object or the companion.
        scene: for the object's colour and texture.
        hits: where.
        phase: where its pattern begins, 0 to 1.
        hue: factors on its paint, about 1.
    """
    places = body.local(*hits.points)
    if body.shape.square:
        return _crate(*places)
    arcs, part, added = body.shape.surface(*places)
    gloss = _GLOSS.take(part)
    part = np.where(added, parts.METAL if body.name == "bucket" else parts.PAINT, part)
    albedo = _palette(scaled(PAINTS[scene.colour], hue)).take(part, axis=1)
    if scene.texture != "plain":
        painted = (part == parts.PAINT) & ~added
        if scene.texture == "striped":
            mark = _stripes(arcs, hits.footprint, phase)
        else:
            mark = _spots(body.shape, places, arcs, hits.footprint, phase)
        albedo += (column(MARKS.get(scene.colour, CREAM)) - albedo) * (mark * painted)
    if body.name == "barrel":
        albedo += (column(IRON) - albedo) * _hoops(places, hits.footprint)
    glow = column(FLAME) * (part == parts.FLAME) + column(BULB) * (part == parts.BULB)
    if body.name == "table lamp":
        shade = (part == parts.PAINT) & (places[1] > parts.SHADE)
        glow += albedo * column(THROUGH_SHADE) * shade
    return Matter(albedo, gloss, glow)


def _palette(paint: Colour) -> Array:
    """Albedo of every part, in the order of `profiles`; (3, parts) float32."""
    colours = paint, blend(paint, CREAM, 0.25), METAL, CREAM, DARK, AMBER, PEARL, CONE, BAND, CREAM
    return np.array(colours, np.float32).T


def _crate(x: Array, y: Array, z: Array) -> Matter:
    """A wooden crate: slats along its faces and a frame about their edges."""
    side = np.maximum(np.abs(x), np.abs(z)) > HALF - CRATE_EDGE
    u = np.where(np.abs(x) > np.abs(z), z, x)
    v = np.where(side, y - HALF, np.minimum(np.abs(x), np.abs(z)))
    frame = np.maximum(np.abs(u), np.abs(v)) > HALF - CRATE_FRAME
    slat = (v + HALF) * 14.7
    gap = np.abs(slat - np.floor(slat + 0.5)) < SLAT_GAP
    tone = np.where(frame, 1.0, np.where(gap, 0.42, 0.74)).astype(np.float32)
    albedo = column(WOOD) * tone
    return Matter(albedo, np.full(x.shape, 0.05, np.float32), np.zeros_like(albedo))


def _hoops(places: Places, edge: Array) -> Array:
    """The barrel's iron hoops: 1 on one, 0 between; its flat head has none."""
    x, y, z = places
    off = np.full(y.shape, 1.0, np.float32)
    for height in parts.HOOPS:
        off = np.minimum(off, np.abs(y - height))
    outside = x * x + z * z > parts.HEAD * parts.HEAD
    hoop: Array = np.clip((parts.HOOP - off) / edge + 0.5, 0.0, 1.0) * outside
    return hoop


def _stripes(arcs: Array, edge: Array, phase: float) -> Array:
    """Bands about the axis: 1 on a stripe, 0 between, soft over a pixel."""
    wave = arcs * (1.0 / STRIPE) + phase
    off = np.abs(wave - np.floor(wave) - 0.5) * STRIPE
    return np.clip((STRIPE * 0.19 - off) / edge + 0.5, 0.0, 1.0)


def _spots(shape: Shape, places: Places, arcs: Array, edge: Array, phase: float) -> Array:
    """Rows of spots about the axis, as many as fit each row: 1 on a spot, 0 between."""
    x, y, z = places
    around = _turns(y - shape.lying, z) if shape.lying else _turns(x, z)
    row = arcs * (1.0 / SPOT_ROW) + phase
    number = np.floor(row)
    middle = np.clip((number + (0.5 - phase)) * (SPOT_ROW * 100.0), 0.0, len(shape.rows) - 1.0)
    girth = shape.rows.take(middle.astype(np.intp)) * 6.2831855
    count = np.maximum(np.floor(girth * (1.0 / SPOT_GAP) + 0.9), 1.0)
    along = around * count + number * 0.5 + phase
    off_u = (along - np.floor(along) - 0.5) * (girth / count)
    off_v = (row - number - 0.5) * SPOT_ROW
    off = np.sqrt(off_u * off_u + off_v * off_v)
    size = np.minimum(girth * 0.09, SPOT)
    return np.clip((size - off) / edge + 0.5, 0.0, 1.0)


def _turns(x: Array, y: Array) -> Array:
    """The angle of (x, y) in whole turns, -0.5 to 0.5, within a thousandth; exactly rounded steps."""
    wide, tall = np.abs(x), np.abs(y)
    slope = np.minimum(wide, tall) / np.maximum(np.maximum(wide, tall), 1e-9)
    angle = slope * (0.15476 - 0.02976 * slope * slope)
    angle = np.where(tall > wide, 0.25 - angle, angle)
    angle = np.where(x < 0.0, 0.5 - angle, angle)
    return np.where(y < 0.0, -angle, angle)


def times(colour: Colour, factor: float) -> Colour:
    """A colour so many times as bright."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def scaled(colour: Colour, by: Colour) -> Colour:
    """A colour seen in a light of another colour."""
    return (colour[0] * by[0], colour[1] * by[1], colour[2] * by[2])


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """A colour on the way from one (0) to the other (1)."""
    a, b, c = (x + (y - x) * share for x, y in zip(one, other, strict=True))
    return (a, b, c)


def column(colour: Colour) -> Array:
    """A colour as (3, 1) float32, ready to meet (n,) arrays."""
    return np.array(colour, np.float32)[:, None]
