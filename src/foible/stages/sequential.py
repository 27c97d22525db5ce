"""`confirm: sequential`: a few pairs at a time, where the evidence is still open and most worth buying.

Comes in: hypotheses, the most telling first, and what exploration saw. Goes out: all of them, tested on as many pairs as
each was worth. Neighbours: `statistics/allocation.py` chooses, `statistics/evidence.py` weighs; `fixed.py` spends the
same number on every hypothesis.

Each round has seeds of its own. Control draws are shared by the hypotheses of a label that are drawn in the same round,
and by no later one: a choice that could see the control images of pairs to come would make the evidence of what it
chooses too large, however it is weighed. The policy is a pure function of what was seen, so an interrupted hunt goes
through the same rounds again, from the store.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from foible.records import Draw, Hypothesis, Observation
from foible.stages.context import Context
from foible.stages.observe import observe_plan
from foible.stages.pairs import Tested, pair
from foible.stages.prompts import plan_draws
from foible.statistics import Aim, Outlook, Tally, choose, given_up, outlook

PSEUDO_FAILURES, PSEUDO_DRAWS = 0.5, 10
"""What is believed of a base rate before anything is seen. It steers draws and is no evidence."""
LEAST_CHANCE, MOST_CHANCE = 0.05, 0.9
"""Bounds of what exploration's score may say about a hypothesis before its first pair."""


@dataclass(slots=True)
class _Running:
    """The pairs of one hypothesis so far."""

    hypothesis: Hypothesis
    treat: list[Observation] = field(default_factory=list)
    control: list[Observation] = field(default_factory=list)

    def tested(self) -> Tested:
        return pair(self.hypothesis, self.treat, self.control)


def confirm_sequential(
    hypotheses: Sequence[Hypothesis], explored: Sequence[Observation], context: Context, left: int | None
) -> list[Tested]:
    """Draw round after round until no hypothesis is worth another pair, or the budget is spent.

    Every hypothesis counts in the multiplicity from the start, whether or not it gets a draw.
    """
    options = context.config.confirm
    aim = Aim(options.margin, options.level, options.price, options.least)
    running = [_Running(h) for h in hypotheses]
    context.store.note("tried", [[h.label, h.phrases, h.predicted, h.score] for h in hypotheses])
    spent = settled = 0
    with context.progress.stage("confirm", len(running)) as advance:
        for number in itertools.count():
            seen = _outlook(running, explored, aim, context)
            done = int((seen.confirmed | given_up(seen, aim)).sum())
            advance(max(done - settled, 0))
            settled = max(done, settled)
            chosen = [running[index] for index in choose(seen, aim, options.width, number)]
            draws = _plan_round(chosen, number, context)
            if not draws or (left is not None and spent + len(draws) > left):
                break
            spent += len(draws)
            _add_round(chosen, draws, number, context)
        advance(len(running) - settled)
    return [each.tested() for each in running]


def _outlook(running: Sequence[_Running], explored: Sequence[Observation], aim: Aim, context: Context) -> Outlook:
    """Weigh every hypothesis; one that has had all its pairs, or whose pairs cannot be scored, is out of the running."""
    options = context.config.confirm
    tested = [each.tested() for each in running]
    cells = np.array([t.trial.pairs for t in tested], dtype=np.int64).reshape(-1, 4)
    base = _base_rates(running, explored)
    tally = Tally(
        minus=cells[:, 2],
        plus=cells[:, 1],
        both=cells[:, 0],
        neither=cells[:, 3],
        base=np.array([base[each.hypothesis.label] for each in running], dtype=np.float64),
        chance=np.array([_chance(each.hypothesis) for each in running], dtype=np.float64),
    )
    seen = outlook(tally, aim)
    drawn = np.array([len(each.treat) for each in running], dtype=np.int64)
    unscored = drawn - cells.sum(axis=1)
    out = (drawn >= options.draws) | ((drawn >= 2 * options.least) & (unscored > options.unscored * drawn))
    return replace(seen, price=np.where(out, np.inf, seen.price), pairs=np.where(out, np.inf, seen.pairs))


def _base_rates(running: Sequence[_Running], explored: Sequence[Observation]) -> dict[str, float]:
    """Believe a base rate for each label, from exploration and from every control draw."""
    controls = {o.draw.key: o for each in running for o in each.control}
    failures: dict[str, float] = {}
    draws: dict[str, float] = {}
    for o in (*explored, *controls.values()):
        if o.outcome.status != "unscored":
            label = o.draw.prompt.label
            failures[label] = failures.get(label, 0.0) + (o.outcome.status == "failed")
            draws[label] = draws.get(label, 0.0) + 1
    return {
        each.hypothesis.label: (failures.get(each.hypothesis.label, 0.0) + PSEUDO_FAILURES)
        / (draws.get(each.hypothesis.label, 0.0) + PSEUDO_DRAWS)
        for each in running
    }


def _chance(hypothesis: Hypothesis) -> float:
    """Believe how likely a hypothesis is true before its first pair, from how strongly exploration suggested it."""
    odds = LEAST_CHANCE * 10.0 ** min(hypothesis.score, 6.0)
    return min(max(odds / (1.0 + odds), LEAST_CHANCE), MOST_CHANCE)


def _plan_round(chosen: Sequence[_Running], number: int, context: Context) -> list[Draw]:
    """Plan a round's draws: for each label its control draws, for each hypothesis its treat draws, on the same seeds."""
    labels = dict.fromkeys(each.hypothesis.label for each in chosen)
    controls = [draw for label in labels for draw in _of_round(label, (), number, context)]
    treats = [d for each in chosen for d in _of_round(each.hypothesis.label, each.hypothesis.phrases, number, context)]
    return [*controls, *treats]


def _of_round(label: str, phrases: Sequence[str], number: int, context: Context) -> list[Draw]:
    step = context.config.confirm.step
    arm = "treat" if phrases else "control"
    return plan_draws(context.labels[label], phrases, arm, (number + 1) * step, context)[number * step :]


def _add_round(chosen: Sequence[_Running], draws: Sequence[Draw], number: int, context: Context) -> None:
    """Observe a round and give each hypothesis its pairs."""
    seen = {o.draw.key: o for o in observe_plan(draws, context)}
    for each in chosen:
        label = each.hypothesis.label
        each.treat += [seen[d.key] for d in _of_round(label, each.hypothesis.phrases, number, context)]
        each.control += [seen[d.key] for d in _of_round(label, (), number, context)]
