"""Parts of a finished run are loaded again from what its journal notes of them.

Comes in: the identity that a run notes of a part, and parts that a person named. Goes out: the part, or why it cannot
be had. Neighbours: `between.py` asks the classifiers of two runs; `parts/registry.py` loads.

A run directory is not trusted. What it names is loaded only where that runs no code of its own, asks no server and
reads no folder of images: else it is for a person to name it. A part that is not what it was is another part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foible.errors import ArgumentError, FoibleError, brief
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part, families, load

HARMLESS = frozenset(
    {"annotation", "clip", "diffusers", "diorama", "litert", "onnx", "timm", "torch", "transformers", "vlm"}
)
"""Families that read weights, and nothing else."""
_SETTLED = ("device", "dtype")
"""What a part may say of itself in its identity without taking it as an argument."""


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
        return f"{brief(spec)} is not loaded because a run directory says so; name it with --{kind}"
    try:
        part = _load(kind, spec, args, ceiling)
    except FoibleError as problem:
        return str(problem)
    if dict(part.identity) != dict(identity):
        return f"{brief(spec)} is no longer what it was in the run, by its weights, arguments or version"
    return part


def _load(kind: str, spec: str, args: Mapping[str, Any], ceiling: Ceiling) -> Part:
    """Load a part with the arguments that it was asked with, as far as it takes them."""
    try:
        return load(kind, spec, args, ceiling=ceiling)
    except ArgumentError:
        own = {name: value for name, value in args.items() if name not in _SETTLED}
        if own == dict(args):
            raise
        return load(kind, spec, own, ceiling=ceiling)
