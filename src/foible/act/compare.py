"""`foible compare`: is another classifier better or worse than the one that a hunt was about, and where?

Comes in: a finished run, and a classifier or another finished run. Goes out: both failure rates over the same images,
for each bug and each label, and whether they differ. Nothing is drawn, captioned or judged again. Neighbours:
`others.py` asks; `paired.py` says what differs, `shown.py` gives the images, `between.py` those of two runs;
`transfer.py` says who has a bug; `report/comparison.py` writes.

The images of a bug are those that were made to measure it, after it was confirmed; those of a label are all that were
explored. Neither was chosen by what failed, and how many there are was fixed before the first of them, as the test of
`paired.py` wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from foible._version import __version__
from foible.act.between import Lacking, between
from foible.act.gates import gated, read_gates
from foible.act.opened import Opened, opened
from foible.act.others import ask
from foible.act.paired import Sides, refuse_share, weigh
from foible.act.shown import NO_BASE, NO_DRAWS, Shown, bugs_of, labels_of
from foible.act.sought import Other, find_labels, sought, subject_of
from foible.comparison import Compared, Comparison
from foible.errors import ConfigError
from foible.findings import Subject
from foible.hunting.clock import Clock
from foible.hunting.finished import Run
from foible.hunting.prepare import classes_of, unique_names
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Outcome
from foible.run.archive import Archive

Rows = list[tuple[Compared, Sides | str]]


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What is compared: rows with their images, and how they are weighed."""

    rows: Rows
    after: Subject
    runs: Literal[1, 2] = 1
    level: float
    unscored: float
    lacking: Lacking = ()


def compare(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str | Run,
    other: object,
    *,
    against: str = "",
    second: str = "",
    same: float = 0.1,
    labels: Sequence[str] = (),
    findings: Sequence[int] = (),
    fail_on: str = "never",
    classifiers: Sequence[object] = (),
    archive: Path | str | None = None,
    max_requests: int | None = None,
) -> Comparison:
    """Say whether a classifier is better or worse than that of a run, over the same images, on its bugs and labels.

    Args:
        run: the directory of a finished hunt or probe.
        other: a spec, a `Spec` record, an object with `classify(images)` or a plain function. Or another run over the
            same labels, a `Run` or its directory: its bugs are looked at, too.
        against: the name of the run's classifier that it is compared with; empty for the first.
        second: the name of the other run's classifier; empty for the first.
        same: between 0 and 1, ends excluded: rates that surely differ by less are called the same.
        labels: "504|968=coffee mug", for labels that the classifier calls otherwise, or whose classes have no names.
        findings: numbers of confirmed findings, from 1, in the order of the run's table. Empty for all of them.
        fail_on: the gate: "never"; "worse": it surely fails more often on a bug or a label; "open": that, or it is not
            shown to be the same or better; "rate>20%": it surely fails more often on a bug. Commas join several.
        classifiers: those of two runs that are objects, run code of their own, or ask a server: a run directory is not
            enough to load these.
        archive: where images and answers lie; None for `archive` beside each run.
        max_requests: at most this many requests to servers.

    Returns:
        For each bug and each label both rates, their difference with its interval, and what may be said of it.

    Raises:
        InputError: a run or a classifier cannot be used, or two runs cannot be compared; one sentence says what to do.
    """
    refuse_share(same)
    gates = read_gates(fail_on)
    first, folder, ceiling = _opened(run, archive, against), _run_of(other), Ceiling(max_requests)
    if folder is None:
        _refuse({"second": second, "classifiers": classifiers}, "two runs")
        held = _with_classifier(first, other, labels, findings, ceiling)
    else:
        _refuse({"labels": labels, "findings": findings}, "one run and a classifier")
        held = _with_run(first, _opened(folder, archive, second), classifiers, ceiling)
    rows = weigh(held.rows, level=held.level, unscored=held.unscored, same=same)
    return _comparison(first, held, gated(rows, gates, held.level, "the first classifier"), (same, fail_on))


def _comparison(first: Opened, held: _Held, rows: Sequence[Compared], asked: tuple[float, str]) -> Comparison:
    return Comparison(
        foible_version=__version__,
        settings=first.read.result.settings,
        runs=held.runs,
        level=held.level,
        lacking=held.lacking,
        labels=first.read.result.labels,
        before=first.subject,
        after=held.after,
        same=asked[0],
        fail_on=asked[1],
        rows=tuple(rows),
    )


def _opened(run: Path | str | Run, archive: Path | str | None, name: str) -> Opened:
    if isinstance(run, Run):
        return opened(run.folder, archive or run.archive, name)
    return opened(run, archive, name)


def _run_of(other: object) -> Path | str | Run | None:
    """Tell another run from a classifier; None for the latter."""
    if isinstance(other, Run | Path):
        return other
    return other if isinstance(other, str) and Path(other).is_dir() else None


def _refuse(given: Mapping[str, object], what: str) -> None:
    """Refuse what is said of another comparison than this one."""
    if wrong := next((name for name, value in given.items() if value), None):
        message = f"{wrong} is for a comparison of {what}; leave it out"
        raise ConfigError(message)


def _with_run(first: Opened, second: Opened, classifiers: Sequence[object], ceiling: Ceiling) -> _Held:
    """Hold the classifier of another run against that of the first."""
    named = [load("classifier", what, ceiling=ceiling) for what in classifiers]
    rows, lacking = between((first, second), named, ceiling)
    options = [run.read.study.config.confirm for run in (first, second)]
    return _Held(
        rows=rows,
        after=second.subject,
        runs=2,
        level=min(one.level for one in options),
        unscored=min(one.unscored for one in options),
        lacking=lacking,
    )


def _with_classifier(
    first: Opened, what: object, labels: Sequence[str], findings: Sequence[int], ceiling: Ceiling
) -> _Held:
    """Hold a classifier against that of the run: it is asked about the images of the run's bugs and labels."""
    read, place = first.read, first.place
    parts = [*bugs_of(read, place, findings), *labels_of(read)]
    part = load("classifier", what, ceiling=ceiling)
    name = unique_names([*(m.classifier for m in read.study.maps), str(part.identity["spec"])])[-1]
    other = find_labels(part, classes_of(part, name), sought(read.study, place), labels)
    requests = list({one.request.key: one.request for own in parts for one in own.draws}.values())
    with Archive(first.archive) as kept:
        said = ask(other, requests, read, kept, Clock(None))
    options = read.study.config.confirm
    return _Held(
        rows=[(_named(own), _sides(own, place, other, said)) for own in parts],
        after=subject_of(other.classes, other.part.identity),
        level=options.level,
        unscored=options.unscored,
    )


def _named(own: Shown) -> Compared:
    return Compared(label=own.label, found=own.found, whose=None if own.found is None else "first")


def _sides(own: Shown, place: int, other: Other, said: Mapping[str, Outcome]) -> Sides | str:
    """Give the images of a row as either classifier sees them."""
    if not own.draws or own.label in other.unknown:
        return other.unknown.get(own.label) or (NO_BASE if own.found is None else NO_DRAWS)
    before = [one.seen_by(place) for one in own.draws]
    return Sides(before=before, after=[replace(seen, outcome=said[seen.draw.request.key]) for seen in before])
