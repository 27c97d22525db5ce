"""`foible export`: a data set of the images that a hunt's bugs were seen in, to train on, to test on, to look at.

Comes in: a finished run. Goes out: a folder that other libraries read: images in a folder for each label with a table
beside them (torchvision's ImageFolder, `datasets` and pandas read it), or one Parquet file with the images in it; and a
card that says where they come from, and what may not be claimed from them. Neighbours: `hunting/replay.py` reads the
run; `transfer.py` asks other classifiers about the images without exporting any.

Images are taken one by one, from label to label and in each from bug to bug, so that a set of any size is as even as
the images allow. Only draws that are scored are taken: the judge saw the label in them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from foible.act.chosen import chosen
from foible.act.others import ask
from foible.act.placed import placed
from foible.act.sets.card import card
from foible.act.sets.distinct import Distinct, refuse_cosine
from foible.act.sets.forms import FORMS
from foible.act.sets.rows import Exported, FailsOn, Taken, row
from foible.act.sought import find_labels, refuse_judge, sought
from foible.errors import ConfigError, StoreError, brief, near
from foible.findings import Finding
from foible.hunting.classes import classes_of, unique_names
from foible.hunting.clock import Clock
from foible.hunting.replay import Reread, reread_whole
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Answered, Observation, Treatment
from foible.run.archive import Archive
from foible.run.images import Images
from foible.run.journal import Journal
from foible.trial.decide import rate
from foible.trial.pairs import tally

_STATUSES = {"failing": {"failed"}, "passing": {"passed"}, "both": {"failed", "passed"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which images a user wants."""

    bugs: Mapping[int, Finding]
    """By number."""
    draws: str
    size: int | None


def export(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    out: Path | str,
    *,
    form: str = "imagefolder",
    draws: str = "failing",
    size: int | None = None,
    findings: Sequence[int] = (),
    distinct: float | None = None,
    embedder: object = None,
    classifiers: Sequence[object] = (),
    labels: Sequence[str] = (),
    archive: Path | str | None = None,
    licence: str = "unknown",
    max_requests: int | None = None,
) -> Exported:
    """Write the images of a run's confirmed findings as a data set.

    Args:
        run: the directory of a finished hunt or probe.
        out: the folder to make; it must not exist, or be empty.
        form: "imagefolder", "parquet", "datasets" (as saved to disk), "webdataset" or "fiftyone": see `FORMS`.
        draws: which draws with the description: those that fail, those that pass, or both.
        size: at most this many images; None for all.
        findings: numbers of confirmed findings, from 1. Empty for all.
        distinct: a cosine, 0..1: of images of a label that the embedder places closer together, the first is taken.
        embedder: who says what is close: a spec, a `Spec` record or an object; None for that of the run.
        classifiers: others, as for `foible.transfer`, of whom the card says on how many of the images they fail.
        labels: "504|968=coffee mug", for labels that these call otherwise.
        archive: where the run's images lie; None for `archive` beside it.
        licence: what the card says of the licence of the images; whoever draws them has to know.
        max_requests: at most this many requests to servers.

    Returns:
        How many images of each bug there are.

    Raises:
        InputError: the run or a part cannot be used, there are no such images, or the folder cannot be written.
    """
    folder, target, ceiling = Path(run), Path(out), Ceiling(max_requests)
    where = folder.parent / "archive" if archive is None else Path(archive)
    refuse_choices(form, draws, size, distinct)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = _drawn(reread_whole(journal, kept))
        wanted = _Wanted(bugs=chosen(read.result, findings), draws=draws, size=size)
        apart = None if distinct is None else apart_by(read, embedder, distinct, kept.images, ceiling)
        taken, gone = _take(read, wanted, kept.images, apart, where)
    tally = Counter(one.number for one in taken)
    done = Exported(
        folder=target,
        images=len(taken),
        counts=tuple((finding, tally[number]) for number, finding in wanted.bugs.items()),
        gone=gone,
        alike=apart.left_out if apart else 0,
        fails=tuple(_fails(read, taken, classifiers, labels, where, ceiling)) if classifiers else (),
    )
    with Archive(where, write=False) as kept:
        text = card(done, read, draws, licence, FORMS[form].files)
        _write(target, form, [row(one, read) for one in taken], kept.images, text)
    return done


def _write(target: Path, form: str, rows: Sequence[dict[str, Any]], images: Images, text: str) -> None:
    """Write a folder whole or not at all."""
    with placed(target, "the data set", "name a new folder with --out") as place:
        FORMS[form].write(place, rows, partial(png, images))
        (place / "README.md").write_text(text, encoding="utf-8", newline="\n")


def refuse_choices(form: str, draws: str, size: int | None, distinct: float | None) -> None:
    """Refuse what can be told from the arguments alone.

    Raises:
        ConfigError: there is no such format or choice of draws, or a number is out of its range.
    """
    for text, known, what in ((form, FORMS, "format"), (draws, _STATUSES, "choice of draws")):
        if text not in known:
            message = f"there is no {what} {brief(text)!r}: {near(text, known)}"
            raise ConfigError(message)
    if size is not None and size < 1:
        message = f"a data set has at least 1 image, but got a size of {size}"
        raise ConfigError(message)
    if distinct is not None:
        refuse_cosine(distinct)


