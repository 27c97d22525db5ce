"""Which words carry a confirmed failure: drop or swap each phrase, on the seeds of its treat arm.

Comes in: confirmed findings, and the captions of the explore arm. Goes out: the same findings with counterfactuals.
Neighbour: `decide.py` confirmed them; nothing here changes a verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from foible.records import Counterfactual, Draw, Finding, Hypothesis, Observation
from foible.stages.context import Context
from foible.stages.decide import rate
from foible.stages.observe import observe
from foible.stages.pairs import Tested, tally
from foible.stages.phrases import is_modifier, opening
from foible.stages.prompts import on_seeds


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of a description."""

    kind: str
    """`drop` or `swap`."""
    phrase: str
    left: tuple[str, ...]
    """The phrases after the edit."""


def explain(
    findings: Sequence[Finding],
    tested: Sequence[Tested],
    captions: Iterable[frozenset[str]],
    context: Context,
    allowed: int | None = None,
) -> tuple[list[Finding], list[Observation]]:
    """Add counterfactuals to confirmed findings, as many as the config allows.

    Args:
        findings: with verdicts, in order.
        tested: what they were decided from; the seeds come from there.
        captions: the phrases of each explored caption; alternatives for a swap come from them.
        context: the parts, and how many findings and draws.
        allowed: at most this many draws that were not made before; None for no limit.

    Returns:
        The findings in the same order, and the draws that were made for them.
    """
    options = context.config.explain
    if options.draws == 0:
        return list(findings), []
    alternatives = Alternatives(captions)
    confirmed = [f for f in findings if f.verdict == "confirmed"][: options.findings]
    treats = {t.trial.hypothesis: t.treat[: options.draws] for t in tested}
    plans = {
        f.trial.hypothesis: [
            (change, _plan(change.left, treats[f.trial.hypothesis], context)) for change in changes(f, alternatives)
        ]
        for f in confirmed
    }
    edits = [draws for plan in plans.values() for _, draws in plan]
    made = context.store.draws(draw.key for draws in edits for draw in draws).keys()
    paid: set[str] = set()
    chosen: dict[tuple[str, ...], Sequence[Draw]] = {}
    for draws in edits:
        own = tuple(dict.fromkeys(draw.key for draw in draws))
        price = paid | (set(own) - made)
        if allowed is None or len(price) <= allowed:
            paid = price
            chosen[own] = draws
    seen = {o.draw.key: o for o in observe(list(chosen.values()), context, "explain")} if chosen else {}
    return [_explained(f, plans.get(f.trial.hypothesis, ()), treats, seen) for f in findings], list(seen.values())


def changes(finding: Finding, alternatives: Alternatives) -> list[Change]:
    """List the edits of a description: each phrase dropped (where another is left), then each phrase swapped."""
    phrases = finding.trial.hypothesis.phrases
    edits = [Change("drop", phrase, tuple(p for p in phrases if p != phrase)) for phrase in phrases if len(phrases) > 1]
    for phrase in phrases:
        other = alternatives.of(phrase, phrases)
        if other:
            edits.append(Change("swap", phrase, tuple(other if p == phrase else p for p in phrases)))
    return edits


class Alternatives:
    """What could be said in place of a phrase: something of its kind that is never said together with it."""

    def __init__(self, captions: Iterable[frozenset[str]]) -> None:
        """Count the phrases of many captions."""
        self._captions = list(captions)
        self._counts = Counter(phrase for phrases in self._captions for phrase in phrases)

    def of(self, phrase: str, taken: Sequence[str]) -> str:
        """Return the most frequent alternative to a phrase, or an empty text.

        Args:
            phrase: a modifier is swapped for a modifier, "on …" for "on …".
            taken: phrases that must not be the answer.
        """
        together = {p for phrases in self._captions if phrase in phrases for p in phrases}
        kind = _kind(phrase)
        fitting = [p for p in self._counts if p not in together and p not in taken and _kind(p) == kind]
        return min(fitting, key=lambda p: (-self._counts[p], p), default="")


def _kind(phrase: str) -> str:
    return "modifier" if is_modifier(phrase) else opening(phrase)


def _plan(phrases: Sequence[str], treat: Sequence[Observation], context: Context) -> list[Draw]:
    """Plan an edited description on the seeds of treat draws."""
    label = context.labels[treat[0].draw.prompt.label]
    return on_seeds(label, phrases, "counterfactual", [o.draw.seed for o in treat], context)


def _explained(
    finding: Finding,
    plan: Sequence[tuple[Change, Sequence[Draw]]],
    treats: Mapping[Hypothesis, Sequence[Observation]],
    seen: Mapping[str, Observation],
) -> Finding:
    treat = treats[finding.trial.hypothesis]
    failing = {o.draw.seed for o in treat if o.draw.key in finding.failing}
    counterfactuals = []
    for change, draws in plan:
        if any(draw.key not in seen for draw in draws):  # the budget left it out
            continue
        observed = [seen[draw.key] for draw in draws]
        counts = tally(observed)
        keys = tuple(o.draw.key for o in observed if o.draw.seed in failing)
        counterfactuals.append(
            Counterfactual(change.kind, change.phrase, ", ".join(change.left), counts, rate(counts), keys)
        )
    return replace(finding, counterfactuals=tuple(counterfactuals))
