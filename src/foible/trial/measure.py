"""The rates of confirmed findings, on draws of their own.

Comes in: confirmed findings. Goes out: the same findings with the rates that are shown. The draws that decided stopped
when they looked good, so their rates are too large on average; what is drawn here is of a number that was fixed before
the first of them, by the deciding draws alone, so that exact intervals hold. Nothing here changes a verdict.
Neighbours: `decide.py` gave the verdicts; `explanation/words.py` says which words carry a failure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.config import ConfirmOptions, MeasureOptions
from foible.draws.request import BASE, Requests
from foible.findings import Deciding, Finding
from foible.records import Answered, Hypothesis, Pairs, Request, Tally
from foible.statistics import Skill, clopper_pearson
from foible.trial.decide import at_all_times, corrected, difference_of, rate, ratio_of
from foible.trial.pairs import Tested, count, spoilt


class Measure:
    """Asks for the pairs of one confirmed finding after the other, as far as they can be paid for."""

    stage = "measure"
    arm: Arm = "measure"

    def __init__(
        self,
        findings: Sequence[Finding],
        requests: Requests,
        options: MeasureOptions,
        decided: ConfirmOptions,
        *,
        narrows: bool = True,
    ) -> None:
        """Fix how many pairs each confirmed finding gets; those about the same draws share them.

        Args:
            findings: with verdicts.
            requests: makes requests.
            options: how exactly rates are measured.
            decided: how the verdicts came about. With a larger share of unscored draws in an arm than is allowed
                there, the deciding rates are shown: of a source that runs out of images only what is left would be
                measured.
            narrows: whether what is measured narrows the interval of the verdict. Not where margin or level were chosen
                after it was seen: the risk of the lower end is no longer set before these draws.
        """
        self._decided = decided
        self._narrows = narrows and decided.method == "sequential"
        self._findings = findings
        self._requests = requests
        self._seen: dict[str, Answered] = {}
        self._pairs: dict[Hypothesis, int] = {}
        confirmed = [f for f in findings if f.verdict == "confirmed" and options.most]
        for finding in confirmed:
            trial = finding.trial
            arms = (trial.treat, trial.control)
            self._pairs[trial.hypothesis] = max(draws_for(of, options.width, options.most) for of in arms)

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for the first finding that lacks pairs and can be paid for."""
        for hypothesis in self._pairs:
            missing = [r for pair in self._wanted(hypothesis) for r in pair if r.key not in self._seen]
            if missing and allowance.takes(missing):
                return Ask(requests=sorted(missing, key=lambda r: bool(r.treatment)))
        return None

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:  # noqa: ARG002 - an asker's signature
        """Take in what became of draws."""
        self._seen |= {one.request.key: one for one in answered}

    def progress(self) -> tuple[int, int]:
        """Count findings."""
        return sum(self._is_whole(hypothesis) for hypothesis in self._pairs), len(self._pairs)

    def measured(self, judge: tuple[Skill, Skill] | None) -> list[Finding]:
        """Return the findings in their order; those that got their draws with the rates of these.

        Args:
            judge: sensitivity and specificity of the judge, for the corrected rates; None where they are not known.
        """
        return [self._one(f, judge) if self._is_whole(f.trial.hypothesis) else f for f in self._findings]

    def seen(self, finding: Finding) -> Tested | None:
        """Give the pairs that the rates of a finding were measured by; None where they were not."""
        return self._counted(finding.trial.hypothesis) if finding.measured is not None else None

    def _one(self, finding: Finding, judge: tuple[Skill, Skill] | None) -> Finding:
        hypothesis = finding.trial.hypothesis
        trial = self._counted(hypothesis).trial
        if spoilt(trial, self._decided.unscored):
            return finding
        rates = rate(trial.treat), rate(trial.control)
        held = finding.difference
        gap = difference_of(trial, narrowed(finding, trial.pairs) if self._narrows else (held.low, held.high))
        return replace(
            finding,
            treat=rates[0],
            control=rates[1],
            difference=gap,
            ratio=ratio_of(*rates, gap),
            treat_corrected=corrected(trial.treat, judge, sequential=False),
            control_corrected=corrected(trial.control, judge, sequential=False),
            measured=trial,
            deciding=Deciding(treat=finding.treat, control=finding.control, difference=finding.difference),
        )

    def _counted(self, hypothesis: Hypothesis) -> Tested:
        return count(hypothesis, [(self._seen[t.key], self._seen[c.key]) for c, t in self._wanted(hypothesis)])

    def _is_whole(self, hypothesis: Hypothesis) -> bool:
        wanted = self._wanted(hypothesis)
        return bool(wanted) and all(r.key in self._seen for pair in wanted for r in pair)

    def _wanted(self, hypothesis: Hypothesis) -> list[tuple[Request, Request]]:
        """Return the (control, treat) requests of a finding."""
        label, treatment = hypothesis.about
        seeds = list(islice(self._requests.seeds(label, self.arm), self._pairs.get(hypothesis, 0)))
        controls = self._requests.on(label, BASE, self.arm, seeds)
        return list(zip(controls, self._requests.on(label, treatment, self.arm, seeds), strict=True))


def narrowed(finding: Finding, pairs: Pairs) -> tuple[float, float]:
    """Return the interval of a difference: that of the verdict, narrowed by the pairs that were drawn after it.

    An interval that holds at all times holds after these pairs, too, and so does what both times leave of it.

    Args:
        finding: as it was decided, by evidence that may be looked at at any time.
        pairs: that came after.
    """
    before = finding.difference
    low, high = at_all_times(Pairs(*map(sum, zip(finding.trial.pairs, pairs, strict=True))), finding.risk)
    low, high = max(low, before.low), min(high, before.high)
    return (low, high) if low <= high else (before.low, before.high)


def draws_for(seen: Tally, width: float, most: int) -> int:
    """Return how many draws are likely to tell a rate to about ± `width`, from what the deciding draws saw.

    Their rate is drawn towards one half, by a failure and a pass more and by a standard error, since it was stopped at
    where it looked good. The number depends on nothing that is drawn for it.

    Args:
        seen: counts of an arm.
        width: half the width of the exact 95 % interval that is wanted, 0..1.
        most: of draws.
    """
    rate = (seen.failures + 1) / (seen.scored + 2)
    error = math.sqrt(rate * (1 - rate) / (seen.scored + 2))
    rate = max(rate - error, 0.5) if rate > 0.5 else min(rate + error, 0.5)  # noqa: PLR2004 - the widest interval is there
    for draws in range(1, most):
        low, high = clopper_pearson(round(rate * draws), draws)
        if high - low <= 2 * width:
            return draws
    return most
