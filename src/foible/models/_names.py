"""What the classes of a classifier are called.

Comes in: what the user said (nothing, `imagenet`, a file, a list), what the model's own files say, and how many outputs
it has. Goes out: the names in order, and which classes count as one another. Neighbour: `labels.py` turns what a user
calls a label into one of these.

The names of ImageNet-1k are built in (`imagenet.json`, made by `training/imagenet_names.py`): they go to a classifier
with 1,000 outputs, or 1,001 with "background" first, that has no names of its own, or whose own are the same words
without their kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from foible.errors import ArgumentError, PluginError, brief

IMAGENET = "imagenet"
BACKGROUND = "background"
_CLASSES = 1000
_OF_IMAGENET = (_CLASSES, _CLASSES + 1)
_ALIKE = 0.95
"""Share of the names that must be ImageNet's in its order; lists differ in a few spellings."""
_LARGEST_FILE = 10_000_000


@dataclass(frozen=True)
class Names:
    """The classes of a classifier."""

    labels: tuple[str, ...] | None
    """In the order of the outputs, each "name" or "name (kind)"; None where nothing names them."""
    accepted: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Index -> the other classes that count as correct for it, where there are any."""


def names(
    model: str, outputs: int | None, *, given: str | Sequence[str] | None, own: Sequence[str] | None = None
) -> Names:
    """Name the classes.

    Args:
        model: as the user called it, for errors.
        outputs: how many classes the model tells apart; None where that is not known before it is asked.
        given: the argument `labels`: `imagenet`, a text file with one name a line, or the names.
        own: names in the model's own files.

    Raises:
        PluginError: there is no such file, or it is no text.
        ArgumentError: there are more or fewer names than outputs.
    """
    if given is None and own is None and outputs not in _OF_IMAGENET:
        return Names(None)
    if given == IMAGENET or (given is None and (own is None or _are_imagenets(own))):
        found = imagenet(outputs or _CLASSES)
    else:
        listed = own if given is None else _read(model, given) if isinstance(given, str) else given
        found = Names(_clean(model, listed or ()))
    count = len(found.labels or ())
    if outputs is not None and count != outputs:
        message = f"{model!r} has {outputs} outputs, but {_whose(given)} has {count} names: give one for each, in order"
        raise ArgumentError(message)
    return found


@cache
def imagenet(outputs: int | None = _CLASSES) -> Names:
    """Give the names of ImageNet-1k in the order of their index; one further in a model with a background class."""
    content = json.loads(files("foible.models").joinpath("imagenet.json").read_text(encoding="utf-8"))
    first = 1 if outputs == _CLASSES + 1 else 0
    labels = [f"{name} ({kind})" for name, kind, _ in content["classes"]]
    accepted = {
        index + first: frozenset(other + first for other in others)
        for index, (_, _, others) in enumerate(content["classes"])
        if others
    }
    return Names((*[BACKGROUND] * first, *labels), accepted)


def _are_imagenets(own: Sequence[str]) -> bool:
    """Say whether names are those of ImageNet-1k, so that kinds and accepted classes are known for them too."""
    if len(own) not in _OF_IMAGENET:
        return False
    pairs = zip(own, imagenet(len(own)).labels or (), strict=True)
    return sum(_bare(one) == _bare(other) for one, other in pairs) >= _ALIKE * len(own)


def _bare(name: str) -> str:
    return str(name).split(",")[0].partition(" (")[0].strip().casefold()


def _whose(given: object) -> str:
    if given is None:
        return "its own list"
    return f"{brief(given)!r}" if isinstance(given, str) else "the argument labels"


def _read(model: str, file: str) -> list[str]:
    """Read a text file with one class a line; of several words for one, the first counts ("tench, Tinca tinca")."""
    path = Path(file).expanduser()
    try:
        if path.stat().st_size > _LARGEST_FILE:
            message = f"the labels of {model!r} should be a short text, but {brief(file)!r} has over 10 MB"
            raise ArgumentError(message)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        message = (
            f"the labels of {model!r} are 'imagenet', a list of names or a text file with one name a line; "
            f"{brief(file)!r} cannot be read: {brief(error.__class__.__name__)}"
        )
        raise PluginError(message) from error
    return [line.split(",")[0] for line in text.rstrip().splitlines()]


def _clean(model: str, listed: Sequence[str]) -> tuple[str, ...]:
    """Trim names that come from somebody's file, and refuse what is no name."""
    found = []
    for index, name in enumerate(listed):
        text = " ".join(name.split()) if isinstance(name, str) else ""
        if not text or not text.isprintable():
            message = f"the labels of {model!r} must be names, but number {index} is {brief(repr(name), 60)}"
            raise ArgumentError(message)
        found.append(text)
    return tuple(found)
