"""Classes that may be the same thing as a label: half a bug is often a synonym.

Comes in: findings with the draws of their rates, what was explored, and what names and annotations say. Goes out: for a
label and a class, why they may be the same, how to accept the class, and what each finding comes to with it. Nothing is
accepted here, and nothing is drawn. Neighbours: `labels.py` knows which names are alike; `decide.py` has the rates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from foible.findings import Alike, Finding, Rate, Remaining
from foible.labels import accepting
from foible.records import Answered, ClassMap, Label, Observation, Outcome, Tally, Trial
from foible.statistics import clopper_pearson, difference_sequence, paired_difference, rate_sequence
from foible.trial.decide import difference_of, rate
from foible.trial.pairs import Tested, count_seen

OFTEN = 0.05
"""A class that surely more than this share of a label's base draws are taken for may be right for it."""
ONE_SIDE = 0.9
"""Level of an interval, one side of which holds at 95 %."""

Under = Callable[[Sequence[Observation], ClassMap, int], list[Observation]]
"""Looks again at draws, as if the classes of the classifier at a place meant something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The draws that the rates of findings come from, and how they are looked at again."""

    findings: Sequence[Finding]
    rated: Sequence[Tested]
    """For each finding, the draws that its rates come from."""
    under: Under
    sequential: bool
    """Whether the number of deciding draws depended on what was seen."""

    def about(self, label: str, classifier: int) -> dict[int, Finding]:
        """Give the confirmed findings of a label for a classifier, by place."""
        return {
            at: f
            for at, f in enumerate(self.findings)
            if f.verdict == "confirmed"
            and (f.trial.hypothesis.label, f.trial.hypothesis.classifier) == (label, classifier)
        }

    def remaining(self, at: int, wider: ClassMap) -> Remaining | None:
        """Work out a finding's rates as if classes meant something else; None where nothing comes out otherwise."""
        finding, rated = self.findings[at], self.rated[at]
        place = finding.trial.hypothesis.classifier
        treat, control = self.under(rated.treat, wider, place), self.under(rated.control, wider, place)
        trial = count_seen(finding.trial.hypothesis, treat, control).trial
        if trial == rated.trial:
            return None
        at_any_stop = self.sequential and finding.measured is None
        return Remaining(
            finding=at,
            treat=_rate(trial.treat, at_any_stop=at_any_stop),
            control=_rate(trial.control, at_any_stop=at_any_stop),
            difference=_difference(trial, at_any_stop=at_any_stop),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What exploration saw."""

    answered: Sequence[Answered]
    """Of every label; empty for a probe."""
    phrases: Sequence[Mapping[str, frozenset[str]]]
    """For each classifier, by draw key: the phrases of its caption, where it was captioned; empty for a probe."""

    def plain(self, answered: Sequence[Answered], classifier: int, again: Again) -> list[Outcome]:
        """Give what became of a label's draws, for a classifier, without those that show a confirmed description."""
        said = self.phrases[classifier] if self.phrases else {}
        known = [
            frozenset(f.trial.hypothesis.treatment.words)
            for one in answered[:1]
            for f in again.about(one.request.label, classifier).values()
        ]
        return [
            one.outcomes[classifier]
            for one in answered
            if not any(words <= said.get(one.request.key, frozenset()) for words in known)
        ]


def likenesses(explored: Explored, maps: Sequence[ClassMap], labels: Mapping[str, Label], again: Again) -> list[Alike]:
    """Name the classes that may be right for a label, for each classifier.

    One that names or annotations put beside the label, where failures are taken for it; and one that surely more than
    `OFTEN` of the label's base draws are taken for, without those that show a confirmed description by their caption:
    what these are taken for is the finding. Base draws are none of those that a finding's rates come from.

    Args:
        explored: base draws with their phrases.
        maps: of each classifier.
        labels: by name.
        again: findings, and how their draws are looked at again.
    """
    by_label: dict[str, list[Answered]] = {label: [] for label in labels}
    for one in explored.answered:
        by_label[one.request.label].append(one)
    return [
        alike
        for place, classes in enumerate(maps)
        for label in labels.values()
        if not classes.target
        for alike in _of_label(label, classes, explored.plain(by_label[label.name], place, again), place, again)
    ]


def _of_label(label: Label, classes: ClassMap, seen: Sequence[Outcome], place: int, again: Again) -> Iterator[Alike]:
    scored = sum(o.status != "unscored" for o in seen)
    taken = Counter(o.predicted for o in seen if o.status == "failed" and o.predicted is not None)
    own, right = again.about(label.name, place), classes.right[label.name]
    failed = {*taken, *(index for f in own.values() for index, _ in f.confused_with)}
    named = {one.index: one for one in classes.alike.get(label.name, ()) if one.index in failed}
    often = [index for index, times in sorted(taken.items()) if _often(times, scored) and index not in right]
    for index in dict.fromkeys([*named, *often]):
        wider = replace(classes, right={**classes.right, label.name: (*right, index)})
        counts = Tally(draws=scored, failures=taken[index], unscored=0)
        yield Alike(
            label=label.name,
            classifier=place,
            index=index,
            named=index in named,
            share=named[index].share if index in named else None,
            taken=counts.failures,
            scored=scored,
            rate=rate(counts),
            accept=accepting(label, wider.right[label.name]),
            remaining=tuple(left for at in own if (left := again.remaining(at, wider))),
        )


def _often(times: int, scored: int) -> bool:
    return clopper_pearson(times, scored, ONE_SIDE)[0] > OFTEN


def _rate(counts: Tally, *, at_any_stop: bool) -> Rate:
    if not at_any_stop:
        return rate(counts)
    low, high = rate_sequence(counts.failures, counts.scored)
    return Rate(value=counts.failures / counts.scored if counts.scored else None, low=low, high=high)


def _difference(trial: Trial, *, at_any_stop: bool) -> Rate:
    pairs = trial.pairs
    if not at_any_stop:
        return difference_of(trial, paired_difference(pairs))
    same = pairs.both_failed + pairs.both_passed
    return difference_of(trial, difference_sequence(pairs.only_control, same, pairs.only_treat))
