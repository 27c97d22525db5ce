"""What raises a unit of a classifier: in which draws it is highest, what these have in common, whether that holds.

Comes in: the explored and the guided draws of a search. Goes out: the unit on every image, and words, each with a test
on fresh pairs. Neighbours: `guide.py` searches; `guiding/unit.py` reads the unit; `trial/fixed.py` asks for the pairs.

Captions of the images that raise the unit most are held against those that raise it least, and only suggest: what is
said of a phrase comes from draws that nobody led, on seeds that suggested nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from foible.findings import Rate
from foible.guidance import Word
from foible.guiding.asked import read_unit
from foible.guiding.unit import Watched
from foible.hunting.loop import Loop
from foible.hunting.study import Study
from foible.parts.registry import Part
from foible.records import TIED, Answered, Hypothesis, Observation, Treatment
from foible.run.images import Images
from foible.search.phrases import cut
from foible.statistics import clopper_pearson, holm
from foible.trial.fixed import Fixed

_PART = 4
"""Of the images of a label, one in so many is among those that raise the unit most, and one among those least."""
_LEAST = 3
"""Images at each end, at the least."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """A unit in a search."""

    study: Study
    loop: Loop
    images: Images
    watched: Watched

    def of(self, draws: Sequence[Answered]) -> dict[str, float]:
        """Read the unit on the images of draws, by hash."""
        return self.of_images([one.draw.image for one in draws if one.draw.image])

    def words(self, draws: Sequence[Answered], unit: Mapping[str, float]) -> tuple[Word, ...]:
        """Put the images that raise the unit most into words, and test each on fresh pairs.

        Args:
            draws: explored and guided ones.
            unit: what it is on their images.
        """
        suggested = [word for label in self.study.labels for word in self._suggested(label, draws, unit)]
        hypotheses = [Hypothesis(label=one.label, treatment=Treatment(words=(one.phrase,))) for one in suggested]
        test = Fixed(hypotheses, self.study.requests, self.study.config.confirm.draws)
        self.loop.run(test)
        tested = {one.trial.hypothesis.about: one for one in test.tested()}
        counts = []
        for hypothesis in hypotheses:
            own = tested[hypothesis.about]
            pairs = [(a.draw.image, b.draw.image) for a, b in zip(own.treat, own.control, strict=True) if _both(a, b)]
            read = self.of_images([name for pair in pairs for name in pair])
            gaps = [read[a] - read[b] for a, b in pairs if a in read and b in read]
            counts.append((sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)))
        return _tested(suggested, counts, self.study.config.confirm.level)

    def of_images(self, hashes: Sequence[str]) -> dict[str, float]:
        """Read the unit on images of the archive, by hash; what has gone from there is left out."""
        there = {name: image for name in dict.fromkeys(hashes) if (image := self.images.get(name)) is not None}
        return dict(zip(there, map(float, self.watched.of(list(there.values()))), strict=True))

    def _suggested(self, label: str, draws: Sequence[Answered], unit: Mapping[str, float]) -> list[Word]:
        """Give the phrases that captions of the highest images say more often than those of the lowest."""
        own = {one.draw.image: one for one in draws if one.request.label == label and one.draw.image in unit}
        ranked = sorted(own.values(), key=lambda one: (-unit[one.draw.image], one.request.key))
        ends = max(len(ranked) // _PART, _LEAST)
        if len(ranked) < 2 * ends:
            return []
        said = [self._said(label, some) for some in (ranked[:ends], ranked[-ends:])]
        more = {phrase: number - said[1][phrase] for phrase, number in said[0].items() if number > said[1][phrase]}
        best = sorted(more, key=lambda phrase: (-more[phrase], phrase))[: self.study.config.describe.hypotheses]
        return [Word(label=label, phrase=one, high=said[0][one], low=said[1][one], of=ends) for one in best]

    def _said(self, label: str, draws: Sequence[Answered]) -> Counter[str]:
        names = list(self.study.labels)
        captions = [
            text
            for guided in (True, False)  # a unit of work is of one arm
            for text in self.loop.caption([one.draw for one in draws if (one.request.arm == "guide") == guided])[
                0
            ].values()
        ]
        return Counter(phrase for text in captions for phrase in set(cut(text, [label], names)))


def raised(study: Study, loop: Loop, part: Part, images: Images) -> Raised:
    """Watch the unit that the settings name.

    Raises:
        InputError: there is none of that name.
    """
    return Raised(study=study, loop=loop, images=images, watched=Watched(part, read_unit(study.config.guide.unit)))


def _both(*pair: Observation) -> bool:
    """Tell whether both draws of a pair show their label, and neither was seen before."""
    return all(one.outcome.status != "unscored" or one.outcome.reason == TIED for one in pair)


def _tested(words: Sequence[Word], counts: Sequence[tuple[int, int]], level: float) -> tuple[Word, ...]:
    """Say of each phrase in what share of its pairs it raises the unit, and whether that is surely more than half.

    The sign test, exact, with Holm's correction over all phrases; pairs that tell nothing apart are left out.
    """
    tests = [_more_up(*one) for one in counts]
    found = []
    for word, (up, down), adjusted in zip(words, counts, holm(tests), strict=True):
        low, high = clopper_pearson(up, up + down)
        share = Rate(value=up / (up + down) if up + down else None, low=low, high=high)
        holds = bool(adjusted <= level)
        found.append(replace(word, raised=up, pairs=up + down, share=share, adjusted=float(adjusted), holds=holds))
    return tuple(found)


def _more_up(up: int, down: int) -> float:
    """Give the p-value of "a pair is raised no more often than not"."""
    return float(stats.binomtest(up, up + down, 0.5, alternative="greater").pvalue) if up + down else 1.0
