"""`python:package.module:factory`: a plug-in of one's own, by its place in Python.

Comes in: the name after `python:`. Goes out: what stands there, not yet called; the registry calls it with the
arguments of the spec. Neighbour: an entry point (see `docs/plugins.md`) gives a plug-in a name of its own instead.

The module is looked for on Python's path and then in the current directory, which is put at the end of the path (and
stays there, since the plug-in may import its neighbours later) and so never hides an installed package.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from foible.errors import PluginError, brief, near

_SHAPE = "python:package.module:factory"


def find(name: str) -> Any:
    """Import the module and look the attribute up.

    Args:
        name: `package.module:attribute`; the attribute may have dots.

    Raises:
        PluginError: the name has another shape, or there is no such module or attribute. What the module itself raises
            while it is imported passes through.
    """
    module, _, attribute = name.partition(":")
    if not attribute or not all(piece.isidentifier() for piece in (*module.split("."), *attribute.split("."))):
        message = f"'python:{brief(name)}' names nothing: write {_SHAPE!r}"
        raise PluginError(message)
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        message = f"'python:{name}' names the module {error.name!r}, which is neither on Python's path nor in {here}"
        raise PluginError(message) from error
    for piece in attribute.split("."):
        if not hasattr(found, piece):
            known = [word for word in dir(found) if not word.startswith("_")]
            message = f"'python:{name}' is not there: {module} has no {piece!r}; {near(piece, known)}"
            raise PluginError(message)
        found = getattr(found, piece)
    return found
