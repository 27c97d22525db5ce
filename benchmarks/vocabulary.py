"""The planted bugs of the diorama's classifiers, looked for in labelled pictures without columns or captions.

    python benchmarks/vocabulary.py --out /tmp/vocabulary [--pictures 160] [--checked 0.25]

So many pictures of each label are drawn once, with a vocabulary of everything that the diorama can vary; for a share of
them a table says what they truly show. Each biased classifier is hunted over them with the diorama's embedder. Printed:
which planted bugs are confirmed in their own words, what else is confirmed, with its rates in fresh images, and how
right the embedder is for each.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Collection
from pathlib import Path

import numpy as np

import foible
from foible.diorama.biases import BIASES, Bias
from foible.diorama.generator import DioramaGenerator
from foible.diorama.scene import imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.labels import split_name
from foible.parts.registry import load
from foible.pixels import write_png

FIRST_SEED, TRUTH_SEED, FRESH = 70_000, 500_000, 400


def main() -> None:
    """Draw, hunt and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=160)
    parser.add_argument("--checked", type=float, default=0.25)
    given = parser.parse_args()
    folder, words = given.out / "set", given.out / "words.txt"
    if not words.exists():
        draw(folder, given.pictures, given.checked)
        words.write_text("".join(f"{name}: {', '.join(phrases(name).values())}\n" for name in ATTRIBUTES), "utf-8")
    for name, biases in BIASES.items():
        source = foible.Spec(f"photos:{folder}", {"vocabulary": str(words)})
        out = given.out / name
        run = foible.hunt(f"diorama:{name}", source=source, embedder="diorama:embedder", out=out, progress=False)
        claims = {(f.trial.hypothesis.label, frozenset(f.trial.hypothesis.treatment.words)): f for f in run.confirmed}
        planted = {(one.label, frozenset(said(one))): one for one in biases}
        for kind in ("single", "conjunction"):
            own = [about for about, one in planted.items() if one.kind == kind]
            print(f"{name}: {kind}: {sum(about in claims for about in own)} of {len(own)} confirmed")
        for about, finding in claims.items():
            right = finding.assigned
            checked = (
                f"right about {right.right_with} of {right.checked_with} with it and {right.right_without} of "
                f"{right.checked_without} without it"
                if right is not None
                else "nobody's"
            )
            which = "planted" if about in planted else f"other ({fresh(name, *about)})"
            print(f"  {which}: {about[0]}, {', '.join(sorted(about[1]))}: {checked}")


def fresh(name: str, label: str, words: Collection[str]) -> str:
    """Say how often a classifier fails on fresh images of a label, with attributes and without."""
    classifier, generator = load("classifier", f"diorama:{name}").object, DioramaGenerator()
    right = [split_name(one)[0] for one in classifier.labels].index(label)
    said = ", ".join(word.partition("=")[2] for word in sorted(words))
    rates = []
    for prompt in (f"a {label}, {said}", f"a {label}"):
        images = [one.image for one in generator.draw([prompt] * FRESH, range(TRUTH_SEED, TRUTH_SEED + FRESH))]
        scores = np.concatenate([classifier.classify(images[at : at + 50]) for at in range(0, FRESH, 50)])
        rates.append(float(np.mean(scores.argmax(axis=1) != right)))
    return f"fails in {rates[0]:.0%} of {FRESH} fresh images with it, {rates[1]:.0%} without"


def phrases(attribute: str) -> dict[str, str]:
    """Give the phrase of each value of an attribute."""
    return {value.word: value.word if value.phrase == "none" else value.phrase for value in ATTRIBUTES[attribute]}


def said(bias: Bias) -> list[str]:
    """Give the attributes of a bias as the vocabulary says them."""
    return [f"{attribute}={phrases(attribute)[word]}" for attribute, word in bias.attributes]


def draw(folder: Path, pictures: int, checked: float) -> None:
    """Draw so many pictures of each label, and say of a share of them what they show."""
    generator, chance = DioramaGenerator(), np.random.default_rng(0)
    rows = []
    for label in LABELS:
        (folder / label.name).mkdir(parents=True, exist_ok=True)
        for number in range(pictures):
            seed, prompt = FIRST_SEED + number, f"a {label.name}"
            content = write_png(generator.draw([prompt], [seed])[0].image)
            (folder / label.name / f"{number:04}.png").write_bytes(content)
            scene, seen = imagine(prompt, seed).scene, chance.random() < checked
            told = [phrases(name)[getattr(scene, name)] if seen else "" for name in ATTRIBUTES]
            rows.append([f"{label.name}/{number:04}.png", *told])
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file_name", *ATTRIBUTES], *rows])


if __name__ == "__main__":
    main()
