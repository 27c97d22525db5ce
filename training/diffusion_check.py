"""Put the trained pipeline together, measure its draws against exact pictures, and write the files that ship.

In: the checkpoints of `diffusion` and `diffusion_decoder`. Out: a table, a sheet of draws to look at, and (with
`--publish`) the pipeline's folder, in half precision. What is measured is told by networks that had no part in any
loss: the reference classifier names the label, the captioner tells the attributes.

    python training/diffusion_check.py --folder build/diffusion --draws 240
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import check
import numpy as np
import torch
from data import place
from diffusers import StableDiffusionXLPipeline
from diffusion import Learner
from diffusion_parts import Components, denoiser, pipeline, text_parts
from narrow import SIZE, pictures, scene
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import binomtest

from foible.diorama.grammar import parse
from foible.diorama.models import PIPELINE
from foible.diorama.narrow import OPEN, narrow_caption
from foible.diorama.render import render
from foible.diorama.vocabulary import LABELS

FIRST_SEED = 5_000_000_000
"""The seeds of what is asked for here: none is of training."""
BATCH = 24


@dataclass(frozen=True)
class Way:
    """One way to draw."""

    steps: int
    guidance: float


WAYS = (Way(4, 2.0), Way(8, 2.0), Way(4, 1.0), Way(2, 1.0), Way(1, 1.0), Way(20, 2.0))
"""The default first; a guidance of 1 asks the denoiser once a step, any other twice."""


def assembled(folder: Path, count: int) -> StableDiffusionXLPipeline:
    """Give the pipeline of the checkpoints in `folder`, with the averaged weights of the denoiser."""
    model = Components.kept(folder, pictures(folder, count)[:4000]).autoencoder()
    model.load_state_dict(torch.load(folder / "decoder.pt", weights_only=True)["module"])
    learner = Learner(denoiser(text_parts()[1]))
    state = torch.load(folder / "denoiser.pt", weights_only=True)
    learner.load_state_dict(state["module"])
    print(f"denoiser after {state['step']} steps, {state['seconds']:.0f} s")
    return pipeline(model, learner.average.to(memory_format=torch.channels_last))


def publish(pipe: StableDiffusionXLPipeline) -> Path:
    """Write the pipeline to where it ships, in half precision; any dtype can be asked for when it is loaded."""
    folder = place(PIPELINE)
    pipe.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    pipe.to(torch.float32)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # the library makes them as temporary files, which nobody else may read
    return folder


def drawn(pipe: StableDiffusionXLPipeline, prompts: list[str], way: Way) -> NDArray[np.uint8]:
    """Draw one picture for each prompt; their seeds are their places."""
    made: list[NDArray[Any]] = []
    for first in range(0, len(prompts), BATCH):
        some = prompts[first : first + BATCH]
        dice = [torch.Generator().manual_seed(first + number) for number in range(len(some))]
        steps, guidance = way.steps, way.guidance
        answer = pipe(some, generator=dice, num_inference_steps=steps, guidance_scale=guidance, output_type="np")
        made.append((answer.images * 255).round().astype(np.uint8))
    return np.concatenate(made)


def told(images: NDArray[np.uint8], seeds: list[int]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Say of each picture whether its label is named and each attribute confirmed."""
    scenes = [scene(seed) for seed in seeds]
    names = [label.name for label in LABELS]
    own = np.array([names.index(shown.label) for shown in scenes])
    yield "label: classifier", check.predictions("reference", images) == own
    yield "label: judge", check.gaps(images)[np.arange(len(own)), own] >= float(check._judge()["margin"])  # noqa: SLF001
    read = [parse(text) for text in check.captions(images)]
    yield "label: captioner", np.array([one.label == shown.label for one, shown in zip(read, scenes, strict=True)])
    for name in OPEN:
        said = [one.attributes.get(name) == getattr(shown, name) for one, shown in zip(read, scenes, strict=True)]
        yield name, np.array(said)


def row(what: str, images: NDArray[np.uint8], seeds: list[int], seconds: float) -> str:
    """One line of the table: shares with exact 95 % intervals, and the time of a draw."""
    cells = []
    for _, hits in told(images, seeds):
        bounds = binomtest(int(hits.sum()), len(hits)).proportion_ci()
        cells.append(f"{hits.mean():.1%} ({bounds.low:.0%} to {bounds.high:.0%})")
    return f"| {what} | {' | '.join(cells)} | {seconds / len(images) * 1000:.0f} ms |"


def by_label(images: NDArray[np.uint8], seeds: list[int]) -> str:
    """The share of each label's draws that the classifier names, from the lowest."""
    hits = next(told(images, seeds))[1]
    names = np.array([scene(seed).label for seed in seeds])
    shares = sorted((float(hits[names == label.name].mean()), label.name) for label in LABELS)
    return ", ".join(f"{name} {share:.0%}" for share, name in shares)


def sheet(images: NDArray[np.uint8], file: Path, across: int = 12) -> None:
    """Write pictures side by side, twice their size."""
    rows = [np.concatenate(list(images[at : at + across]), axis=1) for at in range(0, len(images), across)]
    whole = Image.fromarray(np.concatenate(rows))
    whole.resize((whole.width * 2, whole.height * 2), Image.Resampling.NEAREST).save(file)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the diffusion pipeline.")
    parser.add_argument("--folder", type=Path, default=Path("build/diffusion"))
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--draws", type=int, default=240, help="a multiple of 12")
    parser.add_argument("--ways", type=int, default=len(WAYS), help="how many of the ways to draw")
    parser.add_argument("--publish", action="store_true", help="write the files that ship")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pipe = assembled(arguments.folder, arguments.count)
    seeds = [FIRST_SEED + place for place in range(arguments.draws)]
    prompts = [narrow_caption(scene(seed)) for seed in seeds]
    start = time.process_time()
    exact = render([scene(seed) for seed in seeds], seeds, SIZE)
    print(row("exact", exact, seeds, time.process_time() - start), flush=True)
    for way in WAYS[: arguments.ways]:
        start = time.process_time()
        images = drawn(pipe, prompts, way)
        spent = time.process_time() - start
        print(row(f"{way.steps} steps, guidance {way.guidance}", images, seeds, spent), flush=True)
        print(f"  named: {by_label(images, seeds)}", flush=True)
        sheet(images[:48], arguments.folder / f"sheet-{way.steps}-{way.guidance}.png")
    if arguments.publish:
        print(publish(pipe))


if __name__ == "__main__":
    main()
