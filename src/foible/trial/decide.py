"""Trials become findings: a verdict, rates and intervals.

Comes in: tested hypotheses. Goes out: findings, confirmed first. A pure function of the counts. Neighbours:
`statistics/` has the mathematics, `explanation/words.py` adds which words carry a failure.

How many pairs a hypothesis got decides what may be said of them: at a number that was fixed beforehand an exact test
and intervals of fixed n, at a number that depends on what was seen evidence and intervals that hold at all times. The
interval of the difference is the one that the verdict rests on (`design/0015`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from foible.config import ConfirmOptions, HuntConfig
from foible.findings import Finding, Rate, Ratio, Verdict
from foible.records import Observation, Pairs, Tally, Trial
from foible.statistics import (
    Skill,
    benjamini_hochberg,
    clopper_pearson,
    difference_lower,
    difference_sequence,
    e_adjusted,
    log_evidence,
    paired_difference,
    paired_lower,
    paired_margin_p,
    paired_ratio,
    rate_sequence,
    unpolluted_rate,
)
from foible.trial.pairs import Tested, spoilt

ONE_SIDE = 0.025
"""Chance of error of one end of a 95 % interval."""
ORDER: dict[Verdict, int] = {"confirmed": 0, "undecided": 1, "refuted": 2}


def decide(
    tested: Sequence[Tested], options: ConfirmOptions, examples: int, judge: tuple[Skill, Skill] | None = None
) -> list[Finding]:
    """Give every tested hypothesis its verdict.

    confirmed: the failure rate exceeds the base rate by more than the margin, with the false-discovery rate held at the
    level over every hypothesis tried (fixed: exact paired test and Benjamini-Hochberg; sequential: e-values and e-BH).
    refuted: the whole interval of the difference lies at or below the margin. undecided: neither, or too many draws are
    unscored: then the hypothesis counts as one without evidence before the multiplicity is worked out, since one that
    was struck off afterwards would have made the others' bar too low.

    Args:
        tested: every hypothesis that was tried; leaving one out would break the multiplicity.
        options: method, margin, level, and the largest share of unscored pairs.
        examples: how many failing and passing draws a finding shows at most.
        judge: sensitivity and specificity of the judge, for the corrected rates; None where they are not known.
    """
    weighed = _weigh_fixed(tested, options) if options.method == "fixed" else _weigh_sequential(tested, options)
    findings = [
        replace(
            _finding(t, w, options, examples),
            treat_corrected=corrected(t.trial.treat, judge, sequential=options.method == "sequential"),
            control_corrected=corrected(t.trial.control, judge, sequential=options.method == "sequential"),
        )
        for t, w in zip(tested, weighed, strict=True)
    ]
    return ranked(findings)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Put findings into their order: confirmed first, and within a verdict the largest difference."""
    return sorted(
        findings,
        key=lambda f: (
            ORDER[f.verdict],
            -(f.difference.value or 0.0),
            f.trial.hypothesis.label,
            f.trial.hypothesis.treatment.words,
            f.trial.hypothesis.classifier,
        ),
    )


def rate(tally: Tally) -> Rate:
    """Return failures over scored draws with an exact interval at 95 %."""
    low, high = clopper_pearson(tally.failures, tally.scored)
    return Rate(value=tally.failures / tally.scored if tally.scored else None, low=low, high=high)


def skill(config: HuntConfig) -> tuple[Skill, Skill] | None:
    """Return sensitivity and specificity of the judge; None where nobody measured them.

    In the targeted mode too: an image without its label is not taken for the target almost surely, and the correction
    rests on that.
    """
    seen = config.judge.labelled
    if not seen.shown_n or config.failure.target:
        return None
    return Skill(seen.shown_yes, seen.shown_n), Skill(seen.absent_no, seen.absent_n)


