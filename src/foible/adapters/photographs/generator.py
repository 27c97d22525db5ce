"""Real photographs from a folder or a dataset, found by text: a generator that draws nothing, and cannot draw wrong.

Comes in: prompts and seeds. Goes out: for each prompt one of the photographs that fit it, in a joint space of images
and texts (retrieval, as the paper checks its findings on real images). Neighbours: `_shelf.py` reads the photographs,
wherever they are kept; `embed_transformers.py` embeds; `draw_diffusers.py` draws new images.

Which fit is told by their scores: a fixed number of the nearest would reach into what the prompt does not say as soon
as fewer photographs show it, and the judge would throw those draws away, or worse, would not.

Photographs are finite: the same one can come up again, in one arm of a hunt or in two, so a verdict holds for those of
the folder and promises less of others than one over fresh draws. Many photographs help.

They are untrusted: `pixels.py` reads them, and what it cannot read is left out and counted.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
from PIL import Image as Pictures
from PIL import ImageOps

from foible import pixels
from foible.adapters.photographs import shelf as _shelf
from foible.adapters.shared.batches import InPieces
from foible.adapters.transformers.embedder import TransformersEmbedder
from foible.errors import ArgumentError, PartError, PluginError, brief
from foible.parts import fingerprint
from foible.pixels import PixelError
from foible.records import Drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_AT_ONCE = 32
_SIDES = range(8, pixels.LARGEST_SIDE + 1)
_TOPS = range(1, 10**6)
_FEW = 10
"""Photographs below which a prompt's are told to be few."""
_DAMAGED = "damaged, too large, or no images"
"""As the words of a shelf: why a photograph is left out."""
_LEFT = 86_400
"""Seconds after which a temporary file belongs to a process that was killed."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Photo:
    """What was an image when the photographs were read."""

    digest: str
    """SHA-256 of its content, hexadecimal."""
    place: Any
    """Where its shelf has it."""


class FolderGenerator:
    """Gives one of the photographs that fit a prompt; the seed says which, each as likely as the others."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        embedder: str = "openai/clip-vit-base-patch32",
        top: int = 100,
        odds: float = 20.0,
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
            top: how many of the photographs that fit, the nearest first, a seed chooses from at most.
            odds: a photograph fits a prompt where the embedder holds the nearest one for at most so many times as
                likely to go with it. More lets in photographs that show less of what the prompt says.
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
        reach = _log_odds(name, odds)
        kept = _cache_folder(name, cache)
        self._shelf = _filled(name, _shelf.find(name, split, column))
        self._embedder = _joint(embedder, device=device, dtype=dtype, revision=revision)
        self._top, self._size = top, size
        self._reach = reach / self._embedder.scale[0]
        self._few: set[str] = set()
        self._photos, self._vectors, left_out = _index(self._shelf, self._embedder, _Vectors(kept, self._embedder))
        _tell(name, len(self._photos), left_out)
        self.fingerprint = fingerprint.of_object(
            ([photo.digest for photo in self._photos], self._embedder.fingerprint, self._embedder.version)
        )
        self.resolved = {
            **self._embedder.resolved,
            **self._shelf.resolved,
            "top": min(top, len(self._photos)),
            "odds": float(odds),
            "size": size,
            "photographs": len(self._photos),
            "cache": None,
        }
        self.version = f"adapter 2; pixels {pixels.VERSION}; pillow {PIL.__version__}; numpy {np.__version__}"

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | Drawn | PartError]:
        """Find one photograph for each prompt and seed: uint8 (size, size, 3).

        Words of a prompt for which the embedder has no room are told as ignored. A `PartError` stands where the
        photograph has changed since it was read.
        """
        fitting = self._fitting(prompts)
        for prompt, photos in fitting.items():
            if len(photos) < min(_FEW, self._top) and prompt not in self._few:
                self._few.add(prompt)
                count = f"{len(photos)} of {len(self._photos)} photographs"
                _log.warning("%s fit the prompt %s, so its draws repeat them", count, repr(brief(prompt, 120)))
        unread = {prompt: self._embedder.unread(prompt) for prompt in fitting}
        found = [self._photo(fitting[prompt], seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        return [
            Drawn(one, unread[prompt]) if unread[prompt] and not isinstance(one, PartError) else one
            for prompt, one in zip(prompts, found, strict=True)
        ]

    def fitting(self, prompts: Sequence[str]) -> list[int]:
        """Count the photographs that fit each prompt, `top` at most: so many different images its draws can show."""
        found = self._fitting(prompts)
        return [len(found[prompt]) for prompt in prompts]

    def _fitting(self, prompts: Sequence[str]) -> dict[str, NDArray[np.intp]]:
        """Find the photographs that fit each prompt, the nearest first, those of the same cosine by their content."""
        wanted = list(dict.fromkeys(prompts))
        return dict(zip(wanted, map(self._nearest, self._embedder.embed_texts(wanted)), strict=True)) if wanted else {}

    def _nearest(self, text: NDArray[np.float32]) -> NDArray[np.intp]:
        # Rounded, so that the last bits of a batch's arithmetic move no photograph in or out.
        cosines = np.round(self._vectors.astype(np.float64) @ text.astype(np.float64), 5)
        ranked = np.argsort(-cosines, kind="stable")[: self._top]
        # A joint model is trained to hold a pair for exp(scale x cosine) likely, beside the others: so much less of
        # the cosine is so many times less likely.
        fitting: NDArray[np.intp] = ranked[cosines[ranked] >= cosines[ranked[0]] - self._reach]
        return fitting

    def _photo(self, fitting: NDArray[np.intp], seed: int) -> Image | PartError:
        chosen = self._photos[fitting[np.random.default_rng(int(seed)).permutation(len(fitting))[0]]]
        try:
            content = self._shelf.read(chosen.place)
            if hashlib.sha256(content).hexdigest() != chosen.digest:
                return PartError("a photograph has changed since it was first read")
            picture = Pictures.fromarray(pixels.read(content))
        except OSError:
            return PartError("a photograph has gone since it was first read")
        except PartError as error:  # it could be read before, and its content is the same: memory is short
            return error
        return np.asarray(ImageOps.fit(picture, (self._size, self._size), Pictures.Resampling.BICUBIC))


def _must_be_whole(name: str, argument: str, value: object, known: range) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in known:
        message = f"the argument {argument} of {name!r} is a whole number from {known[0]} to {known[-1]}, "
        raise ArgumentError(message + f"but got {brief(repr(value), 40)}")


def _joint(name: str, **where: Any) -> TransformersEmbedder:
    embedder = TransformersEmbedder(name, **where)
    if not embedder.reads_text:
        message = f"the embedder {name!r} embeds images alone; to find photographs by text it must be one such as CLIP"
        raise PluginError(message)
    return embedder


def _log_odds(name: str, odds: object) -> float:
    if isinstance(odds, bool) or not isinstance(odds, int | float) or not 1 <= odds < math.inf:
        message = f"the argument odds of {name!r} is a number from 1 up, but got {brief(repr(odds), 40)}"
        raise ArgumentError(message)
    return math.log(odds)


def _filled(name: str, shelf: _shelf.Shelf) -> _shelf.Shelf:
    """Refuse an empty shelf before the embedder is looked for, which takes longer."""
    if next(iter(shelf.walk()), None) is None:
        _tell(name, 0, Counter())
    return shelf


def _tell(name: str, photos: int, left_out: Counter[str]) -> None:
    """Say what was left out; where nothing is left, that is an error."""
    told = "; ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
    if not photos:
        message = f"{brief(name)!r} holds no image that can be read"
        ends = ", ".join(pixels.SUFFIXES)
        raise PluginError(f"{message}; left out: {told}" if told else f"{message}, by names that end in {ends}")
    if told:
        _log.warning("images in %s were left out: %s", brief(name), told)


# --- reading the shelf ---------------------------------------------------------------------------------------------


def _index(
    shelf: _shelf.Shelf, embedder: TransformersEmbedder, store: _Vectors
) -> tuple[list[_Photo], NDArray[np.float32], Counter[str]]:
    """Embed every photograph once, however often it is there: photographs by content, vectors, what was left out."""
    found: dict[str, _Photo] = {}
    waiting: list[tuple[str, Image]] = []
    left_out: Counter[str] = Counter()
    ask = InPieces(embedder.embed)
    for place, content in shelf.walk():
        if isinstance(content, str):
            left_out[content] += 1
            continue
        digest = hashlib.sha256(content).hexdigest()
        try:
            if digest not in found and digest not in store.known:
                waiting.append((digest, pixels.read(content)))
        except PixelError:
            left_out[_DAMAGED] += 1
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
    """Vectors by the content of their photographs, kept in a file for each embedder and way to read photographs."""

    def __init__(self, folder: Path | None, embedder: TransformersEmbedder) -> None:
        """Read what is kept; a file that is torn counts as none. Without a folder, nothing is kept."""
        about = (embedder.fingerprint, embedder.version, embedder.resolved, pixels.VERSION)
        self._file = None if folder is None else folder / f"vectors-{fingerprint.of_object(about)}.npz"
        self.known: dict[str, NDArray[np.float32]] = {}
        self._grown = False
        if self._file is None:
            return
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
        if not self._grown or self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            for left in self._file.parent.glob(f"{self._file.stem}.*.tmp"):  # by processes that were killed
                if time.time() - left.stat().st_mtime > _LEFT:
                    left.unlink(missing_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self._file.parent, prefix=f"{self._file.stem}.", suffix=".tmp", delete=False
            ) as held:
                np.savez(held, digests=np.array(list(self.known)), vectors=np.array(list(self.known.values())))
            Path(held.name).replace(self._file)
        except OSError as error:
            _log.warning("the vectors could not be kept in %s (%s)", self._file.parent, type(error).__name__)


def _cache_folder(name: str, given: str | None) -> Path | None:
    """Give the folder for vectors: the one that is named, or the user's; None where the user has none."""
    try:
        if given:
            return Path(given).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foible"
    except RuntimeError as error:
        if given:
            message = f"the argument cache of {name!r} is a folder, but got {brief(repr(given), 80)}: {error}"
            raise ArgumentError(message) from error
        return None
