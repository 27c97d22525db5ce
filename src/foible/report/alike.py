"""The English of classes that may be the same thing as a label.

Comes in: a result. Goes out: sentences in plain text or in spans, and lines for a terminal. Neighbours:
`trial/accepting.py` says which classes these are; `sentences.py` says single findings.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from foible.report.claims import apart
from foible.report.sentences import Span
from foible.report.words import by, class_name, count, interval, percent, points, points_interval, printable, shorten

if TYPE_CHECKING:
    from foible.findings import Alike, HuntResult, Remaining

MOST = 20
"""Classes that are shown; findings.json has the others."""
_LONGEST = 160
_FLAG = 300
"""Characters of a flag; a label that is longer is not shown, since a part of it would be another one."""
_IN_LINES = 3


def alike_sentence(one: Alike, result: HuntResult) -> str:
    """Say why a class may be the same as a label, how to accept it, and what is left of each finding then."""
    return "".join(f"“{s.text}”" if s.role == "description" else s.text for s in alike_spans(one, result))


def alike_spans(one: Alike, result: HuntResult) -> tuple[Span, ...]:
    """Say the same in pieces."""
    who = by(one.classifier, result)
    lead = [Span(who, "classifier"), Span(": ")] if who else []
    label, name = Span(shorten(one.label, _LONGEST), "label"), Span(_name(one, result), "confusion")
    joint, claim = (" and ", " may be the same thing: ") if one.named else (" is taken for ", ": ")
    pieces = [label, Span(joint), name, Span(f"{claim}{', and '.join(_reasons(one))}. "), *_accept(one, result)]
    for left in one.remaining:
        pieces += _remaining(left, result)
    return (*lead, *pieces)


def alike_lines(result: HuntResult) -> list[str]:
    """Say in a line each which classes may be the same as a label that has a finding, and how to accept them."""
    told = [one for one in result.alike if one.remaining]
    lines = []
    for one in told[:_IN_LINES]:
        who = by(one.classifier, result)
        changes = ", ".join(
            f"{points(result.findings[left.finding].difference.value)} becomes {points(left.difference.value)}"
            for left in one.remaining[:_IN_LINES]
        )
        flag = f"accept with {_flag(one)}" if 0 < len(one.accept) <= _FLAG else f"accept class {one.index}"
        lead = f"{who}: " if who else ""
        lines.append(f"{lead}{shorten(one.label, 60)} = {_name(one, result, 60)}? {flag} ({changes} points)")
    more = len(told) - _IN_LINES
    return [*lines, f"and {count(more, 'more class', 'more classes')} that may be the same"] if more > 0 else lines


def _reasons(one: Alike) -> list[str]:
    said = []
    if one.share is not None:
        said.append(f"annotators saw both in {percent(one.share)} of the label's pictures")
    elif one.named:
        said.append("one is named as the kind of the other")
    if one.taken or not said:
        drawn = f"{one.taken:,} of {count(one.scored, 'draw')} without any description"
        share = f"({percent(one.rate.value)} {interval(one.rate)})"
        said.append(f"{drawn} were taken for it {share}" if one.named else f"in {drawn} {share}")
    return said


def _accept(one: Alike, result: HuntResult) -> list[Span]:
    alone = " for this classifier alone" if len(result.classifiers) > 1 else ""
    if not one.accept or len(one.accept) > _FLAG:
        return [Span(f"If it is right for the label too, list class {one.index} among the label's.")]
    return [Span("If it is right for the label too, accept it with "), Span(_flag(one), "label"), Span(f"{alone}.")]


def _remaining(left: Remaining, result: HuntResult) -> list[Span]:
    finding = result.findings[left.finding]
    before = f"{points(finding.difference.value)} points ({apart(finding, result)})"
    after = f"{points(left.difference.value)} {points_interval(left.difference)}"
    words = Span(shorten(finding.trial.hypothesis.description, _LONGEST), "description")
    treat, control = (f"{percent(of.value)} {interval(of)}" for of in (left.treat, left.control))
    said = f" raises the failure rate by {after} in place of {before}: to {treat} against {control}."
    return [Span(" Then "), words, Span(said)]


def _flag(one: Alike) -> str:
    return f"--label {shlex.quote(printable(one.accept))}"


def _name(one: Alike, result: HuntResult, limit: int = _LONGEST) -> str:
    return class_name(one.index, result, one.classifier, limit)
