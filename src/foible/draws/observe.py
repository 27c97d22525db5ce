"""From requests to what became of them, unit by unit: what is known is looked up, what is missing is carried out.

Comes in: requests. Goes out: `Answered` records, in the same order. A unit's rows are kept in one transaction, images
before rows; what went wrong is noted in the journal. The unit is the atom: where one answer of a part is missing, the
whole unit is asked again, since a model's arithmetic can depend on the batch, and answers that are kept stay. Only what
a server lost in an earlier call is asked again alone: a server answers each image by itself. Neighbours: `execute.py`
carries out, `outcome.py` decides, `hunting/loop.py` says what is wanted.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from foible.arms import ARMS
from foible.draws.crew import Crew
from foible.draws.execute import Carried, Executor, Unit
from foible.draws.known import Known, Notes, Watch
from foible.draws.outcome import outcome
from foible.draws.questions import CAPTIONER, EMBEDDER, GENERATOR, JUDGE, classifier
from foible.draws.texts import read_texts
from foible.draws.values import read_caption, read_judgement, read_prediction, read_vector
from foible.errors import OutOfTime
from foible.records import Answered, ClassMap, Draw, Fault, Label, Outcome, Request
from foible.run.archive import Archive
from foible.run.rows import DrawRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

TRIES = 3
"""Times that a unit is carried out at most: where another hunt's image of a request was kept first, or a torn one was
drawn again with other pixels, the parts have not been asked about the image that counts."""


@dataclass(kw_only=True)
class _Begun:
    """A unit that is being carried out, and what was known of it before."""

    unit: Sequence[Request]
    parts: Sequence[str]
    draws: dict[str, DrawRow | Fault]
    answers: dict[tuple[str, str], Any]
    job: Unit
    carried: Future[Carried] | None
    """None where nothing was missing."""


@dataclass(kw_only=True)
class Observer:
    """Observes the draws of one run."""

    executor: Executor
    archive: Archive
    notes: Notes
    identities: Mapping[str, Mapping[str, Any]]
    """Of each part, by what the run calls it."""
    maps: Sequence[ClassMap]
    """Of each classifier."""
    labels: Mapping[str, Label]
    batch: int
    watch: Watch
    abreast: int = 1
    """Units that the executor is given at once."""
    reading: bool = False
    """Whether nothing is asked again, neither what a server lost nor a part that may be dead."""
    advance: Callable[[int], None] = lambda _: None
    """Told how many draws were observed, after every unit."""
    _units: list[Sequence[Request]] = field(init=False, default_factory=list)
    """All that were observed, in their order."""
    _known: Known = field(init=False)
    _crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what archive and journal know."""
        self._known = Known(
            archive=self.archive,
            notes=self.notes,
            identities=self.identities,
            maps=self.maps,
            labels=self.labels,
            watch=self.watch,
            reading=self.reading,
        )
        self._crew = Crew(self.executor, self.abreast)

    @property
    def classifiers(self) -> int:
        """How many there are."""
        return len(self.maps)

    def observe(self, requests: Sequence[Request]) -> list[Answered]:
        """Draw, classify and judge; caption those of arms that are captioned. Units are cut inside each arm.

        Raises:
            OutOfTime: the minutes or the requests of the hunt are used up; what was finished is kept.
            PluginError: a part has never answered anything, and answers nothing of a unit.
            StoreError: archive or journal cannot be used.
        """
        asked = [*(classifier(place) for place in range(len(self.maps))), JUDGE]
        work: list[tuple[Sequence[Request], Sequence[str]]] = []
        for arm, run in itertools.groupby(requests, key=lambda r: r.arm):
            parts = [*asked, CAPTIONER] if ARMS[arm].captioned else asked
            work += [(unit, parts) for unit in _cut(list(run), self.batch)]
        self._units += [unit for unit, _ in work]
        return self._all(work, lambda one: [self._answered(one.draws[r.key], r, one.answers) for r in one.unit])

    def under(self, draws: Sequence[Draw], place: int, classes: ClassMap) -> list[Outcome]:
        """Say what would have become of draws that were observed before, if one classifier's classes meant otherwise.

        Args:
            draws: with an image or without.
            place: of the classifier.
            classes: what its classes mean then; outcomes come from archive and journal, and nobody is asked.
        """
        by_key: dict[str, Outcome] = {}
        part = classifier(place)
        for unit in _cut([draw.request for draw in draws], self.batch):
            rows = self._known.drawn(unit)
            answers = self._known.said(unit, [part, JUDGE], rows)
            for r in unit:
                row = rows.get(r.key)
                draw = _draw(r, row) if isinstance(row, DrawRow) else None
                prediction = _maybe(answers.get((part, r.key)), read_prediction)
                judgement = _maybe(answers.get((JUDGE, r.key)), read_judgement)
                gone = Draw(request=r, fault=row.reason if isinstance(row, Fault) else "it has gone from the archive")
                by_key[r.key] = outcome(draw or gone, prediction, judgement, classes)
        return [by_key[draw.request.key] for draw in draws]

    def captions(self, draws: Iterable[Draw]) -> dict[str, str | Fault]:
        """Caption draws that were made before, by key of the request."""
        return self.each(draws, CAPTIONER, read_caption)

    def vectors(self, draws: Iterable[Draw]) -> dict[str, NDArray[np.float32] | Fault]:
        """Embed draws that were made before: vectors (dimensions,) by key of the request."""
        found = self.each(draws, EMBEDDER, read_vector)
        agreed = next((len(one) for one in found.values() if not isinstance(one, Fault)), 0)
        return {key: _of_length(one, agreed) for key, one in found.items()}

    def texts(self, texts: Sequence[str]) -> tuple[float, NDArray[np.float64]]:
        """Give what the embedder said of texts (see `texts.py`)."""
        return read_texts(self.identities[EMBEDDER], texts, self.archive)

    def restore(self, draws: Iterable[Draw]) -> None:
        """Draw again what has gone from the archive or is torn there: an image is what a result can be checked by.

        Where the generator does not give the same pixels again, the image stays lost: it is not what was judged.
        """
        if self.reading:
            return
        kept = [draw for draw in draws if draw.image and draw.image not in self._known.whole]
        torn = [draw.request for draw in kept if self.archive.images.get(draw.image) is None]
        size = self.notes.learned.size if self.notes.learned is not None else None
        for unit in self._drawn_in(torn):
            keys = frozenset(r.key for r in unit)
            job = Unit(requests=unit, labels=self.labels, draw=keys, images={}, places={}, size=size, questions=())
            self.watch.before()
            carried = self.executor.carry_out(job)
            self.watch.after(carried.spent)
            if carried.stopped is not None:
                raise carried.stopped
            self.archive.add([], {}, images=carried.places)

    def _drawn_in(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Give the units that requests were observed in first: in another one the same model may give other pixels."""
        first: dict[str, tuple[Request, ...]] = {}
        for unit in map(tuple, self._units if requests else ()):
            for r in unit:
                first.setdefault(r.key, unit)
        return list(dict.fromkeys(first.get(request.key, (request,)) for request in requests))

    def each(self, draws: Iterable[Draw], part: str, read: Callable[[Any], T]) -> dict[str, T | Fault]:
        """Return what a part says of draws that were made before, by key of the request."""
        gone = Fault("the image is missing")
        units = _cut([draw.request for draw in draws if draw.image], self.batch)
        return dict(
            self._all(
                [(unit, [part]) for unit in units],
                lambda one: [(r.key, _read(one.answers.get((part, r.key), gone), read)) for r in one.unit],
            )
        )

    # --- units -------------------------------------------------------------------------------------------------------

    def _all(
        self, work: Sequence[tuple[Sequence[Request], Sequence[str]]], read: Callable[[_Begun], list[T]]
    ) -> list[T]:
        """Find out all about some units, each for its parts; they are kept in their order, whoever is faster."""
        done: list[T] = []
        begun: deque[_Begun] = deque()
        try:
            for unit, parts in work:
                while begun and (len(begun) >= self._at_once(parts) or _shares(unit, begun)):
                    done += read(self._end(begun.popleft()))
                begun.append(self._begin(unit, parts))
            while begun:
                done += read(self._end(begun.popleft()))
        except BaseException as stop:
            self._keep_finished(begun, wait=isinstance(stop, OutOfTime))
            raise
        return done

    def _at_once(self, parts: Sequence[str]) -> int:
        """Give how many units may be under way: one, until all of their parts have worked once."""
        known = self.notes.learned is not None and self._known.worked.issuperset([GENERATOR, *parts])
        return self._crew.abreast if known else 1

    def _begin(self, unit: Sequence[Request], parts: Sequence[str]) -> _Begun:
        """Look up what is known of a unit, and have the rest carried out."""
        draws = self._known.drawn(unit)
        answers = self._known.said(unit, parts, draws)
        job = self._known.lacking(unit, parts, draws, answers)
        return _Begun(unit=unit, parts=parts, draws=draws, answers=answers, job=job, carried=self._submit(job))

    def _submit(self, job: Unit) -> Future[Carried] | None:
        if not (job.draw or job.questions):
            return None
        self.watch.before()
        return self._crew.submit(job)

    def _end(self, one: _Begun) -> _Begun:
        """Keep what came of a unit, and have carried out what is missing still; then nothing of it is."""
        for left in reversed(range(TRIES)):
            if one.carried is None:
                break
            carried = one.carried.result()
            self._known.keep(one.job, carried, one.answers)
            if carried.stopped is not None:
                raise carried.stopped
            if carried.draws:
                one.draws, one.answers = self._known.drawn(one.unit, carried), {}
            asked = one.parts if carried.draws else [question.part for question in one.job.questions]
            one.answers |= self._known.said(one.unit, asked, one.draws)
            self._known.learn(carried, one.draws)
            one.job = self._known.lacking(one.unit, one.parts, one.draws, one.answers)
            one.carried = self._submit(one.job) if left else None
        self._known.worked |= {part for (part, _), value in one.answers.items() if not isinstance(value, Fault)}
        if self.notes.learned is None:
            self._known.learn(Carried(), one.draws)
        self.advance(len(one.unit))
        return one

    def _keep_finished(self, begun: Iterable[_Begun], *, wait: bool) -> None:
        """Keep what other units have come to when one was stopped, waiting for those under way or not."""
        for one in begun:
            if one.carried is not None and (wait or one.carried.done()) and one.carried.exception() is None:
                self._known.keep(one.job, one.carried.result(), one.answers)

    def _answered(self, row: DrawRow | Fault, request: Request, answers: Mapping[tuple[str, str], Any]) -> Answered:
        draw = Draw(request=request, fault=row.reason) if isinstance(row, Fault) else _draw(request, row)
        judgement = _maybe(answers.get((JUDGE, request.key)), read_judgement)
        outcomes = (
            outcome(draw, _maybe(answers.get((classifier(place), request.key)), read_prediction), judgement, classes)
            for place, classes in enumerate(self.maps)
        )
        caption = _maybe(answers.get((CAPTIONER, request.key)), read_caption)
        return Answered(draw=draw, outcomes=_shared(*outcomes), caption=caption if isinstance(caption, str) else "")


@lru_cache(maxsize=4096)
def _shared(*outcomes: Outcome) -> tuple[Outcome, ...]:
    """Give equal outcomes as one object: a run holds one for each draw, and there are few kinds."""
    return outcomes


def _draw(request: Request, row: DrawRow) -> Draw:
    return Draw(request=request, image=row.image, ignored=row.ignored, samplings=row.samplings)


def _shares(unit: Sequence[Request], begun: Iterable[_Begun]) -> bool:
    """Say whether a unit has a request that is under way: it is drawn once."""
    under_way = {r.key for one in begun for r in one.unit}
    return any(r.key in under_way for r in unit)


def _cut(requests: Sequence[Request], size: int) -> Iterator[Sequence[Request]]:
    """Cut requests into units of work, each request once."""
    unique = list({r.key: r for r in requests}.values())
    return (unique[start : start + size] for start in range(0, len(unique), size))


def _read(value: Any, read: Callable[[Any], T]) -> T | Fault:
    return value if isinstance(value, Fault) else read(value)


def _maybe(value: Any, read: Callable[[Any], T]) -> T | Fault | None:
    return None if value is None else _read(value, read)


def _of_length(one: NDArray[np.float32] | Fault, agreed: int) -> NDArray[np.float32] | Fault:
    """Refuse a vector of another length than the first: each unit agrees with itself, but not with the others yet."""
    if isinstance(one, Fault) or len(one) == agreed:
        return one
    return Fault(f"embedder: wanted {agreed} numbers, as for other images, got {len(one)}")
