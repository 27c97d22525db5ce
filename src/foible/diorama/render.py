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
from numpy.typing import NDArray

from foible.errors import ArgumentError

from .grounds import ground_of, read
from .march import Body, Camera, Hits, Vector, light_through, look, mirrored, trace
from .matter import matter_of
from .profiles import Array, Places
from .scene import Scene, stream
from .shade import Mood, developed, lit_body, lit_ground, mood_of, rain_over, sky, veiled
from .shapes import HALF, shape_of

Wobble = Callable[[str, float], float]
"""(field, most) -> the seed's number for that field, between -most and most."""

SIZES = range(64, 257)
"""Sizes that can be drawn, in pixels along each edge."""

HORIZON, FARTHEST = -0.004, 60.0
"""Rays that fall less steeply than this show the sky; the ground is drawn no farther than that."""

_DISTANCE = {"close": 2.54, "middle": 3.3, "far": 4.6}
_ANY_WAY = ("grass", "snow", "asphalt")
"""Grounds that may lie at any angle; the others keep roughly to the picture's."""
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


def render(scenes: Sequence[Scene], seeds: Sequence[int], size: int) -> NDArray[np.uint8]:
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
        image[:] = _picture(_stage(scene, seed, size), size)
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
    thing = Body(scene.label, shape, (0.0, 0.0), (facing * cosine, sine), width, height)
    left, right = (extent * width for extent in shape.extents(facing))
    if scene.companion != "none":
        scale = 1.0 + wobble("companion grown", 0.06)
        near = right if side > 0.0 else left
        away = side * (near * 0.95 + 0.215 * scale + wobble("apart", 0.03))
        turned = _quarter_turns(wobble("companion turn", 0.35))
        place = away, -0.15 + wobble("behind", 0.07)
        other = Body(scene.companion, shape_of(scene.companion), place, turned, scale, scale)
        left, right = max(left, HALF - away), max(right, HALF + away)
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


def _picture(stage: _Stage, size: int) -> Array:
    """All layers from back to front; (size, size, 3) uint8."""
    camera, mood = stage.camera, stage.mood
    offset = stream(stage.seed, "render/offset")
    first = size * int(np.count_nonzero(camera.directions[1][::size] > HORIZON))
    colour = np.empty((3, size * size), np.float32)
    if first:
        colour[:, :first] = sky(camera, slice(0, first), mood, offset)
    plane = _plane(camera, first)
    found = [trace(body, camera) for body in stage.bodies]
    through, own = _light(stage, plane, found)
    colour[:, first:] = _ground(stage, plane, through, first)
    for body, hits, lit in sorted(zip(stage.bodies, found, own, strict=True), key=lambda each: each[0].at[1]):
        seen = veiled(_thing(stage, body, hits, lit), hits.depth, mood, stage.subject)
        behind = colour.take(hits.pixels, axis=1)
        colour[:, hits.pixels] = behind + (seen - behind) * hits.cover
    if mood.wet:
        colour = rain_over(colour, camera, mood, offset)
    return developed(colour, camera).T.reshape(size, size, 3)


def _plane(camera: Camera, first: int) -> Places:
    """Where the rays from pixel `first` on meet the ground: x and z, and how deep."""
    dx, dy, dz = (part[first:] for part in camera.directions)
    depth = np.minimum(camera.eye[1] / -dy, FARTHEST)
    return dx * depth + camera.eye[0], dz * depth + camera.eye[2], depth


