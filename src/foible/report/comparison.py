"""`compare.json` and `compare.html`: where another classifier is better or worse than the one of a run.

Comes in: a `Comparison`. Goes out: JSON for machines, and a page for people that needs no network and runs no script;
the same comparison gives the same bytes. Neighbours: `act/compare.py` makes it; `html.py` holds the style and the
environment of all pages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from foible.report.files import write_both
from foible.report.html import render
from foible.report.words import as_sentence, count, interval, percent, points, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from foible.comparison import Change, Compared, Comparison, Paired
    from foible.findings import Rate, Subject
    from foible.suites import SuiteRun

VERSION = 1
"""Of `compare.json`."""
CHANGES: tuple[Change, ...] = ("worse", "better", "same", "open")
_LONGEST = 80


class Named(Protocol):
    """A row of a comparison, or of a suite, that says what its images are."""

    @property
    def label(self) -> str:
        """What they show."""
        ...

    @property
    def description(self) -> str:
        """What was added to the base prompt; empty for nothing."""
        ...


def write(found: Comparison, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "compare", to_json(found), to_html(found))


def to_json(found: Comparison) -> str:
    """Write a comparison as JSON."""
    document = {
        "foible_compare": VERSION,
        "foible_version": found.foible_version,
        "settings": dict(found.settings),
        "headline": headline(found),
        "before": subject(found.before),
        "after": subject(found.after),
        "verdict": found.verdict,
        "fail_on": found.fail_on,
        "same": found.same,
        "rows": [_row(row) for row in found.rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_html(found: Comparison) -> str:
    """Make the text of the page."""
    return render(
        "comparison.html",
        **page(found),
        title=headline(found),
        first=found.before.name,
        second=found.after.name,
        lead="Both classifiers were shown the same images of a finished hunt.",
    )


def page(found: Comparison | SuiteRun) -> dict[str, Any]:
    """Give what a page says of rows, whatever made them."""
    return {
        "found": found,
        "version": found.foible_version,
        "about": about,
        "gap": gap,
        "within": _within(found),
        "said": _said,
        "verdict": as_sentence(verdict(found)),
        "bugs": [row for row in found.rows if row.description],
        "labels": [row for row in found.rows if not row.description],
    }


def headline(found: Comparison) -> str:
    """Say in a line where the second classifier is worse and better, what is the same, and what is open."""
    bugs = [row.change for row in found.rows if row.found is not None]
    labels = [row.change for row in found.rows if row.found is None]
    parts = [f"{counts(rows)} of {count(len(rows), what)}" for rows, what in ((bugs, "bug"), (labels, "label")) if rows]
    return f"{shorten(found.after.name, _LONGEST)} against {shorten(found.before.name, _LONGEST)}: {'; '.join(parts)}"


def about(row: Named) -> str:
    """Name the images of a row: a label, with its description where it is about a bug."""
    label = shorten(row.label, 60)
    return f"{label} “{shorten(row.description, 200)}”" if row.description else label


def reason(row: Paired) -> str:
    """Say in a line why a row failed the gate, or why nothing can be said of it."""
    if row.change is None:
        return f"{about(row)}: nothing can be said: {shorten(row.reason, 200)}"
    return f"{about(row)}: {row.told}: {told(row)[2]} against {told(row)[1]}, {gap(row)} points"


def verdict(found: Comparison | SuiteRun) -> str:
    """Say in a line what the gate comes to; empty where there is none."""
    rows = {word: sum(row.gate == word for row in found.rows) for word in ("failed", "unknown", "passed")}
    of = count(sum(rows.values()), "row")
    if found.verdict == "failed":
        return f"the gate {found.fail_on} fails on {rows['failed']} of {of}"
    if found.verdict == "unknown" and not rows["unknown"]:
        return f"the gate {found.fail_on} looks at bugs, and there is none"
    if found.verdict == "unknown":
        return f"the gate {found.fail_on} says nothing of {rows['unknown']} of {of}, which have not passed"
    return f"the gate {found.fail_on} passes on {of}" if found.verdict == "passed" else ""


def _said(row: Paired, found: Comparison | SuiteRun) -> str:
    """Say what may be said of a row, and why it fails the gate."""
    word = said(row, found)
    return f"{word}; {row.told}" if row.gate == "failed" else word


def gap(row: Paired) -> str:
    """Write the difference in points, with its interval."""
    own = row.difference
    return "–" if own.value is None else f"{points(own.value)} [{points(own.low)}, {points(own.high)}]"


def said(row: Paired, found: Comparison | SuiteRun) -> str:
    """Say what may be said of a row."""
    if row.change is None:
        return f"nothing can be said: {shorten(row.reason, 200)}"
    return f"same within {_within(found)}" if row.change == "same" else row.change


def _within(found: Comparison | SuiteRun) -> str:
    return f"{round(100 * found.same, 2):g} points"


def told(row: Paired) -> tuple[str, str, str, str]:
    """Say of a row what changed, both rates and the difference, each in a cell."""
    return row.change or "unknown", _in_words(row.before), _in_words(row.after), gap(row)


def _in_words(rate: Rate) -> str:
    return "–" if rate.value is None else f"{percent(rate.value)} {interval(rate)}"


def counts(changes: Sequence[Change | None]) -> str:
    """Say how many rows have each change."""
    counted = [f"{changes.count(change)} {change}" for change in CHANGES if change in changes]
    nothing = changes.count(None)
    return ", ".join([*counted, *([f"{nothing} unknown"] if nothing else [])])


def subject(of: Subject) -> dict[str, Any]:
    """Say who a classifier is, as JSON can say it."""
    right = {label: list(classes) for label, classes in of.right.items()}
    return {"name": of.name, "identity": dict(of.identity), "right": right}


def _row(row: Compared) -> dict[str, Any]:
    description = None if row.found is None else row.description
    return {"label": row.label, "description": description, **plain(row)}


def plain(row: Paired) -> dict[str, Any]:
    """Give what may be said of a row, as JSON can say it."""
    both, worse, better, neither = row.images
    counts = {"both_fail": both, "only_after_fails": worse, "only_before_fails": better, "neither_fails": neither}
    return {
        "gate": row.gate,
        "rule": row.rule,
        "told": row.told,
        "change": row.change,
        "reason": row.reason,
        "before": _rate(row.before),
        "after": _rate(row.after),
        "difference": _rate(row.difference),
        "adjusted": row.adjusted,
        "images": counts,
        "unscored": row.unscored,
        "now": {"draws": row.now.draws, "failures": row.now.failures, "unscored": row.now.unscored},
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high}
