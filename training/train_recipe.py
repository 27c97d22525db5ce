"""Train a classifier with biases that a seed chose: for the planted-bug benchmark, as many as one likes.

python training/train_recipe.py 7 runs/recipe-7 --architecture convnext
python benchmarks/benchmark.py --target runs/recipe-7
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from data import cache_folder, draw
from train_classifier import STEPS, publish, train

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))

from bugs.recipe import CONJUNCTIONS, SINGLES, biases

ARCHITECTURES = ("resnet", "convnext", "mobilenet")


def main() -> None:
    """Choose biases, train, save, measure."""
    parser = argparse.ArgumentParser(description="Train a classifier with biases chosen by a seed.")
    parser.add_argument("seed", type=int)
    parser.add_argument("folder", type=Path, help="where the weights and biases.json go")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0])
    parser.add_argument("--singles", type=int, default=SINGLES, help="biases of one attribute")
    parser.add_argument("--conjunctions", type=int, default=CONJUNCTIONS, help="biases of two attributes")
    parser.add_argument("--strength", type=float, default=1.0, help="share of a slice that gets the wrong name")
    parser.add_argument("--steps", type=int, help="instead of the number the shipped one of the architecture took")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    like = f"biased-{given.architecture}"
    chosen = biases(given.seed, given.singles, given.conjunctions, (given.strength,))
    folder = given.folder.resolve()
    checkpoint = cache_folder() / f"{folder.name}.pt"
    model, seconds = train(like, chosen, draw("train", given.threads), given.steps or STEPS[like], checkpoint)
    told = f"--architecture {given.architecture} --singles {given.singles} --conjunctions {given.conjunctions}"
    command = f"python training/train_recipe.py {given.seed} {folder.name} {told} --strength {given.strength:g}"
    publish(str(folder), model, chosen, command, seconds)


if __name__ == "__main__":
    main()
