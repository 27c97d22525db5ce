"""`foible models`: every plug-in that can be named, and what is missing before it can be used.

Comes in: nothing. Goes out: rows. No model library is imported. Neighbours: `parts/registry.py` loads what is named
here; `doctor.py` tries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from foible.parts.families import HINTS, NEEDS, WORLDS
from foible.parts.registry import KINDS, Source, claimants, families, remedy


@dataclass(frozen=True)
class Row:
    """One line of `foible models`."""

    kind: str
    spec: str
    """As it is given, or how it looks where the names cannot be listed."""
    source: str
    """`built in`, or the package that brings it."""
    missing: str
    """What to do before it can be used; empty when it is ready."""


def listing() -> list[Row]:
    """List every plug-in that can be named; imports no model library."""
    rows = []
    for kind in KINDS:
        for family, sources in sorted(families(kind).items()):
            source = " and ".join(f"{s.package} {s.version}".strip() if s.package else "built in" for s in sources)
            missing = _missing(family, sources)
            if family == "diorama":
                rows += [Row(kind, spec, source, missing or lack) for spec, lack in _diorama(kind)]
            else:
                spec = HINTS.get(family, family if sources[0].package else f"{family}:name")
                shipped = [name for name in WORLDS if name.startswith(f"{family}:")]
                rows += [Row(kind, name, source, missing) for name in (*shipped, spec)]
    return rows


def _diorama(kind: str) -> list[tuple[str, str]]:
    from foible.adapters import diorama

    return [(f"diorama:{name}", diorama.missing(kind, name)) for name in diorama.names(kind)]


def _missing(family: str, sources: list[Source]) -> str:
    if len(sources) > 1:
        return f"claimed by {claimants(sources)}: uninstall one of them"
    lacking = [name for name in NEEDS.get(family, ("", ()))[1] if find_spec(name) is None]
    return remedy(family, sources[0]) if lacking and not sources[0].package else ""
