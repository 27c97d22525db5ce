"""Do the scores of a classifier come highest first, whatever it is shown? Then nobody can tell whose they are.

Comes in: the scores of a few images. Goes out: a sentence, or nothing. Neighbours: `hunting/pilot.py` sees many more
images, and refuses; `checks/doctor.py`, `checks/forecast.py` and `foible.testing` see a few, and say what to look at.
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
