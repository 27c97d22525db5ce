"""`foible transfer`: which other classifiers share the bugs that a hunt found?

Comes in: a finished run, and classifiers. Goes out: a matrix: rows say what was found, columns who fails. Nothing is
drawn, captioned or judged again: the classifiers are asked about images of the archive. Neighbours: `others.py` asks;
`report/matrix.py` writes.

The draws are those that were made to measure a confirmed finding. The draws that decided were looked at before a bug
was named, and selected it, for every classifier that makes alike mistakes; those that measure came after, and their
number was fixed before the first of them. So exact tests and intervals hold for any classifier. The multiplicity is
over every cell. Source of the claim that is tested: Wiles, Albuquerque and Gowal (arXiv 2208.08831), section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from foible._version import __version__
from foible.act.chosen import chosen
from foible.act.others import ask
from foible.act.shown import NO_DRAWS
from foible.act.sought import Other, find_labels, refuse_judge, sought
from foible.draws.request import BASE
from foible.errors import ConfigError
from foible.findings import Finding, Rate, Subject
from foible.hunting.classes import classes_of, unique_names
from foible.hunting.clock import Clock
from foible.hunting.replay import Reread, reread_whole
from foible.labels import called
from foible.matrix import AdversarialSet, Cell, Matrix, Row
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Answered, ClassMap, Outcome
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.trial.decide import decide, rate
from foible.trial.pairs import Pair, count, tally


def transfer(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    classifiers: Sequence[object] = (),
    *,
    labels: Sequence[str] = (),
    findings: Sequence[int] = (),
    archive: Path | str | None = None,
    max_requests: int | None = None,
) -> Matrix:
    """Ask classifiers about the images of a run's confirmed findings: who shares its bugs?

    Args:
        run: the directory of a finished hunt or probe.
        classifiers: specs, `Spec` records, objects with `classify(images)` or plain functions; those of the run come
            first in the matrix, whether or not there are others.
        labels: "504|968=coffee mug", for labels of the run that a classifier calls otherwise, or whose classes have no
            names.
        findings: numbers of confirmed findings, from 1, in the order of the run's own table. Empty for all.
        archive: where the run's images and answers lie; None for `archive` beside it.
        max_requests: at most this many requests to servers.

    Returns:
        The matrix: rates with and without each description, a verdict for each cell, and what is shared.

    Raises:
        InputError: the run or a classifier cannot be used; one sentence says what to do.
    """
    folder = Path(run)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
    if read.study.photographs is not None:
        message = (
            "the run is over photographs, and has none beside those that decided on its bugs; hunt over them with all "
            "classifiers in one run (--classifier several times) to see who shares them"
        )
        raise ConfigError(message)
    bugs = list(chosen(read.result, findings).values())
    pairs = [_pairs(finding, read) if finding.measured else [] for finding in bugs]
    requests = list({one.request.key: one.request for own in pairs for both in own for one in both}.values())
    others: list[Other] = []
    said: list[Mapping[str, Outcome]] = []
    ceiling = Ceiling(max_requests)
    with Archive(where) as kept:
        for what in classifiers:  # one after the other: each may fill the memory
            part = load("classifier", what, ceiling=ceiling)
            refuse_judge(part, read.study)
            if any(part.identity == known for known in _identities(read, others)):
                continue
            name = unique_names([*_names(read, others), str(part.identity["spec"])])[-1]
            others.append(find_labels(part, classes_of(part, name), sought(read.study), labels))
            said.append(ask(others[-1], requests, read, kept, Clock(None)))
    return _matrix(read, bugs, [_seen_by_all(own, others, said) for own in pairs], others)


def _pairs(finding: Finding, read: Reread) -> list[Pair]:
    """Give the pairs that measured a finding; how many was fixed before the first of them."""
    assert finding.measured is not None  # noqa: S101 - asked before
    label, treatment = finding.trial.hypothesis.about
    requests = read.study.requests
    seeds = list(islice(requests.seeds(label, "measure"), finding.measured.treat.draws))
    both = [requests.on(label, what, "measure", seeds) for what in (treatment, BASE)]
    return [(read.answered[t.key], read.answered[c.key]) for t, c in zip(*both, strict=True)]


def _identities(read: Reread, others: Sequence[Other]) -> list[Mapping[str, object]]:
    return [*read.study.began.classifiers, *(other.part.identity for other in others)]


def _names(read: Reread, others: Sequence[Other]) -> list[str]:
    return [m.classifier for m in (*read.study.maps, *(other.classes for other in others))]


def _seen_by_all(pairs: Sequence[Pair], others: Sequence[Other], said: Sequence[Mapping[str, Outcome]]) -> list[Pair]:
    """Add to the draws of pairs what became of them for the classifiers that were not in the run."""

    def one(before: Answered) -> Answered:
        label, key = before.request.label, before.request.key
        new = [
            outcomes[key] if key in outcomes else Outcome(status="unscored", reason=other.unknown[label])
            for other, outcomes in zip(others, said, strict=True)
        ]
        return replace(before, outcomes=(*before.outcomes, *new))

    return [(one(treat), one(control)) for treat, control in pairs]


def _matrix(read: Reread, bugs: Sequence[Finding], pairs: Sequence[Sequence[Pair]], others: Sequence[Other]) -> Matrix:
    maps = (*read.study.maps, *(other.classes for other in others))
    unknown: list[Mapping[str, str]] = [{} for _ in read.study.maps] + [dict(other.unknown) for other in others]
    told = [(finding, own) for finding, own in zip(bugs, pairs, strict=True) if own]
    tested = {
        (row, place): count(replace(finding.trial.hypothesis, classifier=place), own)
        for row, (finding, own) in enumerate(told)
        for place in range(len(maps))
        if finding.trial.hypothesis.label not in unknown[place]
    }
    options = read.study.config.confirm.model_copy(update={"method": "fixed"})
    decided = {id(f.trial): f for f in decide(list(tested.values()), options, 0)}

    def cell(row: int, place: int) -> Cell:
        finding, own = told[row]
        if (row, place) not in tested:
            reason = unknown[place][finding.trial.hypothesis.label]
            return Cell(finding=None, shared=_share([]), reason=reason)
        found = decided[id(tested[row, place].trial)]
        return Cell(finding=found, shared=_share(_adversarial(own, finding.trial.hypothesis.classifier), place))

    rows = [
        Row(found=finding, cells=tuple(cell(row, place) for place in range(len(maps))))
        for row, (finding, _) in enumerate(told)
    ]
    return Matrix(
        foible_version=__version__,
        settings=read.result.settings,
        labels=read.result.labels,
        classifiers=tuple(_subject(m, _identities(read, others)[at], rows, at) for at, m in enumerate(maps)),
        found_with=len(read.study.maps),
        rows=tuple(rows),
        left_out=tuple((finding, NO_DRAWS) for finding, own in zip(bugs, pairs, strict=True) if not own),
        sets=tuple(_set(told, place, len(maps)) for place in range(len(read.study.maps))),
    )


def _adversarial(pairs: Sequence[Pair], place: int) -> list[Answered]:
    """Give the treated draws that fail for a classifier: the images that were made against it."""
    return [treat for treat, _ in pairs if treat.outcomes[place].status == "failed"]


def _share(draws: Sequence[Answered], place: int = 0) -> Rate:
    """Give the failure rate of a classifier over some draws, with an exact interval at 95 %."""
    return rate(tally([one.seen_by(place) for one in draws]))


def _set(told: Sequence[tuple[Finding, Sequence[Pair]]], place: int, classifiers: int) -> AdversarialSet:
    """Pool the images of a classifier's findings that fail for it; each image counts once."""
    own = [one for f, pairs in told if f.trial.hypothesis.classifier == place for one in _adversarial(pairs, place)]
    different = list({one.draw.image: one for one in own}.values())
    return AdversarialSet(images=len(different), fails=tuple(_share(different, at) for at in range(classifiers)))


def _subject(classes: ClassMap, identity: Mapping[str, object], rows: Sequence[Row], place: int) -> Subject:
    """Name the classes of a classifier that occur: those of the labels, and those it predicted."""
    findings = [row.cells[place].finding for row in rows]
    indices = {index for right in classes.right.values() for index in right}
    indices |= {index for finding in findings if finding is not None for index, _ in finding.confused_with}
    names = {index: called(index, classes) for index in sorted(indices)}
    return Subject(name=classes.classifier, identity=identity, right=classes.right, class_names=names)
