"""`foible repair`: a classifier is trained further on images of its bugs, and tested on fresh ones.

Comes in: a finished run. Goes out: a folder with the repaired weights, a card and the proof. The table of contents of a
repair; neighbours: `case.py` chooses and loads, `lessons.py` says what is drawn to train on, `fresh.py` draws,
`train.py` trains, `variants.py` and `prove.py` test, `written.py` writes.

Three streams of seeds that no run has (`arms.py`): what is trained on, what ends the training, what proves it. No image
serves two of them, by its pixels. The proof asks the classifier that was written, as it is loaded from its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast, get_args

import torch

from foible._version import __version__
from foible.act.fresh import Drawing
from foible.act.gates import gated, read_gates
from foible.act.paired import refuse_share
from foible.act.repair.case import Case, load_case, open_case
from foible.act.repair.checkpoint import Checkpoint
from foible.act.repair.lessons import lessons, requests_of
from foible.act.repair.own import Own, own_photographs
from foible.act.repair.prove import Judged, Plan, proved, rows_of
from foible.act.repair.train import PACES, Fitted, Sample, fit
from foible.act.repair.written import Written, finished, save, write_card, writing
from foible.act.sought import subject_of
from foible.draws.questions import GENERATOR, JUDGE
from foible.draws.questions import classifier as place_named
from foible.errors import ConfigError, StoreError, brief, near
from foible.identity import digest
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part
from foible.progress import Bars, Progress, Silent
from foible.records import ClassMap
from foible.repairs import Layers, Lesson, Repair, Training
from foible.report import repair as pages
from foible.run.archive import Archive

if TYPE_CHECKING:
    from foible.arms import Arm
    from foible.parts.protocols import Image, Trainable

_SHOWN = 16
"""Images that show whether what was written answers as what was trained."""
_LEAST = 8
"""Images of a bug without which nothing is learned from it."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What was asked for."""

    layers: Layers
    draws: int
    retests: int
    same: float
    fail_on: str


