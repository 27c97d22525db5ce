"""Groups become hypotheses: which phrases set the failures apart.

Comes in: groups, and captions of failures and passes of the explore arm. Goes out: hypotheses, the most telling first.
A pure function. What it finds is a suspicion, no evidence: `trial/` tests it on fresh images. Neighbour:
`follow.py` (the default) draws further images to learn which phrases bring a failure back.

`contrast` looks for phrases that are frequent among failures and rare among passes. `captions` is the
recipe of Wiles et al. 2022 (arXiv 2208.08831): captions of failures alone, combined, and pruned phrase by phrase.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foible.config import DescribeOptions
from foible.records import Group, Hypothesis, Observation, Treatment
from foible.search.phrases import in_order

Phrases = frozenset[str]
BEAM = 24
"""How many phrase sets of one size are grown by another phrase."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """The explore arm of one label, in phrases. A draw without a usable caption is in neither."""

    failures: Mapping[str, Phrases]
    passes: Mapping[str, Phrases]


def describe(
    groups: Sequence[Group],
    observations: Sequence[Observation],
    phrases: Mapping[str, Phrases],
    options: DescribeOptions,
    classifier: int = 0,
) -> list[Hypothesis]:
    """Turn groups into hypotheses, at most `options.hypotheses` a label, the most telling first.

    Args:
        groups: of the explore arm.
        observations: what exploration saw, for one classifier.
        phrases: draw key -> phrases of its caption, of failures and (for `contrast`) passes.
        options: which method, and its limits.
        classifier: its place among those of the run.
    """
    hypotheses: list[Hypothesis] = []
    for label in dict.fromkeys(group.label for group in groups):
        own = [o for o in observations if o.request.label == label and o.key in phrases]
        captioned = Captioned(
            {o.key: phrases[o.key] for o in own if o.outcome.status == "failed"},
            {o.key: phrases[o.key] for o in own if o.outcome.status == "passed"},
        )
        found: list[tuple[float, Phrases, int | None]] = []
        for group in (g for g in groups if g.label == label):
            failures = [captioned.failures[key] for key in group.members if key in captioned.failures]
            mined = (
                _contrast(failures, captioned, options) if options.method == "contrast" else _combine(failures, options)
            )
            found += [(score, chosen, group.predicted) for score, chosen in mined]
        hypotheses += [
            Hypothesis(
                label=label,
                treatment=Treatment(words=in_order(chosen)),
                classifier=classifier,
                predicted=predicted,
                score=score,
                origin="explored",
            )
            for score, chosen, predicted in _best(found, options)
        ]
    return sorted(hypotheses, key=lambda h: (-h.score, h.label, h.treatment.words))


def _contrast(
    failures: Sequence[Phrases], captioned: Captioned, options: DescribeOptions
) -> Iterable[tuple[float, Phrases]]:
    """Cover a group with phrase sets, one after the other: the most telling set, then what it leaves unexplained."""
    passes = list(captioned.passes.values())
    left = list(failures)
    while len(left) >= options.failures:
        scored = _search(left, passes, options)
        if not scored:
            return
        score, chosen = max(scored, key=lambda pair: (pair[0], -len(pair[1]), tuple(sorted(pair[1]))))
        yield score, chosen
        left = [phrases for phrases in left if not chosen <= phrases]


def _search(
    failures: Sequence[Phrases], passes: Sequence[Phrases], options: DescribeOptions
) -> list[tuple[float, Phrases]]:
    """Grow phrase sets one phrase at a time; a larger set must set failures apart better than each set inside it."""
    score = _Score(failures, passes, options)
    singles = sorted({phrase for phrases in failures for phrase in phrases})
    level = {chosen: value for phrase in singles if (value := score(chosen := frozenset({phrase}))) is not None}
    kept = dict(level)
    for _ in range(1, options.phrases):
        beam = sorted(level, key=lambda c: (-level[c], tuple(sorted(c))))[:BEAM]
        grown: dict[Phrases, float] = {}
        for smaller, phrase in itertools.product(beam, singles):
            larger = smaller | {phrase}
            if larger == smaller or larger in grown:
                continue
            value = score(larger)
            inside = [kept[part] for p in larger if (part := larger - {p}) in kept]
            if value is not None and all(value > other for other in inside):
                grown[larger] = value
        kept |= grown
        level = grown
    return [(value, chosen) for chosen, value in kept.items() if value >= -math.log10(options.screen)]


class _Score:
    """-log10 of Fisher's one-sided p-value that a phrase set is more frequent among failures than among passes."""

    def __init__(self, failures: Sequence[Phrases], passes: Sequence[Phrases], options: DescribeOptions) -> None:
        self.failures, self.passes, self.least = failures, passes, options.failures

    def __call__(self, chosen: Phrases) -> float | None:
        """Score a set; None where it is too rare among failures or no more frequent than among passes."""
        from scipy.stats import hypergeom

        hits = sum(chosen <= phrases for phrases in self.failures)
        if hits < self.least:
            return None
        misses = sum(chosen <= phrases for phrases in self.passes)
        if hits * len(self.passes) <= misses * len(self.failures):
            return None
        everything = len(self.failures) + len(self.passes)
        p = float(hypergeom.sf(hits - 1, everything, hits + misses, len(self.failures)))
        return -math.log10(max(p, 1e-300))


def _combine(failures: Sequence[Phrases], options: DescribeOptions) -> Iterable[tuple[float, Phrases]]:
    """Combine the phrases of a group's captions, then drop the rarest until enough failures share what is left.

    The score is the share of the group that the description covers.
    """
    counts = Counter(phrase for phrases in failures for phrase in phrases)
    common = [
        phrase for phrase, seen in sorted(counts.items(), key=lambda c: (-c[1], c[0])) if seen >= options.failures
    ]
    chosen = common[: options.phrases]
    while chosen:
        covered = sum(frozenset(chosen) <= phrases for phrases in failures)
        if covered >= options.failures:
            yield covered / len(failures), frozenset(chosen)
            return
        chosen = chosen[:-1]


def _best(
    found: Sequence[tuple[float, Phrases, int | None]], options: DescribeOptions
) -> list[tuple[float, Phrases, int | None]]:
    """Keep the most telling, without those that say the same with a phrase more or less."""
    chosen: list[tuple[float, Phrases, int | None]] = []
    for score, phrases, predicted in sorted(
        found, key=lambda f: (-f[0], tuple(sorted(f[1])), -1 if f[2] is None else f[2])
    ):
        related = any(phrases <= other or other <= phrases for _, other, _ in chosen)
        if not related and len(chosen) < options.hypotheses:
            chosen.append((score, phrases, predicted))
    return chosen
