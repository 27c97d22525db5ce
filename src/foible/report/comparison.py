"""`compare.json` and `compare.html`: where another classifier is better or worse than the one of a run.

Comes in: a `Comparison`. Goes out: JSON for machines, and a page for people that needs no network and runs no script;
the same comparison gives the same bytes. Neighbours: `act/compare.py` makes it; `html.py` holds the style and the
environment of all pages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from foible.report.files import write_both
from foible.report.html import render
from foible.report.words import as_sentence, count, interval, percent, points, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from foible.comparison import Change, Compared, Comparison, Paired, Whose
    from foible.findings import Rate, Subject
    from foible.repairs import Repair
    from foible.seeking import Seeking
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
        "runs": found.runs,
        "level": found.level,
        "draws": {"most": found.most, "drawn": found.drawn},
        "not_asked": [{"classifier": name, "reason": reason} for name, reason in found.lacking],
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
        lead=_LEADS[found.runs],
        sections=_sections(found),
        notes=notes(found),
    )


def page(found: Comparison | SuiteRun) -> dict[str, Any]:
    """Give what a page says of rows, whatever made them."""
    return {
        "found": found,
        "version": found.foible_version,
        "about": about,
        "gap": gap,
        "within": _within(found),
        "how": _HOW[any(row.evidence is not None for row in found.rows)],
        "said": _said,
        "verdict": as_sentence(verdict(found)),
    }


class Section(NamedTuple):
    """A table of a page."""

    rows: Sequence[Paired]
    name: str
    heading: str
    note: str


_HOW = {
    False: "by an exact two-sided test over the same images, with the false-discovery rate held over all rows of this "
    "page",
    True: "by evidence over the same images that may be looked at after every one (e-values), with the false-discovery "
    "rate held over both directions of all rows of this page; the intervals hold at all times",
}
"""Whether images were drawn as long as a row was open: how it was found that rates differ."""
BASE_NOTE = "Images of the base prompt, without any description."
_LEADS = {
    1: "Both classifiers were shown the same images of a finished hunt.",
    2: "Both classifiers were shown the same images of two finished hunts.",
}
_MEASURED = "Images with the description, made after the bug was confirmed."
_CHOSEN = (
    f"{_MEASURED} The rates are of fresh images; but which bugs stand here was chosen by what the {{}} classifier "
    "fails on: that the other one is better on many of them is what one expects, and does not make it the better "
    "classifier."
)


def _sections(found: Comparison) -> list[Section]:
    """Part the rows of a comparison by whose bugs they are."""
    rows = found.rows
    if found.runs == 1:
        note = f"{_MEASURED} Bugs that only the second classifier has were not looked for."
        bugs = [Section([row for row in rows if row.found], "bugs", "On the bugs of the first", note)]
    else:
        own = {whose: [row for row in rows if row.whose == whose] for whose in ("both", "first", "second")}
        bugs = [
            Section(own["both"], "both", "On the bugs that both hunts found", f"{_MEASURED} Both classifiers have it."),
            Section(own["first"], "first", "On the bugs of the first", _CHOSEN.format("first")),
            Section(own["second"], "second", "On the bugs of the second", _CHOSEN.format("second")),
        ]
    return [*bugs, Section([row for row in rows if row.found is None], "labels", "On every label", BASE_NOTE)]


def notes(found: Comparison) -> list[str]:
    """Say which classifier could not be asked, and how many images were drawn, one sentence each."""
    only = "so that only images which both runs have count"
    told = [f"{shorten(name, _LONGEST)} was not asked, {only}: {shorten(why, 300)}" for name, why in found.lacking]
    if found.most:
        told.append(f"{count(found.drawn, 'image')} were drawn where a row was open, at most {found.most:,}")
    return told


_WHOSE: tuple[tuple[Whose | None, str, str], ...] = (
    ("both", "bug of both", "bugs of both"),
    ("first", "bug of the first", "bugs of the first"),
    ("second", "bug of the second", "bugs of the second"),
    (None, "label", "labels"),
)


def headline(found: Comparison) -> str:
    """Say in a line where the second classifier is worse and better, what is the same, and what is open."""
    parts = []
    for whose, one, several in _WHOSE:
        rows = [row.change for row in found.rows if row.whose == whose]
        what = several if len(rows) != 1 else one
        if found.runs == 1 and whose is not None:
            what = what.partition(" ")[0]
        parts += [f"{counts(rows)} of {len(rows):,} {what}"] if rows else []
    return f"{shorten(found.after.name, _LONGEST)} against {shorten(found.before.name, _LONGEST)}: {'; '.join(parts)}"


def about(row: Named) -> str:
    """Name the images of a row: a label, with its description where it is about a bug."""
    label = shorten(row.label, 60)
    return f"{label} “{shorten(row.description, 200)}”" if row.description else label


def named(row: Compared, found: Comparison) -> str:
    """Name the images of a row, and whose bug they show where two runs have bugs."""
    whose = f" (bug of {row.whose if row.whose == 'both' else f'the {row.whose}'})"
    return about(row) + (whose if row.whose is not None and found.runs > 1 else "")


def reason(row: Paired) -> str:
    """Say in a line why a row failed the gate, or why nothing can be said of it."""
    if row.change is None:
        return f"{about(row)}: nothing can be said: {shorten(row.reason, 200)}"
    return f"{about(row)}: {row.told}: {told(row)[2]} against {told(row)[1]}, {gap(row)} points"


def verdict(found: Comparison | SuiteRun | Repair | Seeking) -> str:
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
    return {"label": row.label, "description": description, "whose": row.whose, **plain(row)}


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
        "log_e": None if row.evidence is None else dict(zip(("worse", "better"), row.evidence, strict=True)),
        "drawn": row.drawn,
        "images": counts,
        "unscored": row.unscored,
        "now": {"draws": row.now.draws, "failures": row.now.failures, "unscored": row.now.unscored},
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high}