def repair(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    out: Path | str,
    *,
    findings: Sequence[int] = (),
    against: str = "",
    layers: str = "last",
    draws: int = 96,
    retests: int = 96,
    variant: Sequence[str] = (),
    also: object = None,
    parts: Mapping[str, object] = MappingProxyType({}),
    code: bool = False,
    same: float = 0.1,
    fail_on: str = "never",
    seed: int | None = None,
    archive: Path | str | None = None,
    max_requests: int | None = None,
    progress: bool = True,
) -> Repair:
    """Train a run's classifier further on images of its bugs, and test it anew: are they gone, and what got worse?

    Args:
        run: the directory of a finished hunt or probe.
        out: the folder to make: repaired weights, README.md, repair.json and repair.html. It must not exist, be empty,
            or hold the beginning of the same repair.
        findings: numbers of confirmed findings to train on, from 1, in the order of the run's own table. Empty for all
            that were confirmed for the classifier.
        against: the name of the run's classifier that is repaired; empty for the first.
        layers: "last" or "all": what is trained.
        draws: of each bug, to train on; its words with other labels, and all labels, are drawn in proportion.
        retests: images of each bug, each label, and so on that test the repaired classifier.
        variant: other words for the cause of a bug, to test and not to train with: "1=in a meadow, at night".
        also: labelled photographs of one's own to learn from beside the draws, "photos:DIR"; some are held out.
        parts: where parts of the run were Python objects, the same ones by kind: "classifier", "generator", "judge".
        code: load what the run names though it runs code of its own, asks a server or reads a folder of images.
        same: between 0 and 1, ends excluded: rates that surely differ by less are called the same.
        fail_on: the gate, as in `compare`; what a row is held against is the classifier before the repair.
        seed: where all seeds come from; None: that of the run.
        archive: where the run's images lie, and those of the repair go; None for `archive` beside it.
        max_requests: at most this many requests to servers.
        progress: show bars on stderr.

    Returns:
        For each bug and each label both rates, their difference with its interval, and what may be said of it.

    Raises:
        InputError: the run or its parts cannot be used, or the training came to nothing; one sentence says what to do.
    """
    asked = _asked(layers, draws, retests, same, fail_on)
    where = Path(run).parent / "archive" if archive is None else Path(archive)
    case = open_case(Path(run), where, against=against, findings=findings, texts=variant)
    loaded = load_case(case, parts, Ceiling(max_requests), code=code)
    root = case.read.study.config.seed if seed is None else seed
    own = None if also is None else own_photographs(also, loaded[place_named(0)], case.classes, root, Ceiling(None))
    job = _Job(case=case, asked=asked, parts=loaded, own=own, seed=root, progress=Bars() if progress else Silent())
    return _repaired(job, Path(out), where)


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Everything that a repair needs, once it is known to be possible."""

    case: Case
    asked: _Asked
    parts: Mapping[str, Part]
    own: Own | None
    seed: int
    progress: Progress


def _repaired(job: _Job, out: Path, where: Path) -> Repair:
    """Draw, train, write and prove."""
    with writing(out) as unfinished, Archive(where) as kept:
        drawing = Drawing(
            read=job.case.read,
            place=job.case.place,
            parts=job.parts,
            archive=kept,
            size=job.case.size,
            progress=job.progress,
            seed=job.seed,
        )
        fitted, training, held = _train(job, drawing, unfinished)
        with finished(out) as place:
            some = [image for one in held[:_SHOWN] if (image := kept.images.get(one.image)) is not None]
            written = save(job.parts[place_named(0)], fitted.weights, place, some)
            found = _prove(job, drawing, training, written)
            write_card(found, place)
            pages.write(found, place)
    return found


def _asked(layers: str, draws: int, retests: int, same: float, fail_on: str) -> _Asked:
    """Refuse what can be told from the arguments alone."""
    refuse_share(same)
    read_gates(fail_on)
    if layers not in get_args(Layers):
        message = f"there are no layers {brief(layers)!r} to train: {near(layers, get_args(Layers))}"
        raise ConfigError(message)
    if draws < _LEAST or retests < 1:
        message = f"a repair wants at least {_LEAST} images of each bug to train on, and 1 to test with, but got "
        raise ConfigError(f"{message}{draws} and {retests}")
    return _Asked(layers=cast("Layers", layers), draws=draws, retests=retests, same=same, fail_on=fail_on)


def _trainable(parts: Mapping[str, Part]) -> Trainable:
    return cast("Trainable", parts[place_named(0)].object)


def _train(job: _Job, drawing: Drawing, folder: Path) -> tuple[Fitted, Training, Sequence[Sample]]:
    """Draw what is learned from, and train; with the images that ended it.

    Raises:
        TrainingError: the training came to nothing, or the judge sees too few images of a bug.
    """
    case, asked, own = job.case, job.asked, job.own
    wanted = lessons(case.read.study, case.place, case.bugs, asked.draws)
    learned = _drawn(wanted, "train", drawing)
    held = _drawn(wanted, "validate", drawing)
    done = [
        replace(lesson, trained=len(some), validated=len(others))
        for lesson, some, others in zip(wanted, learned, held, strict=True)
    ]
    _refuse_unseen(done)
    for lesson, some, others in own.lessons() if own is not None else ():
        done.append(lesson)
        learned.append(some)
        held.append(others)
        drawing.spent |= {*some, *others}
    samples, ending = (_samples(done, some, case.classes, own) for some in (learned, held))
    with drawing.progress.stage("fit") as show:
        fitted = fit(
            _trainable(drawing.parts),
            layers=asked.layers,
            samples=samples,
            held=ending,
            images=lambda image: _fetched(image, drawing, own),
            seed=drawing.seed,
            checkpoint=Checkpoint(folder=folder, key=_key(drawing, asked, samples, ending)),
            show=show,
        )
    training = Training(
        layers=asked.layers,
        **asdict(PACES[asked.layers]),
        parameters=fitted.parameters,
        numbers=fitted.numbers,
        epochs=fitted.epochs,
        best=fitted.best,
        before=fitted.before,
        after=fitted.after,
        lessons=tuple(done),
    )
    return fitted, training, ending


def _refuse_unseen(done: Sequence[Lesson]) -> None:
    """Refuse a bug of which the judge sees too little.

    Raises:
        ConfigError: as the summary says.
    """
    for lesson in done:
        if lesson.kind == "bug" and (lesson.trained < _LEAST or not lesson.validated):
            message = (
                f"of {lesson.train} images of bug {lesson.number} ({brief(lesson.label, 40)} "
                f"{brief(', '.join(lesson.words), 60)!r}) {lesson.trained} can be trained on: the judge sees the label "
                f"in no others, and {_LEAST} are needed; raise --draws, or choose other bugs with --finding"
            )
            raise ConfigError(message)


def _fetched(key: str, drawing: Drawing, own: Own | None) -> Image:
    """Read an image again: a photograph of the user's own, or a draw."""
    image = own.image(key) if own is not None else None
    image = drawing.archive.images.get(key) if image is None else image
    if image is None:
        message = "an image has gone from the archive while it was trained on; the same command draws it again"
        raise StoreError(message)
    return image


