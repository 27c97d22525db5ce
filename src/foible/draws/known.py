"""What is known of a unit of work, and what becomes known: the archive's rows, the journal's faults.

Comes in: units of requests, and what came of those that were carried out. Goes out: draws and answers, and the `Unit`
that holds what is missing. Rows are kept in one transaction, images before rows; what went wrong is noted in the
journal. Neighbours: `observe.py` has units carried out; `run/archive.py` and `run/journal.py` keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

from foible.draws.execute import Carried, Question, Unit
from foible.draws.questions import GENERATOR, JUDGE, KEPT, Questions, classifier
from foible.errors import PluginError
from foible.labels import check_classes
from foible.records import ClassMap, Fault, Label, Request
from foible.run.archive import Archive
from foible.run.events import Event, Learned, Lost, Mended
from foible.run.rows import DrawRow


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
class Known:
    """What is known of the draws of one run."""

    archive: Archive
    notes: Notes
    identities: Mapping[str, Mapping[str, Any]]
    """Of each part, by what the run calls it."""
    maps: Sequence[ClassMap]
    """Of each classifier."""
    labels: Mapping[str, Label]
    watch: Watch
    reading: bool
    """Whether nothing is asked again, neither what a server lost nor a part that may be dead."""
    worked: set[str] = field(init=False, default_factory=set)
    """Parts that have given something usable."""
    whole: set[str] = field(init=False, default_factory=set)
    """Hashes of the images that were drawn or read by this call: these are what they should be."""
    _faults: dict[str, Fault] = field(init=False)
    _lost: set[str] = field(init=False)
    _questions: Questions = field(init=False)

    def __post_init__(self) -> None:
        """Know the faults of earlier calls: those of the moment are forgotten, and asked about again."""
        self._questions = Questions(identities=self.identities, maps=self.maps, labels=self.labels)
        earlier = dict(self.notes.faults)
        self._lost = {key for key, fault in earlier.items() if fault.passing} if not self.reading else set()
        self._faults = {key: fault for key, fault in earlier.items() if key not in self._lost}

    def drawn(self, unit: Sequence[Request], carried: Carried | None = None) -> dict[str, DrawRow | Fault]:
        """Look up draws by key of the request; those that are missing are left out.

        Args:
            unit: what was asked for.
            carried: what came of it a moment before, and was kept: the images that it drew are whole.
        """
        rows = self.archive.draws(r.key for r in unit)
        if carried is not None:
            new = {row.image for row in carried.draws.values() if isinstance(row, DrawRow)}
            self.whole |= {row.image for row in rows.values() if row.image in new}
        there = set() if self.reading else self.archive.images.holds(row.image for row in rows.values())
        draws: dict[str, DrawRow | Fault] = {
            key: row for key, row in rows.items() if self.reading or row.image in there
        }
        if draws:
            self.worked.add(GENERATOR)
        self._note({}, draws.keys())
        return draws | {r.key: self._faults[r.key] for r in unit if r.key in self._faults}

    def said(
        self, unit: Sequence[Request], parts: Sequence[str], draws: Mapping[str, DrawRow | Fault]
    ) -> dict[tuple[str, str], Any]:
        """Look up answers by part and key of the request: JSON values, or faults; what is missing is left out."""
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

    def lacking(
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
            places=self.archive.places(images.values()) if questions else {},
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

    def keep(self, job: Unit, carried: Carried, before: Mapping[tuple[str, str], Any]) -> None:
        """Keep what came of a unit: rows in one transaction, faults in the journal.

        Raises:
            PluginError: a part that never worked gave nothing but faults.
        """
        by_key = {r.key: r for r in job.requests}
        rows = [row for row in carried.draws.values() if isinstance(row, DrawRow)]
        self.whole |= carried.whole
        images = {**job.images, **{row.key: row.image for row in rows}}
        drawn = {key for key, image in images.items() if image != job.images.get(key)}
        new = {at: value for at, value in carried.answers.items() if at not in before or at[1] in drawn}
        keys = {place: self._questions.key(place[0], by_key[place[1]].label, images[place[1]]) for place in new}
        answers = {keys[place]: value for place, value in new.items() if not isinstance(value, Fault)}
        if rows or answers:
            self.archive.add(rows, answers, images=carried.places, replace=self._without_image(rows))
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
            if faults and len(faults) == len(values) and part not in self.worked:
                spec = self.identities[part]["spec"]
                what = (
                    f"the generator {spec} drew none of the first {len(values)} images"
                    if part == GENERATOR
                    else f"the {part.partition(' ')[0]} {spec} gave no usable answer for the first {len(values)} images"
                )
                raise PluginError(f"{what}: {faults[0].reason}")
        self.worked |= {part for part, values in said.items() if any(not isinstance(value, Fault) for value in values)}

    def _note(self, faults: Mapping[str, Fault], had: AbstractSet[str]) -> None:
        mended = sorted(had & self._lost)
        self._lost -= had | faults.keys()
        self._faults.update(faults)
        if faults:
            self.notes.note(Lost(faults={key: (fault.reason, fault.passing) for key, fault in faults.items()}))
        if mended:
            self.notes.note(Mended(keys=mended))

    def learn(self, carried: Carried, draws: Mapping[str, DrawRow | Fault]) -> None:
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
        if JUDGE not in self.worked or (learned is not None and now == before):
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
