"""`transfer.json` and `transfer.html`: which classifiers share the bugs of a run.

Comes in: a `Matrix`. Goes out: JSON for machines, and a page for people that needs no network and runs no script; the
same matrix gives the same bytes. Neighbours: `act/transfer.py` makes the matrix; `html.py` holds the style and the
environment of all pages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from foible.report.files import write_both
from foible.report.html import render
from foible.report.words import count, interval, listed, percent, shorten

if TYPE_CHECKING:
    from pathlib import Path

    from foible.findings import Finding, Rate
    from foible.matrix import Cell, Matrix, Row

VERSION = 1
"""Of `transfer.json`."""
WORDS = {"confirmed": "has it", "refuted": "has it not", "undecided": "open"}
"""What a verdict means in a cell."""
_NAMED = 3
"""Classes that a cell is taken for are named up to this number."""


def write(matrix: Matrix, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "transfer", to_json(matrix), to_html(matrix))


def to_json(matrix: Matrix) -> str:
    """Write a matrix as JSON."""
    names = [subject.name for subject in matrix.classifiers]
    plain = {
        "foible_transfer": VERSION,
        "foible_version": matrix.foible_version,
        "settings": dict(matrix.settings),
        "classifiers": [
            {
                "name": one.name,
                "identity": dict(one.identity),
                "in_run": place < matrix.found_with,
                "right": {label: list(classes) for label, classes in one.right.items()},
            }
            for place, one in enumerate(matrix.classifiers)
        ],
        "rows": [
            {
                **_about(row.found, names),
                "cells": [_cell(cell, names[at], matrix, at) for at, cell in enumerate(row.cells)],
            }
            for row in matrix.rows
        ],
        "sets": [
            {
                "made_against": names[at],
                "images": one.images,
                "fails": [{"classifier": name, **_rate(r)} for name, r in zip(names, one.fails, strict=True)],
            }
            for at, one in enumerate(matrix.sets)
        ],
        "left_out": [{**_about(finding, names), "reason": reason} for finding, reason in matrix.left_out],
    }
    return json.dumps(plain, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_html(matrix: Matrix) -> str:
    """Make the text of the page."""
    return render(
        "transfer.html",
        matrix=matrix,
        names=[subject.name for subject in matrix.classifiers],
        title=headline(matrix),
        version=matrix.foible_version,
        about=row_name,
        shade=_shade,
        verdicts=WORDS,
        taken=taken,
    )


def headline(matrix: Matrix) -> str:
    """Say in a line how many of the bugs other classifiers share."""
    bugs, others = len(matrix.rows), len(matrix.classifiers) - 1
    shared = sum(any(_holds(cell) for at, cell in enumerate(row.cells) if at != _own(row)) for row in matrix.rows)
    if not bugs:
        return f"Nothing can be said of {count(len(matrix.left_out), 'confirmed bug')}"
    if not others:
        return f"{count(bugs, 'confirmed bug')}, and no other classifier"
    return f"{shared:,} of {count(bugs, 'confirmed bug')} shared by another classifier"


def row_name(row: Row) -> str:
    """Name what was found: label and description."""
    hypothesis = row.found.trial.hypothesis
    return f"{shorten(hypothesis.label, 60)} “{shorten(hypothesis.description, 200)}”"


def told(cell: Cell) -> str:
    """Say of a cell its verdict and its rates, in a line."""
    finding = cell.finding
    if finding is None:
        return f"not asked: {shorten(cell.reason, 200)}"
    rates = f"{percent(finding.treat.value)} {interval(finding.treat)}, without {percent(finding.control.value)}"
    return f"{WORDS[finding.verdict]}: {rates}"


def share(rate: Rate) -> str:
    """Write a rate with its interval; "none" where nothing was scored."""
    return "none" if rate.value is None else f"{percent(rate.value)} {interval(rate)}"


def taken(finding: Finding, matrix: Matrix, place: int) -> str:
    """Name what the failures of a cell are taken for, most frequent first."""
    names = [_called(index, matrix, place) for index, _ in finding.confused_with[:_NAMED]]
    return listed(names, "or")


def _holds(cell: Cell) -> bool:
    return cell.finding is not None and cell.finding.verdict == "confirmed"


def _own(row: Row) -> int:
    return row.found.trial.hypothesis.classifier


def _shade(rate: Rate) -> str:
    """Give the class of a background: in five steps from never to always; none where nothing is known."""
    return "" if rate.value is None else f"s{min(int(rate.value * 5), 4)}"


def _about(finding: Finding, names: list[str]) -> dict[str, Any]:
    hypothesis = finding.trial.hypothesis
    return {
        "label": hypothesis.label,
        "description": hypothesis.description,
        "found_for": names[hypothesis.classifier],
    }


def _cell(cell: Cell, name: str, matrix: Matrix, place: int) -> dict[str, Any]:
    finding = cell.finding
    if finding is None:
        return {"classifier": name, "verdict": None, "reason": cell.reason}
    trial = finding.trial
    return {
        "classifier": name,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "adjusted": finding.adjusted,
        "pairs": trial.treat.draws,
        "unscored": {"treat": trial.treat.unscored, "control": trial.control.unscored},
        "treat": _rate(finding.treat),
        "control": _rate(finding.control),
        "difference": _rate(finding.difference),
        "shared": _rate(cell.shared),
        "taken_for": [[_called(index, matrix, place), often] for index, often in finding.confused_with],
    }


def _called(index: int, matrix: Matrix, place: int) -> str:
    return matrix.classifiers[place].class_names.get(index) or f"class {index}"


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high}
