"""Real photographs from a folder or a dataset, found by text: a generator that draws nothing, and cannot draw wrong.

Comes in: prompts and seeds. Goes out: for each prompt one of the photographs nearest to it in a joint space of images
and texts (retrieval, as the paper checks its findings on real images). Neighbours: `_shelf.py` reads the photographs,
wherever they are kept; `embed_transformers.py` embeds; `draw_diffusers.py` draws new images.

Photographs are finite: the same one can come up again, in one arm of a hunt or in two, so a verdict holds for those of
the folder and promises less of others than one over fresh draws. Many photographs and a large `top` help.

They are untrusted: sizes are read before pixels, and a broken one is left out and counted.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
from PIL import Image as Pictures
from PIL import ImageOps

from foible import fingerprint
from foible.errors import ArgumentError, PartError, PluginError, brief
from foible.models import _pictures, _shelf
from foible.models._batches import InPieces
from foible.models.embed_transformers import TransformersEmbedder
from foible.records import Drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.protocols import Image

_AT_ONCE = 32
_SIDES = range(8, 8193)
_TOPS = range(1, 10**6)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Photo:
    """What was an image when the photographs were read."""

    digest: str
    """SHA-256 of its content, hexadecimal."""
    place: Any
    """Where its shelf has it."""


class FolderGenerator:
    """Gives one of the `top` photographs nearest to a prompt; the seed says which, each as likely as the others."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        embedder: str = "openai/clip-vit-base-patch32",
        top: int = 100,
        size: int = 256,
        split: str | None = None,
        column: str | None = None,
        cache: str | None = None,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
    ) -> None:
        """Read the photographs and embed them, as far as they were not before.

        Args:
            name: a folder of image files, in it or in folders inside it; or a dataset of Hugging Face on disk: a folder
                that `save_to_disk` made, a Parquet file, or a folder of Parquet files.
            embedder: folder or hub name of a `transformers` model that joins images and texts, such as CLIP.
            top: how many of the nearest photographs a seed chooses from.
            size: side of every image in pixels: the shorter side is fitted to it, and the middle is cut out.
            split: which split of a dataset; needed where there are several.
            column: which column of a dataset holds the images; needed where several could.
            cache: folder for the vectors, so that they are made once; by default `foible` in the user's cache folder.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`, of the embedder.
            revision: which version of the embedder on the hub.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: no such folder, no image in it, a dataset that cannot be read, or an embedder of images alone.
        """
        _must_be_whole(name, "top", top, _TOPS)
        _must_be_whole(name, "size", size, _SIDES)
        self._shelf = _shelf.find(name, split, column)
        self._embedder = TransformersEmbedder(embedder, device=device, dtype=dtype, revision=revision)
        if not self._embedder.reads_text:
            message = f"the embedder {embedder!r} embeds images alone; to find photographs by text it must be one such "
            raise PluginError(message + "as CLIP")
        self._top, self._size = top, size
        store = _Vectors(Path(cache).expanduser() if cache else _cache_folder(), self._embedder)
        self._photos, self._vectors, left_out = _index(self._shelf, self._embedder, store)
        if not self._photos:
            message = f"{brief(name)!r} holds no image that can be read; {left_out} were left out"
            raise PluginError(message)
        if left_out:
            _log.warning("%s images in %s are broken, or lead out of it, and were left out", left_out, brief(name))
        self.fingerprint = fingerprint.of_object(
            ([photo.digest for photo in self._photos], self._embedder.fingerprint, self._embedder.version)
        )
        self.resolved = {
            **self._embedder.resolved,
            **self._shelf.resolved,
            "top": min(top, len(self._photos)),
            "size": size,
            "photographs": len(self._photos),
            "cache": None,
        }
        self.version = f"adapter 1; pillow {PIL.__version__}; numpy {np.__version__}"

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | Drawn | PartError]:
        """Find one photograph for each prompt and seed: uint8 (size, size, 3).

        Words of a prompt for which the embedder has no room are told as ignored. A `PartError` stands where the
        photograph has changed since it was read.
        """
        wanted = list(dict.fromkeys(prompts))
        texts = dict(zip(wanted, self._embedder.embed_texts(wanted), strict=True)) if wanted else {}
        nearest = {prompt: self._nearest(vector) for prompt, vector in texts.items()}
        unread = {prompt: self._embedder.unread(prompt) for prompt in wanted}
        found = [self._photo(nearest[prompt], seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        return [
            Drawn(one, unread[prompt]) if unread[prompt] and not isinstance(one, PartError) else one
            for prompt, one in zip(prompts, found, strict=True)
        ]

    def _nearest(self, text: NDArray[np.float32]) -> NDArray[np.intp]:
        """Rank the photographs by cosine, those of the same cosine by their content."""
        # Rounded, so that the last bits of a batch's arithmetic move no photograph in or out of the first ones.
        cosines = np.round(self._vectors.astype(np.float64) @ text.astype(np.float64), 5)
        return np.argsort(-cosines, kind="stable")[: self._top]

    def _photo(self, nearest: NDArray[np.intp], seed: int) -> Image | PartError:
        chosen = self._photos[nearest[np.random.default_rng(int(seed)).permutation(len(nearest))[0]]]
        try:
            content = self._shelf.read(chosen.place)
            if hashlib.sha256(content).hexdigest() != chosen.digest:
                return PartError("a photograph has changed since it was first read")
            picture = Pictures.fromarray(_pictures.decode(content))
        except OSError:
            return PartError("a photograph has gone since it was first read")
        return np.asarray(ImageOps.fit(picture, (self._size, self._size), Pictures.Resampling.BICUBIC))


def _must_be_whole(name: str, argument: str, value: object, known: range) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in known:
        message = f"the argument {argument} of {name!r} is a whole number from {known[0]} to {known[-1]}, "
        raise ArgumentError(message + f"but got {brief(repr(value), 40)}")


# --- reading the shelf ---------------------------------------------------------------------------------------------


def _index(
    shelf: _shelf.Shelf, embedder: TransformersEmbedder, store: _Vectors
) -> tuple[list[_Photo], NDArray[np.float32], int]:
    """Embed every photograph once, however often it is there: photographs by content, vectors, how many are broken."""
    found: dict[str, _Photo] = {}
    waiting: list[tuple[str, Image]] = []
    left_out = 0
    ask = InPieces(embedder.embed)
    for place, content in shelf.walk():
        if content is None:
            left_out += 1
            continue
        digest = hashlib.sha256(content).hexdigest()
        try:
            if digest not in found and digest not in store.known:
                waiting.append((digest, _pictures.decode(content)))
        except PartError:
            left_out += 1
            continue
        found.setdefault(digest, _Photo(digest, place))
        if len(waiting) == _AT_ONCE:
            store.add(waiting, ask)
            waiting.clear()
    store.add(waiting, ask)
    store.save()
    photos = sorted(found.values(), key=lambda photo: photo.digest)
    vectors = np.array([store.known[photo.digest] for photo in photos], np.float32)
    return photos, vectors, left_out


# --- vectors that were made before ---------------------------------------------------------------------------------


class _Vectors:
    """Vectors by the content of their photographs, kept in a file for each embedder."""

    def __init__(self, folder: Path, embedder: TransformersEmbedder) -> None:
        """Read what is kept; a file that is torn counts as none."""
        about = (embedder.fingerprint, embedder.version, embedder.resolved)
        self._file = folder / f"vectors-{fingerprint.of_object(about)}.npz"
        self.known: dict[str, NDArray[np.float32]] = {}
        self._grown = False
        try:
            with np.load(self._file, allow_pickle=False) as held:
                digests, vectors = held["digests"], held["vectors"]
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made anew
            return
        if digests.shape == vectors.shape[:1] and vectors.ndim == 2 and np.isfinite(vectors).all():  # noqa: PLR2004 - rows of numbers
            self.known = dict(zip(map(str, digests), vectors.astype(np.float32), strict=True))

    def add(self, photos: Sequence[tuple[str, Image]], ask: InPieces[Any]) -> None:
        """Embed photographs."""
        if photos:
            self.known.update(zip((digest for digest, _ in photos), ask([image for _, image in photos]), strict=True))
            self._grown = True

    def save(self) -> None:
        """Keep what is known, whole or not at all; where nothing can be written, they are made again next time."""
        if not self._grown:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, suffix=".tmp", delete=False) as held:
                np.savez(held, digests=np.array(list(self.known)), vectors=np.array(list(self.known.values())))
            Path(held.name).replace(self._file)
        except OSError as error:
            _log.warning("the vectors could not be kept in %s (%s)", self._file.parent, type(error).__name__)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foible"
