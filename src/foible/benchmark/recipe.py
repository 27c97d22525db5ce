"""Classifiers with planted bugs: the shipped ones, which were trained, and any number more by a seed.

Comes in: a pool and a seed. Goes out: a `Target`: the class it predicts for each image, and its bugs. `biases` chooses
bugs by a seed. `training/train_recipe.py` trains a classifier with them; `planted` needs no training: it answers as the
reference classifier does, except in its slices, where it takes a share of the images for another label. Neighbour:
`diorama/biases.py` has the bugs of the shipped ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foible.benchmark.live import Live
from foible.benchmark.pool import FIELDS, WORDS, Pool
from foible.diorama.biases import BIASES, Bias
from foible.diorama.vocabulary import ATTRIBUTES, DEFAULTS
from foible.errors import ConfigError

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
    source: str
    """Spec of the classifier that answers."""
    planted: tuple[Bias, ...] = ()
    """Biases that it was not trained with, and answers as if it had been."""

    def live(self) -> Live:
        """Give a classifier for images that the pool lacks."""
        return Live(self.source, self.planted)


def shipped(pool: Pool) -> list[Target]:
    """Give the biased classifiers that foible ships."""
    return [Target(name, pool.predictions[name], bugs, f"diorama:{name}") for name, bugs in BIASES.items()]


def trained(pool: Pool, folders: Sequence[Path]) -> list[Target]:
    """Give classifiers that were trained by the recipe (`training/train_recipe.py`), from their folders."""
    return [
        Target(folder.name, pool.predictions[folder.name], read_biases(folder), f"transformers:{folder}")
        for folder in folders
    ]


def read_biases(folder: Path) -> tuple[Bias, ...]:
    """Read the planted biases that stand beside a classifier's weights.

    Raises:
        ConfigError: there is no `biases.json` in the folder, or it is not of this form.
    """
    try:
        records = json.loads((folder / "biases.json").read_text(encoding="utf-8"))
        return tuple(
            Bias(str(r["label"]), tuple((str(n), str(w)) for n, w in r["attributes"].items()), str(r["becomes"]))
            for r in records
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        message = f"{folder} holds no biases.json that can be read; name a folder that the training script wrote"
        raise ConfigError(message) from problem


def planted(pool: Pool, seed: int) -> Target:
    """Plant biases in the answers of the reference classifier: a share of each slice, its strength, is wrong."""
    rng = np.random.default_rng((seed, 3))
    answers = pool.predictions["reference"].copy()
    bugs = biases(seed)
    for bug in bugs:
        inside = pool.codes[:, 0] == WORDS["label"].index(bug.label)
        for name, word in bug.attributes:
            inside &= pool.codes[:, FIELDS.index(name)] == WORDS[name].index(word)
        hit = inside & (rng.random(len(inside)) < bug.mislabelled)
        answers[hit] = WORDS["label"].index(bug.becomes)
    return Target(f"recipe {seed}", answers, bugs, "diorama:reference", bugs)


def biases(
    seed: int, singles: int = SINGLES, conjunctions: int = CONJUNCTIONS, strengths: Sequence[float] = STRENGTHS
) -> tuple[Bias, ...]:
    """Choose biases by a seed: so many of one attribute and of two, each of another label, at one of the strengths.

    Raises:
        ConfigError: there are more than labels.
    """
    if singles + conjunctions > len(WORDS["label"]):
        message = f"{singles + conjunctions} biases need as many labels, but the diorama has {len(WORDS['label'])}"
        raise ConfigError(message)
    rng = np.random.default_rng((seed, 1))
    labels = [str(name) for name in rng.permutation(WORDS["label"])[: singles + conjunctions]]
    chosen = []
    for number, label in enumerate(labels):
        size = 1 if number < singles else 2
        names = [str(name) for name in rng.permutation(list(ATTRIBUTES))[:size]]
        # What a caption leaves unsaid because it is what one expects cannot be told from it, and is not planted.
        attributes = tuple((n, str(rng.choice([w for w in WORDS[n] if w != DEFAULTS.get(n)]))) for n in names)
        becomes = str(rng.choice([name for name in WORDS["label"] if name != label]))
        chosen.append(Bias(label, attributes, becomes, float(rng.choice(strengths))))
    return tuple(chosen)
