"""Carries out one unit of work: draws what is missing, and asks each part what is not known yet.

Comes in: a `Unit`: requests, and which of them to draw and ask about. Goes out: `Carried`: rows and hashes, faults, and
how long each part took. The pixels go to the archive's shards. Nothing here reaches a database, a lock or a
clock, so that a unit can be carried out elsewhere. Neighbours: `observe.py` decides what a unit lacks and keeps what
comes back; `asking.py` in `parts/` checks every answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from foible.arms import ARMS
from foible.draws.questions import GENERATOR, GUIDE
from foible.draws.values import write_judgement, write_scores, write_vector
from foible.parts import asking as wrappers
from foible.parts.registry import Part
from foible.pixels import content_hash
from foible.records import Drawn, Fault, Label, Request
from foible.run.rows import DrawRow
from foible.run.shards import Place, Shards

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one part is asked about the images of a unit."""

    part: str
    """What the run calls it: "judge", "classifier 0"."""
    keys: tuple[str, ...]
    """Of the requests whose images it is shown."""
    kept: int = 0
    """Of a classifier: how many of the highest scores are wanted."""
    classes: int | None = None
    """Of a classifier: how many scores there must be; None where that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Work that is done at once, since a model's arithmetic can depend on the batch."""

    requests: tuple[Request, ...]
    labels: Mapping[str, Label]
    """By name."""
    draw: frozenset[str]
    """Keys of the requests to draw; those of the others are in `images`."""
    images: Mapping[str, str]
    """By key of the request: hash of the pixels that are in the archive."""
    places: Mapping[str, Place]
    """By that hash: where they lie."""
    size: tuple[int, int] | None
    """(height, width) of every image; None where the first good one tells."""
    questions: tuple[Question, ...]


@dataclass(kw_only=True)
class Carried:
    """What came of a unit."""

    draws: dict[str, DrawRow | Fault] = field(default_factory=dict)
    """By key of the request, for what was drawn."""
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By part and key of the request: a JSON-able value, or a `Fault`. Without an image there is none."""
    places: dict[str, Place] = field(default_factory=dict)
    """By hash: where the images of `draws` were written to."""
    whole: set[str] = field(default_factory=set)
    """Hashes of images that were in the archive, and are what they should be."""
    size: tuple[int, int] | None = None
    """(height, width) of the images."""
    classes: dict[str, int] = field(default_factory=dict)
    """By classifier: how many scores it gave."""
    spent: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By part: items and seconds."""
    stopped: BaseException | None = None
    """What ended the unit early: an interrupt, or a limit. What was finished before it is here all the same."""


_Written = tuple[dict[str, DrawRow | Fault], dict[str, Place]]
"""What came of drawing, and where its images lie: as in `Carried`."""


class Executor(Protocol):
    """Where units are carried out."""

    def carry_out(self, unit: Unit) -> Carried:
        """Carry a unit out; whatever ends it early is told in the result."""
        ...


