"""How several scores of one image become one judgement: each has a threshold, and enough of them must reach it.

Comes in: scores (images, questions), thresholds, how many must be reached; or a calibration that
`foible calibrate-judge` wrote. Goes out: judgements. Neighbours: `judge_clip.py` and `judge_vlm.py` make the scores.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foible.errors import ArgumentError, PartError, brief
from foible.records import Judgement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = "foible/judge-calibration"
UNANSWERED = "the model says neither yes nor no"

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Votes:
    """A threshold for each score, and how many scores must reach theirs."""

    thresholds: tuple[float, ...]
    needed: int

    def judge(self, scores: NDArray[np.floating[Any]]) -> list[Judgement | PartError]:
        """Judge rows of scores (n, questions); NaN is a question without an answer, which leaves no judgement.

        A single score is the judgement's own; of several, it is by how much the `needed`-th best passes its threshold.
        """
        return [PartError(UNANSWERED) if any(map(math.isnan, row)) else self._judgement(row) for row in scores]

    def _judgement(self, row: NDArray[np.floating[Any]]) -> Judgement:
        if len(self.thresholds) == 1:
            return Judgement(bool(row[0] >= self.thresholds[0]), float(row[0]))
        above = sorted(map(float, row - self.thresholds), reverse=True)[self.needed - 1]
        return Judgement(above >= 0, above)


def votes(name: str, questions: int, threshold: object, needed: object, default: float | None) -> Votes:
    """Check thresholds and rule.

    Args:
        name: of the model, for errors.
        questions: scores that an image gets.
        threshold: a number for all, one for each, or None for the default.
        needed: how many must reach theirs; None: 2, or 1 where there is one score.
        default: threshold where none is given; None where one must be.

    Raises:
        ArgumentError: a threshold or the rule cannot be used.
    """
    given = default if threshold is None else threshold
    listed: list[Any] = list(given) if isinstance(given, list | tuple) else [given] * questions
    if len(listed) != questions or not all(_finite(one) for one in listed):
        message = f"{name!r} needs a finite number as threshold, or one for each of its {questions} questions, "
        raise ArgumentError(message + f"but got {brief(repr(given), 80)}")
    wanted = min(2, questions) if needed is None else needed
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= questions:
        message = f"{name!r} asks {questions} questions, so `needed` must be 1 to {questions}, but is {brief(wanted)}"
        raise ArgumentError(message)
    return Votes(tuple(float(one) for one in listed), wanted)


def texts(name: str, argument: str, given: object) -> tuple[str, ...]:
    """Check one text, or a list of texts, that hold {name}.

    Raises:
        ArgumentError: it is something else.
    """
    listed: Sequence[Any] = [given] if isinstance(given, str) else given if isinstance(given, list | tuple) else []
    if not listed or not all(isinstance(one, str) and "{name}" in one for one in listed):
        message = f"the {argument} of {name!r} must hold {{name}} where the label goes, but is {brief(repr(given))}"
        raise ArgumentError(message)
    return tuple(listed)


def filled(text: str, name: str, kind: str) -> str:
    """Put a label into a text; what the label's own words look like is never read as a field."""
    before, _, after = text.partition("{name}")
    return before.replace("{kind}", kind) + name + after.replace("{kind}", kind)


def settle(name: str, given: Mapping[str, Any], calibration: str | None, own: str) -> dict[str, Any]:
    """Give the arguments of a judge: as they were given, or those of a calibration.

    Args:
        name: of the model, for errors.
        given: arguments; None where one was not given.
        calibration: a file of `foible calibrate-judge`, or None.
        own: fingerprint of the model; the calibration must be of the same.

    Raises:
        ArgumentError: the file is no calibration, or one of another model, or something was given beside it.
    """
    if calibration is None:
        return dict(given)
    told = [argument for argument, value in given.items() if value is not None]
    if told:
        message = f"{name!r} takes {brief(told[0])!r} from its calibration {brief(calibration)!r}; leave one out"
        raise ArgumentError(message)
    read = _read(name, calibration)
    if read["fingerprint"] != own:
        message = f"the calibration {brief(calibration)!r} was made for another model than {name!r}; "
        raise ArgumentError(message + "make a new one with `foible calibrate-judge`")
    return {argument: read["args"].get(argument) for argument in given}


def _read(name: str, calibration: str) -> dict[str, Any]:
    file = Path(calibration).expanduser()
    try:
        with file.open("rb") as stream:
            read = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        message = f"the calibration {brief(calibration)!r} of {name!r} cannot be read ({type(error).__name__}); "
        raise ArgumentError(message + "write one with `foible calibrate-judge`") from error
    if not isinstance(read, dict) or read.get("schema") != SCHEMA or not isinstance(read.get("args"), dict):
        message = f"{brief(calibration)!r} is no calibration of a judge; write one with `foible calibrate-judge`"
        raise ArgumentError(message)
    return {"fingerprint": None, **read}


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
