"""`foible compare`: is another classifier better or worse than the one that a hunt was about, and where?

Comes in: a finished run, and a classifier or another finished run. Goes out: both failure rates over the same images,
for each bug and each label, and whether they differ. Neighbours: `others.py` asks; `paired.py` says what differs,
`shown.py` gives the images, `between.py` those of two runs, `further.py` more of them; `transfer.py` says who has a
bug; `report/comparison.py` writes.

The images of a bug are those that were made to measure it, after it was confirmed; those of a label are all that were
explored. Neither was chosen by what failed, and how many there are was fixed before the first of them, as the test of
`paired.py` wants. Nothing is drawn, captioned or judged, unless further images are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from foible._version import __version__
from foible.act.between import between
from foible.act.contest import Contender, Held, contender, draw_more
from foible.act.gates import gated, read_gates
from foible.act.opened import Opened, opened
from foible.act.others import ask
from foible.act.paired import Sides, refuse_share, weigh
from foible.act.shown import NO_BASE, NO_DRAWS, Shown, bugs_of, labels_of
from foible.act.sought import Other, find_labels, refuse_judge, sought
from foible.comparison import Compared, Comparison
from foible.errors import ConfigError, brief
from foible.hunting.classes import classes_of, unique_names
from foible.hunting.clock import Clock
from foible.hunting.finished import Run
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part, load
from foible.records import Outcome
from foible.run.archive import Archive


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
    draws: int = 0,
    parts: Mapping[str, object] = MappingProxyType({}),
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
        draws: at most so many further images, where those of the runs leave a row open.
        parts: of the runs, by kind ("classifier", "generator", "judge"; one or a list), those that are objects, run
            code of their own or ask a server: a run directory is not enough to load these.
        archive: where images and answers lie; None for `archive` beside each run.
        max_requests: at most this many requests to servers.

    Raises:
        InputError: a run or a part cannot be used, or two runs cannot be compared; one sentence says what to do.
    """
    refuse_share(same)
    gates = read_gates(fail_on)
    first, folder, ceiling = _opened(run, archive, against), _run_of(other), Ceiling(max_requests)
    if folder is None:
        _refuse({"second": second, "parts": parts if not draws else ()}, "two runs, or with draws")
        named = _named(parts, ceiling)
        held = _with_classifier(first, other, labels, findings, ceiling)
    else:
        _refuse({"labels": labels, "findings": findings}, "one run and a classifier")
        named = _named(parts, ceiling)
        held = between((first, _opened(folder, archive, second)), named, ceiling)
    if draws:
        held = draw_more(held, named, draws, same, ceiling)
    rows = weigh(held.rows, level=held.level, unscored=held.unscored, same=same, sequential=bool(draws))
    rows = gated(rows, gates, held.level, "the first classifier", sequential=bool(draws))
    return _comparison(held, rows, same, fail_on)


def _comparison(held: Held, rows: Sequence[Compared], same: float, fail_on: str) -> Comparison:
    result = held.runs[0].read.result
    return Comparison(
        foible_version=__version__,
        settings=result.settings,
        runs=2 if len(held.runs) > 1 else 1,
        level=held.level,
        most=held.most,
        lacking=held.lacking,
        labels=result.labels,
        before=held.before.subject,
        after=held.after.subject,
        same=same,
        fail_on=fail_on,
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


def _named(parts: Mapping[str, object], ceiling: Ceiling) -> list[Part]:
    """Load parts that a person named."""
    strange = parts.keys() - {"classifier", "generator", "judge"}
    if strange:
        message = f"parts are of the kinds classifier, generator and judge, but got {brief(min(strange))!r}"
        raise ConfigError(message)
    each = {kind: list(what) if isinstance(what, list | tuple) else [what] for kind, what in parts.items()}
    return [load(kind, one, ceiling=ceiling) for kind, several in each.items() for one in several]


def _with_classifier(
    first: Opened, what: object, labels: Sequence[str], findings: Sequence[int], ceiling: Ceiling
) -> Held:
    """Hold a classifier against that of the run: it is asked about the images of the run's bugs and labels."""
    read, place = first.read, first.place
    parts = [*bugs_of(read, place, findings), *labels_of(read)]
    part = load("classifier", what, ceiling=ceiling)
    refuse_judge(part, read.study)
    name = unique_names([*(m.classifier for m in read.study.maps), str(part.identity["spec"])])[-1]
    other = find_labels(part, classes_of(part, name), sought(read.study, place), labels)
    requests = list({one.request.key: one.request for own in parts for one in own.draws}.values())
    with Archive(first.archive) as kept:
        said = ask(other, requests, read, kept, Clock(None))
    options = read.study.config.confirm
    return Held(
        rows=[
            (
                Compared(label=own.label, found=own.found, whose=None if own.found is None else "first"),
                _sides(own, place, other, said),
            )
            for own in parts
        ],
        runs=(first,),
        before=contender(first),
        after=Contender(classes=other.classes, identity=part.identity, part=part, unknown=frozenset(other.unknown)),
        level=options.level,
        unscored=options.unscored,
    )


def _sides(own: Shown, place: int, other: Other, said: Mapping[str, Outcome]) -> Sides | str:
    """Give the images of a row as either classifier sees them."""
    if not own.draws or own.label in other.unknown:
        return other.unknown.get(own.label) or (NO_BASE if own.found is None else NO_DRAWS)
    before = [one.seen_by(place) for one in own.draws]
    return Sides(before=before, after=[replace(seen, outcome=said[seen.draw.request.key]) for seen in before])
