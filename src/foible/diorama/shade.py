"""Light and matter: what colour the sky, the ground and the things are.

In: points that `march` found, and the mood of a scene. Out: linear colours, (3, n) float32. Where
things are is none of its business, and putting the layers together is `render`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import _profiles as parts
from .grounds import scatter
from .march import SPREAD, Arrays, Body, Camera, Hits, Vector, unit
from .scene import Scene
from .shapes import Array

Colour = tuple[float, float, float]

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
MARKS: dict[str, Colour] = {
    "yellow": (0.10, 0.06, 0.04),
    "white": (0.13, 0.16, 0.24),
    "black": (0.52, 0.48, 0.40),
}
"""The colour of stripes and spots, where it is not cream."""

STRIPE = 0.27
"""Arc length from one stripe to the next."""
SPOT_ROW, SPOT_GAP, SPOT = 0.24, 0.26, 0.078
"""Arc length between rows of spots, between spots in a row, and the radius of a spot."""


@dataclass(frozen=True, slots=True)
class Mood:
    """The light and air of one scene; colours are linear."""

    towards: Vector
    """Unit vector to the sun or moon."""
    key: Colour
    """Light of the sun or moon."""
    ambient: Colour
    """Light of the sky."""
    bounce: Colour
    """Light from the ground."""
    fill: Colour
    """Faint light from beside the camera, so that no side is lost in the dark."""
    rim: Colour
    """Light along outlines."""
    zenith: Colour
    horizon: Colour
    haze: Colour
    """Colour of fog and of great distance."""
    veil: float
    """How much of the object the air hides, 0 to 1."""
    hardness: float
    """How sharp shadows are."""
    wet: bool
    stars: bool
    warmth: float
    """How strongly lamps glow."""


_LIGHTS: dict[str, dict[str, Colour]] = {
    "daylight": {
        "key": (1.20, 1.13, 0.99),
        "ambient": (0.36, 0.43, 0.53),
        "bounce": (0.20, 0.18, 0.15),
        "fill": (0.10, 0.10, 0.10),
        "rim": (0.16, 0.18, 0.20),
        "zenith": (0.16, 0.36, 0.72),
        "horizon": (0.68, 0.80, 0.90),
        "haze": (0.66, 0.71, 0.75),
    },
    "sunset": {
        "key": (1.30, 0.87, 0.55),
        "ambient": (0.33, 0.29, 0.38),
        "bounce": (0.20, 0.13, 0.10),
        "fill": (0.12, 0.11, 0.12),
        "rim": (0.26, 0.15, 0.10),
        "zenith": (0.20, 0.22, 0.46),
        "horizon": (1.00, 0.52, 0.22),
        "haze": (0.70, 0.49, 0.39),
    },
    "night": {
        "key": (0.30, 0.37, 0.54),
        "ambient": (0.050, 0.068, 0.130),
        "bounce": (0.025, 0.03, 0.05),
        "fill": (0.115, 0.115, 0.125),
        "rim": (0.17, 0.21, 0.31),
        "zenith": (0.006, 0.010, 0.034),
        "horizon": (0.050, 0.075, 0.160),
        "haze": (0.056, 0.072, 0.125),
    },
}
_WARMTH = {"daylight": 0.12, "sunset": 0.45, "night": 0.8}
_VEIL = {"close": 0.30, "middle": 0.33, "far": 0.36}


def mood_of(scene: Scene, towards: Vector, tint: Colour) -> Mood:
    """The light and air of a scene, with the light from `towards` and the sky tinted a little."""
    light = dict(_LIGHTS[scene.light])
    light["zenith"] = _scaled(light["zenith"], tint)
    light["horizon"] = _scaled(light["horizon"], tint)
    veil, hardness = 0.015, 9.0
    if scene.weather == "rain":
        grey = _blend(light["horizon"], light["haze"], 0.6)
        grey = _blend(grey, (sum(grey) / 3,) * 3, 0.6)
        light["horizon"] = _times(grey, 0.80)
        light["zenith"] = _times(grey, 0.46)
        light["haze"] = _times(grey, 0.80)
        light["key"] = _times(light["key"], 0.55)
        light["ambient"] = _times(light["ambient"], 1.10)
        veil, hardness = 0.06, 4.5
    elif scene.weather == "fog":
        light["horizon"] = light["haze"]
        light["zenith"] = _blend(light["haze"], light["zenith"], 0.15)
        light["key"] = _times(light["key"], 0.75)
        light["ambient"] = _times(light["ambient"], 1.15)
        veil, hardness = _VEIL[scene.distance], 5.0
    return Mood(
        towards=towards,
        veil=veil,
        hardness=hardness,
        wet=scene.weather == "rain",
        stars=scene.light == "night" and scene.weather == "clear",
        warmth=_WARMTH[scene.light],
        **light,
    )


def _times(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def _scaled(colour: Colour, by: Colour) -> Colour:
    return (colour[0] * by[0], colour[1] * by[1], colour[2] * by[2])


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    a, b, c = (x + (y - x) * share for x, y in zip(one, other, strict=True))
    return (a, b, c)


def column(colour: Colour) -> Array:
    """A colour as (3, 1) float32, ready to meet (n,) arrays."""
    return np.array(colour, np.float32)[:, None]


def sky(camera: Camera, rows: slice, mood: Mood, offset: float) -> Array:
    """The sky behind the pixels of `rows`: gradient, hills on the horizon, stars; (3, n)."""
    rise = np.maximum(camera.directions[1][rows], 0.0)
    share = rise / (rise + 0.16)
    colour = column(mood.horizon) + (column(mood.zenith) - column(mood.horizon)) * share
    across, upward = camera.across[rows], camera.upward[rows]
    if mood.stars:
        colour = colour + _stars(across, upward, offset) * np.minimum(rise * 14.0, 1.0)
        colour += column((0.80, 0.80, 0.70)) * _moon(across, upward, camera.pixel, offset)
    place = across * 2.6 + (offset * 64.0 + 8.0)
    cell = np.floor(place)
    inner = place - cell
    inner = inner * inner * (3.0 - 2.0 * inner)
    low, high = scatter(cell, cell * 0, 71), scatter(cell + 1.0, cell * 0, 71)
    ridge = 0.012 + 0.055 * (low + (high - low) * inner)
    hill = np.clip((ridge - rise) / camera.pixel + 0.5, 0.0, 1.0)
    distant = column(_blend(_scaled(mood.horizon, (0.50, 0.60, 0.72)), mood.haze, 0.30))
    if mood.veil > 0.1:
        hill = hill * 0.25
    return colour + (distant - colour) * hill


def _stars(across: Array, upward: Array, offset: float) -> Array:
    """Brightness of the stars: one round speck in a few of 40 x 40 cells."""
    u, v = (across + 1.0) * 20.0, (upward + 1.0) * 20.0
    column, row = np.floor(u), np.floor(v)
    salt = int(offset * 1000) + 7
    off_u = u - column - 0.3 - 0.4 * scatter(column, row, salt + 1)
    off_v = v - row - 0.3 - 0.4 * scatter(column, row, salt + 2)
    speck = np.maximum(1.0 - (off_u * off_u + off_v * off_v) * 12.0, 0.0)
    return np.maximum(scatter(column, row, salt) - 0.86, 0.0) * 5.0 * speck


def _moon(across: Array, upward: Array, pixel: float, offset: float) -> Array:
    """A crescent in one of the upper corners: 1 on it, 0 off it."""
    side = 0.72 if int(offset * 4096) % 2 else -0.72
    x, y = across - side - (offset - 0.5) * 0.3, upward - 0.80
    disc = np.sqrt(x * x + y * y)
    x = x - 0.035
    bite = np.sqrt(x * x + (y - 0.02) * (y - 0.02))
    soft = pixel / SPREAD
    return np.clip((0.085 - disc) / soft + 0.5, 0.0, 1.0) * np.clip((bite - 0.07) / soft + 0.5, 0.0, 1.0)


def lit_ground(
    albedo: Array, mood: Mood, through: Array, open_sky: Array, falls: Array, gloss: float
) -> Array:
    """Colours of the ground.

    Args:
        albedo: (3, n) linear.
        through: how much of the sun or moon arrives, (n,).
        open_sky: how much of the sky is in sight, (n,).
        falls: downward part of the ray's direction, (n,), 0 to 1.
        gloss: how much the ground mirrors at a grazing angle.
    """
    key = through * max(mood.towards[1], 0.30)
    light = column(mood.key) * key + column(mood.ambient) * open_sky + column(_times(mood.fill, 0.6))
    dry = 0.60 if mood.wet else 1.0
    grazing = 1.0 - falls
    grazing = grazing * grazing
    sheen = (grazing * grazing * 0.9 + 0.05) * (gloss * (0.35 + 0.65 * open_sky))
    return albedo * light * dry + column(mood.horizon) * sheen


def surface(body: Body, scene: Scene, hits: Hits, camera: Camera, phase: float, hue: Colour) -> Arrays:
    """What a body is made of where the hits are.

    Returns:
        albedo (3, n), gloss (n,) in 0 to 1, and glow (3, n): light that it gives off, to be scaled.
    """
    places = body.local(*hits.points)
    if body.shape.square:
        return _crate(*places)
    arcs, part, added = body.shape.surface(*places)
    paint = _scaled(PAINTS[scene.colour], hue)
    table = np.array(
        [
            paint, _blend(paint, CREAM, 0.25), (0.42, 0.42, 0.43), CREAM, (0.05, 0.04, 0.035),
            (1.0, 0.62, 0.18), (0.95, 0.85, 0.62), (0.90, 0.20, 0.02), (0.85, 0.85, 0.82), CREAM,
        ],
        np.float32,
    ).T  # fmt: skip
    gloss = np.array([0.45, 0.35, 0.9, 0.15, 0.1, 0.0, 0.2, 0.3, 0.3, 0.1], np.float32).take(part)
    if scene.label == "bucket":
        part = np.where(added, parts.METAL, part)
    else:
        part = np.where(added, parts.PAINT, part)
    albedo = table.take(part, axis=1)
    edge = camera.pixel * hits.depth
    if scene.texture != "plain":
        pattern = _stripes if scene.texture == "striped" else _spots
        mark = pattern(body, places, arcs, edge, phase) * ((part == parts.PAINT) & ~added)
        other = column(MARKS.get(scene.colour, CREAM))
        albedo = albedo + (other - albedo) * mark
    if scene.label == "barrel" and body.shape.middle > 0.3:
        albedo = albedo + (column((0.20, 0.20, 0.21)) - albedo) * _hoops(places, edge)
    glow = np.zeros_like(albedo)
    flame, bulb = part == parts.FLAME, part == parts.BULB
    glow += column((3.0, 1.6, 0.45)) * flame
    glow += column((1.5, 1.15, 0.65)) * bulb
    if scene.label == "table lamp":
        shade = (part == parts.PAINT) & (places[1] > 0.5)
        glow += albedo * column((0.62, 0.50, 0.34)) * shade
    return albedo, gloss, glow


def _crate(x: Array, y: Array, z: Array) -> Arrays:
    """A wooden crate: slats along its faces and a frame about their edges."""
    side = np.maximum(np.abs(x), np.abs(z)) > 0.162
    u = np.where(np.abs(x) > np.abs(z), z, x)
    v = np.where(side, y - 0.17, np.minimum(np.abs(x), np.abs(z)))
    frame = np.maximum(np.abs(u), np.abs(v)) > 0.126
    slat = (v + 0.17) * 14.7
    gap = np.abs(slat - np.floor(slat + 0.5)) < 0.10
    tone = np.where(frame, 1.0, np.where(gap, 0.42, 0.74)).astype(np.float32)
    albedo = column((0.56, 0.36, 0.17)) * tone
    return albedo, np.full(x.shape, 0.05, np.float32), np.zeros_like(albedo)


def _hoops(places: Arrays, edge: Array) -> Array:
    """The barrel's iron hoops: 1 on one, 0 between; its flat head has none."""
    x, y, z = places
    off = np.full(y.shape, 1.0, np.float32)
    for height in parts.HOOPS:
        off = np.minimum(off, np.abs(y - height))
    outside = x * x + z * z > 0.27 * 0.27
    return np.clip((parts.HOOP - off) / edge + 0.5, 0.0, 1.0) * outside