def _drawn(read: Reread) -> Reread:
    """Refuse a run that drew nothing."""
    if read.study.photographs is not None:
        message = "the run is over photographs that are there already, and drew no image that could be exported"
        raise ConfigError(f"{message}; its table of draws (run.table()) says which of them fail")
    return read


# --- which images -----------------------------------------------------------------------------------------------------


def apart_by(read: Reread, embedder: object, least: float, images: Images, ceiling: Ceiling) -> Distinct:
    """Load who says what is alike.

    Args:
        read: the run.
        embedder: a spec or an object; None for that of the run.
        least: the cosine above which images are alike.
        images: of the archive.
        ceiling: from which the embedder takes its requests to a server.

    Raises:
        ConfigError: none is named, and the run has none that could be loaded.
        PluginError: it does not load.
    """
    identity = read.study.identities.get("embedder")
    if embedder is not None:
        part = load("embedder", embedder, ceiling=ceiling)
    elif identity is None or str(identity["spec"]).startswith("object:"):
        message = "an embedder tells images apart, and the run names none that could be loaded; name one (--embedder)"
        raise ConfigError(message)
    else:
        part = load_again("embedder", identity, ceiling=ceiling)
    return Distinct(part, least, images.get, read.study.config.batch)


def _take(
    read: Reread, wanted: _Wanted, images: Images, apart: Distinct | None, where: Path
) -> tuple[list[Taken], int]:
    """Give the images of the set, and how many more have gone.

    Raises:
        ConfigError: there are none.
    """
    every = _evenly(read, wanted)
    some = list(itertools.islice(every if apart is None else apart.of(every), wanted.size))
    taken = [one for one in some if images.get(one.seen.draw.image) is not None]
    if not taken:
        lacks = f"none of the chosen bugs has an image that is {wanted.draws} and scored; choose others with --finding"
        raise ConfigError(lacks if not some else f"the archive {where} has none of {len(some)} images")
    return taken, len(some) - len(taken)


def _evenly(read: Reread, wanted: _Wanted) -> Iterator[Taken]:
    """Give images one by one: from label to label, in each from bug to bug; each different image once."""
    by_about: dict[tuple[str, Treatment], list[Answered]] = {}
    for one in read.answered.values():
        if one.request.arm in {"treat", "measure"} and one.request.treatment:
            by_about.setdefault((one.request.label, one.request.treatment), []).append(one)
    statuses = _STATUSES[wanted.draws]
    of_labels: dict[str, list[Iterator[Taken]]] = {}
    for number, finding in wanted.bugs.items():
        hypothesis = finding.trial.hypothesis
        seen = (one.seen_by(hypothesis.classifier) for one in by_about.get(hypothesis.about, ()))
        own = [Taken(number=number, finding=finding, seen=o) for o in seen if o.outcome.status in statuses]
        of_labels.setdefault(hypothesis.label, []).append(iter(own))
    shown: set[str] = set()
    for taken in in_turn([in_turn(own) for own in of_labels.values()]):
        if taken.seen.draw.image not in shown:
            shown.add(taken.seen.draw.image)
            yield taken


def in_turn(sources: Sequence[Iterator[Taken]]) -> Iterator[Taken]:
    """Take one image of each source after the other, until all are at their end."""
    left = list(sources)
    while left:
        going = []
        for source in left:
            one = next(source, None)
            if one is not None:
                going.append(source)
                yield one
        left = going


def png(images: Images, image: str) -> bytes:
    """Give the PNG file of an image by its hash.

    Raises:
        StoreError: it has gone.
    """
    data = images.bytes(image)
    if data is None:
        message = f"the image {image[:16]}… has gone from the archive while it was read; repeat the command"
        raise StoreError(message)
    return data


# --- who fails on them ------------------------------------------------------------------------------------------------


def _fails(  # noqa: PLR0913, PLR0917 - what was chosen, and what the call was given
    read: Reread,
    taken: Sequence[Taken],
    classifiers: Sequence[object],
    labels: Sequence[str],
    where: Path,
    ceiling: Ceiling,
) -> Iterator[FailsOn]:
    """Say of the classifiers of the run, and of others, on what share of the images they fail."""
    answered = [read.answered[one.seen.request.key] for one in taken]
    for place, classes in enumerate(read.study.maps):
        yield on(classes.classifier, [one.seen_by(place) for one in answered])
    names = [classes.classifier for classes in read.study.maps]
    known = [dict(identity) for identity in read.study.began.classifiers]
    with Archive(where) as kept:
        for what in classifiers:  # one after the other: each may fill the memory
            part = load("classifier", what, ceiling=ceiling)
            refuse_judge(part, read.study)
            if dict(part.identity) in known:
                continue
            known.append(dict(part.identity))
            names = unique_names([*names, str(part.identity["spec"])])
            other = find_labels(part, classes_of(part, names[-1]), sought(read.study), labels)
            said = ask(other, [one.request for one in answered], read, kept, Clock(None))
            seen = [one.seen_by(0) for one in answered if one.request.key in said]
            yield on(names[-1], [replace(one, outcome=said[one.request.key]) for one in seen])


def on(classifier: str, seen: Sequence[Observation]) -> FailsOn:
    """Say on what share of some images a classifier fails; an exact interval at 95 % stands beside it."""
    told = tally(seen)
    return FailsOn(classifier=classifier, rate=rate(told), images=told.scored)
