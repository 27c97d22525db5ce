"""Rays: from the camera to the surfaces, and from the surfaces to the light.

In: shapes and where they stand. Out: what each pixel meets, and how much light gets through. What a
thing is shaped like is in `shapes`, what it looks like in `shade`.

One scene is marched at a time, so what a draw looks like cannot depend on its batch. Places are
float32, and every operation on them is exactly rounded (+ - * / sqrt min max floor), so that it
cannot depend on the width of the machine's vector unit either. World axes: x right, y up, z towards
the camera; the object stands about the origin on the ground y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .profiles import Array, Places
from .shapes import CELLS, Shape

STEPS = 20
"""Most steps along a ray from the camera."""
SHADOW_STEPS = 16
"""Most steps along a ray to the light."""
DARK = 0.01
"""Less light than this is none."""

SPREAD = 0.30
"""Tangent of half the camera's angle of view."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the picture is taken from, and the ray of every pixel."""

    eye: Vector
    directions: Places
    """Unit vectors, each array flat (size * size,), rows from the top."""
    across: Array
    """Where on the picture: -1 at the left edge, 1 at the right; flat."""
    upward: Array
    """-1 at the bottom edge, 1 at the top; flat."""
    pixel: float
    """Width of a pixel at distance 1."""


@dataclass(frozen=True, slots=True)
class Body:
    """A shape, turned, stretched and put somewhere."""

    name: str
    """The label or companion that it is."""
    shape: Shape
    at: tuple[float, float]
    """Where it stands on the ground: x and z."""
    turn: tuple[float, float]
    """Cosine and sine of its angle about the vertical."""
    width: float
    """Stretch along the ground."""
    height: float
    """Stretch upwards."""

    @property
    def centre(self) -> Vector:
        """Middle of the bounding sphere."""
        return (self.at[0], self.shape.middle * self.height, self.at[1])

    @property
    def radius(self) -> float:
        """Radius of the bounding sphere."""
        return self.shape.radius * max(self.width, self.height)

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """A lower bound of the distance from points of the world, sharp near the surface."""
        return self.shape.distance(*self.local(x, y, z)) * min(self.width, self.height)

    def local(self, x: Array, y: Array, z: Array) -> Places:
        """Points of the world in the shape's own coordinates."""
        return self.local_direction(x - self.at[0], y, z - self.at[1])

    def local_direction(self, x: Array, y: Array, z: Array) -> Places:
        """Directions of the world in the shape's own coordinates, stretched as the shape is."""
        cosine, sine = self.turn[0] / self.width, self.turn[1] / self.width
        return x * cosine + z * sine, y * (1.0 / self.height), z * cosine - x * sine


@dataclass(frozen=True, slots=True)
class Hits:
    """The pixels that show a body."""

    pixels: Array
    """Flat indices of the pixels."""
    depth: Array
    """Distance from the eye."""
    cover: Array
    """How much of the pixel the body covers, 0 to 1: less than 1 along its outline."""
    rays: Places
    """Unit vectors from the eye."""
    points: Places
    normals: Places
    footprint: Array
    """Width of a pixel there."""


def look(size: int, eye: Vector, down: tuple[float, float]) -> Camera:
    """A camera that looks along -z and down.

    Args:
        size: pixels along each edge.
        eye: where it is.
        down: cosine and sine of the angle below the horizontal.
    """
    edge = ((np.arange(size, dtype=np.float32) + 0.5) * (2.0 / size) - 1.0).astype(np.float32)
    across = np.tile(edge, size)
    upward = np.repeat(-edge, size)
    u, v = across * SPREAD, upward * SPREAD
    shrink = 1.0 / np.sqrt(u * u + v * v + 1.0)
    cosine, sine = down
    directions = (u * shrink, (v * cosine - sine) * shrink, (v * -sine - cosine) * shrink)
    return Camera(eye, directions, across, upward, 2.0 * SPREAD / size)


def mirrored(camera: Camera) -> Camera:
    """What the ground would show of things above it, were it a mirror: the camera below it."""
    x, y, z = camera.directions
    eye = (camera.eye[0], -camera.eye[1], camera.eye[2])
    return replace(camera, eye=eye, directions=(x, -y, z))


def trace(body: Body, camera: Camera) -> Hits:
    """Which pixels show the body, where and how much.

    A ray that misses by less than a pixel covers the pixel in part; it is shaded where it came
    nearest. So outlines are smooth without a second ray.
    """
    pixels, start, stop = _meets(body, camera)
    dx, dy, dz = camera.directions
    directions = dx.take(pixels), dy.take(pixels), dz.take(pixels)
    nearest, depth = _march(body, camera, directions, start, stop)
    cover = np.maximum(np.minimum(1.3 - nearest * (1.3 / camera.pixel), 1.0), 0.0)
    seen = np.flatnonzero(cover > 0.0)
    dx, dy, dz = directions
    depth, rays = depth[seen], (dx[seen], dy[seen], dz[seen])
    depth = depth + body.distance(*_at(camera, rays, depth))
    points = _at(camera, rays, depth)
    reach = max(0.9 * body.shape.radius / CELLS, 0.35 * camera.pixel * camera.eye[2])
    normals = _normals(body, points, reach)
    return Hits(pixels[seen], depth, cover[seen], rays, points, normals, depth * camera.pixel)


def _at(camera: Camera, rays: Places, depth: Array) -> Places:
    """The points so deep along the rays."""
    x, y, z = (ray * depth + origin for ray, origin in zip(rays, camera.eye, strict=True))
    return x, y, z


