"""Scenes into pixels: sets the stage, then lays sky, ground, things and weather over one another.

In: complete scenes (`scene`) and seeds. Out: bytes. Geometry is `march`'s, colour is `shade`'s; the
words were dealt with long ago. What words leave open (angles, sizes, places, tints) is taken from
the seed here, each from a stream of its own, so a scene with one word changed keeps all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from ..errors import ArgumentError
from .grounds import ground_of, read
from .march import Arrays, Body, Camera, Hits, Vector, light_through, look, mirrored, trace
from .scene import Scene, stream
from .shade import (
    Colour, Mood, column, developed, lit_body, lit_ground, mood_of, rain_over, sky, surface, veiled,
)  # fmt: skip
from .shapes import Array, shape_of

Wobble = Callable[[str, float], float]
"""(field, most) -> the seed's number for that field, between -most and most."""

SIZES = range(64, 257)
"""Sizes that can be drawn, in pixels along each edge."""

_DISTANCE = {"close": 2.54, "middle": 3.3, "far": 4.6}
_SCALE = {"dumbbell": 0.92, "teapot": 0.95}
"""How much smaller the widest things are drawn, to stay in the picture."""
_TURN = {"coffee mug": 0.30, "teapot": 0.38, "dumbbell": 0.45, "bucket": 0.45}
"""How far, in quarter turns, a thing may turn without hiding what it is known by."""
_MIRROR = {"grass": 0.3, "sand": 0.3, "wood": 0.8, "snow": 0.25, "tiles": 1.0, "asphalt": 1.0}
"""How well each ground mirrors when it is wet; tiles do so always, if less."""
_GLOSS = {"grass": 0.05, "sand": 0.04, "wood": 0.16, "snow": 0.06, "tiles": 0.16, "asphalt": 0.10}


@dataclass(frozen=True, slots=True)
class _Stage:
    """One scene, set up: everything that its pixels depend on."""

    scene: Scene
    seed: int
    camera: Camera
    mood: Mood
    bodies: tuple[Body, ...]
    """The object first."""
    subject: float
    """Distance from the camera to the object."""


def render(scenes: Sequence[Scene], seeds: Sequence[int], size: int) -> np.ndarray:
    """Draw scenes.

    Args:
        scenes: what to draw, n of them.
        seeds: n integers for everything that words leave open.
        size: pixels along each edge, 64 to 256.

    Returns:
        (n, size, size, 3) uint8. Each image depends on its own scene, seed and size alone.

    Raises:
        ArgumentError: `size` is outside 64 to 256, or the two sequences differ in length.
    """
    if size not in SIZES:
        raise ArgumentError(f"expected a size of 64 to 256 pixels, got {size!r}")
    if len(scenes) != len(seeds):
        raise ArgumentError(f"expected one seed per scene, got {len(seeds)} for {len(scenes)} scenes")
    images = np.empty((len(scenes), size, size, 3), np.uint8)
    for image, scene, seed in zip(images, scenes, seeds, strict=True):
        image[:] = _picture(_stage(scene, seed, size))
    return images


def _stage(scene: Scene, seed: int, size: int) -> _Stage:
    """Put the camera, the light and the things in their places."""

    def wobble(field: str, most: float) -> float:
        return (stream(seed, f"render/{field}") * 2.0 - 1.0) * most

    above = scene.viewpoint == "above"
    tilt = 46.0 + wobble("elevation", 4.0) if above else 11.0 + wobble("elevation", 2.0)
    down = _quarter_turns(tilt / 90.0)
    subject = _DISTANCE[scene.distance] * (1.0 + wobble("range", 0.025))
    bodies, shift = _bodies(scene, wobble)
    aim_x = wobble("aim x", 0.05) + shift
    aim_y = bodies[0].centre[1] + wobble("aim y", 0.04) + (0.0 if above else 0.05)
    camera = look(size, (aim_x, aim_y + subject * down[1], subject * down[0]), down)
    tint = 1.0 + wobble("red", 0.08), 1.0 + wobble("green", 0.05), 1.0 + wobble("blue", 0.08)
    mood = mood_of(scene, _sunward(scene.light, wobble), tint)
    return _Stage(scene, seed, camera, mood, bodies, subject)


