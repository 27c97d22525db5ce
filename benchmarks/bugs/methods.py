"""Ways to look for bugs, all over the same world and with the same account of draws.

Comes in: a `World` and a seed. Goes out: what each way claims, and what it drew: every image counts, those of
exploration included, and one that two hypotheses share counts once. Neighbours: `world.py` draws, `scoring.py` holds
the claims against the truth.

foible's own way and the paper's recipe run the product's code (`foible.hunt`). The others propose hypotheses of their
own. Whatever has a fixed number of draws a hypothesis is tested as `confirm: fixed` tests: exact paired test,
Benjamini-Hochberg over all hypotheses.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from bugs.covering import covering_rows
from bugs.pool import WORDS
from bugs.world import FAILED, PASSED, UNSCORED, Attributes, World
from foible.config import HuntConfig
from foible.diorama.grammar import parse
from foible.diorama.scene import Scene
from foible.diorama.vocabulary import ATTRIBUTES
from foible.hunting.api import hunt
from foible.hunting.finished import Run
from foible.statistics import benjamini_hochberg, paired_margin_p

DEFAULTS = HuntConfig()
OPTIONS = DEFAULTS.confirm
REPEATS = 4
"""Draws of each row of the covering array."""
PER_LABEL = 4
"""Hypotheses a label that the covering array and chance propose: as many as foible's `describe.hypotheses` allows."""
HARDLY_TESTED = {"confirm": {"method": "fixed", "draws": 1}}
"""For a hunt whose hypotheses are wanted and whose test is not."""
EXPLORE, TEST = 0, 1_000_000
"""Where seeds begin: exploration and test share no draw."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A hypothesis: a label and attributes."""

    label: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method claims, and what that cost."""

    claims: tuple[Claim, ...]
    draws: int
    hypotheses: tuple[Claim, ...] = ()
    """What was tested; the claims are among them."""


def by_foible(world: World, seed: int, folder: Path, explored: int = DEFAULTS.explore.draws) -> Answer:
    """Hunt with the default settings, exploring but for so many draws a label.

    Explanations, which come after the verdicts, are left out of the account.
    """
    run = _hunt(world, seed, folder, {"explore": {"draws": explored}})
    claims, hypotheses = (
        tuple(_claim(f.trial.hypothesis.label, f.trial.hypothesis.description) for f in findings)
        for findings in (run.confirmed, run)
    )
    return Answer(claims, sum(run.result.draws.values()), hypotheses)


def by_recipe(world: World, seed: int, folder: Path, explored: int) -> tuple[list[Claim], int]:
    """Propose as the paper does: explore, caption the failures alone, combine and prune; also what exploring cost."""
    options = {"explore": {"draws": explored}, "describe": {"method": "captions"}}
    return _proposed(_hunt(world, seed, folder, {**options, **HARDLY_TESTED}))


def by_hypotheses(world: World, seed: int, folder: Path) -> tuple[list[Claim], int]:
    """Propose as foible does, for tests with a fixed number of draws; also what exploring cost."""
    return _proposed(_hunt(world, seed, folder, HARDLY_TESTED))


def by_grid(world: World, size: int) -> list[Claim]:
    """Propose every combination of so many attribute values that the pool can draw, for every label."""
    return [
        Claim(label, combination)
        for label in WORDS["label"]
        for combination in _combinations(size)
        if world.can_draw(label, dict(combination))
    ]


def by_chance(world: World, seed: int) -> list[Claim]:
    """Propose random descriptions of one or two attributes."""
    rng = np.random.default_rng((seed, 2))
    either = [*_combinations(1), *_combinations(2)]
    claims = []
    for label in WORDS["label"]:
        fitting = [combination for combination in either if world.can_draw(label, dict(combination))]
        claims += [Claim(label, fitting[i]) for i in rng.choice(len(fitting), PER_LABEL, replace=False)]
    return claims


def covering_scenes() -> list[Scene]:
    """Give the scenes of the covering array, each `REPEATS` times for every label, for the pool to draw."""
    rows = covering_rows({name: WORDS[name] for name in ATTRIBUTES}, 0)
    return [Scene(label, **row) for label in WORDS["label"] for row in rows for _ in range(REPEATS)]


def by_covering(world: World, seed: int) -> tuple[list[Claim], int]:
    """Draw a pairwise covering array for every label; propose the values and pairs that set its failures apart."""
    rows = covering_rows({name: WORDS[name] for name in ATTRIBUTES}, 0)
    seeds = np.arange(EXPLORE, EXPLORE + REPEATS) + 10_000 * seed
    claims: list[Claim] = []
    for label in WORDS["label"]:
        seen = np.array([world.outcomes(label, world.pick(label, row, seeds)) for row in rows])
        claims += _suspects(label, rows, (seen == FAILED).sum(axis=1), (seen == PASSED).sum(axis=1), world)
    return claims, len(WORDS["label"]) * len(rows) * REPEATS


def tested(world: World, claims: Sequence[Claim], pairs: int, seed: int) -> tuple[list[Claim], int]:
    """Test claims on a fixed number of pairs each; the control draws of a label are shared.

    Returns:
        What is confirmed at the default margin and level, and what the test drew.
    """
    seeds = np.arange(TEST, TEST + pairs) + 10_000 * seed
    labels = list(dict.fromkeys(claim.label for claim in claims))
    control = {label: world.outcomes(label, world.pick(label, {}, seeds)) for label in labels}
    p_values = [_p_value(world, claim, control[claim.label], seeds) for claim in claims]
    adjusted = benjamini_hochberg(p_values)
    held = [claim for claim, level in zip(claims, adjusted, strict=True) if level <= OPTIONS.level]
    return held, pairs * (len(claims) + len(labels))


def _p_value(world: World, claim: Claim, control: Any, seeds: Any) -> float:
    treat = world.outcomes(claim.label, world.pick(claim.label, dict(claim.attributes), seeds))
    scored = (treat != UNSCORED) & (control != UNSCORED)
    if max((treat == UNSCORED).mean(), (control == UNSCORED).mean()) > OPTIONS.unscored:
        return 1.0
    plus = int(((treat == FAILED) & (control == PASSED)).sum())
    minus = int(((treat == PASSED) & (control == FAILED)).sum())
    return paired_margin_p(plus, minus, int(scored.sum()), OPTIONS.margin)


def _hunt(world: World, seed: int, folder: Path, options: Mapping[str, Any]) -> Run:
    """Hunt as a user does; hunts in folders side by side share an archive, and each pays for all that it asks for."""
    parts = world.parts()
    # Draws to the verdict are compared: those that explain or measure what is confirmed come after it, for each alike.
    settings = {"explain": {"draws": 0}, "measure": {"most": 0}, "report": {"examples": 0}, **options}
    return hunt(parts.pop("classifier"), out=folder, seed=seed, config=settings, progress=False, **parts)


def _proposed(run: Run) -> tuple[list[Claim], int]:
    """Give every hypothesis that a hunt had, and what exploring and following cost; its own test does not count."""
    hypotheses = [finding.trial.hypothesis for finding in run]
    spent = sum(run.result.draws.get(arm, 0) for arm in ("explore", "follow"))
    return [_claim(h.label, h.description) for h in hypotheses], spent


def _claim(label: str, description: str) -> Claim:
    return Claim(label, tuple(sorted(parse(description).attributes.items())))


def _combinations(size: int) -> list[tuple[tuple[str, str], ...]]:
    """Give every choice of so many attributes and a value of each."""
    return [
        tuple(zip(names, words, strict=True))
        for names in itertools.combinations(sorted(ATTRIBUTES), size)
        for words in itertools.product(*(WORDS[name] for name in names))
    ]


def _suspects(label: str, rows: Sequence[Attributes], failed: Any, passed: Any, world: World) -> list[Claim]:
    """Give the values and pairs that set failures apart, by Fisher's one-sided test, the most telling first."""
    scored: list[tuple[float, Claim]] = []
    for combination in (*_combinations(1), *_combinations(2)):
        has = np.array([all(row[name] == word for name, word in combination) for row in rows])
        table = np.array([[failed[has].sum(), passed[has].sum()], [failed[~has].sum(), passed[~has].sum()]])
        if table[0, 0] > 1 and world.can_draw(label, dict(combination)):
            p = float(stats.fisher_exact(table, alternative="greater").pvalue)
            scored.append((p, Claim(label, combination)))
    kept = sorted((each for each in scored if each[0] <= 0.1), key=lambda each: (each[0], len(each[1].attributes)))  # noqa: PLR2004 - as `describe.screen`
    return [claim for _, claim in kept[:PER_LABEL]]
