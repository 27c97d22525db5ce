"""Asks a loaded part about a few elements, and takes the time.

Comes in: a part and its columns. Goes out: its answers, and seconds an element. Neighbours: `forecast.py` foretells a
hunt from it, `doctor.py` shows it; `wrappers.py` asks and checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foible import wrappers
from foible.errors import PluginError
from foible.records import Fault
from foible.registry import Part

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
    seconds: float
    """For each element, in a batch of as many as there are answers; the first call, which warms up, left out."""


def timed(part: Part, columns: Sequence[Sequence[Any]]) -> Timing:
    """Ask for one element twice, then, where that is quick, for all of the batch.

    Raises:
        PluginError: the part gave no usable answer for an element.
    """
    first = [column[:1] for column in columns]
    _asked(part, first)
    answers, seconds = _asked(part, first)
    if seconds < QUICK and len(columns[0]) > 1:
        answers, seconds = _asked(part, columns)
    return Timing(tuple(answers), seconds / len(answers))


def _asked(part: Part, columns: Sequence[Sequence[Any]]) -> tuple[list[Any], float]:
    began = time.perf_counter()
    answers = _ASK[part.kind](part, *columns)
    seconds = time.perf_counter() - began
    fault = next((one.reason for one in answers if isinstance(one, Fault)), "")
    if fault:
        message = f"the {part.kind} {part.identity['spec']} gave no usable answer to a first question: {fault}"
        raise PluginError(message)
    return answers, seconds
