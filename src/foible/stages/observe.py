"""Draw, classify, judge: unit by unit, into outcomes.

Comes in: planned draws of any arm. Goes out: one `Observation` each, in the same order. Neighbours: `draw.py`,
`classify.py` and `judge.py` do the work; `group.py` and `confirm.py` read the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from foible.progress import Advance
from foible.records import UNFAITHFUL, Draw, Judgement, Label, Observation, Outcome, Prediction
from foible.stages.answer import Shown
from foible.stages.classify import classify_unit
from foible.stages.context import Context, Failure, units
from foible.stages.draw import draw_unit
from foible.stages.judge import judge_unit
from foible.wrappers import Fault

Look = Callable[[Sequence[Draw]], Sequence[Observation]]
"""Gives what became of the draws of a plan, in their order."""


def observe(plans: Sequence[Sequence[Draw]], context: Context, stage: str) -> list[Observation]:
    """Make, classify and judge the draws of every plan; only what the store lacks is done.

    Units are cut inside each plan, so that a plan is drawn in the same units whatever else is observed beside it: by
    another hunt that shares the archive, or after the budget was raised.
    """
    observations: list[Observation] = []
    with context.progress.stage(stage, sum(len(plan) for plan in plans)) as advance:
        for plan in plans:
            observations += observe_plan(plan, context, advance)
    return observations


def observe_plan(plan: Sequence[Draw], context: Context, advance: Advance | None = None) -> list[Observation]:
    """Make, classify and judge the draws of one plan, unit by unit; `advance` is told of each finished unit."""
    observations: list[Observation] = []
    for unit in units(plan, context.config.batch):
        observations += _observe_unit(unit, context)
        if advance is not None:
            advance(len(unit))
    return observations


def _observe_unit(unit: Sequence[Draw], context: Context) -> list[Observation]:
    shown = draw_unit(unit, context)
    predictions = classify_unit(shown, context)
    judgements = judge_unit(shown, context)
    return [
        Observation(s.draw, outcome(s, p, j, context.labels[s.draw.prompt.label], context.failure), s.sha256, s.ignored)
        for s, p, j in zip(shown, predictions, judgements, strict=True)
    ]


def outcome(
    shown: Shown,
    prediction: Prediction | Fault | None,
    judgement: Judgement | Fault | None,
    label: Label,
    failure: Failure,
) -> Outcome:
    """Combine what the parts said. Whatever a part could not say leaves the draw unscored, never passed."""
    if shown.fault or prediction is None or judgement is None:
        return Outcome("unscored", None, f"not drawn: {shown.fault}")
    if isinstance(prediction, Fault):
        return Outcome("unscored", None, f"not classified: {prediction.reason}")
    if isinstance(judgement, Fault):
        return Outcome("unscored", prediction.index, f"not judged: {judgement.reason}")
    if not judgement.faithful:
        return Outcome("unscored", prediction.index, UNFAITHFUL)
    return Outcome("failed" if failure.holds(prediction, label) else "passed", prediction.index)
