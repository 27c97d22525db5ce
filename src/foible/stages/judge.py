"""Images are judged: does each really show its label?

Comes in: a unit of images with their labels. Goes out: a `Judgement` or a fault for each. The judge is never the
classifier under test; `hunting.py` refuses that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foible.identity import canonical
from foible.records import Judgement
from foible.stages.answer import Shown, answer_unit
from foible.stages.context import Context
from foible.wrappers import Fault, ask_judge


def judge_unit(shown: Sequence[Shown], context: Context) -> list[Judgement | Fault | None]:
    """Judge a unit, each image against its own label; None where there is no image."""
    labels = context.labels

    def ask(present: list[Shown]) -> list[Any]:
        images = [s.image for s in present if s.image is not None]
        answers = ask_judge(context.judge, images, [labels[s.draw.prompt.label] for s in present])
        return [answer if isinstance(answer, Fault) else [answer.faithful, answer.score] for answer in answers]

    asked = [labels[s.draw.prompt.label] for s in shown]
    questions = [canonical([label.name, label.hypernym]) for label in asked]
    rows = answer_unit(shown, context.judge, context.store, ask, questions)
    return [_judgement(row.value, row.fault) if row is not None else None for row in rows]


def _judgement(value: Any, fault: str) -> Judgement | Fault:
    return Fault(fault) if fault else Judgement(bool(value[0]), float(value[1]))
