"""Asks a model for a batch in pieces that fit into memory.

Comes in: a function of columns of equal length (images; or prompts and seeds). Goes out: its answers, one for each row,
in order. Where the memory of the device does not hold a batch, it is halved and asked again, and later batches are no
larger than what held. Neighbour: `wrappers.py` asks again one by one after any fault; here only memory counts.

Nothing is imported but Python: any adapter can use it, whatever library runs its model.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from foible.errors import PartError, brief

T = TypeVar("T")

_SHORT = ("out of memory", "allocate memory", "not enough memory", "failed to allocate", "bad allocation", "bad_alloc")
"""How libraries word it; CUDA, MPS, torch's CPU allocator, onnxruntime, in this order."""


class InPieces(Generic[T]):
    """A function of a batch that finds the size of its batches itself."""

    def __init__(self, ask: Callable[..., Iterable[T]], most: int | None = None) -> None:
        """Wrap a function.

        Args:
            ask: takes columns of n elements each, gives n answers; asked again it must give the same ones, so what it
                draws by chance comes from its columns.
            most: rows of the largest batch to try; by default whatever comes.
        """
        self._ask = ask
        self.most = most
        """Rows that a batch may have, as far as is known by now."""

    def __call__(self, *columns: Sequence[Any]) -> list[T]:
        """Answer n rows.

        Raises:
            PartError: a single row does not fit into memory.
        """
        answers: list[T] = []
        count = len(columns[0])
        while len(answers) < count:
            start = len(answers)
            rows = min(count - start, self.most or count)
            piece = [column[start : start + rows] for column in columns]
            try:
                answers.extend(self._ask(*piece))  # not +=, which numpy answers by adding
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = brief(" ".join(str(error).split()), 120)
            else:
                continue
            # Outside the handler, so that the error's frames, and the tensors in them, are let go before the next try.
            _free()
            if rows == 1:
                message = f"the memory of the device does not hold even one element: {told}"
                raise PartError(message)
            self.most = rows // 2
        return answers


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out, of this machine or of its accelerator."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _SHORT)


def _free() -> None:
    """Give back what the failed batch left in the caches of torch, where torch is loaded at all."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
