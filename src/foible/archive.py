"""The image archive: PNG files by draw key, so that a draw made once is never made again.

Comes in: a key and an image. Goes out: the image, and the hash of its file. Hunts of any classifier share one archive.
Each file says what it shows (prompt, seed, generator, unused words) in its own text chunks, and bears a seal over key
and pixels, so that a torn or mistaken file is found by a hunt that never saw it. Neighbour: `store.py` notes the file's
hash, so that a run directory knows its own images again.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foible.errors import StoreError
from foible.identity import canonical, sha256
from foible.records import Draw, Drawn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KEY = re.compile(r"[0-9a-f]{32}")
LARGEST_SIDE = 4096
"""An archived image with a longer side is taken for damage: decoding it could fill the memory."""


@dataclass(frozen=True, slots=True)
class Archived:
    """An image as it lies in the archive."""

    image: NDArray[np.uint8]
    ignored: tuple[str, ...]
    sha256: str


class Archive:
    """A folder of images. Another process may write the same folder: files appear whole, and equal keys are equal."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first image comes."""
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return where the image of a key lies.

        Raises:
            StoreError: the key is none of ours (it would name a file elsewhere).
        """
        if not _KEY.fullmatch(key):
            message = f"a draw key is 32 hexadecimal digits, but got {key[:40]!r}; the run directory is damaged"
            raise StoreError(message)
        return self.folder / key[:2] / f"{key}.png"

    def read(self, key: str) -> bytes | None:
        """Return the bytes of the PNG file, or None where there is none."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            message = f"the image archive {self.folder} cannot be read ({problem.strerror}); name another --archive"
            raise StoreError(message) from problem

    def get(self, key: str, expected: str = "") -> Archived | None:
        """Return the image of a key, or None where it is missing or torn.

        Args:
            key: the draw's key.
            expected: the SHA-256 that the store noted; empty where nothing is noted yet.
        """
        data = self.read(key)
        if data is None:
            return None
        found = sha256(data)
        return _decode(key, data, found) if not expected or found == expected else None

    def put(self, draw: Draw, drawn: Drawn, generator: Mapping[str, object]) -> str:
        """Write an image (temporary name, fsync, rename) and return the SHA-256 of its file.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        path = self.path(draw.key)
        data = _encode(draw, drawn, generator)
        temporary = path.with_name(f".{draw.key}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as problem:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            message = f"the image archive {self.folder} cannot be written ({problem.strerror}); free it, or --archive"
            raise StoreError(message) from problem
        return sha256(data)


def _encode(draw: Draw, drawn: Drawn, generator: Mapping[str, object]) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("foible:prompt", json.dumps(draw.prompt.text))
    about.add_text("foible:seed", str(draw.seed))
    about.add_text("foible:ignored", json.dumps(drawn.ignored))
    about.add_text("foible:generator", canonical(generator))
    about.add_text("foible:seal", _seal(draw.key, drawn.image, drawn.ignored))
    buffer = io.BytesIO()
    # Level 1: at 64 px a quarter of the time of the default for files a tenth larger.
    Image.fromarray(drawn.image).save(buffer, "png", pnginfo=about, compress_level=1)
    return buffer.getvalue()


def _decode(key: str, data: bytes, found: str) -> Archived | None:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["png"]) as picture:
            if picture.mode != "RGB" or max(picture.size) > LARGEST_SIDE:
                return None
            pixels, seal = np.asarray(picture), picture.info.get("foible:seal")
            ignored = tuple(str(word) for word in json.loads(picture.info.get("foible:ignored", "[]")))
    except Exception:  # noqa: BLE001 - a file that cannot be read is torn, whatever Pillow makes of it
        return None
    return Archived(pixels, ignored, found) if seal == _seal(key, pixels, ignored) else None


def _seal(key: str, image: NDArray[np.uint8], ignored: Sequence[str]) -> str:
    """Hash what a file must hold to be the image of a key."""
    return sha256(canonical([key, image.shape, ignored]).encode() + image.tobytes())
