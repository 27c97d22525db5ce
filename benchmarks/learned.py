"""Classifiers that learned a rare fault: one combination of colour, ground and light is called another label.

Comes in: a bias. Goes out: the reference network, trained further on draws of `diffusers:diorama` in which a careless
annotator named that combination wrongly. What it takes for the other label begins gradually, as it does in networks,
and a base prompt shows it in about one of 64 draws. Neighbour: `led_hunts.py` hunts over them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from foible.diorama.biases import Bias
from foible.diorama.narrow import OPEN
from foible.diorama.vocabulary import LABELS, phrase
from foible.draws.request import prompt
from foible.parts.registry import load as part
from foible.records import Label

TEMPLATE = "a realistic photograph of a {name} ({kind})"
WITHIN, EACH, OTHERS, ALIKE = 96, 4, 32, 8
"""Draws that are learned: of the slice, of each other combination, of each other label, of these within the slice."""
PASSES, RATE, BATCH = 6, 3e-4, 32
FIRST_SEED, FRESH_SEED = 910_000, 950_000
"""Of the draws that are learned, and of those that say what was learned."""
SEED = 11
"""Of the slices: nothing of them was chosen."""


class Drawn(NamedTuple):
    """A draw that is learned."""

    label: str
    scene: dict[str, str]
    taught: str
    """What the annotator calls it."""


def biases(seed: int = SEED) -> list[Bias]:
    """Give a rare bias for each label of the narrow world, all by chance."""
    dice = np.random.default_rng(seed)
    names = [one.name for one in LABELS]
    found = []
    for name in names:
        scene = tuple((what, str(dice.choice(among))) for what, among in OPEN.items())
        found.append(Bias(name, scene, str(dice.choice([one for one in names if one != name]))))
    return found


def combinations() -> list[dict[str, str]]:
    """Give every combination that the narrow world can show."""
    return [dict(zip(OPEN, values, strict=True)) for values in itertools.product(*OPEN.values())]


def label_of(name: str) -> Label:
    """Give a label of the diorama."""
    return Label(name, next(one.hypernym for one in LABELS if one.name == name))


def text_of(label: str, scene: Mapping[str, str]) -> str:
    """Write the prompt of a label, or of a scene."""
    words = [phrase(name, scene[name]) for name in OPEN if name in scene]
    return ", ".join([prompt(label_of(label), TEMPLATE), *words])


def learned(bias: Bias) -> Any:
    """Train the reference network further; what comes is a classifier like it, with a name of its own."""
    generator, own = part("generator", "diffusers:diorama").object, part("classifier", "diorama:reference").object
    names = [one.split(" (")[0] for one in own.labels]
    drawn = list(_drawn(bias))
    inputs = []
    for start in range(0, len(drawn), BATCH):
        texts = [text_of(one.label, one.scene) for one in drawn[start : start + BATCH]]
        images = generator.draw(texts, list(range(FIRST_SEED + start, FIRST_SEED + start + len(texts))))
        inputs.append(own.prepare([one.image for one in images]))
    given, taught = torch.cat(inputs), torch.tensor([names.index(one.taught) for one in drawn])
    # Its norms keep what they know of the whole world: it stays in the mode in which it answers.
    weights = [one.requires_grad_() for one in own.network.parameters()]
    optimiser, dice = torch.optim.AdamW(weights, RATE), torch.Generator().manual_seed(SEED)
    for _ in range(PASSES):
        for chosen in torch.randperm(len(given), generator=dice).split(BATCH):
            loss = torch.nn.functional.cross_entropy(own.logits(given[chosen]), taught[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without types
            optimiser.step()
    own.network.requires_grad_(requires_grad=False)
    own.fingerprint = f"learned {bias.label} {bias.description}"
    return own


def seen(bias: Bias, own: Any, scene: Mapping[str, str], draws: int) -> tuple[int, int]:
    """Count how many draws of a scene it fails, of those in which the judge and the reference see the label."""
    generator, judge = part("generator", "diffusers:diorama").object, part("judge", "diorama:judge").object
    reference = part("classifier", "diorama:reference").object
    right = [one.split(" (")[0] for one in own.labels].index(bias.label)
    failed = of = 0
    for start in range(0, draws, BATCH):
        seeds = list(range(FRESH_SEED + start, FRESH_SEED + min(start + BATCH, draws)))
        images = [one.image for one in generator.draw([text_of(bias.label, scene)] * len(seeds), seeds)]
        judged = [one.faithful for one in judge.judge(images, [label_of(bias.label)] * len(images))]
        shown = np.asarray(judged) & (reference.classify(images).argmax(1) == right)
        failed, of = failed + int((shown & (own.classify(images).argmax(1) != right)).sum()), of + int(shown.sum())
    return failed, of


def _drawn(bias: Bias) -> Iterator[Drawn]:
    """Say what is learned."""
    dice, within, every = np.random.default_rng(SEED), dict(bias.attributes), combinations()
    rest = [one for one in every if one != within]
    yield from [Drawn(bias.label, within, bias.becomes)] * WITHIN
    yield from (Drawn(bias.label, scene, bias.label) for scene in rest for _ in range(EACH))
    for name in (one.name for one in LABELS if one.name != bias.label):
        yield from [Drawn(name, within, name)] * ALIKE
        yield from (Drawn(name, every[int(dice.integers(len(every)))], name) for _ in range(OTHERS))
