"""Failures become hypotheses: which phrases of its caption bring a failure back.

Comes in: the explore arm, in phrases, and its groups. Goes out: hypotheses, and the draws that were made to find them.
Each failure is followed on its own: the phrases of its caption that are most telling to draw again are drawn, a few
images at a time, until one set of phrases is nearly sure to be behind it, or chance is. So one failure is enough to
find a conjunction that a label's draws show once. What it finds is a suspicion, no evidence: `confirm.py` tests it on
fresh images. Neighbours: `describe.py` does the same without a further draw, from failures that repeat;
`statistics/suspicion.py` has the mathematics.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import numpy as np

from foible.records import Draw, Group, Hypothesis, Label, Observation
from foible.stages.caption import caption_plan
from foible.stages.context import Context
from foible.stages.observe import observe_plan
from foible.stages.pairs import tally
from foible.stages.phrases import cut, in_order
from foible.stages.prompts import narrow_seeds, on_seeds
from foible.statistics import Suspicion, clopper_pearson, most_telling, phrase_sets, suspect
from foible.wrappers import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

Phrases = frozenset[str]
WIDEST = 200
"""Sets of phrases that are weighed for one failure, at most: of a long caption the phrases that fail most are kept."""
SHARE = 1 / 3
"""At most this share of what exploration leaves of a budget: a suspicion that cannot be tested is worth nothing."""
LEAST = 0.3
"""Where the draws end before a failure is settled, its most probable set is a hypothesis from this probability on."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What following the failures led to."""

    hypotheses: Sequence[Hypothesis]
    """The most telling first."""
    observed: Sequence[Observation]
    """The draws that were made for them."""


def narrow(
    groups: Sequence[Group],
    explored: Sequence[Observation],
    phrases: Mapping[str, Phrases],
    names: Sequence[str],
    context: Context,
) -> Narrowed:
    """Follow the failures of every label, all labels side by side.

    Args:
        groups: of the explore arm; where a label has more failures than are followed, each group has its turn.
        explored: the explore arm.
        phrases: draw key -> phrases of its caption; a draw without is not followed.
        names: what captions may call the object.
        context: the parts, and the budget: a third of what exploration leaves of it may be spent.
    """
    seen: dict[str, list[Observation]] = {name: [] for name in context.labels}
    for o in explored:
        seen[o.draw.prompt.label].append(o)
    margin = context.config.confirm.margin
    hopeful = [label for name, label in context.labels.items() if _has_room(seen[name], margin)]
    cases = [Case(label, groups, seen[label.name], phrases, context) for label in hopeful]
    observed = _go_on(cases, names, context)
    purse = _Purse(context, len(explored))
    left = sum(len(case.open) for case in cases)
    with context.progress.stage("narrow", left) as advance:
        whole = True
        while whole:
            wanted = [(case, draws) for case in cases if (draws := case.ask())]
            asked = [(case, draws) for case, draws in wanted if purse.pays(draws)]
            whole = bool(asked) and len(asked) == len(wanted)
            now = sum(len(case.open) for case in cases)
            advance(left - now)
            left = now
            plan = [draw for _, draws in asked for draw in draws]
            became = {o.draw.key: o for o in observe_plan(plan, context, lambda _: advance(0))}
            said = _phrases(plan, names, context)
            observed += became.values()
            for case, draws in asked:
                case.answer([(said[draw.key], became[draw.key]) for draw in draws])
        for case in cases:
            case.settle_all()
        advance(left)
    # Where an earlier call lost an answer for the moment, this one may have gone another way: its draws count, too.
    observed += observe_plan(_stored(context.store.keys("narrow") - {o.draw.key for o in observed}, context), context)
    context.store.note("narrowed", [[o.draw.prompt.label, o.draw.prompt.description, o.draw.seed] for o in observed])
    found = [hypothesis for case in cases for hypothesis in case.found]
    return Narrowed(sorted(found, key=lambda h: (-h.score, h.label, h.phrases)), observed)


def _has_room(explored: Sequence[Observation], margin: float) -> bool:
    """Tell whether a label leaves room for a bug: what fails nearly always cannot fail more often by the margin."""
    counts = tally(explored)
    low, _ = clopper_pearson(counts.failures, counts.scored)
    return low + margin < 1.0


