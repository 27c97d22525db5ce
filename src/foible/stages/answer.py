"""Asks a part about a unit of images, through the store: what it said before is not asked again.

Comes in: images of one unit. Goes out: one stored answer per image, a value or a fault. Shared by `classify.py`,
`judge.py`, `caption.py` and `embed.py`; draws are made in `draw.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foible.errors import PluginError
from foible.identity import answer_key
from foible.records import Draw
from foible.registry import Part
from foible.store import AnswerRow, Store
from foible.wrappers import Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shown:
    """A draw with its image, or with the reason why there is none."""

    draw: Draw
    image: NDArray[np.uint8] | None
    sha256: str = ""
    ignored: tuple[str, ...] = ()
    fault: str = ""
    passing: bool = False
    """The fault was one of the moment: the next call draws it again."""


def answer_unit(
    shown: Sequence[Shown],
    part: Part,
    store: Store,
    ask: Callable[[list[Shown]], Sequence[Any]],
    questions: Sequence[str] | None = None,
) -> list[AnswerRow | None]:
    """Return what a part says of each image of a unit; None where there is no image.

    The unit is the atom: when one answer is missing, the whole unit is asked again, since a model's arithmetic can
    depend on the batch; answers that are already stored stay. Only where nothing is missing but what a server lost in
    an earlier call, that alone is asked again: a server answers each image by itself.

    Args:
        shown: the unit.
        part: who is asked.
        store: where answers are kept.
        ask: takes the draws that have an image; gives a JSON-able value or a `Fault` for each.
        questions: what else decides each answer (see `identity.answer_key`).

    Raises:
        PluginError: the part has never answered anything, and answers nothing of this unit.
    """
    asked = questions if questions is not None else [""] * len(shown)
    keys = [
        answer_key(part.identity, s.sha256, q) if s.image is not None else "" for s, q in zip(shown, asked, strict=True)
    ]
    known = store.answers(key for key in keys if key)
    if any(key and key not in known for key in keys):
        missing = {key for key in keys if key} - known.keys()
        wanted = missing if store.lost(missing) == missing else set(keys)
        present = [(key, s) for key, s in zip(keys, shown, strict=True) if key and key in wanted]
        began = time.perf_counter()
        values = ask([s for _, s in present])
        seconds = time.perf_counter() - began
        rows = [_row(key, part.kind, value) for (key, _), value in zip(present, values, strict=True)]
        _refuse_a_dead_part(rows, part, store)
        store.add_answers(rows)
        store.spend(part.kind, len(rows), seconds)
        known = store.answers(key for key in keys if key)
    return [known[key] if key else None for key in keys]


def _row(key: str, kind: str, value: Any) -> AnswerRow:
    if isinstance(value, Fault):
        return AnswerRow(key, kind, None, value.reason, value.passing)
    return AnswerRow(key, kind, value, "")


def _refuse_a_dead_part(rows: Sequence[AnswerRow], part: Part, store: Store) -> None:
    """End a hunt whose part cannot work at all, before a thousand draws are spent on it."""
    if rows and all(row.fault for row in rows) and not store.has_answer(part.kind):
        who = f"the {part.kind} {part.identity['spec']}"
        message = f"{who} gave no usable answer for the first {len(rows)} images: {rows[0].fault}"
        raise PluginError(message)
