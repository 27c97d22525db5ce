"""Scenes and their pictures for training: a split's name in, seeded arrays out.

A split is a run of seeds; each seed makes one scene, the way a hunt's base prompt would, and one
picture of 64 x 64 pixels. Pictures are drawn once, by as many processes as wanted, into `cache/`
(never committed); drawing goes on where it was stopped. `batches` turns them into tensors. What the
models make of the data is in `train_classifier` and `train_language`.

    python training/data.py --processes 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
import torch

import foible.adapters  # noqa: F401 - beside a torchvision that does not match, transformers imports only after it
from foible.diorama.models import weights
from foible.diorama.render import render
from foible.diorama.scene import Scene, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS

SIZE = 64
"""Side of every training picture, in pixels."""
FIELDS: tuple[str, ...] = ("label", *ATTRIBUTES)
"""The columns of a coded scene."""
WORDS: dict[str, tuple[str, ...]] = {
    "label": tuple(label.name for label in LABELS),
    **{name: tuple(value.word for value in values) for name, values in ATTRIBUTES.items()},
}
"""The words that each column's numbers stand for."""
CHUNK = 500
"""Pictures between two marks of progress: what an interruption can cost."""


@dataclass(frozen=True)
class Split:
    """One run of seeds, apart from every other split's and from the small numbers hunts use."""

    first_seed: int
    count: int


SPLITS: dict[str, Split] = {
    "train": Split(1_000_000_000, 60_000),
    "validation": Split(2_000_000_000, 3_000),
    "test": Split(3_000_000_000, 3_000),
}


@dataclass(frozen=True)
class Drawn:
    """Scenes as numbers and their pictures."""

    codes: np.ndarray
    """uint8 (n, 9): for each scene and field of `FIELDS` the index in `WORDS`."""
    images: np.ndarray
    """uint8 (n, 64, 64, 3), sRGB; it may lie in a file and be read as needed."""

    def __len__(self) -> int:
        return len(self.codes)


@cache
def place(name: str) -> Path:
    """Where a model's files lie: a shipped one's by its name, another's by its absolute path."""
    return Path(name) if Path(name).is_absolute() else weights(name)


def cache_folder() -> Path:
    """Where pictures and checkpoints of this world lie; a world that draws otherwise has another."""
    seeds = range(24)
    pixels = render([natural_scene(seed) for seed in seeds], list(seeds), SIZE)
    name = blake2b(pixels.tobytes(), digest_size=4).hexdigest()
    folder = Path(__file__).parent / "cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def natural_scene(seed: int) -> Scene:
    """The scene that a hunt's base prompt makes of this seed, the label running with the seed."""
    label = LABELS[seed % len(LABELS)]
    return imagine(f"a realistic photograph of a {label.name} ({label.hypernym})", seed).scene


def encode(scene: Scene) -> list[int]:
    """A scene as one row of numbers."""
    return [WORDS[field].index(getattr(scene, field)) for field in FIELDS]


def decode(code: Sequence[int] | np.ndarray) -> Scene:
    """A row of numbers as the scene it stands for."""
    return Scene(**{field: WORDS[field][int(index)] for field, index in zip(FIELDS, code, strict=True)})


def draw(split: str, processes: int = 1) -> Drawn:
    """The split's data, from the cache where it is there and drawn into it where it is not.

    Raises KeyError for a split that does not exist.
    """
    count = SPLITS[split].count
    images, marks = (cache_folder() / f"{split}-{part}.npy" for part in ("images", "done"))
    if not marks.exists():
        np.lib.format.open_memmap(images, "w+", np.uint8, (count, SIZE, SIZE, 3)).flush()
        np.save(marks, np.zeros(-(-count // CHUNK), bool))
    done = np.lib.format.open_memmap(marks, "r+")
    missing = [int(chunk) for chunk in np.flatnonzero(~done)]
    start = time.monotonic()
    with multiprocessing.Pool(processes) if missing else _Nothing() as pool:
        for ended, chunk in enumerate(pool.imap_unordered(partial(_draw_chunk, split), missing), 1):
            done[chunk] = True
            done.flush()
            if ended % 10 == 0 or ended == len(missing):
                passed = time.monotonic() - start
                print(f"{split}: {ended} of {len(missing)} chunks, {passed:.0f} s", flush=True)
    seeds = range(SPLITS[split].first_seed, SPLITS[split].first_seed + count)
    codes = np.array([encode(natural_scene(seed)) for seed in seeds], np.uint8)
    return Drawn(codes, np.load(images, mmap_mode="r"))


class _Nothing:
    """Stands in for a pool of processes when there is nothing to draw."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def imap_unordered(self, _task: object, _items: object) -> list[int]:
        return []


def _draw_chunk(split: str, chunk: int) -> int:
    """Draw one chunk into its place in the split's file of pictures."""
    place = np.load(cache_folder() / f"{split}-images.npy", mmap_mode="r+")
    rows = range(chunk * CHUNK, min((chunk + 1) * CHUNK, SPLITS[split].count))
    seeds = [SPLITS[split].first_seed + row for row in rows]
    for at in range(0, len(seeds), 50):  # 50 at a time keep the renderer's arrays near the caches
        some = seeds[at : at + 50]
        drawn = render([natural_scene(seed) for seed in some], some, SIZE)
        place[rows.start + at : rows.start + at + len(some)] = drawn
    place.flush()
    return chunk


def order(count: int, size: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """`steps` batches of indices: the numbers below `count` shuffled anew each time round."""
    per_round = count // size
    for step in range(steps):
        place = step % per_round
        if place == 0:
            shuffled = np.random.default_rng((seed, step // per_round)).permutation(count)
        yield shuffled[place * size : (place + 1) * size]


def tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 (n, h, w, 3) to float32 (n, 3, h, w) in [-1, 1], channels last in memory."""
    scaled = torch.from_numpy(np.ascontiguousarray(images)).float().div_(127.5).sub_(1.0)
    return scaled.permute(0, 3, 1, 2)


def varied(images: np.ndarray, rng: np.random.Generator, shift: int = 4) -> torch.Tensor:
    """The pictures as a training batch, each a little changed without changing what it shows.

    Mirrored or not, moved by up to `shift` pixels (edges repeated), up to 5 % brighter or darker.
    Colours stay, because colour is something the captioner must tell.
    """
    n, height, width, _ = images.shape
    rows = np.clip(np.arange(height) + rng.integers(-shift, shift + 1, (n, 1)), 0, height - 1)
    columns = np.clip(np.arange(width) + rng.integers(-shift, shift + 1, (n, 1)), 0, width - 1)
    columns = np.where(rng.random((n, 1)) < 0.5, columns, columns[:, ::-1])
    moved = images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    gain = torch.from_numpy(rng.uniform(0.95, 1.05, (n, 1, 1, 1)).astype(np.float32))
    return ((tensor(moved) + 1.0) * gain - 1.0).clamp_(-1.0, 1.0)


def main() -> None:
    """Draw every split into the cache."""
    parser = argparse.ArgumentParser(description="Draw the training pictures into training/cache.")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    for split in SPLITS:
        draw(split, arguments.processes)


if __name__ == "__main__":
    main()
