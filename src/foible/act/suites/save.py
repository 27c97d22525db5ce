"""`foible suite save`: the confirmed bugs of a finished run are frozen with the images that measured them.

Comes in: a finished run. Goes out: a suite, in a folder or one zip file, that needs neither run nor archive.
Neighbours: `shown.py` gives the images of bugs and labels, `write.py` writes; `run.py` runs another classifier against
it.

Which images: the first ones in the order in which they were drawn, whatever became of them. Were failing ones
preferred, any other classifier would seem better on them, and on passing ones worse, without a difference: both would
go back to their mean. For the same reason the controls are all explored images of a label, and not those alone that
passed.

A suite tells nothing of the machine: parts by their names without folders, faults without their details.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foible._version import __version__
from foible.act.shown import Shown, bugs_of, labels_of, place_of
from foible.act.sought import class_list, names_of
from foible.act.suites.write import sealed, write_suite
from foible.draws.once import REPEATED, SUGGESTED
from foible.draws.questions import GENERATOR, JUDGE
from foible.errors import ConfigError, StoreError, brief
from foible.hunting.replay import Reread, reread_whole
from foible.labels import called
from foible.parts.members import weights_in
from foible.records import TIED, UNFAITHFUL, Answered
from foible.report.words import spec_name
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.suites import IMAGES, Suite, SuiteBug, SuiteControl, SuiteImage, SuiteLabel

_SAID_WHOLE = {SUGGESTED, REPEATED, UNFAITHFUL, TIED}
"""Reasons that tell nothing but themselves; another one may hold a path, or what a server said."""
_GONE = "the image has gone from the archive"


def save_suite(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    suite: Path | str,
    *,
    against: str = "",
    findings: Sequence[int] = (),
    images: int = IMAGES,
    archive: Path | str | None = None,
    replace: bool = False,
) -> Suite:
    """Freeze confirmed bugs of a finished run with their images, and images of their labels.

    Args:
        run: the directory of a finished hunt or probe.
        suite: the folder to make; one zip file where it ends with `.zip`.
        against: the name of the run's classifier whose bugs they are; empty for the first.
        findings: numbers of confirmed findings, from 1. Empty for all of this classifier that have images of their own.
        images: at most this many of each bug and of each label; the first that were drawn.
        archive: where the run's images and answers lie; None for `archive` beside it.
        replace: whether a suite that is there may go.

    Returns:
        The suite.

    Raises:
        InputError: the run cannot be used, has no such bug, or the suite cannot be written; nothing is left then.
    """
    if images < 1:
        message = f"a bug has at least 1 image, but got {images}"
        raise ConfigError(message)
    folder, target = Path(run), Path(suite)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
        place = place_of(read, against)
        shown = _chosen(read, place, findings)
        made = sealed(_suite(read, place, shown, kept, images))
        if not made.bugs:
            message = f"the archive {where} has no image of any of these bugs; the hunt's own command brings them back"
            raise StoreError(message)

        def png(image: str) -> bytes:
            data = kept.images.bytes(image)
            if data is None:
                message = f"the image {image[:16]}… has gone from the archive while it was read; repeat the command"
                raise StoreError(message)
            return data

        write_suite(made, target, png, instead=replace)
    return made


def _chosen(read: Reread, place: int, numbers: Sequence[int]) -> list[Shown]:
    """Give bugs with images of their own.

    Raises:
        ConfigError: there is none, or one was asked for that has none.
    """
    bugs = bugs_of(read, place, numbers)
    lacking = next((one for one in bugs if not one.draws), None)
    if numbers and lacking is not None and lacking.found is not None:
        about = lacking.found.trial.hypothesis
        message = (
            f"the hunt made no images to measure {brief(about.label, 60)!r} with {brief(about.description)!r}, and "
        )
        message += "those that decided are no fair sample; hunt with measure.most above 0, or choose others"
        raise ConfigError(message)
    if not any(one.draws for one in bugs):
        name = read.study.maps[place].classifier
        what = "that has images of its own" if bugs else "that is confirmed"
        message = f"the run has no bug of {name} {what}, so there is nothing to keep"
        raise ConfigError(message)
    return bugs


def _suite(read: Reread, place: int, shown: Sequence[Shown], kept: Archive, most: int) -> Suite:
    own, config = read.study.maps[place], read.study.config
    bugs = [_bug(one, _images(one.draws[:most], read, place, kept)) for one in shown]
    whole = [bug for bug in bugs if _any(bug.images)]
    names = {bug.label for bug in whole}
    bases = [
        SuiteControl(label=one.label, images=_images(one.draws[:most], read, place, kept))
        for one in labels_of(read)
        if one.label in names
    ]
    labels = [
        SuiteLabel(name=name, kind=label.kind, accepted=names_of(name, own), indices=tuple(own.right[name]))
        for name, label in read.study.labels.items()
        if name in names
    ]
    identity = read.study.began.classifiers[place]
    return Suite(
        foible_version=__version__,
        classifier=_portable(identity["spec"]),
        fingerprint=str(identity["fingerprint"] or ""),
        generator=_portable(read.study.identities[GENERATOR]["spec"]),
        judge=_portable(read.study.identities[JUDGE]["spec"]),
        judge_weights=tuple(sorted(weights_in(read.study.identities[JUDGE]))),
        failure=read.result.failure,
        classes=class_list(own.names),
        top=own.top,
        target=config.failure.target,
        level=config.confirm.level,
        unscored=config.confirm.unscored,
        labels=tuple(labels),
        bugs=tuple(whole),
        controls=tuple(one for one in bases if _any(one.images)),
        left_out=tuple((bug.label, bug.description) for bug in bugs if not _any(bug.images)),
    )


def _bug(one: Shown, images: tuple[SuiteImage, ...]) -> SuiteBug:
    assert one.found is not None  # noqa: S101 - it is a bug
    found = one.found
    return SuiteBug(
        label=one.label,
        words=found.trial.hypothesis.treatment.words,
        treat=found.treat,
        control=found.control,
        difference=found.difference,
        images=images,
    )


def _images(draws: Sequence[Answered], read: Reread, place: int, kept: Archive) -> tuple[SuiteImage, ...]:
    return tuple(_image(one, read, place, kept) for one in draws)


def _image(one: Answered, read: Reread, place: int, kept: Archive) -> SuiteImage:
    """Keep a draw with its image, where a classifier can be scored on it: the judge saw the label, and it counts."""
    seen, classes = one.seen_by(place), read.study.maps[place]
    outcome, reason = seen.outcome, seen.outcome.reason
    useful = outcome.status != "unscored" or reason == TIED  # equal scores are this classifier's own
    there = useful and kept.images.get(one.draw.image) is not None
    if useful and not there:
        reason = _GONE
    elif reason not in _SAID_WHOLE:
        reason = reason.partition(":")[0]
    return SuiteImage(
        image=one.draw.image if there else "",
        prompt=one.request.text,
        seed=one.request.seed,
        status=outcome.status if there else "unscored",
        predicted=called(outcome.predicted, classes) if there and outcome.predicted is not None else "",
        reason=reason,
    )


def _any(images: Sequence[SuiteImage]) -> bool:
    return any(one.image for one in images)


def _portable(spec: object) -> str:
    """Name a part by its spec, of a path its last name alone."""
    return spec_name({"spec": str(spec).replace("\\", "/")})
