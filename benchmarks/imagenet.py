"""A hunt over a real ImageNet classifier, on diorama scenes at 192 px: `python benchmarks/imagenet.py MODEL.tflite`.

Says so, and does nothing, where the file is missing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import foible
from foible.parts import registry

LABELS = (
    "coffee mug (cup)",
    "mixing bowl (bowl)",
    "table lamp (lamp)",
    "teapot (pot)",
    "candle (taper)",
    "dumbbell (weight)",
)
ALSO = {"coffee mug": "cup", "mixing bowl": "soup bowl", "table lamp": "lampshade", "teapot": "coffeepot"}
"""Where ImageNet has another class that a person would accept for the image, it is accepted."""


def labels_of(names: list[str]) -> list[str]:
    """Give the labels with the indices of their classes: "504|968=coffee mug (cup)"."""
    plain = [name.partition(" (")[0] for name in names]
    own = {label: label.partition(" (")[0] for label in LABELS}
    accepted = {label: [name, *filter(None, [ALSO.get(name)])] for label, name in own.items()}
    return [f"{'|'.join(str(plain.index(name)) for name in of)}={label}" for label, of in accepted.items()]


def main() -> None:
    """Hunt and print the findings."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--out", type=Path, default=Path("runs/imagenet"))
    arguments.add_argument("--budget", type=int, default=None)
    given = arguments.parse_args()
    if not given.model.is_file():
        print(f"skipped: there is no {given.model}")
        return
    spec = f"litert:{given.model}"
    run = foible.hunt(
        spec,
        labels_of(list(registry.load("classifier", spec).object.labels)),
        generator=foible.Spec("diorama:scenes", {"size": 192}),
        out=given.out,
        budget=given.budget,
        progress=sys.stderr.isatty(),
    )
    for summary in run.result.explored:
        print(f"{summary.label}: fails in {summary.tally.failures} of {summary.tally.scored} draws of the base prompt")
    print((run.folder / "findings.md").read_text(encoding="utf-8"))
    print(f"{sum(run.result.draws.values())} draws, {run.seconds:.0f} s, report: {run.report}")


if __name__ == "__main__":
    try:
        main()
    except foible.InputError as problem:
        sys.exit(f"{Path(__file__).name}: {problem}")
