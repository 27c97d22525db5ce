"""A person's own labelled photographs, beside the draws of a repair: to learn from, and to see what was lost.

Comes in: a source of photographs, and a classifier. Goes out: lessons with their images, and a row of those that were
held out. Neighbours: `adapters/photographs/` reads them; `lessons.py` says what is drawn; `prove.py` weighs the row.

They stand in an order of chance, and of each annotation five in seven are learned from, one ends the training and one
is held out, so that none serves two purposes. All classes of the classifier count that are annotated, be they labels of
the run or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from foible.act.paired import Sides
from foible.act.repair.lessons import BASE_SHARE
from foible.draws.outcome import outcome
from foible.draws.questions import KEPT
from foible.draws.request import BASE
from foible.draws.values import read_prediction, write_scores
from foible.errors import ConfigError, LabelError, brief
from foible.hunting.classes import classes_of
from foible.labels import labels_of, resolve, texts_of
from foible.parts.asking import ask_classifier, ask_generator
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import HoldsPhotographs, offers
from foible.parts.registry import Part, load
from foible.photographs import Photograph, shuffled
from foible.records import ClassMap, Draw, Drawn, Fault, Judgement, Observation, Request
from foible.repairs import Lesson, Retested

if TYPE_CHECKING:
    from foible.parts.protocols import Image

_TURNS = ("train", "retest", "train", "validate", "train", "train", "train")
_SEEN = Judgement(faithful=True, score=1.0)
"""An annotation is believed."""
_CALLED = "your photographs"


@dataclass(frozen=True, kw_only=True)
class Own:
    """Photographs, and what they are for."""

    part: Part
    """Reads them."""
    classes: ClassMap
    """What the annotated labels mean for the classifier."""
    split: Mapping[str, Mapping[str, Sequence[Photograph]]]
    """By label, then "train", "validate" or "retest"."""

    def lessons(self) -> list[tuple[Lesson, list[str], list[str]]]:
        """Give a lesson of each label, with the hashes of its images: learned from, and ending the training."""
        share = BASE_SHARE / len(self.split)
        return [
            (
                Lesson(
                    kind="photographs",
                    label=label,
                    share=share,
                    train=len(own["train"]),
                    validate=len(own["validate"]),
                    trained=len(own["train"]),
                    validated=len(own["validate"]),
                ),
                [one.image for one in own["train"]],
                [one.image for one in own["validate"]],
            )
            for label, own in self.split.items()
        ]

    def image(self, image: str) -> Image | None:
        """Read a photograph by the hash of its pixels; None where it is none of these, or cannot be read any more."""
        place = self._places.get(image)
        answer = None if place is None else ask_generator(self.part, [place], [0])[0]
        return answer.image if isinstance(answer, Drawn) else None

    @cached_property
    def _places(self) -> Mapping[str, str]:
        return {one.image: one.place for own in self.split.values() for some in own.values() for one in some}

    def row(self, before: Part, after: Part, batch: int) -> tuple[Retested, Sides | str]:
        """Show both classifiers the photographs that were held out."""
        held = [(label, one) for label, own in self.split.items() for one in own["retest"]]
        sides: tuple[list[Observation], list[Observation]] = [], []
        for start in range(0, len(held), batch):
            some = held[start : start + batch]
            shown = ask_generator(self.part, [one.place for _, one in some], [0] * len(some))
            for side, part in zip(sides, (before, after), strict=True):
                side.extend(self._seen(some, shown, part))
        named = Retested(kind="photographs", label=_CALLED)
        return named, Sides(before=sides[0], after=sides[1]) if held else "no label has a second photograph to hold out"

    def _seen(
        self, some: Sequence[tuple[str, Photograph]], shown: Sequence[Drawn | Fault], part: Part
    ) -> list[Observation]:
        there = [one.image for one in shown if isinstance(one, Drawn)]
        answers = iter(ask_classifier(part, there))
        found = []
        for (label, photograph), one in zip(some, shown, strict=True):
            gone = one.reason if isinstance(one, Fault) else ""
            draw = Draw(request=_request(label, photograph), image=photograph.image, fault=gone)
            said = None if gone else next(answers)
            kept = max(KEPT, self.classes.top)
            prediction = said if said is None or isinstance(said, Fault) else read_prediction(write_scores(said, kept))
            found.append(Observation(draw=draw, outcome=outcome(draw, prediction, _SEEN, self.classes)))
        return found


def _request(label: str, photograph: Photograph) -> Request:
    return Request(key=photograph.image, label=label, treatment=BASE, seed=0, arm="retest", text=photograph.place)


def own_photographs(also: object, classifier: Part, run: ClassMap, seed: int, ceiling: Ceiling) -> Own:
    """Load a person's own photographs, and say what each is for.

    Args:
        also: a source: "photos:DIR", or a `Spec` of one.
        classifier: whose classes they are annotated by.
        run: what the labels of the run mean for it: what is right there is right here.
        seed: of their order.
        ceiling: as for every part.

    Raises:
        ConfigError: it holds no labelled photographs.
        LabelError: no annotation is a class of the classifier.
    """
    part = load("generator", also, ceiling=ceiling)
    if not offers(part.object, HoldsPhotographs):
        message = f"{brief(part.identity['spec'])!r} holds no labelled photographs to train on; name them as photos:DIR"
        raise ConfigError(message)
    photographs = part.object.photographs.photographs
    annotations = list(part.object.photographs.labels())
    of = classes_of(classifier, run.classifier)
    texts, unknown = texts_of(annotations, of)
    if not texts:
        message = f"no annotation of {brief(part.identity['spec'])!r} is a class of the classifier, such as "
        raise LabelError(f"{message}{brief(unknown[0], 60)!r}; name another set, or rename its labels")
    labels, (found,) = resolve(texts, [of], top=run.top)
    known = {indices[0]: indices for indices in run.right.values()}
    right = {name: known.get(indices[0], indices) for name, indices in found.right.items()}
    said = labels_of(annotations, {label.name: label for label in labels}, found)
    split: dict[str, dict[str, list[Photograph]]] = {}
    turns: dict[str, int] = {}
    for number in shuffled(photographs, seed):
        one = photographs[number]
        if (label := said.get(one.label)) is not None:
            turn = turns[label] = turns.get(label, -1) + 1
            own = split.setdefault(label, {"train": [], "validate": [], "retest": []})
            own[_TURNS[turn % len(_TURNS)]].append(one)
    classes = ClassMap(classifier=run.classifier, names=run.names, right=right, top=run.top)
    return Own(part=part, classes=classes, split=dict(sorted(split.items())))
