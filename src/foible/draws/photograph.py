"""Photographs of a set become requests, as labels and seeds do for a generator.

Comes in: a set, and what its annotations are called. Goes out: `Request` records: the text is the place of a
photograph, the seed its number. Neighbours: `request.py` makes the requests of drawn images; `foible.photographs` has
the set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from foible.arms import Arm
from foible.draws.request import BASE
from foible.errors import StoreError, brief
from foible.identity import photograph_key
from foible.photographs import PhotographSet, shuffled
from foible.records import Label, Request
from foible.run.events import Block


@dataclass(frozen=True, kw_only=True)
class PhotographRequests:
    """Makes the requests of a run over photographs."""

    labels: Mapping[str, Label]
    """By name."""
    source: PhotographSet
    annotated: Mapping[str, str]
    """By annotation: the name of its label. Photographs of other annotations are not looked at."""
    seed: int
    """Where all randomness of the run comes from."""

    def on(self, label: str, arm: Arm, numbers: Sequence[int]) -> list[Request]:
        """Make the requests of some photographs of a label."""
        return [self._one(label, arm, number) for number in numbers]

    @cached_property
    def halves(self) -> tuple[Mapping[str, Sequence[int]], Mapping[str, Sequence[int]]]:
        """By label: the numbers of the photographs that explore, and of those that test, in an order of chance."""
        exploring, _ = self.source.halves(self.seed)
        found: tuple[dict[str, list[int]], dict[str, list[int]]] = (
            {label: [] for label in self.labels},
            {label: [] for label in self.labels},
        )
        for number in shuffled(self.source.photographs, self.seed):
            label = self.annotated.get(self.source.photographs[number].label)
            if label is not None:
                found[number not in exploring][label].append(number)
        return found

    def of(self, block: Block) -> list[Request]:
        """Make the requests of a block again.

        Raises:
            StoreError: the set has no such photograph.
        """
        known = range(len(self.source.photographs))
        if block.label not in self.labels or block.words or not all(number in known for number in block.seeds):
            message = f"the journal speaks of photographs of {brief(block.label)!r} that the set does not have; "
            raise StoreError(message + "it is damaged: name another --out, with the same archive")
        return self.on(block.label, block.arm, block.seeds)

    def _one(self, label: str, arm: Arm, number: int) -> Request:
        photograph = self.source.photographs[number]
        key = photograph_key(photograph.image)
        return Request(key=key, label=label, treatment=BASE, seed=number, arm=arm, text=photograph.place)
