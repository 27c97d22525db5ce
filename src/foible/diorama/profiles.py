"""The drawing board: the profile of every form in the diorama, stroke by stroke.

In: nothing. Out: `FORMS`, which `shapes` turns into solids. Coordinates are (radius, height), heights
from 0, largest extent about 1. A chain starts and ends on the axis unless it is closed in itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Array = NDArray[Any]
"""Arrays of one call share one shape; what is drawn is float32 throughout."""
Places = tuple[Array, Array, Array]
"""x, y and z of many points."""

PAINT, INNER, METAL, PALE, DARK, FLAME, BULB, CONE, BAND, CRATE = range(10)
"""Parts. PAINT carries the scene's colour and texture; the others keep their own."""


HOOPS, HOOP = (0.085, 0.315, 0.685, 0.915), 0.026
"""Heights of the barrel's hoops, and half the width of one."""
HEAD = 0.27
"""Radius within which the barrel's flat head lies."""
SHADE = 0.5
"""Height above which a lamp's paint is its shade."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of a profile, from where the last one ended."""

    part: int
    points: tuple[Point, ...]
    curved: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One thing, as drawn."""

    chains: tuple[tuple[Stroke, ...], ...]
    closed: tuple[bool, ...] = (False,)
    attached: Callable[[Array, Array, Array], Array] | None = None
    """Signed distance to handles and the like."""
    extent: float = 0.0
    """Radius of the bounding sphere where something attached goes beyond the profile."""
    reach: tuple[float, float] | None = None
    """How far it goes along -x and along x, where that is beyond the profile."""
    lying: bool = False
    square: bool = False


def _line(part: int, *points: Point) -> Stroke:
    return Stroke(part, points)


def _curve(part: int, *points: Point) -> Stroke:
    return Stroke(part, points, curved=True)


def _ring(places: Places, middle: Point, size: float, thick: float) -> Array:
    """A ring about the z axis: `middle` in (x, y), radius `size`, half-thickness `thick`."""
    x, y, z = places
    off_x, off_y = x - middle[0], y - middle[1]
    off = np.sqrt(off_x * off_x + off_y * off_y) - size
    away: Array = np.sqrt(off * off + z * z) - thick
    return away


def _rod(places: Places, start: Point, stop: Point, widths: Point) -> Array:
    """A rod in the plane z = 0 that narrows from one half-thickness to the other."""
    x, y, z = places
    run, rise = stop[0] - start[0], stop[1] - start[1]
    off_x, off_y = x - start[0], y - start[1]
    share = np.clip((off_x * run + off_y * rise) * (1.0 / (run * run + rise * rise)), 0.0, 1.0)
    off_x -= share * run
    off_y -= share * rise
    off = np.sqrt(off_x * off_x + off_y * off_y + z * z)
    away: Array = off - (widths[0] + share * (widths[1] - widths[0]))
    return away


def _mug_handle(x: Array, y: Array, z: Array) -> Array:
    ring = _ring((x * 0.9, y * 0.92, z), (0.333, 0.40), 0.215, 0.048)
    return np.maximum(ring, 0.345 - x)


def _teapot_fittings(x: Array, y: Array, z: Array) -> Array:
    spout = np.minimum(
        _rod((x, y, z), (0.26, 0.20), (0.43, 0.30), (0.085, 0.058)),
        _rod((x, y, z), (0.43, 0.30), (0.53, 0.49), (0.058, 0.034)),
    )
    handle = np.maximum(_ring((x, y * 0.9, z), (-0.33, 0.27), 0.165, 0.034), x + 0.29)
    return np.minimum(spout, handle)


def _bucket_bail(x: Array, y: Array, z: Array) -> Array:
    off_y = y - 0.63
    over = np.sqrt(x * x + np.maximum(off_y, 0.0) * np.maximum(off_y, 0.0)) - 0.355
    under = np.minimum(off_y, 0.0)
    away: Array = np.sqrt(over * over + under * under + z * z) - 0.028
    return away


def _barrel_stroke() -> tuple[Stroke, ...]:
    """Staves that bulge, with a raised hoop at four heights."""

    def bulge(height: float) -> float:
        off = (height - 0.5) / 0.5
        return 0.40 - 0.105 * off * off

    def hooped(height: float) -> bool:
        return any(abs(height - hoop) <= HOOP for hoop in HOOPS)

    heights = [k / 40 for k in range(41)]
    staves = ((bulge(h) + (0.012 if hooped(h) else 0.0), h) for h in heights)
    head = ((0.265, 1.0), (0.26, 0.96), (0.0, 0.96))
    return (_line(PAINT, (0.0, 0.0), *staves, *head),)


FORMS: dict[str, Form] = {
    "coffee mug": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.33, 0.0)),
            _curve(PAINT, (0.33, 0.0), (0.36, 0.02), (0.372, 0.06), (0.375, 0.2), (0.375, 0.78)),
            _curve(PAINT, (0.375, 0.78), (0.37, 0.815), (0.35, 0.825), (0.33, 0.815), (0.325, 0.79)),
            _line(INNER, (0.325, 0.79), (0.325, 0.09), (0.30, 0.06), (0.0, 0.06)),
        ),),
        attached=_mug_handle,
        extent=0.68,
        reach=(0.375, 0.62),
    ),
    "mixing bowl": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.20, 0.0), (0.205, 0.03)),
            _curve(PAINT, (0.205, 0.03), (0.32, 0.12), (0.41, 0.25), (0.455, 0.41)),
            _curve(PAINT, (0.455, 0.41), (0.49, 0.425), (0.49, 0.452), (0.455, 0.456), (0.43, 0.44)),
            _curve(PAINT, (0.43, 0.44), (0.385, 0.26), (0.29, 0.14), (0.17, 0.08), (0.0, 0.068)),
        ),),
    ),
    "water bottle": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.15, 0.0)),
            _curve(PAINT, (0.15, 0.0), (0.178, 0.015), (0.185, 0.05), (0.185, 0.12)),
            _line(PAINT, (0.185, 0.12), (0.185, 0.56)),
            _curve(PAINT, (0.185, 0.56), (0.178, 0.63), (0.145, 0.71), (0.10, 0.765), (0.082, 0.81)),
            _line(PAINT, (0.082, 0.81), (0.082, 0.85)),
            _line(PALE, (0.082, 0.85), (0.10, 0.855), (0.10, 0.97), (0.09, 0.99), (0.0, 0.99)),
        ),),
    ),
    "vase": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.17, 0.0), (0.18, 0.03)),
            _curve(
                PAINT, (0.18, 0.03), (0.15, 0.07), (0.22, 0.17), (0.305, 0.33), (0.29, 0.48),
                (0.18, 0.63), (0.105, 0.73), (0.10, 0.81), (0.15, 0.91), (0.225, 0.965),
            ),
            _curve(PAINT, (0.225, 0.965), (0.232, 0.985), (0.21, 0.985)),
            _curve(DARK, (0.21, 0.985), (0.125, 0.92), (0.07, 0.83), (0.07, 0.74), (0.13, 0.64)),
            _line(DARK, (0.13, 0.64), (0.0, 0.5)),
        ),),
    ),
    "mushroom": Form(
        chains=((
            _line(PALE, (0.0, 0.0), (0.13, 0.0)),
            _curve(PALE, (0.13, 0.0), (0.16, 0.06), (0.14, 0.18), (0.105, 0.36), (0.10, 0.56)),
            _curve(PALE, (0.10, 0.56), (0.20, 0.575), (0.30, 0.56), (0.375, 0.52)),
            _curve(
                PAINT, (0.375, 0.52), (0.405, 0.535), (0.40, 0.585), (0.36, 0.70), (0.28, 0.80),
                (0.15, 0.875), (0.0, 0.90),
            ),
        ),),
    ),
    "table lamp": Form(
        chains=(
            (
                _line(PAINT, (0.0, 0.0), (0.20, 0.0), (0.205, 0.025)),
                _curve(
                    PAINT, (0.205, 0.025), (0.12, 0.05), (0.05, 0.09), (0.07, 0.17), (0.115, 0.26),
                    (0.09, 0.35), (0.04, 0.42),
                ),
                _line(METAL, (0.04, 0.42), (0.025, 0.44), (0.025, 0.62)),
                _curve(BULB, (0.025, 0.62), (0.075, 0.69), (0.07, 0.76), (0.0, 0.80)),
            ),
            (
                _line(PAINT, (0.355, 0.555), (0.20, 0.985)),
                _line(PAINT, (0.20, 0.985), (0.165, 0.985)),
                _line(BULB, (0.165, 0.985), (0.318, 0.555)),
                _line(PAINT, (0.318, 0.555), (0.355, 0.555)),
            ),
        ),
        closed=(False, True),
    ),
    "bucket": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.25, 0.0), (0.262, 0.02)),
            _line(PAINT, (0.262, 0.02), (0.345, 0.60)),
            _curve(METAL, (0.345, 0.60), (0.372, 0.61), (0.372, 0.645), (0.345, 0.65), (0.31, 0.63)),
            _line(METAL, (0.31, 0.63), (0.228, 0.05), (0.0, 0.05)),
        ),),
        attached=_bucket_bail,
        extent=0.69,
    ),
    "ping-pong ball": Form(
        chains=((
            _line(
                PAINT,
                *(
                    (0.42 * 2 * u / (1 + u * u), 0.42 - 0.42 * (1 - u * u) / (1 + u * u))
                    for u in (k / 24 for k in range(25))
                ),
                *(
                    (0.42 * (1 - u * u) / (1 + u * u), 0.42 + 0.42 * 2 * u / (1 + u * u))
                    for u in (k / 24 for k in range(1, 25))
                ),
            ),
        ),),
    ),
    "teapot": Form(
        chains=((
            _line(PAINT, (0.0, 0.0), (0.18, 0.0), (0.185, 0.03)),
            _curve(
                PAINT, (0.185, 0.03), (0.27, 0.09), (0.33, 0.20), (0.325, 0.32), (0.25, 0.43),
                (0.18, 0.465),
            ),
            _line(PAINT, (0.18, 0.465), (0.165, 0.46), (0.165, 0.48)),
            _curve(PAINT, (0.165, 0.48), (0.13, 0.515), (0.06, 0.54), (0.03, 0.55)),
            _curve(PAINT, (0.03, 0.55), (0.028, 0.57), (0.06, 0.60), (0.05, 0.64), (0.0, 0.655)),
        ),),
        attached=_teapot_fittings,
        extent=0.62,
        reach=(0.53, 0.57),
    ),
    "candle": Form(
        chains=((
            _line(METAL, (0.0, 0.0), (0.25, 0.0), (0.29, 0.05), (0.28, 0.06), (0.24, 0.03)),
            _line(METAL, (0.24, 0.03), (0.15, 0.03), (0.145, 0.07)),
            _line(PAINT, (0.145, 0.07), (0.125, 0.07), (0.12, 0.72)),
            _curve(PAINT, (0.12, 0.72), (0.11, 0.745), (0.075, 0.745), (0.03, 0.725)),
            _line(DARK, (0.03, 0.725), (0.012, 0.725), (0.012, 0.775)),
            _curve(
                FLAME, (0.012, 0.775), (0.042, 0.81), (0.052, 0.85), (0.035, 0.91), (0.0, 0.995)
            ),
        ),),
    ),
    "barrel": Form(chains=(_barrel_stroke(),)),
    "dumbbell": Form(
        chains=((
            _line(PAINT, (0.0, -0.5), (0.17, -0.5), (0.225, -0.46), (0.225, -0.27), (0.17, -0.23)),
            _line(PAINT, (0.17, -0.23), (0.052, -0.225)),
            _curve(METAL, (0.052, -0.225), (0.056, -0.1), (0.062, 0.0), (0.056, 0.1), (0.052, 0.225)),
            _line(PAINT, (0.052, 0.225), (0.17, 0.23)),
            _line(PAINT, (0.17, 0.23), (0.225, 0.27), (0.225, 0.46), (0.17, 0.5), (0.0, 0.5)),
        ),),
        lying=True,
        reach=(0.5, 0.5),
        extent=0.5,
    ),
    "cone": Form(
        chains=((
            _line(CONE, (0.0, 0.0), (0.19, 0.0), (0.19, 0.035), (0.145, 0.04)),
            _line(CONE, (0.145, 0.04), (0.108, 0.18)),
            _line(BAND, (0.108, 0.18), (0.076, 0.30)),
            _line(CONE, (0.076, 0.30), (0.033, 0.46), (0.0, 0.465)),
        ),),
    ),
    "box": Form(
        chains=((_line(CRATE, (0.0, 0.0), (0.24, 0.0), (0.24, 0.34), (0.0, 0.34)),),),
        square=True,
    ),
}  # fmt: skip
"""Labels and companions by name."""
