"""A hunt over a real ImageNet classifier, on diorama scenes at 192 px: `python benchmarks/imagenet.py FOLDER`.

FOLDER holds TFLite MobileNets and `imagenet_labels.txt`. Says so, and does nothing, where it is missing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import foible

LABELS = (
    "504|968=coffee mug (cup)",
    "659|809=mixing bowl (bowl)",
    "846|619=table lamp (lamp)",
    "849|505=teapot (pot)",
    "470=candle (taper)",
    "543=dumbbell (weight)",
)
"""Where ImageNet has two classes that a person would accept for the image, both are: cup for coffee mug, soup bowl for
mixing bowl, lampshade for table lamp, coffeepot for teapot."""
PAIRS = 100
"""More than the default: a real classifier fails in half of these scenes, and a difference of rates near 50 % is the
hardest to prove."""
HERE = Path(__file__).parent


def hunt(
    folder: Path, out: Path, *, name: str, labels: tuple[str, ...] = LABELS, budget: int | None = None
) -> foible.Run:
    """Hunt over a MobileNet that a folder holds."""
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))  # `python:mobilenet:…` is looked for where Python looks for modules
    return foible.hunt(
        foible.Spec("python:mobilenet:classifier", {"folder": str(folder), "name": name}),
        list(labels),
        generator=foible.Spec("diorama:scenes", {"size": 192}),
        out=out,
        budget=budget,
        config={"confirm": {"draws": PAIRS}},
        progress=sys.stderr.isatty(),
    )


def main() -> None:
    """Hunt and print the findings."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--name", default="mobilenet_v2_1.0_224_quant.tflite")
    arguments.add_argument("--out", type=Path, default=Path("runs/imagenet"))
    arguments.add_argument("--budget", type=int, default=None)
    given = arguments.parse_args()
    if not (given.folder / "imagenet_labels.txt").is_file():
        print(f"skipped: {given.folder} holds no imagenet_labels.txt and no MobileNets")
        return
    run = hunt(given.folder, given.out, name=given.name, budget=given.budget)
    for summary in run.result.explored:
        print(f"{summary.label}: fails in {summary.tally.failures} of {summary.tally.scored} draws of the base prompt")
    print((run.folder / "findings.md").read_text(encoding="utf-8"))
    print(f"{sum(run.result.draws.values())} draws, {run.seconds:.0f} s, report: {run.report}")


if __name__ == "__main__":
    main()
