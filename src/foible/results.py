"""What the stages found becomes the one record that everything written is made from.

Comes in: findings, observations, the context. Goes out: a `HuntResult`. A pure function; `report/` writes it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from foible._version import __version__
from foible.config import HuntConfig, settings
from foible.errors import brief
from foible.records import Arm, Finding, HuntResult, Hypothesis, LabelSummary, Observation, Tally
from foible.registry import KINDS, Part
from foible.stages.context import Context
from foible.stages.decide import rate
from foible.stages.pairs import tally
from foible.statistics import clopper_pearson, difference_sequence, paired_difference

ARMS: tuple[Arm, ...] = ("explore", "narrow", "treat", "control", "counterfactual")


@dataclass(frozen=True, slots=True)
class Work:
    """What the stages hand over."""

    findings: Sequence[Finding]
    untested: Sequence[Hypothesis]
    observed: Mapping[str, Observation]
    """Every draw that counts, by key."""
    explored: Sequence[Observation] = ()
    undescribed: Sequence[str] = ()
    """For each failure that could not be put into words, why."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """By draw key: explored failures that led to a finding."""


def make_result(work: Work, context: Context) -> HuntResult:
    """Join what was found with the settings it was found under."""
    shown = [key for f in work.findings for key in (*f.failing, *f.passing, *f.paired)]
    shown += [key for f in work.findings for c in f.counterfactuals for key in c.examples]
    shown += work.captions
    observed = work.observed.values()
    indices = {index for label in context.labels.values() for index in (label.index, *label.accepted)}
    indices |= {o.outcome.predicted for o in observed if o.outcome.predicted is not None}
    arms = Counter(o.draw.arm for o in observed)
    parts = {kind: part for kind in KINDS if (part := getattr(context, kind)) is not None}
    return HuntResult(
        foible_version=__version__,
        settings=result_settings(context.config, parts),
        parts={kind: part.identity for kind, part in parts.items()},
        labels=tuple(context.labels.values()),
        class_names={index: context.class_name(index) for index in sorted(indices)},
        failure=_failure_sentence(context.config),
        findings=tuple(work.findings),
        untested=tuple(work.untested),
        explored=tuple(_summary(name, work, context.config) for name in context.labels) if work.explored else (),
        unscored=counted([*unscored_reasons(observed), *work.undescribed]),
        draws={arm: arms[arm] for arm in ARMS if arms[arm]},
        observations={key: work.observed[key] for key in dict.fromkeys(shown)},
        captions=dict(work.captions),
    )


def _summary(label: str, work: Work, config: HuntConfig) -> LabelSummary:
    own = [o for o in work.explored if o.draw.prompt.label == label]
    method = config.confirm.method
    return summarise(label, tally(own), unscored_reasons(own), work.findings, sequential=method == "sequential")


def summarise(
    label: str, counts: Tally, reasons: Iterable[str], findings: Sequence[Finding], *, sequential: bool
) -> LabelSummary:
    """Say how a label did in exploration, and what its draws and findings exclude.

    Args:
        label: its name.
        counts: of the explore arm.
        reasons: why draws of it are unscored.
        findings: of every label.
        sequential: whether the findings' pairs are of sequential numbers.
    """
    at_most = clopper_pearson(counts.failures, counts.scored, 0.9)[1]  # one side of it: 95 %
    own = [f for f in findings if f.trial.hypothesis.label == label]
    raises = None
    if own and not any(f.verdict == "confirmed" for f in own):
        raises = max(_upper(f.trial.pairs, len(own), sequential=sequential) for f in own)
    return LabelSummary(label, counts, rate(counts), counted(reasons), at_most, raises)


def _upper(pairs: tuple[int, int, int, int], among: int, *, sequential: bool) -> float:
    """Bound a difference from above at 95 % for so many hypotheses together (Bonferroni)."""
    both, plus, minus, neither = pairs
    level = 1.0 - 0.1 / among  # of the interval, one side of which is used
    if sequential:
        return difference_sequence(minus, both + neither, plus, level)[1]
    return paired_difference(pairs, level)[1]


def result_settings(config: HuntConfig, parts: Mapping[str, Part]) -> dict[str, object]:
    """Return the settings of this run: those of parts as they were used, be it an object in place of a spec."""
    found = settings(config)
    for kind, name in itertools.product(KINDS, ("spec", "args")):
        if kind in parts:
            found[f"{kind}.{name}"] = parts[kind].identity[name]
        else:
            del found[f"{kind}.{name}"]
    return found


def unscored_reasons(observed: Iterable[Observation]) -> list[str]:
    """Return the reason of every unscored draw."""
    return [o.outcome.reason for o in observed if o.outcome.status == "unscored"]


def counted(reasons: Iterable[str] | Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Count reasons, most frequent first."""
    return tuple(sorted(Counter(reasons).items(), key=lambda c: (-c[1], c[0])))


def _failure_sentence(config: HuntConfig) -> str:
    if config.failure.target:
        return f"a draw fails when the classifier takes it for {brief(config.failure.target)!r}"
    highest = "the highest score" if config.failure.top == 1 else f"the {config.failure.top} highest scores"
    return f"a draw fails when no accepted label is among {highest} (top-{config.failure.top})"
