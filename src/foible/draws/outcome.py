"""What the parts said of a draw becomes its outcome for one classifier. A pure function.

Comes in: a draw, a prediction, a judgement, or faults in their place. Goes out: failed, passed, or unscored with a
reason. Whatever a part could not say leaves the draw unscored, never passed. Neighbour: `observe.py` asks.
"""

from __future__ import annotations

from foible.records import TIED, UNFAITHFUL, ClassMap, Draw, Fault, Judgement, Outcome, Prediction, Status

UNCLASSIFIED = "not classified: "
"""How the reason begins where the classifier gave no usable answer; what was wrong with it follows."""


def outcome(
    draw: Draw, prediction: Prediction | Fault | None, judgement: Judgement | Fault | None, classes: ClassMap
) -> Outcome:
    """Combine what the parts said.

    Args:
        draw: with an image, or a fault.
        prediction: of the classifier; None where there is no image.
        judgement: likewise.
        classes: what failing means for the classifier.
    """
    if draw.fault or prediction is None or judgement is None:
        return Outcome(status="unscored", reason=f"not drawn: {draw.fault}")
    if without_its_label(draw):
        return Outcome(status="unscored", reason=f"not drawn: the generator ignored {draw.request.label!r}")
    if isinstance(prediction, Fault):
        return Outcome(status="unscored", reason=f"{UNCLASSIFIED}{prediction.reason}")
    failed = classes.fails(prediction, draw.request.label)
    if isinstance(judgement, Fault):
        reason = f"not judged: {judgement.reason}"
    elif not judgement.faithful:
        reason = UNFAITHFUL
    else:
        reason = TIED if failed is None else ""
    status: Status = "unscored" if reason else "failed" if failed else "passed"
    return Outcome(status=status, predicted=prediction.index, reason=reason)


def without_its_label(draw: Draw) -> bool:
    """Tell whether the generator says that it ignored every word of the label: then the image shows something else."""
    ignored = {word for text in draw.ignored for word in text.casefold().split()}
    return ignored >= set(draw.request.label.casefold().split())