def _go_on(cases: Sequence[Case], names: Sequence[str], context: Context) -> list[Observation]:
    """Hand the draws that smaller budgets paid for to their labels; return what became of them."""
    observed = observe_plan(_earlier(context), context)
    said = _phrases([o.draw for o in observed], names, context)
    for case in cases:
        case.go_on([(said[o.draw.key], o) for o in observed if o.draw.prompt.label == case.label.name])
    return observed


def _earlier(context: Context) -> list[Draw]:
    """Return the draws that were made under smaller budgets: they are known from the start.

    Which they are is noted, so that a call that goes on under the same budget begins as it began.
    """
    store, budget = context.store, context.config.budget
    noted = store.about("followed")
    usable = isinstance(noted, list) and len(noted) == 2 and isinstance(noted[1], list)  # noqa: PLR2004
    if not usable or noted[0] != budget:
        noted = [budget, sorted(store.keys("narrow"))]
        store.note("followed", noted)
    return _stored(store.keys("narrow").intersection(key for key in noted[1] if isinstance(key, str)), context)


def _stored(keys: AbstractSet[str], context: Context) -> list[Draw]:
    """Return stored draws of this arm as they were planned."""
    rows = [r for r in context.store.all_draws() if r.key in keys and r.label in context.labels] if keys else []
    return [
        draw
        for row in sorted(rows, key=lambda row: row.key)
        for draw in on_seeds(context.labels[row.label], (row.description,), "narrow", [row.seed], context)
    ]


def _phrases(plan: Sequence[Draw], names: Sequence[str], context: Context) -> dict[str, Phrases]:
    """Return what each draw shows, in phrases: what it was asked for, and what else its caption says."""
    assert context.captioner is not None  # noqa: S101 - a hunt without one never comes here
    captions = caption_plan(plan, context.captioner, context)
    asked = {draw.key: frozenset(draw.prompt.description.split(", ")) for draw in plan}
    return {
        key: asked[key] | (frozenset() if isinstance(text, Fault) else frozenset(cut(text, names)))
        for key, text in captions.items()
    }


class _Purse:
    """What the budget leaves for following failures; a draw that an earlier call made is paid for."""

    def __init__(self, context: Context, explored: int) -> None:
        store, budget = context.store, context.config.budget
        self._made = store.keys("narrow")
        self._spent = len(self._made)
        self._limit = None
        if budget is not None:
            tested = len(store.keys("treat", "control", "counterfactual"))
            self._limit = min(int((budget - explored) * SHARE), budget - explored - tested)

    def pays(self, plan: Sequence[Draw]) -> bool:
        """Pay for the draws of a label in a round, all of them or none."""
        new = sum(draw.key not in self._made for draw in plan)
        if self._limit is not None and self._spent + new > self._limit:
            return False
        self._spent += new
        return True


@dataclass(slots=True)
class Followed:
    """A failure that is followed."""

    said: Phrases
    """The phrases of its caption."""
    phrases: tuple[str, ...]
    """Those that are weighed."""
    sets: NDArray[np.intp]
    """The sets of its phrases that may be behind it (see `statistics/suspicion.py`)."""
    masks: list[int] = field(default_factory=list)
    """For each scored draw of its label, the phrases of this failure that it has."""
    draws: int = 0
    """That were made for it."""

    def mask(self, phrases: Phrases) -> int:
        """Write the phrases that a draw has of this failure as a whole number, a bit each."""
        return sum(1 << place for place, phrase in enumerate(self.phrases) if phrase in phrases)

    def unmask(self, mask: int) -> Phrases:
        """Read such a number."""
        return frozenset(phrase for place, phrase in enumerate(self.phrases) if mask >> place & 1)


