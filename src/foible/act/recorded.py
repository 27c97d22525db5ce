"""Parts of a finished run are loaded again from what its journal notes of them.

Comes in: the identity that a run notes of a part, and parts that a person named. Goes out: the part, or why it cannot
be had. Neighbours: `between.py` asks the classifiers of two runs; `parts/again.py` loads.

A run directory is not trusted. What it names is loaded only where that runs no code of its own, asks no server and
reads no folder of images: else it is for a person to name it. A part that is not what it was is another part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foible.errors import FoibleError, brief
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part, families

HARMLESS = frozenset(
    {"annotation", "clip", "diffusers", "diorama", "litert", "onnx", "timm", "torch", "transformers", "vlm"}
)
"""Families that read weights, and nothing else."""


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
    spec, args = identity["spec"], identity["args"]
    family = spec.partition(":")[0]
    sources = families(kind).get(family, [])
    if family not in HARMLESS or [source.package for source in sources] != [""] or args.get("trust_remote_code"):
        return f"the {kind} {brief(spec)} is not loaded because a run directory says so; name it with --{kind}"
    try:
        return load_again(kind, identity, ceiling=ceiling)
    except FoibleError as problem:
        return str(problem)
