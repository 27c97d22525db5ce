"""Further images where a comparison is open: as many as it takes, where they are likely to tell the most.

Comes in: rows with their images, who draws, and how many images there may be. Goes out: the rows with more images.
Neighbours: `compare.py` and `between.py` have the images of the runs; `paired.py` says what differs, by evidence that
may be looked at after every image; `statistics/allocation.py` chooses.

Every image has a seed of its own, that no draw of the runs had and no other row has: what is chosen next hangs on what
was seen, and must know nothing of the images to come. An image that was there before, by its pixels, is none. The same
call draws the same images again, which the archive has by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np

from foible.act.paired import Sides, Standing, standings, trial_of
from foible.comparison import Paired
from foible.draws.observe import Observer
from foible.draws.once import REPEATED, SUGGESTED, Once
from foible.draws.request import Requests
from foible.records import Observation, Treatment
from foible.statistics import Aim, Tally, choose, outlook

Row = TypeVar("Row", bound=Paired)
Seen = tuple[Observation, Observation]
"""What the first and the second classifier make of an image."""

_CHANCE = 0.2
"""How likely a difference is before the first image; it steers draws and is no evidence."""
_FAILURES, _IMAGES = 0.5, 10
"""What is believed of a rate before anything is seen, likewise."""
_STEP = 4
"""Images in one round, all of the row that is likely to be decided by the fewest: to share them out among all open rows
decides none of them."""
_VAIN = 12
"""A row gets no more where so many images in a row were there before, or were not drawn: its source has run out."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a row is weighed."""

    level: float
    unscored: float
    same: float


class Draws(Protocol):
    """Who draws, and asks both classifiers and the judge."""

    def draw(self, label: str, treatment: Treatment, number: int) -> list[Seen]:
        """Draw so many images; give what was made of those that were not there before."""
        ...


@dataclass(kw_only=True)
class FreshDraws:
    """Draws on seeds that nothing else has."""

    observer: Observer
    """Of both classifiers, in their order."""
    requests: Requests
    """Without the seeds of the runs."""
    once: Once
    """Has seen the images of the runs."""

    def __post_init__(self) -> None:
        """Begin at the first seed of each label."""
        self._seeds: dict[str, Iterator[int]] = {
            label: self.requests.seeds(label, "compare") for label in self.requests.labels
        }

    def draw(self, label: str, treatment: Treatment, number: int) -> list[Seen]:
        """Draw images, each on the next seed of the label."""
        asked = self.requests.on(label, treatment, "compare", list(islice(self._seeds[label], number)))
        return [
            (one.seen_by(0), one.seen_by(1))
            for one in self.once.mark(self.observer.observe(asked))
            if not {outcome.reason for outcome in one.outcomes} & {SUGGESTED, REPEATED}
        ]


def further(
    rows: Sequence[tuple[Row, Sides | str]],
    abouts: Mapping[int, tuple[str, Treatment]],
    draws: Draws,
    most: int,
    rules: Rules,
) -> list[tuple[Row, Sides | str]]:
    """Draw images for rows that are open.

    Args:
        rows: with the images of the runs.
        abouts: by place of a row that may get images: the label, and what is done to its base prompt. One without an
            image begins with none.
        draws: who draws.
        most: images in all.
        rules: how rows are weighed.

    Returns:
        The rows in their order, each with how many images were drawn for it.
    """
    seen: dict[int, list[Seen]] = {}
    for at in abouts:
        sides = rows[at][1]
        seen[at] = [] if isinstance(sides, str) else list(zip(sides.before, sides.after, strict=True))
    held = {at: len(own) for at, own in seen.items()}
    spent = dict.fromkeys(abouts, 0)
    vain = dict.fromkeys(abouts, 0)
    rounds = 0
    trials = {at: trial_of(_sides(own)) for at, own in seen.items()}
    fixed = [trial_of(own) for at, (_, own) in enumerate(rows) if at not in abouts and isinstance(own, Sides)]
    while (left := most - sum(spent.values())) > 0:
        stand = standings([*trials.values(), *fixed], level=rules.level, unscored=rules.unscored, same=rules.same)
        live = [one.open and vain[at] < _VAIN for at, one in zip(abouts, stand, strict=False)]
        place = _next(stand, [*live, *[False] * len(fixed)], rules, rounds)
        if place is None:
            break
        rounds += 1
        at, number = list(abouts)[place], min(_STEP, left)
        drawn = draws.draw(*abouts[at], number)
        seen[at] += drawn
        spent[at] += number
        trials[at] = trial_of(_sides(seen[at]))
        vain[at] = 0 if any(one.draw.image for one, _ in drawn) else vain[at] + number
    return [
        (replace(row, drawn=len(seen[at]) - held[at]), _sides(seen[at])) if at in abouts else (row, sides)
        for at, (row, sides) in enumerate(rows)
    ]


def _sides(seen: Sequence[Seen]) -> Sides:
    return Sides(before=[before for before, _ in seen], after=[after for _, after in seen])


def _next(stand: Sequence[Standing], open_: Sequence[bool], rules: Rules, rounds: int) -> int | None:
    """Choose the row to draw next, the one that the fewest images are likely to decide; None where none is open.

    "Worse" and "better" are two hypotheses of a row, each with its price; what is left until it is the same is another.
    """
    if not any(open_):
        return None
    both, worse, better, neither = np.asarray([one.pairs for one in stand], dtype=np.float64).T
    scored = both + worse + better + neither
    closed, void = ~np.asarray(open_), np.asarray([one.void for one in stand])
    rates = [(both + own + _FAILURES) / (scored + _IMAGES) for own in (better, worse)]  # of the other classifier
    tally = Tally(
        minus=np.concatenate([better, worse]),
        plus=np.concatenate([worse, better]),
        both=np.tile(both, 2),
        neither=np.tile(neither, 2),
        base=np.concatenate(rates),
        chance=np.full(2 * len(stand), _CHANCE),
        void=np.tile(void, 2),
        closed=np.tile(closed, 2),
    )
    aim = Aim(0.0, rules.level, np.inf, 0)  # a person asks, and wants an answer: nothing is given up for its price
    seen = outlook(tally, aim)
    differs = choose(seen, aim, 1, rounds)
    if not len(differs):
        return None
    left = np.where(closed, np.inf, [one.left for one in stand])
    nearest = int(left.argmin())
    return nearest if left[nearest] < seen.price[differs[0]] else int(differs[0]) % len(stand)
