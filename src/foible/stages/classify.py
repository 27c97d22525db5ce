"""Images become predictions.

Comes in: a unit of images. Goes out: a `Prediction` or a fault for each. Neighbour: `judge.py` says whether the image
shows its label; together they make the outcome in `observe.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.records import Prediction
from foible.stages.answer import Shown, answer_unit
from foible.stages.context import Context
from foible.wrappers import Fault, ask_classifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 5
"""How many of the highest scores are stored, at the least."""


def classify_unit(shown: Sequence[Shown], context: Context) -> list[Prediction | Fault | None]:
    """Classify a unit; None where there is no image.

    Raises:
        InputError: as `Failure.check`, once the first answer of a classifier without names tells its number of classes.
    """
    classes = len(context.class_names) if context.class_names is not None else context.store.about("classes")
    kept = max(KEPT, context.failure.top)

    def ask(present: list[Shown]) -> list[Any]:
        answers = ask_classifier(context.classifier, [s.image for s in present if s.image is not None], classes)
        told = next((len(answer) for answer in answers if not isinstance(answer, Fault)), None)
        if classes is None and told is not None:
            context.failure.check(context.labels.values(), told)
            context.store.note("classes", told)
        return [answer if isinstance(answer, Fault) else _highest(answer, kept) for answer in answers]

    rows = answer_unit(shown, context.classifier, context.store, ask)
    return [_prediction(row.value, row.fault) if row is not None else None for row in rows]


def _highest(scores: NDArray[np.floating[Any]], count: int) -> list[list[float]]:
    """Return [index, score] of the highest scores, best first; among equal scores the lower index."""
    order = (-scores).argsort(kind="stable")[:count]
    return [[int(index), float(scores[index])] for index in order]


def _prediction(value: Any, fault: str) -> Prediction | Fault:
    if fault:
        return Fault(fault)
    return Prediction(tuple((int(index), float(score)) for index, score in value))
