"""How well are photographs of a description found? Measured on pictures of the diorama, of which the truth is known.

    python benchmarks/seek.py [--pictures 300]

For each description: how many pictures of its label show it; how many of these the embedder finds, and how many others,
at even odds and where the description is held for a fifth as likely; and what the judge says of all of them.
"""

from __future__ import annotations

import argparse

import numpy as np

from foible.act.fitting import Space, shown
from foible.config import TEMPLATE
from foible.diorama.generator import DioramaGenerator
from foible.diorama.scene import imagine
from foible.draws.request import prompt
from foible.parts.registry import load
from foible.records import Label, Treatment

CASES = (
    (Label("coffee mug", "cup"), "on grass", "ground", "grass"),
    (Label("candle", "light"), "in fog", "weather", "fog"),
    (Label("water bottle", "container"), "far away", "distance", "far"),
    (Label("teapot", "pot"), "at night", "light", "night"),
    (Label("teapot", "pot"), "striped", "texture", "striped"),
)
ODDS = 5.0


def main() -> None:
    """Measure, and print a line for each description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    pictures = parser.parse_args().pictures
    embedder, judge = load("embedder", "diorama:embedder"), load("judge", "diorama:judge").object
    space, world = Space(embedder), DioramaGenerator()
    print("description  true  found (wrong) at even odds  at a fifth  seen by the judge (wrong)")
    for label, phrase, attribute, value in CASES:
        base = prompt(label, TEMPLATE)
        images = [drawn.image for drawn in world.draw([base] * pictures, range(pictures))]
        true = {str(n) for n in range(pictures) if getattr(imagine(base, n).scene, attribute) == value}
        vectors = {}
        seen = set()
        for start in range(0, pictures, 32):
            some = images[start : start + 32]
            names = [str(start + at) for at in range(len(some))]
            vectors |= dict(zip(names, np.asarray(embedder.object.embed(some)), strict=True))
            said = judge.judge(some, [Label(f"{label.name}, {phrase}")] * len(some))
            seen |= {name for name, one in zip(names, said, strict=True) if one.faithful}
        shows, unsure = shown(vectors, space.against(prompt(label, TEMPLATE, Treatment(words=(phrase,))), base), ODDS)
        counts = [f"{len(own & true)} ({len(own - true)})" for own in (shows, shows | unsure, seen)]
        print(f"{phrase:12} {len(true):4}  {'  '.join(counts)}")


if __name__ == "__main__":
    main()