def _bodies(scene: Scene, wobble: Wobble) -> tuple[tuple[Body, ...], float]:
    """The object, the companion if there is one, and how far to look aside to see both."""
    shape = shape_of(scene.label)
    side = 1.0 if wobble("side", 1.0) < 0.0 else -1.0
    cosine, sine = _quarter_turns(wobble("turn", _TURN.get(scene.label, 1.0)))
    plump = wobble("plump", 0.06)
    grown = 1.0 + wobble("grown", 0.04)
    grown *= _SCALE.get(scene.label, 1.0)
    width, height = grown * (1.0 + plump), grown * (1.0 - plump)
    facing = -side if scene.label == "coffee mug" else 1.0 if wobble("facing", 1.0) < 0.0 else -1.0
    thing = Body(shape, (0.0, 0.0), (facing * cosine, sine), width, height)
    left, right = (extent * width for extent in shape.extents(facing))
    if scene.companion != "none":
        scale = 1.0 + wobble("companion grown", 0.06)
        near = right if side > 0.0 else left
        away = side * (near * 0.94 + 0.20 * scale + wobble("apart", 0.03))
        turned = _quarter_turns(wobble("companion turn", 0.35))
        place = away, -0.20 + wobble("behind", 0.08)
        other = Body(shape_of(scene.companion), place, turned, scale, scale)
        left, right = max(left, 0.17 - away), max(right, 0.17 + away)
        return (thing, other), (right - left) * 0.5
    return (thing,), (right - left) * 0.5


def _sunward(light: str, wobble: Wobble) -> Vector:
    """A unit vector to the sun or moon: in front of the object, to one side, low at sunset."""
    rise, most = {"daylight": (48.0, 8.0), "sunset": (21.0, 4.0), "night": (44.0, 8.0)}[light]
    flat, up = _quarter_turns((rise + wobble("sun height", most)) / 90.0)
    front, aside = _quarter_turns((52.0 + wobble("sun angle", 16.0)) / 90.0)
    side = 1.0 if wobble("sun side", 1.0) < 0.0 else -1.0
    return (side * aside * flat, up, front * flat)


def _quarter_turns(turns: float) -> tuple[float, float]:
    """Cosine and sine of an angle in quarter turns, within 0.2 degrees, without the C library.

    They come from the tangent of the half angle, so they lie on the unit circle to the last bit, and
    they are the same on every machine.
    """
    whole = floor(turns)
    part = turns - whole
    half = part * (0.7854 + part * part * 0.2146)
    cosine, sine = (1.0 - half * half) / (1.0 + half * half), 2.0 * half / (1.0 + half * half)
    for _ in range(whole % 4):
        cosine, sine = -sine, cosine
    return cosine, sine


def _picture(stage: _Stage) -> Array:
    """All layers from back to front; (size, size, 3) uint8."""
    camera, mood = stage.camera, stage.mood
    size = int(round(len(camera.across) ** 0.5))
    offset = stream(stage.seed, "render/offset")
    first = size * int(np.count_nonzero(camera.directions[1][::size] > -0.004))
    colour = np.empty((3, size * size), np.float32)
    if first:
        colour[:, :first] = sky(camera, slice(0, first), mood, offset)
    colour[:, first:] = _ground(stage, first)
    for body in sorted(stage.bodies, key=lambda body: body.at[1]):
        hits = trace(body, camera)
        seen = _thing(stage, body, hits)
        behind = colour[:, hits.pixels]
        colour[:, hits.pixels] = behind + (seen - behind) * hits.cover
    if mood.wet:
        colour = rain_over(colour, camera, mood, offset)
    return developed(colour, camera).T.reshape(size, size, 3)