class Case:
    """One label: its failures that are still open, all that was seen of it, and what was found."""

    def __init__(
        self,
        label: Label,
        groups: Sequence[Group],
        explored: Sequence[Observation],
        phrases: Mapping[str, Phrases],
        context: Context,
    ) -> None:
        """Begin with what exploration saw of the label."""
        own = [o for o in explored if o.draw.key in phrases]
        self.open: list[Followed] = []
        self.found: list[Hypothesis] = []
        self.label, self._context, self._options = label, context, context.config.describe
        self._seen = [(phrases[o.draw.key], o) for o in own if o.outcome.status != "unscored"]
        self._natural = len(self._seen)
        self._draws = 0
        self._seeds = narrow_seeds(label, context)
        often = _often(self._seen)
        keys = _spread([g.members for g in groups if g.label == label.name], self._options.follow)
        for said in dict.fromkeys(phrases[key] for key in keys if phrases.get(key)):
            one = _followed(said, often, self._options.phrases)
            one.masks += [one.mask(seen) for seen, _ in self._seen]
            self.open.append(one)

    def go_on(self, drawn: Sequence[tuple[Phrases, Observation]]) -> None:
        """Take in what was drawn for the label before, whose seeds are not used again."""
        taken = {o.draw.seed for _, o in drawn}
        self._draws += len(drawn)
        self._seeds = (seed for seed in self._seeds if seed not in taken)
        self.answer(drawn)

    def ask(self) -> list[Draw]:
        """Settle what can be settled; return the draws that tell most about the most promising failure that is open."""
        options = self._options
        while self.open and self._draws < options.draws and len(self.found) < options.hypotheses:
            one, belief = self._most_promising()
            sure = max(belief.chance, float(belief.each.max())) >= options.sure
            if not sure and one.draws < options.each:
                natural = np.array(one.masks[: self._natural], dtype=np.intp)
                wanted = in_order(one.unmask(most_telling(belief, natural)))
                count = min(options.step, options.each - one.draws, options.draws - self._draws)
                self._draws += count
                one.draws += count
                seeds = list(islice(self._seeds, count))
                return on_seeds(self.label, wanted, "narrow", seeds, self._context)
            self._settle(one, belief)
        return []

    def answer(self, seen: Sequence[tuple[Phrases, Observation]]) -> None:
        """Take in what became of draws."""
        scored = [(said, o) for said, o in seen if o.outcome.status != "unscored"]
        self._seen += scored
        for one in self.open:
            one.masks += [one.mask(said) for said, _ in scored]

    def settle_all(self) -> None:
        """Settle what is still open by what is believed now."""
        while self.open and len(self.found) < self._options.hypotheses:
            self._settle(*self._most_promising())

    def _most_promising(self) -> tuple[Followed, Suspicion]:
        """Return the open failure that is least likely to be chance, and what is believed of it."""
        # What a set that was found explains says nothing of the failures that it does not explain.
        live = np.array([not any(said.issuperset(h.phrases) for h in self.found) for said, _ in self._seen])
        failed = np.array([_failed(o) for _, o in self._seen])[live]
        beliefs = [(one, suspect(one.sets, np.array(one.masks, dtype=np.intp)[live], failed)) for one in self.open]
        return min(beliefs, key=lambda pair: pair[1].chance)

    def _settle(self, one: Followed, belief: Suspicion) -> None:
        """Close a failure: with a hypothesis, which closes every failure that it explains, or as chance."""
        self.open.remove(one)
        best = int(belief.each.argmax())
        if belief.each[best] < LEAST:
            return
        chosen = one.unmask(int(belief.sets[best]))
        predicted = Counter(o.outcome.predicted for said, o in self._seen if chosen <= said and _failed(o))
        most = predicted.most_common(1)[0][0] if predicted else None
        self.found.append(Hypothesis(self.label.name, in_order(chosen), most, float(belief.factor[best])))
        self.open = [other for other in self.open if not chosen <= other.said]


def _spread(groups: Sequence[Sequence[str]], most: int) -> list[str]:
    """Take so many failures, one of each group in turn, so that one frequent kind does not crowd out the others."""
    turns = chain.from_iterable(zip_longest(*groups))
    return list(islice(dict.fromkeys(key for key in turns if key is not None), most))


def _often(seen: Sequence[tuple[Phrases, Observation]]) -> dict[str, float]:
    """Return how often draws with each phrase fail, drawn towards a sixth where few have it."""
    draws = Counter(phrase for said, _ in seen for phrase in said)
    fails = Counter(phrase for said, o in seen if _failed(o) for phrase in said)
    return {phrase: (fails[phrase] + 0.5) / (count + 3) for phrase, count in draws.items()}


def _followed(said: Phrases, often: Mapping[str, float], most: int) -> Followed:
    """Follow a failure by the phrases of its caption that fail most, as many as can be weighed."""
    kept = sorted(said, key=lambda phrase: (-often.get(phrase, 0.0), phrase))
    # Counted before they are listed: of a caption without end there are more sets than memory holds.
    while sum(math.comb(len(kept), size) for size in range(1, most + 1)) > WIDEST:
        kept.pop()
    return Followed(said, tuple(kept), phrase_sets(len(kept), most))


def _failed(observation: Observation) -> bool:
    return observation.outcome.status == "failed"
