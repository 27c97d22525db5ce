"""Treat and control draws of one hypothesis, paired by seed and counted.

Comes in: observations of both arms. Goes out: `Tested`: a `Trial` with the observations that it counts. Neighbours:
`fixed.py` and `sequential.py` decide how many pairs there are; `decide.py` gives verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foible.records import UNFAITHFUL, Hypothesis, Observation, Status, Tally, Trial

CELLS: tuple[tuple[Status, Status], ...] = (
    ("failed", "failed"),
    ("failed", "passed"),
    ("passed", "failed"),
    ("passed", "passed"),
)
"""What becomes of a pair, (treat, control), in the order of `Trial.pairs`; other pairs are unscored."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A trial with what it counts: treat and control observations of the same number form a pair."""

    trial: Trial
    treat: tuple[Observation, ...]
    control: tuple[Observation, ...]


def tally(observations: Sequence[Observation]) -> Tally:
    """Count observations."""
    statuses = [o.outcome.status for o in observations]
    unfaithful = sum(o.outcome.reason == UNFAITHFUL for o in observations)
    return Tally(len(statuses), statuses.count("failed"), statuses.count("unscored"), unfaithful)


def pair(hypothesis: Hypothesis, treat: Sequence[Observation], control: Sequence[Observation]) -> Tested:
    """Count the pairs of a hypothesis: treat and control observations of the same place in their lists."""
    pairs = Counter((t.outcome.status, c.outcome.status) for t, c in zip(treat, control, strict=True))
    failed, only_treat, only_control, passed = (pairs[cell] for cell in CELLS)
    trial = Trial(hypothesis, tally(treat), tally(control), (failed, only_treat, only_control, passed))
    return Tested(trial, tuple(treat), tuple(control))


def spoilt(trial: Trial, most: float) -> str:
    """Say why a trial decides nothing, whatever its pairs say; empty where it may.

    A share of unscored draws above `most`, in either arm, means that the few images left are no fair sample of what the
    prompt stands for. The arms are looked at one by one: a judge that errs on a tenth of the images spoils a fifth of
    the pairs, and no description.
    """
    arms = ((trial.treat, "with the description"), (trial.control, "without it"))
    lost = [f"{t.unscored} of {t.draws} draws {where}" for t, where in arms if t.unscored > most * t.draws]
    return f"{' and '.join(lost)} are unscored, more than the {most:.0%} allowed" if lost else ""
