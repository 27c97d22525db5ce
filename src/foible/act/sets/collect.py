"""Fresh images of bugs on which a classifier fails, as evenly from bug to bug as their failure rates allow.

Comes in: bugs, who draws, how many images are wanted and how many may be drawn. Goes out: of each bug its draws in
order, and those that are kept. Neighbours: `adversarial.py` loads, asks others and writes; `act/fresh.py` draws;
`distinct.py` leaves out what is alike.

Every bug has an even share of the images, label by label and in each bug by bug, and likewise of the draws that may be
made. One that comes to the end of its draws, or whose source shows nothing new, is filled up by the others. How many of
its draws come before any choice is fixed beforehand: as many as its share of the images. So these are a fair sample of
what such a set would be if nobody had chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from foible.act.sets.rows import Taken
from foible.findings import Finding
from foible.records import Answered

_VAIN = 32
"""So many draws in a row without an image that was not there before, and the source of a bug has run out."""

Told = Callable[[int, int], None]
"""Told (images that are kept, draws that were made)."""


class Draws(Protocol):
    """Who draws."""

    def draw(self, finding: Finding, seeds: Sequence[int]) -> list[tuple[Answered, bool]]:
        """Draw a bug's label with its description; say of each draw whether its image was not there before."""
        ...


class Apart(Protocol):
    """Who leaves out images that are too much like one that was taken before."""

    def of(self, taken: Iterable[Taken]) -> Iterator[Taken]:
        """Give those that stay."""
        ...


@dataclass(frozen=True, kw_only=True)
class Means:
    """By what images are collected."""

    draws: Draws
    apart: Apart | None
    """Who leaves out what is alike; None for nobody."""
    batch: int
    """Draws that are made at once, at most."""
    told: Told
    """After each step."""


@dataclass(kw_only=True)
class Row:
    """The images of one bug."""

    number: int
    """Of the bug, from 1."""
    finding: Finding
    share: int
    """Images of an even set."""
    limit: int
    """Draws that may be made."""
    seeds: Iterator[int]
    """Its own, without end."""
    seen: list[Answered] = field(default_factory=list)
    """What became of its draws, in order."""
    kept: list[Taken] = field(default_factory=list)
    images: int = 0
    """Of those that are kept, the first so many are in the set."""
    vain: int = 0
    """Draws in a row that gave no image that was not there before."""

    @property
    def sample(self) -> list[Answered]:
        """The draws before any choice: how many these are hangs on nothing that was seen."""
        return self.seen[: min(self.share, self.limit)]

    @property
    def dry(self) -> bool:
        """Whether its source shows nothing new any more."""
        return self.vain >= _VAIN

    @property
    def closed(self) -> bool:
        """Whether nothing more is drawn for it."""
        return self.dry or len(self.seen) >= self.limit

    @property
    def label(self) -> str:
        """Of the bug."""
        return self.finding.trial.hypothesis.label


def rows_of(bugs: Sequence[tuple[int, Finding]], seeds: Sequence[Iterator[int]], size: int, most: int) -> list[Row]:
    """Share images and draws out over bugs.

    Args:
        bugs: with their numbers.
        seeds: of each bug, all different.
        size: images that are wanted, at least 1.
        most: draws that may be made, at least 1.
    """
    labels = [finding.trial.hypothesis.label for _, finding in bugs]
    shares, limits = (even_by_label(total, labels, [total] * len(bugs)) for total in (size, most))
    return [
        Row(number=number, finding=finding, share=share, limit=limit, seeds=own)
        for (number, finding), share, limit, own in zip(bugs, shares, limits, seeds, strict=True)
    ]


def collect(rows: Sequence[Row], size: int, by: Means) -> None:
    """Draw until there are as many images as are wanted, or nothing more may be drawn.

    Args:
        rows: whose images and draws are put down in them.
        size: images that are wanted.
        by: who draws, and how much at once.
    """
    while True:
        # Who may still draw has no end to its images; who may not has those that it has.
        wanted = even_by_label(
            size, [row.label for row in rows], [len(row.kept) if row.closed else size for row in rows]
        )
        for row, images in zip(rows, wanted, strict=True):
            row.images = min(images, len(row.kept))
        by.told(sum(row.images for row in rows), sum(len(row.seen) for row in rows))
        lacking = [images - row.images for row, images in zip(rows, wanted, strict=True)]
        if not any(lacking):
            return
        most = max(range(len(rows)), key=lambda at: lacking[at])
        _draw(rows[most], min(by.batch, lacking[most]), by)


def _draw(row: Row, number: int, by: Means) -> None:
    """Draw for one bug, and keep the images that fail."""
    seeds = list(islice(row.seeds, min(number, row.limit - len(row.seen))))
    drawn = by.draws.draw(row.finding, seeds)
    row.seen += [one for one, _ in drawn]
    for _, new in drawn:
        row.vain = 0 if new else row.vain + 1
    found = [
        Taken(number=row.number, finding=row.finding, seen=seen)
        for one, new in drawn
        if new and (seen := one.seen_by(0)).outcome.status == "failed"
    ]
    row.kept += found if by.apart is None else by.apart.of(found)


def even(total: int, most: Sequence[int]) -> list[int]:
    """Share a number out as evenly as limits allow; what does not divide goes to the first.

    Args:
        total: at least 0.
        most: the limit of each, at least 0.

    Returns:
        The shares in their order; their sum is the total, or that of the limits where this is less.
    """
    shares, left = [0] * len(most), total
    while left and (open_ := [at for at, limit in enumerate(most) if shares[at] < limit]):
        each = max(left // len(open_), 1)
        for at in open_:
            more = min(each, most[at] - shares[at], left)
            shares[at] += more
            left -= more
    return shares


def even_by_label(total: int, labels: Sequence[str], most: Sequence[int]) -> list[int]:
    """Share a number out evenly over labels, and that of each label over its own.

    Args:
        total: at least 0.
        labels: of each.
        most: as in `even`.
    """
    groups: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        groups.setdefault(label, []).append(at)
    of_labels = even(total, [sum(most[at] for at in own) for own in groups.values()])
    shares = [0] * len(labels)
    for share, own in zip(of_labels, groups.values(), strict=True):
        for at, part in zip(own, even(share, [most[at] for at in own]), strict=True):
            shares[at] = part
    return shares
