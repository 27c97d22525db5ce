"""`make repairs`: the diorama's biased classifiers repaired: are the planted bugs gone, and what was lost for it?

    python benchmarks/repair.py                   # hunts, repairs the last layer and all of them, prints the table
    python benchmarks/repair.py --layers last --seed 1

Comes in: nothing but the diorama. Goes out: a table in Markdown, as it stands in docs/repair.md. For each classifier:
how many of its confirmed bugs fail at most half as often in words that were not trained on (synonyms of the diorama's
vocabulary, and phrases beside them), the accuracy on them in these words, what became of them by the repair's own
verdicts, the failure rate of fresh base draws over all labels before and after, and outside of what was planted, and
how long it took, with its draws.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

import foible
from foible.arms import MEASURE
from foible.diorama.biases import BIASES, slices_of
from foible.diorama.generator import DioramaGenerator
from foible.diorama.scene import imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.draws.request import prompt
from foible.identity import seed_stream
from foible.parts.registry import load
from foible.records import Label
from foible.repairs import Repair

OTHER_ROOT = 1_000_003
"""Root of the seeds of the base draws that measure what was lost: of no hunt."""
SAID = 3
"""Synonyms of each bug that are given as --variant."""


def base_draws(each: int) -> tuple[list[np.ndarray], np.ndarray, list[object]]:
    """Draw base prompts of all labels: images, right classes, scenes."""
    template = foible.HuntConfig().explore.template
    prompts, seeds, right, scenes = [], [], [], []
    for index, one in enumerate(LABELS):
        text = prompt(Label(one.name, one.hypernym), template)
        own = list(islice(seed_stream(OTHER_ROOT, MEASURE, one.name), each))
        prompts += [text] * each
        seeds += own
        right += [index] * each
        scenes += [imagine(text, seed).scene for seed in own]
    generator = DioramaGenerator()
    images = [
        drawn.image
        for start in range(0, len(seeds), 256)
        for drawn in generator.draw(prompts[start : start + 256], seeds[start : start + 256])
    ]
    return images, np.array(right), scenes


def fails(part: object, images: list[np.ndarray], right: np.ndarray) -> np.ndarray:
    """Tell which images a classifier gets wrong."""
    scores = np.concatenate([part.classify(images[start : start + 256]) for start in range(0, len(images), 256)])  # type: ignore[attr-defined]
    return scores.argmax(axis=1) != right


def synonyms(words: tuple[str, ...]) -> list[str]:
    """Say a description in other words of the diorama's vocabulary."""
    found = []
    for number in range(SAID):
        said = []
        for word in words:
            value = next((v for values in ATTRIBUTES.values() for v in values if v.phrase == word), None)
            others = value.synonyms if value is not None else ()
            said.append(others[number % len(others)] if others else word)
        found.append(", ".join(said))
    return [one for one in dict.fromkeys(found) if one != ", ".join(words)]


def halved(found: Repair) -> tuple[int, int]:
    """Count the bugs that fail at most half as often in words that were not trained on, and all of them."""
    rows = [row for row in found.rows if row.kind == "variant"]
    good = [r for r in rows if r.before.value and r.after.value is not None and 2 * r.after.value <= r.before.value]
    return len(good), len(rows)


def right(found: Repair) -> tuple[float, float]:
    """Give the accuracy on the bugs in words that were not trained on, before and after; each bug counts the same."""
    rows = [row for row in found.rows if row.kind == "variant"]
    values = [(row.before.value, row.after.value) for row in rows]
    known = [(one, other) for one, other in values if one is not None and other is not None]
    before, after = (1.0 - float(np.mean([pair[at] for pair in known])) for at in (0, 1))
    return before, after


def main() -> None:
    """Hunt, repair, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--layers", choices=("last", "all"), action="append")
    parser.add_argument("--classifier", choices=sorted(BIASES), action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=96)
    parser.add_argument("--each", type=int, default=200, help="base draws of each label that measure what was lost")
    parser.add_argument("--folder", type=Path, help="where runs and repairs go, and are gone on from")
    given = parser.parse_args()
    place = given.folder or Path(tempfile.mkdtemp())
    images, meant, scenes = base_draws(given.each)
    headings = (
        *("classifier", "layers", "halved", "bugs right", "by verdict", "worse", "base fails", "outside"),
        "minutes (CPU)",
    )
    print(f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}", flush=True)
    for name in given.classifier or BIASES:
        run = foible.hunt(f"diorama:{name}", seed=given.seed, out=place / f"{name}-{given.seed}", progress=False)
        plain = np.array([not slices_of(scene, name) for scene in scenes])  # type: ignore[arg-type]
        before = fails(load("classifier", f"diorama:{name}").object, images, meant)
        said = [
            f"{n}={s}" for n, f in enumerate(run.confirmed, 1) for s in synonyms(f.trial.hypothesis.treatment.words)
        ]
        for layers in given.layers or ("last", "all"):
            out = place / f"{name}-{given.seed}-{layers}-{given.draws}"
            began, spent = time.perf_counter(), time.process_time()
            found = foible.repair(run.folder, out, layers=layers, draws=given.draws, variant=said, progress=False)
            took, used = (time.perf_counter() - began) / 60, (time.process_time() - spent) / 60
            args = {key: str(value).replace("OUT", str(out)) for key, value in found.args.items()}
            after = fails(load("classifier", found.weights.replace("OUT", str(out)), args).object, images, meant)
            good, bugs = halved(found)
            wrong, mended = right(found)
            states = list(found.bugs.values())
            verdicts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
            print(
                f"| `{name}` | {layers} | {good} of {bugs} | {wrong:.1%} → {mended:.1%} "
                f"| {verdicts} | {found.count('worse')} of {len(found.rows)} "
                f"| {before.mean():.1%} → {after.mean():.1%} "
                f"| {before[plain].mean():.1%} → {after[plain].mean():.1%} | {took:.1f} ({used:.1f}) |",
                flush=True,
            )
    print(f"\n{given.draws} draws of each bug; seed {given.seed}; {len(images):,} base draws; {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
