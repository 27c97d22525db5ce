"""The pilot: the first draws of exploration, of all labels, which show whether the parts fit before the rest is made.

Comes in: labels, and how many first draws each gets. Goes out: what became of them, and what they show: which labels
the judge sees in almost no image. They are draws of exploration, on its seeds, and cost nothing beside it. Neighbours:
`explore.py` goes on with them; `hunting/pilot.py` decides; `orders.py` reads what classifiers say of them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.draws.outcome import without_its_label
from foible.draws.request import BASE, Requests
from foible.pilots import PilotLabel
from foible.records import TIED, UNFAITHFUL, Answered, Draw
from foible.statistics import surely_above

SHOWN = 36
"""Images, over all labels, that are judged against another label too: enough to tell a judge that sees both in most of
them from one that does in few."""
HALF = 0.5


def draws_each(labels: int, level: float) -> int:
    """Return how many first draws a label gets: so many that one of them may show it, and half surely do not.

    With fewer, a label that is never drawn could not be told from one that is drawn in half of its images, at this
    level over all labels.
    """
    return next(n for n in itertools.count(1) if (n + 1) * HALF**n <= level / labels)


class Pilot:
    """Asks for the first base prompts of all labels at once."""

    stage = "pilot"
    arm: Arm = "explore"

    def __init__(self, requests: Requests, draws: int) -> None:
        """Want so many draws of each label."""
        self._requests = requests
        self._draws = draws
        self._each: dict[str, list[Answered]] = {label: [] for label in requests.labels}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for what all labels lack; all get the same."""
        made = sum(map(len, self._each.values()))
        each = self._draws
        if allowance.draws is not None:
            each = min(each, (made + allowance.draws) // len(self._each))
        lacking = [
            request
            for label, seen in self._each.items()
            for request in self._requests.on(
                label, BASE, self.arm, list(islice(self._requests.seeds(label, self.arm), each))[len(seen) :]
            )
        ]
        return Ask(requests=lacking) if lacking else None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        for one in answered:
            self._each[one.request.label].append(one)

    def progress(self) -> tuple[int, int]:
        """Count draws."""
        return sum(map(len, self._each.values())), self._draws * len(self._each)

    @property
    def answered(self) -> list[Answered]:
        """Everything that was drawn, label by label."""
        return [one for seen in self._each.values() for one in seen]


def shows(one: Answered) -> bool | None:
    """Say whether a draw shows its label, by the judge or the generator; None where neither says so."""
    if any(outcome.status != "unscored" or outcome.reason == TIED for outcome in one.outcomes):
        return True
    unfaithful = any(outcome.reason == UNFAITHFUL for outcome in one.outcomes)
    return False if unfaithful or (one.draw.image and without_its_label(one.draw)) else None


def by_label(
    answered: Sequence[Answered], labels: Sequence[str], level: float, *, stop: bool
) -> tuple[PilotLabel, ...]:
    """Count what shows each label, each image once, and name the labels of which surely more than half does not.

    Args:
        answered: of the pilot.
        labels: of the run, in order.
        level: the chance that any is named wrongly is at most this (exact binomial tests, Holm's correction).
        stop: whether such a label is left out.
    """
    said: dict[str, dict[str, bool]] = {label: {} for label in labels}
    for one in answered:
        if (seen := shows(one)) is not None:
            said[one.request.label].setdefault(one.draw.image, seen)
    drawn = Counter(one.request.label for one in answered)
    draws = [drawn[label] for label in labels]
    judged = [len(said[label]) for label in labels]
    seen_in = [sum(said[label].values()) for label in labels]
    named = surely_above([n - k for n, k in zip(judged, seen_in, strict=True)], judged, HALF, level)
    rows = zip(labels, draws, judged, seen_in, named, strict=True)
    return tuple(
        PilotLabel(label=label, draws=n, judged=of, seen=k, absent=bool(out), left_out=bool(out) and stop)
        for label, n, of, k, out in rows
    )


def crossed_at_most(labels: int, draws: int) -> int:
    """Count the images that are judged against another label, at most.

    Args:
        labels: how many there are; the judge may see only some of them.
        draws: first draws of each.
    """
    return max((known * min(-(-SHOWN // known), draws) for known in range(2, labels + 1)), default=0)


def crossed(answered: Sequence[Answered], labels: Sequence[PilotLabel]) -> list[tuple[Draw, str]]:
    """Choose images that show their label, and for each another label to be judged against.

    Only a label that the judge sees in images of its own can be that other one: a word that it does not know says
    nothing of how it tells apart those that it does. So of one label alone nothing can be told.

    Args:
        answered: of the pilot.
        labels: what was counted of each.
    """
    known = [one.label for one in labels if not one.absent and one.seen]
    each = -(-SHOWN // max(1, len(known)))
    shown: dict[str, dict[str, Draw]] = {label: {} for label in known}
    for one in answered:
        if one.request.label in shown and shows(one):
            shown[one.request.label][one.draw.image] = one.draw
    others = len(known) - 1
    return [
        (draw, known[(at + 1 + row % others) % len(known)])
        for at, label in enumerate(known)
        for row, draw in enumerate([*shown[label].values()][:each] if others else ())
    ]
