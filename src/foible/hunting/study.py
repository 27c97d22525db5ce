"""What a run is about: decided before the first draw, and the same for a hunt, its resume and its verification.

Comes in: nothing but what `prepare.py` or a journal says. Goes out: one frozen record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from foible.config import HuntConfig
from foible.draws.photograph import PhotographRequests
from foible.draws.questions import CAPTIONER, EMBEDDER, GENERATOR, GUIDE, JUDGE, classifier
from foible.draws.request import Requests
from foible.errors import StoreError
from foible.labels import labels_of
from foible.photographs import PhotographSet
from foible.records import ClassMap, Hypothesis, Label, Treatment
from foible.run.events import Began
from foible.run.settings import config_of

OTHERS = (GENERATOR, CAPTIONER, EMBEDDER, JUDGE, GUIDE)
"""The parts that all classifiers of a run share."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a run is about."""

    config: HuntConfig
    settings: Mapping[str, object]
    """As the journal has them: every field that decides or grows, by dotted name."""
    began: Began
    """What was noted when the run began."""
    photographs: PhotographSet | None = None
    """What the run is over; None where a generator draws."""
    afterwards: Mapping[str, object] = field(default_factory=dict)
    """Settings that were chosen after the draws, by name: what they were before."""

    @cached_property
    def labels(self) -> Mapping[str, Label]:
        """The labels by name, in the order given."""
        return {label.name: label for label in self.began.labels}

    @property
    def maps(self) -> Sequence[ClassMap]:
        """The class map of each classifier."""
        return self.began.maps

    @cached_property
    def identities(self) -> Mapping[str, Mapping[str, Any]]:
        """The identity of each part, by what the run calls it: "generator", "classifier 0"."""
        own = {classifier(place): identity for place, identity in enumerate(self.began.classifiers)}
        return {**self.began.parts, **own}

    @property
    def source(self) -> Requests | PhotographRequests:
        """What makes the requests of this run."""
        return self.requests if self.photographs is None else self.over(self.photographs)

    def over(self, photographs: PhotographSet) -> PhotographRequests:
        """Give what makes the requests of a run over photographs."""
        annotated = labels_of(photographs.labels(), self.labels, self.maps[0])
        return PhotographRequests(labels=self.labels, source=photographs, annotated=annotated, seed=self.config.seed)

    @property
    def requests(self) -> Requests:
        """What makes the requests of a run whose images are drawn."""
        return Requests(
            generator=self.identities[GENERATOR],
            guide=self.identities.get(GUIDE),
            labels=self.labels,
            template=self.config.explore.template,
            seed=self.config.seed,
        )

    @property
    def own(self) -> list[Hypothesis] | None:
        """The hypotheses that a probe was given; None for a hunt."""
        if self.began.probe is None:
            return None
        return [
            Hypothesis(label=label, treatment=Treatment(words=words), classifier=place)
            for label, words in self.began.probe
            for place in range(len(self.maps))
        ]


def study_of(began: Began, settings: Mapping[str, object], photographs: PhotographSet | None = None) -> Study:
    """Put together what a run is about from its journal.

    Args:
        began: what was noted when it began.
        settings: as they stand now.
        photographs: what the run is over; None where a generator draws.

    Raises:
        StoreError: the set is another one than the journal notes, or the journal notes something that cannot be.
        ConfigError: it notes a setting that cannot be.
    """
    labels = {label.name: label for label in began.labels}
    whole = (
        began.labels and len(labels) == len(began.labels) and began.maps and {GENERATOR, JUDGE} <= began.parts.keys()
    )
    mapped = all(m.right.keys() == labels.keys() and all(m.right.values()) for m in began.maps)
    probed = began.probe is None or all(label in labels and words for label, words in began.probe)
    if not (whole and mapped and probed and len(began.maps) == len(began.classifiers)):
        message = "the journal notes a run that cannot have been; the run directory is damaged"
        raise StoreError(message)
    config = config_of(settings)
    noted = began.parts[GENERATOR]["fingerprint"] if config.source.spec else None
    if noted != (photographs.digest if photographs is not None else None):
        message = "the photographs are others than the journal notes; the run directory is damaged"
        raise StoreError(message)
    return Study(config=config, settings=settings, began=began, photographs=photographs)
