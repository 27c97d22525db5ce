"""What exploration saw becomes hypotheses: failures are embedded, grouped and captioned, and the method does the rest.

Comes in: the explore arm. Goes out: hypotheses, and how they came about. Neighbours: `embed.py`, `caption.py` and
`group.py` prepare; `narrow.py` or `describe.py` proposes; `confirm.py` tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from foible.records import Hypothesis, Observation
from foible.stages.caption import caption
from foible.stages.context import Context
from foible.stages.describe import describe
from foible.stages.embed import embed
from foible.stages.group import group
from foible.stages.narrow import narrow
from foible.stages.phrases import cut
from foible.wrappers import Fault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proposed:
    """What exploration leads to."""

    hypotheses: Sequence[Hypothesis]
    """The most telling first."""
    captions: Mapping[str, str]
    """By draw key."""
    phrases: Mapping[str, frozenset[str]]
    """By draw key: the phrases of its caption."""
    faults: Sequence[str]
    """For each failure that could not be captioned or embedded, why: it may be in no hypothesis."""
    narrowed: Sequence[Observation] = ()
    """The draws that following the failures took."""


def propose(explored: Sequence[Observation], context: Context) -> Proposed:
    """Turn what exploration saw into hypotheses."""
    if context.captioner is None or context.embedder is None:  # a probe has neither, and never comes here
        return Proposed((), {}, {}, ())
    options = context.config.describe
    failed = [o for o in explored if o.outcome.status == "failed"]
    passed = _passes(explored, options.passes) if options.method != "captions" else []
    vectors, unembedded = _split(embed([o.draw for o in failed], context.embedder, context), "not embedded")
    captions, uncaptioned = _split(
        caption([o.draw for o in (*failed, *passed)], context.captioner, context), "not captioned"
    )
    predicted = sorted({o.outcome.predicted for o in explored if o.outcome.predicted is not None})
    names = list(dict.fromkeys([*context.labels, *(context.class_name(index) for index in predicted)]))
    phrases = {key: frozenset(cut(text, names)) for key, text in captions.items()}
    groups = group(explored, vectors, context.config.group)
    faults = (*unembedded, *uncaptioned)
    if options.method != "narrow":
        return Proposed(describe(groups, explored, phrases, options), captions, phrases, faults)
    followed = narrow(groups, explored, phrases, names, context)
    return Proposed(followed.hypotheses, captions, phrases, faults, followed.observed)


def _split(answers: Mapping[str, T | Fault], what: str) -> tuple[dict[str, T], list[str]]:
    """Part answers from the reasons why others are missing."""
    good = {key: answer for key, answer in answers.items() if not isinstance(answer, Fault)}
    return good, [f"{what}: {answer.reason}" for answer in answers.values() if isinstance(answer, Fault)]


def _passes(explored: Sequence[Observation], most: int) -> list[Observation]:
    """Return the first passes of each label that also has failures: what its failures are set apart from."""
    failing = {o.draw.prompt.label for o in explored if o.outcome.status == "failed"}
    by_label: dict[str, list[Observation]] = {label: [] for label in failing}
    for o in explored:
        if o.outcome.status == "passed" and o.draw.prompt.label in failing:
            by_label[o.draw.prompt.label].append(o)
    kept = {o.draw.key for passes in by_label.values() for o in passes[:most]}
    return [o for o in explored if o.draw.key in kept]
