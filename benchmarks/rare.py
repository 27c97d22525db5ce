"""Rare failures over diffusers:diorama: what the first one costs to find.

    python benchmarks/guided.py --rates     # images until the first true failure, at base rates of 0.1, 1 and 5 %
    python benchmarks/guided.py --soft      # likewise, where failures begin gradually

A planted slice is a classifier that takes a label for another one where a linear gate over 4 by 4 pooled colours opens,
which was fitted to draws of the slice and of the rest. Rates: its gate opens so late that a base prompt truly fails so
often: in draws in which the judge and the reference see the label. Soft: a biased classifier is made so much surer of
the label that a base prompt truly fails so often. Neighbour: `led_hunts.py` hunts over planted slices.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from foible.config import GuideOptions
from foible.diorama.biases import Bias
from foible.guiding.generator import guided
from foible.parts.registry import Part
from foible.parts.registry import load as part
from foible.records import ClassMap, Drawn, Label
from foible.statistics import clopper_pearson
from learned import WITHIN, combinations, label_of, text_of

BATCH = 32
ROUNDS = 3
"""Draws that a trial leads, one after the other, before it is given up."""
PLANTED = 30.0
"""What an open gate adds to a logit: more than any image of the reference's."""
OUTVOTED = -1.0
"""Where a gate stands when it outvotes the reference, about: some 8 of `PLANTED`."""


