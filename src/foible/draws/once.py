"""No image counts twice for a claim, and none that suggested it: told by the pixels, not by the seed.

Comes in: draws of a run, in the order of its path. Goes out: the same, those unscored whose image was there before.
Where a generator has all images in the world to choose from this never happens; one that chooses among sixty
photographs, or forgets its seed, shows the same one again, and what was seen once is one observation. Neighbour:
`hunting/loop.py` lets every draw pass here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from foible.arms import ARMS, FOLLOW, SUGGEST
from foible.records import Answered, Outcome

SUGGESTED = "seen before: the same image suggested what is tested"
"""Why a draw is unscored whose pixels were explored, or followed."""
REPEATED = "seen before: the same image as that of another seed"
"""Why a draw is unscored whose pixels count already for the same label and treatment."""


class Once:
    """Remembers the images of a run."""

    def __init__(self) -> None:
        """Begin without an image."""
        self._suggesting: set[str] = set()
        self._counted: defaultdict[tuple[object, ...], dict[str, str]] = defaultdict(dict)

    def mark(self, answered: Iterable[Answered]) -> list[Answered]:
        """Leave unscored what was seen before, and remember the rest."""
        return [self._one(one) for one in answered]

    def _one(self, one: Answered) -> Answered:
        image, request = one.draw.image, one.request
        if not image:
            return one
        suggests = ARMS[request.arm].stream in {SUGGEST, FOLLOW}
        if not suggests and image in self._suggesting:
            return _unscored(one, SUGGESTED)
        if suggests:
            self._suggesting.add(image)
        counted = self._counted[suggests, request.label, request.treatment]
        if counted.setdefault(image, request.key) != request.key:
            return _unscored(one, REPEATED)
        return one


def _unscored(one: Answered, reason: str) -> Answered:
    """Leave a draw unscored for every classifier; one that is unscored already keeps its reason."""
    outcomes = tuple(
        o if o.status == "unscored" else Outcome(status="unscored", predicted=o.predicted, reason=reason)
        for o in one.outcomes
    )
    return replace(one, outcomes=outcomes)