def _ground(stage: _Stage, first: int) -> Array:
    """The ground from pixel `first` on, in light and shadow, seen through the air; (3, n)."""
    camera, mood = stage.camera, stage.mood
    dx, dy, dz = (part[first:] for part in camera.directions)
    depth = np.minimum(camera.eye[1] / -dy, 60.0)
    x, z = dx * depth + camera.eye[0], dz * depth + camera.eye[2]
    albedo = _ground_colour(stage, x, z, depth * camera.pixel / np.sqrt(-dy))
    through = np.ones_like(depth)
    open_sky = np.ones_like(depth)
    for body in stage.bodies:
        through *= light_through(body, (x, np.zeros_like(x), z), mood.towards, mood.hardness)
        off_x, off_z = x - body.at[0], z - body.at[1]
        reach = body.radius * 1.2 + 0.32
        near = np.flatnonzero(off_x * off_x + off_z * off_z < reach * reach)
        points = x[near], np.full(len(near), 0.01, np.float32), z[near]
        clear = np.clip(body.distance(*points) * 3.2, 0.0, 1.0)
        open_sky[near] *= 0.35 + 0.65 * clear * (2.0 - clear)
    gloss = _GLOSS[stage.scene.ground] + (0.35 if mood.wet else 0.0)
    colour = lit_ground(albedo, mood, through, open_sky, -dy, gloss)
    if mood.wet or stage.scene.ground == "tiles":
        _reflect(stage, colour, first)
    return veiled(colour, depth, mood, stage.subject)


def _reflect(stage: _Stage, colour: Array, first: int) -> None:
    """Lay the mirror image of the things over wet or glazed ground, in place."""
    below = mirrored(stage.camera)
    strength = _MIRROR[stage.scene.ground]
    for body in stage.bodies:
        hits = trace(body, below)
        matter = _matter(stage, body, hits)
        dim = np.full(hits.depth.shape, 0.75, np.float32)
        seen = lit_body(hits, below, stage.mood, matter, dim, body.distance)
        falls = below.directions[1][hits.pixels]
        grazing = (1.0 - falls) * (1.0 - falls)
        share = hits.cover * (grazing * 0.45 + 0.06) * (strength if stage.mood.wet else 0.6)
        share = share * (hits.pixels >= first)
        pixels = np.maximum(hits.pixels - first, 0)
        colour[:, pixels] += (seen - colour[:, pixels]) * share


def _ground_colour(stage: _Stage, x: Array, z: Array, footprint: Array) -> Array:
    """The ground's own colour, turned a little and shifted at random; (3, n)."""
    angle = stream(stage.seed, "render/ground angle") * 0.8 - 0.4
    if stage.scene.ground in ("grass", "asphalt", "snow"):
        angle *= 5.0
    cosine, sine = _quarter_turns(angle)
    shift_x = stream(stage.seed, "render/ground x") * 4.0
    shift_z = stream(stage.seed, "render/ground z") * 4.0
    u = x * cosine + z * sine + shift_x
    v = z * cosine - x * sine + shift_z
    return read(ground_of(stage.scene.ground), u, v, footprint)


def _thing(stage: _Stage, body: Body, hits: Hits) -> Array:
    """A body's colours where it was hit, in light and its own shadow, through the air; (3, n)."""
    mood = stage.mood
    lx, ly, lz = mood.towards
    nx, ny, nz = hits.normals
    turned = np.flatnonzero(nx * lx + ny * ly + nz * lz > 0.0)
    points = tuple(p[turned] + n[turned] * 0.02 for p, n in zip(hits.points, hits.normals, strict=True))
    through = np.zeros_like(hits.depth)
    through[turned] = light_through(body, points, mood.towards, mood.hardness)
    matter = _matter(stage, body, hits)
    colour = lit_body(hits, stage.camera, mood, matter, through, body.distance)
    return veiled(colour, hits.depth, mood, stage.subject)


def _matter(stage: _Stage, body: Body, hits: Hits) -> Arrays:
    """What the body is made of where it was hit: albedo, gloss and glow."""
    phase = stream(stage.seed, "render/phase")
    red, green, blue = (1.0 + (stream(stage.seed, f"render/paint {k}") - 0.5) * 0.12 for k in range(3))
    albedo, gloss, glow = surface(body, stage.scene, hits, stage.camera, phase, (red, green, blue))
    return albedo, gloss, glow * stage.mood.warmth