def _stripes(body: Body, places: Arrays, arcs: Array, edge: Array, phase: float) -> Array:
    """Bands about the axis: 1 on a stripe, 0 between, soft over a pixel."""
    wave = arcs * (1.0 / STRIPE) + phase
    off = np.abs(wave - np.floor(wave) - 0.5) * STRIPE
    return np.clip((STRIPE * 0.185 - off) / edge + 0.5, 0.0, 1.0)


def _spots(body: Body, places: Arrays, arcs: Array, edge: Array, phase: float) -> Array:
    """Rows of spots about the axis, as many as fit each row: 1 on a spot, 0 between."""
    x, y, z = places
    around = _turns(y - body.shape.lying, z) if body.shape.lying else _turns(x, z)
    row = arcs * (1.0 / SPOT_ROW) + phase
    number = np.floor(row)
    middle = np.clip((number + (0.5 - phase)) * (SPOT_ROW * 100.0), 0.0, len(body.shape.rows) - 1.0)
    girth = body.shape.rows.take(middle.astype(np.intp)) * 6.2831855
    count = np.maximum(np.floor(girth * (1.0 / SPOT_GAP) + 0.5), 1.0)
    along = around * count + number * 0.5 + phase
    off_u = (along - np.floor(along) - 0.5) * (girth / count)
    off_v = (row - number - 0.5) * SPOT_ROW
    off = np.sqrt(off_u * off_u + off_v * off_v)
    return np.clip((SPOT - off) / edge + 0.5, 0.0, 1.0)


