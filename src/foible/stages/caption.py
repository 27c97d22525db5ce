"""Images become captions.

Comes in: observed draws. Goes out: draw key -> caption, or the fault that stands for it. Neighbours: `narrow.py`
and `describe.py` mine the captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foible.progress import Advance
from foible.records import Draw
from foible.registry import Part
from foible.stages.answer import Shown, answer_unit
from foible.stages.context import Context, units
from foible.stages.draw import load
from foible.wrappers import Fault, ask_captioner


def caption(draws: Sequence[Draw], captioner: Part, context: Context) -> dict[str, str | Fault]:
    """Caption draws that were made before."""
    with context.progress.stage("caption", len(draws)) as advance:
        return caption_plan(draws, captioner, context, advance)


def caption_plan(
    draws: Sequence[Draw], captioner: Part, context: Context, advance: Advance | None = None
) -> dict[str, str | Fault]:
    """Caption draws that were made before, unit by unit; `advance` is told of each finished unit."""

    def ask(present: list[Shown]) -> list[Any]:
        answers: Sequence[str | Fault] = ask_captioner(captioner, [s.image for s in present if s.image is not None])
        return list(answers)

    captions: dict[str, str | Fault] = {}
    for unit in units(draws, context.config.batch):
        shown = load(unit, context)
        rows = answer_unit(shown, captioner, context.store, ask)
        for s, row in zip(shown, rows, strict=True):
            fault = row.fault if row is not None else s.fault
            captions[s.draw.key] = Fault(fault) if fault or row is None else row.value
        if advance is not None:
            advance(len(unit))
    return captions
