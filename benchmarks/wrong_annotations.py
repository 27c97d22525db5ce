"""Which wrong annotations the nearest photographs tell: 720 pictures of the diorama, 3 % of them annotated wrongly.

python benchmarks/wrong_annotations.py
"""

from __future__ import annotations

import random

import numpy as np

from foible.adapters.photographs.measures import measured
from foible.diorama.generator import DioramaGenerator
from foible.diorama.vocabulary import LABELS
from foible.parts.registry import load
from foible.statistics import disagreeing

EACH, WRONG = 60, 0.03


def main() -> None:
    """Print precision and recall by the diorama's embedder, and by measures of the pixels."""
    embedder = load("embedder", "diorama:embedder").object
    names = [label.name for label in LABELS for _ in range(EACH)]
    drawn = DioramaGenerator(64).draw([f"a realistic photograph of a {name}" for name in names], range(len(names)))
    images = [one.image for one in drawn]
    vectors = np.concatenate([embedder.embed(images[at : at + 32]) for at in range(0, len(images), 32)])
    numbers = np.array([[float(value) for value in list(measured(image).values())[:4]] for image in images])
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    for called, space in (("embedder", vectors), ("measures", numbers)):
        for seed in range(2):
            rng = random.Random(seed)  # noqa: S311 - no cryptography
            wrong = set(rng.sample(range(len(names)), round(WRONG * len(names))))
            given = [
                rng.choice([label.name for label in LABELS if label.name != name]) if number in wrong else name
                for number, name in enumerate(names)
            ]
            found = {number for number, *_ in disagreeing(space, given)}
            print(f"{called}, draw {seed}: {len(found)} listed, with {len(found & wrong)} of {len(wrong)} wrong ones")


if __name__ == "__main__":
    main()
