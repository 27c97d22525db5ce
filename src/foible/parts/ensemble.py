"""Several judges as one: an image is faithful when enough of them say so.

Comes in: the specs of the judges. Goes out: a judge. It is no adapter of a foreign library, so it does not stand in
`models/`: it loads its members by name, as a hunt loads its own. Neighbour: `models/_votes.py`, for several questions
to one model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from foible.errors import ArgumentError, PartError, PassingError, brief
from foible.parts.asking import ask_judge
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import CountsRequests, offers
from foible.parts.registry import Part, load
from foible.records import Fault, Judgement

if TYPE_CHECKING:
    from foible.parts.protocols import Image
    from foible.records import Label

VERSION = 1
"""Raised when the rule changes."""


class EnsembleJudge:
    """Says yes when at least `needed` of its judges do.

    Its score is the share of judges that say yes. Where a member gives no usable answer for an image, it has no vote:
    the image is judged if the other votes settle it whatever the missing ones were, and is unscored if not.
    """

    def __init__(self, *, judges: Sequence[str | Mapping[str, Any]], needed: int | None = None) -> None:
        """Check the arguments; the members are loaded when they are first wanted, under the ceiling that is known then.

        Args:
            judges: each a spec, or a mapping of `spec` and `args`; two at least.
            needed: how many must say yes; more than half by default.
        """
        self._judges = tuple(_judge(one) for one in _listed(judges))
        self._needed = _needed(needed, len(self._judges))
        self._ceiling = Ceiling(None)
        self.resolved = {"needed": self._needed}
        self.version = f"ensemble {VERSION}"

    def count_on(self, ceiling: Ceiling) -> None:
        """Let every member that asks a server take its requests from a ceiling."""
        self._ceiling = ceiling
        for member in self.__dict__.get("members", ()):  # none, where they are not loaded yet
            if offers(member.object, CountsRequests):
                member.object.count_on(ceiling)

    @cached_property
    def members(self) -> tuple[Part, ...]:
        """The judges, loaded.

        Raises:
            PluginError: one of them does not load.
        """
        return tuple(load("judge", spec, args, ceiling=self._ceiling) for spec, args in self._judges)

    @property
    def fingerprint(self) -> str:
        """Changes with any member, and with the rule."""
        identities = [dict(member.identity) for member in self.members]
        text = json.dumps([identities, self._needed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:
        """Judge each image against its own label.

        Raises:
            PartError: members that gave no usable answer would decide; a hunt then asks image by image.
        """
        votes = [ask_judge(member, images, labels) for member in self.members]
        return [self._one(row) for row in zip(*votes, strict=True)]

    def _one(self, votes: Sequence[Judgement | Fault]) -> Judgement:
        yes = sum(vote.faithful for vote in votes if isinstance(vote, Judgement))
        faults = [vote for vote in votes if isinstance(vote, Fault)]
        if yes < self._needed <= yes + len(faults):
            message = (
                f"{len(faults)} of {len(votes)} judges gave no usable answer, and would decide: {faults[0].reason}"
            )
            raise (PassingError if any(fault.passing for fault in faults) else PartError)(message)
        return Judgement(yes >= self._needed, yes / len(votes))


def _listed(judges: object) -> list[Any]:
    listed = list(judges) if isinstance(judges, list | tuple) else []
    if len(listed) < 2:  # noqa: PLR2004 - one judge is no ensemble
        message = (
            f"the argument judges of an ensemble is a list of two specs or more, but got {brief(repr(judges), 80)}"
        )
        raise ArgumentError(message)
    return listed


def _judge(one: object) -> tuple[str, Mapping[str, Any]]:
    """Read the spec and the arguments of a member."""
    if isinstance(one, str):
        return one, {}
    fields = dict(one) if isinstance(one, Mapping) else {}
    args = fields.pop("args", {})
    spec = fields.pop("spec", None)
    if fields or not isinstance(spec, str) or not isinstance(args, Mapping):
        message = f"a judge of an ensemble is a spec, or a mapping of spec and args, but got {brief(repr(one), 80)}"
        raise ArgumentError(message)
    return spec, args


def _needed(needed: object, count: int) -> int:
    wanted = count // 2 + 1 if needed is None else needed
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= count:
        message = f"`needed` of an ensemble of {count} judges must be 1 to {count}, but is {brief(repr(wanted), 40)}"
        raise ArgumentError(message)
    return wanted
