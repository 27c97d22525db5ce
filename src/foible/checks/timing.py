"""Asks a loaded part about a few elements, and takes the time.

Comes in: a part and its columns. Goes out: its answers, whether they stay the same, and seconds an element.
Neighbours: `forecast.py` foretells a hunt from it, `doctor.py` shows it; `parts/asking.py` asks and checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foible.errors import PluginError
from foible.parts import asking as wrappers
from foible.parts.registry import Part
from foible.parts.steady import Unsteady, compared
from foible.records import Fault

QUICK = 2.0
"""Where one element takes longer than this many seconds, no more are asked for the sake of timing."""

_ASK: Mapping[str, Callable[..., list[Any]]] = {
    "generator": wrappers.ask_generator,
    "classifier": wrappers.ask_classifier,
    "captioner": wrappers.ask_captioner,
    "embedder": wrappers.ask_embedder,
    "judge": wrappers.ask_judge,
}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a part answered, and how fast."""

    answers: tuple[Any, ...]
    unsteady: Unsteady | None
    """What is wrong where answers to the same question differ."""
    seconds: float
    """For each element, in a batch of as many as there are answers; the first call, which warms up, left out."""


def timed(part: Part, columns: Sequence[Sequence[Any]]) -> Timing:
    """Ask for one element twice, then, where that is quick, for all of the batch; and compare the answers.

    Raises:
        PluginError: the part gave no usable answer for an element.
    """
    first = [column[:1] for column in columns]
    before, _ = _asked(part, first)
    answers, seconds = _asked(part, first)
    alone = [*before, *answers]
    if seconds < QUICK and len(columns[0]) > 1:
        answers, seconds = _asked(part, columns)
    return Timing(tuple(answers), compared(part, alone, answers), seconds / len(answers))


def _asked(part: Part, columns: Sequence[Sequence[Any]]) -> tuple[list[Any], float]:
    began = time.perf_counter()
    answers = _ASK[part.kind](part, *columns)
    seconds = time.perf_counter() - began
    fault = next((one.reason for one in answers if isinstance(one, Fault)), "")
    if fault:
        message = f"the {part.kind} {part.identity['spec']} gave no usable answer to a first question: {fault}"
        raise PluginError(message)
    return answers, seconds
