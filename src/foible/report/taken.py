"""What failures are taken for, and how often equal scores leave that, or the failure itself, open.

Comes in: a finding or a summary, and the result that it belongs to. Goes out: names with counts, and one sentence.
Neighbours: `sentences.py` and `bases.py` put them into English; `draws/outcome.py` says what stays open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.findings import Finding
from foible.records import TIED
from foible.report.words import class_name, count

if TYPE_CHECKING:
    from foible.findings import HuntResult, LabelSummary

_LONGEST = 160
"""Characters of a name; findings.json holds the whole."""
_FOREMOST = 3
"""Classes that are named together where each is as frequent as the other."""


def confusions(of: Finding | LabelSummary, result: HuntResult) -> tuple[tuple[str, int], ...]:
    """Give the (predicted label, how often) of the failures, without those that are right for the label itself."""
    label, classifier = _about(of)
    right = result.classifiers[classifier].right.get(label, ())
    return tuple(
        (class_name(index, result, classifier, _LONGEST), often)
        for index, often in of.confused_with
        if index not in right
    )


def shared_highest(of: Finding | LabelSummary) -> int:
    """Count the failures in which several wrong classes share the highest score: they are taken for none alone."""
    failures = (of.trial.treat if isinstance(of, Finding) else of.tally).failures
    return max(failures - sum(often for _, often in of.confused_with), 0)


def foremost(of: Finding | LabelSummary, result: HuntResult) -> tuple[str, ...]:
    """Name what the failures are most often taken for: one class, or all that are as frequent.

    Nothing where more than three are, or where failures that are taken for none alone are more.
    """
    found = confusions(of, result)
    most = found[0][1] if found else 0
    names = tuple(name for name, often in found if often == most)
    return names if len(names) <= _FOREMOST and shared_highest(of) <= most else ()


def ties(result: HuntResult) -> str:
    """Say in how many draws equal scores leave open whether they failed; empty where in none."""
    tied = sum(number for reason, number in result.unscored if reason == TIED)
    if not tied:
        return ""
    of = count(sum(result.draws.values()), "draw")
    return f"In {tied:,} of {of} equal scores leave open whether it failed; these are unscored."


def _about(of: Finding | LabelSummary) -> tuple[str, int]:
    """Return label and place of the classifier."""
    about = of.trial.hypothesis if isinstance(of, Finding) else of
    return about.label, about.classifier
