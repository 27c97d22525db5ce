"""`confirm: fixed`: the same number of pairs for every hypothesis; the control draws are shared by those of a label.

Comes in: hypotheses, the most telling first. Goes out: those that the budget can pay for, tested. Neighbour:
`sequential.py` draws where evidence is still open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from foible.records import Arm, Draw, Hypothesis, Label, Observation
from foible.stages.context import Context
from foible.stages.observe import observe
from foible.stages.pairs import Tested, pair
from foible.stages.prompts import plan_draws


def confirm_fixed(hypotheses: Sequence[Hypothesis], context: Context, left: int | None) -> list[Tested]:
    """Draw and count the pairs of every hypothesis that `left` draws can pay for, in the order given."""
    chosen = within_budget(hypotheses, left, context.config.confirm.draws)
    context.store.note("tried", [[h.label, h.phrases, h.predicted, h.score] for h in chosen])
    return count_pairs(chosen, context, lambda plans: observe(plans, context, "confirm"))


def count_pairs(
    hypotheses: Sequence[Hypothesis],
    context: Context,
    look: Callable[[Sequence[Sequence[Draw]]], Sequence[Observation]],
) -> list[Tested]:
    """Count the pairs of every hypothesis, on draws that `look` makes or looks up, plan by plan."""
    labels = dict.fromkeys(h.label for h in hypotheses)
    controls = {name: _plan(context.labels[name], (), "control", context) for name in labels}
    treats = {h: _plan(context.labels[h.label], h.phrases, "treat", context) for h in hypotheses}
    seen = {o.draw.key: o for o in look([*controls.values(), *treats.values()])}
    return [pair(h, [seen[d.key] for d in treats[h]], [seen[d.key] for d in controls[h.label]]) for h in hypotheses]


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


def _plan(label: Label, phrases: Sequence[str], arm: Arm, context: Context) -> list[Draw]:
    return plan_draws(label, phrases, arm, context.config.confirm.draws, context)
