"""A hunt over a thousand labels, and the memory that hunts of more draws take: `python benchmarks/labels.py`.

The parts cost nearly nothing, so that time and memory are foible's own. One label in fifty fails on grass.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import foible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Label

GROUNDS = ("grass", "snow", "sand", "wood", "water", "a road", "a table", "stone")
COLOURS = ("red", "blue", "green", "white", "black", "yellow")
EVERY = 50
"""One label in so many fails on grass."""
MIB = 2**20


def name(number: int) -> str:
    """Name a label with letters alone, so that nothing takes it for a seed."""
    return "thing " + "".join("abcdefghij"[int(digit)] for digit in f"{number:04}")


class Generator:
    """Writes label, ground and colour into pixels: those of the prompt, else those of the seed."""

    fingerprint = "a thousand labels"

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Give images (8, 8, 3)."""
        return [_write(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]


class Classifier:
    """Right, but for some labels on grass."""

    def __init__(self, count: int) -> None:
        """Have so many classes."""
        self.labels = [name(number) for number in range(count)]
        self.fingerprint = f"a thousand labels, {count}"

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give 1 to one class and 0 to the others."""
        scores = np.zeros((len(images), len(self.labels)), np.float32)
        for row, image in enumerate(images):
            label, ground, _ = _read(image)
            wrong = label % EVERY == 0 and GROUNDS[ground] == "grass"
            scores[row, (label + wrong) % len(self.labels)] = 1.0
        return scores


class Captioner:
    """Says what is there."""

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Give one line an image."""
        read = map(_read, images)
        return [f"a {COLOURS[colour]} {name(label)} on {GROUNDS[ground]}" for label, ground, colour in read]


class Embedder:
    """Gives what is there as a vector."""

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give vectors (n, 14)."""
        rows = [np.concatenate([np.eye(8)[ground], np.eye(6)[colour]]) for _, ground, colour in map(_read, images)]
        return np.array(rows, np.float32)


class Judge:
    """Knows the truth."""

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[bool]:
        """Tell whether each image shows its label."""
        return [name(_read(image)[0]) == label.name for image, label in zip(images, labels, strict=True)]


def hunted(labels: int, draws: int) -> dict[str, float]:
    """Hunt to the end, in this process; seconds, draws, findings and the peak of memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        began = time.perf_counter()
        run = foible.hunt(
            Classifier(max(labels, 60)),
            [name(number) for number in range(labels)],
            generator=Generator(),
            captioner=Captioner(),
            embedder=Embedder(),
            judge=Judge(),
            out=Path(folder) / "run",
            config={"explore": {"draws": draws}},
            progress=False,
        )
        took = time.perf_counter() - began
        page = (Path(folder) / "run" / "report.html").stat().st_size
        right = sum(_is_true(finding) for finding in run.confirmed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "draws": float(sum(run.result.draws.values())),
        "seconds": took,
        "confirmed": float(len(run.confirmed)),
        "of these planted": float(right),
        "page, MB": page / MIB,
        "peak memory, MB": peak / MIB,
    }


def _is_true(finding: Any) -> bool:
    hypothesis = finding.trial.hypothesis
    number = int("".join(str("abcdefghij".index(letter)) for letter in hypothesis.label.split()[1]))
    return number % EVERY == 0 and "grass" in hypothesis.description


def _write(prompt: str, seed: int) -> Image:
    found = re.search(r"thing ([a-j]{4})", prompt)
    number = 0 if found is None else int("".join(str("abcdefghij".index(letter)) for letter in found[1]))
    dice = np.random.default_rng([number, seed])
    ground, colour = int(dice.integers(len(GROUNDS))), int(dice.integers(len(COLOURS)))
    ground = next((at for at, word in enumerate(GROUNDS) if f"on {word}" in prompt), ground)
    colour = next((at for at, word in enumerate(COLOURS) if word in prompt.split()), colour)
    image = np.zeros((8, 8, 3), np.uint8)
    image[0, :4, 0] = [number // 256, number % 256, ground, colour]
    image[1, :4, 0] = list(seed.to_bytes(4, "big"))
    return image


def _read(image: Image) -> tuple[int, int, int]:
    high, low, ground, colour = (int(value) for value in image[0, :4, 0])
    return 256 * high + low, ground, colour


def main() -> None:
    """Measure, each hunt in a process of its own, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--labels", type=int, default=1000, help="of the large hunt")
    arguments.add_argument("--draws", type=int, nargs="*", default=[160, 1600, 16000], help="of each of 12 labels")
    given = arguments.parse_args()
    for labels, draws in [(given.labels, 16), *((12, draws) for draws in given.draws)]:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as running:
            for what, value in running.submit(hunted, labels, draws).result().items():
                print(f"{labels} labels, {draws} explored each: {what:<30}{value:12,.1f}", flush=True)


if __name__ == "__main__":
    main()
