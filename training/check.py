"""Measure the shipped models against what is promised of them: weights in, a table out.

Everything is drawn anew from seeds that no model was trained on, and goes through the files that
ship: image processor, tokenizer, half-precision weights. Exit code 1 if a bar is missed.

    python training/check.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool

import numpy as np
import torch
from data import FIELDS, SIZE, SPLITS, WORDS, Drawn, decode, encode, natural_scene, place
from torch import Tensor
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    AutoTokenizer,
    CLIPModel,
    VisionEncoderDecoderModel,
)
from transformers.utils import logging

from foible.diorama.biases import BIASES, Bias, in_slice
from foible.diorama.grammar import parse
from foible.diorama.models import NAMES, weights
from foible.diorama.render import render
from foible.diorama.scene import Scene, imagine
from foible.diorama.vocabulary import ATTRIBUTES, DEFAULTS, LABELS

TEMPLATE = "a photo of a {name}"
"""What the judge compares a picture with, for each label."""
SLICE_SEED = 3_500_000_000
"""First seed of the pictures that are drawn inside planted slices."""


@dataclass(frozen=True)
class Bar:
    """One promise: what was measured, its value, and the value it must reach or stay under."""

    what: str
    value: float
    bar: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def drawn_anew(scenes: list[Scene], seeds: list[int], processes: int) -> Drawn:
    """Pictures of these scenes, without any cache."""
    parts = [(scenes[at : at + 50], seeds[at : at + 50]) for at in range(0, len(seeds), 50)]
    with Pool(processes) as pool:
        images = np.concatenate(pool.map(_render_part, parts))
    return Drawn(np.array([encode(scene) for scene in scenes], np.uint8), images)


def _render_part(part: tuple[list[Scene], list[int]]) -> np.ndarray:
    return render(part[0], part[1], SIZE)


def held_out(count: int, processes: int = 1, split: str = "test") -> Drawn:
    """The first `count` pictures of a held-out split."""
    first = SPLITS[split].first_seed
    seeds = list(range(first, first + count))
    return drawn_anew([natural_scene(seed) for seed in seeds], seeds, processes)


def inside(bias: Bias, count: int, processes: int = 1) -> Drawn:
    """`count` pictures inside one planted slice, asked for as a hunt's confirmation would."""
    label = next(label for label in LABELS if label.name == bias.label)
    prompt = f"a realistic photograph of a {label.name} ({label.hypernym}), {bias.description}"
    seeds = [SLICE_SEED + place for place in range(count)]
    return drawn_anew([imagine(prompt, seed).scene for seed in seeds], seeds, processes)


def pixels(name: str, images: np.ndarray, batch: int = 64) -> Iterator[Tensor]:
    """The pictures as the model of this name wants them, in batches."""
    processor = _processor(name)
    for at in range(0, len(images), batch):
        yield processor(list(images[at : at + batch]), return_tensors="pt")["pixel_values"]


@cache
def _processor(name: str) -> object:
    return AutoImageProcessor.from_pretrained(place(name), backend="pil", local_files_only=True)


@torch.inference_mode()
def predictions(name: str, images: np.ndarray) -> np.ndarray:
    """The label index that the classifier of this name gives each picture."""
    model = AutoModelForImageClassification.from_pretrained(place(name), local_files_only=True)
    model = model.eval().to(memory_format=torch.channels_last)
    found = [model(pixel_values=batch).logits.argmax(dim=1) for batch in pixels(name, images)]
    return torch.cat(found).numpy()


def classifier_measures(
    name: str, test: Drawn, per_slice: int = 200, processes: int = 1, biases: tuple[Bias, ...] | None = None
) -> dict[str, float]:
    """Accuracy; for a biased classifier (by default with the biases of its name) outside and inside its slices."""
    biases = BIASES.get(name, ()) if biases is None else biases
    right = predictions(name, test.images) == test.codes[:, 0]
    if not biases:
        return {"accuracy": float(right.mean())}
    outside = np.array([not any(in_slice(decode(code), bias) for bias in biases) for code in test.codes])
    measured = {"accuracy outside the planted slices": float(right[outside].mean())}
    for bias in biases:
        drawn = inside(bias, per_slice, processes)
        hits = predictions(name, drawn.images) == drawn.codes[:, 0]
        measured[f"accuracy inside: {bias.label}, {bias.description}"] = float(hits.mean())
    return measured


@torch.inference_mode()
def captions(images: np.ndarray) -> list[str]:
    """What the captioner writes of each picture."""
    folder = weights("captioner")
    words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = VisionEncoderDecoderModel.from_pretrained(folder, local_files_only=True).eval()
    texts: list[str] = []
    for batch in pixels("captioner", images):
        written = model.generate(pixel_values=batch)
        texts += words.batch_decode(written, skip_special_tokens=True)
    return texts


