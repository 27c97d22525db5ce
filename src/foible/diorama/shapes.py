"""The solid forms of the diorama: what each label and each companion is shaped like.

In: a label or companion name. Out: a `Shape`, which answers one question for arrays of points: how
far is the nearest surface, and which part of the thing is it. Where things stand and how rays meet
them is `march`; what they look like is `shade`.

Nearly everything here was turned on a lathe, so a form is drawn as a profile in the (radius, height)
half-plane, out of straight and curved strokes. The profile's signed distance is tabulated once, on
first use, and read bilinearly afterwards; so any profile costs the same, however many strokes it has.
Handles, spout and bail are small exact distances added to that. A form stands on height 0, its
largest extent is about 1, and a handle points along x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from .profiles import FORMS, Array, Form, Stroke

HALF = 0.17
"""Half the width of the crate."""
CELLS = 80
"""Table cells along the radius; twice as many along the height."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A solid of revolution with, perhaps, something attached to it."""

    distances: Array
    """Signed distance over radius and height, (2 * CELLS * CELLS, 4), see `_for_reading`."""
    arcs: Array
    """Arc length along the profile to the nearest point of it, same layout."""
    parts: Array
    """Part of the nearest stroke at each corner of a cell, flat, height first; uint8."""
    rows: Array
    """Radius of the profile at each hundredth of arc length: what spots are counted with."""
    centre: float
    """Middle of the profile along its axis."""
    middle: float
    """Height of the middle of the bounding sphere."""
    radius: float
    """Radius of the bounding sphere."""
    reach: tuple[float, float]
    """How far it goes from the axis, on the side of -x and on that of x, handles included."""
    attached: Callable[[Array, Array, Array], Array] | None
    """Signed distance to what is attached, or None."""
    lying: float
    """Height of a horizontal axis, for what lies on its side; 0 for what stands."""
    square: bool
    """True for the box, which was not turned but sawn: its distance is exact."""

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance from points to the nearest surface; float32, negative inside."""
        if self.square:
            return _box_distance(x, y, z)
        near = self._turned(x, y, z)
        if self.attached is not None:
            near = np.minimum(near, self.attached(x, y, z))
        return near

    def extents(self, facing: float) -> tuple[float, float]:
        """How far it reaches to the left and to the right when x points right (1) or left (-1)."""
        return self.reach if facing > 0.0 else (self.reach[1], self.reach[0])

    def surface(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """For points on the surface: arc length, part, and whether it is the attached piece."""
        across, along = self._profile_place(x, y, z)
        width = CELLS + 1
        cell = (along + 0.5).astype(np.intp) * width + (across + 0.5).astype(np.intp)
        added = np.zeros(x.shape, bool)
        if self.attached is not None:
            added = self.attached(x, y, z) < self._turned(x, y, z)
        return _read(self.arcs, across, along), self.parts.take(cell), added

    def _turned(self, x: Array, y: Array, z: Array) -> Array:
        return _read(self.distances, *self._profile_place(x, y, z))

    def _profile_place(self, x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        """Radius and height, in table cells, kept inside the table."""
        if self.lying:
            up = y - self.lying
            across, along = np.sqrt(up * up + z * z), x
        else:
            across, along = np.sqrt(x * x + z * z), y
        scale = CELLS / self.radius
        across *= scale
        along = (along - (self.centre - self.radius)) * scale
        np.minimum(across, CELLS - 0.51, out=across)
        np.maximum(along, 0.0, out=along)
        np.minimum(along, 2 * CELLS - 0.51, out=along)
        return across, along


def _read(table: Array, across: Array, along: Array) -> Array:
    """Bilinear reading of a table that `_for_reading` has prepared."""
    column, row = np.floor(across), np.floor(along)
    right, up = across - column, along - row
    row *= CELLS
    row += column
    flat, sloping, rising, twisting = table.take(row.astype(np.intp), axis=0).T
    value: Array = twisting * right
    value += rising
    value *= up
    value += flat
    right *= sloping
    value += right
    return value


def _for_reading(values: Array) -> Array:
    """A table's cells as (2 * CELLS * CELLS, 4): value, slope across, slope along, and twist."""
    low, right, high, both = values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]
    cells = np.stack([low, right - low, high - low, both - right - high + low], axis=-1)
    return np.ascontiguousarray(cells.reshape(-1, 4).astype(np.float32))


@cache
def shape_of(name: str) -> Shape:
    """The shape of a label or of the companion "box" or "cone". KeyError for any other name."""
    form = FORMS[name]
    chains = [_polyline(chain) for chain in form.chains]
    outline = np.concatenate([points for points, _ in chains])
    low, high = float(outline[:, 1].min()), float(outline[:, 1].max())
    centre = (low + high) / 2
    away = outline[:, 0] ** 2 + (outline[:, 1] - centre) ** 2
    radius = max(float(np.sqrt(away.max())), form.extent) + 0.05
    distances, arcs, parts = _tabulate(chains, form, centre, radius)
    lying = float(outline[:, 0].max()) if form.lying else 0.0
    return Shape(
        distances=_for_reading(distances),
        arcs=_for_reading(arcs),
        parts=parts.ravel(),
        rows=_radii_along(chains),
        centre=centre,
        middle=lying or centre,
        radius=radius,
        reach=form.reach or (float(outline[:, 0].max()),) * 2,
        attached=form.attached,
        lying=lying,
        square=form.square,
    )


