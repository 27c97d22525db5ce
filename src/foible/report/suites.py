"""What is told of a suite, and of a classifier that was run against one: sentences, cells and JSON.

Comes in: a `Suite`, or a `SuiteRun`. Goes out: texts; the same records give the same bytes. Neighbours:
`act/suites/` makes both; `comparison.py` writes rows of two classifiers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from foible.report.comparison import BASE_NOTE, Section, about, counts, page, plain, subject, told
from foible.report.html import render
from foible.report.words import count, interval, percent, shorten

if TYPE_CHECKING:
    from foible.suites import Rechecked, RowDiff, RowKind, Suite, SuiteBug, SuiteControl, SuiteDiff, SuiteRun

VERSION = 1
"""Of what `foible suite run --json` prints."""
_LONGEST = 80
_BUGS = (
    "Images with the description, made after the bug was confirmed. Bugs that only the second classifier has were not "
    "looked for."
)


def to_json(found: SuiteRun) -> str:
    """Write a run of a suite as JSON."""
    document = {
        "foible_suite_run": VERSION,
        "foible_version": found.foible_version,
        "suite": found.suite,
        "headline": headline(found),
        "verdict": found.verdict,
        "fail_on": found.fail_on,
        "before": found.before,
        "after": subject(found.after),
        "level": found.level,
        "same": found.same,
        "rows": [_row(row) for row in found.rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _row(row: Rechecked) -> dict[str, object]:
    return {"label": row.label, "description": row.description or None, **plain(row)}


def to_html(found: SuiteRun) -> str:
    """Make the text of a page that needs no network and runs no script."""
    return render(
        "comparison.html",
        **page(found),
        title=headline(found),
        first=f"{found.before} (saved)",
        second=found.after.name,
        lead="The images of a suite were shown to the second classifier; what the first made of them was saved.",
        sections=[
            Section([row for row in found.rows if row.words], "bugs", "On the bugs of the first", _BUGS),
            Section([row for row in found.rows if not row.words], "labels", "On every label", BASE_NOTE),
        ],
        notes=[],
    )


def headline(found: SuiteRun) -> str:
    """Say in a line what is worse and better, what is the same, and what is open."""
    rows = [(row.description, row.change) for row in found.rows]
    bugs, labels = ([change for words, change in rows if bool(words) is wanted] for wanted in (True, False))
    parts = [f"{counts(own)} of {count(len(own), what)}" for own, what in ((bugs, "bug"), (labels, "label")) if own]
    return f"{shorten(found.after.name, _LONGEST)} against {shorten(found.before, _LONGEST)}: {'; '.join(parts)}"


def cells(row: Rechecked) -> tuple[str, ...]:
    """Name the images of a row, and say what changed, each in a cell."""
    return about(row), *told(row)


def name(row: Rechecked) -> str:
    """Name what a row adds to its label: the description of the bug, or that it is the base prompt."""
    return shorten(row.description, 200) or "base prompt"


def said(row: Rechecked) -> str:
    """Say in a line what both classifiers make of a row."""
    change, before, after, more = told(row)
    return f"{change}: fails in {after} of the images; when the suite was saved in {before}; {more} points"


def contents(suite: Suite) -> list[tuple[str, ...]]:
    """Say of each bug and label what a suite holds, each in a cell: images, how often they failed, what was kept."""
    return [(about(one), *_held(one)) for one in suite.rows]


def _held(one: SuiteBug | SuiteControl) -> tuple[str, str, str]:
    own = [shown.status for shown in one.images if shown.image]
    scored = [status for status in own if status != "unscored"]
    failed = scored.count("failed")
    lost = len(one.images) - len(scored)
    rate = f"{percent(failed / len(scored))} ({failed} of {len(scored)})" if scored else "–"
    by_run = f"{percent(one.treat.value)} {interval(one.treat)}" if hasattr(one, "treat") else ""
    return f"{len(own)}{f' and {lost} unscored' if lost else ''}", rate, by_run


def diff_to_json(found: SuiteDiff) -> str:
    """Write what differs between two suites as JSON."""
    document = {
        "foible_suite_diff": VERSION,
        "before": found.before,
        "after": found.after,
        "headline": diff_headline(found),
        "facts": {what: [one, other] for what, one, other in found.facts},
        "rows": [
            {
                "label": row.label,
                "description": row.description or None,
                "change": row.kind,
                "images_added": row.images_added,
                "images_dropped": row.images_dropped,
                "outcomes": row.outcomes,
            }
            for row in found.rows
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def diff_headline(found: SuiteDiff) -> str:
    """Say in a line what differs between two suites."""
    if found.before == found.after:
        return "the suites are the same"
    bugs, labels = ([row.kind for row in found.rows if bool(row.words) is wanted] for wanted in (True, False))
    kinds: tuple[RowKind, ...] = ("added", "dropped", "changed", "same")
    said = (", ".join(f"{own.count(kind)} {kind}" for kind in kinds if kind in own) for own in (bugs, labels))
    return "; ".join(f"{what}: {text}" for what, text in zip(("bugs", "labels"), said, strict=True) if text)


def diff_cells(row: RowDiff) -> tuple[str, ...]:
    """Name the images of a row, and say what differs, each in a cell."""
    return about(row), row.kind, f"+{row.images_added}", f"−{row.images_dropped}", str(row.outcomes)


def diff_facts(found: SuiteDiff) -> list[str]:
    """Say in a line each what the suites say differently beside their images."""
    return [f"{shorten(what, 80)}: {shorten(one, 200)} → {shorten(other, 200)}" for what, one, other in found.facts]


def facts(suite: Suite) -> list[tuple[str, str]]:
    """Say what a suite is about: (what, how much)."""
    images = {shown.image for one in suite.rows for shown in one.images if shown.image}
    rows = [
        ("classifier", suite.classifier),
        ("images drawn by", suite.generator),
        ("images judged by", suite.judge),
        ("what failed means", suite.failure),
        ("holds", f"{count(len(suite.bugs), 'bug')}, {count(len(images), 'image')}"),
        ("saved by foible", suite.foible_version),
        ("digest", suite.digest),
    ]
    rows += [("left out, without images of its own", f"{label} “{words}”") for label, words in suite.left_out]
    return [(what, shorten(much, 300)) for what, much in rows]
