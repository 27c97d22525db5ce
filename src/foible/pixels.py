"""Image bytes in and out, by one policy: every photograph is read here, and every PNG is written here.

Comes in: bytes that nobody vouches for, or an image. Goes out: an image, uint8 (height, width, 3), RGB; or the bytes of
a PNG. Neighbours: `models/_folder.py` and `models/_tables.py` find photographs, `archive.py` keeps what was drawn.

A photograph is turned as its camera was held. What is transparent is shown over white, as a browser shows it. Numbers
of more than 8 bits are scaled; Pillow would cut them off, and a scan would turn white, a float image black. Sizes are
read before pixels: a small file can claim billions of them.
"""

from __future__ import annotations

import hashlib
import io
import stat
import warnings
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pictures
from PIL import UnidentifiedImageError

from foible.errors import PartError, brief
from foible.pointers import MEND as POINTER_MEND
from foible.pointers import is_pointer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

VERSION = 2
"""Raised when the same bytes are read to other pixels, so that what was made of them is made anew."""
FORMATS = tuple(
    name
    for name in ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
    if name != "AVIF" or find_spec("PIL._avif")  # Pillow reads it from 11.3 on, where it was built with it
)
"""Formats that are read, of the many whose readers Pillow brings."""
_ENDS = {
    "AVIF": (".avif",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jfif", ".jpe", ".jpeg", ".jpg"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
SUFFIXES = tuple(suffix for name in FORMATS for suffix in _ENDS[name])
"""Ends of the names of files in these formats, in lower case."""
UNREAD = (
    *(suffix for name, suffixes in _ENDS.items() if name not in FORMATS for suffix in suffixes),
    *(".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".orf", ".psd", ".raf", ".rw2"),
)
"""Ends of the names of photographs in formats that are not read, in lower case."""
LARGEST = 128 * 2**20
"""Bytes of a file that is read."""
MOST = 64 * 2**20
"""Pixels of a photograph that is read: 8,192 x 8,192."""
LARGEST_SIDE = 4096
"""Of an image that is drawn and kept, in pixels: a PNG that claims more is taken for damage."""

_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_WHITES = (1, 2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1, 2**24 - 1, 2**31 - 1, 2**32 - 1)
"""What white is in files of more than 8 bits: 1 in floats, else the largest number of the bits that were used."""
_FILLED = 1 / 8
"""Numbers that fill less of their range than this are scaled from their own least to their own largest."""
_DIM = 64
"""Levels of 256 that 14 bits of 16 come to at most."""
_ROWS = 256
"""Rows that are scaled at once, in float64."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = 12
"""Bytes of a chunk of a PNG file beside its content: length, type and checksum of four each."""
_ORIENTATION, _PHOTOMETRIC, _WHITE_IS_ZERO = 0x0112, 262, 0


class PixelError(PartError):
    """Bytes that are no image, or none that may be read; the message is one sentence about them."""


# --- photographs -------------------------------------------------------------------------------------------------


_LEFT_BY_SYSTEMS = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini", "lost+found"})
"""Folders and files that macOS, Windows and network disks put beside images."""


def read(data: bytes) -> Image:
    """Read any photograph, turned as its camera was held: uint8 (height, width, 3), RGB.

    Of an animation, the first picture is read.

    Args:
        data: the content of an image file, in one of `FORMATS`.

    Raises:
        PixelError: it is no image of a known format, is damaged, claims more than `MOST` pixels, or holds numbers of
            which no picture can be made: some are not finite, or little of their range is left in 8 bits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images and of damaged notes beside the pixels
            with Pictures.open(io.BytesIO(data), formats=FORMATS) as picture:
                return _read(picture)
    except PixelError:
        raise
    except Pictures.DecompressionBombError:
        message = f"the image claims more than {MOST // 2**20} megapixels"
        raise PixelError(message) from None
    except UnidentifiedImageError:
        raise PixelError(_unknown(data)) from None
    except Exception as error:
        message = f"the image is damaged ({type(error).__name__}); save or fetch it again"
        raise PixelError(message) from error


def is_visible(name: str) -> bool:
    """Tell whether a file or folder is one that a person put there: not hidden, nor what a system leaves beside."""
    return not name.startswith(".") and name.casefold() not in _LEFT_BY_SYSTEMS


def read_file(path: Path) -> Image:
    """Read a photograph from a file, as `read` does. A link is followed.

    Raises:
        PixelError: there is no such file, it cannot be opened, is larger than `LARGEST`, or is no image that is read;
            the sentence names the file.
    """
    named = brief(path.name, 80)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe would never end
            kind = "folder" if stat.S_ISDIR(about.st_mode) else "pipe or a device"
            message = f"{named!r} is a {kind}, not an image file"
            raise PixelError(message)
        if about.st_size > LARGEST:
            message = f"the file {named!r} has {about.st_size:,} bytes; at most {LARGEST // 2**20} MiB are read"
            raise PixelError(message)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        message = f"the file {named!r} cannot be opened ({getattr(error, 'strerror', None) or error})"
        raise PixelError(message) from error
    try:
        return read(data)
    except PixelError as error:
        message = f"the file {named!r} cannot be used: {error}"
        raise PixelError(message) from error


def _unknown(data: bytes) -> str:
    """Say what a file is that is none of the known formats."""
    if not data:
        return "the content is empty"
    if is_pointer(data):
        return f"the content is a Git LFS pointer, a short text in place of the image: {POINTER_MEND}"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return "the image is HEIC (or AVIF), which is not read here; save it as JPEG or PNG"
    return f"the content is no image of a format that is read ({', '.join(FORMATS)})"


def _read(picture: Any) -> Image:
    """Make pixels of an open picture; whatever Pillow raises on the way passes."""
    wide, high = picture.size
    if wide * high > MOST:
        message = f"the image claims {wide} x {high} pixels; at most {MOST // 2**20} megapixels are read"
        raise PixelError(message)
    raw = _raw_mode(picture)
    picture.load()
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        image = np.repeat(_grey(picture, raw)[:, :, None], 3, axis=2)
    else:
        if ";16" in raw:  # Pillow has cut the lower half off
            _must_fill_16_bits(np.asarray(picture.convert("RGB")))
        image = _over_white(picture) if picture.has_transparency_data else np.asarray(picture.convert("RGB"))
    return np.ascontiguousarray(_turned(image, _orientation(picture)))


def _raw_mode(picture: Any) -> str:
    """Give Pillow's word for how the pixels lie in the file, such as `I;16B`; it is forgotten once they are loaded."""
    args = picture.tile[0][3] if picture.tile else ""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _orientation(picture: Any) -> int:
    """Read how the camera was held; 1, which is upright, where that is damaged."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - notes beside the pixels spoil no picture
        return 1


def _turned(image: Image, orientation: int) -> Image:
    """Turn an image upright (EXIF 2.3, tag Orientation: where the first row and column of the file belong)."""
    across = image.transpose(1, 0, 2)
    turned = {
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: across,
        6: across[:, ::-1],
        7: across[::-1, ::-1],
        8: across[::-1],
    }
    return turned.get(orientation, image)


def _over_white(picture: Any) -> Image:
    """Show a transparent picture over white; where nothing can be seen of it then, without its transparency."""
    held = picture.convert("RGBA")
    below = Pictures.new("RGBA", held.size, (255, 255, 255, 255))
    image = np.asarray(Pictures.alpha_composite(below, held).convert("RGB"))
    return np.asarray(held.convert("RGB")) if _is_constant(image) else image


def _must_fill_16_bits(upper: Image) -> None:
    """Refuse a picture of 16 bits a channel of whose upper 8 little is left: 10, 12 or 14 bits in 16 are nearly black.

    Args:
        upper: the upper 8 bits, (height, width, 3).

    Raises:
        PixelError: the two uppermost bits are used nowhere, or all pixels are the same.
    """
    if int(upper.max()) < _DIM or _is_constant(upper):
        message = f"the image has 16 bits a channel and uses the upper ones for {int(upper.min())} to "
        message += f"{int(upper.max())} of 255 alone, so it would be shown nearly black or as one colour; "
        raise PixelError(message + "stretch it to the whole range and save it with 8 bits a channel")


def _is_constant(image: NDArray[Any]) -> bool:
    return bool((image == image[:1, :1]).all())


def _grey(picture: Any, raw: str) -> NDArray[np.uint8]:
    """Scale whole or real numbers to 8 bits: (height, width).

    Raises:
        PixelError: some are no finite numbers. Whatever they were drawn as, black or white, would be made up.
    """
    values = np.asarray(picture)
    if raw == "I;32N":  # without a sign in the file, which Pillow reads with one
        values = values.view(np.uint32)
    lost = int((~np.isfinite(values)).sum()) if values.dtype.kind == "f" else 0
    if lost:
        message = f"{lost:,} of the image's {values.size:,} pixels are no finite number (NaN or infinite); "
        raise PixelError(message + "write it again with a number for each pixel")
    low, high = float(values.min()), float(values.max())
    white = next((white for white in _WHITES if high <= white), high)
    if low >= 0 and (low == high or high - low >= _FILLED * white):
        low, high = 0.0, float(white)
    grey = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        share = (values[start : start + _ROWS].astype(np.float64) - low) / ((high - low) or 1.0)
        grey[start : start + _ROWS] = np.rint(np.clip(share, 0.0, 1.0) * 255)
    inverted = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return 255 - grey if inverted else grey


# --- what was drawn ------------------------------------------------------------------------------------------------


def write_png(image: Image) -> bytes:
    """Write an image as PNG: without loss, without any note beside the pixels, always to the same bytes.

    Args:
        image: uint8 (height, width, 3). One with a side longer than `LARGEST_SIDE` is written, and `read_png` refuses
            it; `wrappers.py` lets none into a hunt.

    Raises:
        ValueError: it is no such image.
    """
    _check(image)
    file = io.BytesIO()
    # Level 1: at 64 px a quarter of the time of the default for files a tenth larger.
    Pictures.fromarray(np.ascontiguousarray(image)).save(file, "png", compress_level=1)
    return file.getvalue()


def read_png(data: bytes) -> Image | None:
    """Read a PNG that `write_png` wrote: uint8 (height, width, 3); None where it is torn, or no such file.

    The checksum of every piece of the file is compared, which Pillow alone does not do for pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pictures.open(io.BytesIO(data), formats=["PNG"]) as picture:
                if _raw_mode(picture) != "RGB" or picture.mode != "RGB" or max(picture.size) > LARGEST_SIDE:
                    return None
                return np.asarray(picture) if _checksums_fit(data) else None
    except Exception:  # noqa: BLE001 - a file that cannot be read is torn, whatever Pillow makes of it
        return None


def _checksums_fit(data: bytes) -> bool:
    """Compare the checksum of every chunk of a PNG file (PNG specification, section 5.3), up to its last byte."""
    start = len(_PNG_SIGNATURE)
    while start + _CHUNK <= len(data):
        end = start + _CHUNK + int.from_bytes(data[start : start + 4], "big")
        if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return False
        if data[start + 4 : start + 8] == b"IEND":
            return end == len(data)
        start = end
    return False


def content_hash(image: Image) -> str:
    """Name an image by its pixels, whatever file they lie in: SHA-256 over shape and pixels, 64 hexadecimal digits.

    Args:
        image: uint8 (height, width, 3).

    Raises:
        ValueError: it is no such image.
    """
    _check(image)
    high, wide, _ = image.shape
    return hashlib.sha256(f"{high}x{wide}\0".encode() + image.tobytes()).hexdigest()


def _check(image: Image) -> None:
    if image.dtype != np.uint8 or image.shape[2:] != (3,) or 0 in image.shape:
        message = f"wanted a uint8 image (height, width, 3), got {image.dtype.name} {image.shape}"
        raise ValueError(message)