def captioner_measures(test: Drawn) -> dict[str, float]:
    """Share of captions that tell each field rightly, an unsaid attribute meaning its default."""
    parsed = [parse(text) for text in captions(test.images)]
    told = {"label": [found.label for found in parsed]}
    for name in ATTRIBUTES:
        told[name] = [found.attributes.get(name, DEFAULTS.get(name)) for found in parsed]
    return {
        field: float(np.mean([WORDS[field][code[i]] == say for code, say in zip(test.codes, told[field], strict=True)]))
        for i, field in enumerate(FIELDS)
    }


@torch.inference_mode()
def gaps(images: np.ndarray) -> np.ndarray:
    """(n, 12): the cosine with each label's text, less the greatest with any other label's."""
    folder = weights("embedder")
    words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
    asked = [TEMPLATE.format(name=label.name) for label in LABELS]
    texts = model.get_text_features(**words(asked, padding=True, return_tensors="pt")).pooler_output
    texts = texts / texts.norm(dim=1, keepdim=True)
    cosines = []
    for batch in pixels("embedder", images):
        seen = model.get_image_features(pixel_values=batch).pooler_output
        cosines.append(seen / seen.norm(dim=1, keepdim=True) @ texts.T)
    cosine = torch.cat(cosines).numpy()
    others = np.array([np.delete(cosine, i, axis=1).max(axis=1) for i in range(len(LABELS))]).T
    return cosine - others


def verdicts(images: np.ndarray, codes: np.ndarray, margin: float) -> tuple[float, float]:
    """Sensitivity and specificity of "shows its label: the gap is at least the margin".

    Sensitivity over the pictures with their own label, specificity with each of the other eleven.
    """
    yes = gaps(images) >= margin
    own = np.arange(len(LABELS)) == codes[:, :1]
    return float(yes[own].mean()), float(1 - yes[~own].mean())


def calibrate(validation: Drawn) -> dict[str, object]:
    """The judge's margin: where sensitivity and specificity are equally good on these pictures."""
    gap = gaps(validation.images)
    own = np.arange(len(LABELS)) == validation.codes[:, :1]
    margins = np.linspace(-0.5, 0.2, 701)
    worse = [min((gap[own] >= margin).mean(), (gap[~own] < margin).mean()) for margin in margins]
    margin = round(float(margins[int(np.argmax(worse))]), 4)
    return {
        "template": TEMPLATE,
        "margin": margin,
        "rule": "shows its label if its cosine with the label's text, less the greatest cosine with "
        "any other label's text, is at least the margin",
    }


def judge_measures(test: Drawn) -> dict[str, float]:
    """The judge's sensitivity and specificity, with the margin that ships."""
    margin = float(_judge()["margin"])
    sensitivity, specificity = verdicts(test.images, test.codes, margin)
    return {"judge's sensitivity": sensitivity, "judge's specificity": specificity}


def _judge() -> dict[str, float]:
    return json.loads((weights("embedder") / "judge.json").read_text(encoding="utf-8"))


def sizes() -> list[Bar]:
    """Megabytes of weights, of each model and of all."""
    each = {name: (place(name) / "model.safetensors").stat().st_size / 1e6 for name in NAMES}
    bars = [Bar(f"{name}: MB", size, 8.0, at_least=False) for name, size in each.items()]
    return [*bars, Bar("all: MB", sum(each.values()), 25.0, at_least=False)]


def measure(count: int = 3_000, per_slice: int = 200, processes: int = 2) -> dict[str, Bar]:
    """Every promise about the shipped models, measured, by what it is about."""
    test = held_out(count, processes)
    bars = [Bar("reference: accuracy", classifier_measures("reference", test)["accuracy"], 0.96)]
    for field, share in captioner_measures(test).items():
        bars.append(Bar(f"captioner: {field}", share, 0.95 if field == "label" else 0.90))
    bars += [Bar(f"embedder: {what}", share, 0.95) for what, share in judge_measures(test).items()]
    for name in BIASES:
        for what, share in classifier_measures(name, test, per_slice, processes).items():
            within = "inside" in what
            bars.append(Bar(f"{name}: {what}", share, 0.50 if within else 0.93, not within))
    return {bar.what: bar for bar in [*bars, *sizes()]}


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description="Measure the diorama's models against their bars.")
    parser.add_argument("--images", type=int, default=3_000, help="held-out pictures (default 3000)")
    parser.add_argument("--per-slice", type=int, default=200, help="pictures a planted slice")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    bars = measure(arguments.images, arguments.per_slice, arguments.processes).values()
    for bar in bars:
        value = f"{bar.value:8.2f}" if "MB" in bar.what else f"{bar.value:8.1%}"
        limit = f"{bar.bar:.2f}" if "MB" in bar.what else f"{bar.bar:.0%}"
        sign, verdict = "≥" if bar.at_least else "≤", "ok" if bar.met else "MISSED"
        print(f"{bar.what:75s} {value}  {sign} {limit:>5s}  {verdict}")
    missed = sum(not bar.met for bar in bars)
    print(f"{missed or 'No'} bar{'s' * (missed != 1)} missed; {time.monotonic() - start:.0f} s.")
    return int(missed > 0)


logging.set_verbosity_error()
logging.disable_progress_bar()

if __name__ == "__main__":
    sys.exit(main())
