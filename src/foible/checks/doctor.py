"""Does each part work here? Loads it, asks it once, and says what came; or what is wrong and what mends it.

Comes in: kinds with specs and arguments. Goes out: a `Checkup` for each. Neighbours: `testing.py` holds a plug-in to
every promise of its kind, which takes longer; `forecast.py` foretells a whole hunt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foible.checks.timing import timed
from foible.errors import FoibleError, PluginError, near
from foible.parts.ceiling import Ceiling
from foible.parts.families import BUILT_IN
from foible.parts.protocols import HoldsPhotographs, offers
from foible.parts.registry import KINDS, Part, load
from foible.records import Drawn, Judgement, Label
from foible.testing import patterns

PROMPT = "a realistic photograph of a {name}"
_BATCH = 4


@dataclass(frozen=True, slots=True)
class Checkup:
    """How one part fares."""

    kind: str
    spec: str
    trouble: str
    """What is wrong and what mends it; empty where all is well."""
    answer: str = ""
    """What it gave for one element, in words: "(64, 64, 3) uint8", "1000 scores"."""
    device: str = ""
    """Where it runs, where it says so."""
    loading: float = 0.0
    """Seconds until it was loaded."""
    each: float = 0.0
    """Seconds an element, in a small batch, once it is warm."""


def examine(
    parts: Sequence[tuple[str, str, Mapping[str, Any]]],
    labels: Sequence[str] = ("coffee mug",),
    max_requests: int | None = None,
) -> list[Checkup]:
    """Load each part and ask it about one small batch.

    A generator comes first, and the others see what it drew; where there is none that works, they see simple patterns.

    Args:
        parts: (kind, spec, arguments) of each.
        labels: names of what is drawn and judged.
        max_requests: at most so many requests go to servers, all parts together; a part that needs more is in trouble.
    """
    images = patterns()
    found: dict[int, Checkup] = {}
    ceiling = Ceiling(max_requests)
    for row in sorted(range(len(parts)), key=lambda row: parts[row][0] != "generator"):
        found[row], answers = _examine(*parts[row], images, labels, ceiling=ceiling)
        if parts[row][0] == "generator" and answers:
            images = [one.image for one in answers]
    return [found[row] for row in range(len(parts))]


def read_spec(text: str) -> tuple[str, str]:
    """Read `kind=family:name`, or `family:name` where the family has one kind alone: (kind, spec).

    Raises:
        PluginError: the kind is unknown, or it is not said and several are possible.
    """
    kind, equals, spec = text.partition("=")
    if equals and ":" not in kind:
        if kind not in KINDS:
            message = f"there is no kind of plug-in called {kind!r}; {near(kind, KINDS)}"
            raise PluginError(message)
        return kind, spec
    family = text.partition(":")[0]
    kinds = [kind for kind in KINDS if family in BUILT_IN[kind]]
    if len(kinds) == 1:
        return kinds[0], text
    among = (
        f"{' or '.join(kinds)}, as in {kinds[0]}={text}" if kinds else f"one of {', '.join(KINDS)}, as in judge={text}"
    )
    message = f"{text!r} does not tell its kind; say which: {among}"
    raise PluginError(message)


def _examine(  # noqa: PLR0913 - a part is three of them
    kind: str, spec: str, args: Mapping[str, Any], images: Sequence[Any], labels: Sequence[str], *, ceiling: Ceiling
) -> tuple[Checkup, Sequence[Any]]:
    began = time.perf_counter()
    try:
        part = load(kind, spec, args, ceiling=ceiling)
        loading = time.perf_counter() - began
        timing = timed(part, _columns(part, images, labels))
    except FoibleError as trouble:
        return Checkup(kind, spec, str(trouble)), ()
    device = str(part.identity["args"].get("device") or "")
    return Checkup(kind, spec, "", _words(timing.answers[0]), device, loading, timing.seconds), timing.answers


def _columns(part: Part, images: Sequence[Any], labels: Sequence[str]) -> list[Sequence[Any]]:
    kind = part.kind
    if offers(part.object, HoldsPhotographs):
        places = [one.place for one in part.object.photographs.photographs[:_BATCH]]
        return [places, range(len(places))]
    if kind == "generator":
        return [[PROMPT.format(name=labels[row % len(labels)]) for row in range(_BATCH)], range(_BATCH)]
    if kind == "judge":
        return [images, [Label(labels[row % len(labels)]) for row in range(len(images))]]
    return [images]


def _words(answer: Any) -> str:
    """Say what one answer is."""
    if isinstance(answer, Drawn):
        return f"an image of {answer.image.shape[0]} × {answer.image.shape[1]}"
    if isinstance(answer, Judgement):
        return f"{'yes' if answer.faithful else 'no'}, score {answer.score:.3g}"
    if isinstance(answer, str):
        return repr(answer if len(answer) <= 60 else answer[:59] + "…")  # noqa: PLR2004 - a line of a table
    return f"{len(answer)} numbers"
