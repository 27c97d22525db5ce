"""Errors of a generator that judges lead to: how many a search finds, and how many of them an onlooker bears out.

    python benchmarks/misdrawn.py --draws 8     # the trained pipeline of the diorama, four labels, one judge and three

Comes in: nothing but what ships. Goes out: a table in Markdown. The reference classifier is in no judge: it bears out.
Neighbour: `guided.py` measures errors of classifiers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import foible
from foible.parts import asking
from foible.parts.registry import load
from foible.records import Fault, Judgement, Label, Spec
from foible.statistics import clopper_pearson

if TYPE_CHECKING:
    from foible.parts.protocols import Image

LABELS = ("candle", "barrel", "bucket", "coffee mug")
"""Those that the pipeline draws worst, and one more."""
Judge = Callable[[Sequence[Any], Sequence[Label]], list[Judgement]]


def by_classifier() -> Judge:
    """Make a judge of a classifier that is neither explained nor asked to bear anything out."""
    part = load("classifier", "diorama:biased-mobilenet")
    names = [name.split(" (")[0] for name in part.object.labels]

    def judge(images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:
        said = [_known(one) for one in asking.ask_classifier(part, images)]
        return [
            Judgement(names[int(row.argmax())] == label.name, float(row[names.index(label.name)]))
            for row, label in zip(said, labels, strict=True)
        ]

    return judge


def by_captioner() -> Judge:
    """Make a judge of the captioner: does it name the label?"""
    part = load("captioner", "diorama:captioner")

    def judge(images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:
        said = [str(_known(one)) for one in asking.ask_captioner(part, images)]
        return [
            Judgement(label.name in text, float(label.name in text)) for text, label in zip(said, labels, strict=True)
        ]

    return judge


def _known(answer: Any) -> Any:
    if isinstance(answer, Fault):
        raise RuntimeError(answer.reason)  # noqa: TRY004 - of a part, not of a type
    return answer


THREE = ["diorama:judge", "python:misdrawn:by_classifier", "python:misdrawn:by_captioner"]
JUDGES: dict[str, str | Spec] = {
    "one judge": "diorama:judge",
    "three, none of which sees it": Spec("ensemble", {"judges": THREE, "needed": 1}),
}


def _interval(count: int, n: int) -> str:
    low, high = clopper_pearson(count, n)
    return f"({100 * low:.0f}% to {100 * high:.0f}%)"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=8, metavar="N", help="draws of each label that are led")
    parser.add_argument("--kept", type=Path, help="a folder for the pages")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    print("| judges | method | lost their label | the reference agrees | images for each of these | unled | CPU-s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, judge in JUDGES.items():
        for method in ("select", "evolve"):
            with tempfile.TemporaryDirectory() as scratch:
                folder = (given.kept or Path(scratch)) / f"{name.split()[0]}-{method}"
                began = time.process_time()
                found = foible.guide(
                    "diorama:reference",
                    list(LABELS),
                    generator="diffusers:diorama",
                    judge=judge,
                    method=method,
                    objective="generator",
                    draws=given.draws,
                    out=folder,
                    progress=False,
                )
                spent = time.process_time() - began
            reached, finds = found.count("find", "lost"), found.count("find")
            each = f"{found.samplings() / finds:.0f}" if finds else "–"
            unled = sum(one.explored.unfaithful for one in found.labels)
            explored = sum(one.explored.draws for one in found.labels)
            cells = (
                f"{reached} of {found.led()} {_interval(reached, found.led())}",
                f"{finds} ({100 * found.share.low:.0f}% to {100 * found.share.high:.0f}%)",
                each,
                f"{unled} of {explored} {_interval(unled, explored)}",
                f"{spent:.0f}",
            )
            print(f"| {name} | {method} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
