"""Which operations of torch made an answer, as far as they matter for what it means.

Comes in: a network at work. Goes out: whether a sigmoid, or a sorting by rank, made its answer, and whether anything
was random. Neighbours: `torch.py` asks; `shared/outputs.py` does the same for programs whose files list their
operations.

The network is watched while it answers once, so that a program and a module of one's own are seen alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode  # no public name has it

_MARKS = ("sigmoid", "topk", "sort")
_KEEP = frozenset({
    "view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "clone", "_to_copy", "detach", "alias", "flatten",
    "contiguous",
})  # fmt: skip
"""Operations that change no number."""
_EACH = frozenset({"mul", "div", "add", "sub", "neg", "exp", "log", "softmax", "_softmax", "_log_softmax", "sigmoid"})
"""Operations on each number: what was sorted before them still lies by rank."""


class Steps(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it without types
    """Notes of each tensor which marks it carries."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # as above
        self._marks: dict[int, frozenset[str]] = {}
        self._kept: list[Any] = []  # so that no identity is given away again
        self.random = False
        """Whether any operation drew random numbers, as dropout does."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carry an operation out, and note what it made."""
        made = func(*args, **(kwargs or {}))
        self.random |= torch.Tag.nondeterministic_seeded in func.tags
        name = str(func.overloadpacket.__name__).removesuffix("_")
        before = self.of(args[0]) if args else frozenset[str]()
        own = frozenset({name} & set(_MARKS))
        if name in _KEEP or f"{name}_" in _KEEP:
            own |= before
        elif name in _EACH:
            own |= before - {"sigmoid"}
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self._marks[id(one)] = own
                self._kept.append(one)
        return made

    def of(self, answer: Any) -> frozenset[str]:
        """Give the marks of a tensor: `sigmoid`, `topk`, `sort`."""
        return self._marks.get(id(answer), frozenset())


@contextmanager
def last_steps() -> Iterator[Steps]:
    """Watch whatever is done inside."""
    steps = Steps()
    with steps:
        yield steps
