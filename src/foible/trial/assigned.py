"""How right an embedder is about the attributes of a hypothesis, and what is left of its rates.

Comes in: both sides of a hypothesis, and what somebody checked of some photographs. Goes out: a record that stands
beside the rates. A pure function. Neighbours: `whole.py` gives verdicts; `statistics/assigned.py` has the mathematics.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from foible.config import ConfirmOptions
from foible.findings import Assigned, Rate
from foible.records import Hypothesis, Observation
from foible.statistics import Estimate, Kind, true_rates


class Checked(Protocol):
    """What is known of the attributes of photographs."""

    @property
    def bearing(self) -> Mapping[str, frozenset[str]]:
        """By key: attributes, by whoever says them."""
        ...

    @property
    def embedded(self) -> frozenset[str]:
        """Groups of which an embedder says what photographs show."""
        ...

    @property
    def truth(self) -> Mapping[str, Collection[str]]:
        """By key of a checked photograph: what it truly shows."""
        ...


def assigned_by(
    hypothesis: Hypothesis, treat: Sequence[Observation], control: Sequence[Observation], known: Checked
) -> Assigned | None:
    """Say how often an embedder is right about the attributes of a hypothesis; None where it gave none of them."""
    words = hypothesis.treatment.words
    if not any(_group(word) in known.embedded for word in words):
        return None
    sides = [[one for one in side if one.outcome.status != "unscored"] for side in (treat, control)]
    true = {one.key: _truly(words, one.key, known) for side in sides for one in side}
    kinds = [
        [
            _kind([true[one.key] for one in side if (one.outcome.status == "failed") == failed])
            for failed in (True, False)
        ]
        for side in sides
    ]
    found = true_rates((kinds[0][0], kinds[0][1]), (kinds[1][0], kinds[1][1]))
    with_it, without = ([true[one.key] for one in side] for side in sides)
    return Assigned(
        checked_with=len(with_it) - with_it.count(None),
        right_with=with_it.count(True),
        checked_without=len(without) - without.count(None),
        right_without=without.count(False),
        treat=_rate(found.treat),
        control=_rate(found.control),
        difference=_rate(found.difference),
    )


def denied(assigned: Assigned | None, options: ConfirmOptions) -> str:
    """Say that the checked photographs deny a hypothesis, whatever the embedder says; empty where they do not."""
    if assigned is None or assigned.difference.high > options.margin:
        return ""
    most = max(assigned.difference.high, 0.0)
    return (
        f"of photographs that truly show it, by those that were checked, the difference is at most {most:.0%}: the "
        "embedder takes something else for it"
    )


def _truly(words: Collection[str], key: str, known: Checked) -> bool | None:
    """Tell whether a photograph truly has attributes; None where that was not checked."""
    told = known.truth.get(key, ())
    checked = {_group(one) for one in told}
    found: list[bool | None] = [
        (word in told if _group(word) in checked else None)
        if _group(word) in known.embedded
        else word in known.bearing[key]
        for word in words
    ]
    if False in found:
        return False
    return None if None in found else True


def _kind(true: Sequence[bool | None]) -> Kind:
    return Kind(size=len(true), checked=len(true) - true.count(None), have=true.count(True))


def _rate(of: Estimate) -> Rate:
    return Rate(value=of.value, low=of.low, high=of.high)


def _group(word: str) -> str:
    return word.partition("=")[0]
