"""What is inside a part that is made of several, as an ensemble of judges is.

Comes in: a part, or what a run noted of one. Goes out: the parts inside it, and whose weights answer. Neighbours:
`ensemble.py` is such a part; `registry.py` notes what is inside; a classifier that judges itself is refused by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foible.parts.protocols import HasMembers, offers


def members_of(made: object) -> Iterator[Any]:
    """Give the parts that a plug-in asks, and those that these ask in turn, but nothing else that it calls so."""
    members = made.members if offers(made, HasMembers) else ()
    for member in members if isinstance(members, list | tuple) else ():
        if isinstance(getattr(member, "identity", None), Mapping):
            yield member
            yield from members_of(member.object)


def noted_members(made: object) -> dict[str, list[str]]:
    """Give what an identity says of the parts inside: their fingerprints, each once; nothing where there are none."""
    found = list(dict.fromkeys(str(member.identity["fingerprint"]) for member in members_of(made)))
    return {"members": found} if found else {}


def weights_in(identity: Mapping[str, Any]) -> frozenset[str]:
    """Give the fingerprints of a part and of all that is inside it.

    Args:
        identity: as the part says it, or a run directory noted it.
    """
    members = identity.get("members")
    return frozenset(map(str, [identity["fingerprint"], *(members if isinstance(members, list) else ())]))
