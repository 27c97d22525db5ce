"""The difference of a finding as its verdict has it, and whether what was measured afterwards agrees.

Comes in: a finding. Goes out: short printable strings. Neighbours: `words.py` writes single numbers; `sentences.py`
makes whole sentences of both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from foible.report.words import margin, points, points_interval

if TYPE_CHECKING:
    from foible.findings import Finding, HuntResult


def apart(finding: Finding, result: HuntResult) -> str:
    """Write the interval of a finding's difference in points, as its verdict has it.

    Of a confirmed one it has one side, as the test has: "at least +61". Of photographs it is about photographs like
    these; what the verdict rests on is exact, and said beside it.
    """
    if finding.verdict != "confirmed" or finding.of_set is not None:
        return points_interval(finding.difference)
    return at_least(finding.difference.low, margin(result))


def at_least(low: float, limit: float | None) -> str:
    """Write a lower bound in points: rounded down, with as many digits as set it apart from a margin below it."""
    above = 100 * limit if limit is not None and low > limit else -math.inf
    for digits in range(4):
        rounded = math.floor(round(low * 100 * 10**digits, 6)) / 10**digits
        if rounded > above:
            sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
            return f"at least {sign}{abs(rounded):.{digits}f}"
    return f"more than {points(limit)}"


def disagreement(finding: Finding) -> str:
    """Say that what was measured lies outside of what the verdict rests on; empty where it does not."""
    value, held = finding.difference.value, finding.difference
    if finding.measured is None or value is None or held.low <= value <= held.high:
        return ""
    than = "less" if value < held.low else "more"
    return (
        f"What was measured after the verdict, {points(value)} points, is {than} than the pairs that decided support: "
        "one of the two was luck, so draw again, with another seed, before you rely on it."
    )
