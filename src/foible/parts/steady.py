"""Does a part answer the same when it is asked again, alone and in a batch?

Comes in: a part, and what it answered about one element: twice alone, and once beside others. Goes out: what is wrong
with that, and whether it makes answers worthless. Neighbours: `hunting/trying.py` asks before a hunt, and
`checks/timing.py` for `plan` and `doctor`; `testing.py` holds a plug-in to more, and more strictly.

A network in training mode is what this is for: with dropout it answers by chance, with the statistics of a batch it
answers by its neighbours, and either can fail a perfect classifier on half of the images. Arithmetic differs a little
from batch to batch, in half precision by about a thousandth; that is let pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import brief
from foible.parts.protocols import CountsRequests, offers
from foible.parts.registry import Part
from foible.records import Drawn, Fault, Judgement

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGAIN = 0.01
"""Share of an answer by which it may differ when the same call is made again."""
BESIDE = 0.05
"""The same where the element is asked about beside others."""
LEVELS = 2.0
"""Of 256, by which the pixels of an image may differ on average when it is drawn again."""
_FLOOR = 2e-3
"""By which a judge's score may differ in any case: cosines in half precision do, and they are small."""
FEW = 3
"""Elements of a batch that is asked about for this."""
ASKED = 2 + FEW
"""Elements that a part is asked about for this, at most: one twice alone, and a batch."""


@dataclass(frozen=True, slots=True)
class Unsteady:
    """What is wrong."""

    sentence: str
    grave: bool
    """Whether nothing can be claimed from such answers; else it is said, and the hunt goes on."""


def asks_a_server(part: Part) -> bool:
    """Tell whether each question may cost money: then one element is asked about again, and no batch."""
    return bool(offers(part.object, CountsRequests))


def compared(part: Part, alone: Sequence[Any], beside: Sequence[Any] = ()) -> Unsteady | None:
    """Compare what a part said of one element; None where that is the same, or where there is nothing to compare.

    Args:
        part: who answered.
        alone: the answers, asked about it alone; where it was asked once, that one.
        beside: the answers of one call about several elements, this one first; empty where there was none.
    """
    said = [one for one in alone if not isinstance(one, Fault)]
    if len(said) > 1 and _differ(said[0], said[1], AGAIN, said):
        return _unsteady(part, _CHANCE, "when it is asked about the same {what} again")
    others = [one for one in beside if not isinstance(one, Fault)]
    if not len(others) == len(beside) > 1:
        return None
    lost = bool(alone) and all(isinstance(one, Fault) and not one.passing for one in alone)
    if lost or (said and _differ(said[0], others[0], BESIDE, others)):
        return _unsteady(part, _BATCH, "for {a} alone than for the same one beside others")
    return None


_CHANCE = "something in it works by chance, such as dropout in training mode"
_BATCH = "it works with the statistics of the batch, as in training mode"
_KINDS = {
    "captioner": "captions only suggest what is tested, so verdicts hold, but another run may test something else",
    "generator": "the two images of a pair may then show other scenes, so that more pairs are needed, and a lost image "
    "cannot be drawn again",
}
"""Kinds whose answers may vary -> what that means: a chat model has a temperature, and few servers take a seed."""


def _unsteady(part: Part, cause: str, when: str) -> Unsteady:
    what, a, gives = "image", "an image", "other answers"
    if part.kind == "generator":
        what, a, gives = "prompt and seed", "a prompt and seed", "another image"
    spec = brief(part.identity["spec"])
    said = f"the {part.kind} {spec} gives {gives} {when.format(what=what, a=a)}"
    if part.kind in _KINDS:
        return Unsteady(f"{said}; {_KINDS[part.kind]}", grave=False)
    mend = "put it into evaluation mode (in PyTorch .eval(), before it is exported too)"
    return Unsteady(f"{said}: {cause}; {mend}, so that an image has one answer", grave=True)


def _differ(one: Any, other: Any, share: float, among: Sequence[Any]) -> bool:
    """Tell whether two answers differ by more than a share of what they are."""
    if isinstance(one, str):
        return one != str(other)
    if isinstance(one, Drawn):
        if one.image.shape != other.image.shape:
            return True
        return float(np.abs(one.image.astype(float) - other.image.astype(float)).mean()) > LEVELS
    if isinstance(one, Judgement):
        scores = [each.score for each in among]
        allowed = share * max(abs(one.score), abs(other.score), max(scores) - min(scores)) + _FLOOR
        return bool(abs(one.score - other.score) > allowed)
    return one.shape != other.shape or _apart(one, other, share)


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], share: float) -> bool:
    """Tell whether two vectors of one length lie further apart than a share of the longer one."""
    largest = max(float(np.abs(one).max(initial=0.0)), float(np.abs(other).max(initial=0.0)))
    if largest == 0.0:
        return False
    # What is common to all classes, as in log-probabilities, says nothing of the image. Squares of what is not brought
    # to a common size could overflow.
    own, again = (each / largest - (each / largest).mean() for each in (one, other))
    size = max(float(np.linalg.norm(own)), float(np.linalg.norm(again)))
    return bool(float(np.linalg.norm(own - again)) > share * size + 1e-9 / largest)
