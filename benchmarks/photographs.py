"""`make photographs`: the planted bugs of the diorama's classifiers, looked for in a folder of labelled images alone.

The folder is drawn once: so many images of each label, with a caption that says what is in them. Each classifier is
hunted over it with many splits into a half that suggests and a half that tests. A planted bias is *found* when a
confirmed finding of its label says its attributes. A confirmed finding is *true* when what it says is so in more fresh
images with its attributes, by the margin, than in images on the same seeds without them. What was drawn and measured
is kept, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import foible
from foible.diorama.biases import BIASES, Bias
from foible.diorama.generator import DioramaGenerator
from foible.diorama.grammar import parse
from foible.diorama.scene import full_caption, imagine
from foible.diorama.vocabulary import LABELS
from foible.errors import PluginError
from foible.findings import Finding
from foible.parts.asking import ask_classifier
from foible.parts.registry import Part, load
from foible.pixels import write_png
from foible.records import ANY, Fault, Hypothesis
from foible.statistics import wilson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IMAGES, SPLITS = 6_000, 20
FIRST_SEED, TRUTH_SEED = 50_000, 90_000
"""Of the images, and of the pairs that say what is true."""
PAIRS, MARGIN, BATCH = 400, 0.1, 50
"""A finding is true where it is so in this share more of the fresh images with its attributes."""


@dataclass(frozen=True)
class Counts:
    """How the hunts over one classifier went: over all splits."""

    found: dict[str, list[int]] = field(default_factory=lambda: {"single": [0, 0], "conjunction": [0, 0]})
    """By kind of bias: found, and planted."""
    claims: list[int] = field(default_factory=lambda: [0, 0])
    """Confirmed findings that are false, and all."""


def main() -> None:
    """Draw, hunt, check, and print."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    arguments.add_argument("--out", type=Path, default=Path("runs/photographs"), help="where all is kept")
    arguments.add_argument("--images", type=int, default=IMAGES, help="in the folder, over all labels")
    arguments.add_argument("--splits", type=int, default=SPLITS, help="of the folder, for each classifier")
    arguments.add_argument("classifiers", nargs="*", default=list(BIASES), help="of diorama:…")
    given = arguments.parse_args()
    folder = draw(given.out / f"set-{given.images}", given.images)
    truths = Truths(given.out)
    for name in given.classifiers:
        counts = hunts(name, folder, given.out, given.splits, truths)
        for kind, (found, planted) in counts.found.items():
            low, high = wilson(found, planted)
            print(f"{name}: {kind}: {found} of {planted} found [{low:.0%}, {high:.0%}]")
        print(f"{name}: {counts.claims[0]} of {counts.claims[1]} claims false", flush=True)


def draw(folder: Path, images: int) -> Path:
    """Draw a labelled set, unless it is there: a folder for each label, and a table of captions beside them."""
    table, generator = folder / "metadata.csv", DioramaGenerator()
    if table.exists():
        return folder
    rows = [("file_name", "text")]
    for label in LABELS:
        (folder / label.name).mkdir(parents=True, exist_ok=True)
        for number in range(images // len(LABELS)):
            text, seed = f"a {label.name}", FIRST_SEED + number
            name = f"{label.name}/{number:04}.png"
            (folder / name).write_bytes(write_png(generator.draw([text], [seed])[0].image))
            rows.append((name, full_caption(imagine(text, seed).scene)))
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder


def hunts(name: str, folder: Path, out: Path, splits: int, truths: Truths) -> Counts:
    """Hunt over the folder with every split, and count."""
    counts = Counts()
    for seed in range(splits):
        run = foible.hunt(
            f"diorama:{name}",
            source=f"photos:{folder}",
            seed=seed,
            out=out / f"{name}-{seed}",
            progress=False,
        )
        for bias in BIASES[name]:
            counts.found[bias.kind][0] += any(_says(finding, bias) for finding in run.confirmed)
            counts.found[bias.kind][1] += 1
        counts.claims[0] += sum(not truths.of(name, finding) for finding in run.confirmed)
        counts.claims[1] += len(run.confirmed)
    return counts


def _says(finding: Finding, bias: Bias) -> bool:
    """Tell whether a finding names a bias: its label and attributes, perhaps with more."""
    hypothesis = finding.trial.hypothesis
    said = parse(hypothesis.description).attributes
    return hypothesis.label == bias.label and all(said.get(k) == v for k, v in bias.attributes)


class Truths:
    """Which findings are true of a classifier: each is asked once."""

    def __init__(self, out: Path) -> None:
        """Read what was asked before."""
        self._file = out / "truths.json"
        self._known: dict[str, float] = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        self._generator = DioramaGenerator()
        self._classifiers: dict[str, Part] = {}

    def of(self, name: str, finding: Finding) -> bool:
        """Tell whether what a finding says is so in more fresh images with its attributes than without."""
        hypothesis = finding.trial.hypothesis
        key = json.dumps([name, hypothesis.label, hypothesis.description, hypothesis.into])
        if key not in self._known:
            self._known[key] = self._difference(name, hypothesis)
            self._file.write_text(json.dumps(self._known, indent=1) + "\n", encoding="utf-8")
            print(f"{key}: {100 * self._known[key]:+.0f} points in {PAIRS} fresh pairs", flush=True)
        return self._known[key] > MARGIN

    def _difference(self, name: str, hypothesis: Hypothesis) -> float:
        """Give the share of images with the attributes of which the claim is true, less that without them."""
        if name not in self._classifiers:
            self._classifiers[name] = load("classifier", f"diorama:{name}", {})
        part = self._classifiers[name]
        labels = [label.name for label in LABELS] if hypothesis.label == ANY else [hypothesis.label]
        so = {True: 0, False: 0}
        for label, treated in itertools.product(labels, so):
            text = f"a {label}" + (f", {hypothesis.description}" if treated else "")
            seeds = range(TRUTH_SEED, TRUTH_SEED + -(-PAIRS // len(labels)))
            for start in range(0, len(seeds), BATCH):
                some = seeds[start : start + BATCH]
                drawn = self._generator.draw([text] * len(some), some)
                for scores in ask_classifier(part, [one.image for one in drawn]):
                    so[treated] += _is_so(scores, label, hypothesis)
        return (so[True] - so[False]) / (-(-PAIRS // len(labels)) * len(labels))


def _is_so(scores: NDArray[np.float64] | Fault, label: str, hypothesis: Hypothesis) -> bool:
    """Tell whether an image is what a hypothesis speaks of: a failure, or one into certain classes."""
    if isinstance(scores, Fault):
        raise PluginError(scores.reason)
    predicted = int(scores.argmax())
    names = [each.name for each in LABELS]
    return predicted != names.index(label) and (not hypothesis.into or predicted in hypothesis.into)


if __name__ == "__main__":
    try:
        main()
    except foible.InputError as problem:
        sys.exit(f"{Path(__file__).name}: {problem}")