def _turns(x: Array, y: Array) -> Array:
    """The angle of (x, y) in whole turns, -0.5 to 0.5, within a thousandth; exactly rounded steps."""
    wide, tall = np.abs(x), np.abs(y)
    slope = np.minimum(wide, tall) / np.maximum(np.maximum(wide, tall), 1e-9)
    angle = slope * (0.15476 - 0.02976 * slope * slope)
    angle = np.where(tall > wide, 0.25 - angle, angle)
    angle = np.where(x < 0.0, 0.5 - angle, angle)
    return np.where(y < 0.0, -angle, angle)


def lit_body(
    hits: Hits, camera: Camera, mood: Mood, matter: Arrays, through: Array,
    clearance: Callable[[Array, Array, Array], Array],
) -> Array:
    """Colours of a body, (3, n): sun or moon, sky, ground, a little fill, highlights and rim.

    Args:
        matter: albedo, gloss and glow, from `surface`.
        through: how much of the sun or moon arrives, (n,).
        clearance: distance from a point to the body, for the shade in its hollows.
    """  # fmt: skip
    albedo, gloss, glow = matter
    nx, ny, nz = hits.normals
    vx, vy, vz = (-part[hits.pixels] for part in camera.directions)
    lx, ly, lz = mood.towards
    facing = np.maximum(nx * vx + ny * vy + nz * vz, 0.12)
    key = np.maximum(nx * lx + ny * ly + nz * lz, 0.0) * through
    x, y, z = hits.points
    hollow = clearance(x + nx * 0.1, y + ny * 0.1, z + nz * 0.1)
    open_sky = np.clip(hollow * 7.0 + 0.3, 0.25, 1.0)
    open_sky = open_sky * np.clip(y * 2.5 + 0.45, 0.45, 1.0)
    up = (ny * 0.5 + 0.5) * open_sky
    light = column(mood.key) * key + column(mood.ambient) * up
    light += column(mood.bounce) * (open_sky - up) + column(mood.fill) * facing
    edge = 1.0 - facing
    edge = edge * edge
    edge = edge * edge * open_sky
    hx, hy, hz = unit(vx + lx, vy + ly, vz + lz)
    shine = np.maximum(nx * hx + ny * hy + nz * hz, 0.0)
    for _ in range(5):
        shine = shine * shine
    strength = gloss * (1.5 if mood.wet else 1.0)
    colour = albedo * light + column(mood.key) * (shine * through * strength * 0.7)
    colour += column(mood.rim) * (edge * (0.5 + strength)) + glow
    return colour