def _meets(body: Body, camera: Camera) -> Places:
    """Pixels whose rays meet the bounding sphere, and where they enter and leave it."""
    to = [c - e for c, e in zip(body.centre, camera.eye, strict=True)]
    x, y, z = camera.directions
    along = x * to[0] + y * to[1] + z * to[2]
    apart = to[0] * to[0] + to[1] * to[1] + to[2] * to[2]
    inside = along * along - (apart - body.radius * body.radius)
    pixels = np.flatnonzero(inside > 0.0)
    half = np.sqrt(inside[pixels])
    along = along[pixels]
    return pixels, np.maximum(along - half, 0.05), along + half


def _march(body: Body, camera: Camera, directions: Places, start: Array, stop: Array) -> tuple[Array, Array]:
    """Smallest distance over depth along each ray, and the depth where that is."""
    eye = np.asarray(camera.eye, np.float32)
    ox, oy, oz = (float(part) for part in body.local(*eye))
    dx, dy, dz = body.local_direction(*directions)
    shrink, close = min(body.width, body.height), 0.2 * camera.pixel
    nearest = np.full(start.shape, np.inf, np.float32)
    where = start.copy()
    live = np.arange(len(start))
    state = np.stack([start, stop, nearest, where, dx, dy, dz])
    for _ in range(STEPS):
        if not len(live):
            break
        depth, stop, best, at, dx, dy, dz = state
        away = body.shape.distance(dx * depth + ox, dy * depth + oy, dz * depth + oz)
        away *= shrink
        ratio = away / depth
        np.copyto(at, depth, where=ratio < best)
        np.minimum(best, ratio, out=best)
        depth += away
        going = np.flatnonzero((best > close) & (depth < stop))
        if len(going) < 0.8 * len(live):
            nearest[live], where[live] = best, at
            live, state = live.take(going), state.take(going, axis=1)
    nearest[live], where[live] = state[2:4]
    return nearest, where


def _normals(body: Body, points: Places, reach: float) -> Places:
    """Unit normals, from four distances at the corners of a tetrahedron about each point."""
    x, y, z = points
    low_x, low_y, low_z, high_x, high_y, high_z = x - reach, y - reach, z - reach, x + reach, y + reach, z + reach
    away = body.distance(
        np.concatenate([high_x, low_x, low_x, high_x]),
        np.concatenate([low_y, low_y, high_y, high_y]),
        np.concatenate([low_z, high_z, low_z, high_z]),
    )
    a, b, c, d = away.reshape(4, -1)
    return unit(a + d - b - c, c + d - a - b, b + d - a - c)


def unit(x: Array, y: Array, z: Array) -> Places:
    """Vectors of the same directions and of length 1."""
    shrink = 1.0 / np.sqrt(x * x + y * y + z * z + 1e-12)
    return x * shrink, y * shrink, z * shrink


def light_through(body: Body, points: Places, light: Vector, hardness: float) -> Array:
    """How much of a distant light reaches each point past the body: 0 none, 1 all; soft-edged."""
    lit = np.ones(points[0].shape, np.float32)
    live, depth, stop = _meets_light(body, points, light)
    places = body.local(*(part.take(live) for part in points))
    dx, dy, dz = (float(part) for part in body.local_direction(*np.asarray(light, np.float32)))
    shrink = min(body.width, body.height)
    state = np.stack([depth, stop, np.ones_like(depth), np.full_like(depth, 1e9), *places])
    for step in range(SHADOW_STEPS):
        if not len(live):
            break
        depth, stop, best, last, ox, oy, oz = state
        away = body.shape.distance(ox + depth * dx, oy + depth * dy, oz + depth * dz)
        away *= shrink
        np.maximum(away, 0.0, out=away)
        back, apart = _closest_between(away, last)
        apart *= hardness
        apart /= np.maximum(depth - back, 0.035)
        np.minimum(best, apart, out=best)
        np.maximum(away, 0.025 + 0.0035 * step, out=last)
        depth += last
        going = np.flatnonzero((best > DARK) & (depth < stop))
        if len(going) < 0.8 * len(live):
            lit[live] = best
            live, state = live.take(going), state.take(going, axis=1)
    lit[live] = state[2]
    return lit * lit * (3.0 - 2.0 * lit)


def _meets_light(body: Body, points: Places, light: Vector) -> Places:
    """Points whose way to the light meets the bounding sphere; where it enters and leaves."""
    to = [c - p for c, p in zip(body.centre, points, strict=True)]
    along = to[0] * light[0] + to[1] * light[1] + to[2] * light[2]
    apart = to[0] * to[0] + to[1] * to[1] + to[2] * to[2]
    radius = body.radius * 1.1
    inside = along * along - (apart - radius * radius)
    live = np.flatnonzero((inside > 0.0) & ((along > 0.0) | (apart < radius * radius)))
    half, along = np.sqrt(inside[live]), along[live]
    return live, np.maximum(along - half, 0.035), along + half


def _closest_between(away: Array, last: Array) -> tuple[Array, Array]:
    """Where a ray came closest between two steps: how far back, and how close.

    The two spheres of empty space meet in a circle about the ray (S. Aaltonen's construction);
    without it soft shadows show the rhythm of the steps.
    """
    back = np.minimum(away * away * 0.5 / last, away * 0.7)
    return back, np.sqrt(away * away - back * back)
