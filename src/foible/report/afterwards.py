"""What verdicts are worth whose margin or level was chosen after the draws were seen (`design/0015`).

Comes in: a result. Goes out: sentences; empty for a run as it was made. Neighbour: `sentences.py`, whose summary ends
with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.words import points, printable

if TYPE_CHECKING:
    from foible.findings import HuntResult


def afterwards_sentence(result: HuntResult) -> str:
    """Say what was chosen afterwards, and what holds all the same."""
    said = [_margin(result), _level(result)]
    return " ".join(one for one in said if one)


def _margin(result: HuntResult) -> str:
    if "confirm.margin" not in result.afterwards:
        return ""
    before, now = (_points(of.get("confirm.margin")) for of in (result.afterwards, result.settings))
    said = f"The margin was changed from {before} to {now} points after the draws were made. "
    if result.settings.get("confirm.method") == "fixed":
        factor = sum(1 / place for place in range(1, max(len(result.findings), 1) + 1))
        return (
            f"{said}The level was meant for a margin that is set before: chosen afterwards it is held at {factor:.2g} "
            "times its value at most, so confirm what matters in a new run."
        )
    return (
        f"{said}The verdicts hold: this evidence is valid for every margin at once, whichever is chosen when, "
        "and so is the false-discovery rate."
    )


def _level(result: HuntResult) -> str:
    if "confirm.level" not in result.afterwards:
        return ""
    before, now = (printable(of.get("confirm.level")) for of in (result.afterwards, result.settings))
    said = f"The level was changed from {before} to {now} after the draws were made. "
    if result.settings.get("confirm.method") == "fixed":
        return f"{said}With a fixed number of pairs no rate is held then: confirm what matters in a new run."
    return (
        f"{said}Then the share of false findings, divided by the level, is at most 1 on average: less than "
        "what a level promises that was set before."
    )


def _points(value: object) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 1
    return points(float(value)).lstrip("+") if known else printable(value)  # type: ignore[arg-type]
