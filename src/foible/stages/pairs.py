"""Treat and control draws of one hypothesis, paired by seed and counted.

Comes in: observations of both arms. Goes out: `Tested`: a `Trial` with the observations that it counts. Neighbours:
`fixed.py` and `sequential.py` decide how many pairs there are; `decide.py` gives verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foible.records import Hypothesis, Observation, Tally, Trial


@dataclass(frozen=True, slots=True)
class Tested:
    """A trial with what it counts: treat and control observations of the same number form a pair."""

    trial: Trial
    treat: tuple[Observation, ...]
    control: tuple[Observation, ...]


def tally(observations: Sequence[Observation]) -> Tally:
    """Count observations."""
    statuses = [o.outcome.status for o in observations]
    return Tally(len(statuses), statuses.count("failed"), statuses.count("unscored"))


def pair(hypothesis: Hypothesis, treat: Sequence[Observation], control: Sequence[Observation]) -> Tested:
    """Count the pairs of a hypothesis: treat and control observations of the same place in their lists."""
    pairs = Counter((t.outcome.status, c.outcome.status) for t, c in zip(treat, control, strict=True))
    counts = (
        pairs["failed", "failed"],
        pairs["failed", "passed"],
        pairs["passed", "failed"],
        pairs["passed", "passed"],
    )
    return Tested(Trial(hypothesis, tally(treat), tally(control), counts), tuple(treat), tuple(control))
