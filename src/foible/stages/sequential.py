"""`confirm: sequential`: a few pairs at a time, where the evidence is still open and most worth buying.

Comes in: hypotheses, the most telling first, and what exploration saw. Goes out: all of them, tested on as many pairs
as each was worth. Neighbours: `ledger.py` keeps the counts, `statistics/allocation.py` chooses,
`statistics/evidence.py` weighs; `fixed.py` spends the same number on every hypothesis.

Each round has seeds of its own. Control draws are shared by the hypotheses of a label that are drawn in the same round,
and by no later one: a choice that could see the control images of pairs to come would make the evidence of what it
chooses too large, however it is weighed.

What a round draws is noted before it is drawn, and a hunt that goes on walks through the noted rounds first. So an
interrupted hunt ends as one that was never stopped; and where a larger budget explores more and believes something
else, the old rounds stay what they were, and the evidence goes on from there. To choose anew would be to choose among
several tests of the same hypothesis after the first was seen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from foible.errors import StoreError
from foible.records import Draw, Hypothesis, Observation
from foible.stages.context import Context
from foible.stages.ledger import Ledger
from foible.stages.observe import Look, observe_plan
from foible.stages.pairs import Tested
from foible.stages.prompts import on_seeds
from foible.statistics import Aim, choose, given_up


def confirm_sequential(
    hypotheses: Sequence[Hypothesis], explored: Sequence[Observation], context: Context, left: int | None
) -> list[Tested]:
    """Draw round after round until no hypothesis is worth another pair, or the budget is spent.

    Every hypothesis counts in the multiplicity from the start, whether or not it gets a draw. Where nothing was
    explored a person asks, and wants an answer: nothing is given up for its price then.

    Raises:
        StoreError: the run directory notes a round that cannot have been.
    """
    options = context.config.confirm
    aim = Aim(options.margin, options.level, options.price if explored else math.inf, options.least)
    ledger = Ledger(hypotheses, explored, context)
    if left is not None:
        left -= len(context.store.keys("counterfactual"))  # of an earlier call; they were paid for
    context.store.note("tried", [[h.label, h.phrases, h.predicted, h.score] for h in hypotheses])
    settled = 0
    with context.progress.stage("confirm", len(hypotheses)) as advance:
        for number in itertools.count():
            chosen = _noted(number, len(hypotheses), context)
            if chosen is None:
                seen = ledger.outlook(aim)
                done = int((seen.confirmed | given_up(seen, aim)).sum())
                advance(max(done - settled, 0))
                settled = max(done, settled)
                cheapest = [int(index) for index in choose(seen, aim, options.width, number)]
                chosen = cheapest if left is None else ledger.affordable(cheapest, left - ledger.spent)
                if not chosen:
                    break
                context.store.note(_name(number), chosen)
            _draw_round(chosen, ledger, context, lambda plan: observe_plan(plan, context))
        advance(len(hypotheses) - settled)
    return ledger.tested()


def retrace(
    hypotheses: Sequence[Hypothesis], explored: Sequence[Observation], context: Context, look: Look
) -> list[Tested]:
    """Walk through the rounds that a run directory notes, with draws that are looked up in place of made.

    Raises:
        StoreError: as `confirm_sequential`.
    """
    ledger = Ledger(hypotheses, explored, context)
    for number in itertools.count():
        chosen = _noted(number, len(hypotheses), context)
        if chosen is None:
            break
        _draw_round(chosen, ledger, context, look)
    return ledger.tested()


def _name(number: int) -> str:
    return f"round {number}"


def _noted(number: int, hypotheses: int, context: Context) -> list[int] | None:
    """Return the hypotheses that a round of an earlier call drew, by place; None for a new round."""
    noted = context.store.about(_name(number))
    if noted is None:
        return None
    places = noted if isinstance(noted, list) else []
    usable = bool(places) and all(type(place) is int and 0 <= place < hypotheses for place in places)
    if not usable or len(set(places)) < len(places):
        message = f"{context.store.folder} notes a round {number} that cannot have been; it is damaged, name another"
        raise StoreError(f"{message} --out, with the same archive")
    return places


def _draw_round(chosen: Sequence[int], ledger: Ledger, context: Context, look: Look) -> None:
    """Draw a round: for each label its control draws, for each hypothesis its treat draws, on the same seeds."""
    seeds = ledger.open_round(chosen)
    controls = {name: on_seeds(context.labels[name], (), "control", each, context) for name, each in seeds.items()}
    treats: dict[int, list[Draw]] = {}
    for place in chosen:
        hypothesis = ledger.hypotheses[place]
        own = seeds[hypothesis.label][: ledger.batch(place)]
        treats[place] = on_seeds(context.labels[hypothesis.label], hypothesis.phrases, "treat", own, context)
    # Two plans, since another hunt that shares the archive draws the same controls beside other treats.
    plans = [[draw for draws in of.values() for draw in draws] for of in (controls, treats)]
    seen = {o.draw.key: o for plan in plans for o in look(plan)}
    ledger.add_controls([seen[draw.key] for draws in controls.values() for draw in draws])
    for place, draws in treats.items():
        beside = controls[ledger.hypotheses[place].label]
        ledger.add_pairs(place, [(seen[t.key], seen[c.key]) for t, c in zip(draws, beside, strict=False)])
