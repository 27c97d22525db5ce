"""Classifiers with planted bugs: the shipped ones, which were trained, and any number more by a seed.

Comes in: a pool and a seed. Goes out: a `Target`: the class it predicts for each image, and its bugs. `biases` chooses
bugs by a seed. `training/train_recipe.py` trains a classifier with them; `planted` needs no training: it answers as the
reference classifier does, except in its slices, where it takes a share of the images for another label. It has *decoys*
too: slices that fail more often than their label, by less than the margin, so that a claim of them is false. Neighbour:
`diorama/biases.py` has the bugs of the shipped ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bugs.live import Live
from bugs.pool import FIELDS, WORDS, Pool
from foible.diorama.biases import BIASES, Bias
from foible.diorama.vocabulary import ATTRIBUTES, DEFAULTS
from foible.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SINGLES, CONJUNCTIONS = 4, 2
STRENGTHS = (0.5, 0.7, 0.9)
DECOYS = (2, 2)
"""Labels with a bug and labels without one that have a decoy."""
EXCESS = (0.05, 0.09)
"""By how much more than its label a decoy fails, over the pool: at most so near to the margin of 0.10."""


@dataclass(frozen=True, slots=True)
class Target:
    """A classifier under test, whose bugs are known."""

    name: str
    answers: NDArray[np.uint8]
    """(n,): the class predicted for each image of the pool."""
    bugs: tuple[Bias, ...]
    source: str
    """Spec of the classifier that answers."""
    decoys: tuple[Bias, ...] = ()
    """Slices that fail more often than their label, but not by the margin."""
    planted: bool = False
    """Whether bugs and decoys were put into the answers of the source, which was not trained with them."""

    def live(self) -> Live:
        """Give what draws images that the pool lacks, and answers of them as of those in the pool."""
        return Live(self.source, (*self.bugs, *self.decoys) if self.planted else ())


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
    """Plant biases in the answers of the reference classifier: a share of each slice, its strength, is wrong.

    Decoys come after the bugs and from another stream of random numbers, so they change no answer inside a bug.
    """
    rng = np.random.default_rng((seed, 3))
    answers = pool.predictions["reference"].copy()
    bugs = biases(seed)
    for bug in bugs:
        inside = _fits(pool, bug.label, bug.attributes)
        hit = inside & (rng.random(len(inside)) < bug.mislabelled)
        answers[hit] = WORDS["label"].index(bug.becomes)
    decoys = _add_decoys(pool, seed, answers, bugs)
    return Target(f"recipe {seed}", answers, bugs, "diorama:reference", decoys, planted=True)


def _add_decoys(pool: Pool, seed: int, answers: NDArray[np.uint8], bugs: Sequence[Bias]) -> tuple[Bias, ...]:
    """Add decoys to answers, each on a label of its own; fewer where a label of a small pool has no slice for one."""
    rng = np.random.default_rng((seed, 4))
    decoys: list[Bias] = []
    order = [str(name) for name in rng.permutation(WORDS["label"])]
    with_bug = {bug.label for bug in bugs}
    for wanted, buggy in zip(DECOYS, (True, False), strict=True):
        labels = [label for label in order if (label in with_bug) == buggy]
        # Lazily: no label beyond those wanted is touched.
        made = (_add_decoy(pool, label, answers, bugs, rng) for label in labels)
        decoys += islice((decoy for decoy in made if decoy is not None), wanted)
    return tuple(decoys)


def _add_decoy(
    pool: Pool, label: str, answers: NDArray[np.uint8], bugs: Sequence[Bias], rng: np.random.Generator
) -> Bias | None:
    """Make one slice of a label a decoy, if any of them can be one.

    Wrong answers are added to the slice until it exceeds the label by what is drawn. The label's own rate counts its
    bug, and rises with each wrong answer that is added.
    """
    of_label, bug = _fits(pool, label, ()), next((bug for bug in bugs if bug.label == label), None)
    taken = dict(bug.attributes) if bug else {}
    outside = ~_fits(pool, label, bug.attributes) if bug else np.ones(len(answers), bool)
    natural = np.arange(len(answers)) < pool.natural
    failed = answers != WORDS["label"].index(label)
    words = [(n, w) for n in ATTRIBUTES if n not in taken for w in WORDS[n] if w != DEFAULTS.get(n)]
    for place in rng.permutation(len(words)):
        inside = _fits(pool, label, words[place : place + 1])
        free = inside & outside & ~failed
        share = _share_wrong(failed[inside & natural], failed[of_label & natural], free[natural].sum(), rng)
        if share is not None:
            becomes = str(rng.choice([name for name in WORDS["label"] if name != label]))
            for part in (natural, ~natural):  # the others, which were described in full, fail as often
                answers[_some(free & part, share, rng)] = WORDS["label"].index(becomes)
            return Bias(label, (words[place],), becomes, share)
    return None


def _share_wrong(
    inside: NDArray[np.bool_], label: NDArray[np.bool_], free: int, rng: np.random.Generator
) -> float | None:
    """Give the share of free images to be made wrong for an excess within `EXCESS`, or None where there is none."""
    low, high = EXCESS
    excess, n, all_of = rng.uniform(low, high), len(inside), len(label)
    if not 0 < n < all_of:
        return None
    added = round((excess + label.mean() - inside.mean()) / (1 / n - 1 / all_of))
    reached = (inside.sum() + added) / n - (label.sum() + added) / all_of
    return added / free if 0 < added <= free and low <= reached <= high else None


def _some(free: NDArray[np.bool_], share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose exactly so large a share of the free images, as near as whole images come."""
    places = np.flatnonzero(free)
    return rng.choice(places, round(share * len(places)), replace=False)


def _fits(pool: Pool, label: str, attributes: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    """Tell which images show a label and satisfy every attribute."""
    fits: NDArray[np.bool_] = pool.codes[:, 0] == WORDS["label"].index(label)
    for name, word in attributes:
        fits &= pool.codes[:, FIELDS.index(name)] == WORDS[name].index(word)
    return fits


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
