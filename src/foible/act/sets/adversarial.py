"""`foible export --adversarial`: a data set that is made for one classifier, of fresh images on which it fails.

Comes in: a finished run. Goes out: a folder as `export.py` writes it, with a card that says how often the classifier,
and others, fail on it and on such images before any choice. Neighbours: `collect.py` says what is drawn and kept;
`export.py` writes images that the run has already; `adversarial_card.py` says what may be claimed.

Every image is drawn anew, from seeds that nothing else has (`arms.py`), and none is an image of the run by its pixels:
what suggested or decided a bug is no fresh example of it. The run is finished, and nothing is noted in it. Draws and
answers are kept in its archive, so that a call that was stopped goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from foible.act.chosen import chosen
from foible.act.fresh import SPENT, Drawing
from foible.act.opened import own_parts
from foible.act.others import ask
from foible.act.placed import placed, refuse_taken
from foible.act.sets.adversarial_card import adversarial_card
from foible.act.sets.collect import Means, Row, collect, rows_of
from foible.act.sets.distinct import Distinct
from foible.act.sets.export import apart_by, in_turn, on, png, refuse_choices
from foible.act.sets.forms import FORMS
from foible.act.sets.rows import AdversarialExport, Collected, Exported, FailsOn, Taken, row
from foible.act.shown import place_of
from foible.act.sought import Other, find_labels, refuse_judge, sought
from foible.draws.once import REPEATED
from foible.errors import ConfigError, brief
from foible.findings import Finding
from foible.hunting.classes import classes_of, unique_names
from foible.hunting.clock import Clock
from foible.hunting.finished import Run
from foible.hunting.replay import Reread, reread_whole
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part, load
from foible.progress import Bars, Progress, Silent
from foible.records import Answered
from foible.run.archive import Archive
from foible.run.images import Images
from foible.run.journal import Journal

DRAWS_EACH = 10
"""Draws for each image that is wanted, where a call does not say how many."""
_MEND = "name a new folder with --out"


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A run, and whose bugs the set is made of."""

    read: Reread
    place: int
    bugs: Mapping[int, Finding]
    measures: tuple[int, int] | None
    """(height, width) of the run's images."""
    archive: Path

    @property
    def name(self) -> str:
        """Of the classifier."""
        return self.read.study.maps[self.place].classifier


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What was asked for."""

    form: str
    size: int
    most: int
    apart: tuple[float | None, object]
    """The cosine above which images are alike, and who says what is."""
    seed: int
    licence: str
    out: Path


@dataclass(frozen=True, kw_only=True)
class _Whom:
    """Who else is asked about the images."""

    classifiers: Sequence[object]
    labels: Sequence[str]
    """For labels that they call otherwise."""
    ceiling: Ceiling


def export_adversarial(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str | Run,
    out: Path | str,
    *,
    size: int,
    max_draws: int | None = None,
    form: str = "imagefolder",
    findings: Sequence[int] = (),
    against: str = "",
    distinct: float | None = None,
    embedder: object = None,
    classifiers: Sequence[object] = (),
    labels: Sequence[str] = (),
    parts: Mapping[str, object] = MappingProxyType({}),
    code: bool = False,
    seed: int | None = None,
    archive: Path | str | None = None,
    licence: str = "unknown",
    max_requests: int | None = None,
    progress: bool = True,
) -> AdversarialExport:
    """Draw fresh images of a run's bugs, and write those on which its classifier fails as a data set.

    Args:
        run: the directory of a finished hunt or probe over drawn images, or what `foible.hunt` returned.
        out: the folder to make; it must not exist, or be empty.
        size: so many images are wanted, as even over labels and bugs as their failures allow.
        max_draws: at most this many draws, shared out likewise; None for ten for each image.
        form: as in `foible.export`.
        findings: numbers of confirmed findings, from 1, in the order of the run's own table. Empty for all that were
            confirmed for the classifier.
        against: the name of the run's classifier that the set is made for; empty for the first.
        distinct: as in `foible.export`.
        embedder: as in `foible.export`.
        classifiers: others, as for `foible.transfer`, of whom it is said how often they fail on the same images.
        labels: "504|968=coffee mug", for labels that these call otherwise.
        parts: where parts of the run were Python objects, the same ones by kind: "classifier", "generator", "judge".
        code: load what the run names though it runs code of its own, asks a server or reads a folder of images.
        seed: where the seeds of the draws come from; None: that of the run. Another one makes another set.
        archive: where the run's images lie, and those of the set go; None for `archive` beside it.
        licence: what the card says of the licence of the images; whoever draws them has to know.
        max_requests: at most this many requests to servers.
        progress: show bars on stderr.

    Returns:
        How many images of each bug there are, how many lack and why, and how often classifiers fail.

    Raises:
        InputError: the run or a part cannot be used, there are no such images, or the folder cannot be written.
        OutOfTime: the requests to servers are used up; the same call goes on.
    """
    case = _case(run, archive, findings, against)
    whom = _Whom(classifiers=classifiers, labels=labels, ceiling=Ceiling(max_requests))
    most = DRAWS_EACH * size if max_draws is None else max_draws
    root = case.read.study.config.seed if seed is None else seed
    apart = distinct, embedder
    asked = _Asked(form=form, size=size, most=most, apart=apart, seed=root, licence=licence, out=Path(out))
    _refuse(asked)
    loaded = own_parts(case.read.study, case.place, parts, whom.ceiling, code=code)
    return _made(case, asked, loaded, whom, Bars() if progress else Silent())


def _made(case: _Case, asked: _Asked, parts: Mapping[str, Part], whom: _Whom, progress: Progress) -> AdversarialExport:
    """Draw, ask, and write."""
    for _ in _others(case, whom):  # who cannot be asked is told before anything is drawn
        pass
    with Archive(case.archive) as kept:
        drawing = Drawing(
            read=case.read,
            place=case.place,
            parts=parts,
            archive=kept,
            size=case.measures,
            progress=progress,
            seed=asked.seed,
        )
        fresh = _Fresh(drawing)
        rows = _rows(case, asked, drawing)
        apart = _apart(case, asked, kept.images, whom.ceiling)
        batch = case.read.study.config.batch
        with progress.stage("collect") as show:
            collect(
                rows,
                asked.size,
                Means(draws=fresh, apart=apart, batch=batch, told=lambda done, drawn: show(done, asked.size, drawn)),
            )
        taken = _in_order(rows)
        if not taken:
            raise ConfigError(_none(case, rows))
        before, fails = _fails(case, rows, taken, kept, whom)
        found = AdversarialExport(
            exported=Exported(
                folder=asked.out,
                images=len(taken),
                counts=tuple((one.finding, one.images) for one in rows),
                gone=0,
                alike=apart.left_out if apart else 0,
                fails=tuple(fails),
            ),
            classifier=case.name,
            size=asked.size,
            most=asked.most,
            seed=asked.seed,
            bugs=tuple(_collected(one, case.name) for one in rows),
            before=tuple(before),
        )
        text = adversarial_card(found, case.read, asked.licence, FORMS[asked.form].files)
        table = [row(one, case.read) for one in taken]
        with placed(asked.out, "the data set", _MEND) as place:
            FORMS[asked.form].write(place, table, lambda image: png(kept.images, image))
            (place / "README.md").write_text(text, encoding="utf-8", newline="\n")
    return found


# --- before anything is drawn -----------------------------------------------------------------------------------------


def _case(run: Path | str | Run, archive: Path | str | None, findings: Sequence[int], against: str) -> _Case:
    folder = run.folder if isinstance(run, Run) else Path(run)
    beside = run.archive if isinstance(run, Run) else folder.parent / "archive"
    where = beside if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        measures = journal.learned.size if journal.learned is not None else None
        read = reread_whole(journal, kept)
    if read.study.photographs is not None:
        message = "the run is over photographs, and no generator draws more of them"
        raise ConfigError(f"{message}; hunt over drawn images of the same labels, and make the set of what that finds")
    place = place_of(read, against)
    name = read.study.maps[place].classifier
    own = {n: f for n, f in chosen(read.result, ()).items() if f.trial.hypothesis.classifier == place}
    if wrong := next((number for number in chosen(read.result, findings) if findings and number not in own), None):
        message = f"the confirmed finding {wrong} is no bug of {brief(name)!r}; say --against, or choose others"
        raise ConfigError(message)
    if not own:
        message = f"the run has no confirmed bug of {brief(name)}, so there is nothing to draw for it"
        raise ConfigError(message)
    bugs = {number: own[number] for number in dict.fromkeys(findings)} if findings else own
    return _Case(read=read, place=place, bugs=bugs, measures=measures, archive=where)


def _refuse(asked: _Asked) -> None:
    """Refuse what can be told from the arguments alone."""
    refuse_choices(asked.form, "failing", asked.size, asked.apart[0])
    if asked.most < 1:
        message = f"a set wants at least 1 draw, but got max_draws of {asked.most}"
        raise ConfigError(message)
    refuse_taken(asked.out, _MEND)


def _others(case: _Case, whom: _Whom) -> Iterator[Other]:
    """Load the other classifiers, one after the other: each may fill the memory."""
    known = [dict(case.read.study.began.classifiers[case.place])]
    names = [case.name]
    for what in whom.classifiers:
        part = load("classifier", what, ceiling=whom.ceiling)
        refuse_judge(part, case.read.study)
        if dict(part.identity) not in known:
            known.append(dict(part.identity))
            names = unique_names([*names, str(part.identity["spec"])])
            yield find_labels(part, classes_of(part, names[-1]), sought(case.read.study, case.place), whom.labels)


def _apart(case: _Case, asked: _Asked, images: Images, ceiling: Ceiling) -> Distinct | None:
    """Load who leaves out what is alike, where it was asked for."""
    least, embedder = asked.apart
    return None if least is None else apart_by(case.read, embedder, least, images, ceiling)


# --- drawing ----------------------------------------------------------------------------------------------------------


class _Fresh:
    """Draws that show no image of the run, and none twice."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        drawing.spend(drawing.read.answered.values())

    def draw(self, finding: Finding, seeds: Sequence[int]) -> list[tuple[Answered, bool]]:
        label, treatment = finding.trial.hypothesis.about
        asked = self._drawing.requests.on(label, treatment, "collect", seeds)
        seen = self._drawing.observe(asked, lambda _: None)
        new = [bool(image := one.draw.image) and image not in self._drawing.spent for one in seen]
        first = {one.draw.image: at for at, one in reversed(list(enumerate(seen)))}
        self._drawing.spend(seen)
        return [
            (one, is_new and first[one.draw.image] == at)
            for at, (one, is_new) in enumerate(zip(seen, new, strict=True))
        ]


