"""Which words carry a confirmed failure: drop or swap each phrase, on the seeds of its treat arm.

Comes in: confirmed findings, and the captions of what was explored. Goes out: the same findings with counterfactuals.
Neighbour: `trial/decide.py` confirmed them; nothing here changes a verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.config import ExplainOptions
from foible.draws.request import Requests
from foible.findings import Counterfactual, Finding
from foible.records import Answered, Hypothesis, Observation, Request, Treatment
from foible.search.phrases import is_modifier, opening
from foible.trial.decide import rate
from foible.trial.pairs import Tested, tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit of a treatment."""

    kind: Literal["drop", "swap"]
    phrase: str
    left: Treatment
    """What the edit leaves."""


class ExplainWords:
    """Asks for the edits of confirmed findings, one edit after the other, as far as they can be paid for."""

    stage = "explain"
    arm: Arm = "explain"

    def __init__(
        self,
        findings: Sequence[Finding],
        tested: Sequence[Tested],
        captions: Iterable[frozenset[str]],
        requests: Requests,
        options: ExplainOptions,
    ) -> None:
        """Plan the edits.

        Args:
            findings: with verdicts, in order; as many confirmed ones as the options allow are explained.
            tested: what they were decided from; the seeds come from there.
            captions: the phrases of each explored caption; alternatives for a swap come from them.
            requests: makes requests.
            options: how many findings and draws.
        """
        alternatives = Alternatives(captions)
        treats = {t.trial.hypothesis: t.treat[: options.draws] for t in tested}
        confirmed = [f for f in findings if f.verdict == "confirmed"][: options.findings if options.draws else 0]
        self._findings = findings
        self._treats = treats
        self._edits: dict[Hypothesis, list[tuple[Change, list[Request]]]] = {}
        for finding in confirmed:
            hypothesis = finding.trial.hypothesis
            seeds = [o.request.seed for o in treats[hypothesis]]
            self._edits[hypothesis] = [
                (change, requests.on(hypothesis.label, change.left, "explain", seeds))
                for change in changes(finding, alternatives)
            ]
        self._seen: dict[str, Answered] = {}

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for the first edit that lacks draws and can be paid for."""
        for _, wanted in self._all():
            missing = [r for r in wanted if r.key not in self._seen]
            if missing and allowance.takes(missing):
                return Ask(requests=missing)
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        self._seen |= {one.request.key: one for one in answered}

    def progress(self) -> tuple[int, int]:
        """Count edits."""
        edits = self._all()
        return sum(all(r.key in self._seen for r in wanted) for _, wanted in edits), len(edits)

    def explained(self) -> list[Finding]:
        """Return the findings in their order, with the counterfactuals that the budget paid for."""
        return [replace(f, counterfactuals=self._counterfactuals(f)) for f in self._findings]

    @property
    def answered(self) -> list[Answered]:
        """What became of every draw."""
        return list(self._seen.values())

    def _all(self) -> list[tuple[Change, list[Request]]]:
        return [edit for edits in self._edits.values() for edit in edits]

    def _counterfactuals(self, finding: Finding) -> tuple[Counterfactual, ...]:
        hypothesis = finding.trial.hypothesis
        failing = {o.request.seed for o in self._treats.get(hypothesis, ()) if o.key in finding.failing}
        found = []
        for change, wanted in self._edits.get(hypothesis, ()):
            if any(r.key not in self._seen for r in wanted):  # the budget left it out
                continue
            observed: list[Observation] = [self._seen[r.key].seen_by(hypothesis.classifier) for r in wanted]
            counts = tally(observed)
            found.append(
                Counterfactual(
                    change=change.kind,
                    phrase=change.phrase,
                    treatment=change.left,
                    tally=counts,
                    rate=rate(counts),
                    examples=tuple(o.key for o in observed if o.request.seed in failing),
                )
            )
        return tuple(found)


def changes(finding: Finding, alternatives: Alternatives) -> list[Change]:
    """List the edits of a treatment: each phrase dropped (where another is left), then each phrase swapped."""
    phrases = finding.trial.hypothesis.treatment.words
    edits = [
        Change(kind="drop", phrase=phrase, left=Treatment(words=tuple(p for p in phrases if p != phrase)))
        for phrase in phrases
        if len(phrases) > 1
    ]
    for phrase in phrases:
        other = alternatives.of(phrase, phrases)
        if other:
            left = Treatment(words=tuple(other if p == phrase else p for p in phrases))
            edits.append(Change(kind="swap", phrase=phrase, left=left))
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
