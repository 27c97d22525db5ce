"""Every method on every target, over many seeds, with perfect and with imperfect parts.

Comes in: a folder and how many hunts. Goes out: a `Benchmark` record, which `page.py` makes a page of. What was
measured is kept hunt by hunt, so an interrupted benchmark goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import foible
from bugs import methods
from bugs.calibration import Nulls, placebos
from bugs.methods import Answer
from bugs.pool import Pool, open_pool
from bugs.recipe import Target, planted, shipped, trained
from bugs.scoring import Score, score
from bugs.world import World
from foible._version import __version__
from foible.config import HuntConfig
from foible.diorama.models import NAMES, weights

NATURAL = 24_000
"""Scenes in the pool as base prompts draw them: 2,000 of each label."""
ERROR = 0.1
"""Error rate of the imperfect generator and judge alike; beside it stand perfect ones."""
PAIRS = (10, 15, 20, 25, 30, 40, 50, 75, 100)
"""Draws a hypothesis among which hindsight chooses for the paper's recipe."""
SHOWN = (25, 50, 100)
EXPLORED = (HuntConfig().explore.draws, 24)
"""Explored draws of a label for the paper's recipe: foible's number, and half of it, which hindsight may choose."""
FURTHER = (16, 24, 32, 96)
"""Explored draws of a label with which foible hunts beside the default: few are cheap, many find more."""
FOIBLE, RECIPE, OWN = "foible", "paper's recipe", "foible's hypotheses, fixed"
GRID, PAIR_GRID, COVERING, CHANCE = "grid of single values", "grid of pairs", "covering array", "random descriptions"

PLACEBO_SEEDS = 30
"""Hunts a shipped classifier in which every description is a placebo."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Everything that was measured."""

    version: str
    seeds: int
    natural: int
    targets: tuple[str, ...]
    scores: Mapping[float, Mapping[str, Sequence[Score]]]
    """By error rate and method, hunt by hunt."""
    placebos: Nulls


def run(  # noqa: PLR0913 - each is a flag of the command
    folder: Path,
    seeds: int,
    tell: Tell,
    further: Sequence[Path] = (),
    *,
    error: float = ERROR,
    natural: int = NATURAL,
) -> Benchmark:
    """Run the benchmark.

    Args:
        folder: where the pool and what was measured are kept.
        seeds: hunts; each has a seed of its own, and the targets take turns: a shipped one, then one by the recipe.
        tell: is told how far it is.
        further: folders of classifiers trained by the recipe, which join the shipped ones.
        error: error rate of imperfect generator and judge, above 0 and below 1.
        natural: scenes in the pool.
    """
    errors = (0.0, error)
    further = tuple(sorted(each.resolve() for each in further))
    pool = open_pool(folder / "pool", natural, methods.covering_scenes(), tell, further)
    done: dict[tuple[float, int], tuple[str, dict[str, Score]]] = {}
    tasks = [(each, seed) for each in errors for seed in range(seeds)]
    workers = min(os.cpu_count() or 1, len(tasks))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as running:
        for task, measured in zip(tasks, running.map(partial(_measured, folder, natural, further), tasks), strict=True):
            done[task] = measured
            tell(f"hunts: {len(done)} of {len(tasks)}")
    names = list(dict.fromkeys(name for _, scores in done.values() for name in scores))
    scores = {
        each: {name: tuple(done[each, seed][1][name] for seed in range(seeds)) for name in names} for each in errors
    }
    targets = tuple(dict.fromkeys(done[0.0, seed][0] for seed in range(seeds)))
    worlds = [World(pool, target.answers) for target in shipped(pool)]
    return Benchmark(__version__, seeds, natural, targets, scores, placebos(worlds, PLACEBO_SEEDS))


def target_of(pool: Pool, seed: int, further: Sequence[Path] = ()) -> Target:
    """Give the target of a hunt: trained ones, and those that need no training, in turn."""
    known = [*shipped(pool), *trained(pool, further)]
    return known[seed // 2 % len(known)] if seed % 2 == 0 else planted(pool, seed)


def recipe_name(pairs: int | str, explored: int) -> str:
    """Name the paper's recipe with so many pairs a hypothesis, on so many explored draws a label."""
    return f"{RECIPE}, {pairs}" + ("" if explored == EXPLORED[0] else f", on {explored} explored")


def measure(pool: Pool, seed: int, error: float, further: Sequence[Path] = ()) -> tuple[str, dict[str, Score]]:
    """Let every method look for the bugs of one target; by its name."""
    target = target_of(pool, seed, further)
    world = World(pool, target.answers, error, error, target.live())
    answers: dict[str, Answer] = {}
    with tempfile.TemporaryDirectory() as place:
        answers[FOIBLE] = methods.by_foible(world, seed, Path(place) / "foible")
        for n in FURTHER:
            answers[f"{FOIBLE}, exploring {n}"] = methods.by_foible(world, seed, Path(place) / f"foible{n}", n)
        recipes = {n: methods.by_recipe(world, seed, Path(place) / f"recipe{n}", n) for n in EXPLORED}
        own = methods.by_hypotheses(world, seed, Path(place) / "own")
    proposed = {
        **{recipe_name("{pairs}", explored): (*found, PAIRS) for explored, found in recipes.items()},
        f"{OWN}, {{pairs}}": (*own, SHOWN),
        f"{GRID}, {{pairs}}": (methods.by_grid(world, 1), 0, SHOWN),
        f"{PAIR_GRID}, {{pairs}}": (methods.by_grid(world, 2), 0, SHOWN[:1]),
        f"{COVERING}, {{pairs}}": (*methods.by_covering(world, seed), SHOWN),
        f"{CHANCE}, {{pairs}}": (methods.by_chance(world, seed), 0, SHOWN),
    }
    for name, (claims, explored, numbers) in proposed.items():
        drawable = [claim for claim in claims if world.can_draw(claim.label, dict(claim.attributes))]
        for pairs in numbers:
            held, spent = methods.tested(world, drawable, pairs, seed)
            answers[name.format(pairs=pairs)] = Answer(tuple(held), explored + spent, tuple(drawable))
    return target.name, {name: score(answer, target, world) for name, answer in answers.items()}


def _measured(
    folder: Path, natural: int, further: tuple[Path, ...], task: tuple[float, int]
) -> tuple[str, dict[str, Score]]:
    """Give what an earlier call measured, or measure it now and keep it."""
    error, seed = task
    file = folder / f"hunt-{_identity(further)}-{natural}-{error:g}-{seed}.json"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["version"] == __version__:
            return str(kept["target"]), {name: Score(**of) for name, of in kept["scores"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # missing, torn, or of another version: measured anew
    target, scores = measure(_pool(folder, natural, further), seed, error, further)
    kept = {"version": __version__, "target": target, "scores": {name: asdict(of) for name, of in scores.items()}}
    partial_file = file.with_suffix(".partial")
    partial_file.write_text(json.dumps(kept), encoding="utf-8")
    partial_file.replace(file)
    return target, scores


@cache
def _identity(further: tuple[Path, ...]) -> str:
    """Cover what decides a measurement: all code of foible and of the benchmark, defaults too, and all weights."""
    digest = hashlib.sha256()
    code = [Path(foible.__file__).parent, Path(__file__).parent]
    places = [*map(weights, NAMES), *further]
    for file in [
        *(file for of in code for file in sorted(of.rglob("*.py"))),
        *(place / "model.safetensors" for place in places),
    ]:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


@cache
def _pool(folder: Path, natural: int, further: tuple[Path, ...]) -> Pool:
    return open_pool(folder / "pool", natural, methods.covering_scenes(), lambda _: None, further)
