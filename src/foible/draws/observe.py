"""From requests to what became of them, unit by unit: what is known is looked up, what is missing is carried out.

Comes in: requests. Goes out: `Answered` records, in the same order. A unit's rows are kept in one transaction, images
before rows; what went wrong is noted in the journal. The unit is the atom: where one answer of a part is missing, the
whole unit is asked again, since a model's arithmetic can depend on the batch, and answers that are kept stay. Only what
a server lost in an earlier call is asked again alone: a server answers each image by itself. Neighbours: `execute.py`
carries out, `outcome.py` decides, `hunting/loop.py` says what is wanted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from foible.arms import ARMS
from foible.draws.execute import Carried, Executor, Question, Unit
from foible.draws.outcome import outcome
from foible.draws.questions import CAPTIONER, EMBEDDER, GENERATOR, JUDGE, KEPT, Questions, classifier
from foible.draws.texts import read_texts
from foible.draws.values import read_caption, read_judgement, read_prediction, read_vector
from foible.errors import PluginError
from foible.labels import check_classes
from foible.records import Answered, ClassMap, Draw, Fault, Label, Outcome, Request
from foible.run.archive import Archive, DrawRow
from foible.run.events import Event, Learned, Lost, Mended

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

TRIES = 3
"""Times that a unit is carried out at most: where another hunt's image of a request was kept first, or a torn one was
drawn again with other pixels, the parts have not been asked about the image that counts."""


class Notes(Protocol):
    """What a run remembers of faults, and of its first unit: the journal, or a reader of one."""

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What was lost and not mended since, by the key of the draw or the answer."""
        ...

    @property
    def learned(self) -> Learned | None:
        """What the first unit told."""
        ...

    def note(self, event: Event) -> None:
        """Append an event."""
        ...


