"""What the classes of a classifier are called.

Comes in: what the user said (nothing, `imagenet`, a file, a list), what the model's own files say, and how many outputs
it has. Goes out: the names in order, and which classes count as one another. Neighbour: `labels.py` turns what a user
calls a label into one of these.

The names of ImageNet-1k are built in (`imagenet.json`, made by `training/imagenet_names.py`): they go to a classifier
with 1,000 outputs, or 1,001 with "background" first, that has no names of its own, or whose own are the same words
without their kinds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from foible.adapters.shared import name_files as _name_files
from foible.codes import are_places, without_numbers
from foible.errors import ArgumentError, PluginError, brief
from foible.labels import is_printable

IMAGENET = "imagenet"
BACKGROUND = "background"
_CLASSES = 1000
_OF_IMAGENET = (_CLASSES, _CLASSES + 1)
_ALIKE = 0.95
"""Share of the names that must be ImageNet's in its order; lists differ in a few spellings."""
_LARGEST_FILE = 10_000_000
_SYNSET = re.compile(r"n[0-9]{8}")
_SYNSETS = "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd"
"""Hash of ImageNet-1k's 1,000 synsets, one a line, in their order."""


@dataclass(frozen=True)
class Names:
    """The classes of a classifier."""

    labels: tuple[str, ...] | None
    """In the order of the outputs, each "name" or "name (kind)"; None where nothing names them."""
    accepted: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Index -> the other classes that count as correct for it, where there are any."""
    alike: Mapping[int, Mapping[int, float]] = field(default_factory=dict)
    """Index -> the other classes that people saw in its pictures -> the share of pictures, where it is large."""
    guessed: bool = False
    """Whether they are ImageNet's for no other reason than their number."""

    @property
    def guesses(self) -> tuple[str, ...]:
        """What of them is a guess, as the `guessed` of an identity lists it: the argument that would tell it."""
        return ("labels",) if self.guessed else ()


def names(
    model: str,
    outputs: int | None,
    *,
    given: str | Sequence[str] | None,
    own: str | Sequence[str] | Mapping[Any, Any] | None = None,
) -> Names:
    """Name the classes.

    Indices and synsets in front of names are taken away; an index decides which class a name belongs to. Own names that
    are no words, such as LABEL_0, are none: whoever hunts then says INDEX=name.

    Args:
        model: as the user called it, for errors.
        outputs: how many classes the model tells apart; None where that is not known before it is asked.
        given: the argument `labels`: `imagenet`, a text file with one name a line, or the names.
        own: names in the model's own files: a list, a mapping from index to name or the other way, or the text of one.

    Raises:
        PluginError: there is no such file, or it is no text.
        ArgumentError: there are more or fewer names than outputs, indices leave classes out, or names are no words.
    """
    if given == IMAGENET:
        return _counted(model, outputs, imagenet(outputs or _CLASSES), given)
    listed = _listed(model, given, own) or []
    if given is not None and not listed:
        return _counted(model, outputs, Names(()), given)
    words = not (are_places(tuple(map(str, listed))) or all(map(_SYNSET.fullmatch, listed)))
    if given is not None and not words and not _are_synsets(listed):
        message = (
            f"the labels of {model!r} must be words, but {_whose(given)} has {brief(listed[:1], 60)}: give names, or "
            "leave labels out and name what is hunted over as INDEX=name"
        )
        raise ArgumentError(message)
    if _are_synsets(listed) or (given is None and words and _are_imagenets(listed)):
        found = imagenet(len(listed))
    elif words:
        found = Names(_clean(model, listed))
    elif outputs in _OF_IMAGENET and not any(map(_SYNSET.fullmatch, listed)):  # other synsets are another data set's
        return replace(imagenet(outputs), guessed=True)
    else:
        return Names(None)
    return _counted(model, outputs, found, given)


def _counted(model: str, outputs: int | None, found: Names, given: object) -> Names:
    count = len(found.labels or ())
    if outputs is not None and count != outputs:
        message = f"{model!r} has {outputs} outputs, but {_whose(given)} has {count} names: give one for each, in order"
        raise ArgumentError(message)
    return found


