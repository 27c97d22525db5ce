"""What may be claimed of a finite set of photographs: hypotheses become findings without pairs and without seeds.

Comes in: the half of the set that tests, and which attributes each photograph of it has. Goes out: findings, confirmed
first. A pure function. Neighbours: `decide.py` is for drawn images; `statistics/finite.py` has the mathematics, and
`design/0016-finite-sets.md` says what is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foible.config import ConfirmOptions
from foible.findings import Assigned, Finding, OfSet, Rate, Ratio, Verdict
from foible.records import ANY, Answered, Hypothesis, Observation, Pairs, Tally, Trial
from foible.statistics import (
    Sample,
    Skill,
    Stratum,
    clopper_pearson,
    e_adjusted,
    independent_difference,
    log_association,
    log_association_beyond,
    log_difference,
    set_difference,
    set_rate,
)
from foible.trial.assigned import assigned_by, denied
from foible.trial.decide import corrected, ranked, rate, taken_for
from foible.trial.pairs import spoilt, tally

FAILING = 3
"""A finding needs so many different photographs that fail with the attribute: fewer may be wrong annotations."""
NO_PAIRS = Pairs(0, 0, 0, 0)
_HALF_OF_THE_ERROR = 0.975
"""Level of two intervals that hold together in 95 % of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The half of a set that tests."""

    seen: Sequence[Answered]
    """What became of those that were looked at."""
    bearing: Mapping[str, frozenset[str]]
    """By key: the attributes of every photograph of this half, looked at or not."""
    labels: Mapping[str, str]
    """By key: the label of each."""
    unsure: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By key: attributes of which it is open whether the photograph has them; it counts on neither side of these."""
    embedded: frozenset[str] = frozenset()
    """Groups of which an embedder says what photographs show: it may be wrong."""
    truth: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By key of a photograph that somebody checked: what it truly shows of some of these groups, "ground=on grass"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The photographs of a hypothesis's label, parted by its attributes."""

    treat: tuple[Observation, ...]
    control: tuple[Observation, ...]
    waiting: tuple[int, int]
    """How many of each were not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the counts of one hypothesis support."""

    trial: Trial
    sides: Sides
    evidence: float
    """Natural logarithm of an e-value."""
    adjusted: float
    """Its level after multiplicity."""
    barred: str
    """Why nothing may be claimed; empty where something may."""
    assigned: Assigned | None
    """How right an embedder is about its attributes; None where it gave none of them."""


def decide_set(
    hypotheses: Sequence[Hypothesis],
    half: Half,
    options: ConfirmOptions,
    examples: int,
    judge: tuple[Skill, Skill] | None = None,
) -> list[Finding]:
    """Give every hypothesis its verdict.

    confirmed: in the set the difference exceeds the margin, and chance does not explain it, with the false-discovery
    rate held at the level over every hypothesis tried (the smaller of both e-values, and e-BH). refuted: in the set the
    difference is at most the margin, surely. undecided: neither; or too few photographs, or too many unscored ones.

    Args:
        hypotheses: every one that was tried.
        half: what tests them.
        options: margin, level, least number of photographs, largest share of unscored ones.
        examples: how many failing and passing photographs a finding shows at most.
        judge: sensitivity and specificity of the judge; None where they are not known.
    """
    sides = [_sides(h, half) for h in hypotheses]
    trials = [
        Trial(hypothesis=h, treat=tally(s.treat), control=tally(s.control), pairs=NO_PAIRS)
        for h, s in zip(hypotheses, sides, strict=True)
    ]
    evidence = [_evidence(t, s, options.margin) for t, s in zip(trials, sides, strict=True)]
    assigned = [assigned_by(h, s.treat, s.control, half) for h, s in zip(hypotheses, sides, strict=True)]
    barred = [_barred(t, options) or denied(a, options) for t, a in zip(trials, assigned, strict=True)]
    counted = [-math.inf if why else e for e, why in zip(evidence, barred, strict=True)]
    weighed = (
        Weighed(trial=t, sides=s, evidence=e, adjusted=float(a), barred=b, assigned=g)
        for t, s, e, a, b, g in zip(trials, sides, evidence, e_adjusted(counted), barred, assigned, strict=True)
    )
    return ranked([_finding(one, options, examples, judge) for one in weighed])