class Watch(Protocol):
    """Ends a hunt between two units of work."""

    def before(self) -> None:
        """Say that new work is about to be done; raises `OutOfTime` where none may be."""
        ...

    def after(self, spent: Mapping[str, tuple[int, float]]) -> None:
        """Say what new work took, by part: items and seconds."""
        ...


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
    reading: bool = False
    """Whether nothing is asked again, neither what a server lost nor a part that may be dead."""
    advance: Callable[[int], None] = lambda _: None
    """Told how many draws were observed, after every unit."""
    _faults: dict[str, Fault] = field(init=False)
    _lost: set[str] = field(init=False)
    _worked: set[str] = field(init=False, default_factory=set)
    _whole: set[str] = field(init=False, default_factory=set)
    """Hashes of the images that were drawn or read by this call: these are what they should be."""
    _units: dict[str, tuple[Request, ...]] = field(init=False, default_factory=dict)
    """By key: the unit that a request was observed in first."""
    _questions: Questions = field(init=False)

    def __post_init__(self) -> None:
        """Know the faults of earlier calls: those of the moment are forgotten, and asked about again."""
        self._questions = Questions(identities=self.identities, maps=self.maps, labels=self.labels)
        earlier = dict(self.notes.faults)
        self._lost = {key for key, fault in earlier.items() if fault.passing} if not self.reading else set()
        self._faults = {key: fault for key, fault in earlier.items() if key not in self._lost}

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
        found: list[Answered] = []
        for arm, run in itertools.groupby(requests, key=lambda r: r.arm):
            parts = [*asked, CAPTIONER] if ARMS[arm].captioned else asked
            for unit in _cut(list(run), self.batch):
                self._units |= {r.key: tuple(unit) for r in unit if r.key not in self._units}
                draws, answers = self._unit(unit, parts)
                found += [self._answered(draws[r.key], r, answers) for r in unit]
                self.advance(len(unit))
        return found

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
            rows = self._drawn(unit)
            answers = self._said(unit, [part, JUDGE], rows)
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
        kept = [draw for draw in draws if draw.image and draw.image not in self._whole]
        torn = [draw.request for draw in kept if self.archive.images.get(draw.image) is None]
        size = self.notes.learned.size if self.notes.learned is not None else None
        # In the unit that it was drawn in: in another one the same model may give other pixels.
        for unit in dict.fromkeys(self._units.get(request.key, (request,)) for request in torn):
            keys = frozenset(r.key for r in unit)
            job = Unit(requests=unit, labels=self.labels, draw=keys, images={}, size=size, questions=())
            self.watch.before()
            carried = self.executor.carry_out(job)
            self.watch.after(carried.spent)
            if carried.stopped is not None:
                raise carried.stopped

    def each(self, draws: Iterable[Draw], part: str, read: Callable[[Any], T]) -> dict[str, T | Fault]:
        """Return what a part says of draws that were made before, by key of the request."""
        found: dict[str, T | Fault] = {}
        for unit in _cut([draw.request for draw in draws if draw.image], self.batch):
            said = self._unit(unit, [part])[1]
            found |= {r.key: _read(said.get((part, r.key), Fault("the image is missing")), read) for r in unit}
            self.advance(len(unit))
        return found

    # --- one unit ----------------------------------------------------------------------------------------------------

    def _unit(
        self, unit: Sequence[Request], parts: Sequence[str]
    ) -> tuple[dict[str, DrawRow | Fault], dict[tuple[str, str], Any]]:
        """Return what became of a unit: draws by request, and answers by part and request."""
        draws = self._drawn(unit)
        answers = self._said(unit, parts, draws)
        for _ in range(TRIES):
            job = self._lacking(unit, parts, draws, answers)
            if not (job.draw or job.questions):
                break
            self.watch.before()
            carried = self.executor.carry_out(job)
            self._keep(job, carried, answers)
            if carried.stopped is not None:
                raise carried.stopped
            if carried.draws:
                draws, answers = self._drawn(unit), {}
            asked = parts if carried.draws else [question.part for question in job.questions]
            answers |= self._said(unit, asked, draws)
            self._learn(carried, draws)
        self._worked |= {part for (part, _), value in answers.items() if not isinstance(value, Fault)}
        if self.notes.learned is None:
            self._learn(Carried(), draws)
        return draws, answers

    def _drawn(self, unit: Sequence[Request]) -> dict[str, DrawRow | Fault]:
        rows = self.archive.draws(r.key for r in unit)
        draws: dict[str, DrawRow | Fault] = {
            key: row for key, row in rows.items() if self.reading or self.archive.images.holds(row.image)
        }
        if draws:
            self._worked.add(GENERATOR)
        self._note({}, draws.keys())
        return draws | {r.key: self._faults[r.key] for r in unit if r.key in self._faults}

    def _said(
        self, unit: Sequence[Request], parts: Sequence[str], draws: Mapping[str, DrawRow | Fault]
    ) -> dict[tuple[str, str], Any]:
        keys = {
            (part, r.key): self._questions.key(part, r.label, row.image)
            for part in parts
            for r in unit
            if isinstance(row := draws.get(r.key), DrawRow)
        }
        kept = self.archive.answers(keys.values())
        # Another hunt may have made what was lost, or a kill came before it was noted.
        self._note({}, kept.keys())
        answers = {place: self._faults.get(key, kept.get(key)) for place, key in keys.items()}
        return {place: value for place, value in answers.items() if value is not None}

    def _lacking(
        self,
        unit: Sequence[Request],
        parts: Sequence[str],
        draws: Mapping[str, DrawRow | Fault],
        answers: Mapping[tuple[str, str], Any],
    ) -> Unit:
        """Say what has to be carried out so that nothing of a unit is missing."""
        everything = {r.key for r in unit}
        undrawn = everything - draws.keys()
        draw = undrawn if undrawn <= self._lost else everything if undrawn else set()
        images = {key: row.image for key, row in draws.items() if isinstance(row, DrawRow)}
        by_key = {r.key: r for r in unit}
        questions = []
        for part in parts:
            unanswered = {key for key in images if (part, key) not in answers}
            lost = {
                key for key in unanswered if self._questions.key(part, by_key[key].label, images[key]) in self._lost
            }
            again = unanswered if unanswered == lost else set(images)
            wanted = draw | again if draw or unanswered else set()
            if wanted:
                questions.append(self._question(part, [r.key for r in unit if r.key in wanted]))
        return Unit(
            requests=tuple(unit),
            labels=self.labels,
            draw=frozenset(draw),
            images=images,
            size=self.notes.learned.size if self.notes.learned is not None else None,
            questions=tuple(questions),
        )

    def _question(self, part: str, keys: Sequence[str]) -> Question:
        place = next((at for at in range(len(self.maps)) if classifier(at) == part), None)
        if place is None:
            return Question(part=part, keys=tuple(keys))
        names, learned = self.maps[place].names, self.notes.learned
        classes = len(names) if names is not None else learned.classes[place] if learned is not None else None
        return Question(part=part, keys=tuple(keys), kept=max(KEPT, self.maps[place].top), classes=classes)

    # --- keeping -----------------------------------------------------------------------------------------------------

    def _keep(self, job: Unit, carried: Carried, before: Mapping[tuple[str, str], Any]) -> None:
        """Keep what came of a unit: rows in one transaction, faults in the journal.

        Raises:
            PluginError: a part that never worked gave nothing but faults.
        """
        by_key = {r.key: r for r in job.requests}
        rows = [row for row in carried.draws.values() if isinstance(row, DrawRow)]
        self._whole |= carried.whole | {row.image for row in rows}
        images = {**job.images, **{row.key: row.image for row in rows}}
        drawn = {key for key, image in images.items() if image != job.images.get(key)}
        new = {at: value for at, value in carried.answers.items() if at not in before or at[1] in drawn}
        keys = {place: self._questions.key(place[0], by_key[place[1]].label, images[place[1]]) for place in new}
        answers = {keys[place]: value for place, value in new.items() if not isinstance(value, Fault)}
        if rows or answers:
            self.archive.add(rows, answers, replace=self._without_image(rows))
        self.watch.after(carried.spent)
        faults = {key: row for key, row in carried.draws.items() if isinstance(row, Fault)}
        faults |= {keys[place]: value for place, value in new.items() if isinstance(value, Fault)}
        if not self.reading:
            self._refuse_dead_parts(carried)
        self._note(faults, {row.key for row in rows} | answers.keys())

    def _without_image(self, rows: Sequence[DrawRow]) -> dict[str, str]:
        """Return, by key, the images of known rows that have gone or are torn: what was drawn anew counts then."""
        known = self.archive.draws(row.key for row in rows)
        return {key: row.image for key, row in known.items() if self.archive.images.get(row.image) is None}

    def _refuse_dead_parts(self, carried: Carried) -> None:
        """End a hunt whose part cannot work at all, before a thousand draws are spent on it."""
        said: dict[str, list[Any]] = {GENERATOR: list(carried.draws.values())}
        for (part, _), value in carried.answers.items():
            said.setdefault(part, []).append(value)
        for part, values in said.items():
            faults = [value for value in values if isinstance(value, Fault)]
            if faults and len(faults) == len(values) and part not in self._worked:
                spec = self.identities[part]["spec"]
                what = (
                    f"the generator {spec} drew none of the first {len(values)} images"
                    if part == GENERATOR
                    else f"the {part.partition(' ')[0]} {spec} gave no usable answer for the first {len(values)} images"
                )
                raise PluginError(f"{what}: {faults[0].reason}")
        self._worked |= {part for part, values in said.items() if any(not isinstance(value, Fault) for value in values)}

    def _note(self, faults: Mapping[str, Fault], had: AbstractSet[str]) -> None:
        mended = sorted(had & self._lost)
        self._lost -= had | faults.keys()
        self._faults.update(faults)
        if faults:
            self.notes.note(Lost(faults={key: (fault.reason, fault.passing) for key, fault in faults.items()}))
        if mended:
            self.notes.note(Mended(keys=mended))

    def _learn(self, carried: Carried, draws: Mapping[str, DrawRow | Fault]) -> None:
        """Note what the first unit that was judged told: the size of the images, and how many classes there are.

        Raises:
            LabelError: a classifier without names turns out to lack a class that a label needs.
            ConfigError: so many scores count that a label could never fail.
        """
        learned = self.notes.learned
        before = [None] * len(self.maps) if learned is None else learned.classes
        now = [
            len(m.names) if m.names is not None else carried.classes.get(classifier(place), before[place])
            for place, m in enumerate(self.maps)
        ]
        if JUDGE not in self._worked or (learned is not None and now == before):
            return
        for m, classes in zip(self.maps, now, strict=True):
            if classes is not None:
                check_classes(m, classes)
        row = next((row for row in draws.values() if isinstance(row, DrawRow)), None)
        size = learned.size if learned is not None else carried.size
        if size is None and row is not None and (image := self.archive.images.get(row.image)) is not None:
            size = (int(image.shape[0]), int(image.shape[1]))
        if size is not None:
            self.notes.note(Learned(size=size, classes=now))

    def _answered(self, row: DrawRow | Fault, request: Request, answers: Mapping[tuple[str, str], Any]) -> Answered:
        draw = Draw(request=request, fault=row.reason) if isinstance(row, Fault) else _draw(request, row)
        judgement = _maybe(answers.get((JUDGE, request.key)), read_judgement)
        outcomes = tuple(
            outcome(draw, _maybe(answers.get((classifier(place), request.key)), read_prediction), judgement, classes)
            for place, classes in enumerate(self.maps)
        )
        caption = _maybe(answers.get((CAPTIONER, request.key)), read_caption)
        return Answered(draw=draw, outcomes=outcomes, caption=caption if isinstance(caption, str) else "")


def _draw(request: Request, row: DrawRow) -> Draw:
    return Draw(request=request, image=row.image, ignored=row.ignored, samplings=row.samplings)


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
