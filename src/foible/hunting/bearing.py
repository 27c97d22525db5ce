"""Which attributes photographs bear: their columns, the phrases of their captions, and what an embedder says they show.

Comes in: photographs that were looked at, their set, and the loop that captions and embeds. Goes out: attributes by
key, and those of which it is open. Neighbours: `whole.py` walks the hunt; `foible.vocabulary` has the phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foible.draws.questions import CAPTIONER
from foible.hunting.loop import Loop
from foible.hunting.study import Study
from foible.photographs import Photograph, PhotographSet
from foible.records import Answered
from foible.search.phrases import cut
from foible.vocabulary import Vocabulary

NOTHING: frozenset[str] = frozenset()
_AT_ONCE = 1024
"""Photographs whose vectors are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Bearing:
    """What photographs bear."""

    attributes: Mapping[str, frozenset[str]]
    """By key."""
    unsure: Mapping[str, frozenset[str]]
    """By key: attributes of which it is open."""
    faults: Sequence[str]
    """Why some could not be captioned."""


@dataclass(kw_only=True)
class Bearer:
    """Says what photographs bear; an embedder's word is asked for once."""

    photographs: PhotographSet
    study: Study
    loop: Loop
    _given: dict[str, tuple[frozenset[str], frozenset[str]]] = field(init=False, default_factory=dict)
    """By key: attributes that the embedder gives, and those of which it leaves open whether they are there."""

    @property
    def known_when_seen(self) -> bool:
        """Whether what a photograph bears is known when it was looked at, and not before."""
        return CAPTIONER in self.study.identities or self.photographs.vocabulary is not None

    def of(self, answered: Sequence[Answered]) -> Bearing:
        """Give the attributes of photographs. Where a captioner was named, it describes those without a caption."""
        own = {one.request.key: self.photographs.photographs[one.request.seed] for one in answered}
        captions = {key: photograph.caption for key, photograph in own.items() if photograph.caption}
        faults: list[str] = []
        if CAPTIONER in self.study.identities:
            lacking = [one.draw for one in answered if one.request.key not in captions]
            said, faults = self.loop.caption(lacking)
            captions |= said
        given = self._embedded(answered)
        return Bearing(
            attributes={
                one.request.key: frozenset(own[one.request.key].attributes)
                | self._phrases(captions.get(one.request.key, ""), one.request.label)
                | given[one.request.key][0]
                for one in answered
            },
            unsure={key: unsure for key, (_, unsure) in given.items() if unsure},
            faults=faults,
        )

    def unseen(self, photograph: Photograph, label: str) -> frozenset[str]:
        """Give the attributes of a photograph that nobody looked at."""
        return frozenset(photograph.attributes) | self._phrases(photograph.caption, label)

    @cached_property
    def _phrases(self) -> Callable[[str, str], frozenset[str]]:
        """What cuts the caption of a photograph of a label into phrases: (caption, label).

        No phrase says the label itself. What it is taken for may be said, as nothing is drawn from a phrase.
        """
        others = list(self.study.labels)
        return lambda caption, label: frozenset(cut(caption, [label], others)) if caption else NOTHING

    def _embedded(self, answered: Sequence[Answered]) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
        words = self.photographs.vocabulary
        if words is None:
            return {one.request.key: (NOTHING, NOTHING) for one in answered}
        every = frozenset(group.attribute(phrase) for group in words.groups for phrase in group.phrases)
        lacking = [one for one in answered if one.request.key not in self._given]
        for some in _pieces(lacking):
            vectors, _ = self.loop.embed([one.draw for one in some if one.draw.image])
            known = [key for key in vectors if vectors[key].shape == self._texts[1].shape[1:]]
            shown = assigned(np.array([vectors[key] for key in known]), *self._texts, words) if known else []
            self._given |= {one.request.key: (NOTHING, every) for one in some} | dict(zip(known, shown, strict=True))
        return {one.request.key: self._given[one.request.key] for one in answered}

    @cached_property
    def _texts(self) -> tuple[float, NDArray[np.float64]]:
        words = self.photographs.vocabulary
        assert words is not None  # noqa: S101 - asked before
        return self.loop.texts(words.texts())


def assigned(
    images: NDArray[np.float32], factor: float, texts: NDArray[np.float64], words: Vocabulary
) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Say which phrase of each group images show.

    Args:
        images: (n, dimensions), of any length but 0.
        factor: that turns a cosine into a logit.
        texts: (phrases, dimensions), each row of length 1, group by group.
        words: the vocabulary.

    Returns:
        For each image its attributes, and those of the groups of which it is open. In a group the likeliest phrase
        holds where its share is large enough.
    """
    unit = images.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    # Rounded, so that the last bits of a batch's arithmetic move no photograph.
    logits = np.round(unit @ texts.T * factor, 4)
    found: list[tuple[set[str], set[str]]] = [(set(), set()) for _ in images]
    start = 0
    for group in words.groups:
        own = logits[:, start : start + len(group.phrases)]
        start += len(group.phrases)
        likely = np.exp(own - own.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        for place, (best, share) in enumerate(zip(likely.argmax(axis=1), likely.max(axis=1), strict=True)):
            if share > words.sure:
                found[place][0].add(group.attribute(group.phrases[best]))
            else:
                found[place][1].update(map(group.attribute, group.phrases))
    return [(frozenset(has), frozenset(open_)) for has, open_ in found]


def _pieces(of: Sequence[Answered]) -> Iterator[Sequence[Answered]]:
    return (of[start : start + _AT_ONCE] for start in range(0, len(of), _AT_ONCE))
