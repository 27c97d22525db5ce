"""The public calls that hunt: `hunt` and `probe`.

Comes in: a config and, from Python, objects in place of specs. Goes out: a `Run` (`finished.py`), whose
folder has `findings.json`, `findings.md` and `report.html`. Neighbours: `prepare.py` refuses what cannot be used,
`path.py` is the hunt itself, `report/` writes, `cli/` prints.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from foible import report
from foible.config import HuntConfig
from foible.draws.questions import EMBEDDER
from foible.draws.texts import keep_texts, read_texts, refuse_same
from foible.hunting.clock import Clock
from foible.hunting.executing import abreast, executor
from foible.hunting.finished import Run
from foible.hunting.logged import LoggedExecutor, LoggedProgress, run_id, tell_event, tell_result
from foible.hunting.loop import loop_over
from foible.hunting.path import walk
from foible.hunting.prepare import Descriptions, Prepared, make_config, prepare
from foible.hunting.reading import Reopened
from foible.hunting.sources import refuse_among
from foible.hunting.study import study_of
from foible.hunting.trying import Trying
from foible.progress import Bars, Progress, Silent
from foible.records import Label, Spec
from foible.run.archive import Archive
from foible.run.events import Ended, Worked
from foible.run.journal import Journal
from foible.run.log import Log
from foible.run.photographs import write_photographs
from foible.run.settings import keep


def hunt(  # noqa: PLR0913 - the public call: each is something a user sets by name
    classifier: object = None,
    labels: Sequence[str | Label] | str | Label | None = None,
    *,
    source: str | Spec | None = None,
    generator: object = None,
    captioner: object = None,
    embedder: object = None,
    judge: object = None,
    budget: int | None = None,
    target: str | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | Path | str | None = None,
    progress: bool = True,
) -> Run:
    """Find, name and prove the systematic failures of a classifier, or of several over the same draws.

    Args:
        classifier: a spec ("transformers:…"), an object with `classify(images)`, or a plain function that takes a batch
            of uint8 images (height, width, 3) and returns scores (n, classes). A list holds several.
        labels: what to hunt over: names of classes, "504=coffee mug (cup)", or `Label` records; one may stand alone.
            None: every class of the first classifier.
        source: labelled photographs, "photos:DIR", in place of a generator: what they suggest is tested on the other
            half of them. No other part is needed then.
        generator: as `classifier`; `draw(prompts, seeds)` gives images.
        captioner: as `classifier`; `caption(images)` gives texts.
        embedder: as `classifier`; `embed(images)` gives vectors.
        judge: as `classifier`; `judge(images, labels)` says whether each image shows its label.
        budget: at most this many draws in all; it may be raised later, on the same directory.
        target: only failures into this wrong label count.
        seed: where all randomness comes from.
        out: the run directory; the same call on the same directory goes on where it stopped.
        config: every other option (see `HuntConfig`), as a mapping, in which "explore.draws" may be a key, or as the
            path of a YAML file; the arguments above win over it.
        progress: show bars on stderr.

    Returns:
        The findings, and where the report lies.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
    """
    given = {"generator": [generator], "captioner": [captioner], "embedder": [embedder], "judge": [judge]}
    parts = {"classifier": _several(classifier), **given}
    named: dict[str, object] = {"source": source, "budget": budget, "seed": seed, "out": out}
    named |= {"failure": {"target": target}} if target else {}
    resolved = make_config(config, parts, named, labels)
    return run(resolved, parts, progress=Bars() if progress else Silent())


def probe(  # noqa: PLR0913 - as `hunt`
    classifier: object = None,
    label: str | Label = "",
    description: str | Sequence[str] = "",
    *,
    generator: object = None,
    judge: object = None,
    target: str | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | Path | str | None = None,
    progress: bool = True,
) -> Run:
    """Test a person's own hypothesis the way a hunt does, without exploring.

    Args:
        classifier: as in `hunt`.
        label: the label it is about.
        description: what is added to the base prompt, such as "on grass, at night"; several are tested together, with
            the multiplicity that costs.
        generator: as in `hunt`.
        judge: as in `hunt`.
        target: as in `hunt`.
        seed: as in `hunt`.
        out: as in `hunt`.
        config: as in `hunt`.
        progress: as in `hunt`.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
    """
    parts = {"classifier": _several(classifier), "generator": [generator], "judge": [judge]}
    named = {"seed": seed, "out": out, "failure": {"target": target} if target else None}
    resolved = make_config(config, parts, named, [label])
    descriptions = [description] if isinstance(description, str) else list(description)
    return run(resolved, parts, progress=Bars() if progress else Silent(), descriptions=descriptions)


def run(
    config: HuntConfig,
    objects: Mapping[str, Sequence[object]] | None = None,
    *,
    progress: Progress,
    descriptions: Descriptions | None = None,
) -> Run:
    """Hunt or, where descriptions are given, probe; from a resolved config.

    Args:
        config: every option.
        objects: kind -> objects to use in place of the config's specs.
        progress: who is told.
        descriptions: a person's hypotheses about the one label of the config.

    Raises:
        InputError: something given cannot be used.
        OtherVersionError: the run had come to its end, made by a foible that asked for less.
        OutOfTime: `max_minutes` or `max_requests` is used up; the same call goes on.
    """
    return carry_out(prepare(config, objects, descriptions), progress)


def carry_out(prepared: Prepared, progress: Progress) -> Run:
    """Hunt or probe, with what was prepared for it.

    Raises:
        OtherVersionError: as `run`.
        OutOfTime: as `run`.
        StoreError: the run directory or the archive cannot be used.
    """
    config = prepared.config
    clock = Clock(config.max_minutes)
    began = time.perf_counter()
    refuse_among(config, {"out": prepared.folder, "archive": prepared.archive})
    with (
        Log(config.log) as log,
        Journal(prepared.folder) as journal,
        Archive(prepared.archive) as archive,
        ExitStack() as last,
    ):
        journal.heard = partial(tell_event, log)
        log.run = run_id(prepared.began)
        log.note("call", counts={"labels": len(prepared.labels), "classifiers": len(prepared.maps)})
        report.make_ready(prepared.folder)  # before anything is spent on what could not be written
        keep(journal, prepared.began)
        last.callback(_note_work, journal, clock)
        assert journal.began is not None  # noqa: S101 - `keep` has begun it
        if prepared.photographs is not None:
            write_photographs(prepared.folder, prepared.photographs)
            if prepared.photographs.vocabulary is not None:
                embedder, texts = prepared.parts[EMBEDDER], prepared.photographs.vocabulary.texts()
                keep_texts(embedder, texts, archive)
                refuse_same(texts, read_texts(embedder.identity, texts, archive)[1])
        study = study_of(journal.began, journal.settings, prepared.photographs)
        tries = Trying(
            parts=prepared.parts, config=config, labels=study.labels, maps=study.maps, archive=archive, watch=clock
        )
        loop = loop_over(
            study,
            executor=LoggedExecutor(last.enter_context(executor(prepared, archive)), log),
            abreast=abreast(prepared),
            archive=archive,
            record=Reopened(journal, clock) if journal.ended else journal,
            clock=clock,
            progress=LoggedProgress(progress, log),
            tries=tries,
        )
        result = walk(study, loop)
        report.write(result, archive.images.bytes, prepared.folder)
        if not journal.ended:
            journal.note(Ended())
        tell_result(log, result)
    spent = {**journal.spent}
    return Run(
        folder=prepared.folder,
        archive=prepared.archive,
        result=result,
        seconds=time.perf_counter() - began,
        spent=spent,
    )


def _several(classifier: object) -> list[object]:
    return list(classifier) if isinstance(classifier, list | tuple) else [classifier]


def _note_work(journal: Journal, clock: Clock) -> None:
    if clock.spent:
        journal.note(Worked(spent=dict(clock.spent)))
