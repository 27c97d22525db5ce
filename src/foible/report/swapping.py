"""`swap.json` and `swap.html`: the bugs of a run under another generator, judge, captioner or setting.

Comes in: a `Swapping`. Goes out: JSON for machines, and a page for people that needs no network and runs no script; the
same record gives the same bytes. Neighbours: `act/swap.py` makes it; `seeking.py` writes what photographs say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from foible.report.comparison import subject
from foible.report.files import write_both
from foible.report.html import render
from foible.report.seeking import about, gap, seen_json, told
from foible.report.words import count, shorten
from foible.seeking import seen_in
from foible.swapping import Kept

if TYPE_CHECKING:
    from pathlib import Path

    from foible.swapping import Swapping, SwapRow

VERSION = 1
"""Of `swap.json`."""
KEPT: dict[Kept, str] = {
    "stays": "stays",
    "within": "not there by more than the margin",
    "open": "open",
    "again": "found again",
    "missed": "not found again",
    "unknown": "not asked",
}
"""How what becomes of a bug reads."""


def write(found: Swapping, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "swap", to_json(found), to_html(found))


def to_json(found: Swapping) -> str:
    """Write the record as JSON."""
    document = {
        "foible_swap": VERSION,
        "foible_version": found.foible_version,
        "settings": dict(found.settings),
        "margin": found.margin,
        "level": found.level,
        "seed": found.seed,
        "classifiers": [subject(one) for one in found.classifiers],
        "changes": [
            {
                "change": c.said,
                "folder": c.folder,
                "hunted": c.hunted,
                "draws": c.draws,
                "headline": headline(found, at),
            }
            for at, c in enumerate(found.changes)
        ],
        "rows": [_row(row, found) for row in found.rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_html(found: Swapping) -> str:
    """Make the text of the page."""
    return render(
        "swapping.html",
        found=found,
        title="; ".join(headline(found, at) for at in range(len(found.changes))),
        version=found.foible_version,
        kept=KEPT,
        about=about,
        told=told,
        gap=gap,
        before=seen_in,
        margin=f"{round(100 * found.margin, 2):g} points",
    )


def headline(found: Swapping, place: int) -> str:
    """Say in a line what becomes of the bugs under one change."""
    listed = ", ".join(
        f"{n} {KEPT[kept] if n == 1 or kept != 'stays' else 'stay'}"
        for kept in get_args(Kept)
        if (n := found.count(place, kept))
    )
    return f"{shorten(found.changes[place].said, 80)}: of {count(len(found.rows), 'bug')} {listed}"


def _row(row: SwapRow, found: Swapping) -> dict[str, Any]:
    hypothesis = row.found.trial.hypothesis
    return {
        "label": hypothesis.label,
        "description": hypothesis.description,
        "classifier": found.classifiers[hypothesis.classifier].name,
        "run": seen_json(seen_in(row.found)),
        "changes": [
            {"kept": one.kept, "reason": one.reason, "adjusted": one.adjusted, **seen_json(one.seen)}
            for one in row.cells
        ],
    }