def _sides(hypothesis: Hypothesis, half: Half) -> Sides:
    wanted = frozenset(hypothesis.treatment.words)
    own = [one for one in half.seen if hypothesis.label in {ANY, one.request.label}]
    bears = [_bears(wanted, one.request.key, half) for one in own]
    seen = [counted_for(hypothesis, one.seen_by(hypothesis.classifier)) for one in own]
    looked = {one.request.key for one in own}
    waiting = [
        _bears(wanted, key, half)
        for key in half.bearing
        if hypothesis.label in {ANY, half.labels[key]} and key not in looked
    ]
    return Sides(
        treat=tuple(o for o, has in zip(seen, bears, strict=True) if has),
        control=tuple(o for o, has in zip(seen, bears, strict=True) if has is False),
        waiting=(waiting.count(True), waiting.count(False)),
    )


def _bears(wanted: frozenset[str], key: str, half: Half) -> bool | None:
    """Tell whether a photograph has attributes; None where that is open."""
    if wanted <= half.bearing[key]:
        return True
    return None if wanted <= half.bearing[key] | half.unsure.get(key, frozenset()) else False


def counted_for(hypothesis: Hypothesis, observation: Observation) -> Observation:
    """Give what an observation is for a hypothesis: a failure into another class than it speaks of is none for it."""
    outcome = observation.outcome
    if not hypothesis.into or outcome.status != "failed" or outcome.predicted in hypothesis.into:
        return observation
    return replace(observation, outcome=replace(outcome, status="passed"))


def strata(treat: Sequence[Observation], control: Sequence[Observation]) -> list[Stratum]:
    """Count failures label by label: compared within labels, a hard label explains no attribute."""
    arms = [{label: tally(own) for label, own in _by_label(one).items()} for one in (treat, control)]
    none = Tally(draws=0, failures=0, unscored=0)
    pairs = [(arms[0].get(label, none), arms[1].get(label, none)) for label in sorted({*arms[0], *arms[1]})]
    return [Stratum(a.failures, a.scored, b.failures, b.scored) for a, b in pairs]


def _by_label(observations: Sequence[Observation]) -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = {}
    for one in observations:
        found.setdefault(one.request.label, []).append(one)
    return found


def _samples(trial: Trial, sides: Sides) -> tuple[Sample, Sample]:
    """Give what is known of both finite sets: of an unscored photograph nothing is, and it is in neither."""
    arms = zip((trial.treat, trial.control), sides.waiting, strict=True)
    treat, control = (Sample(arm.failures, arm.scored, arm.scored + waiting) for arm, waiting in arms)
    return treat, control


def _evidence(trial: Trial, sides: Sides, margin: float) -> float:
    """Return the log of an e-value against "the margin is not exceeded in this set, or chance explains it"."""
    weigh = log_association_beyond if trial.hypothesis.label == ANY else log_association
    chance = weigh(strata(sides.treat, sides.control))
    return min(log_difference(*_samples(trial, sides), margin), chance)


def _barred(trial: Trial, options: ConfirmOptions) -> str:
    """Say why nothing may be claimed, whatever the counts say; empty where something may."""
    treat, control = trial.treat, trial.control
    for arm, where in ((treat, "with it"), (control, "without it")):
        if arm.scored < options.photographs:
            many = f"{arm.scored} photograph{'' if arm.scored == 1 else 's'} {where}"
            return f"only {many} could be scored, and nothing is claimed from fewer than {options.photographs}"
    return spoilt(trial, options.unscored).replace("draws", "photographs").replace("the description", "it")


