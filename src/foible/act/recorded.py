"""Parts of a finished run are loaded again from what its journal notes of them.

Comes in: the identity that a run notes of a part, and parts that a person named. Goes out: the part, or why it cannot
be had. Neighbours: `between.py` asks the classifiers of two runs; `parts/again.py` loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foible.errors import FoibleError
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part


def recorded(kind: str, identity: Mapping[str, Any], named: Sequence[Part], ceiling: Ceiling) -> Part | str:
    """Give a part of a run again.

    Args:
        kind: one of `KINDS`.
        identity: as the run notes it.
        named: parts that a person named; one of this identity is taken.
        ceiling: from which it takes requests to a server.

    Returns:
        The part; or why it cannot be had, to stand behind a colon.
    """
    own = next((part for part in named if part.kind == kind and dict(part.identity) == dict(identity)), None)
    if own is not None:
        return own
    try:
        return load_again(kind, identity, ceiling=ceiling)
    except FoibleError as problem:
        return str(problem)
