"""`foible compare`: is another classifier better or worse than the one that a hunt was about, and where?

Comes in: a finished run, and a classifier. Goes out: both failure rates over the same images, for each bug and each
label, and whether they differ. Nothing is drawn, captioned or judged again. Neighbours: `others.py` asks; `transfer.py`
says who has a bug, each classifier for itself; `report/comparison.py` writes.

The images of a bug are those that were made to measure it, after it was confirmed; those of a label are all that were
explored. Neither was chosen by what failed, and how many there are was fixed before the first of them, so an exact
paired test holds. It is two-sided; over all rows the false-discovery rate is held by Benjamini and Hochberg's
procedure, which holds that of wrong directions too (Benjamini and Yekutieli, JASA 100, 2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from foible._version import __version__
from foible.act.chosen import chosen
from foible.act.others import Other, ask, find_labels
from foible.act.transfer import NO_DRAWS
from foible.comparison import Change, Compared, Comparison
from foible.errors import ConfigError, brief, near
from foible.findings import Finding, Rate, Subject
from foible.hunting.clock import Clock
from foible.hunting.prepare import classes_of, unique_names
from foible.hunting.replay import Reread, reread_whole
from foible.labels import called
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Answered, ClassMap, Hypothesis, Observation, Outcome, Pairs, Treatment
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.statistics import benjamini_hochberg, mcnemar_p, paired_difference
from foible.trial.decide import rate
from foible.trial.pairs import count_seen, spoilt, tally

NO_BASE = "nothing was explored of it"
"""Why nothing can be said of a label: a probe explores none."""


def compare(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    classifier: object,
    *,
    against: str = "",
    same: float = 0.1,
    labels: Sequence[str] = (),
    findings: Sequence[int] = (),
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
        archive: where the run's images and answers lie; None for `archive` beside it.
        max_requests: at most this many requests to servers.

    Returns:
        For each bug and each label: both rates, their difference with its interval, and what may be said of it.

    Raises:
        InputError: the run or the classifier cannot be used; one sentence says what to do.
    """
    if not 0.0 < same < 1.0:
        message = f"rates are the same that differ by less than a share between 0 and 1, but got {same!r}"
        raise ConfigError(message)
    folder = Path(run)
    where = folder.parent / "archive" if archive is None else Path(archive)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
    if read.study.photographs is not None:
        message = "the run is over photographs; hunt over them with both classifiers in one run to compare them"
        raise ConfigError(message)
    place = _place(read, against)
    parts = [*_bugs(read, place, findings), *_labels(read)]
    part = load("classifier", classifier, ceiling=Ceiling(max_requests))
    name = unique_names([*(m.classifier for m in read.study.maps), str(part.identity["spec"])])[-1]
    other = find_labels(part, classes_of(part, name), read, labels)
    requests = list({one.request.key: one.request for own in parts for one in own.draws}.values())
    with Archive(where) as kept:
        said = ask(other, requests, read, kept, Clock(None))
    return _comparison(read, (place, other), same, parts, said)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The images of a row."""

    label: str
    found: Finding | None
    draws: Sequence[Answered]


def _place(read: Reread, name: str) -> int:
    names = [m.classifier for m in read.study.maps]
    if name and name not in names:
        message = f"the run has no classifier {brief(name)!r}: {near(name, names)}"
        raise ConfigError(message)
    return names.index(name) if name else 0


def _bugs(read: Reread, place: int, numbers: Sequence[int]) -> list[_Part]:
    """Give the draws with the description that measured each bug."""
    if not numbers and not any(f.verdict == "confirmed" for f in read.result.findings):
        return []
    found = list(chosen(read.result, numbers).values())
    if numbers and any(f.trial.hypothesis.classifier != place for f in found):
        message = f"a chosen finding is no bug of {read.study.maps[place].classifier}; say --against, or choose others"
        raise ConfigError(message)
    own = [f for f in found if f.trial.hypothesis.classifier == place]
    return [_Part(label=f.trial.hypothesis.label, found=f, draws=_measured(f, read)) for f in own]


def _measured(finding: Finding, read: Reread) -> list[Answered]:
    if finding.measured is None:
        return []
    label, treatment = finding.trial.hypothesis.about
    seeds = list(islice(read.study.requests.seeds(label, "measure"), finding.measured.treat.draws))
    return [read.answered[one.key] for one in read.study.requests.on(label, treatment, "measure", seeds)]


def _labels(read: Reread) -> list[_Part]:
    """Give the explored draws of each label."""
    explored = [one for one in read.answered.values() if one.request.arm == "explore"]
    return [
        _Part(label=label, found=None, draws=[one for one in explored if one.request.label == label])
        for label in read.study.labels
    ]


def _comparison(
    read: Reread, against: tuple[int, Other], same: float, parts: Sequence[_Part], said: Mapping[str, Outcome]
) -> Comparison:
    place, other = against
    told = {at: _seen(own, place, said) for at, own in enumerate(parts) if own.draws and own.label not in other.unknown}
    tested = {at: count_seen(_about(parts[at]), after, before) for at, (before, after) in told.items()}
    options = read.study.config.confirm
    spoilt_ones = {at for at, one in tested.items() if spoilt(one.trial, options.unscored)}
    p_values = [1.0 if at in spoilt_ones else _two_sided(one.trial.pairs) for at, one in tested.items()]
    adjusted = dict(zip(tested, benjamini_hochberg(p_values), strict=True))

    def row(at: int) -> Compared:
        own = parts[at]
        if at not in told:
            reason = other.unknown.get(own.label) or (NO_BASE if own.found is None else NO_DRAWS)
            return Compared(label=own.label, found=own.found, change=None, reason=reason)
        pairs = tested[at].trial.pairs
        change, difference = _change(pairs, float(adjusted[at]), options.level, same)
        lost = len(own.draws) - sum(pairs)
        return Compared(
            label=own.label,
            found=own.found,
            change=None if at in spoilt_ones else change,
            reason=f"{lost} of {len(own.draws)} images are unscored" if at in spoilt_ones else "",
            before=rate(tally(told[at][0])),
            after=rate(tally(told[at][1])),
            difference=difference,
            adjusted=float(adjusted[at]),
            images=pairs,
            unscored=lost,
        )

    mine, identity = read.study.maps[place], read.study.began.classifiers[place]
    return Comparison(
        foible_version=__version__,
        settings=read.result.settings,
        labels=read.result.labels,
        before=_subject(mine, identity),
        after=_subject(other.classes, other.part.identity),
        same=same,
        rows=tuple(row(at) for at in range(len(parts))),
    )


def _seen(own: _Part, place: int, said: Mapping[str, Outcome]) -> tuple[list[Observation], list[Observation]]:
    """Give what either classifier makes of the images: those of the run, and the other."""
    before = [one.seen_by(place) for one in own.draws]
    return before, [replace(seen, outcome=said[seen.draw.request.key]) for seen in before]


def _about(own: _Part) -> Hypothesis:
    return own.found.trial.hypothesis if own.found else Hypothesis(label=own.label, treatment=Treatment())


def _two_sided(pairs: Pairs) -> float:
    """Test that two classifiers fail equally often over the same images: exact McNemar, two-sided."""
    one, other = pairs.only_treat, pairs.only_control
    return min(1.0, 2 * min(mcnemar_p(one, other), mcnemar_p(other, one)))


def _change(pairs: Pairs, adjusted: float, level: float, same: float) -> tuple[Change, Rate]:
    """Say whether the rates differ, with an interval that says no other.

    Args:
        pairs: images by what became of them: after in the place of the treatment, before in that of the control.
        adjusted: the p-value after multiplicity.
        level: at which rates are said to differ.
        same: rates that differ by less are the same.
    """
    low, high = paired_difference(pairs)
    scored, more = sum(pairs), pairs.only_treat - pairs.only_control
    value = more / scored if scored else None
    change: Change = "open"
    if adjusted <= level:
        change = "worse" if more > 0 else "better"
        low, high = (max(low, 0.0), high) if more > 0 else (low, min(high, 0.0))
    else:
        # One that is not called differs no more than by chance, for all that were looked at: its interval holds 0.
        low, high = min(low, 0.0), max(high, 0.0)
        if -same < low and high < same:
            change = "same"
    return change, Rate(value=value, low=low, high=high)


def _subject(classes: ClassMap, identity: Mapping[str, object]) -> Subject:
    indices = sorted({index for right in classes.right.values() for index in right})
    names = {index: called(index, classes) for index in indices}
    return Subject(name=classes.classifier, identity=identity, right=classes.right, class_names=names)
