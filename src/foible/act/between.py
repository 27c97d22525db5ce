"""`foible compare A B`: the classifiers of two finished runs over the images that both can be scored on.

Comes in: two runs over the same labels, drawn alike. Goes out: for each bug of either run, and each label, the images
as both classifiers see them. Nothing is drawn or judged. Neighbours: `compare.py` says what differs; `others.py` asks;
`shown.py` gives the images of one run.

An image that both runs have, by request and pixels, nobody is asked about. About the others the classifier of the one
run is asked in the archive of the other, where it can be loaded again. Which bugs are looked at hangs on which were
found; so both runs' are, each on the images that measured it, which chose nothing. Where both runs found one bug, an
image that measured it for one run does not count if the other one came upon it on the way there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from foible.act.contest import Held, contender
from foible.act.opened import Opened
from foible.act.others import ask
from foible.act.paired import Sides
from foible.act.recorded import recorded
from foible.act.shown import NO_BASE, NO_DRAWS, Shown, bugs_of, labels_of
from foible.act.sought import Other, names_of
from foible.comparison import Compared, Whose
from foible.draws.questions import GENERATOR, JUDGE
from foible.errors import ConfigError, brief
from foible.hunting.clock import Clock
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part
from foible.records import Answered, Observation, Outcome, Request
from foible.run.archive import Archive

Runs = tuple[Opened, Opened]
NO_SHARED = "the runs share no image of it, and neither classifier could be asked about the other's"
"""Why nothing can be said of a bug or a label."""


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """An image, and the run that has it."""

    run: int
    one: Answered


def refuse_unlike(runs: Runs) -> None:
    """Refuse two runs whose classifiers cannot be compared by their images.

    Raises:
        ConfigError: they are about one classifier, or labels, generator, judge or what failed means are not the same.
    """
    one, other = runs
    if dict(one.identity) == dict(other.identity):
        message = f"both runs are about {brief(one.classes.classifier)}; name two runs of different classifiers"
        raise ConfigError(message)
    before, after = one.read.study, other.read.study
    if before.labels != after.labels:
        only = sorted(before.labels.keys() ^ after.labels.keys()) or sorted(before.labels)
        message = f"the runs are about different labels, such as {brief(only[0])!r}; hunt over the same with both"
        raise ConfigError(message)
    for part in (GENERATOR, JUDGE):
        specs = [brief(str(study.identities[part]["spec"])) for study in (before, after)]
        if dict(before.identities[part]) != dict(after.identities[part]):
            same = specs[0] == specs[1]
            what = f"{specs[0]} with other arguments or weights" if same else f"{specs[0]} and {specs[1]}"
            message = f"the runs have different parts as their {part} ({what}), so that their images or outcomes are "
            raise ConfigError(message + "not comparable; hunt with the same")
    for name, meaning in (
        ("explore.template", "base prompts"),
        ("failure.top", "failures"),
        ("failure.target", "failures"),
    ):
        values = [study.settings.get(name) for study in (before, after)]
        if values[0] != values[1]:
            message = f"the runs have other {meaning}: {name} is {brief(repr(values[0]))} and {brief(repr(values[1]))}"
            raise ConfigError(message + "; hunt with the same")
    for runs_in_order in ((one, other), (other, one)):
        _refuse_other_classes(*runs_in_order)


def _refuse_other_classes(one: Opened, other: Opened) -> None:
    """Refuse a class that counts as right in one run, and is there and does not count in the other."""
    for label in one.read.study.labels:
        theirs = set(other.classes.names or ())
        lacking = [n for n in names_of(label, one.classes) if n in theirs and n not in names_of(label, other.classes)]
        if lacking:
            message = f"of {brief(label)!r} one run accepts the class {brief(lacking[0])!r}, which the other has and "
            raise ConfigError(message + "does not accept: that one fails more often for it; hunt with the same --label")


def between(runs: Runs, named: Sequence[Part], ceiling: Ceiling) -> Held:
    """Give each bug and label with its images, as both classifiers see them.

    Args:
        runs: the first and the second.
        named: parts of these runs that a person named.
        ceiling: from which they take requests to servers.

    Returns:
        Bugs of the first run, those of the second alone, and labels; and which classifier could not be asked, and why.

    Raises:
        InputError: the runs cannot be compared, or a classifier that was named is of neither.
    """
    refuse_unlike(runs)
    for part in named:
        if part.kind == "classifier" and all(dict(part.identity) != dict(run.identity) for run in runs):
            message = f"{brief(str(part.identity['spec']))} is the classifier of neither run, or not what it was there"
            raise ConfigError(message)
    rows = list(_rows(runs))
    said: list[Mapping[str, Outcome]] = []
    lacking: list[tuple[str, str]] = []
    for place in (0, 1):
        own, other = runs[place], runs[1 - place]
        asked = {
            drawn.one.request.key: drawn.one.request
            for _, images in rows
            for drawn in images
            if drawn.run != place and _in(own, drawn.one) is None
        }
        answers, why = _ask(own, other, list(asked.values()), named, ceiling)
        said.append(answers)
        lacking += [(own.classes.classifier, why)] if why else []
    options = [run.read.study.config.confirm for run in runs]
    return Held(
        rows=[(row, _sides(row, images, runs, said)) for row, images in rows],
        runs=runs,
        before=contender(runs[0]),
        after=contender(runs[1]),
        level=min(one.level for one in options),
        unscored=min(one.unscored for one in options),
        lacking=tuple(lacking),
    )


def _ask(
    own: Opened, other: Opened, requests: Sequence[Request], named: Sequence[Part], ceiling: Ceiling
) -> tuple[Mapping[str, Outcome], str]:
    """Ask the classifier of one run about images of the other, where it can be had; or say why it cannot."""
    if not requests:
        return {}, ""
    part = recorded("classifier", own.identity, named, ceiling)
    if isinstance(part, str):
        return {}, part
    with Archive(other.archive) as kept:
        return ask(Other(part=part, classes=own.classes, unknown={}), requests, other.read, kept, Clock(None)), ""


def _rows(runs: Runs) -> Iterator[tuple[Compared, list[_Drawn]]]:
    """Give each bug and each label with its images, each image once."""
    bugs = [{_about(own): own for own in bugs_of(run.read, run.place, ())} for run in runs]
    for about, own in bugs[0].items():
        whose: Whose = "both" if about in bugs[1] else "first"
        both = [found.get(about) for found in bugs]
        yield Compared(label=own.label, found=own.found, whose=whose), _images(both, runs)
    for about, own in bugs[1].items():
        if about not in bugs[0]:
            yield Compared(label=own.label, found=own.found, whose="second"), _images([None, own], runs)
    for one, other in zip(labels_of(runs[0].read), _in_order(runs), strict=True):
        yield Compared(label=one.label, found=None), _images([one, other], runs)


def _in_order(runs: Runs) -> list[Shown]:
    """Give the labels of the second run in the order of the first."""
    second = {own.label: own for own in labels_of(runs[1].read)}
    return [second[label] for label in runs[0].read.study.labels]


def _about(own: Shown) -> tuple[str, tuple[str, ...]]:
    assert own.found is not None  # noqa: S101 - it is a bug
    return own.label, own.found.trial.hypothesis.treatment.words


def _images(shown: Sequence[Shown | None], runs: Runs) -> list[_Drawn]:
    """Put together the images of a row that either run has, each once by its pixels.

    Of a bug of both runs an image does not count that the other run came upon before it had the bug.
    """
    known = [
        _before(run) if own is not None and own.found is not None else frozenset()
        for own, run in zip(shown, runs, strict=True)
    ]
    found: dict[tuple[str, str], _Drawn] = {}
    pixels: dict[str, str] = {}
    for place, own in enumerate(shown):
        for one in own.draws if own is not None else ():
            image, key = one.draw.image, one.request.key
            if image and (image in known[1 - place] or pixels.setdefault(image, key) != key):
                continue
            found.setdefault((key, image), _Drawn(run=place, one=one))
    return list(found.values())


def _before(run: Opened) -> frozenset[str]:
    """Give the images that a run made before it measured anything."""
    answered = run.read.answered.values()
    return frozenset(one.draw.image for one in answered if one.request.arm not in {"measure", "explain"})


def _in(run: Opened, one: Answered) -> Answered | None:
    """Give a draw as another run has it: the same request, and the same pixels."""
    found = run.read.answered.get(one.request.key)
    return found if found is not None and found.draw.image == one.draw.image else None


def _sides(row: Compared, images: Sequence[_Drawn], runs: Runs, said: Sequence[Mapping[str, Outcome]]) -> Sides | str:
    """Give the images of a row as both classifiers see them; those that one of them could not be shown are left out."""
    seen: list[tuple[Observation, Observation]] = []
    for drawn in images:
        own = drawn.one.seen_by(runs[drawn.run].place)
        theirs = _seen(drawn.one, own, runs[1 - drawn.run], said[1 - drawn.run])
        if theirs is not None:
            seen.append((own, theirs) if drawn.run == 0 else (theirs, own))
    if not images:
        return NO_BASE if row.found is None else NO_DRAWS
    if not seen:
        return NO_SHARED
    return Sides(before=[before for before, _ in seen], after=[after for _, after in seen])


def _seen(one: Answered, own: Observation, run: Opened, said: Mapping[str, Outcome]) -> Observation | None:
    """Give a draw of one run as the classifier of another sees it; None where it was not shown to that one."""
    shared = _in(run, one)
    if shared is not None:
        return shared.seen_by(run.place)
    outcome = said.get(one.request.key)
    return None if outcome is None else replace(own, outcome=outcome)
