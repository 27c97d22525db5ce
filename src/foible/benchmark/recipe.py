"""Classifiers with planted bugs: the shipped ones, which were trained, and any number more by a seed.

Comes in: a pool and a seed. Goes out: a `Target`: the class it predicts for each image, and its bugs. One made by the
recipe answers as the trained reference classifier does, except in its slices, where it takes a share of the images, its
strength, for another label. Neighbour: `diorama/biases.py` has the bugs of the shipped ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foible.benchmark.pool import FIELDS, WORDS, Pool
from foible.diorama.biases import BIASES, Bias
from foible.diorama.vocabulary import ATTRIBUTES, DEFAULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SINGLES, CONJUNCTIONS = 4, 2
STRENGTHS = (0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Target:
    """A classifier under test, whose bugs are known."""

    name: str
    answers: NDArray[np.uint8]
    """(n,): the class predicted for each image of the pool."""
    bugs: tuple[Bias, ...]


def shipped(pool: Pool) -> list[Target]:
    """Give the biased classifiers that foible ships."""
    return [Target(name, pool.predictions[name], bugs) for name, bugs in BIASES.items()]


def planted(pool: Pool, seed: int) -> Target:
    """Plant four bugs of one attribute and two conjunctions, each of another label, at strengths from 0.5 to 0.9."""
    rng = np.random.default_rng((seed, 1))
    labels = [str(name) for name in rng.permutation(WORDS["label"])[: SINGLES + CONJUNCTIONS]]
    answers = pool.predictions["reference"].copy()
    bugs = []
    for number, label in enumerate(labels):
        size = 1 if number < SINGLES else 2
        names = [str(name) for name in rng.permutation(list(ATTRIBUTES))[:size]]
        # What a caption leaves unsaid because it is what one expects cannot be told from it, and is not planted.
        attributes = tuple((n, str(rng.choice([w for w in WORDS[n] if w != DEFAULTS.get(n)]))) for n in names)
        becomes = str(rng.choice([name for name in WORDS["label"] if name != label]))
        strength = float(rng.choice(STRENGTHS))
        inside = pool.codes[:, 0] == WORDS["label"].index(label)
        for name, word in attributes:
            inside &= pool.codes[:, FIELDS.index(name)] == WORDS[name].index(word)
        hit = inside & (rng.random(len(inside)) < strength)
        answers[hit] = WORDS["label"].index(becomes)
        bugs.append(Bias(label, attributes, becomes, strength))
    return Target(f"recipe {seed}", answers, tuple(bugs))
