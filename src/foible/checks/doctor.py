"""Does each part work here? Loads it, asks it a little, and says what came; or what is wrong and what mends it.

Comes in: kinds with specs and arguments. Goes out: a `Checkup` for each. Neighbours: `testing.py` holds a plug-in to
every promise of its kind, which takes longer; `forecast.py` foretells a whole hunt; `recipes.py` words what a
classifier does to an image.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foible.checks import recipes
from foible.checks.fits import fits
from foible.checks.timing import timed
from foible.errors import FoibleError, PluginError, near
from foible.parts.ceiling import Ceiling
from foible.parts.families import BUILT_IN
from foible.parts.fitting import refuse_other_worlds, refuse_other_worlds_by_spec, refuse_undrawable
from foible.parts.protocols import DrawsSome, HoldsPhotographs, offers
from foible.parts.ranked import looked
from foible.parts.registry import KINDS, Part, load
from foible.pixels import read_file
from foible.records import Drawn, Judgement, Label
from foible.testing import patterns

PROMPT = "a realistic photograph of a {name}"
_BATCH = 4
_USUAL = Label("coffee mug")


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
    recipe: str = ""
    """Of a classifier: how an image becomes its input; empty where it does not say."""
    classes: str = ""
    """Of a classifier: how many classes it names, and the first of them."""
    says: str = ""
    """Of a classifier: its best classes for one image, and which image that is."""
    note: str = ""
    """What is no trouble, but ought to be known; empty where there is nothing."""


def examine(
    parts: Sequence[tuple[str, str, Mapping[str, Any]]],
    labels: Sequence[str | Label] = (),
    max_requests: int | None = None,
    image: Path | None = None,
) -> list[Checkup]:
    """Load each part and ask it about one small batch.

    A generator comes first, and the others see what it drew; where there is none that works, they see simple patterns.

    Args:
        parts: (kind, spec, arguments) of each.
        labels: what is drawn and judged; by default something that the generator can draw.
        max_requests: at most so many requests go to servers, all parts together; a part that needs more is in trouble.
        image: a photograph that all parts are shown first, in place of a drawn image.

    Raises:
        PixelError: the photograph cannot be read.
    """
    wanted = [label if isinstance(label, Label) else Label(label) for label in labels]
    drawing = next((spec for kind, spec, _ in parts if kind == "generator"), "")
    shown = _Shown(wanted, patterns(), "a pattern of colours", drawing, [])
    if image is not None:
        shown = replace(shown, images=[read_file(image), *shown.images], called=image.name)
    found: dict[int, Checkup] = {}
    ceiling = Ceiling(max_requests)
    for row in sorted(range(len(parts)), key=lambda row: parts[row][0] != "generator"):
        found[row], answers = _examine(*parts[row], shown, ceiling=ceiling)
        if parts[row][0] == "generator" and answers:
            first = shown.images[:1] if image is not None else []
            called = shown.called if first else f"a drawn {shown.drawn(0).name}"
            shown = replace(shown, images=[*first, *(one.image for one in answers)], called=called)
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


@dataclass(frozen=True)
class _Shown:
    """What the parts are asked about."""

    labels: Sequence[Label]
    images: Sequence[Any]
    called: str
    """What the first image is."""
    drawing: str
    """Spec of the generator; empty where there is none."""
    generators: list[Part]
    """That were loaded before the others."""

    def drawn(self, row: int) -> Label:
        """Give what is drawn, or judged, in a row of the batch."""
        able = [one.object.drawable[0] for one in self.generators if offers(one.object, DrawsSome)]
        labels = self.labels or [Label(name) for name in able] or [_USUAL]
        return labels[row % len(labels)]


def _examine(
    kind: str, spec: str, args: Mapping[str, Any], shown: _Shown, *, ceiling: Ceiling
) -> tuple[Checkup, Sequence[Any]]:
    began = time.perf_counter()
    try:
        refuse_other_worlds_by_spec({"generator": shown.drawing, kind: spec})
        part = load(kind, spec, args, ceiling=ceiling)
        loading = time.perf_counter() - began
        if kind == "generator":
            shown.generators.append(part)
            refuse_undrawable(part, shown.labels)
        refuse_other_worlds([*shown.generators, part])
        timing = timed(part, _columns(part, shown))
    except FoibleError as trouble:
        return Checkup(kind, spec, str(trouble)), ()
    if timing.unsteady is not None and timing.unsteady.grave:
        return Checkup(kind, spec, timing.unsteady.sentence), ()
    checkup = Checkup(
        kind,
        spec,
        "",
        _words(timing.answers[0]),
        str(part.identity["args"].get("device") or ""),
        loading,
        timing.seconds,
        note=timing.unsteady.sentence if timing.unsteady is not None else "",
    )
    if kind == "generator":
        asked = [shown.drawn(row).name for row in range(_BATCH)]
        fit = fits(part, {name: PROMPT.format(name=name) for name in asked})
        checkup = replace(checkup, note="; ".join(filter(None, (checkup.note, fit))))
    if offers(part.object, HoldsPhotographs):
        checkup = replace(checkup, note="; ".join(filter(None, (checkup.note, *part.object.photographs.notes))))
    if kind == "classifier":
        said = recipes.best(part, timing.answers[0])
        checkup = replace(
            checkup,
            recipe=recipes.recipe_words(part),
            classes=recipes.class_words(part),
            says=f"of {shown.called}: {said}",
            note="; ".join(filter(None, (checkup.note, looked(spec, timing.answers)))),
        )
    return checkup, timing.answers


def _columns(part: Part, shown: _Shown) -> list[Sequence[Any]]:
    if offers(part.object, HoldsPhotographs):
        places = [one.place for one in part.object.photographs.photographs[:_BATCH]]
        return [places, range(len(places))]
    if part.kind == "generator":
        return [[PROMPT.format(name=shown.drawn(row).name) for row in range(_BATCH)], range(_BATCH)]
    if part.kind == "judge":
        return [shown.images, [shown.drawn(row) for row in range(len(shown.images))]]
    return [shown.images]


def _words(answer: Any) -> str:
    """Say what one answer is."""
    if isinstance(answer, Drawn):
        return f"an image of {answer.image.shape[0]} × {answer.image.shape[1]}"
    if isinstance(answer, Judgement):
        return f"{'yes' if answer.faithful else 'no'}, score {answer.score:.3g}"
    if isinstance(answer, str):
        return repr(answer if len(answer) <= 60 else answer[:59] + "…")  # noqa: PLR2004 - a line of a table
    return f"{len(answer)} numbers"