def corrected(counts: Tally, judge: tuple[Skill, Skill] | None, *, sequential: bool) -> Rate | None:
    """Return the failure rate on faithful images: without those that the judge let through (`design/0005`).

    Args:
        counts: of one arm.
        judge: its sensitivity and specificity; None where they are not known.
        sequential: whether the number of draws depended on what was seen.
    """
    if judge is None:
        return None
    cells = (counts.failures, counts.scored - counts.failures, counts.unfaithful)
    estimate = unpolluted_rate(cells, judge, sequential=sequential)
    value, low, high = (None, 0.0, 1.0) if estimate is None else estimate
    return Rate(value=value, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What the counts of one hypothesis support."""

    p_value: float
    adjusted: float
    risk: float
    """Chance of error of the lower end of the difference."""
    treat: Rate
    control: Rate
    difference: Rate


def _weigh_fixed(tested: Sequence[Tested], options: ConfirmOptions) -> list[_Weighed]:
    trials = [t.trial for t in tested]
    p_values = [paired_margin_p(t.pairs.only_treat, t.pairs.only_control, sum(t.pairs), options.margin) for t in trials]
    adjusted = benjamini_hochberg(
        [1.0 if spoilt(t, options.unscored) else p for t, p in zip(trials, p_values, strict=True)]
    )
    share = _share(adjusted, options.level)
    weighed = []
    for t, p, q in zip(trials, p_values, adjusted, strict=True):
        low, high = paired_difference(t.pairs)
        risk = share if q <= options.level else ONE_SIDE
        if q <= options.level:
            low = paired_lower(t.pairs.only_treat, t.pairs.only_control, sum(t.pairs), options.margin, risk)
        gap = difference_of(t, _with_verdict(low, high, options, confirmed=q <= options.level))
        weighed.append(
            _Weighed(
                p_value=p, adjusted=float(q), risk=risk, treat=rate(t.treat), control=rate(t.control), difference=gap
            )
        )
    return weighed


def _weigh_sequential(tested: Sequence[Tested], options: ConfirmOptions) -> list[_Weighed]:
    trials = [t.trial for t in tested]
    weighed = []
    evidence = [
        log_evidence(p.only_control, p.both_failed + p.both_passed, p.only_treat, options.margin)
        for p in (t.pairs for t in trials)
    ]
    counted = [-math.inf if spoilt(t, options.unscored) else e for t, e in zip(trials, evidence, strict=True)]
    adjusted = e_adjusted(counted)
    share = _share(adjusted, options.level)
    for t, log_e, q in zip(trials, evidence, adjusted, strict=True):
        risk = share if q <= options.level else ONE_SIDE
        gap = difference_of(t, _with_verdict(*at_all_times(t.pairs, risk), options, confirmed=q <= options.level))
        p_value = math.exp(-max(log_e, 0.0))  # the inverse of an e-value is a p-value (Markov)
        rates = running(t.treat), running(t.control)
        weighed.append(
            _Weighed(p_value=p_value, adjusted=float(q), risk=risk, treat=rates[0], control=rates[1], difference=gap)
        )
    return weighed


def _share(adjusted: Iterable[float], level: float) -> float:
    """Return the chance of error for the bound of each that is confirmed: the level, times their share of all tried.

    It is what each of them had to pass (Benjamini-Hochberg, and e-BH), so that its bound lies above the margin exactly
    where it is confirmed; and of those confirmed at most a share of `level` has a bound that is wrong, on average.
    """
    passed = [float(q) <= level for q in adjusted]
    return level * sum(passed) / max(len(passed), 1)


def _with_verdict(low: float, high: float, options: ConfirmOptions, *, confirmed: bool) -> tuple[float, float]:
    """Keep the lower end on the side of the margin on which the verdict is.

    Of one that is not confirmed the two-sided interval may lie above the margin, as it makes no allowance for the
    others that were tried; lowering its end takes nothing from what it covers. Of a confirmed one only the last bit of
    a bound that was narrowed down is at stake.
    """
    return (max(low, options.margin) if confirmed else min(low, options.margin)), high


def at_all_times(pairs: Pairs, risk: float) -> tuple[float, float]:
    """Return an interval of the difference that holds at all times at once.

    Args:
        pairs: so far.
        risk: chance of error of the lower end; that of the upper end is 2.5 %.
    """
    counts = pairs.only_control, pairs.both_failed + pairs.both_passed, pairs.only_treat
    return difference_lower(*counts, risk), difference_sequence(*counts)[1]


def running(counts: Tally) -> Rate:
    """Return failures over scored draws with an interval that holds at all times at once."""
    low, high = rate_sequence(counts.failures, counts.scored)
    return Rate(value=counts.failures / counts.scored if counts.scored else None, low=low, high=high)


def difference_of(trial: Trial, interval: tuple[float, float]) -> Rate:
    """Return treat minus control over the pairs of a trial, with an interval that was worked out for them."""
    scored = sum(trial.pairs)
    value = (trial.pairs.only_treat - trial.pairs.only_control) / scored if scored else None
    return Rate(value=value, low=interval[0], high=interval[1])


def ratio_of(treat: Rate, control: Rate, difference: Rate) -> Ratio:
    """Return treat over control; its interval follows from those of the difference and the control rate."""
    low, high = paired_ratio((difference.low, difference.high), (control.low, control.high))
    value = None if treat.value is None or not control.value else treat.value / control.value
    return Ratio(value=value, low=low, high=high if math.isfinite(high) else None)


def _finding(tested: Tested, weighed: _Weighed, options: ConfirmOptions, examples: int) -> Finding:
    trial = tested.trial
    verdict, reason = _verdict(trial, weighed, options)
    controls = {o.request.seed: o.key for o in tested.control}
    failed = _with(tested.treat, "failed")
    shown = failed[:examples]
    return Finding(
        trial=trial,
        verdict=verdict,
        reason=reason,
        p_value=weighed.p_value,
        adjusted=weighed.adjusted,
        treat=weighed.treat,
        control=weighed.control,
        difference=weighed.difference,
        risk=weighed.risk,
        ratio=ratio_of(weighed.treat, weighed.control, weighed.difference),
        confused_with=taken_for(failed),
        failing=tuple(o.key for o in shown),
        passing=tuple(o.key for o in _with(tested.treat, "passed")[:examples]),
        paired=tuple(controls[o.request.seed] for o in shown),
    )


def taken_for(observations: Sequence[Observation]) -> tuple[tuple[int, int], ...]:
    """Count what the failures among observations were predicted as, most frequent first."""
    failed = _with(observations, "failed")
    confused = Counter(o.outcome.predicted for o in failed if o.outcome.predicted is not None)
    return tuple(sorted(confused.items(), key=lambda c: (-c[1], c[0])))


def _with(observations: Sequence[Observation], status: str) -> list[Observation]:
    return [o for o in observations if o.outcome.status == status]


def _verdict(trial: Trial, weighed: _Weighed, options: ConfirmOptions) -> tuple[Verdict, str]:
    scored, pairs, margin = sum(trial.pairs), trial.treat.draws, f"{options.margin:.0%}"
    adjusted, high = weighed.adjusted, weighed.difference.high
    if scored == 0:
        return "undecided", f"none of {pairs} pairs is scored on both sides" if pairs else "no pair was drawn for it"
    lost = spoilt(trial, options.unscored)
    if lost:
        return "undecided", lost
    if adjusted <= options.level:
        held = f"adjusted p = {adjusted:.2g}, at most {options.level:g}"
        return "confirmed", f"the failure rate exceeds the base rate by more than {margin} ({held})"
    if high <= options.margin:
        return "refuted", f"the difference is at most {high:.0%}, within the margin of {margin}"
    open_ = f"{scored} pairs cannot tell the difference from the margin of {margin}"
    if options.method == "sequential" and pairs < options.most:
        open_ = f"{scored} pairs tell neither, and no more were drawn: too dear, or beyond the budget"
    return "undecided", _no_room(trial, weighed.control, options.margin) or open_


def _no_room(trial: Trial, control: Rate, margin: float) -> str:
    """Say that the base prompt fails so often that nothing exceeds it by the margin; empty where there is room."""
    value = control.value or 0.0
    room = 1.0 - margin - 1e-12  # 0.9 + 0.1 is 1, whatever the last bit says
    nothing = "nothing can fail more often" + (f" by over {margin * 100:g} points" if margin else "")
    if control.low >= room:
        return f"the base prompt fails in {math.floor(round(100 * value, 6))} % of draws, so that {nothing}"
    if value >= room:
        failed = f"{trial.control.failures} of its {trial.control.scored} draws here"
        return f"the base prompt failed in {failed}; where it fails that often, {nothing}"
    return ""
