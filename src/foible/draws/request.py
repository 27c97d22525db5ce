"""Labels, treatments and seeds become requests.

Comes in: what every request of a run has in common. Goes out: `Request` records with their keys, and the blocks in
which the journal notes them; nothing is drawn here (`observe.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from foible.arms import ARMS, Arm
from foible.errors import StoreError, brief
from foible.identity import request_key, seed_stream
from foible.records import Label, Request, Treatment
from foible.run.events import Block

BASE = Treatment()
"""Nothing is done: the base prompt alone."""


def prompt(label: Label, template: str, treatment: Treatment = BASE) -> str:
    """Fill the template for a label and add the words: "a … of a coffee mug (cup), striped, at night"."""
    base = template if label.kind else template.replace("({kind})", "").replace("{kind}", "")
    if label.name[:1].lower() in "aeiou":
        base = base.replace(" a {name}", " an {name}")
    text = " ".join(base.format(name=label.name, kind=label.kind).split())
    return f"{text}, {treatment.description}" if treatment else text


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Makes the requests of one run."""

    generator: Mapping[str, object]
    """Identity of the generator."""
    labels: Mapping[str, Label]
    """By name."""
    template: str
    """Of the base prompt."""
    seed: int
    """Where all randomness of the run comes from."""
    guide: Mapping[str, object] | None = None
    """Identity of the guided generator; None where there is none."""
    spent: frozenset[int] = frozenset()
    """Seeds that are not given again: those of the run that these requests go on from. Empty within a run."""

    def seeds(self, label: str, arm: Arm) -> Iterator[int]:
        """Yield the seeds of a label in the stream of an arm, without end, all different."""
        return seed_stream(self.seed, ARMS[arm].stream, label, self.spent)

    def on(self, label: str, treatment: Treatment, arm: Arm, seeds: Sequence[int]) -> list[Request]:
        """Make requests for a label under a treatment on given seeds."""
        text = prompt(self.labels[label], self.template, treatment)
        drawer = self._guide(label) if ARMS[arm].guided else self.generator
        return [
            Request(
                key=request_key(drawer, text, seed),
                label=label,
                treatment=treatment,
                seed=seed,
                arm=arm,
                text=text,
            )
            for seed in seeds
        ]

    def _guide(self, label: str) -> Mapping[str, object]:
        if self.guide is None:
            message = f"the journal speaks of guided draws of {brief(label)!r} in a run without a guide; it is damaged"
            raise StoreError(message)
        return self.guide

    def of(self, block: Block) -> list[Request]:
        """Make the requests of a block again.

        Raises:
            StoreError: the run has no such label.
        """
        if block.label not in self.labels:
            message = f"the journal speaks of a label {brief(block.label)!r} that the run does not have; it is damaged"
            raise StoreError(message)
        return self.on(block.label, Treatment(words=block.words), block.arm, block.seeds)


def blocks(requests: Sequence[Request]) -> list[Block]:
    """Put requests into blocks, in their order."""
    runs = itertools.groupby(requests, key=lambda r: (r.arm, r.label, r.treatment))
    return [
        Block(arm=arm, label=label, words=treatment.words, seeds=tuple(r.seed for r in run))
        for (arm, label, treatment), run in runs
    ]
