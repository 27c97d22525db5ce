"""Images become vectors.

Comes in: observed draws. Goes out: draw key -> vector, or the fault that stands for it. Neighbour: `group.py` clusters
them.
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


def embed(draws: Sequence[Draw], embedder: Part, context: Context) -> dict[str, NDArray[np.float32] | Fault]:
    """Embed draws that were made before; each vector is (dimensions,)."""

    def ask(present: list[Shown]) -> list[Any]:
        answers = ask_embedder(embedder, [s.image for s in present if s.image is not None])
        return [answer if isinstance(answer, Fault) else _pack(answer) for answer in answers]

    vectors: dict[str, NDArray[np.float32] | Fault] = {}
    with context.progress.stage("embed", len(draws)) as advance:
        for unit in units(draws, context.config.batch):
            shown = load(unit, context)
            rows = answer_unit(shown, embedder, context.store, ask)
            for s, row in zip(shown, rows, strict=True):
                fault = row.fault if row is not None else s.fault
                vectors[s.draw.key] = Fault(fault) if fault or row is None else _unpack(row.value)
            advance(len(unit))
    agreed = next((len(one) for one in vectors.values() if not isinstance(one, Fault)), 0)
    return {key: _of_length(one, agreed) for key, one in vectors.items()}


def _of_length(one: NDArray[np.float32] | Fault, agreed: int) -> NDArray[np.float32] | Fault:
    """Refuse a vector of another length than the first: each unit agrees with itself, but not with the others yet."""
    if isinstance(one, Fault) or len(one) == agreed:
        return one
    return Fault(f"embedder: wanted {agreed} numbers, as for other images, got {len(one)}")


def _pack(vector: NDArray[np.floating[Any]]) -> str:
    """Write the direction of a vector, which is all that counts, as little-endian float32 in base64."""
    largest = abs(vector).max()
    return base64.b64encode((vector / (largest or 1)).astype("<f4").tobytes()).decode("ascii")


def _unpack(text: str) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)
