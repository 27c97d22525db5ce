"""Light and air: the colours of the sky, the ground and the things, as they are seen.

In: points that `march` found, what `matter` says of them, and the mood of a scene. Out: linear colours,
(3, n) float32. Where things are is none of its business; laying the layers together is `render`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .grounds import scatter
from .march import SPREAD, Camera, Hits, Vector, unit
from .matter import Colour, Matter, blend, column, scaled, times
from .profiles import Array, Places
from .scene import Scene


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


THICK = 0.1
"""A veil thicker than this is fog: hills fade in it."""
DRY = 0.45
"""Share of the places for a streak of rain that have none."""

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
    light["zenith"] = scaled(light["zenith"], tint)
    light["horizon"] = scaled(light["horizon"], tint)
    veil, hardness = 0.015, 9.0
    if scene.weather == "rain":
        grey = blend(light["horizon"], light["haze"], 0.6)
        grey = blend(grey, (sum(grey) / 3,) * 3, 0.6)
        light["horizon"] = times(grey, 0.80)
        light["zenith"] = times(grey, 0.46)
        light["haze"] = times(grey, 0.80)
        light["key"] = times(light["key"], 0.55)
        light["ambient"] = times(light["ambient"], 1.10)
        veil, hardness = 0.06, 4.5
    elif scene.weather == "fog":
        light["horizon"] = light["haze"]
        light["zenith"] = blend(light["haze"], light["zenith"], 0.15)
        light["key"] = times(light["key"], 0.75)
        light["ambient"] = times(light["ambient"], 1.15)
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
    distant = column(blend(scaled(mood.horizon, (0.50, 0.60, 0.72)), mood.haze, 0.30))
    if mood.veil > THICK:
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


def lit_ground(mood: Mood, albedo: Array, gloss: float, arriving: Places) -> Array:
    """Colours of the ground, (3, n).

    Args:
        mood: the light.
        albedo: the ground's own colours, (3, n).
        gloss: how much it mirrors at a grazing angle.
        arriving: how much of the sun or moon arrives, how much of the sky is in sight, and how
            steeply it is looked at, each (n,) and 0 to 1.
    """
    through, open_sky, steep = arriving
    key = through * max(mood.towards[1], 0.30)
    light: Array = column(mood.key) * key + column(mood.ambient) * open_sky + column(times(mood.fill, 0.6))
    light *= 0.60 if mood.wet else 1.0
    light *= albedo
    grazing = 1.0 - steep
    grazing *= grazing
    light += column(mood.horizon) * ((grazing * grazing * 0.9 + 0.05) * (gloss * (0.35 + 0.65 * open_sky)))
    return light


def lit_body(mood: Mood, hits: Hits, matter: Matter, through: Array, hollow: Array) -> Array:
    """Colours of a body, (3, n): sun or moon, sky, ground, a little fill, highlights and rim.

    Args:
        mood: the light.
        hits: where the body was hit, n times.
        matter: what it is made of there.
        through: how much of the sun or moon arrives, (n,).
        hollow: distance to the body from a little above its surface, (n,): less in its hollows.
    """
    nx, ny, nz = hits.normals
    vx, vy, vz = (-ray for ray in hits.rays)
    lx, ly, lz = mood.towards
    facing = np.maximum(nx * vx + ny * vy + nz * vz, 0.12)
    key = np.maximum(nx * lx + ny * ly + nz * lz, 0.0) * through
    open_sky = np.clip(hollow * 7.0 + 0.3, 0.25, 1.0)
    open_sky = open_sky * np.clip(hits.points[1] * 2.5 + 0.45, 0.45, 1.0)
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
    strength = matter.gloss * (1.5 if mood.wet else 1.0)
    colour: Array = matter.albedo * light + column(mood.key) * (shine * through * strength * 0.7)
    colour += column(mood.rim) * (edge * (0.5 + strength)) + matter.glow * mood.warmth
    return colour


def veiled(colour: Array, depth: Array, mood: Mood, subject: float) -> Array:
    """Colours seen through the air, which hides `mood.veil` of what is as far as the subject."""
    far = depth * (1.0 / subject)
    far = far * far
    share = far / (far + (1.0 - mood.veil) / mood.veil)
    return colour + (column(mood.haze) - colour) * share


def rain_over(colour: Array, camera: Camera, mood: Mood, offset: float) -> Array:
    """Slanting streaks in two layers, fine and coarse."""
    bright = column(blend(times(mood.haze, 1.35), (0.42, 0.46, 0.52), 0.35))
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
        streak = np.clip(1.0 - off / wide, 0.0, 1.0) * (chance > DRY)
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