def _drawn(wanted: Sequence[Lesson], arm: Arm, drawing: Drawing) -> list[list[str]]:
    """Draw lessons; of each, the different images in which the judge sees the label."""
    asked = [requests_of(lesson, arm, drawing.requests) for lesson in wanted]
    answered = iter(drawing.make(arm, [one for requests in asked for one in requests]))
    each = [list(islice(answered, len(requests))) for requests in asked]
    drawing.spend(one for own in each for one in own)
    return [[one.draw.image for one in own if one.outcomes[0].status != "unscored"] for own in each]


def _samples(
    done: Sequence[Lesson], images: Sequence[Sequence[str]], classes: ClassMap, own: Own | None
) -> list[Sample]:
    """Weigh the images of lessons: what a lesson counts is spread evenly over them. The mean weight is 1."""
    meant = {"photographs": classes if own is None else own.classes}
    found = [
        Sample(
            image=image,
            right=meant.get(lesson.kind, classes).right[lesson.label],
            weight=lesson.share / len(some),
            base=lesson.kind in {"label", "photographs"},
        )
        for lesson, some in zip(done, images, strict=True)
        for image in some
    ]
    total = sum(one.weight for one in found)
    return [replace(one, weight=one.weight * len(found) / total) for one in found]


def _key(drawing: Drawing, asked: _Asked, samples: Sequence[Sample], held: Sequence[Sample]) -> str:
    """Hash everything that decides a training."""
    taught = [[[one.image, one.right, one.weight, one.base] for one in own] for own in (samples, held)]
    pace = asdict(PACES[asked.layers])
    identity = drawing.parts[place_named(0)].identity
    return digest([identity, asked.layers, pace, drawing.seed, taught, torch.__version__])


def _prove(job: _Job, drawing: Drawing, training: Training, written: Written) -> Repair:
    """Ask the classifier that was written, and the one of the run, about images that neither has seen."""
    case, asked, own = job.case, job.asked, job.own
    study, options = case.read.study, case.read.study.config.confirm
    classes = replace(case.classes, classifier=written.spec)
    drawing.spend(case.read.answered.values())
    plan = Plan(
        place=case.place,
        bugs=case.known,
        chosen=frozenset(case.bugs),
        variants=case.variants,
        draws=asked.retests,
    )
    rows = rows_of(plan, drawing)
    answered = drawing.make("retest", [one for row in rows for one in row.requests])
    by = Judged(
        before=case.classes,
        after=classes,
        part=written.part,
        images=drawing.archive.images,
        batch=study.config.batch,
        level=options.level,
        unscored=options.unscored,
        same=asked.same,
    )
    more = [] if own is None else [own.row(drawing.parts[place_named(0)], written.part, study.config.batch)]
    weighed = proved(rows, answered, by, more)
    shown = [*classes.right.values(), *(own.classes.right.values() if own is not None else ())]
    right = {index for indices in shown for index in indices}
    return Repair(
        foible_version=__version__,
        settings=case.read.result.settings,
        failure=case.read.result.failure,
        labels=case.read.result.labels,
        before=subject_of(case.classes, study.identities[place_named(case.place)]),
        after=subject_of(classes, {**written.part.identity, "spec": written.spec, "args": written.args}),
        weights=written.spec,
        args=written.args,
        parts={kind: drawing.parts[kind].identity for kind in (GENERATOR, JUDGE)},
        seed=drawing.seed,
        same=asked.same,
        fail_on=asked.fail_on,
        unseen=None if classes.names is None else len(classes.names) - len(right),
        training=training,
        rows=tuple(gated(weighed, read_gates(asked.fail_on), options.level, "before the repair")),
    )
