"""What a guided search should stop at, and what a true failure costs in passes of the denoiser, in many trials.

    python benchmarks/stopping.py --plain 6000 --trials 48     # base rate 0.1 %, failures that begin gradually

Comes in: nothing but what ships. Goes out: a table in Markdown; each row says how many times fewer passes a true
failure took than unguided draws, with an exact interval (finds as Poisson in passes, given their sum). A pass is one
image through the denoiser, forwards or backwards. Each search either ends at its first failure, or goes on while the
judge sees no label (design/0037). True is what the judge and the reference still see; of a search that asked the judge,
the reference alone is independent, so it is counted alone as well. Neighbour: `rare.py` makes failures rare.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import rare
from foible.config import GuideOptions
from foible.guiding import generator as guides
from foible.guiding.followed import eight_bits
from foible.guiding.objective import Objective
from foible.parts.registry import Part
from foible.parts.registry import load as part
from foible.records import ClassMap, Drawn
from foible.statistics import clopper_pearson

WANTED = 0.001
"""Base rate of true failures."""
STEPS = 16
"""Images that one draw takes at most."""


class GoesOn(Objective):
    """An objective that only images in which the judge sees the label reach."""

    about: rare.About

    def exact(self, images: Sequence[np.ndarray], prompts: Sequence[str]) -> torch.Tensor:
        """Say how far images are, as they are kept."""
        return self._held(super().exact(images, prompts), images)

    def steady(self, images: torch.Tensor, prompts: Sequence[str], dice: Sequence[torch.Generator]) -> torch.Tensor:
        """Say so of images and of disturbed copies; the judge is shown the images alone."""
        plain = Objective(self._goals)
        return self._held(plain.steady(images, prompts, dice), eight_bits(images))

    def _held(self, reached: torch.Tensor, images: Sequence[np.ndarray]) -> torch.Tensor:
        at = [place for place, number in enumerate(reached.tolist()) if number > 0]
        said = (
            self.about.judge.object.judge([images[place] for place in at], [self.about.label] * len(at)) if at else []
        )
        unseen = [place for place, one in zip(at, said, strict=True) if not one.faithful]
        held = reached.clone()
        held[unseen] = 0.0  # better than what passes, and no end
        return held


@contextmanager
def counted(generator: Part) -> Iterator[list[int]]:
    """Count the images that go through a generator's denoiser: forwards, again where that is recomputed, and backwards.

    Its first and its last layer are watched: what is recomputed does not pass by the network's own hooks.
    """
    passes = [0]
    network = generator.object._pipe.unet  # noqa: SLF001 - nothing that foible needs counts them

    def forwards(_: Any, given: tuple[torch.Tensor, ...]) -> None:
        passes[0] += len(given[0])

    def backwards(_: Any, __: Any, given: tuple[torch.Tensor, ...]) -> None:
        passes[0] += len(given[0])

    hooks = network.conv_in.register_forward_pre_hook(forwards), network.conv_out.register_full_backward_hook(backwards)
    try:
        yield passes
    finally:
        for hook in hooks:
            hook.remove()


def row(method: str, world: Any, about: rare.About, starts: np.ndarray, trials: int) -> tuple[int, ...]:
    """Lead draw after draw to a true failure: images, passes, draws led, true finds, those by the reference alone."""
    classes = ClassMap(classifier="rare", names=tuple(world.labels), right={about.label.name: (about.right,)})
    options = GuideOptions(method=method, objective="fail", steps=STEPS, rate=0.03)  # type: ignore[arg-type]
    own = [(part("classifier", world), classes)]
    guide = guides.guided(about.generator, own, {about.label.name: about.text}, options)
    lacking, images, led, true, alone = list(range(trials)), 0, 0, 0, 0
    with counted(about.generator) as passes:
        for turn in range(rare.ROUNDS):
            if not lacking:
                break
            seeds = [int(starts[(turn * trials + trial) % len(starts)]) for trial in lacking]
            made = [guide.object.draw([about.text], [seed])[0] for seed in seeds]  # one by one, for the memory's sake
            drawn = [one for one in made if isinstance(one, Drawn)]
            led += len(seeds)
            images += sum(one.samplings for one in drawn) + len(seeds)
            pictures = [one.image for one in drawn]
            fails = world.classify(pictures).argmax(1) != about.right
            hit = about.shows(world.reference, pictures) & fails
            true += int(hit.sum())
            alone += int((named(world.reference, pictures, about.right) & fails).sum())
            lacking = [trial for trial, found in zip(lacking, hit, strict=True) if not found]
    return images, passes[0], led, true, alone


def named(reference: Any, images: Sequence[np.ndarray], right: int) -> np.ndarray:
    """Say in which images the reference names the label."""
    with torch.no_grad():
        found: np.ndarray = reference.logits(reference.prepare(images)).argmax(1).numpy() == right
    return found


def fewer(own: tuple[int, int], other: tuple[int, int]) -> str:
    """Say how many times fewer passes a find took than another way, with an exact 95 % interval."""
    (found, passes), (count, spent) = own, other
    low, high = clopper_pearson(found, found + count)
    least, most = (share / (1 - share) * spent / passes if share < 1 else np.inf for share in (low, high))
    return f"{found / passes * spent / count:.1f} [{least:.1f}, {most:.1f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plain", type=int, default=6000, help="draws that the base rate is measured on")
    parser.add_argument("--trials", type=int, default=48, help="of each row")
    parser.add_argument("--methods", default="noise,steer,embedding", help="of foible guide")
    given = parser.parse_args()
    about, world = rare.setting(soft=True)
    GoesOn.about = about
    with counted(about.generator) as passes:
        pool = rare.pool_of(about, world, given.plain)
    world = world.rarer(rare.shift(pool, world, about.right, WANTED))
    fails = pool.fails(world, about.right)
    count, n = int(fails.sum()), int(pool.shown.sum())
    low, high = (100 * one for one in clopper_pearson(count, n))
    share = f"{100 * count / n:.2f} % [{low:.2f}, {high:.2f}]"
    print(f"{about.label.name}: truly fails in {count} of {n} draws that show it, {share}", flush=True)
    print("| method | search | images | passes | true finds | trials | by the reference alone | times fewer passes |")
    print("|---|---|---|---|---|---|---|---|")
    print(f"| unguided | | {given.plain:,} | {passes[0]:,} | {count} | | | 1 |", flush=True)
    starts = np.flatnonzero(pool.shown & ~fails)
    for method in given.methods.split(","):
        for search, kind in (("ends", Objective), ("goes on", GoesOn)):
            with patch.object(guides, "Objective", kind):
                images, spent, led, true, alone = row(method, world, about, starts, given.trials)
            spent += led * passes[0] // given.plain  # the plain draw that each start took
            ratio = fewer((true, spent), (count, passes[0]))
            print(
                f"| {method} | {search} | {images:,} | {spent:,} | {true} | {given.trials} | {alone} | {ratio} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
