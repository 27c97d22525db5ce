"""What confirmed findings have in common: one cause may be many bugs.

Comes in: findings with the draws of their dropped phrases. Goes out: which phrases of a description carry its failure,
and the findings grouped by these. Pure functions; nothing here changes a verdict. Neighbours: `words.py` drops the
phrases; `design/0014` says what may be claimed of a pair, and with what error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from foible.findings import Carrier, Cause, CauseTest, Counterfactual, Finding
from foible.records import Tally, Treatment
from foible.statistics import higher_p, holm
from foible.trial.decide import ORDER

_ARTICLES = frozenset({"a", "an", "the"})


def with_carriers(findings: Sequence[Finding], level: float, unscored: float) -> list[Finding]:
    """Say of every confirmed description of several phrases which of them carry the failure.

    The measured draws with the whole description are held against the draws with one phrase dropped, by Fisher's exact
    one-sided test: seeds differ, and neither number hangs on what was seen of these draws. All phrases are needed where
    the whole fails more often than each rest: the largest of these p-values is one for all of them together
    (an intersection-union test). Else the rest that fails most carries it, where it fails more often than the base
    prompt (times the number of rests, since the one that fails most was picked). Holm's correction over all such
    findings holds the chance of any wrong claim of either kind at the level.

    Args:
        findings: of every classifier.
        level: of both claims, between 0 and 1.
        unscored: a rest with a larger share of unscored draws says nothing.
    """
    open_ = [f for f in findings if f.verdict == "confirmed" and len(f.trial.hypothesis.treatment.words) > 1]
    rests = [_rests(f, unscored) for f in open_]
    together = holm([_together(f, own) for f, own in zip(open_, rests, strict=True)])
    alone = holm([_alone(f, own) for f, own in zip(open_, rests, strict=True)])
    carriers = {
        id(f): _carrier(f, own, (float(p), float(q)), level)
        for f, own, p, q in zip(open_, rests, together, alone, strict=True)
    }
    return [replace(f, carrier=carriers.get(id(f))) for f in findings]


def causes_of(findings: Sequence[Finding], labels: Iterable[str]) -> tuple[Cause, ...]:
    """Group confirmed findings by the phrases that carry them, for each classifier on its own.

    Args:
        findings: with carriers, in the order of the result.
        labels: in the order of the run.
    """
    groups: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for place, finding in enumerate(findings):
        if finding.verdict == "confirmed":
            groups.setdefault(_key(finding, carried_by(finding)), []).append(place)
    order = {label: place for place, label in enumerate(labels)}
    found = [_cause(findings, members, order) for members in groups.values()]
    return tuple(
        sorted(
            found,
            key=lambda c: (
                c.classifier,
                -len({findings[place].trial.hypothesis.label for place in c.findings}),
                c.findings,
            ),
        )
    )


def carried_by(finding: Finding) -> Treatment:
    """Give the phrases that carry a finding, as far as the draws show."""
    return finding.carrier.treatment if finding.carrier else finding.trial.hypothesis.treatment


def _rests(finding: Finding, unscored: float) -> list[Counterfactual]:
    """Give what is left of a description with each phrase dropped in turn; nothing where one of them says nothing."""
    dropped = {one.phrase: one for one in finding.counterfactuals if one.change == "drop"}
    rests = [dropped[phrase] for phrase in finding.trial.hypothesis.treatment.words if phrase in dropped]
    told = all(one.tally.unscored <= unscored * one.tally.draws for one in rests)
    return rests if told and len(rests) == len(finding.trial.hypothesis.treatment.words) else []


def _together(finding: Finding, rests: Sequence[Counterfactual]) -> float:
    whole = finding.measured
    return max((_higher(whole.treat, rest.tally) for rest in rests), default=1.0) if whole else 1.0


def _alone(finding: Finding, rests: Sequence[Counterfactual]) -> float:
    base = finding.measured
    return min(1.0, len(rests) * _higher(_worst(rests).tally, base.control)) if base and rests else 1.0


def _higher(one: Tally, other: Tally) -> float:
    return higher_p(one.failures, one.scored, other.failures, other.scored)


def _worst(rests: Sequence[Counterfactual]) -> Counterfactual:
    """Give the rest that fails most; of equals the one with the most scored draws, then the first."""
    return max(rests, key=lambda rest: (rest.rate.value or 0.0, rest.tally.scored))


def _carrier(finding: Finding, rests: Sequence[Counterfactual], claims: tuple[float, float], level: float) -> Carrier:
    together, alone = claims
    whole = finding.trial.hypothesis.treatment
    if together <= level:
        return Carrier(kind="together", treatment=whole, together=together, alone=alone)
    if alone <= level:
        return Carrier(kind="alone", treatment=_worst(rests).treatment, together=together, alone=alone)
    return Carrier(kind="open", treatment=whole, together=together, alone=alone)


def _key(finding: Finding, treatment: Treatment) -> tuple[int, tuple[str, ...]]:
    """Give what two findings of one cause share: the classifier, and the phrases without articles, in any order."""
    bare = (" ".join(word for word in phrase.split() if word not in _ARTICLES) for phrase in treatment.words)
    return finding.trial.hypothesis.classifier, tuple(sorted(bare))


def _cause(findings: Sequence[Finding], members: Sequence[int], order: dict[str, int]) -> Cause:
    first = findings[members[0]]  # they stand in the order of the largest difference
    key = _key(first, carried_by(first))
    own = [place for place, f in enumerate(findings) if _key(f, f.trial.hypothesis.treatment) == key]
    tested: dict[str, int] = {}
    # Of one label those that it carries come first, then confirmed before undecided before refuted.
    for place in (*members, *sorted(own, key=lambda place: (ORDER[findings[place].verdict], place))):
        tested.setdefault(findings[place].trial.hypothesis.label, place)
    return Cause(
        classifier=key[0],
        treatment=carried_by(first),
        findings=tuple(members),
        tested=tuple(
            CauseTest(label=label, verdict=findings[place].verdict, finding=place)
            for label, place in sorted(tested.items(), key=lambda item: order.get(item[0], len(order)))
        ),
    )