def veiled(colour: Array, depth: Array, mood: Mood, subject: float) -> Array:
    """Colours seen through the air, which hides `mood.veil` of what is as far as the subject."""
    far = depth * (1.0 / subject)
    far = far * far
    share = far / (far + (1.0 - mood.veil) / mood.veil)
    return colour + (column(mood.haze) - colour) * share


def rain_over(colour: Array, camera: Camera, mood: Mood, offset: float) -> Array:
    """Slanting streaks in two layers, fine and coarse."""
    bright = column(_blend(_times(mood.haze, 1.35), (0.42, 0.46, 0.52), 0.35))
    for layer, (columns, rows, share) in enumerate(((22.0, 2.6, 0.40), (13.0, 1.7, 0.55))):
        u = (camera.across + camera.upward * -0.10) * columns * 0.5 + columns
        cell = np.floor(u)
        fall = scatter(cell, cell * 0, 80 + layer + int(offset * 4096) * 3)
        v = (camera.upward + 1.0) * rows * 0.5 + fall * 7.0
        drop = np.floor(v)
        chance = scatter(cell, drop, 90 + layer + int(offset * 4096) * 5)
        along = v - drop
        off = np.abs(u - cell - 0.25 - 0.5 * fall) * (2.0 / columns)
        wide = max(0.5 * camera.pixel / SPREAD, 0.012 + 0.006 * layer)
        streak = np.clip(1.0 - off / wide, 0.0, 1.0) * (chance > 0.45)
        streak = streak * along * (1.0 - along) * 4.0 * share
        colour = colour + (bright - colour) * streak
    return colour


def developed(colour: Array, camera: Camera) -> Array:
    """Linear colours to bytes: vignette, a soft shoulder, gamma 2; (3, n) uint8."""
    corner = camera.across * camera.across + camera.upward * camera.upward
    colour = colour * (1.03 - 0.10 * corner)
    colour = np.maximum(colour, 0.0)
    colour = colour * 1.22 / (1.0 + colour * 0.22)
    return (np.minimum(np.sqrt(colour), 1.0) * 255.0 + 0.5).astype(np.uint8)