def _finding(weighed: Weighed, options: ConfirmOptions, examples: int, judge: tuple[Skill, Skill] | None) -> Finding:
    trial, sides = weighed.trial, weighed.sides
    treat, control = trial.treat, trial.control
    of_set = _of_set(*_samples(trial, sides))
    verdict, reason = _verdict(weighed, of_set, options)
    failed = [o.key for o in sides.treat if o.outcome.status == "failed"]
    passed = [o.key for o in sides.treat if o.outcome.status == "passed"]
    return Finding(
        trial=trial,
        verdict=verdict,
        reason=reason,
        p_value=math.exp(-max(weighed.evidence, 0.0)),
        adjusted=weighed.adjusted,
        treat=rate(treat),
        control=rate(control),
        difference=_difference(treat, control),
        ratio=_ratio(treat, control),
        treat_corrected=corrected(treat, judge, sequential=False),
        control_corrected=corrected(control, judge, sequential=False),
        confused_with=taken_for(sides.treat),
        failing=tuple(failed[:examples]),
        passing=tuple(passed[:examples]),
        of_set=of_set,
        assigned=weighed.assigned,
    )


def _difference(treat: Tally, control: Tally) -> Rate:
    known = treat.scored and control.scored
    value = treat.failures / treat.scored - control.failures / control.scored if known else None
    low, high = independent_difference((treat.failures, treat.scored), (control.failures, control.scored))
    return Rate(value=value, low=low, high=high)


def _ratio(treat: Tally, control: Tally) -> Ratio:
    """Return treat over control; its interval joins one of each rate, with half of the error."""
    ends = [clopper_pearson(arm.failures, arm.scored, _HALF_OF_THE_ERROR) for arm in (treat, control)]
    (treat_low, treat_high), (control_low, control_high) = ends
    low, high = treat_low / control_high, treat_high / control_low if control_low > 0 else math.inf
    known = treat.scored and control.failures
    value = treat.failures / treat.scored / (control.failures / control.scored) if known else None
    return Ratio(value=value, low=low, high=high if math.isfinite(high) else None)


def _of_set(treat: Sample, control: Sample) -> OfSet:
    def share(sample: Sample) -> float | None:
        return sample.failures / sample.n if sample.n else None

    rates = [Rate(value=share(one), low=low, high=high) for one in (treat, control) for low, high in (set_rate(one),)]
    low, high = set_difference(treat, control)
    known = None if rates[0].value is None or rates[1].value is None else rates[0].value - rates[1].value
    return OfSet(
        treat_size=treat.size,
        control_size=control.size,
        treat=rates[0],
        control=rates[1],
        difference=Rate(value=known, low=low, high=high),
        exhausted=treat.n == treat.size and control.n == control.size,
    )


def _verdict(weighed: Weighed, of_set: OfSet, options: ConfirmOptions) -> tuple[Verdict, str]:
    trial, adjusted, margin = weighed.trial, weighed.adjusted, f"{options.margin * 100:g}"
    treat, high = trial.treat, max(of_set.difference.high, 0.0)
    if weighed.barred:
        return "undecided", weighed.barred
    if high <= options.margin:
        return "refuted", f"in this set the difference is at most {high:.0%}, within the margin of {margin} points"
    if adjusted <= options.level:
        if treat.failures >= FAILING:
            held = f"adjusted p = {adjusted:.2g}, at most {options.level:g}"
            return "confirmed", f"in this set it exceeds the others by over {margin} points, and not by chance ({held})"
        few = "one photograph fails" if treat.failures == 1 else f"{treat.failures} photographs fail"
        return "undecided", f"only {few} with it, which may be annotated wrongly; {FAILING} different ones are needed"
    if of_set.exhausted:
        seen = f"all {treat.scored} photographs with it and {trial.control.scored} without it were looked at"
        return "undecided", f"the set is exhausted: {seen}, and chance may explain the difference"
    return "undecided", "the photographs looked at tell neither, and the budget holds no more"
