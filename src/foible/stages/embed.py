"""Images become vectors.

Comes in: observed draws. Goes out: draw key -> vector, without the draws whose embedding failed. Neighbour: `group.py`
clusters them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.records import Draw
from foible.registry import Part
from foible.stages.answer import Shown, answer_unit
from foible.stages.context import Context, units
from foible.stages.draw import load
from foible.wrappers import Fault, ask_embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def embed(draws: Sequence[Draw], embedder: Part, context: Context) -> dict[str, NDArray[np.float32]]:
    """Embed draws that were made before; each vector is (dimensions,)."""

    def ask(present: list[Shown]) -> list[Any]:
        answers = ask_embedder(embedder, [s.image for s in present if s.image is not None])
        return [answer if isinstance(answer, Fault) else _pack(answer) for answer in answers]

    vectors: dict[str, NDArray[np.float32]] = {}
    with context.progress.stage("embed", len(draws)) as advance:
        for unit in units(draws, context.config.batch):
            shown = load(unit, context)
            rows = answer_unit(shown, embedder, context.store, ask)
            vectors |= {
                s.draw.key: _unpack(row.value) for s, row in zip(shown, rows, strict=True) if row and not row.fault
            }
            advance(len(unit))
    return vectors


def _pack(vector: NDArray[np.floating[Any]]) -> str:
    """Write a vector as little-endian float32 in base64: exact, and a quarter of the size of decimal digits."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _unpack(text: str) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)
