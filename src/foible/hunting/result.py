"""What the stages found becomes the one record that everything written is made from.

Comes in: findings, draws, what the run is about. Goes out: a `HuntResult`. Pure functions; `report/` writes it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foible.config import HuntConfig
from foible.errors import brief
from foible.explanation.causes import causes_of
from foible.findings import Alike, Finding, GuidedSummary, HuntResult, LabelSummary, Rate, SetFacts, Subject
from foible.hunting.study import OTHERS, Study
from foible.hunting.suspect import Suspected
from foible.labels import called
from foible.pilots import Pilot
from foible.records import Answered, Hypothesis, Observation
from foible.statistics import (
    clopper_pearson,
    difference_sequence,
    independent_difference,
    paired_difference,
    surely_above,
)
from foible.trial.decide import rate, taken_for
from foible.trial.pairs import tally

LED = 3
"""For each finding, at most this many of the explored failures that led to it are shown with their captions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the stages hand over."""

    findings: Sequence[Finding]
    tried: Sequence[Hypothesis]
    """Every hypothesis that counts in the multiplicity."""
    explored: Sequence[Answered]
    answered: Mapping[str, Answered]
    """Every draw, by key."""
    draws: Mapping[str, int]
    """Different draws by arm."""
    alike: Sequence[Alike] = ()
    """Classes that may be the same thing as a label."""
    pilot: Pilot | None = None
    """What the first draws showed; None for a probe."""
    guided: Sequence[Answered] = ()
    """Draws that were led to fail."""
    undescribed: Sequence[str] = ()
    """For each failure that could not be put into words, why."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """By draw key: explored failures that led to a finding."""
    photographs: SetFacts | None = None
    """What the set is like, where photographs are the source."""


def make_result(work: Work, study: Study) -> HuntResult:
    """Join what was found with the settings it was found under."""
    shown = [key for f in work.findings for key in (*f.failing, *f.passing, *f.paired)]
    shown += [key for f in work.findings for c in f.counterfactuals for key in c.examples]
    shown += work.captions
    explored = _summaries(work, study) if work.explored else ()
    shown += [key for one in explored for key in one.failing]
    guided = _led(work, study)
    shown += [key for one in guided for key in one.failing]
    if work.photographs is not None:
        shown += [*work.photographs.doubtful, *(one.key for one in work.photographs.unlike)]
    found = {(f.trial.hypothesis.about, f.trial.hypothesis.classifier) for f in work.findings}
    reasons = (reason for one in work.answered.values() for reason in unscored_reasons(one))
    return HuntResult(
        foible_version=study.began.foible_version,
        settings=study.settings,
        classifiers=tuple(_subject(place, work, study) for place in range(len(study.maps))),
        parts={kind: study.identities[kind] for kind in OTHERS if kind in study.identities},
        labels=tuple(study.labels.values()),
        failure=failure_sentence(study.config),
        findings=tuple(work.findings),
        untested=tuple(h for h in work.tried if (h.about, h.classifier) not in found and not h.borrowed),
        explored=explored,
        unscored=counted([*reasons, *work.undescribed]),
        draws=work.draws,
        observations={key: work.answered[key] for key in dict.fromkeys(shown)},
        captions=dict(work.captions),
        afterwards=dict(study.afterwards),
        causes=causes_of(work.findings, study.labels),
        alike=tuple(work.alike),
        photographs=work.photographs,
        pilot=work.pilot,
        guided=guided,
    )


def _led(work: Work, study: Study) -> tuple[GuidedSummary, ...]:
    """Sum up the guided draws of every label that has some, for every classifier."""
    found = []
    for place, label in itertools.product(range(len(study.maps)), study.labels):
        own = [one.seen_by(place) for one in work.guided if one.request.label == label]
        if own:
            counts = tally(own)
            wrong = counts.failures + counts.unfaithful
            low, high = clopper_pearson(counts.failures, wrong)
            shows = Rate(value=counts.failures / wrong if wrong else None, low=low, high=high)
            found.append(
                GuidedSummary(
                    label=label,
                    classifier=place,
                    tally=counts,
                    shows=shows,
                    samplings=sum(o.draw.samplings for o in own if o.draw.image),
                    unscored_reasons=counted(o.outcome.reason for o in own if o.outcome.status == "unscored"),
                    failing=tuple(o.key for o in own if o.outcome.status == "failed")[: study.config.report.examples],
                )
            )
    return tuple(found)


def led_to(
    findings: Sequence[Finding], explored: Sequence[Answered], suspected: Sequence[Suspected], examples: int
) -> dict[str, str]:
    """Return, by draw key, the captions of the first explored failures that led to each finding."""
    captions: dict[str, str] = {}
    for hypothesis in (f.trial.hypothesis for f in findings) if suspected else ():
        of, wanted = suspected[hypothesis.classifier], frozenset(hypothesis.treatment.words)
        led = [
            one.request.key
            for one in explored
            if one.request.label == hypothesis.label
            and one.outcomes[hypothesis.classifier].status == "failed"
            and wanted <= of.phrases.get(one.request.key, frozenset())
        ]
        captions |= {key: of.captions[key] for key in led[: min(LED, examples)]}
    return captions


def _subject(place: int, work: Work, study: Study) -> Subject:
    """Name the classes of a classifier that occur: those of the labels, and those it predicted."""
    classes = study.maps[place]
    indices = {index for right in classes.right.values() for index in right} | set(classes.target)
    indices |= {one.index for one in work.alike if one.classifier == place}
    predicted = (one.outcomes[place].predicted for one in work.answered.values())
    indices |= {index for index in predicted if index is not None}
    return Subject(
        name=classes.classifier,
        identity=study.began.classifiers[place],
        right=classes.right,
        class_names={index: called(index, classes) for index in sorted(indices)},
    )


def _summaries(work: Work, study: Study) -> tuple[LabelSummary, ...]:
    """Sum up every label for every classifier, and name the base failures among them."""
    sequential = study.config.confirm.method == "sequential"
    seen: dict[tuple[int, str], list[Observation]] = {
        (place, label): [] for place in range(len(study.maps)) for label in study.labels
    }
    for one in work.explored:
        for place in range(len(study.maps)):
            seen[place, one.request.label].append(one.seen_by(place))
    summaries = [
        summarise(label, place, own, work.findings, sequential=sequential) for (place, label), own in seen.items()
    ]
    named = base_failures(summaries, study.config.failure.tolerated, study.config.confirm.level)
    most = study.config.report.examples
    return tuple(
        replace(one, base_failure=True, failing=tuple(o.key for o in own if o.outcome.status == "failed")[:most])
        if is_named
        else one
        for one, own, is_named in zip(summaries, seen.values(), named, strict=True)
    )


def base_failures(summaries: Sequence[LabelSummary], tolerated: float, level: float) -> list[bool]:
    """Tell which labels surely fail more often than is tolerated, under the base prompt, each for its classifier.

    The explored draws may be used for that, though they may not test what they suggested: the claim ("this label fails
    more often than is tolerated"), its threshold and the number of draws are set before the first of them, and so
    nothing of it was suggested by what they show. Whoever raises a budget because of what was seen, and so explores
    further, looks twice. Unscored draws say nothing; of equal images one counts.

    Args:
        summaries: of every label and classifier; leaving one out would break the multiplicity.
        tolerated: the rate that is tolerated, 0..1.
        level: the chance that any is named wrongly is at most this.
    """
    counts = [one.tally for one in summaries]
    named = surely_above([t.failures for t in counts], [t.scored for t in counts], tolerated, level)
    return [bool(one) for one in named]


def summarise(
    label: str, classifier: int, seen: Sequence[Observation], findings: Sequence[Finding], *, sequential: bool
) -> LabelSummary:
    """Say how a label did in exploration, and what its draws and findings exclude, for one classifier.

    Args:
        label: its name.
        classifier: its place among those of the run.
        seen: its explored draws.
        findings: of every label and classifier.
        sequential: whether the findings' pairs are of sequential numbers.
    """
    counts = tally(seen)
    at_most = clopper_pearson(counts.failures, counts.scored, 0.9)[1]  # one side of it: 95 %
    own = [f for f in findings if (f.trial.hypothesis.label, f.trial.hypothesis.classifier) == (label, classifier)]
    raises = None
    if own and not any(f.verdict == "confirmed" for f in own):
        # Nothing fails more often than always: the base rate bounds it too, as one claim more that has to hold.
        claims = len(own) + 1
        left = 1.0 - clopper_pearson(counts.failures, counts.scored, 1.0 - 0.1 / claims)[0]
        raises = min(left, max(_upper(f, claims, sequential=sequential) for f in own))
    return LabelSummary(
        label=label,
        classifier=classifier,
        tally=counts,
        rate=rate(counts),
        unscored_reasons=counted(o.outcome.reason for o in seen if o.outcome.status == "unscored"),
        at_most=at_most,
        raises=raises,
        confused_with=taken_for(seen),
    )


def _upper(finding: Finding, among: int, *, sequential: bool) -> float:
    """Bound a difference from above at 95 % for so many hypotheses together (Bonferroni)."""
    level = 1.0 - 0.1 / among  # of the interval, one side of which is used
    pairs, treat, control = finding.trial.pairs, finding.trial.treat, finding.trial.control
    if finding.of_set is not None:
        counts = (treat.failures, treat.scored), (control.failures, control.scored)
        return independent_difference(*counts, level)[1]
    if sequential:
        same = pairs.both_failed + pairs.both_passed
        return difference_sequence(pairs.only_control, same, pairs.only_treat, level)[1]
    return paired_difference(pairs, level)[1]


def unscored_reasons(answered: Answered) -> list[str]:
    """Return why a draw is unscored, each reason once however many classifiers share it."""
    return list(dict.fromkeys(o.reason for o in answered.outcomes if o.status == "unscored"))


def counted(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Count reasons, most frequent first."""
    return tuple(sorted(Counter(reasons).items(), key=lambda c: (-c[1], c[0])))


def failure_sentence(config: HuntConfig) -> str:
    """Say what failed means."""
    if config.source.spec:
        if config.failure.top == 1:
            return "a photograph fails when the class of the highest score is not right for its annotation (top-1)"
        highest = f"the {config.failure.top} highest scores (top-{config.failure.top})"
        return f"a photograph fails when no class that is right for its annotation is among {highest}"
    if config.failure.target:
        return f"a draw fails when the classifier takes it for {brief(config.failure.target)!r}"
    highest = "the highest score" if config.failure.top == 1 else f"the {config.failure.top} highest scores"
    return f"a draw fails when no accepted label is among {highest} (top-{config.failure.top})"