def _light(stage: _Stage, plane: Places, found: list[Hits]) -> tuple[Array, list[Array]]:
    """How much of the sun or moon reaches the ground, and each body past itself, all 0 to 1.

    What faces away from the light gets none, whatever stands in between.
    """
    mood = stage.mood
    lx, ly, lz = mood.towards
    flat = np.zeros_like(plane[0])
    through, own = np.ones_like(flat), []
    for body, hits in zip(stage.bodies, found, strict=True):
        nx, ny, nz = hits.normals
        turned = np.flatnonzero(nx * lx + ny * ly + nz * lz > 0.0)
        grounds = zip(hits.points, hits.normals, (plane[0], flat, plane[1]), strict=True)
        x, y, z = (
            np.concatenate([ground, point.take(turned) + normal.take(turned) * 0.02])
            for point, normal, ground in grounds
        )
        arriving = light_through(body, (x, y, z), mood.towards, mood.hardness)
        through *= arriving[: len(flat)]
        lit = np.zeros_like(hits.depth)
        lit[turned] = arriving[len(flat) :]
        own.append(lit)
    return through, own


def _ground(stage: _Stage, plane: Places, through: Array, first: int) -> Array:
    """The ground from pixel `first` on, in light and shadow, seen through the air; (3, n)."""
    mood, (x, z, depth) = stage.mood, plane
    steep = -stage.camera.directions[1][first:]
    albedo = _ground_colour(stage, x, z, depth * stage.camera.pixel / np.sqrt(steep))
    open_sky = np.ones_like(depth)
    for body in stage.bodies:
        off_x, off_z = x - body.at[0], z - body.at[1]
        reach = body.radius * 1.2 + 0.32
        near = np.flatnonzero(off_x * off_x + off_z * off_z < reach * reach)
        points = x.take(near), np.full(len(near), 0.01, np.float32), z.take(near)
        clear = np.clip(body.distance(*points) * 3.2, 0.0, 1.0)
        open_sky[near] *= 0.35 + 0.65 * clear * (2.0 - clear)
    gloss = _GLOSS[stage.scene.ground] + (0.35 if mood.wet else 0.0)
    colour = lit_ground(mood, albedo, gloss, (through, open_sky, steep))
    if mood.wet or stage.scene.ground == "tiles":
        _reflect(stage, colour, first)
    return veiled(colour, depth, mood, stage.subject)


def _ground_colour(stage: _Stage, x: Array, z: Array, footprint: Array) -> Array:
    """The ground's own colour, turned a little and shifted at random; (3, n)."""
    angle = stream(stage.seed, "render/ground angle") * 0.8 - 0.4
    if stage.scene.ground in _ANY_WAY:
        angle *= 5.0
    cosine, sine = _quarter_turns(angle)
    shift_x = stream(stage.seed, "render/ground x") * 4.0
    shift_z = stream(stage.seed, "render/ground z") * 4.0
    u = x * cosine + z * sine + shift_x
    v = z * cosine - x * sine + shift_z
    return read(ground_of(stage.scene.ground), u, v, footprint)


def _reflect(stage: _Stage, colour: Array, first: int) -> None:
    """Lay the mirror image of the things over wet or glazed ground, in place."""
    below = mirrored(stage.camera)
    strength = _MIRROR[stage.scene.ground] if stage.mood.wet else 0.6
    for body in stage.bodies:
        hits = trace(body, below)
        seen = _thing(stage, body, hits, np.full_like(hits.depth, 0.75))
        grazing = 1.0 - hits.rays[1]
        share = hits.cover * (grazing * grazing * 0.45 + 0.06) * strength
        share *= hits.pixels >= first
        pixels = np.maximum(hits.pixels - first, 0)
        behind = colour.take(pixels, axis=1)
        colour[:, pixels] = behind + (seen - behind) * share


def _thing(stage: _Stage, body: Body, hits: Hits, through: Array) -> Array:
    """A body's colours where it was hit, (3, n)."""
    phase = stream(stage.seed, "render/phase")
    red, green, blue = (1.0 + (stream(stage.seed, f"render/paint {k}") - 0.5) * 0.12 for k in range(3))
    matter = matter_of(body, stage.scene, hits, phase, (red, green, blue))
    x, y, z = (point + normal * 0.1 for point, normal in zip(hits.points, hits.normals, strict=True))
    return lit_body(stage.mood, hits, matter, through, body.distance(x, y, z))
