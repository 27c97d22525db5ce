"""`seek.json` and `seek.html`: the bugs of drawn images in photographs, and the reverse, both rates side by side.

Comes in: a `Seeking`. Goes out: JSON for machines, and a page for people that needs no network and runs no script; the
same record gives the same bytes. Neighbours: `act/seek.py` makes it; `comparison.py` writes what two classifiers make
of the same images.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from foible.report.comparison import subject, verdict
from foible.report.files import write_both
from foible.report.html import render
from foible.report.words import count, interval, percent, points, points_interval, shorten
from foible.seeking import Answer, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from foible.findings import Rate
    from foible.records import Tally
    from foible.seeking import Seeking, Seen, Sought
    from foible.swapping import Swapping, SwapRow

VERSION = 1
"""Of `seek.json`."""
KINDS: dict[Kind, str] = {"drawn": "drawn images", "photographs": "photographs"}
ANSWERS: dict[Answer, str] = {
    "there": "there too",
    "within": "not there by more than the margin",
    "open": "open",
    "none": "no photograph fits",
    "unknown": "not asked",
}
"""How an answer reads."""


def write(found: Seeking, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "seek", to_json(found), to_html(found))


def to_json(found: Seeking) -> str:
    """Write the record as JSON."""
    document = {
        "foible_seek": VERSION,
        "foible_version": found.foible_version,
        "settings": dict(found.settings),
        "headline": headline(found),
        "found_in": found.found_in,
        "sought_in": found.sought_in,
        "margin": found.margin,
        "level": found.level,
        "classifiers": [subject(one) for one in found.classifiers],
        "parts": {kind: dict(identity) for kind, identity in found.parts.items()},
        "notes": list(found.notes),
        "gate": {"fail_on": found.fail_on, "verdict": found.verdict, "told": verdict(found)},
        "rows": [_row(row, found) for row in found.rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_html(found: Seeking) -> str:
    """Make the text of the page."""
    return render(
        "seeking.html",
        found=found,
        title=headline(found),
        verdict=verdict(found),
        version=found.foible_version,
        kinds=KINDS,
        answers=ANSWERS,
        about=about,
        told=told,
        gap=gap,
        how=how,
        margin=f"{round(100 * found.margin, 2):g} points",
    )


def headline(found: Seeking) -> str:
    """Say in a line how many of the bugs are in the other images, too, and what is known of the rest."""
    counts = [(answer, found.count(answer)) for answer in get_args(Answer)]
    listed = ", ".join(f"{number} {ANSWERS[answer]}" for answer, number in counts if number)
    bugs = count(len(found.rows), f"bug of {KINDS[found.found_in]}", f"bugs of {KINDS[found.found_in]}")
    return f"{bugs}, sought in {KINDS[found.sought_in]}: {listed}"


def reason(row: Sought, found: Seeking) -> str:
    """Say in a line why a row failed the gate, or why nothing can be said of it."""
    if row.gate == "unknown":
        return f"{about(row, found)}: nothing can be said: {shorten(row.told, 200)}"
    seen = row.drawn if found.sought_in == "drawn" else row.photographs
    return f"{about(row, found)}: {row.told}: it fails in {told(seen)[0]}, without the description in {told(seen)[1]}"


def about(row: Sought | SwapRow, found: Seeking | Swapping) -> str:
    """Name a bug: label and description, with the classifier where there are several."""
    hypothesis = row.found.trial.hypothesis
    named = f"{shorten(hypothesis.label, 60)} “{shorten(hypothesis.description, 200)}”"
    several = len(found.classifiers) > 1
    return f"{named} of {shorten(found.classifiers[hypothesis.classifier].name, 60)}" if several else named


def told(seen: Seen) -> tuple[str, str]:
    """Give the failure rates of one kind of images with a description and without."""
    return _in_words(seen.treat), _in_words(seen.control)


def gap(seen: Seen) -> str:
    """Write the difference in points, with its interval."""
    return (
        "–" if seen.difference.value is None else f"{points(seen.difference.value)} {points_interval(seen.difference)}"
    )


def how(row: Sought) -> str:
    """Say what an answer rests on: which images, and how they were chosen."""
    said = shorten(row.reason, 300)
    if row.fit is None:
        return said
    by = {"annotations": "by their annotations", "embedder": "by the embedder"}.get(row.by, "")
    unsure = f", {row.unsure:,} open and on neither side" if row.unsure else ""
    return f"{row.fit:,} of {count(row.of, 'photograph')} may show it {by}{unsure}; {said}".replace("  ", " ")


def _in_words(rate: Rate) -> str:
    return "–" if rate.value is None else f"{percent(rate.value)} {interval(rate)}"


def _row(row: Sought, found: Seeking) -> dict[str, Any]:
    hypothesis = row.found.trial.hypothesis
    return {
        "label": hypothesis.label,
        "description": hypothesis.description,
        "classifier": found.classifiers[hypothesis.classifier].name,
        "said": row.words,
        "answer": row.answer,
        "reason": row.reason,
        "gate": row.gate,
        "told": row.told,
        "adjusted": row.adjusted,
        "by": row.by,
        "fit": row.fit,
        "of": row.of,
        "unsure": row.unsure,
        "drawn": seen_json(row.drawn),
        "photographs": seen_json(row.photographs),
    }


def seen_json(seen: Seen) -> dict[str, Any]:
    """Give rates and counts as JSON has them."""
    rates = {"treat": seen.treat, "control": seen.control, "difference": seen.difference}
    counts = {"treated": _tally(seen.treated), "others": _tally(seen.others)}
    return {name: {"value": r.value, "low": r.low, "high": r.high} for name, r in rates.items()} | counts


def _tally(tally: Tally) -> dict[str, int]:
    return {"images": tally.draws, "failures": tally.failures, "unscored": tally.unscored}
