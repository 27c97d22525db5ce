"""What else is known of the rates of a finding: sentences that stand beside its own.

Comes in: a finding. Goes out: sentences; none where nothing is known. Neighbours: `sentences.py` has the finding
itself; `claims.py` and `photographs.py` have two of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.claims import disagreement
from foible.report.photographs import of_set_sentence
from foible.report.terms import terms
from foible.report.words import count, interval, percent, times

if TYPE_CHECKING:
    from foible.findings import Finding


def notes(finding: Finding) -> list[str]:
    """Say what else is known of the rates of a finding, a sentence each."""
    said = (
        ratio_sentence(finding),
        corrected_sentence(finding),
        deciding_sentence(finding),
        disagreement(finding),
        of_set_sentence(finding),
        assigned_sentence(finding),
        origin_sentence(finding),
    )
    return [one for one in said if one]


def deciding_sentence(finding: Finding) -> str:
    """Say what the draws showed that decided; empty where their rates are the ones that are shown."""
    decided, measured = finding.deciding, finding.measured
    if decided is None or measured is None:
        return ""
    return (
        f"These rates come from {count(measured.treat.draws, 'pair')} drawn after the verdict; the pairs that decided, "
        f"which stopped when they looked good, said {percent(decided.treat.value)} {interval(decided.treat)} "
        f"against {percent(decided.control.value)} {interval(decided.control)}."
    )


def corrected_sentence(finding: Finding) -> str:
    """Say the rates without what the judge let through wrongly; empty where its errors were not measured."""
    treat, control = finding.treat_corrected, finding.control_corrected
    if treat is None or control is None:
        return ""
    images = f"{terms(finding).image}s"
    return (
        f"Corrected for the judge's errors it fails in {percent(treat.value)} of {images} {interval(treat)} "
        f"against {percent(control.value)} {interval(control)}."
    )


def assigned_sentence(finding: Finding) -> str:
    """Say that an embedder gave the attribute, and how right it is; empty where it did not."""
    own = finding.assigned
    if own is None:
        return ""
    lead = "An embedder says which photographs have the attribute"
    if not own.checked_with and not own.checked_without:
        return (
            f"{lead}, and how often it is right nobody checked: wrong ones make a difference smaller, and what it "
            "takes for the attribute may be something else."
        )
    right = [
        f"{one:,} of {count(of, 'checked one')} {where}"
        for one, of, where in (
            (own.right_with, own.checked_with, "with it"),
            (own.right_without, own.checked_without, "without it"),
        )
    ]
    return (
        f"{lead}; it is right about {' and '.join(right)}. Whatever its errors hang on, of the photographs of this set "
        f"that truly have it {percent(own.treat.value)} {interval(own.treat)} fail, of the others "
        f"{percent(own.control.value)} {interval(own.control)}."
    )


def origin_sentence(finding: Finding) -> str:
    """Say that it began with failures that a guide led to; empty where it did not."""
    whose = {
        "guided": "It began with guided failures alone: the caption of no explored failure says all of it",
        "both": "Captions of explored failures and of guided ones say all of it",
    }.get(finding.trial.hypothesis.origin or "")
    return f"{whose}; the rates are those of draws that nobody led." if whose else ""


def ratio_sentence(finding: Finding) -> str:
    """Say how many times as often it fails with the description; empty where that is not known."""
    ratio = finding.ratio
    if ratio is None:
        return ""
    low, treat = times(ratio.low), terms(finding).treat
    if ratio.value is None:
        return f"It fails at least {low} times as often {treat}." if ratio.low > 0 else ""
    said = f"It fails {times(ratio.value)} times as often {treat}"
    if ratio.high is None or finding.verdict == "confirmed":
        return f"{said}, at least {low} times."
    return f"{said} [{low} to {times(ratio.high)}]."
