"""The pictures of the narrow diorama: a seed in, its scene and its picture out.

What a scene may hold is in `foible.diorama.narrow`; what words leave open (angles, sizes, shadows) varies as in any
diorama. `pictures` draws them once into a file, in chunks, and goes on where it was stopped.

    python training/narrow.py --folder build/diffusion --count 24000
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foible.diorama.narrow import FIXED, OPEN
from foible.diorama.render import render
from foible.diorama.scene import Scene
from foible.diorama.vocabulary import LABELS

SIZE = 64
"""Side of every picture, in pixels."""
FIRST_SEED = 4_000_000_000
"""The seeds of training pictures run from here: apart from those of the classifiers and of hunts."""
CHUNK = 100
"""Pictures between two marks of progress: what an interruption can cost."""


def scene(seed: int) -> Scene:
    """Give the scene of one picture; its label runs with the seed, so that any run of seeds holds all."""
    dice = np.random.default_rng(seed)
    said = {name: among[int(dice.integers(len(among)))] for name, among in OPEN.items()}
    return Scene(LABELS[seed % len(LABELS)].name, **said, **FIXED)


def pictures(folder: Path, count: int, first_seed: int = FIRST_SEED) -> NDArray[np.uint8]:
    """Draw `count` pictures into `folder`, or read those that are there; (count, 64, 64, 3), in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    images, marks = (folder / f"{first_seed}-{count}-{part}.npy" for part in ("images", "done"))
    if not marks.exists():
        np.lib.format.open_memmap(images, "w+", np.uint8, (count, SIZE, SIZE, 3)).flush()
        np.save(marks, np.zeros(-(-count // CHUNK), bool))
    done, drawn = (np.lib.format.open_memmap(file, "r+") for file in (marks, images))
    start = time.monotonic()
    for chunk in map(int, np.flatnonzero(~done)):
        rows = range(chunk * CHUNK, min((chunk + 1) * CHUNK, count))
        seeds = [first_seed + row for row in rows]
        drawn[rows.start : rows.stop] = render([scene(seed) for seed in seeds], seeds, SIZE)
        drawn.flush()
        done[chunk] = True
        done.flush()
        if chunk % 20 == 19:
            print(f"{rows.stop} of {count} pictures, {time.monotonic() - start:.0f} s", flush=True)
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of the narrow world.")
    parser.add_argument("--folder", type=Path, default=Path("build/diffusion"))
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    arguments = parser.parse_args()
    pictures(arguments.folder, arguments.count, arguments.first_seed)
