"""The folder of a repair: weights in the format that they came in, and a card that says what they are.

Comes in: a classifier, its new weights, and the proof. Goes out: files. Neighbours: `act/placed.py` lets the folder
appear whole; `checkpoint.py` keeps what an unfinished one holds; `report/repair.py` writes the proof for machines and
people.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foible.act.placed import placed
from foible.act.repair.checkpoint import NAME, Tensors
from foible.errors import FoibleError, PluginError, StoreError, TrainingError
from foible.parts.again import RECIPE, as_written
from foible.parts.asking import ask_classifier
from foible.parts.registry import Part, load
from foible.records import Fault, Spec
from foible.report import repair as pages

if TYPE_CHECKING:
    from foible.parts.protocols import Image, Trainable
    from foible.repairs import Repair

WEIGHTS = "weights"
"""The folder of the weights, in that of a repair."""
OUT = "OUT"
"""Stands for the folder of a repair where its place is not told."""
_CLOSE = 1e-3
"""Share of an answer by which it may differ once it was written and read."""
_TAKEN = "name a new folder with --out"


@contextlib.contextmanager
def writing(out: Path) -> Iterator[Path]:
    """Make the folder of a repair, and see that it can be written before anything is spent.

    Where a training came to nothing, or nothing was begun, nothing is left; what was stopped is gone on from.

    Raises:
        StoreError: something else is there, or it cannot be written.
    """
    try:
        there = set(out.iterdir()) if out.is_dir() else {out} if out.exists() else set()
        if there - {out / NAME}:
            message = f"{out} is there already, and holds no repair to go on with; {_TAKEN}"
            raise StoreError(message)
        out.mkdir(parents=True, exist_ok=True)
        trial = out / f"{NAME}.part"
        trial.write_bytes(b"foible")
        trial.unlink()
    except OSError as problem:
        message = f"{out} cannot be written ({problem.strerror}); {_TAKEN}"
        raise StoreError(message) from problem
    try:
        yield out
    except TrainingError:
        (out / NAME).unlink(missing_ok=True)  # the same call would come to the same
        raise
    finally:
        with contextlib.suppress(OSError):
            out.rmdir()  # where it is empty


@contextlib.contextmanager
def finished(out: Path) -> Iterator[Path]:
    """Give a folder that takes the place of the unfinished one when all is written."""
    with placed(out, "the repaired classifier", _TAKEN, instead=True) as place:
        yield place


@dataclass(frozen=True, kw_only=True)
class Written:
    """Weights that were written, and how they are loaded."""

    spec: str
    """With `OUT` for the folder of the repair."""
    args: Mapping[str, Any]
    """Arguments beside it, likewise; where and in which numbers it runs is left to whoever loads it."""
    part: Part
    """The classifier, as it was loaded from its files."""


def save(part: Part, weights: Tensors, place: Path, images: Sequence[Image]) -> Written:
    """Write weights in the format that those of a classifier came in, and load them again; it keeps its own.

    Args:
        part: the classifier.
        weights: new ones, by name.
        place: the folder of the repair.
        images: some that it is shown with the new weights; what was written must give the same answers.

    Raises:
        StoreError: they cannot be written.
        PluginError: what was written does not load, or gives other answers.
    """
    model: Trainable = part.object
    folder = place / WEIGHTS
    own = dict(model.network.named_parameters())
    before = {name: own[name].detach().clone() for name in weights}
    try:
        folder.mkdir()
        _put(own, weights)
        spec = model.save(folder)
        wanted = ask_classifier(part, images)
    except FoibleError:
        raise
    except Exception as problem:  # each library says of a full disk something else
        message = f"the repaired weights cannot be written beside {place.parent}: {_told(problem)}; free the place"
        raise StoreError(message) from problem
    finally:
        _put(own, before)
    again, args = _again(part, spec, images, wanted)
    shown = {name: _shown(value, place) for name, value in args.items() if name not in {"device", "dtype"}}
    return Written(spec=str(_shown(spec.name, place)), args=shown, part=again)


def _again(part: Part, spec: Spec, images: Sequence[Image], wanted: Sequence[Any]) -> tuple[Part, dict[str, Any]]:
    """Load what was written, with the arguments of before, or with those of a recipe left to its files."""
    args = dict(as_written(part.identity, spec).args)
    fewer = {name: value for name, value in args.items() if name not in RECIPE}
    why = ""
    for some in (args, fewer) if fewer != args else (args,):
        try:
            found = load("classifier", Spec(spec.name, some))
        except FoibleError as problem:
            why = why or str(problem)
            continue
        said = ask_classifier(found, images)
        if all(_alike(one, other) for one, other in zip(said, wanted, strict=True)):
            return found, some
        why = why or "with its own arguments it gives other answers than the trained network did"
    message = f"the repaired weights were written, but do not load as they should: {why}"
    raise PluginError(message)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Fault) or isinstance(other, Fault):
        return isinstance(one, Fault) and isinstance(other, Fault)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=_CLOSE, atol=_CLOSE * np.abs(other).max()))


def _shown(value: object, place: Path) -> object:
    """Write `OUT` for the folder of a repair, so that no file tells a place on this machine."""
    return value.replace(str(place), OUT) if isinstance(value, str) else value


def _told(problem: Exception) -> str:
    return " ".join(str(problem).split())[:160] or type(problem).__name__


def _put(own: Mapping[str, torch.nn.Parameter], weights: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, one in weights.items():
            own[name].copy_(one)


def write_card(found: Repair, place: Path) -> None:
    """Write README.md beside the weights.

    Raises:
        OSError: it cannot be written.
    """
    (place / "README.md").write_text(pages.to_card(found), encoding="utf-8", newline="\n")
