"""Images out of bytes that nobody vouches for.

Comes in: the content of an image file. Goes out: pixels, uint8 (height, width, 3). Neighbour: `_images.py` makes the
input of a network of them. The size is read first: a small file can claim billions of pixels.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps

from foible.errors import PartError

if TYPE_CHECKING:
    from foible.protocols import Image

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Formats that are read, of the many whose readers Pillow brings."""
MOST = 64 * 2**20
"""Pixels of an image: 8,192 x 8,192."""


def decode(content: bytes) -> Image:
    """Read an image, turned as its camera was held.

    Raises:
        PartError: it is no image of a known format, is broken, or claims more than `MOST` pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pictures.open(io.BytesIO(content), formats=FORMATS) as picture:
                wide, high = picture.size
                if wide * high <= MOST:
                    return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except Pictures.DecompressionBombError:
        message = f"the image claims more than {MOST // 2**20} megapixels"
        raise PartError(message) from None
    except Exception as error:
        message = f"the image is broken, or of a format that is not read ({type(error).__name__})"
        raise PartError(message) from error
    message = f"the image claims {wide} x {high} pixels; at most {MOST // 2**20} megapixels are read"
    raise PartError(message)