def _polyline(chain: tuple[Stroke, ...]) -> tuple[Array, Array]:
    """The strokes of one chain as points (n, 2) and the part of each of the n - 1 segments."""
    points: list[Array] = []
    parts: list[Array] = []
    for stroke in chain:
        through = np.array(stroke.points, float)
        drawn = _smooth(through) if stroke.curved else through
        points.append(drawn[:-1])
        parts.append(np.full(len(drawn) - 1, stroke.part))
    points.append(np.array(chain[-1].points[-1:], float))
    return np.concatenate(points), np.concatenate(parts)


def _smooth(through: Array, pieces: int = 8) -> Array:
    """A Catmull-Rom curve through the points, `pieces` segments a span."""
    ends = np.concatenate([through[:1], through, through[-1:]])
    before, start, stop, after = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    u = (np.arange(pieces) / pieces)[:, None, None]
    curve = start + 0.5 * u * (
        (stop - before) + u * ((2 * before - 5 * start + 4 * stop - after) + u * (3 * (start - stop) + after - before))
    )
    inner = curve.transpose(1, 0, 2).reshape(-1, 2)
    return np.concatenate([inner, through[-1:]])


def _tabulate(
    chains: list[tuple[Array, Array]], form: Form, centre: float, radius: float
) -> tuple[Array, Array, Array]:
    """Signed distance, arc length and part of the nearest segment, over the whole bounding sphere."""
    step = radius / CELLS
    across = (np.arange(CELLS + 1) * step)[None, :]
    along = (centre - radius + np.arange(2 * CELLS + 1) * step)[:, None]
    nearest = np.full((2 * CELLS + 1, CELLS + 1), np.inf)
    arcs, parts = np.zeros_like(nearest), np.zeros(nearest.shape, np.uint8)
    inside = np.zeros(nearest.shape, bool)
    travelled = 0.0
    for (points, kinds), closed in zip(chains, form.closed, strict=True):
        for a, b, kind in zip(points[:-1], points[1:], kinds, strict=True):
            run, rise = b - a
            length = float(np.sqrt(run * run + rise * rise))
            if length == 0.0:
                continue
            share = ((across - a[0]) * run + (along - a[1]) * rise) / (length * length)
            share = np.clip(share, 0.0, 1.0)
            off_r, off_y = across - a[0] - share * run, along - a[1] - share * rise
            squared = off_r * off_r + off_y * off_y
            closer = squared < nearest
            nearest = np.where(closer, squared, nearest)
            arcs = np.where(closer, travelled + share * length, arcs)
            parts = np.where(closer, kind, parts).astype(np.uint8)
            travelled += length
        inside ^= _inside(points, closed, across, along)
    distances = np.sqrt(nearest)
    return np.where(inside, -distances, distances), arcs, parts


def _inside(points: Array, closed: bool, across: Array, along: Array) -> Array:
    """Even-odd test; an open chain is closed on the far side of the axis, well out of the way."""
    if not closed:
        away = [[-1.0, points[-1, 1]], [-1.0, points[0, 1]], points[0]]
        points = np.concatenate([points, np.array(away, float)])
    inside = np.zeros(np.broadcast_shapes(across.shape, along.shape), bool)
    for a, b in pairwise(points):
        if a[1] == b[1]:
            continue
        crosses = (along >= min(a[1], b[1])) & (along < max(a[1], b[1]))
        inside ^= crosses & (across < a[0] + (along - a[1]) * ((b[0] - a[0]) / (b[1] - a[1])))
    return inside


def _radii_along(chains: list[tuple[Array, Array]]) -> Array:
    """The profile's radius at 0.00, 0.01, 0.02, ... of arc length."""
    radii, marks = [], []
    travelled = 0.0
    for points, _ in chains:
        steps = np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1))
        marks.append(travelled + np.concatenate([[0.0], np.cumsum(steps)]))
        radii.append(points[:, 0])
        travelled = float(marks[-1][-1])
    whole = np.arange(int(travelled * 100) + 2) / 100
    along: Array = np.interp(whole, np.concatenate(marks), np.concatenate(radii)).astype(np.float32)
    return along


def _box_distance(x: Array, y: Array, z: Array) -> Array:
    """A crate, standing on height 0, its edges slightly rounded."""
    half, rounding = HALF, 0.012
    over_x = np.abs(x) - (half - rounding)
    over_y = np.abs(y - half) - (half - rounding)
    over_z = np.abs(z) - (half - rounding)
    inner = np.minimum(np.maximum(np.maximum(over_x, over_y), over_z), 0.0)
    for over in (over_x, over_y, over_z):
        np.maximum(over, 0.0, out=over)
    outer = np.sqrt(over_x * over_x + over_y * over_y + over_z * over_z)
    return outer + inner - rounding
