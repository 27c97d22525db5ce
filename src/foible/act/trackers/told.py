"""What a tracker is told of a run: the same for each, in plain values.

Comes in: a finished run. Goes out: settings, numbers, a table of findings, pictures, files. Neighbours: `track.py`
sends it, with one file for each tracker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foible.errors import brief
from foible.hunting.classes import unique_names
from foible.hunting.finished import Run, RunFinding
from foible.report.bases import base_title
from foible.report.sentences import headline, plain, summary, title
from foible.report.words import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foible.findings import Rate

COLUMNS = (
    *("number", "verdict", "label", "description", "classifier"),
    *("treat", "treat_low", "treat_high", "control", "control_low", "control_high"),
    *("difference", "difference_low", "difference_high", "adjusted_p"),
)
"""Of the table of findings. Rates are shares of 0..1 and None where nothing was scored; `treat` is with the
description, `control` without it."""
FILES = ("findings.json", "findings.md", "report.html")
VERDICTS = ("confirmed", "refuted", "undecided")
_ENDS = ("", "_low", "_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of a finding."""

    name: str
    """Where it stands among the others: "bug 1/failing 1"."""
    caption: str
    image: NDArray[np.uint8]
    """(height, width, 3), RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a tracker is told."""

    name: str
    """Of the run directory."""
    settings: Mapping[str, str]
    """By dotted name, as text."""
    numbers: Mapping[str, float]
    """By a name of letters, digits, blanks, dots, hyphens and slashes. Shares of 0..1, and counts."""
    rows: tuple[tuple[object, ...], ...]
    """A row of `COLUMNS` for each finding."""
    pictures: tuple[Picture, ...]
    text: str
    """Headline and summary."""
    files: tuple[Path, ...]
    """Those of the run directory that are there."""


def told(run: Run, pictures: int) -> Told:
    """Say what a tracker is told of a run.

    Args:
        run: finished.
        pictures: at most so many failing images of each confirmed finding, and as many beside them without the
            description.
    """
    result = run.result
    counts = {verdict: sum(f.verdict == verdict for f in result.findings) for verdict in VERDICTS}
    numbers: dict[str, float] = {f"findings/{verdict}": float(count) for verdict, count in counts.items()}
    numbers["findings/base failures"] = float(len(result.base_failures))  # without it, no bug would read as no failure
    numbers |= {f"draws/{arm}": float(count) for arm, count in result.draws.items()}
    names = unique_names([_named(base_title(one, result)) for one in result.explored])
    for name, one in zip(names, result.explored, strict=True):
        numbers |= _ends(f"base/{_named(name)}", one.rate)
    for number, finding in enumerate(run.confirmed, 1):
        about = f"bug {number} {_named(plain(title(finding, result)))}"
        for which in ("treat", "control", "difference"):
            numbers |= _ends(f"{about}/{which}", getattr(finding, which))
    return Told(
        name=printable(run.folder.resolve().name),
        settings={name: brief(value, 250) for name, value in result.settings.items()},
        numbers=numbers,
        rows=tuple(_row(number, finding, run) for number, finding in enumerate(run, 1)),
        pictures=tuple(p for number, f in enumerate(run.confirmed, 1) for p in _pictures(number, f, run, pictures)),
        text=f"{headline(result)}\n\n{summary(result)}",
        files=tuple(path for path in (run.folder / name for name in FILES) if path.is_file()),
    )


def _ends(name: str, rate: Rate) -> dict[str, float]:
    """Give a rate with the ends of its interval; nothing where it is not known."""
    values = (rate.value, rate.low, rate.high)
    return {} if rate.value is None else {f"{name}{e}": float(v or 0.0) for e, v in zip(_ENDS, values, strict=True)}


def _named(text: str) -> str:
    """Make a name that every tracker takes of any text."""
    return re.sub(r"[^\w .-]+", "_", text, flags=re.ASCII)[:120].strip() or "_"


def _row(number: int, finding: RunFinding, run: Run) -> tuple[object, ...]:
    hypothesis = finding.trial.hypothesis
    rates = [v for r in (finding.treat, finding.control, finding.difference) for v in (r.value, r.low, r.high)]
    name = run.result.classifiers[hypothesis.classifier].name
    words = (finding.verdict, *map(printable, (hypothesis.label, hypothesis.description, name)))
    return (number, *words, *rates, finding.adjusted)


def _pictures(number: int, finding: RunFinding, run: Run, most: int) -> list[Picture]:
    about = plain(title(finding, run.result))
    shown = {"failing": finding.images("failing"), "without the description": finding.images("paired")}
    return [
        Picture(name=f"bug {number}/{said} {at}", caption=f"{about}: {said}", image=image)
        for said, images in shown.items()
        for at, image in enumerate(images[:most], 1)
    ]
