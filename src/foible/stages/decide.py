"""Trials become findings: a verdict, rates and intervals.

Comes in: tested hypotheses. Goes out: findings, confirmed first. A pure function of the counts. Neighbours:
`statistics/` has the mathematics, `explain.py` adds which words carry a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from foible.config import ConfirmOptions
from foible.records import Finding, Observation, Rate, Tally, Trial, Verdict
from foible.stages.confirm import Tested
from foible.statistics import benjamini_hochberg, newcombe_paired, paired_margin_p, wilson

ORDER: dict[Verdict, int] = {"confirmed": 0, "undecided": 1, "refuted": 2}


def decide(tested: Sequence[Tested], options: ConfirmOptions, examples: int) -> list[Finding]:
    """Give every tested hypothesis its verdict.

    confirmed: the exact paired test says that the failure rate exceeds the base rate by more than the margin, after
    Benjamini-Hochberg over every hypothesis tried. refuted: the whole interval of the difference lies at or below the
    margin. undecided: neither, or too many pairs are unscored.

    Args:
        tested: every hypothesis that was tried; leaving one out would break the multiplicity.
        options: margin, level, and the largest share of unscored pairs.
        examples: how many failing and passing draws a finding shows at most.
    """
    p_values = [paired_margin_p(t.trial.pairs[1], t.trial.pairs[2], sum(t.trial.pairs), options.margin) for t in tested]
    adjusted = benjamini_hochberg(p_values)
    findings = [_finding(t, p, float(q), options, examples) for t, p, q in zip(tested, p_values, adjusted, strict=True)]
    return sorted(
        findings,
        key=lambda f: (
            ORDER[f.verdict],
            -(f.difference.value or 0.0),
            f.trial.hypothesis.label,
            f.trial.hypothesis.phrases,
        ),
    )


def rate(tally: Tally) -> Rate:
    """Return failures over scored draws with a Wilson interval at 95 %."""
    low, high = wilson(tally.failures, tally.scored)
    return Rate(tally.failures / tally.scored if tally.scored else None, low, high)


def _finding(tested: Tested, p: float, adjusted: float, options: ConfirmOptions, examples: int) -> Finding:
    trial = tested.trial
    _, only_treat, only_control, _ = trial.pairs
    scored = sum(trial.pairs)
    low, high = newcombe_paired(*trial.pairs)
    difference = Rate((only_treat - only_control) / scored if scored else None, low, high)
    verdict, reason = _verdict(trial, adjusted, difference, options)
    controls = {o.draw.seed: o.draw.key for o in tested.control}
    failed = _with(tested.treat, "failed")
    shown = failed[:examples]
    confused = Counter(o.outcome.predicted for o in failed if o.outcome.predicted is not None)
    return Finding(
        trial,
        verdict,
        reason,
        p,
        adjusted,
        rate(trial.treat),
        rate(trial.control),
        difference,
        tuple(sorted(confused.items(), key=lambda c: (-c[1], c[0]))),
        tuple(o.draw.key for o in shown),
        tuple(o.draw.key for o in _with(tested.treat, "passed")[:examples]),
        tuple(controls[o.draw.seed] for o in shown),
    )


def _with(observations: Sequence[Observation], status: str) -> list[Observation]:
    return [o for o in observations if o.outcome.status == status]


def _verdict(trial: Trial, adjusted: float, difference: Rate, options: ConfirmOptions) -> tuple[Verdict, str]:
    scored, pairs = sum(trial.pairs), trial.treat.draws
    if scored == 0:
        return "undecided", f"none of {pairs} pairs is scored on both sides"
    if pairs - scored > options.unscored * pairs:
        return (
            "undecided",
            f"{pairs - scored} of {pairs} pairs are unscored, more than the {options.unscored:.0%} allowed",
        )
    if adjusted <= options.level:
        return "confirmed", (
            f"the failure rate exceeds the base rate by more than {options.margin:.0%} "
            f"(adjusted p = {adjusted:.2g}, at most {options.level:g})"
        )
    if difference.high <= options.margin:
        return "refuted", f"the difference is at most {difference.high:.0%}, within the margin of {options.margin:.0%}"
    return "undecided", f"{scored} pairs cannot tell the difference from the margin of {options.margin:.0%}"
