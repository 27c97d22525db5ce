"""`findings.md`: a result as Markdown, to be read in a terminal, a review or an issue.

Comes in: a `HuntResult`. Goes out: text in which nothing that a model or a stranger wrote is markup. Neighbours:
`sentences.py` has the English, `html.py` the page with pictures.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from foible.report.alike import MOST, alike_spans
from foible.report.bases import base_sentence, base_title
from foible.report.causes import carrier_spans, cause_spans, matrices
from foible.report.claims import apart
from foible.report.guided import GUIDED_HEAD, guided_rows, guided_sentence, unled
from foible.report.misdrawn import MISDRAWN_HEAD, misdrawn, misdrawn_sentence
from foible.report.misdrawn import MOST as MOST_MISDRAWN
from foible.report.notes import notes
from foible.report.photographs import doubtful, facts, most_confused, unlike
from foible.report.pilots import pilot_line
from foible.report.sentences import (
    bound_of,
    headline,
    left_out,
    spans,
    summary,
    title,
)
from foible.report.steps import next_step
from foible.report.taken import confusions, shared_highest
from foible.report.terms import DRAWS, terms
from foible.report.words import (
    as_sentence,
    by,
    class_name,
    count,
    interval,
    percent,
    points,
    printable,
    probability,
    shorten,
    stopped,
)
from foible.report.words import parts as parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from foible.findings import Counterfactual, Finding, HuntResult, LabelSummary, Rate
    from foible.records import Tally
    from foible.report.sentences import Span

_LONGEST = 400
_PROSE = 4000
"""Of our own sentences, in which every name is cut already."""
_SHOWN = 4
"""Failing draws of a label that fails by itself."""
_MARKS = re.compile(r"[\\`*_\[\]|~$@#]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_AT_START = re.compile(r"^(\d*)([-+=#.)])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def to_markdown(result: HuntResult) -> str:
    """Write a result as the text of `findings.md`, with one newline at the end."""
    confirmed = [f for f in result.findings if f.verdict == "confirmed"]
    others = [f for f in result.findings if f.verdict != "confirmed"]
    blocks = [f"# {escape(headline(result))}", escape(summary(result), _PROSE), _draws(result)]
    blocks += [f"Next. {escape(step)}"] if (step := next_step(result)) else []
    blocks += _set(result)
    if result.base_failures:
        blocks.append(f"## {terms(result).failing}")
        for one in result.base_failures:
            blocks += _base_failure(one, result)
    blocks += _causes(result)
    if result.alike:
        more = [f"And {len(result.alike) - MOST} more in findings.json."] if len(result.alike) > MOST else []
        shown = _list_of(alike_spans(one, result) for one in result.alike[:MOST])
        blocks += ["## Classes that may be the same thing", shown, *more]
    if confirmed:
        blocks.append("## Confirmed")
        for place, finding in enumerate(confirmed, 1):
            blocks += _finding(place, finding, result)
    if others:
        blocks += ["## Tried and not confirmed", _others(others, result)]
    if result.untested:
        blocks += ["## Left out by the budget", _list_of(left_out(one, result) for one in result.untested)]
    if result.explored:
        blocks += [f"## {terms(result).whole}", _explored(result)]
    blocks += _guided(result)
    blocks += _misdrawn(result)
    blocks += ["## What failed means", escape(as_sentence(result.failure))]
    if result.unscored:
        rows = [(escape(reason), f"{number:,}") for reason, number in result.unscored]
        blocks += [f"## Unscored {terms(result).image}s", _table(("reason", f"{terms(result).image}s"), rows)]
    parts = [(escape(kind), _value(identity)) for kind, identity in parts_of(result)]
    settings = [(escape(name), _value(value)) for name, value in result.settings.items()]
    blocks += ["## Parts", _table(("part", "identity"), parts), "## Settings", _table(("setting", "value"), settings)]
    blocks.append(f"Made by foible {escape(result.foible_version)}.")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _misdrawn(result: HuntResult) -> Iterable[str]:
    """List the prompts of which the generator may draw something else."""
    if not (some := misdrawn(result)):
        return []
    rows = [
        (escape(one.label), escape(one.words or "(base prompt)"), f"{one.judged:,}", f"{one.unseen:,}")
        for one in some[:MOST_MISDRAWN]
    ]
    more = [f"And {count(len(some) - MOST_MISDRAWN, 'more prompt')}."] if len(some) > MOST_MISDRAWN else []
    told = [escape(misdrawn_sentence(result), _PROSE), _table(MISDRAWN_HEAD, rows), *more]
    return ["## Where the generator may be wrong", *told]


def escape(text: object, limit: int = _LONGEST) -> str:
    """Make a text one line in which no character is Markdown or HTML; cut after `limit` characters."""
    line = _MARKS.sub(lambda found: f"\\{found[0]}", shorten(text, limit))
    line = _AT_START.sub(r"\1\\\2", line)
    return "".join(_ENTITIES.get(c, c) for c in line)


def _draws(result: HuntResult) -> str:
    total = sum(result.draws.values())
    unscored = sum(number for _, number in result.unscored)
    arms = ", ".join(f"{number:,} {escape(arm)}" for arm, number in result.draws.items())
    said = f"{count(total, terms(result).image)}{f' ({arms})' if arms else ''}"
    first = f" {pilot_line(result)}" if result.pilot is not None else ""
    return f"{said} over {count(len(result.labels), 'label')}; {unscored:,} of them unscored.{first}"


def _set(result: HuntResult) -> Iterable[str]:
    """Say what a set of photographs is like, before any hypothesis."""
    rows = [(escape(what), escape(much, _PROSE)) for what, much in facts(result)]
    if rows:
        yield "## The photographs"
        yield _table(("", ""), rows)
    confused = [(escape(a), escape(b), f"{n:,} of {of:,}") for a, b, n, of in most_confused(result)]
    if confused:
        yield "The most frequent confusions:"
        yield _table(("label", "taken for", "photographs"), confused)
    wrong = [tuple(map(escape, row)) for row in doubtful(result)]
    if wrong:
        yield "In these the judge does not see what they are annotated as; perhaps the annotation is wrong:"
        yield _table(("photograph", "annotated", "taken for"), wrong)
    odd = [tuple(map(escape, row)) for row in unlike(result)]
    if odd:
        yield "The photographs nearest to these are annotated otherwise; perhaps the annotation is wrong:"
        yield _table(("photograph", "annotated", "those nearest to it"), odd)


def _base_failure(one: LabelSummary, result: HuntResult) -> Iterable[str]:
    yield f"### {escape(base_title(one, result))}"
    yield escape(base_sentence(one, result), _PROSE)
    seen = [result.observations[key] for key in one.failing if key in result.observations]
    lines = []
    for answered in seen[:_SHOWN]:
        predicted, image = answered.outcomes[one.classifier].predicted, answered.draw.image
        taken = "" if predicted is None else f", taken for {class_name(predicted, result, one.classifier)}"
        where = f"image {image}" if image else "no image"
        which = f"seed {answered.request.seed}" if terms(result) is DRAWS else answered.request.text
        lines.append(f"- {escape(f'{which}{taken}: {where}')}")
    if lines:
        yield f"Some of its failing {terms(result).image}s (foible archive show IMAGE writes one to a file):"
        yield "\n".join(lines)


def _causes(result: HuntResult) -> Iterable[str]:
    for at, table in enumerate(matrices(result)):
        if not at:
            yield "## Causes"
        if table.who:
            yield f"### {escape(table.who)}"
        head = ["", *(f"*{escape(cause.treatment.description)}*" for cause in table.causes)]
        rows = [
            (escape(label), *(f"{cell.verdict} {cell.points}".strip() for cell in cells)) for label, cells in table.rows
        ]
        yield _table(head, rows)
        yield _list_of(cause_spans(cause, result) for cause in table.causes)
        if table.more_causes or table.more_labels:
            more = f"{count(table.more_causes, 'more cause')}, {count(table.more_labels, 'more label')}"
            yield f"And {more} in findings.json."


def _finding(place: int, finding: Finding, result: HuntResult) -> Iterable[str]:
    trial, words = finding.trial, terms(finding)
    yield f"### {place}. {_marked(title(finding, result))}"
    yield _marked(spans(finding, result))
    rows = [
        (words.treat, *_arm(finding.rated.treat, finding.treat)),
        (words.control, *_arm(finding.rated.control, finding.control)),
    ]
    yield _table(("", f"{words.image}s", "failed", "unscored", "rate", "interval"), rows)
    difference = f"{points(finding.difference.value)} points, {apart(finding, result)}"
    pairs = dict(zip(("both", "only with", "only without", "neither"), trial.pairs, strict=True))
    failed = ", ".join(f"{name} {number:,}" for name, number in pairs.items())
    lines = [
        f"- Difference: {difference}; p = {probability(finding.p_value)}, adjusted {probability(finding.adjusted)}.",
        *([f"- Same-seed pairs that decided, in which it failed: {failed}."] if words is DRAWS else []),
        f"- Why {finding.verdict}: {escape(stopped(finding.reason))}",
    ]
    lines[1:1] = [f"- {said}" for said in notes(finding)]
    confused = confusions(finding, result)
    if confused:
        taken = [f"{escape(name)} ({number:,})" for name, number in confused]
        none_alone = shared_highest(finding)
        taken += [f"several classes at once, by equal scores ({none_alone:,})"] if none_alone else []
        lines.insert(0, f"- Taken for: {', '.join(taken)}.")
    yield "\n".join(lines)
    if finding.counterfactuals:
        yield _counterfactuals(finding.counterfactuals)
    yield _marked(carrier_spans(finding))


def _counterfactuals(changes: Sequence[Counterfactual]) -> str:
    rows = [
        (
            escape(one.change),
            escape(one.phrase),
            escape(one.treatment.description) or "(base prompt)",
            *_arm(one.tally, one.rate),
        )
        for one in changes
    ]
    return _table(("change", "phrase", "what is left", "draws", "failed", "unscored", "rate", "interval"), rows)


def _others(findings: Sequence[Finding], result: HuntResult) -> str:
    rows = [
        (
            finding.verdict,
            _marked(title(finding, result)),
            f"{percent(finding.treat.value)} {interval(finding.treat)}",
            f"{percent(finding.control.value)} {interval(finding.control)}",
            f"{finding.rated.treat.unscored + finding.rated.control.unscored:,}",
            escape(as_sentence(finding.reason)),
        )
        for finding in findings
    ]
    return _table(("verdict", "hypothesis", "with", "without", "unscored", "reason"), rows)


def _list_of(names: Iterable[Sequence[Span]]) -> str:
    return "\n".join(f"- {_marked(name)}" for name in names)


def _explored(result: HuntResult) -> str:
    rows = [
        (
            escape(f"{one.label} ({by(one.classifier, result)})" if by(one.classifier, result) else one.label),
            *_arm(one.tally, one.rate),
            "; ".join(f"{escape(reason)}: {number:,}" for reason, number in one.unscored_reasons),
            bound_of(one, result) or "see above",
        )
        for one in result.explored
    ]
    head = ("label", f"{terms(result).image}s", "failed", "unscored", "rate", "interval", "why unscored", "bugs")
    return _table(head, rows)


def _guided(result: HuntResult) -> Iterable[str]:
    nothing = unled(result)
    if result.guided or nothing:
        yield from ("## Guided draws", *(escape(one, _PROSE) for one in (guided_sentence(result), *nothing)))
    if result.guided:
        yield _table(GUIDED_HEAD, [tuple(map(escape, row)) for row in guided_rows(result)])


def _arm(tally: Tally, rate: Rate) -> tuple[str, str, str, str, str]:
    counts = (f"{tally.draws:,}", f"{tally.failures:,}", f"{tally.unscored:,}")
    return (*counts, percent(rate.value), interval(rate))


def _marked(pieces: Iterable[Span]) -> str:
    """Lay spans out: the description in italics, whatever has a role escaped, our own words as they are."""
    return "".join(
        f"*{escape(s.text)}*" if s.role == "description" else escape(s.text) if s.role else s.text for s in pieces
    )


def _value(value: object) -> str:
    if isinstance(value, str):
        return escape(value)
    return escape(json.dumps(value, ensure_ascii=False, default=printable))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
