"""Photographs of all labels together become hypotheses: which attributes go with failing, whatever the label is.

Comes in: what exploration saw, and which attributes each photograph has. Goes out: hypotheses about `ANY` label, the
most telling first. A pure function. Neighbour: `contrast.py` looks within one label, where a set of few photographs a
label shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from foible.config import DescribeOptions
from foible.records import ANY, Hypothesis, Observation, Treatment
from foible.statistics import log_association_beyond
from foible.trial.whole import counted_for, strata

LEAST = math.log(3.0)
"""Log-evidence that exploration must have of an attribute: less would only raise the bar for the others."""
MOST = 4
"""Times as many hypotheses as for one label."""


def pool(
    seen: Sequence[Observation],
    bearing: Mapping[str, frozenset[str]],
    ways: Sequence[tuple[int, ...]],
    classifier: int,
    options: DescribeOptions,
) -> list[Hypothesis]:
    """Suspect attributes, each once: of the ways in which its photographs fail, the one with the most evidence.

    Args:
        seen: what exploration saw, of every label.
        bearing: by key, the attributes of each photograph.
        ways: classes that failures are taken for; empty for any failure.
        classifier: its place among those of the run.
        options: how many failures a hypothesis needs, and how many hypotheses there may be.
    """
    of: dict[str, set[int]] = {}
    for place, one in enumerate(seen):
        for attribute in bearing.get(one.key, ()):
            of.setdefault(attribute, set()).add(place)
    if len({one.request.label for one in seen}) < 2:  # noqa: PLR2004 - of one label everything is said already
        return []
    found = []
    for attribute, places in of.items():
        scored = [
            (_evidence(hypothesis, seen, places, options.failures), hypothesis)
            for hypothesis in (
                Hypothesis(
                    label=ANY,
                    treatment=Treatment(words=(attribute,)),
                    classifier=classifier,
                    predicted=into[0] if into else None,
                    into=into,
                )
                for into in ways
            )
        ]
        found.append(max(scored, key=lambda pair: pair[0]))
    found.sort(key=lambda pair: (-pair[0], pair[1].treatment.words))
    telling = [(score, one) for score, one in found if score >= LEAST][: MOST * options.hypotheses]
    return [
        Hypothesis(
            label=ANY,
            treatment=one.treatment,
            classifier=classifier,
            predicted=one.predicted,
            into=one.into,
            score=score / math.log(10.0),
            origin="explored",
        )
        for score, one in telling
    ]


def _evidence(hypothesis: Hypothesis, seen: Sequence[Observation], places: set[int], least: int) -> float:
    counted = [counted_for(hypothesis, one) for one in seen]
    treat = [one for place, one in enumerate(counted) if place in places]
    if sum(one.outcome.status == "failed" for one in treat) < least:
        return -math.inf
    return log_association_beyond(strata(treat, [one for place, one in enumerate(counted) if place not in places]))
