"""The English, and the table, of what confirmed findings have in common.

Comes in: a result. Goes out: sentences in plain text or in spans, and the cells of the table of causes and labels.
Neighbours: `sentences.py` says single findings; `markdown.py`, `html.py` with `causes.html`, and the command line lay
out what is made here; `explanation/causes.py` groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foible.report.sentences import Span
from foible.report.words import by, count, label_name, listed, points, probability, shorten

if TYPE_CHECKING:
    from foible.findings import Cause, Finding, HuntResult

_LONGEST = 160
_IN_A_LINE = 60
_NAMED = 8
"""Labels that a sentence names of one verdict."""
WIDEST, LONGEST = 8, 40
"""Causes and labels of a table; findings.json has the others."""
_SAID = {
    "together": "All its phrases are needed",
    "alone": "One phrase less does it too",
    "open": "Whether it needs all its phrases is open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One label under one cause."""

    verdict: str
    """`confirmed`, `undecided`, `refuted` or `not tested`."""
    points: str = ""
    """How many points more often it fails; of a confirmed one alone."""
    card: int = 0
    """Place of the finding among the confirmed ones, counted from 1; 0 where it is none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Causes by labels, of one classifier."""

    who: str
    """The classifier, where there are several."""
    causes: tuple[Cause, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    """(label, a cell for each cause): each label for which one of these causes was tested."""
    more_causes: int
    more_labels: int


def matrices(result: HuntResult) -> list[Matrix]:
    """Make a table for each classifier with causes; none where there is nothing to see beside a single finding."""
    own = [[c for c in result.causes if c.classifier == place] for place in range(len(result.classifiers))]
    return [_matrix(causes, result) for causes in own if sum(len(c.tested) for c in causes) > 1]


def cause_sentence(cause: Cause, result: HuntResult) -> str:
    """Say for which labels a cause was tested, and what came of it; the phrases stand in “quotes”."""
    return "".join(f"“{s.text}”" if s.role == "description" else s.text for s in cause_spans(cause, result))


def cause_spans(cause: Cause, result: HuntResult) -> tuple[Span, ...]:
    """Say the same in pieces."""
    who = by(cause.classifier, result)
    lead = [Span(who, "classifier"), Span(": ")] if who else []
    pieces = [Span(shorten(cause.treatment.description, _LONGEST), "description")]
    for verdict, said in (
        ("confirmed", " is confirmed for "),
        ("undecided", "undecided for "),
        ("refuted", "refuted for "),
    ):
        names = [_label(t.finding, result) for t in cause.tested if t.verdict == verdict]
        if names:
            pieces += [Span(said if verdict == "confirmed" else f"; {said}"), *_labels(names)]
    left = len(result.labels) - len(cause.tested)
    if left > 0:
        pieces.append(Span(f"; not tested for {count(left, 'other label')}"))
    return (*lead, *pieces, Span("."))


def cause_lines(result: HuntResult) -> list[str]:
    """Name the causes in a line, for each classifier: "3 causes: in rain (5 labels), from above (4), far away (2)"."""
    lines = []
    for table in matrices(result):
        every = len(table.causes) + table.more_causes
        held = [_held(cause, result) for cause in table.causes]
        often = [count(held[0], "label"), *map(str, held[1:])]
        names = [shorten(cause.treatment.description, _IN_A_LINE) for cause in table.causes]
        named = [f"{name} ({number})" for name, number in zip(names, often, strict=True)]
        more = [f"{table.more_causes} more"] if table.more_causes else []
        who = f"{table.who}: " if table.who else ""
        lines.append(f"{who}{count(every, 'cause')}: {', '.join([*named, *more])}")
    return lines


def carrier_spans(finding: Finding) -> tuple[Span, ...]:
    """Say which phrases carry a finding; nothing where it has one phrase, or is not confirmed."""
    carrier = finding.carrier
    if carrier is None:
        return ()
    lead = Span(_SAID[carrier.kind])
    if carrier.kind == "together":
        how = f": it fails more often than with any phrase dropped (adjusted p = {probability(carrier.together)})."
        return (lead, Span(how))
    if carrier.kind == "alone":
        what = Span(shorten(carrier.treatment.description, _LONGEST), "description")
        how = f" alone fails more often than the base prompt (adjusted p = {probability(carrier.alone)}), and it is not"
        return (lead, Span(": "), what, Span(f"{how} shown that the whole fails more often than each part."))
    return (lead, Span(": the draws with a phrase dropped do not tell."))


def _matrix(causes: list[Cause], result: HuntResult) -> Matrix:
    shown = causes[:WIDEST]
    verdicts = [{test.label: test for test in cause.tested} for cause in shown]
    order = {label.name: place for place, label in enumerate(result.labels)}
    tested = {test.label: test.finding for cause in shown for test in cause.tested}
    labels = sorted(tested, key=lambda label: (order.get(label, len(order)), label))
    rows = []
    for label in labels[:LONGEST]:
        tests = [own.get(label) for own in verdicts]
        cells = tuple(Cell(verdict="not tested") if t is None else _cell(t.verdict, t.finding, result) for t in tests)
        rows.append((_label(tested[label], result), cells))
    return Matrix(
        who=by(causes[0].classifier, result),
        causes=tuple(shown),
        rows=tuple(rows),
        more_causes=len(causes) - len(shown),
        more_labels=max(len(labels) - LONGEST, 0),
    )


def _cell(verdict: str, place: int, result: HuntResult) -> Cell:
    finding = result.findings[place]
    if verdict != "confirmed" or finding.verdict != "confirmed":
        return Cell(verdict=verdict)
    card = sum(f.verdict == "confirmed" for f in result.findings[: place + 1])
    return Cell(verdict=verdict, points=points(finding.difference.value), card=card)


def _held(cause: Cause, result: HuntResult) -> int:
    """Count the labels that fail for this cause."""
    return len({result.findings[place].trial.hypothesis.label for place in cause.findings})


def _label(place: int, result: HuntResult) -> str:
    return label_name(result.findings[place].trial.hypothesis, result, _LONGEST)


def _labels(names: list[str]) -> list[Span]:
    shown = names[:_NAMED]
    rest = [count(len(names) - _NAMED, "other label")] if len(names) > _NAMED else []
    pieces: list[Span] = []
    for at, name in enumerate(shown):
        joint = "" if not at else " and " if at == len(shown) - 1 and not rest else ", "
        pieces += [Span(joint), Span(name, "label")] if joint else [Span(name, "label")]
    return [*pieces, Span(f" and {listed(rest)}")] if rest else pieces
