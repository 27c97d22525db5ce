"""Can scores be ranked? Not where they come sorted, and hardly where each is a yes or no of its own.

Comes in: the scores of a few images. Goes out: a sentence, or nothing. Neighbours: `hunting/pilot.py` sees many more
images, and refuses sorted ones; `checks/doctor.py`, `checks/forecast.py`, `hunting/trying.py` and `foible.testing` see
a few, and say what to look at. Adapters look into models in files, and refuse a sigmoid for each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.errors import brief

if TYPE_CHECKING:
    from numpy.typing import NDArray

SORTED = 5
"""Scores that must come highest first, in the order of the classes, for an answer to count as sorted."""
SURPLUS = 0.05
"""By which shares of one whole may exceed it, in half precision and in text with few digits."""
FEW = 3
"""Images that all must have such answers for anything to be said."""
MEND = "let it give one score for each class, in the order of the classes, or, behind http:, their names in each answer"
"""What a classifier that sorts its scores must do instead."""


def ranked(classifier: str, scores: Sequence[NDArray[np.float64]]) -> str:
    """Say that all scores of all images come highest first; nothing where they do not, or too few are known.

    A classifier whose classes are grades may answer so by chance, so this asks to look.

    Args:
        classifier: as it is called in the sentence.
        scores: (classes,) of each image.
    """
    if len(scores) < FEW or any(len(row) < SORTED or (np.diff(row) > 0).any() for row in scores):
        return ""
    if any(len(set(row[:SORTED].tolist())) < SORTED for row in scores) or len({row.tobytes() for row in scores}) == 1:
        return ""
    return (
        f"the scores of the classifier {brief(classifier)} come highest first for each of {len(scores)} images: unless "
        f"class 0 is right for all of them they are sorted, so that nobody can tell whose they are; {MEND}"
    )


def several(classifier: str, scores: Sequence[NDArray[np.float64]]) -> str:
    """Say that the scores look like a yes or no for each class; nothing where they do not.

    Similarities may look so, too, and may be ranked, so this asks to look.

    Args:
        classifier: as it is called in the sentence.
        scores: (classes,) of each image.
    """
    if any(len(row) < SORTED or row.min() < 0.0 or row.max() > 1.0 for row in scores):
        return ""
    most = max((float(row.sum()) for row in scores), default=0.0)
    if most <= 1.0 + SURPLUS:
        return ""
    return (
        f"the scores of the classifier {brief(classifier)} lie between 0 and 1 and add up to {most:.3g} for one image: "
        "if each is a yes or no of its own, an image may show several classes, and only the one with the highest score "
        "counts; give it a threshold of its own then, or hunt with images of one class each"
    )


def looked(classifier: str, scores: Sequence[NDArray[np.float64]]) -> str:
    """Say all that there is to look at; empty where that is nothing."""
    return "; ".join(filter(None, (ranked(classifier, scores), several(classifier, scores))))
