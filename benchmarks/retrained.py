"""Networks that differ by the seed of their training alone, compared two by two: how often is a difference claimed?

    nice python benchmarks/retrained.py [--networks 15] [--folder build/retrained]

Comes in: nothing but the diorama. Goes out: figures as they stand in docs/compare.md. Each network learns the same
draws of four labels, mugs on grass called a bucket among them, by a seed of its own, and is hunted over on another one.
Each run is then compared with every other network, by `foible.compare` and by a suite that was saved of it, in both of
which the images that the run made decide.

What is true of two networks is what 2,000 draws say, of each label and of each bug that is compared, which nobody else
has seen: the difference of their failure rates with its exact 95 % interval. A row that is called worse or better is
*borne out* where all of this interval lies on that side. Everything is kept in the folder, and gone on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import foible
import small_networks
from foible.arms import MEASURE
from foible.diorama.generator import DioramaGenerator
from foible.draws.request import prompt
from foible.identity import seed_stream
from foible.parts.registry import load
from foible.records import Label, Pairs, Spec, Treatment
from foible.statistics import paired_difference, wilson

NAMES = ("coffee mug", "bucket", "vase", "candle")
LABELS = tuple(Label(name, small_networks.KINDS[name]) for name in NAMES)
EACH, FIRST_SEED, PASSES = 200, 3_200_000_000, 8
BUDGET = 900
"""Draws of a hunt."""
TRUTH, OTHER_ROOT = 2_000, 1_000_019
"""Draws of a row that say what is true, and the root of their seeds: of no hunt."""
BUGS = 2
"""Bugs of a run that are compared."""
SAME = 0.1
"""What `compare` calls the same."""
_PART = 250
"""Draws of the truth at once."""
Row = tuple[str, str]
"""A label, and a description; empty for the base prompt."""


class Called(NamedTuple):
    """What a comparison said of a row."""

    row: Row
    change: str | None


@dataclass(frozen=True, kw_only=True)
class World:
    """Networks, and where everything lies."""

    folder: Path
    networks: int

    def spec(self, at: int) -> Spec:
        """Say how foible loads a network."""
        args = {**small_networks.RECIPE, "factory": "small_networks:make", "factory_args": {"classes": len(NAMES)}}
        return Spec(f"torch:{self.folder / f'network-{at}.pth'}", {**args, "labels": small_networks.labels(NAMES)})

    def trained(self) -> None:
        """Train what is not there."""
        lacking = [at for at in range(self.networks) if not (self.folder / f"network-{at}.pth").exists()]
        if not lacking:
            return
        drawn = small_networks.sample(NAMES, EACH, FIRST_SEED)
        taught = drawn.taught(NAMES.index("coffee mug"), "grass", NAMES.index("bucket"))
        for at in lacking:
            torch.manual_seed(at)
            network = small_networks.make(len(NAMES))
            small_networks.train(network, drawn.images, taught, seed=at, passes=PASSES)
            part = self.folder / "network.part"
            torch.save(network.state_dict(), part)
            part.replace(self.folder / f"network-{at}.pth")

    def run(self, at: int) -> foible.Run:
        """Hunt over a network, on a seed of its own; a run that is there is read."""
        config = {
            "explore": {"template": small_networks.TEMPLATE},
            "generator": {"args": {"size": small_networks.SIZE}},
        }
        return foible.hunt(
            self.spec(at),
            LABELS,
            out=self.folder / f"run-{at}",
            seed=at,
            budget=BUDGET,
            config={**config, "archive": self.folder / "archive"},
            progress=False,
        )


def bugs_of(run: foible.Run) -> dict[int, Row]:
    """Give the bugs of a run that are compared, by number: of those with images of their own.

    By their names: the first of the table are those that failed most on the images that decide here.
    """
    own = {number: found for number, found in enumerate(run.confirmed, 1) if found.measured is not None}
    abouts = {number: found.trial.hypothesis for number, found in own.items()}
    named = {number: (one.label, one.description) for number, one in abouts.items()}
    return dict(sorted(named.items(), key=lambda item: item[1])[:BUGS])


def compared(world: World, at: int, other: int, numbers: Sequence[int]) -> list[Called]:
    """Compare a run with another network by its images."""
    run = world.folder / f"run-{at}"
    found = foible.compare(run, world.spec(other), findings=numbers, archive=world.folder / "archive")
    return [
        Called((row.label, row.found.trial.hypothesis.description if row.found else ""), row.change)
        for row in found.rows
    ]


def rechecked(world: World, at: int, other: int, numbers: Sequence[int]) -> list[Called]:
    """Run another network against a suite of a run, which is saved where it is not there."""
    suite = world.folder / f"suite-{at}.zip"
    if not suite.exists():
        foible.save_suite(world.folder / f"run-{at}", suite, findings=numbers, archive=world.folder / "archive")
    found = foible.run_suite(suite, world.spec(other))
    return [Called((row.label, row.description), row.change) for row in found.rows]


WAYS = {"compare": compared, "suite": rechecked}


def pairs(world: World) -> dict[str, dict[tuple[int, int], list[Called]]]:
    """Compare each run with every other network, both ways; what is in the file is not done again."""
    file = world.folder / "pairs.jsonl"
    done: dict[str, dict[tuple[int, int], list[Called]]] = {way: {} for way in WAYS}
    for line in file.read_text("utf-8").splitlines() if file.exists() else []:
        way, at, other, rows = json.loads(line)
        done[way][at, other] = [Called(tuple(row), change) for row, change in rows]
    with file.open("a", encoding="utf-8") as kept:
        for at in range(world.networks):
            numbers = list(bugs_of(world.run(at)))
            for other in range(world.networks):
                for way, ask in WAYS.items():
                    if other == at or (way == "suite" and not numbers) or (at, other) in done[way]:
                        continue
                    done[way][at, other] = ask(world, at, other, numbers)
                    kept.write(json.dumps([way, at, other, done[way][at, other]]) + "\n")
                    kept.flush()
    return done


def drawn(world: World, row: Row) -> NDArray[np.uint8]:
    """Draw 2,000 images of a row, or read them; those in which the judge sees the label."""
    label, description = row
    file = world.folder / f"truth-{hashlib.sha256(f'{label}/{description}'.encode()).hexdigest()[:16]}.npy"
    if file.exists():
        return np.asarray(np.load(file))
    of = LABELS[NAMES.index(label)]
    text = prompt(of, small_networks.TEMPLATE, Treatment(words=(description,) if description else ()))
    seeds = list(islice(seed_stream(OTHER_ROOT, MEASURE, f"{label} {description}"), TRUTH))
    generator, judge = DioramaGenerator(size=small_networks.SIZE), load("judge", "diorama:judge").object
    found = []
    for start in range(0, TRUTH, _PART):
        some = seeds[start : start + _PART]
        images = [one.image for one in generator.draw([text] * len(some), some)]
        said = judge.judge(images, [of] * len(images))
        found += [image for image, one in zip(images, said, strict=True) if one.faithful]
    np.save(file, np.stack(found))
    return np.stack(found)


def truth(world: World, row: Row) -> NDArray[np.bool_]:
    """Say which draws of a row each network fails on: (networks, draws)."""
    images, right = drawn(world, row), NAMES.index(row[0])
    networks = [load("classifier", world.spec(at)).object for at in range(world.networks)]
    parts = [images[start : start + _PART] for start in range(0, len(images), _PART)]
    return np.stack(
        [np.concatenate([one.classify(list(part)).argmax(axis=1) for part in parts]) != right for one in networks]
    )


def differs(fails: NDArray[np.bool_], at: int, other: int) -> tuple[float, float, float]:
    """Give by how much more often the second network fails, and the 95 % interval of it."""
    before, after = fails[at], fails[other]
    cells = Pairs(
        both_failed=int((before & after).sum()),
        only_treat=int((after & ~before).sum()),
        only_control=int((before & ~after).sum()),
        both_passed=int((~before & ~after).sum()),
    )
    return (float(after.mean() - before.mean()), *paired_difference(cells, 0.95))


def tell(done: Mapping[tuple[int, int], Sequence[Called]], true: Mapping[Row, NDArray[np.bool_]], way: str) -> None:
    """Print what was called, and what of it is borne out."""
    rows: Counter[str] = Counter()
    wrong: dict[str, set[tuple[int, int]]] = {"not borne out": set(), "the other way": set()}
    for pair, called in done.items():
        for row, change in called:
            value, low, high = differs(true[row], *pair)
            rows["rows"] += 1
            rows["differ"] += not low <= 0.0 <= high
            rows["seen"] += change in {"worse", "better"} and not low <= 0.0 <= high
            rows["same"] += change == "same"
            rows["same, and surely not within 10 points"] += change == "same" and (low > SAME or high < -SAME)
            if change in {"worse", "better"}:
                side = 1.0 if change == "worse" else -1.0
                rows["called"] += 1
                if min(side * low, side * high) <= 0.0:
                    rows["not borne out"] += 1
                    wrong["not borne out"].add(pair)
                if side * value <= 0.0:
                    rows["the other way"] += 1
                    wrong["the other way"].add(pair)
    print(f"{way}: {len(done)} pairs, " + ", ".join(f"{count} {what}" for what, count in rows.items()))
    for what, pairs_with in wrong.items():
        low, high = wilson(len(pairs_with), len(done), 0.95)
        print(f"  pairs with a call {what}: {len(pairs_with)} of {len(done)} [{low:.1%}, {high:.1%}]")


def main() -> None:
    """Train, hunt, compare, draw the truth, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", type=int, default=15)
    parser.add_argument("--folder", type=Path, default=Path("build/retrained"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    world = World(folder=given.folder.resolve(), networks=given.networks)
    spent: dict[str, Any] = {}

    def lap(what: str) -> None:
        spent[what] = time.process_time() - sum(spent.values())
        print(f"{what}: {spent[what]:.0f} s of CPU", flush=True)

    world.trained()
    lap("trained")
    runs = [world.run(at) for at in range(world.networks)]
    lap("hunted")
    done = pairs(world)
    lap("compared")
    rows = {row for ways in done.values() for called in ways.values() for row, _ in called}
    true = {row: truth(world, row) for row in sorted(rows)}
    lap("drawn")
    for row, fails in true.items():
        share = np.sort(fails.mean(axis=1))
        print(f"{' '.join(row)}: fails in {share[0]:.1%} to {share[-1]:.1%}, median {np.median(share):.1%}")
    print(f"{sum(bool(bugs_of(run)) for run in runs)} of {len(runs)} runs have a bug; {len(rows)} different rows")
    for way, own in done.items():
        tell(own, true, way)


if __name__ == "__main__":
    main()
