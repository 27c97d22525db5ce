"""What the pixels of a photograph say of it by themselves: how bright it is, how sharp, how large.

Comes in: an image. Goes out: numbers by name, which become attributes where a set has none of its own. Neighbour:
`columns.py` cuts the numbers of a set into quarters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from foible.parts.protocols import Image

NAMES = ("brightness", "contrast", "saturation", "sharpness", "height", "width")


def measured(image: Image) -> dict[str, str]:
    """Measure an image: all but the sides are shares of the full range, 0..1, with four digits.

    brightness and contrast: mean and standard deviation of the grey values. saturation: mean of the largest less the
    smallest channel. sharpness: mean step of the grey values between neighbours.
    """
    values = image.astype(np.float32) / 255.0
    grey = values.mean(axis=2)
    steps = np.concatenate([np.abs(np.diff(grey, axis=axis)).ravel() for axis in (0, 1)])
    found = (
        grey.mean(),
        grey.std(),
        (values.max(axis=2) - values.min(axis=2)).mean(),
        steps.mean() if steps.size else 0.0,
    )
    numbers = [f"{float(value):.4f}" for value in found]
    return dict(zip(NAMES, [*numbers, str(image.shape[0]), str(image.shape[1])], strict=True))