def _rows(case: _Case, asked: _Asked, drawing: Drawing) -> list[Row]:
    """Give each bug seeds of its own: those of its label in turn with the other bugs of it."""
    by_label: dict[str, list[int]] = {}
    for number, finding in case.bugs.items():
        by_label.setdefault(finding.trial.hypothesis.label, []).append(number)
    seeds = {
        number: islice(drawing.requests.seeds(label, "collect"), at, None, len(numbers))
        for label, numbers in by_label.items()
        for at, number in enumerate(numbers)
    }
    return rows_of(list(case.bugs.items()), [seeds[number] for number in case.bugs], asked.size, asked.most)


def _in_order(rows: Sequence[Row]) -> list[Taken]:
    """Put the images of the set into an order: from label to label, and in each from bug to bug."""
    of_labels: dict[str, list[Iterator[Taken]]] = {}
    for one in rows:
        of_labels.setdefault(one.label, []).append(iter(one.kept[: one.images]))
    return list(in_turn([in_turn(own) for own in of_labels.values()]))


def _none(case: _Case, rows: Sequence[Row]) -> str:
    drawn = sum(len(one.seen) for one in rows)
    scored = sum(seen.outcomes[0].status != "unscored" for one in rows for seen in one.seen)
    return (
        f"of {drawn} draws of the bugs of {brief(case.name)} {scored} show their label and are no image of the run, "
        "and it fails on none of them; raise --max-draws, or choose other bugs with --finding"
    )


