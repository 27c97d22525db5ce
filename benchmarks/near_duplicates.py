"""How many copies of photographs are known again, and how many photographs are taken for others.

    python benchmarks/near_duplicates.py FOLDER [FOLDER ...]

Each folder of images is measured, and 380 pictures of the diorama: 25 of each label and 80 of a mug on grass. Some
fifty of each set are copied in every way, and added to it; a copy that is not in the group of its original is missed.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from foible.adapters.photographs.near import Small, near_duplicates, small
from foible.diorama.generator import DioramaGenerator
from foible.diorama.vocabulary import LABELS

SOME = 50
SHARES = (0.05, 0.1, 0.15, 0.2)
rng = np.random.default_rng(0)


def saved(image: Image.Image, quality: int) -> Image.Image:
    """Save as JPEG, and read again."""
    file = io.BytesIO()
    image.save(file, "jpeg", quality=quality)
    return Image.open(file).convert("RGB")


def scaled(image: Image.Image, by: float) -> Image.Image:
    """Make larger or smaller."""
    return image.resize((round(image.width * by), round(image.height * by)), Image.Resampling.BICUBIC)


def cut(image: Image.Image, share: float) -> Image.Image:
    """Cut such a share of each side off, at a place of chance."""
    wide, high = round(image.width * (1 - share)), round(image.height * (1 - share))
    left, top = int(rng.integers(0, image.width - wide + 1)), int(rng.integers(0, image.height - high + 1))
    return image.crop((left, top, left + wide, top + high))


def lit(image: Image.Image, by: float) -> Image.Image:
    """Make brighter or darker; what is too bright is white."""
    return Image.fromarray(np.clip(np.asarray(image, np.float32) * by, 0, 255).astype(np.uint8))


WAYS = {
    **{f"JPEG {quality}": (lambda i, q=quality: saved(i, q)) for quality in (95, 75, 50)},
    **{f"x {by}": (lambda i, b=by: scaled(i, b)) for by in (0.5, 0.75, 1.5, 2.0)},
    "x 0.5, JPEG 50": lambda i: saved(scaled(i, 0.5), 50),
    **{f"cut by {share:.0%}": (lambda i, s=share: cut(i, s)) for share in SHARES},
    **{f"brightness x {by}": (lambda i, b=by: lit(i, b)) for by in (0.7, 1.3)},
}


def measure(name: str, images: list[Image.Image]) -> None:
    """Print what is found in one set."""
    own = [small(f"{number:06}", np.asarray(image)) for number, image in enumerate(images)]
    began = time.perf_counter()
    pairs = sum(len(group) - 1 for group in near_duplicates(own).groups)
    each = (time.perf_counter() - began) / len(own) * 1000
    print(f"{name}: {len(own)} photographs, {pairs} taken for copies of others, {each:.1f} ms each")
    some = range(0, len(images), max(1, len(images) // SOME))
    for way, copy in WAYS.items():
        copies: list[Small] = [small(f"copy {number:06}", np.asarray(copy(images[number]))) for number in some]
        groups = near_duplicates([*own, *copies]).groups
        of = {image: group for group in groups for image in group}
        missed = sum(f"{number:06}" not in of.get(f"copy {number:06}", ()) for number in some)
        print(f"  {way}: {missed} of {len(copies)} missed")


def main() -> None:
    """Measure every set."""
    for folder in map(Path, sys.argv[1:]):
        paths = sorted(path for end in ("jpg", "jpeg", "png") for path in folder.rglob(f"*.{end}"))
        measure(folder.name, [Image.open(path).convert("RGB") for path in paths])
    prompts = [f"a realistic photograph of a {label.name}" for label in LABELS for _ in range(25)]
    prompts += ["a realistic photograph of a coffee mug, on grass"] * 80
    drawn = DioramaGenerator(64).draw(prompts, [*range(300), *range(1000, 1080)])
    measure("diorama", [Image.fromarray(one.image) for one in drawn])


if __name__ == "__main__":
    main()