def _listed(model: str, given: str | Sequence[str] | None, own: Any) -> list[str] | None:
    """Read what there is, and put each name in its place."""
    raw = own if given is None else _text(model, given) if isinstance(given, str) else given
    if raw is None:
        return None
    try:
        if isinstance(raw, str):
            found = _name_files.parsed(raw)
        elif isinstance(raw, Mapping):
            found = _name_files.by_index(raw)
        else:
            _clean(model, raw)
            found = _name_files.plain(raw)
    except _name_files.Unreadable as error:
        message = (
            f"the names of the classes of {model!r} cannot be read from {_whose(given)}, since {brief(error, 120)}: "
            "give labels as a list of names, or as a text file with one name a line"
        )
        raise ArgumentError(message) from error
    return without_numbers(_placed(model, given, found) if isinstance(found, dict) else found)


def _placed(model: str, given: object, found: Mapping[int, str]) -> list[str]:
    """Put names in the order of their indices, which must leave no class out."""
    missing = next(index for index in range(len(found) + 1) if index not in found)
    if missing < len(found):
        message = (
            f"the classes of {model!r} count from 0, but {_whose(given)} numbers {len(found)} of them up to "
            f"{max(found)} and leaves out {missing}: number all of them, or give labels as a list of names in order"
        )
        raise ArgumentError(message)
    return [found[index] for index in range(len(found))]


@cache
def imagenet(outputs: int | None = _CLASSES) -> Names:
    """Give the names of ImageNet-1k in the order of their index; one further in a model with a background class."""
    content = json.loads(files("foible.adapters.shared").joinpath("imagenet.json").read_text(encoding="utf-8"))
    first = 1 if outputs == _CLASSES + 1 else 0
    labels = [f"{name} ({kind})" for name, kind, *_ in content["classes"]]
    accepted = {
        index + first: frozenset(other + first for other in others)
        for index, (_, _, others, _) in enumerate(content["classes"])
        if others
    }
    alike = {
        index + first: {other + first: share for other, share in seen}
        for index, (_, _, _, seen) in enumerate(content["classes"])
        if seen
    }
    return Names((*[BACKGROUND] * first, *labels), accepted, alike)


def _are_imagenets(own: Sequence[str]) -> bool:
    """Say whether names are those of ImageNet-1k, so that kinds and accepted classes are known for them too."""
    if len(own) not in _OF_IMAGENET:
        return False
    said = [_bare(name) for name in own]
    known = [_bare(name) for name in imagenet(len(own)).labels or ()]
    differ = [place for place, name in enumerate(said) if name != known[place]]
    others = {known[place] for place in differ}
    # Lists spell a few names otherwise; a name that is that of another class, which is not there either, has moved.
    return len(differ) <= (1 - _ALIKE) * len(own) and not any(said[place] in others for place in differ)


def _are_synsets(listed: Sequence[str]) -> bool:
    """Say whether names are the synsets of ImageNet-1k in its order."""
    return hashlib.sha256("\n".join(listed).encode()).hexdigest() == _SYNSETS


def _bare(name: str) -> str:
    return str(name).split(",")[0].partition(" (")[0].strip().casefold()


def _whose(given: object) -> str:
    if given is None:
        return "its own list"
    return f"{brief(given)!r}" if isinstance(given, str) else "the argument labels"


def _text(model: str, file: str) -> str:
    """Read a file of names."""
    path = Path(file).expanduser()
    try:
        if path.stat().st_size > _LARGEST_FILE:
            message = f"the labels of {model!r} should be a short text, but {brief(file)!r} has over 10 MB"
            raise ArgumentError(message)
        return _name_files.decoded(path.read_bytes())
    except (OSError, ValueError) as error:
        message = (
            f"the labels of {model!r} are 'imagenet', a list of names or a text file in UTF-8 with one name a line; "
            f"{brief(file)!r} cannot be read: {brief(error.__class__.__name__)}"
        )
        raise PluginError(message) from error


def _clean(model: str, listed: Sequence[str]) -> tuple[str, ...]:
    """Trim names that come from somebody's file, and refuse what is no name."""
    found = []
    for index, name in enumerate(listed):
        text = " ".join(name.split()) if isinstance(name, str) else ""
        if not text or not is_printable(text):
            message = f"the labels of {model!r} must be names, but number {index} is {brief(repr(name), 60)}"
            raise ArgumentError(message)
        found.append(text)
    return tuple(found)
