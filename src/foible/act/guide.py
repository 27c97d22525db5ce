"""`foible guide`: draws of chosen labels are led to an end, and shown from their start to it.

Comes in: a config, and from Python objects in the place of specs. Goes out: a `Guidance`, and its files. It asks for
its draws as a guided hunt does (`search/guided.py`, `foible.guiding`), in the same loop; what a hunt does beside it,
the words and the tests, it leaves out. Neighbours: `report/guidance.py` writes; `hunting/path.py` is the hunt.

No journal is kept: every draw and answer lies in the archive, so that a call that was stopped goes on there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from foible._version import __version__
from foible.act.others import Remembered
from foible.act.refusing import refuse, refuse_unseen
from foible.act.unit import raised
from foible.config import HuntConfig
from foible.draws.execute import Here
from foible.draws.observe import Observer
from foible.draws.once import REPEATED
from foible.draws.outcome import UNCLASSIFIED
from foible.draws.questions import CAPTIONER, EMBEDDER, GENERATOR, GUIDE, JUDGE, classifier
from foible.draws.values import read_judgement
from foible.findings import Rate, Subject
from foible.guidance import End, Guidance, Led, LedLabel, Said
from foible.guiding.asked import read_term
from foible.hunting.clock import Clock
from foible.hunting.loop import Loop, loop_over
from foible.hunting.prepare import PROBE_KINDS, Prepared, make_config, prepare
from foible.hunting.result import failure_sentence
from foible.hunting.study import Study, study_of
from foible.labels import Classes, called
from foible.labels import resolve as resolve_labels
from foible.progress import Bars, Progress, Silent
from foible.records import Answered, Draw, Fault, Hypothesis, Judgement, Label, Prediction
from foible.report import guidance as pages
from foible.run.archive import Archive
from foible.run.events import Asked, Attempted
from foible.search.guided import Guide
from foible.search.starts import Starts
from foible.statistics import clopper_pearson
from foible.trial.pairs import tally

KINDS = (GENERATOR, CAPTIONER, EMBEDDER, JUDGE, GUIDE)


def guide(  # noqa: PLR0913 - the public call: each is something a user sets by name
    classifier: object = None,
    labels: Sequence[str | Label] | str | Label | None = None,
    *,
    method: str | None = None,
    objective: str | None = None,
    target: str | None = None,
    unit: str | None = None,
    terms: Sequence[str] | None = None,
    generator: object = None,
    captioner: object = None,
    embedder: object = None,
    judge: object = None,
    draws: int | None = None,
    steps: int | None = None,
    rate: float | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    archive: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | Path | str | None = None,
    progress: bool = True,
) -> Guidance:
    """Lead draws of chosen labels to an end, such as a failure of the classifier, and show each from its start to it.

    Nothing of it is a rate of the classifier: the images were led.

    Args:
        classifier: as `hunt` takes it; of several the first one guides.
        labels: as `hunt` takes them.
        method: "select", for any parts; "noise", "steer", "embedding" or "evolve", where noise can be moved.
        objective: "fail": the first classifier fails. "disagree": where the second one does not. "spurious": it says
            the target, where the judge does not see it. "neuron": a unit of it is raised, and what raises it is put
            into words and tested. "generator": neither judge nor classifiers see the label: the generator errs.
        target: only failures into this wrong class count.
        unit: of the objective neuron: LAYER:INDEX, such as "layer4:17".
        terms: what else moves an image, each as NAME=WEIGHT, such as "l2=-20" or "text=1"; see docs/guided.md.
        generator: draws, as in `hunt`.
        captioner: says what raises a unit; of the objective neuron alone.
        embedder: of the terms text and embedder alone.
        judge: says which finds still show their label.
        draws: that are led, of each label.
        steps: images that each may take, at least 2.
        rate: how far a step moves, as a share of the norm of what is moved; above 0, at most 1.
        seed: where all randomness comes from.
        out: where `guided.json` and `guided.html` go.
        archive: where images and answers lie; None for `archive` beside `out`.
        config: any other field, as for `hunt`.
        progress: show bars on stderr.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
        OutOfTime: `max_minutes` or `max_requests` is used up; the same call goes on.
    """
    several = classifier if isinstance(classifier, list | tuple) else [classifier]
    parts = {"classifier": several, **_each(generator=generator, captioner=captioner, embedder=embedder, judge=judge)}
    own = _given(method=method, objective=objective, unit=unit, terms=terms, draws=draws, steps=steps, rate=rate)
    named = {"seed": seed, "out": out, "archive": archive, "guide": own, "failure": _given(target=target)}
    return guide_wanted(make_config(config, parts, named, labels), parts, Bars() if progress else Silent())[0]


def _each(**parts: object) -> dict[str, Sequence[object]]:
    return {kind: [part] for kind, part in parts.items()}


def _given(**options: object) -> dict[str, object] | None:
    """Give what was given of some options; None where nothing was."""
    return {one: value for one, value in options.items() if value is not None} or None


def guide_wanted(
    config: HuntConfig, objects: Mapping[str, Sequence[object]], progress: Progress
) -> tuple[Guidance, Path]:
    """Lead what is wanted, write the files, and say where; as `guide`.

    Raises:
        InputError: as `guide`.
        OutOfTime: as `guide`.
    """
    refuse(config)
    more = [CAPTIONER] if config.guide.objective == "neuron" else []
    more += [EMBEDDER] if any(read_term(text).needs_embedder for text in config.guide.terms) else []
    prepared = prepare(config, objects, kinds=(*PROBE_KINDS, *more))
    folder = config.out if config.out is not None else prepared.folder.with_name(f"{prepared.folder.name}-guide")
    pages.make_ready(folder)
    study = study_of(prepared.began, prepared.began.settings)
    with Archive(prepared.archive) as archive:
        clock = Clock(config.max_minutes)
        executor = Here(prepared.parts, archive.shards)
        record = Unwritten({})
        loop = loop_over(
            study, executor=executor, archive=archive, record=record, clock=clock, progress=progress
        )  # fmt: skip
        search = _Search(study, prepared, loop, Asking(study, executor, archive, record, clock))
        found = search.found()
        pages.write(found, archive.images.bytes, folder)
    return found, folder


class Unwritten(Remembered):
    """What a loop notes, for the life of a call."""

    tried: tuple[Hypothesis, ...] = ()
    checked = True
    attempted: Mapping[int, Attempted] = {}

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:  # noqa: ARG002 - as a journal
        """Yield nothing: the archive knows what was drawn."""
        return iter(())


@dataclass(frozen=True)
class Asking:
    """Asks the judge about another label than an image was drawn for."""

    study: Study
    executor: Here
    archive: Archive
    notes: Unwritten
    clock: Clock

    def sees(self, draws: Sequence[Draw], label: Label) -> dict[str, Judgement | Fault]:
        """Say by key of a draw whether the judge sees a label in it, which need not be one of the search."""
        observer = Observer(
            executor=self.executor,
            archive=self.archive,
            notes=self.notes,
            identities=self.study.identities,
            maps=self.study.maps,
            labels={**self.study.labels, label.name: label},
            batch=self.study.config.batch,
            watch=self.clock,
        )
        asked = [replace(draw, request=replace(draw.request, label=label.name)) for draw in draws]
        return observer.each(asked, JUDGE, read_judgement)


class _Search:
    """A search that is carried out, and what was said of each image."""

    def __init__(self, study: Study, prepared: Prepared, loop: Loop, asking: Asking) -> None:
        self._study, self._loop, self._asking = study, loop, asking
        self._images = asking.archive.images
        self._parts = prepared.parts
        options = study.config.guide
        unit = raised(study, loop, prepared.parts[classifier(0)], self._images) if options.unit else None
        most = max(study.config.explore.draws, options.draws)
        # Of a unit, what is high and what is low is known from many draws alone.
        starts = Starts(study.requests, options.draws if unit is None else most, most)
        loop.run(starts)
        self._explored = starts.answered
        refuse_unseen(self._explored, study)
        led = Guide(study.requests, self._explored, options)
        loop.run(led)
        self._led = led.answered
        # A unit of work is of one arm.
        arms = [[one.draw for one in made] for made in (self._explored, self._led)]
        self._said = [
            {key: said for draws in arms for key, said in loop.predictions(draws, place).items()}
            for place in range(len(study.maps))
        ]
        self._unit = {} if unit is None else unit.of([*self._explored, *self._led])
        self._words = () if unit is None else unit.words([*self._explored, *self._led], self._unit)
        self._seen = self._judged()
        self._target = self._target_seen()

    def found(self) -> Guidance:
        """Put together what was found."""
        study = self._study
        starts = {(one.request.label, one.request.seed): one for one in self._explored}
        draws = tuple(self._one(one, starts[one.request.label, one.request.seed]) for one in self._led)
        labels = [
            LedLabel(
                label=label,
                explored=tally([one.seen_by(0) for one in self._explored if one.request.label == name]),
                share=_share([one for one in draws if one.label == name]),
            )
            for name, label in study.labels.items()
        ]
        return Guidance(
            foible_version=__version__,
            settings=study.settings,
            failure=failure_sentence(study.config),
            classifiers=tuple(self._subject(place) for place in range(len(study.maps))),
            parts={kind: self._parts[kind].identity for kind in KINDS if kind in self._parts},
            labels=tuple(labels),
            draws=draws,
            share=_share(draws),
            words=self._words,
        )

    def _judged(self) -> dict[str, Judgement | Fault]:
        return self._loop.judge_as([(one.draw, one.request.label) for one in self._led if one.draw.image])

    def _target_seen(self) -> dict[str, Judgement | Fault]:
        target = self._study.config.failure.target
        if not target:
            return {}
        classes = [Classes(classifier=one.classifier, names=one.names) for one in self._study.maps]
        label = resolve_labels([target], classes)[0][0]
        return self._asking.sees([one.draw for one in self._led if one.draw.image], label)

    def _one(self, led: Answered, start: Answered) -> Led:
        key, request = led.request.key, led.request
        shows, target = (_yes(seen.get(key)) for seen in (self._seen, self._target))
        end, reason = self._end(led, start)
        return Led(
            label=request.label,
            seed=request.seed,
            prompt=request.text,
            start=start.draw.image,
            image=led.draw.image,
            before=self._says(start.request.key),
            after=self._says(key),
            end=end,
            shows=shows,
            shows_target=target,
            unit=self._unit_of(start, led),
            moved=self._moved(start.draw.image, led.draw.image),
            samplings=led.draw.samplings if led.draw.image else 0,
            reason=reason,
        )

    def _end(self, led: Answered, start: Answered) -> tuple[End, str]:
        """Say what a draw came to, and why that is not known."""
        if not led.draw.image:
            return "unknown", f"not drawn: {led.draw.fault}"
        if led.outcomes[0].reason == REPEATED and led.draw.image != start.draw.image:
            return "same", ""
        for place in range(self._guides):
            said = self._said[place].get(led.request.key)
            if not isinstance(said, Prediction):
                return "unknown", f"{UNCLASSIFIED}{said.reason if said is not None else 'the image is missing'}"
        return self._decided(led)

    def _decided(self, led: Answered) -> tuple[End, str]:
        """Say whether a draw to which all have answered reached the objective, and whether that is borne out."""
        objective = self._study.config.guide.objective
        judged = (self._target if objective == "spurious" else self._seen).get(led.request.key)
        # The judge leads where the generator is looked at, and else bears out what a classifier led to.
        if objective != "generator" and not self._reached(led):
            return "missed", ""
        if not isinstance(judged, Judgement):
            return "unknown", f"not judged: {judged.reason if judged is not None else 'the image is missing'}"
        if objective != "generator":
            return ("find" if judged.faithful != (objective == "spurious") else "lost"), ""
        if judged.faithful:
            return "missed", ""
        return ("find" if all(fails is True for fails in self._fails(led)) else "lost"), ""

    def _unit_of(self, *draws: Answered) -> tuple[float, float] | None:
        found = [self._unit[one.draw.image] for one in draws if one.draw.image in self._unit]
        return (found[0], found[1]) if len(found) == len(draws) else None

    @property
    def _guides(self) -> int:
        """How many classifiers decide on an end."""
        return {"disagree": 2, "generator": len(self._study.maps)}.get(self._study.config.guide.objective, 1)

    def _reached(self, led: Answered) -> bool:
        """Say whether the first classifier fails and, where they should disagree, the second one surely does not.

        Of a unit, whether it is higher than on every explored draw of the label.
        """
        if self._study.config.guide.objective == "neuron":
            own = [one.draw.image for one in self._explored if one.request.label == led.request.label]
            before = max((self._unit[name] for name in own if name in self._unit), default=math.inf)
            return self._unit.get(led.draw.image, -math.inf) > before
        fails = self._fails(led)
        return fails[0] is True and all(one is False for one in fails[1:])

    def _fails(self, led: Answered) -> list[bool | None]:
        """Say of each classifier that decides whether it fails; None where that is open."""
        fails = []
        for place in range(self._guides):
            said = self._said[place][led.request.key]
            assert isinstance(said, Prediction)  # noqa: S101 - the caller has looked
            fails.append(self._study.maps[place].fails(said, led.request.label))
        return fails

    def _says(self, key: str) -> tuple[Said, ...]:
        return tuple(self._said_by(place, key) for place in range(len(self._study.maps)))

    def _said_by(self, place: int, key: str) -> Said:
        said = self._said[place].get(key)
        if not isinstance(said, Prediction):
            return Said()
        name = "" if said.index is None else called(said.index, self._study.maps[place])
        return Said(predicted=said.index, name=name, score=said.levels[0].score)

    def _moved(self, start: str, image: str) -> float | None:
        before, after = (self._images.get(one) if one else None for one in (start, image))
        if before is None or after is None or before.shape != after.shape:
            return None
        return float(np.abs(after.astype(np.float64) - before.astype(np.float64)).mean() / 255)

    def _subject(self, place: int) -> Subject:
        """Name the classes of a classifier that occur."""
        classes = self._study.maps[place]
        indices = {index for right in classes.right.values() for index in right} | set(classes.target)
        said = (one.index for one in self._said[place].values() if isinstance(one, Prediction))
        indices |= {index for index in said if index is not None}
        return Subject(
            name=classes.classifier,
            identity=self._study.began.classifiers[place],
            right=classes.right,
            class_names={index: called(index, classes) for index in sorted(indices)},
        )


def _yes(said: Judgement | Fault | None) -> bool | None:
    return said.faithful if isinstance(said, Judgement) else None


def _share(draws: Sequence[Led]) -> Rate:
    """Give the share of what was reached and judged that the judge bears out, with its exact interval."""
    finds, lost = (sum(one.end == end for one in draws) for end in ("find", "lost"))
    low, high = clopper_pearson(finds, finds + lost)
    return Rate(value=finds / (finds + lost) if finds + lost else None, low=low, high=high)
