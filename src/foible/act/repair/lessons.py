"""Which draws a classifier is trained on, and which end the training.

Comes in: a run and the bugs that are chosen. Goes out: lessons, and the requests of each. Neighbours: `fresh.py` has
them drawn; `variants.py` says which other words the repair is tested with, none of which are trained on.

A classifier that saw mugs on grass alone would learn that grass means mug. So each bug comes with its words said of
other labels, half of these of the label that it is taken for, and all labels come with the base prompt alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from foible.arms import Arm
from foible.draws.request import Requests
from foible.findings import Finding
from foible.hunting.study import Study
from foible.records import Request, Treatment
from foible.repairs import Lesson, RowKind

OTHERS, LABELS = 1 / 2, 2 / 3
"""Draws with the words and other labels for each draw of a bug, and draws of each label's base prompt."""
VALIDATED = 1 / 3
"""Draws that end the training for each that is trained on."""
BASE_SHARE = 2.0
"""How much all base prompts count, where all bugs count 1, and their words with other labels 1; photographs of one's
own count as much again."""


def lessons(study: Study, place: int, bugs: Mapping[int, Finding], draws: int) -> list[Lesson]:
    """Say what is drawn to train on.

    Args:
        study: the run.
        place: of the classifier.
        bugs: the chosen findings, by number.
        draws: of each bug; the others follow from it.

    Returns:
        Bugs, their words with other labels, the base prompts of all labels.
    """
    found: list[Lesson] = []
    for number, finding in bugs.items():
        label, treatment = finding.trial.hypothesis.about
        share = 1 / len(bugs)
        counts = others_of(study, place, finding, round(OTHERS * draws))
        about: list[tuple[RowKind, str, int, float]] = [("bug", label, draws, share)]
        about += [("others", name, count, share * count / sum(counts.values())) for name, count in counts.items()]
        found += [
            Lesson(
                kind=kind,
                label=name,
                words=treatment.words,
                number=number,
                share=counts_for,
                train=count,
                validate=ended_by(count),
            )
            for kind, name, count, counts_for in about
        ]
    each = max(1, round(LABELS * draws))
    share = BASE_SHARE / len(study.labels)
    found += [
        Lesson(kind="label", label=name, share=share, train=each, validate=ended_by(each)) for name in study.labels
    ]
    return found


def ended_by(train: int) -> int:
    """Say how many draws end a training on so many."""
    return max(1, round(VALIDATED * train))


def others_of(study: Study, place: int, finding: Finding, draws: int) -> dict[str, int]:
    """Say how many draws with the words of a bug there are of each other label: half of the label it is taken for.

    Args:
        study: the run.
        place: of the classifier.
        finding: the bug.
        draws: of all other labels together.

    Returns:
        By label, none of which gets nothing; empty for a run over one label.
    """
    own = finding.trial.hypothesis.label
    right = study.maps[place].right
    predicted = [index for index, _ in finding.confused_with]
    taken = next((name for index in predicted for name in study.labels if name != own and index in right[name]), "")
    names = [name for name in study.labels if name != own]
    turns = [taken] * (draws // 2) if taken else []
    rest = [name for name in names if name != taken] or names
    turns += [rest[at % len(rest)] for at in range(draws - len(turns))] if rest else []
    return {name: turns.count(name) for name in names if name in turns}


def requests_of(lesson: Lesson, arm: Arm, requests: Requests) -> list[Request]:
    """Make the requests of a lesson: the first seeds of its label in the stream of an arm.

    Args:
        lesson: what is drawn.
        arm: `train` or `validate`.
        requests: of the run, without the seeds that it spent.
    """
    count = lesson.train if arm == "train" else lesson.validate
    seeds = list(islice(requests.seeds(lesson.label, arm), count))
    return requests.on(lesson.label, Treatment(words=lesson.words), arm, seeds)
