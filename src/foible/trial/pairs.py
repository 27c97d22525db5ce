"""Treat and control draws of one hypothesis, paired by seed and counted.

Comes in: draws of both arms. Goes out: `Tested`: a `Trial` with the observations that it counts. Neighbours: `fixed.py`
and `sequential.py` decide how many pairs there are; `decide.py` gives verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foible.records import TIED, UNFAITHFUL, Answered, Hypothesis, Observation, Pairs, Status, Tally, Trial

CELLS: tuple[tuple[Status, Status], ...] = (
    ("failed", "failed"),
    ("failed", "passed"),
    ("passed", "failed"),
    ("passed", "passed"),
)
"""What becomes of a pair, (treat, control), in the order of `Pairs`; other pairs are unscored."""

Pair = tuple[Answered, Answered]
"""The draws of one seed: with the treatment, and without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A trial with what it counts: treat and control observations of the same number form a pair."""

    trial: Trial
    treat: tuple[Observation, ...]
    control: tuple[Observation, ...]


def tally(observations: Sequence[Observation]) -> Tally:
    """Count observations."""
    statuses = [o.outcome.status for o in observations]
    reasons = [o.outcome.reason for o in observations]
    return Tally(
        draws=len(statuses),
        failures=statuses.count("failed"),
        unscored=statuses.count("unscored"),
        unfaithful=reasons.count(UNFAITHFUL),
        tied=reasons.count(TIED),
    )


def count(hypothesis: Hypothesis, pairs: Sequence[Pair]) -> Tested:
    """Count the pairs of a hypothesis, as its classifier sees them."""
    treat = tuple(one.seen_by(hypothesis.classifier) for one, _ in pairs)
    control = tuple(other.seen_by(hypothesis.classifier) for _, other in pairs)
    return count_seen(hypothesis, treat, control)


def count_seen(hypothesis: Hypothesis, treat: Sequence[Observation], control: Sequence[Observation]) -> Tested:
    """Count the pairs of a hypothesis; treat and control observations of the same place form a pair."""
    cells = Counter((t.outcome.status, c.outcome.status) for t, c in zip(treat, control, strict=True))
    trial = Trial(
        hypothesis=hypothesis,
        treat=tally(treat),
        control=tally(control),
        pairs=Pairs(*(cells[cell] for cell in CELLS)),
    )
    return Tested(trial=trial, treat=tuple(treat), control=tuple(control))


def by_seed(answered: Sequence[Answered]) -> dict[tuple[str, tuple[str, ...]], list[Pair]]:
    """Pair the treated draws of one ask with the untreated ones of the same label and seed.

    Returns:
        By label and words of the treatment, in the order of the draws.
    """
    base = {(one.request.label, one.request.seed): one for one in answered if not one.request.treatment}
    found: dict[tuple[str, tuple[str, ...]], list[Pair]] = {}
    for one in answered:
        request = one.request
        control = base.get((request.label, request.seed))
        if request.treatment and control is not None:
            found.setdefault((request.label, request.treatment.words), []).append((one, control))
    return found


def spoilt(trial: Trial, most: float) -> str:
    """Say why a trial decides nothing, whatever its pairs say; empty where it may.

    A share of unscored draws above `most`, in either arm, means that the few images left are no fair sample of what the
    prompt stands for. The arms are looked at one by one: a judge that errs on a tenth of the images spoils a fifth of
    the pairs, and no description.
    """
    arms = ((trial.treat, "with the description"), (trial.control, "without it"))
    lost = [f"{t.unscored} of {t.draws} draws {where}" for t, where in arms if t.unscored > most * t.draws]
    return f"{' and '.join(lost)} are unscored, more than the {most:.0%} allowed" if lost else ""
