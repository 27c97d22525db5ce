"""The order of the colours in the input of a network.

Comes in: RGB images, and what the user says of the network (`rgb`, or `bgr` where it was trained with OpenCV or Caffe).
Goes out: images in the network's order. Neighbour: `_images.py` and the libraries scale them then, so that mean and std
are in the network's order too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.errors import ArgumentError, brief, near

if TYPE_CHECKING:
    from foible.parts.protocols import Image

ORDERS = ("rgb", "bgr")


def checked(model: str, channels: str) -> str:
    """Give the order as it was said.

    Args:
        model: as the user called it, for the error.
        channels: `rgb` or `bgr`.

    Raises:
        ArgumentError: another word.
    """
    if channels not in ORDERS:
        message = f"{model!r} takes no channels {brief(channels)!r}; {near(str(channels), ORDERS)}"
        raise ArgumentError(message)
    return channels


def ordered(images: Sequence[Image], channels: str) -> Sequence[Image]:
    """Put the channels of RGB images (height, width, 3) into an order."""
    return images if channels == "rgb" else [np.ascontiguousarray(image[..., ::-1]) for image in images]
