"""What a comparison of two classifiers gets wrong, and what it sees, with and without further images.

    python benchmarks/compare.py [--pool FOLDER]

Each comparison has ten rows: the first images stand for those of a run, 48 a row, and up to so many further ones are
drawn where a row is open. Simulated: two classifiers that fail at given rates, on the same images to a degree. Real: a
network of the diorama and the same one that sees each image mirrored, over pools of images, which each comparison draws
from without replacement. A coin says for each image which of the two is the first, so that they are exactly as good as
each other, and err on the same images as much as two trainings of one network might. Pools are kept in FOLDER, where
one is named.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foible.act.further import Rules, Seen, further
from foible.act.paired import Sides, weigh
from foible.arms import COMPARE
from foible.comparison import Compared
from foible.diorama.biases import BIASES
from foible.diorama.generator import DioramaGenerator
from foible.identity import seed_stream
from foible.parts.registry import load
from foible.records import Draw, Observation, Outcome, Request, Treatment

ROWS, FIRST, TIMES = 10, 48, 200
RULES = Rules(level=0.05, unscored=0.3, same=0.1)
DRAW = Draw(request=Request(key="", label="", treatment=Treatment(), seed=0, arm="compare", text=""), image="0")
SAID = tuple(Observation(draw=DRAW, outcome=Outcome(status=status)) for status in ("passed", "failed"))
Image = Callable[[], tuple[bool, bool]]
"""Gives whether the first and the second classifier fail on the next image of a row."""


class World:
    """Rows that images can be drawn of, for as long as one likes."""

    def __init__(self, rows: Sequence[Image]) -> None:
        """Name the rows by their numbers."""
        self._rows = rows

    def draw(self, label: str, treatment: Treatment, number: int) -> list[Seen]:  # noqa: ARG002 - who draws is called so
        """Draw images."""
        return [self._one(int(label)) for _ in range(number)]

    def compared(self, most: int) -> list[Compared]:
        """Compare over the first images, and then over at most so many further ones."""
        rows = []
        for at in range(len(self._rows)):
            seen = [self._one(at) for _ in range(FIRST)]
            sides = Sides(before=[one for one, _ in seen], after=[other for _, other in seen])
            rows.append((Compared(label=str(at), found=None), sides))
        drawn = further(rows, {at: (str(at), Treatment()) for at in range(len(rows))}, self, most, RULES)
        return weigh(drawn if most else rows, level=0.05, unscored=0.3, same=0.1, sequential=bool(most))

    def _one(self, row: int) -> Seen:
        before, after = self._rows[row]()
        return SAID[before], SAID[after]


def simulated(random: np.random.Generator, before: float, after: float, alike: float) -> Image:
    """Make a row of two classifiers that fail at these rates; on a share of images they find the same ones hard."""

    def image() -> tuple[bool, bool]:
        hard, other, same = random.random(3)
        return bool(hard < before), bool((hard if same < alike else other) < after)

    return image


def pooled(random: np.random.Generator, pool: NDArray[np.bool_]) -> Image:
    """Make a row of a pool of images (n, 2), each once in a comparison; a coin says which side is the first."""
    order = iter(random.permutation(len(pool)))

    def image() -> tuple[bool, bool]:
        side = int(random.integers(2))
        own = pool[next(order)]
        return bool(own[side]), bool(own[1 - side])

    return image


def false_alarms(make: Callable[[], World], most: int) -> str:
    """Count comparisons of equal classifiers in which any row is called worse or better, and images of it."""
    called, drawn, same = 0, 0, 0
    for _ in range(TIMES):
        rows = make().compared(most)
        called += any(row.change in {"worse", "better"} for row in rows)
        same += sum(row.change == "same" for row in rows)
        drawn += sum(row.drawn for row in rows)
    alike = f"{same / TIMES / ROWS:4.0%} of rows the same"
    return f"{called:3d} of {TIMES} call any row; {alike}; {drawn / TIMES:5.0f} new images"


def power(make: Callable[[], World], most: int) -> str:
    """Count comparisons in which the first row, and no direction of another, is called worse."""
    said: Counter[str | None] = Counter()
    drawn = []
    for _ in range(TIMES):
        rows = make().compared(most)
        said[rows[0].change] += 1
        drawn.append(rows[0].drawn)
    return f"worse in {said['worse']:3d} of {TIMES}; {np.mean(drawn):5.1f} new images of the row"


def simulate() -> None:
    """Print what is simulated."""
    print(f"simulated, {ROWS} rows, {FIRST} images a row before any further one")
    for rate in (0.02, 0.2, 0.5):
        for alike in (0.0, 0.7):
            for most in (0, 200):
                random = np.random.default_rng(0)
                equal = partial(World, [simulated(random, rate, rate, alike)] * ROWS)
                print(f"  equal at {rate:4.0%}, alike {alike:.1f}, at most {most:3d}: {false_alarms(equal, most)}")
    for alike in (0.0, 0.7):
        for most in (0, 60):
            random = np.random.default_rng(0)
            one = simulated(random, 0.2, 0.6, alike)
            lost = partial(World, [one, *[simulated(random, 0.02, 0.02, 0.7)] * (ROWS - 1)])
            print(f"  20 % -> 60 %, alike {alike:.1f}, at most {most:3d} in all: {power(lost, most)}")


# --- networks ------------------------------------------------------------------------------------------------------

NETWORKS = ("reference", "biased-resnet", "biased-convnext", "biased-mobilenet")
Pools = dict[str, list["NDArray[np.bool_]"]]


def pools(images: int, folder: Path | None) -> Pools:
    """Say what fails: by network, for each row (images, 2), as the images are and mirrored.

    The rows are the planted bugs of biased-resnet and four of their labels under the base prompt.
    """
    place = None if folder is None else folder / f"compare-{images}.npz"
    if place is not None and place.is_file():
        with np.load(place) as kept:
            return {name: list(kept[name]) for name in NETWORKS}
    parts = {name: load("classifier", f"diorama:{name}").object for name in NETWORKS}
    bugs = BIASES["biased-resnet"]
    abouts = [*((bug.label, bug.description) for bug in bugs), *((bug.label, "") for bug in bugs)][:ROWS]
    found: Pools = {name: [] for name in NETWORKS}
    for label, words in abouts:
        text = f"a realistic photograph of a {label}" + (f", {words}" if words else "")
        seeds = list(islice(seed_stream(99, COMPARE, f"{label} {words}"), images))
        drawn = [one.image for one in DioramaGenerator().draw([text] * images, seeds)]
        for name, part in parts.items():
            right = [str(one).partition(" (")[0] for one in part.labels].index(label)
            sides = [fails(part, shown, right) for shown in (drawn, [image[:, ::-1].copy() for image in drawn])]
            found[name].append(np.stack(sides, 1))
        print(f"  pool: {label} {words}", file=sys.stderr)
    if place is not None:
        np.savez(place, **{name: np.stack(own) for name, own in found.items()})
    return found


def fails(part: Any, images: Sequence[NDArray[np.uint8]], right: int) -> NDArray[np.bool_]:
    """Say of which images a classifier does not give the right class."""
    scores = np.concatenate([part.classify(images[at : at + 64]) for at in range(0, len(images), 64)])
    return np.asarray(scores.argmax(1) != right)


def networks(images: int, folder: Path | None) -> None:
    """Print what networks of the diorama give."""
    print(f"networks of the diorama and themselves mirrored, {ROWS} rows, pools of {images} images")
    for name, own in pools(images, folder).items():
        rates = ", ".join(f"{pool.mean():.0%}" for pool in own)
        differ = ", ".join(f"{(pool[:, 0] != pool[:, 1]).mean():.0%}" for pool in own)
        print(f"  {name} fails in {rates}; the sides differ in {differ}")
        for most in (0, 200):
            equal = partial(world_of, np.random.default_rng(1), own)
            print(f"  {name}, at most {most:3d}: {false_alarms(equal, most)}")


def world_of(random: np.random.Generator, own: Sequence[NDArray[np.bool_]]) -> World:
    """Make a world of pools."""
    return World([pooled(random, pool) for pool in own])


def main() -> None:
    """Print all of it."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--pool", type=Path, help="where pools of real images are kept")
    given.add_argument("--images", type=int, default=500, help="images of a pool")
    options = given.parse_args()
    simulate()
    networks(options.images, options.pool)


if __name__ == "__main__":
    main()