# --- who fails --------------------------------------------------------------------------------------------------------


def _collected(one: Row, name: str) -> Collected:
    lacks = one.images < one.share
    return Collected(
        number=one.number,
        finding=one.finding,
        share=one.share,
        images=one.images,
        draws=len(one.seen),
        drawn_before=len(one.sample),
        before=on(name, [seen.seen_by(0) for seen in one.sample]),
        ended="" if not lacks else "its source shows no new image" if one.dry else "no more may be drawn for it",
    )


def _fails(
    case: _Case, rows: Sequence[Row], taken: Sequence[Taken], kept: Archive, whom: _Whom
) -> tuple[list[FailsOn], list[FailsOn]]:
    """Say how often classifiers fail before any choice, the run's own first, and how often others on the set."""
    sample = [seen for one in rows for seen in one.sample]
    answered = {seen.request.key: seen for one in rows for seen in one.seen}
    read = replace(case.read, answered=answered)
    shown = [one for one in sample if one.outcomes[0].reason not in {SPENT, REPEATED}]
    chosen_ = [answered[one.seen.request.key] for one in taken]
    before = [on(case.name, [one.seen_by(0) for one in sample])]
    fails: list[FailsOn] = []
    for other in _others(case, whom):
        said = ask(
            other,
            [one.request for one in {s.request.key: s for s in [*shown, *chosen_]}.values()],
            read,
            kept,
            Clock(None),
        )
        for images, found in ((shown, before), (chosen_, fails)):
            seen = [replace(one.seen_by(0), outcome=said[one.request.key]) for one in images if one.request.key in said]
            found.append(on(other.classes.classifier, seen))
    return before, fails