class Sliced:
    """The reference, which takes images of a slice for another label: those for which a linear gate opens."""

    def __init__(self, reference: Any, gate: tuple[np.ndarray, float], into: int, name: str) -> None:
        self.reference, self.gate, self.into = reference, gate, into
        self.labels, self.prepare, self.network = reference.labels, reference.prepare, reference.network
        self.name, self.fingerprint = name, f"sliced {name} {gate[1]}"

    span = (-40.0, 40.0)
    """How much later a gate may open."""

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score a prepared batch, with gradients."""
        return self.scores(self.given(batch))

    def given(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give of a prepared batch what its scores are made of: (n, classes) of the reference, (n, 48) colours."""
        return self.reference.logits(batch), pooled(batch)

    def scores(self, given: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Add what is planted: (n, classes)."""
        own, colours = given
        opened = torch.sigmoid(colours @ torch.from_numpy(self.gate[0].astype(np.float32)) + self.gate[1])
        added = torch.zeros_like(own)
        added[:, self.into] = PLANTED
        return own + opened[:, None] * added

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Give probabilities."""
        with torch.no_grad():
            found: np.ndarray = self.logits(self.prepare(images)).softmax(1).numpy()
        return found

    def softer(self, by: float) -> Sliced:
        """Give one whose gate opens by as much at the same place, and so many times more gradually all around it."""
        weights, offset = self.gate
        return Sliced(
            self.reference, (weights / by, (offset - OUTVOTED) / by + OUTVOTED), self.into, f"soft {self.name}"
        )

    def rarer(self, by: float) -> Sliced:
        """Give one whose gate opens later."""
        return Sliced(self.reference, (self.gate[0], self.gate[1] - by), self.into, self.name)


class Surer:
    """A biased classifier that is surer of one label: what it fails at begins gradually, as a network learned it."""

    span = (0.0, 40.0)
    """What may be added to the label's log-probability."""

    def __init__(self, reference: Any, biased: Any, right: int, by: float = 0.0) -> None:
        self.reference, self.biased, self.right, self.by = reference, biased, right, by
        self.labels, self.prepare, self.network = biased.labels, biased.prepare, biased.network
        self.fingerprint = f"surer {right} {by}"

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score a prepared batch, with gradients."""
        return self.scores(self.given(batch))

    def given(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give of a prepared batch what its scores are made of: (n, classes); the second is not used."""
        own = self.biased.logits(batch)
        return own, own

    def scores(self, given: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Raise the label: (n, classes)."""
        own = given[0].log_softmax(1)
        raised = torch.zeros_like(own)
        raised[:, self.right] = self.by
        return own + raised

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Give probabilities."""
        with torch.no_grad():
            found: np.ndarray = self.logits(self.prepare(images)).softmax(1).numpy()
        return found

    def rarer(self, by: float) -> Surer:
        """Give one that is surer by as much."""
        return Surer(self.reference, self.biased, self.right, by)


World = Sliced | Surer


def pooled(batch: torch.Tensor) -> torch.Tensor:
    """Give what a gate sees of a prepared batch: (n, 48)."""
    return torch.nn.functional.adaptive_avg_pool2d(batch, 4).flatten(1)


# --- rates ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """Plain draws of a label."""

    given: tuple[torch.Tensor, torch.Tensor]
    """What the scores of their world are made of."""
    shown: np.ndarray
    """(n,): the judge sees the label, and the reference names it."""
    seconds: float
    """Of processor time, each."""

    def fails(self, world: World, right: int) -> np.ndarray:
        """Say which of those that show the label fail."""
        found: np.ndarray = (world.scores(self.given).argmax(1).numpy() != right) & self.shown
        return found


@dataclass(frozen=True)
class About:
    """What is drawn, and who tells whether it truly fails."""

    label: Label
    text: str
    right: int
    generator: Part
    judge: Part

    def shows(self, reference: Any, images: Sequence[np.ndarray]) -> np.ndarray:
        """Say in which images the judge and the reference see the label."""
        seen = [one.faithful for one in self.judge.object.judge(images, [self.label] * len(images))]
        with torch.no_grad():
            own = reference.logits(reference.prepare(images)).argmax(1).numpy()
        found: np.ndarray = np.asarray(seen) & (own == self.right)
        return found


def rates(draws: int, trials: int, *, soft: bool = False) -> None:
    """Print a row for each base rate and method."""
    about, world = setting(soft=soft)
    pool = pool_of(about, world, draws)
    print(
        f"{about.label.name}: {pool.shown.sum()} of {draws} draws show it; {pool.seconds:.3f} CPU-s a plain draw",
        flush=True,
    )
    print("| base rate | method | images to the first true failure | CPU-s | found in |")
    print("|---|---|---|---|---|")
    for wanted in (0.001, 0.01, 0.05):
        rare = world.rarer(shift(pool, world, about.right, wanted))
        fails = pool.fails(rare, about.right)
        count, n = int(fails.sum()), int(pool.shown.sum())
        low, high = (100 * one for one in clopper_pearson(count, n))
        rate = f"{100 * count / n:.2f} % [{low:.2f}, {high:.2f}]"
        each = draws / max(count, 1)
        print(
            f"| {rate} | unguided, select | {each:,.0f} | {each * pool.seconds:,.0f} | {count} in {draws} |", flush=True
        )
        starts = np.flatnonzero(pool.shown & ~fails)
        for way in itertools.product(("fail", "disagree"), ("noise", "steer", "embedding")):
            print(f"| {rate} | {', '.join(way)} | {_first(way, rare, about, starts, trials)} |", flush=True)


def setting(*, soft: bool) -> tuple[About, World]:
    """Give what is drawn, and the classifier whose failures are made rare."""
    torch.set_num_threads(1)
    name, label = SOFT if soft else ("", RARE[0].label)
    reference = part("classifier", "diorama:reference").object
    right = [one.split(" (")[0] for one in reference.labels].index(label)
    world = Surer(reference, part("classifier", f"diorama:{name}").object, right) if soft else sliced(RARE[0])
    about = About(
        label=label_of(label),
        text=text_of(label, {}),
        right=right,
        generator=part("generator", "diffusers:diorama"),
        judge=part("judge", "diorama:judge"),
    )
    return about, world


def pool_of(about: About, world: World, draws: int) -> Pool:
    """Draw plain draws, and say which show their label."""
    one, other, shown = [], [], []
    began = time.process_time()
    for start in range(0, draws, BATCH):
        seeds = list(range(start, min(start + BATCH, draws)))
        images = [drawn.image for drawn in about.generator.object.draw([about.text] * len(seeds), seeds)]
        with torch.no_grad():
            given = world.given(world.prepare(images))
        one.append(given[0])
        other.append(given[1])
        shown.append(about.shows(world.reference, images))
    seconds = (time.process_time() - began) / draws
    return Pool((torch.cat(one), torch.cat(other)), np.concatenate(shown), seconds)


def shift(pool: Pool, world: World, right: int, wanted: float) -> float:
    """Find how much rarer it must be for so many draws to fail."""
    low, high = world.span
    for _ in range(60):
        middle = (low + high) / 2
        above = pool.fails(world.rarer(middle), right).sum() > wanted * pool.shown.sum()
        low, high = (middle, high) if above else (low, middle)
    return low


def _first(way: tuple[str, str], world: World, about: About, starts: np.ndarray, trials: int) -> str:
    """Lead draw after draw until the first true failure, in so many trials; give the cells of a row."""
    objective, method = way
    classes = ClassMap(classifier="rare", names=tuple(world.labels), right={about.label.name: (about.right,)})
    options = GuideOptions(method=method, objective=objective, steps=16, rate=0.03)  # type: ignore[arg-type]
    own = [(part("classifier", world), classes), (part("classifier", f"diorama:{SECOND}"), classes)]
    guide = guided(about.generator, own, {about.label.name: about.text}, options)
    lacking, images, found = list(range(trials)), 0, 0
    began = time.process_time()
    for turn in range(ROUNDS):
        if not lacking:
            break
        seeds = [int(starts[(turn * trials + trial) % len(starts)]) for trial in lacking]
        drawn = [one for one in guide.object.draw([about.text] * len(seeds), seeds) if isinstance(one, Drawn)]
        images += sum(one.samplings for one in drawn) + len(seeds)  # and the plain draw that each start took
        pictures = [one.image for one in drawn]
        true = about.shows(world.reference, pictures) & (world.classify(pictures).argmax(1) != about.right)
        found += int(true.sum())
        lacking = [trial for trial, hit in zip(lacking, true, strict=True) if not hit]
    spent = time.process_time() - began
    if not found:
        return f"none in {images} | none in {spent:,.0f} | 0 of {trials} trials"
    return f"{images / found:,.1f} | {spent / found:,.1f} | {found} of {trials} trials"


# --- planted slices ---------------------------------------------------------------------------------------------------

SECOND = "biased-mobilenet"
"""Who should be right where the objective is to disagree; it does not say whether an image truly fails."""
SOFT = ("biased-resnet", "teapot")
"""A biased classifier, and a label that it takes for another one at night."""
RARE = (
    Bias("coffee mug", (("colour", "purple"), ("ground", "grass"), ("light", "night")), "bucket"),
    Bias("vase", (("colour", "red"), ("ground", "snow"), ("light", "night")), "teapot"),
    Bias("mushroom", (("colour", "green"), ("ground", "sand"), ("light", "daylight")), "ping-pong ball"),
)


def sliced(bias: Bias) -> Sliced:
    """Plant a slice: fit a gate to draws of it and of the rest."""
    generator, reference = part("generator", "diffusers:diorama").object, part("classifier", "diorama:reference").object
    wanted = dict(bias.attributes)
    rest = [one for one in combinations() if one != wanted]
    scenes = [wanted] * WITHIN + [rest[at % len(rest)] for at in range(4 * len(rest))]
    texts = [text_of(bias.label, scene) for scene in scenes]
    rows = []
    for start in range(0, len(texts), BATCH):
        some = texts[start : start + BATCH]
        images = [one.image for one in generator.draw(some, [900_000 + start + at for at in range(len(some))])]
        rows.append(pooled(reference.prepare(images)))
    colours, inside = torch.cat(rows), torch.arange(len(texts)) < WITHIN
    weights, offset = _fitted(colours, inside.float())
    # Half open outvotes the reference already; and where it is a tenth open, the rest is rarely hit.
    gate = weights.numpy(), offset - math.log(9)
    into = [one.split(" (")[0] for one in reference.labels].index(bias.becomes)
    opened = colours @ weights + gate[1] > 0
    right, wrong = int(opened[inside].sum()), int(opened[~inside].sum())
    print(
        f"gate of {bias.label} {bias.description}: open in {right} of {WITHIN}, {wrong} of {len(texts) - WITHIN} others"
    )
    return Sliced(reference, gate, into, f"{bias.label} {bias.description}")


def _fitted(colours: torch.Tensor, inside: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Fit a logistic regression."""
    weights, offset = torch.zeros(colours.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    solver = torch.optim.LBFGS([weights, offset], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        missed = torch.nn.functional.binary_cross_entropy_with_logits(colours @ weights + offset, inside)
        found = missed + 1e-3 * weights.square().sum()
        found.backward()
        return found

    solver.step(loss)
    return weights.detach(), float(offset.detach())
