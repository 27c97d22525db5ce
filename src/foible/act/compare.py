"""`foible compare`: is another classifier better or worse than the one that a hunt was about, and where?

Comes in: a finished run, and a classifier. Goes out: both failure rates over the same images, for each bug and each
label, and whether they differ. Nothing is drawn, captioned or judged again. Neighbours: `others.py` asks; `paired.py`
says what differs, `shown.py` gives the images; `transfer.py` says who has a bug; `report/comparison.py` writes.

The images of a bug are those that were made to measure it, after it was confirmed; those of a label are all that were
explored. Neither was chosen by what failed, and how many there are was fixed before the first of them, as the test of
`paired.py` wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from foible._version import __version__
from foible.act.gates import gated, read_gates
from foible.act.others import ask
from foible.act.paired import Sides, refuse_share, weigh
from foible.act.shown import NO_BASE, Shown, bugs_of, labels_of, place_of
from foible.act.sought import Other, find_labels, sought, subject_of
from foible.act.transfer import NO_DRAWS
from foible.comparison import Compared, Comparison
from foible.hunting.clock import Clock
from foible.hunting.prepare import classes_of, unique_names
from foible.hunting.replay import Reread, reread_whole
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Outcome
from foible.run.archive import Archive
from foible.run.journal import Journal


def compare(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    classifier: object,
    *,
    against: str = "",
    same: float = 0.1,
    labels: Sequence[str] = (),
    findings: Sequence[int] = (),
    fail_on: str = "never",
    archive: Path | str | None = None,
    max_requests: int | None = None,
) -> Comparison:
    """Ask a classifier about the images of a run: is it better or worse than the run's own, on its bugs and labels?

    Args:
        run: the directory of a finished hunt or probe.
        classifier: a spec, a `Spec` record, an object with `classify(images)` or a plain function.
        against: the name of the run's classifier that it is compared with; empty for the first.
        same: between 0 and 1, ends excluded: rates that surely differ by less are called the same.
        labels: "504|968=coffee mug", for labels of the run that the classifier calls otherwise, or whose classes have
            no names.
        findings: numbers of confirmed findings, from 1, in the order of the run's own table. Empty for all that were
            confirmed for the classifier that it is compared with.
        fail_on: the gate: "never"; "worse": it surely fails more often on a bug or a label; "open": that, or it is not
            shown to be the same or better; "rate>0.2" or "rate>20%": it surely fails more often on a bug. Several have
            commas between them: "worse,rate>20%".
        archive: where the run's images and answers lie; None for `archive` beside it.
        max_requests: at most this many requests to servers.

    Returns:
        For each bug and each label: both rates, their difference with its interval, what may be said of it, and what
        the gate says of it.

    Raises:
        InputError: the run or the classifier cannot be used; one sentence says what to do.
    """
    refuse_share(same)
    read_gates(fail_on)
    folder = Path(run)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
    place = place_of(read, against)
    parts = [*bugs_of(read, place, findings), *labels_of(read)]
    part = load("classifier", classifier, ceiling=Ceiling(max_requests))
    name = unique_names([*(m.classifier for m in read.study.maps), str(part.identity["spec"])])[-1]
    other = find_labels(part, classes_of(part, name), sought(read.study, place), labels)
    requests = list({one.request.key: one.request for own in parts for one in own.draws}.values())
    with Archive(where) as kept:
        said = ask(other, requests, read, kept, Clock(None))
    return _comparison(read, (place, other), (same, fail_on), parts, said)


def _comparison(
    read: Reread,
    against: tuple[int, Other],
    asked: tuple[float, str],
    parts: Sequence[Shown],
    said: Mapping[str, Outcome],
) -> Comparison:
    (place, other), (same, fail_on) = against, asked
    options = read.study.config.confirm

    def sides(own: Shown) -> Sides | str:
        if not own.draws or own.label in other.unknown:
            return other.unknown.get(own.label) or (NO_BASE if own.found is None else NO_DRAWS)
        before = [one.seen_by(place) for one in own.draws]
        return Sides(before=before, after=[replace(seen, outcome=said[seen.draw.request.key]) for seen in before])

    rows = [(Compared(label=own.label, found=own.found), sides(own)) for own in parts]
    weighed = weigh(rows, level=options.level, unscored=options.unscored, same=same)
    return Comparison(
        foible_version=__version__,
        settings=read.result.settings,
        labels=read.result.labels,
        before=subject_of(read.study.maps[place], read.study.began.classifiers[place]),
        after=subject_of(other.classes, other.part.identity),
        same=same,
        fail_on=fail_on,
        rows=tuple(gated(weighed, read_gates(fail_on), options.level, "the first classifier")),
    )
