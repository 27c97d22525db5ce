"""What failures are taken for, and how often equal scores leave that, or the failure itself, open.

Comes in: a finding or a summary, and the result that it belongs to. Goes out: names with counts, and one sentence.
Neighbours: `sentences.py` and `bases.py` put them into English; `draws/outcome.py` says what stays open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.findings import Finding
from foible.records import TIED
from foible.report.terms import terms
from foible.report.words import class_name, count, shorten

if TYPE_CHECKING:
    from foible.findings import HuntResult, LabelSummary
    from foible.records import Hypothesis

_LONGEST = 160
"""Characters of a name; findings.json holds the whole."""
FEW = 3
"""Up to this many classes are all named."""
CLEAR = 0.5
"""A class of more than a few is named only where the first of them has at least this share of the failures; else they
are scattered over so many classes, and none of them is what the label is taken for."""


def confusions(of: Finding | LabelSummary, result: HuntResult) -> tuple[tuple[str, int], ...]:
    """Give the (predicted label, how often) of the failures, without those that are right for the label itself."""
    label, classifier = _about(of)
    right = result.classifiers[classifier].right.get(label, ())
    return tuple(
        (class_name(index, result, classifier, _LONGEST), often)
        for index, often in of.confused_with
        if index not in right
    )


def into_name(hypothesis: Hypothesis, result: HuntResult) -> str:
    """Name what a hypothesis says photographs are taken for: the label of these classes, else the first of them."""
    right = result.classifiers[hypothesis.classifier].right
    label = next((name for name, classes in right.items() if classes == hypothesis.into), None)
    if label is None:
        return class_name(hypothesis.into[0], result, hypothesis.classifier, _LONGEST)
    return shorten(label, _LONGEST)


def shared_highest(of: Finding | LabelSummary) -> int:
    """Count the failures in which several wrong classes share the highest score: they are taken for none alone."""
    failures = (of.trial.treat if isinstance(of, Finding) else of.tally).failures
    return max(failures - sum(often for _, often in of.confused_with), 0)


def clear(of: Finding | LabelSummary, result: HuntResult) -> tuple[tuple[str, int], ...]:
    """Give the (class, how often) that a sentence may name, at most three; nothing where failures are scattered."""
    found = confusions(of, result)
    return found[:FEW] if len(found) <= FEW or _has_share(of, found) else ()


def foremost(of: Finding | LabelSummary, result: HuntResult) -> tuple[str, ...]:
    """Name what heads a finding: the class with a clear share of the failures, else the few that there are.

    Nothing where they are scattered, or where failures that are taken for none alone are more.
    """
    found = clear(of, result)
    if not found or shared_highest(of) > found[0][1]:
        return ()
    alone = _has_share(of, confusions(of, result)) and [often for _, often in found].count(found[0][1]) == 1
    return tuple(name for name, _ in (found[:1] if alone else found))


def scattered(of: Finding | LabelSummary, result: HuntResult) -> str:
    """Say over how many classes failures are scattered; empty where they are few."""
    number = len(confusions(of, result))
    return f"scattered over {count(number, 'class', 'classes')}" if number > FEW else ""


def _has_share(of: Finding | LabelSummary, found: tuple[tuple[str, int], ...]) -> bool:
    return found[0][1] >= CLEAR * (sum(often for _, often in found) + shared_highest(of))


def ties(result: HuntResult) -> str:
    """Say in how many draws equal scores leave open whether they failed; empty where in none."""
    tied = sum(number for reason, number in result.unscored if reason == TIED)
    if not tied:
        return ""
    of = count(sum(result.draws.values()), terms(result).image)
    return f"In {tied:,} of {of} equal scores leave open whether it failed; these are unscored."


def _about(of: Finding | LabelSummary) -> tuple[str, int]:
    """Return label and place of the classifier."""
    about = of.trial.hypothesis if isinstance(of, Finding) else of
    return about.label, about.classifier
