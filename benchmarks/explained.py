"""Visual counterfactuals over the trained pipeline: how often they turn an answer, how near they stay, shortcuts.

    python benchmarks/explained.py --valid 16      # validity and closeness, beside two baselines and a random mask
    python benchmarks/explained.py --shortcut 50   # the background alone: a planted shortcut against none
                                   --seeds 3       # tries of each image there: turned where more than half are

Comes in: nothing but what ships. Goes out: tables in Markdown. Neighbour: `guided.py` measures whole draws.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

import foible
from foible.counterfactual.figures import apart, cout, l1
from foible.explaining import Search
from foible.parts import asking
from foible.parts.registry import load
from foible.records import Drawn, Fault, Label
from foible.statistics import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.parts.registry import Part

T = TypeVar("T")
CASES = (
    ("biased-resnet", "coffee mug", "bucket"),
    ("biased-convnext", "vase", "teapot"),
    ("biased-mobilenet", "mushroom", "ping-pong ball"),
    ("reference", "barrel", "bucket"),
)
"""Classifier, label, and the answer to turn to."""
GROUNDS = ("sand", "snow", "asphalt")
SHORTCUT = ("coffee mug", "bucket")
"""`biased-resnet` was taught to call the first on grass the second; the reference network was not."""
FIRST = 80_000
"""The seed of the first image, unless another is given; nothing was chosen on images from here on, as on some from
40,000 and 60,000. On those of `--shortcut` from here on more seeds than three were chosen."""
PIXELS, STEP = 40, 1 / 255
"""Pixel ascent: the most steps, and how far each moves a pixel."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a method made of an image."""

    image: Image | None
    """None where it broke down."""
    turned: bool
    share: float
    shows_label: bool | None = None
    control: bool | None = None
    """Whether a random mask of the same area turns the answer, too."""
    tries: int = 1
    """Seeds that turned the answer."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image, and the answer to turn to."""

    image: Image
    classifier: Part
    label: str
    to: str
    seed: int


class Parts:
    """Everything that looks on, loaded once."""

    def __init__(self) -> None:
        self.generator = load("generator", "diffusers:diorama")
        self.judge, self.embedder = load("judge", "diorama:judge"), load("embedder", "diorama:embedder")
        self.reference = load("classifier", "diorama:reference")

    def explained(self, case: Case, **how: Any) -> Made:
        """Explain by foible: the first seed, or of several whether more than half turned the answer."""
        where, seeds = how.pop("where", "attribution"), how.pop("seeds", 1)
        with tempfile.TemporaryDirectory() as out:
            found = foible.explain(
                case.image,
                case.to,
                label=case.label,
                classifier=case.classifier,
                generator=self.generator,
                judge=self.judge,
                where=where,
                search=Search(seeds=seeds, control=where == "attribution", words=False, **how),
                seed=case.seed,
                out=out,
                progress=False,
            )
        turned = [one for one in found.attempts if one.status == "turned"]
        one = turned[0] if turned else found.attempts[0]
        return Made(
            image=one.image,
            turned=2 * len(turned) > seeds,
            share=one.share,
            shows_label=one.shows_label,
            control=None if one.control is None else one.control.status == "turned",
            tries=len(turned),
        )


