"""Which failing draws of a finding are shown with which draws of the same seeds.

Comes in: a finding and its result. Goes out: keys of draws. Neighbours: `html.py` and `attribution.py` show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foible.findings import Finding, HuntResult


@dataclass(frozen=True, slots=True)
class Pair:
    """A failing draw, and the draw of the same seed without the description; None where that is not known."""

    failing: str
    control: str | None


def pairs(finding: Finding, result: HuntResult) -> list[Pair]:
    """Pair the failing draws with the control draws of the same seeds."""

    def seed(key: str) -> int | None:
        seen = result.observations.get(key)
        return seen.request.seed if seen else None

    controls = {seed(key): key for key in finding.paired if seed(key) is not None}
    return [Pair(key, controls.get(seed(key))) for key in finding.failing]
