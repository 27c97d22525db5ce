"""Answers as JSON values, as the archive keeps them, and read back.

Comes in: what a part said, or a value from an archive that is not trusted. Goes out: the other. Neighbours:
`execute.py` writes, `observe.py` reads.
"""

from __future__ import annotations

import base64
import binascii
import math
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import StoreError, brief
from foible.records import Judgement, Level, Prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_INDEX = 2**53
"""Of a class: far beyond any network, and small enough to be counted."""


def write_scores(scores: NDArray[np.float64], kept: int) -> list[list[float]]:
    """Write the highest scores, best first, with every class that has one of them, so that each tie is known whole.

    Args:
        scores: (classes,), finite.
        kept: how many of the highest are wanted at the least; all that equal the last of them come along.

    Returns:
        [first class, last class, score] for each run of neighbouring classes with one score.
    """
    order = (-scores).argsort(kind="stable")
    top = order[: int((scores >= scores[order[:kept][-1]]).sum())]
    breaks = (np.flatnonzero((np.diff(top) != 1) | (np.diff(scores[top]) != 0)) + 1).tolist()
    bounds = zip([0, *breaks], [*breaks, len(top)], strict=True)
    return [[int(top[first]), int(top[end - 1]), float(scores[top[first]])] for first, end in bounds]


def read_prediction(value: Any) -> Prediction:
    """Read the highest scores.

    Raises:
        StoreError: the value is none that `write_scores` writes.
    """
    runs = value if isinstance(value, list) else []
    usable = all(
        isinstance(run, list)
        and [type(x) for x in run] in ([int, int, float], [int, int, int])
        and 0 <= run[0] <= run[1] <= _LARGEST_INDEX
        and math.isfinite(run[2])
        for run in runs
    )
    if not runs or not usable or any(one[2] < other[2] for one, other in pairwise(runs)):
        raise _damaged("a prediction", value)
    return Prediction(
        levels=tuple(
            Level(float(score), tuple(range(first, last + 1) for first, last, _ in same))
            for score, same in groupby(runs, key=itemgetter(2))
        )
    )


def write_judgement(judgement: Judgement) -> list[bool | float]:
    """Write [faithful, score]."""
    return [judgement.faithful, judgement.score]


def read_judgement(value: Any) -> Judgement:
    """Read a judgement.

    Raises:
        StoreError: the value is none that `write_judgement` writes.
    """
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is bool and type(value[1]) in (int, float):  # noqa: PLR2004
        return Judgement(value[0], float(value[1]))
    raise _damaged("a judgement", value)


def read_caption(value: Any) -> str:
    """Read a caption.

    Raises:
        StoreError: the value is no text.
    """
    if isinstance(value, str) and value:
        return value
    raise _damaged("a caption", value)


def write_vector(vector: NDArray[np.floating[Any]]) -> str:
    """Write the direction of a vector, which is all that counts, as little-endian float32 in base64."""
    largest = abs(vector).max()
    return base64.b64encode((vector / (largest or 1)).astype("<f4").tobytes()).decode("ascii")


def read_vector(value: Any) -> NDArray[np.float32]:
    """Read a vector: (dimensions,).

    Raises:
        StoreError: the value is none that `write_vector` writes.
    """
    import numpy as np

    try:
        found = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
    except (TypeError, ValueError, binascii.Error):
        raise _damaged("a vector", value) from None
    if not len(found) or not np.isfinite(found).all():
        raise _damaged("a vector", value)
    return found


def _damaged(what: str, value: object) -> StoreError:
    return StoreError(f"the archive holds {brief(repr(value), 60)} where {what} should be; it is damaged")