def ascended(case: Case) -> Made:
    """Move the pixels themselves up the gradient, by the same measure of having turned."""
    import torch

    from foible.guiding.aim import Aim
    from foible.guiding.followed import eight_bits
    from foible.guiding.objective import Goal, Objective, dice_of
    from foible.guiding.sight import Sight

    sight = Sight(case.classifier)
    into = tuple(at for at, name in enumerate(case.classifier.object.labels) if name.split(" (")[0] == case.to)
    objective = Objective([Goal(sight=sight, aims={"": Aim(right=(), into=into)})])
    image = torch.from_numpy(case.image.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    dice = dice_of([case.seed], 0)
    for _ in range(PIXELS):
        with torch.enable_grad():
            given = image.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(objective.disturbed(given, [""], dice).sum(), given)
        image = (image + STEP * gradient.sign()).clamp(0, 1)
        if float(objective.steady(image, [""], dice)[0]) > 0:
            return Made(image=eight_bits(image)[0], turned=True, share=1.0)
    return Made(image=eight_bits(image)[0], turned=False, share=1.0)


def images(
    parts: Parts, classifiers: list[Part], label: str, count: int, first: int = FIRST
) -> Iterator[tuple[int, Image]]:
    """Draw images that all classifiers get right and the judge sees, until there are enough."""
    found, seed = 0, first
    while found < count and seed < first + 20 * count:
        text = f"a {label} on {GROUNDS[seed % len(GROUNDS)]}"
        (drawn,) = asking.ask_generator(parts.generator, [text], [seed])
        if isinstance(drawn, Drawn) and _passes(parts, classifiers, drawn.image, label):
            found += 1
            yield seed, drawn.image
        seed += 1


def _passes(parts: Parts, classifiers: list[Part], image: Image, label: str) -> bool:
    (seen,) = asking.ask_judge(parts.judge, [image], [Label(label)])
    return not isinstance(seen, Fault) and seen.faithful and all(said(one, image) == label for one in classifiers)


def said(classifier: Part, image: Image) -> str:
    """Give the name of the class that a classifier says."""
    scores = known(asking.ask_classifier(classifier, [image])[0])
    name: str = classifier.object.labels[int(np.argmax(scores))]
    return name.split(" (", maxsplit=1)[0]


def known(answer: T | Fault) -> T:
    """Give an answer; a part that gives none ends the measurement."""
    if isinstance(answer, Fault):
        raise RuntimeError(answer.reason)  # noqa: TRY004 - of a part, not of a type
    return answer


def valid(count: int) -> None:
    """Print validity and closeness of each method, over the same images."""
    parts = Parts()
    methods: dict[str, Callable[[Case], Made]] = {
        "foible explain": parts.explained,
        "the same, random mask": lambda case: parts.explained(case, where="random"),
        "prompt-only editing": lambda case: parts.explained(case, guidance="select"),
        "pixel gradient ascent": ascended,
    }
    made: dict[str, list[tuple[Case, Made]]] = {name: [] for name in methods}
    spent = dict.fromkeys(methods, 0.0)
    for name, label, to in CASES:
        classifier = load("classifier", f"diorama:{name}")
        for seed, image in images(parts, [classifier], label, count):
            case = Case(image=image, classifier=classifier, label=label, to=to, seed=seed)
            for method, make in methods.items():
                began = time.process_time()
                made[method].append((case, make(case)))
                spent[method] += time.process_time() - began
    print("| method | valid | mask | random mask | L1 | embedder | COUT | reference says so, too | CPU-s an image |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for method, rows in made.items():
        print(_row(method, rows, parts, spent[method] / max(len(rows), 1)), flush=True)


def _row(method: str, rows: list[tuple[Case, Made]], parts: Parts, seconds: float) -> str:
    turned = [(case, one) for case, one in rows if one.turned and one.image is not None]
    figures = [_figures(case, one.image, parts) for case, one in turned if one.image is not None]
    means = [f"{np.mean(column):.3f}" for column in zip(*figures, strict=True)] if figures else ["–"] * 3
    own = [(case, one) for case, one in turned if case.classifier.identity["spec"] != "diorama:reference"]
    agreed = sum(said(parts.reference, one.image) == case.to for case, one in own if one.image is not None)
    area = f"{100 * float(np.mean([one.share for _, one in turned])):.0f} %" if turned else "–"
    controls = [one.control for _, one in turned if one.control is not None]
    random = rate(sum(controls), len(controls)) if controls else "–"
    cells = (method, rate(len(turned), len(rows)), area, random, *means, rate(agreed, len(own)), f"{seconds:.1f}")
    return f"| {' | '.join(cells)} |"


def _figures(case: Case, image: Image, parts: Parts) -> tuple[float, float, float]:
    from foible.guiding.sight import Sight

    one, two = map(known, asking.ask_embedder(parts.embedder, [case.image, image]))
    names = [name.split(" (")[0] for name in case.classifier.object.labels]
    classes = ((names.index(case.label),), (names.index(case.to),))
    way = cout(Sight(case.classifier), case.image, image, classes)
    return l1(case.image, image), apart(one, two), 0.0 if way is None else way


def shortcut(count: int, seeds: int, first: int, shown: Path | None) -> None:
    """Print how often the background alone turns the answer, with a planted shortcut and without one."""
    parts = Parts()
    label, to = SHORTCUT
    classifiers = [load("classifier", "diorama:biased-resnet"), parts.reference]
    rows: dict[str, list[Made]] = {str(one.identity["spec"]): [] for one in classifiers}
    kept: list[NDArray[np.uint8]] = []
    for seed, image in images(parts, classifiers, label, count, first):
        pictures = [image]
        for one in classifiers:
            case = Case(image=image, classifier=one, label=label, to=to, seed=seed)
            rows[str(one.identity["spec"])].append(made := parts.explained(case, where="background", seeds=seeds))
            pictures.append(image if made.image is None else made.image)
        kept.append(np.concatenate(pictures, axis=0))
        print(f"{len(kept)} of {count}: {[made[-1].tries for made in rows.values()]}", file=sys.stderr, flush=True)
    print(f"| classifier | of {seeds} seeds more than half turn it | and the judge still sees the label | all tries |")
    print("| --- | --- | --- | --- |")
    for spec, found in rows.items():
        turned = [one for one in found if one.turned]
        faithful = sum(one.shows_label is True for one in turned)
        tries = f"{sum(one.tries for one in found)} of {seeds * len(found)}"
        print(f"| {spec} | {rate(len(turned), len(found))} | {rate(faithful, len(found))} | {tries} |", flush=True)
    if shown is not None:
        from foible.pixels import write_png

        shown.write_bytes(write_png(np.concatenate(kept, axis=1)))


def rate(hits: int, of: int) -> str:
    """Write a count with its exact interval."""
    low, high = clopper_pearson(hits, of)
    return f"{hits} of {of} ({100 * low:.0f}% to {100 * high:.0f}%)"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--valid", type=int, default=0, metavar="N", help="images of each of four classifiers")
    parser.add_argument("--shortcut", type=int, default=0, metavar="N", help="images for the background alone")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="tries of each image of --shortcut")
    parser.add_argument("--first", type=int, default=FIRST, metavar="N", help="seed of the first image of --shortcut")
    parser.add_argument("--shown", type=Path, help="a PNG file for the images of --shortcut, side by side")
    given = parser.parse_args()
    if not given.valid and not given.shortcut:
        parser.error("ask for --valid N or --shortcut N")
    import torch

    torch.set_num_threads(1)
    if given.shortcut:
        shortcut(given.shortcut, given.seeds, given.first, given.shown)
    if given.valid:
        valid(given.valid)


if __name__ == "__main__":
    main()
