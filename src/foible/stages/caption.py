"""Images become captions.

Comes in: observed draws. Goes out: draw key -> caption, without the draws whose caption failed (they are counted).
Neighbour: `describe.py` mines the captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foible.records import Draw
from foible.registry import Part
from foible.stages.answer import Shown, answer_unit
from foible.stages.context import Context, units
from foible.stages.draw import load
from foible.wrappers import Fault, ask_captioner


def caption(draws: Sequence[Draw], captioner: Part, context: Context) -> dict[str, str]:
    """Caption draws that were made before."""

    def ask(present: list[Shown]) -> list[Any]:
        answers: Sequence[str | Fault] = ask_captioner(captioner, [s.image for s in present if s.image is not None])
        return list(answers)

    captions: dict[str, str] = {}
    with context.progress.stage("caption", len(draws)) as advance:
        for unit in units(draws, context.config.batch):
            shown = load(unit, context)
            rows = answer_unit(shown, captioner, context.store, ask)
            captions |= {s.draw.key: row.value for s, row in zip(shown, rows, strict=True) if row and not row.fault}
            advance(len(unit))
    return captions
