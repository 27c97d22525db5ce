"""Hypotheses are tested on fresh images: with the description (treat) and without (control), on the same seeds.

Comes in: hypotheses. Goes out: one `Trial` each, and the observations that it counts. `fixed`: the same number of pairs
for every hypothesis; the control draws are shared by all hypotheses of a label. Neighbour: `decide.py` gives verdicts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foible.records import Arm, Draw, Hypothesis, Label, Observation, Tally, Trial
from foible.stages.context import Context
from foible.stages.observe import observe
from foible.stages.prompts import plan_draws


@dataclass(frozen=True, slots=True)
class Tested:
    """A trial with what it counts: treat and control observations of the same number form a pair."""

    trial: Trial
    treat: tuple[Observation, ...]
    control: tuple[Observation, ...]


def confirm(hypotheses: Sequence[Hypothesis], context: Context) -> list[Tested]:
    """Draw and count the pairs of every hypothesis, in the order given."""
    controls = {name: _plan(context.labels[name], (), "control", context) for name in _labels(hypotheses)}
    treats = {h: _plan(context.labels[h.label], h.phrases, "treat", context) for h in hypotheses}
    seen = {o.draw.key: o for o in observe([*controls.values(), *treats.values()], context, "confirm")}
    return [_tested(h, [seen[d.key] for d in treats[h]], [seen[d.key] for d in controls[h.label]]) for h in hypotheses]


def within_budget(hypotheses: Sequence[Hypothesis], draws: int | None, pairs: int) -> list[Hypothesis]:
    """Keep the hypotheses, in their order, that a number of draws can pay for.

    Args:
        hypotheses: the most telling first.
        draws: how many draws are left; None for no limit.
        pairs: pairs per hypothesis; the first hypothesis of a label pays for its control draws too.
    """
    kept: list[Hypothesis] = []
    left = math.inf if draws is None else draws
    for hypothesis in hypotheses:
        price = pairs if any(h.label == hypothesis.label for h in kept) else 2 * pairs
        if price <= left:
            kept.append(hypothesis)
            left -= price
    return kept


def tally(observations: Sequence[Observation]) -> Tally:
    """Count observations."""
    statuses = [o.outcome.status for o in observations]
    return Tally(len(statuses), statuses.count("failed"), statuses.count("unscored"))


def _labels(hypotheses: Sequence[Hypothesis]) -> list[str]:
    return list(dict.fromkeys(h.label for h in hypotheses))


def _plan(label: Label, phrases: Sequence[str], arm: Arm, context: Context) -> list[Draw]:
    return plan_draws(label, phrases, arm, context.config.confirm.draws, context)


def _tested(hypothesis: Hypothesis, treat: Sequence[Observation], control: Sequence[Observation]) -> Tested:
    pairs = Counter((t.outcome.status, c.outcome.status) for t, c in zip(treat, control, strict=True))
    counts = (
        pairs["failed", "failed"],
        pairs["failed", "passed"],
        pairs["passed", "failed"],
        pairs["passed", "passed"],
    )
    return Tested(Trial(hypothesis, tally(treat), tally(control), counts), tuple(treat), tuple(control))
