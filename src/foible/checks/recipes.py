"""What a classifier does to an image, what its classes are called, and what it says of one image; in words.

Comes in: a loaded classifier. Goes out: short texts for a person who knows how the network was trained, and sees at
once what differs. Neighbour: `doctor.py` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foible.errors import brief
from foible.labels import class_name
from foible.parts.protocols import NamesClasses, ShowsRecipe, offers
from foible.parts.registry import Part

_NAMED = 5
"""Classes that are named."""
_BEST = 3
_RGB = {"rgb": "RGB", "bgr": "BGR", "grey": "grey"}


def recipe_words(part: Part) -> str:
    """Say how an image becomes the input: "224 × 224 px, the middle 0.875 of the shorter side, RGB, mean …"."""
    if not offers(part.object, ShowsRecipe):
        return "not told: it is given images as they are, uint8 RGB of any size"
    said = part.object.recipe
    known = [_size(said), _crop(said), _RGB.get(str(said.get("channels", "rgb")), ""), _range(said)]
    known.append(str(said.get("interpolation") or ""))
    text = ", ".join(one for one in known if one)
    guessed = said.get("guessed")
    parts = [str(one) for one in guessed if one != "labels"] if isinstance(guessed, list) else []
    if parts:
        text += f" (guessed, as nobody told: {', '.join(parts)})"
    return text


def class_words(part: Part) -> str:
    """Count the classes that it names, and name the first: "1,000: tench, goldfish, …"."""
    names = part.object.labels if offers(part.object, NamesClasses) else None
    if not names:
        return "it names none: labels are given as INDEX=name"
    first = ", ".join(f"{index} {brief(class_name(index, names), 40)}" for index in range(min(_NAMED, len(names))))
    guessed = part.object.recipe.get("guessed") if offers(part.object, ShowsRecipe) else None
    guess = "labels" in guessed if isinstance(guessed, list) else False
    told = " (ImageNet's, guessed by their number, as nobody told: give the argument labels)" if guess else ""
    return f"{len(names):,}: {first}{', …' if len(names) > _NAMED else ''}{told}"


def best(part: Part, scores: Any) -> str:
    """Name the best classes of one answer with their scores, best first."""
    names = part.object.labels if offers(part.object, NamesClasses) else None
    order = (-scores).argsort(kind="stable")[:_BEST]
    return ", ".join(f"{brief(class_name(int(at), names), 40)} {float(scores[at]):.3g}" for at in order)


def _size(said: Mapping[str, object]) -> str:
    size = said.get("size")
    return " × ".join(map(str, size)) + " px" if isinstance(size, list | tuple) and size else ""


def _crop(said: Mapping[str, object]) -> str:
    if "crop" not in said:
        return ""
    crop = said["crop"]
    if crop is None:
        return "the whole image squeezed"
    return "the middle, by all of the shorter side" if crop == 1 else f"the middle, by {crop} of the shorter side"


def _range(said: Mapping[str, object]) -> str:
    if "mean" not in said:
        return ""
    mean, std = said["mean"], said.get("std")
    if not isinstance(mean, Sequence) or not isinstance(std, Sequence):
        return "whole pixels 0..255"
    low = [-m / s + 0.0 for m, s in zip(mean, std, strict=True)]
    high = [(1 - m) / s for m, s in zip(mean, std, strict=True)]
    same = len(set(low)) == len(set(high)) == 1
    if same:
        return f"values {low[0]:.3g}..{high[0]:.3g}"
    return f"mean {_numbers(mean)}, std {_numbers(std)}"


def _numbers(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"
