"""Whether what a network gave are scores of classes, and how many.

Comes in: the answer of a network whose file says little. Goes out: a matrix, or one sentence. Neighbour:
`wrappers.py` checks every classifier's answers in a hunt; here a network that cannot fit is told when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import PluginError, brief
from foible.parts.fingerprint import without_addresses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.adapters.shared.recipe import Recipe
    from foible.parts.protocols import Image

_MATRIX = 2


def matrix(answer: Any, rows: int) -> NDArray[np.float32]:
    """Give scores (rows, classes) as float32; sides of length 1 after the classes are dropped.

    Raises:
        PluginError: the answer has another shape, or is no numbers.
    """
    found = np.asarray(answer) if hasattr(answer, "shape") else None
    if found is not None and found.ndim > _MATRIX and set(found.shape[_MATRIX:]) == {1}:
        found = found.reshape(found.shape[:_MATRIX])
    if found is None or found.ndim != _MATRIX or len(found) != rows or found.dtype.kind not in "fiu":
        got = type(answer).__name__ if found is None else f"{found.dtype} of shape {found.shape}"
        message = f"a network that classifies gives scores of shape ({rows}, classes), but this gave {brief(got)}"
        raise PluginError(message)
    return found.astype(np.float32)


def classes(name: str, recipe: Recipe, ask: Callable[[Sequence[Image]], NDArray[np.float32]]) -> int:
    """Try a network on one grey image; give how many classes it tells apart.

    Raises:
        PluginError: it does not take the input that the recipe makes, or gives no scores.
    """
    grey = np.full((*recipe.size, 3), 128, np.uint8)
    try:
        return int(ask([grey]).shape[1])
    except PluginError as error:
        message = f"{name!r} does not fit: {error}"
        raise PluginError(message) from error
    except Exception as error:
        told = brief(without_addresses(" ".join(str(error).split())), 200)
        shape = "x".join(map(str, recipe.batch([grey]).shape))
        message = f"{name!r} does not take a {shape} batch (are size and layout as it was trained?): {told}"
        raise PluginError(message) from error