class Here:
    """Carries units out in this process; several at once where several threads ask, each part about one at a time."""

    def __init__(self, parts: Mapping[str, Part], shards: Shards) -> None:
        """Name the parts by what the run calls them, and where the images lie."""
        self._parts = parts
        self._shards = shards
        self._writer = ThreadPoolExecutor(1)
        # A guide moves the generator by what the classifier says of it: nobody else may ask either meanwhile.
        shared = threading.Lock()
        self._locks = {name: shared if GUIDE in parts else threading.Lock() for name in parts}

    def carry_out(self, unit: Unit) -> Carried:
        """Draw, then ask part after part."""
        carried = Carried(size=unit.size)
        written: dict[str, Future[_Written]] = {}
        try:
            shown = self._shown(unit, carried, written)
            for question in unit.questions:
                self._ask(question, unit, shown, carried)
        except BaseException as stop:  # noqa: BLE001 - the driver keeps what is finished, and raises it again
            carried.stopped = stop
        _gather(written, carried)
        return carried

    def _shown(
        self, unit: Unit, carried: Carried, written: dict[str, Future[_Written]]
    ) -> dict[str, NDArray[np.uint8]]:
        """Give the images of a unit by key, drawing those that are missing or torn."""
        wanted = {key for question in unit.questions for key in question.keys}
        shown = {key: self._old(image, unit) for key, image in unit.images.items() if key in wanted}
        torn = {key for key, image in shown.items() if image is None}
        carried.whole.update(unit.images[key] for key in shown.keys() - torn)
        # The generator is given the whole unit, as when it was drawn first.
        todo = [r for r in unit.requests if torn or r.key in unit.draw]
        new = self._draw(todo, unit, carried) if todo else {}
        fresh = {r: answer for r, answer in new.items() if r.key not in unit.images.keys() - torn}
        # Writing waits for the disk: meanwhile the parts are asked.
        if fresh:
            writing = self._writer.submit(self._keep, fresh)
            written.update({r.key: writing for r in fresh})
        drawn = {r.key: answer.image for r, answer in fresh.items() if isinstance(answer, Drawn)}
        return {key: image for key, image in (shown | drawn).items() if image is not None}

    def _draw(self, todo: Sequence[Request], unit: Unit, carried: Carried) -> dict[Request, Drawn | Fault]:
        name = GUIDE if ARMS[todo[0].arm].guided else GENERATOR  # a unit is of one arm
        part = self._parts[name]
        with self._locks[name]:
            began = time.perf_counter()
            answers = wrappers.ask_generator(part, [r.text for r in todo], [r.seed for r in todo], unit.size)
            carried.spent[name] = len(todo), time.perf_counter() - began
        carried.size = unit.size or next((one.image.shape[:2] for one in answers if isinstance(one, Drawn)), None)
        return dict(zip(todo, answers, strict=True))

    def _old(self, image: str, unit: Unit) -> NDArray[np.uint8] | None:
        place = unit.places.get(image)
        return None if place is None else self._shards.get(place, image)

    def _keep(self, fresh: Mapping[Request, Drawn | Fault]) -> _Written:
        names = {r: content_hash(answer.image) for r, answer in fresh.items() if isinstance(answer, Drawn)}
        drawn = {names[r]: answer.image for r, answer in fresh.items() if isinstance(answer, Drawn)}
        places = self._shards.put(drawn)
        rows = {
            r.key: answer if isinstance(answer, Fault) else _row(r, answer, names[r]) for r, answer in fresh.items()
        }
        return rows, places

    def _ask(self, question: Question, unit: Unit, shown: Mapping[str, Any], carried: Carried) -> None:
        by_key = {r.key: r for r in unit.requests}
        keys = [key for key in question.keys if key in shown]
        if not keys:
            return
        part = self._parts[question.part]
        columns: list[list[Any]] = [[shown[key] for key in keys]]
        if part.kind == "judge":
            columns.append([unit.labels[by_key[key].label] for key in keys])
        with self._locks[question.part]:
            began = time.perf_counter()
            answers = _ASK[part.kind](part, columns, question)
            carried.spent[question.part] = len(keys), time.perf_counter() - began
        scored = next((len(one) for one in answers if not isinstance(one, Fault)), 0) if question.kept else 0
        if scored:
            carried.classes[question.part] = scored
        write = _WRITE[part.kind]
        for key, answer in zip(keys, answers, strict=True):
            value = answer if isinstance(answer, Fault) else write(answer, question)
            carried.answers[question.part, key] = value


def _gather(written: dict[str, Future[_Written]], carried: Carried) -> None:
    """Wait for images that are being written; where they cannot be, the unit ends, and only what was old is kept."""
    for one in dict.fromkeys(written.values()):
        if (problem := one.exception()) is None:
            carried.draws, carried.places = one.result()
        else:
            carried.stopped = carried.stopped or problem
            carried.answers = {place: said for place, said in carried.answers.items() if place[1] not in written}


def _row(request: Request, answer: Drawn, image: str) -> DrawRow:
    return DrawRow(
        key=request.key,
        image=image,
        ignored=answer.ignored,
        prompt=request.text,
        seed=request.seed,
        samplings=answer.samplings,
    )


_ASK: Mapping[str, Callable[[Part, list[list[Any]], Question], list[Any]]] = {
    "classifier": lambda part, columns, question: wrappers.ask_classifier(part, columns[0], question.classes),
    "captioner": lambda part, columns, _: wrappers.ask_captioner(part, columns[0]),
    "embedder": lambda part, columns, _: wrappers.ask_embedder(part, columns[0]),
    "judge": lambda part, columns, _: wrappers.ask_judge(part, columns[0], columns[1]),
}

_WRITE: Mapping[str, Callable[[Any, Question], Any]] = {
    "classifier": lambda scores, question: write_scores(scores, question.kept),
    "captioner": lambda text, _: text,
    "embedder": lambda vector, _: write_vector(vector),
    "judge": lambda judgement, _: write_judgement(judgement),
}
