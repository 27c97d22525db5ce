"""Where the generator may be wrong: prompts in whose draws the judge does not see the label, apart from what failed.

Comes in: a result. Goes out: rows and the English about them. Neighbours: `guidance.py` has a search for such draws;
`sentences.py` has what the classifier gets wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foible.report.words import count

if TYPE_CHECKING:
    from foible.findings import HuntResult
    from foible.records import Tally

MISDRAWN_HEAD = ("label", "with the words", "draws that were judged", "the judge does not see the label")
MOST = 20
"""Rows; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misdrawn:
    """The draws of one prompt that nobody led."""

    label: str
    words: str
    """Empty for the base prompt."""
    judged: int
    unseen: int
    """Of these, those in which the judge does not see the label."""


def misdrawn(result: HuntResult) -> list[Misdrawn]:
    """List the prompts with draws in which the judge does not see the label, the largest share first.

    Explored base prompts, and those of hypotheses with their controls; each prompt stands once, as it is met first.
    """
    if result.photographs:
        return []
    found: dict[tuple[str, str], Misdrawn] = {}
    tallies = [(one.label, "", one.tally) for one in result.explored]
    for finding in result.findings:
        own = finding.trial.hypothesis
        tallies += [(own.label, own.description, finding.trial.treat), (own.label, "", finding.trial.control)]
    for label, words, tally in tallies:
        if tally.unfaithful:
            found.setdefault((label, words), _of(label, words, tally))
    return sorted(found.values(), key=lambda one: (-one.unseen / one.judged, one.label, one.words))


def misdrawn_sentence(result: HuntResult) -> str:
    """Say what these draws are, and are not."""
    some = misdrawn(result)
    return (
        f"{count(len(some), 'prompt')} with draws in which the judge does not see the label: there the generator is "
        "wrong, or the judge. None of these draws counts for or against a classifier. For more of them: foible guide "
        "--objective generator."
    )


def _of(label: str, words: str, tally: Tally) -> Misdrawn:
    unseen = max(tally.unfaithful, 1)
    return Misdrawn(label=label, words=words, judged=max(tally.scored + tally.tied, 0) + unseen, unseen=unseen)
