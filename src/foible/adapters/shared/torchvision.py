"""A torchvision whose compiled half does not load beside this torch: the other half is made to work.

Comes in: nothing; `watch` waits for the first import of torchvision, whoever asks for it. Goes out: a torchvision that
can be imported. Neighbour: `classify_timm.py`, which needs one at all.

torchvision comes in builds that each fit one build of torch. In a pair that does not match, its C library is left out
in silence, and the import then ends in "operator torchvision::nms does not exist", for it describes operators that
nobody defined. `transformers`, `diffusers` and `timm` import it where it is installed, so that all three break, though
classifiers need only its Python half. So where the library does not load, the two operators are declared, by name and
types alone: the import goes through, and whoever calls one is told by torchvision itself that the pair does not match.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[Any] = []
"""A declaration lasts as long as the object that made it."""


class _Watch(MetaPathFinder):
    """Finds torchvision where Python would, and has what is lacking declared just before it runs."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname == "torchvision" else None
        if found is None or found.loader is None:
            return None
        run = found.loader.exec_module

        def mended(module: ModuleType) -> None:
            declare()
            run(module)

        found.loader.exec_module = mended  # type: ignore[method-assign]
        return found


def watch() -> None:
    """Wait for the import of torchvision; until then, nothing is imported. Asked again, it does nothing."""
    if not any(isinstance(one, _Watch) for one in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


def declare() -> bool:
    """Declare the operators that the C library would define, where it cannot be loaded; say whether that was done."""
    found = PathFinder.find_spec("torchvision")
    if found is None or found.origin is None:
        return False
    torch: Any = importlib.import_module("torch")  # as Any: torch.library has no types
    for library in sorted(Path(found.origin).parent.glob("_C.*")):
        with suppress(OSError, RuntimeError):
            torch.ops.load_library(str(library))
    if hasattr(torch.ops.torchvision, "nms"):
        return False
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        fragment.define(operator)
    _kept.append(fragment)
    return True
