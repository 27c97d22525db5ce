"""A pool of drawn scenes, and what every part said of each: what makes thousands of hunts affordable.

Comes in: a folder to keep it in. Goes out: a `Pool`. Rendered once, in chunks that an interrupted call goes on with.
Each further classifier's answers are kept apart, so that another one costs its own answers and a rendering, no more.
Neighbour: `world.py` hands its images out as draws.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foible.diorama.biases import BIASES
from foible.diorama.models import weights
from foible.diorama.scene import Scene, full_caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

CHUNK = 600
FIRST_SEED = 3_900_000_000
"""Seeds of the pool's scenes: apart from those that any model was trained or measured on."""
CLASSIFIERS = ("reference", *BIASES)
RESERVED = ("codes", "captions", "vectors")
"""What else a chunk holds by name."""
WORDS: dict[str, tuple[str, ...]] = {
    "label": tuple(label.name for label in LABELS),
    **{name: tuple(value.word for value in values) for name, values in ATTRIBUTES.items()},
}
FIELDS = tuple(WORDS)


@dataclass(frozen=True, slots=True)
class Pool:
    """Drawn scenes and what the parts said of them; rows are images."""

    codes: NDArray[np.uint8]
    """(n, 9): for each field of `FIELDS` the index in `WORDS`."""
    predictions: dict[str, NDArray[np.uint8]]
    """By classifier, (n,): the predicted class."""
    captions: tuple[str, ...]
    vectors: NDArray[np.float32]
    """(n, d): the embedder's."""
    natural: int
    """The first so many images are scenes as base prompts draw them; the others were described in full."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one folder keeps of every chunk."""

    home: Path
    specs: Mapping[str, str]
    """Whose answers, by name."""
    described: bool
    """Whether it keeps the scenes too, and what captioner and embedder said of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Arrays in a chunk."""
        return (*(RESERVED if self.described else ()), *self.specs)


def open_pool(
    folder: Path, natural: int, described: Sequence[Scene], tell: Callable[[str], None], further: Sequence[Path] = ()
) -> Pool:
    """Give the pool that a folder holds, drawing what is missing.

    Args:
        folder: where chunks are kept; made if need be.
        natural: scenes as base prompts draw them, the labels taking turns.
        described: further scenes, each drawn once, in this order.
        tell: is told how far it is.
        further: folders of classifiers, in transformers' format, that are asked beside the shipped ones.

    Raises:
        ConfigError: two classifiers would have one name, or one a name that the pool needs; a folder has no weights.
    """
    names = [*CLASSIFIERS, *RESERVED, *(each.name for each in further)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"two classifiers of the benchmark would be called {twice!r}; rename the folder of one"
        raise ConfigError(message)
    prompts = [_base(k) for k in range(natural)] + [f"a realistic photograph of {full_caption(s)}" for s in described]
    home = folder / _key(prompts)
    parts = [
        _Part(home, {name: f"diorama:{name}" for name in CLASSIFIERS}, described=True),
        *(
            _Part(home / f"{each.name}-{_weights(each)}", {each.name: f"transformers:{each}"}, described=False)
            for each in further
        ),
    ]
    chunks = [(start, prompts[start : start + CHUNK]) for start in range(0, len(prompts), CHUNK)]
    _complete(parts, chunks, tell)
    read = [{name: a for part in parts for name, a in _must_read(part, start).items()} for start, _ in chunks]
    return Pool(
        np.concatenate([chunk["codes"] for chunk in read]),
        {name: np.concatenate([chunk[name] for chunk in read]) for part in parts for name in part.specs},
        tuple(caption for chunk in read for caption in json.loads(str(chunk["captions"]))),
        np.concatenate([chunk["vectors"] for chunk in read]),
        natural,
    )


def _complete(parts: Sequence[_Part], chunks: Sequence[tuple[int, Sequence[str]]], tell: Callable[[str], None]) -> None:
    """Draw each chunk that a part lacks, once for all parts that lack it."""
    for part in parts:
        part.home.mkdir(parents=True, exist_ok=True)
    lacking = [(chunk, [part for part in parts if _read(part, chunk[0]) is None]) for chunk in chunks]
    missing = [(chunk, who) for chunk, who in lacking if who]
    if not missing:
        return
    # Processes start afresh: torch's threads do not survive a fork.
    workers = min(os.cpu_count() or 1, len(missing))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as running:
        for done, _ in enumerate(running.map(_draw, missing), 1):
            tell(f"pool: {done} of {len(missing)} chunks drawn")


def _base(number: int) -> str:
    label = LABELS[number % len(LABELS)]
    return f"a realistic photograph of a {label.name} ({label.hypernym})"


def _key(prompts: Sequence[str]) -> str:
    """Cover what decides the common part of the pool: the world, the shipped weights, the prompts."""
    from foible.diorama.generator import WORLD_VERSION

    digest = hashlib.sha256(f"world {WORLD_VERSION}; seeds from {FIRST_SEED}".encode())
    for place in map(weights, (*CLASSIFIERS, "captioner", "embedder")):
        digest.update((place / "model.safetensors").read_bytes())
    digest.update("\n".join(prompts).encode())
    return digest.hexdigest()[:16]


def _weights(folder: Path) -> str:
    """Give a name for the weights in a folder."""
    try:
        return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]
    except OSError as problem:
        message = f"{folder} holds no model.safetensors that can be read; name a folder that the training script wrote"
        raise ConfigError(message) from problem


def _draw(task: tuple[tuple[int, Sequence[str]], Sequence[_Part]]) -> None:
    """Draw a chunk, ask for what each part lacks, and keep it; a part's chunk is whole or not there at all."""
    import torch

    from foible.parts import registry

    torch.set_num_threads(1)
    (start, prompts), parts = task
    seeds = [FIRST_SEED + start + i for i in range(len(prompts))]
    drawn = registry.load("generator", "diorama:scenes").object.draw(prompts, seeds)
    images = [each.image for each in drawn]
    for part in parts:
        arrays = {
            name: registry.load("classifier", spec).object.classify(images).argmax(axis=1).astype(np.uint8)
            for name, spec in part.specs.items()
        }
        partial_file = part.home / f"{start}.partial.npz"
        described = _described(prompts, seeds, images) if part.described else {}
        np.savez(partial_file, allow_pickle=False, **described, **arrays)
        partial_file.replace(part.home / f"{start}.npz")


def _described(prompts: Sequence[str], seeds: Sequence[int], images: Sequence[Image]) -> dict[str, NDArray[np.generic]]:
    """Give the scenes as numbers, and what captioner and embedder say of them."""
    from foible.parts import registry

    scenes = [imagine(prompt, seed).scene for prompt, seed in zip(prompts, seeds, strict=True)]
    return {
        "codes": np.array([[WORDS[f].index(getattr(scene, f)) for f in FIELDS] for scene in scenes], np.uint8),
        "captions": np.array(json.dumps(registry.load("captioner", "diorama:captioner").object.caption(images))),
        "vectors": registry.load("embedder", "diorama:embedder").object.embed(images),
    }


def _read(part: _Part, start: int) -> dict[str, NDArray[np.generic]] | None:
    """Give a part's chunk, or None where it is missing or torn."""
    try:
        with (part.home / f"{start}.npz").open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in part.names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _must_read(part: _Part, start: int) -> dict[str, NDArray[np.generic]]:
    found = _read(part, start)
    if found is None:
        message = f"the chunk {start} of the pool in {part.home} was written and cannot be read back; is the disk full?"
        raise OSError(message)
    return found
