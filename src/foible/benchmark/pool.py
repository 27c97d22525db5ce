"""A pool of drawn scenes, and what every part said of each: what makes thousands of hunts affordable.

Comes in: a folder to keep it in. Goes out: a `Pool`. Rendered once, in chunks that an interrupted call goes on with.
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
from functools import partial
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
        ConfigError: two classifiers would have one name, or one a name that the pool needs.
    """
    names = [*CLASSIFIERS, *RESERVED, *(each.name for each in further)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"two classifiers of the benchmark would be called {twice!r}; rename the folder of one"
        raise ConfigError(message)
    specs = {name: f"diorama:{name}" for name in CLASSIFIERS} | {f.name: f"transformers:{f}" for f in further}
    prompts = [_base(k) for k in range(natural)] + [f"a realistic photograph of {full_caption(s)}" for s in described]
    home = folder / _key(prompts, further)
    home.mkdir(parents=True, exist_ok=True)
    chunks = [(start, prompts[start : start + CHUNK]) for start in range(0, len(prompts), CHUNK)]
    missing = [chunk for chunk in chunks if _read(home, chunk[0], specs) is None]
    if missing:
        # Processes start afresh: torch's threads do not survive a fork.
        workers = min(os.cpu_count() or 1, len(missing))
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as running:
            for done, _ in enumerate(running.map(partial(_draw, home, specs), missing), 1):
                tell(f"pool: {done} of {len(missing)} chunks drawn")
    read = [_must_read(home, start, specs) for start, _ in chunks]
    return Pool(
        np.concatenate([part["codes"] for part in read]),
        {name: np.concatenate([part[name] for part in read]) for name in specs},
        tuple(caption for part in read for caption in json.loads(str(part["captions"]))),
        np.concatenate([part["vectors"] for part in read]),
        natural,
    )


def _base(number: int) -> str:
    label = LABELS[number % len(LABELS)]
    return f"a realistic photograph of a {label.name} ({label.hypernym})"


def _key(prompts: Sequence[str], further: Sequence[Path]) -> str:
    """Cover what decides the pool: the world, the weights, the prompts."""
    from foible.diorama.generator import WORLD_VERSION

    digest = hashlib.sha256(f"world {WORLD_VERSION}; seeds from {FIRST_SEED}".encode())
    for place in (*map(weights, (*CLASSIFIERS, "captioner", "embedder")), *further):
        digest.update((place / "model.safetensors").read_bytes())
    digest.update("\n".join(prompts).encode())
    return digest.hexdigest()[:16]


def _draw(home: Path, specs: Mapping[str, str], chunk: tuple[int, Sequence[str]]) -> None:
    """Draw a chunk, ask every part, and keep the answers; whole or not at all."""
    import torch

    from foible import registry

    torch.set_num_threads(1)
    start, prompts = chunk
    seeds = [FIRST_SEED + start + i for i in range(len(prompts))]
    drawn = registry.load("generator", "diorama:scenes").object.draw(prompts, seeds)
    images = [each.image for each in drawn]
    scenes = [imagine(prompt, seed).scene for prompt, seed in zip(prompts, seeds, strict=True)]
    arrays = {
        name: registry.load("classifier", spec).object.classify(images).argmax(axis=1).astype(np.uint8)
        for name, spec in specs.items()
    }
    partial_file = home / f"{start}.partial.npz"
    np.savez(
        partial_file,
        codes=np.array([[WORDS[f].index(getattr(scene, f)) for f in FIELDS] for scene in scenes], np.uint8),
        captions=np.array(json.dumps(registry.load("captioner", "diorama:captioner").object.caption(images))),
        vectors=registry.load("embedder", "diorama:embedder").object.embed(images),
        allow_pickle=False,
        **arrays,
    )
    partial_file.replace(home / f"{start}.npz")


def _read(home: Path, start: int, specs: Mapping[str, str]) -> dict[str, NDArray[np.generic]] | None:
    """Give a chunk, or None where it is missing or torn."""
    try:
        with (home / f"{start}.npz").open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in ("codes", "captions", "vectors", *specs)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _must_read(home: Path, start: int, specs: Mapping[str, str]) -> dict[str, NDArray[np.generic]]:
    found = _read(home, start, specs)
    if found is None:
        message = f"the chunk {start} of the pool in {home} was written and cannot be read back; is the disk full?"
        raise OSError(message)
    return found
