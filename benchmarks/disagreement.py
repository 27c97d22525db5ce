"""Images on which a biased classifier and the reference network disagree: led, with a text and without, and not led.

    python benchmarks/disagreement.py [--draws 12] [--plain 200]

Comes in: nothing but what ships. Goes out: a row for each way, over the cases of `guided.py`: how many images the
biased classifier gets wrong and the reference right, and in how many of these a judge of other weights than the
embedder's sees the label.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from foible.config import GuideOptions
from foible.guiding.generator import Onlookers, guided
from foible.parts.registry import load as part
from foible.records import ClassMap
from foible.statistics import clopper_pearson
from guided import CASES, _passing
from learned import label_of, text_of

WAYS: dict[str, dict[str, Any]] = {
    "noise": {"method": "noise"},
    "noise, text=3": {"method": "noise", "terms": ("text=3",)},
    "steer": {"method": "steer"},
    "steer, text=3": {"method": "steer", "terms": ("text=3",)},
}
PLAIN = "not led"
FIRST_SEED, BATCH = 5_000, 50


def counted(images: Sequence[np.ndarray], label: str, both: Sequence[Any], judge: Any) -> Counter[str]:
    """Count images, those that the two disagree on, and of these those that show the label to the judge."""
    right = [[one.split(" (")[0] for one in own.object.labels].index(label) for own in both]
    wrong, other = (own.object.classify(images).argmax(1) != at for own, at in zip(both, right, strict=True))
    seen = np.array([one.faithful for one in judge.object.judge(images, [label_of(label)] * len(images))])
    apart = wrong & ~other
    return Counter(images=len(images), apart=int(apart.sum()), faithful=int((apart & seen).sum()))


def main() -> None:
    """Lead, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=12, help="that are led, of each case and way")
    parser.add_argument("--plain", type=int, default=200, help="that are not, of each case")
    given = parser.parse_args()
    torch.set_num_threads(1)
    generator, judge = part("generator", "diffusers:diorama"), part("judge", "python:misdrawn:by_captioner")
    reference, embedder = part("classifier", "diorama:reference"), part("embedder", "diorama:embedder")
    rows: dict[str, Counter[str]] = {way: Counter() for way in (*WAYS, PLAIN)}
    for name, label in CASES:
        both, text = (part("classifier", f"diorama:{name}"), reference), text_of(label, {})
        places = [[one.split(" (")[0] for one in own.object.labels].index(label) for own in both]
        maps = [
            ClassMap(classifier=str(at), names=tuple(own.object.labels), right={label: (place,)})
            for at, (own, place) in enumerate(zip(both, places, strict=True))
        ]
        seeds = list(_passing(generator.object, both[0].object, text, places[0], given.draws))
        onlookers = Onlookers(judge, {label: label_of(label)}, embedder)
        for way, how in WAYS.items():
            options = GuideOptions(objective="disagree", steps=16, rate=0.03, **how)
            led = guided(generator, list(zip(both, maps, strict=True)), {label: text}, options, onlookers)
            images = [one.image for one in led.object.draw([text] * len(seeds), seeds)]
            rows[way] += counted(images, label, both, judge)
        for start in range(0, given.plain, BATCH):
            own = list(range(FIRST_SEED + start, FIRST_SEED + min(start + BATCH, given.plain)))
            images = [one.image for one in generator.object.draw([text] * len(own), own)]
            rows[PLAIN] += counted(images, label, both, judge)
    print("| way | they disagree | of these the judge sees the label |\n|---|---|---|")
    for way, row in rows.items():
        print(f"| {way} | {share(row['apart'], row['images'])} | {share(row['faithful'], row['apart'])} |")


def share(hits: int, of: int) -> str:
    """Write a count with its exact interval."""
    low, high = clopper_pearson(hits, of)
    return f"{hits} of {of} ({100 * low:.0f}% to {100 * high:.0f}%)"


if __name__ == "__main__":
    main()
