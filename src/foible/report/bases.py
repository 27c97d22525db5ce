"""The English of labels that fail by themselves, without any description.

Comes in: a result. Goes out: plain printable text, empty where no label does. Neighbours: `sentences.py` has the
English of findings, and puts both together; `hunting/result.py` says which labels these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.taken import clear, confusions, scattered, shared_highest
from foible.report.terms import terms
from foible.report.words import (
    by,
    count,
    interval,
    label_name,
    listed,
    percent,
    spec_name,
    subject,
)

if TYPE_CHECKING:
    from foible.findings import HuntResult, LabelSummary

_NAMED = 3
"""Labels that a sentence names."""
_TAKEN = 6
"""What a label is taken for, where it has a section of its own."""
_HALF = 0.5
_LONGEST = 160


def base_headline(result: HuntResult) -> str:
    """Say in one clause which labels fail by themselves, and where so many do that the parts do not fit each other."""
    bases = result.base_failures
    if not bases:
        return ""
    unfit = misfits(result)
    if unfit:
        return _unfit(unfit, result)
    name, often = label_name(bases[0], result, _LONGEST), percent(bases[0].rate.value)
    if len(bases) == 1:
        who = by(bases[0].classifier, result) or subject(result)
        return f"{name} fails in {often} of its {terms(result).image}s, for {who}"
    labels = len({one.label for one in bases})
    if labels == 1:
        return f"{name} fails {_often(result, 'its')}, for {len(bases)} classifiers"
    return f"{labels} labels of {subject(result)} fail {_often(result)}"


def base_summary(result: HuntResult) -> str:
    """Say what fails by itself and what it is taken for, and where the parts do not fit what that may mean."""
    bases = result.base_failures
    if not bases:
        return ""
    named = [_short(one, result) for one in bases[:_NAMED]]
    more = [f"{len(bases) - _NAMED} more"] if len(bases) > _NAMED else []
    said = f"{terms(result).alone}, {listed([*named, *more])}."
    if not misfits(result):
        return said
    return (
        "That may mean that these images are of another domain than those the classifier was trained on, that they are "
        "not prepared as it expects (preprocessing), or that its classes stand in another order than is supposed. Try "
        "the parts with foible doctor, look at the images in the report, and hunt with the labels in another order, "
        f"each given as INDEX=name. {said}"
    )


def base_sentence(one: LabelSummary, result: HuntResult) -> str:
    """Say of one label how often it fails by itself, what is tolerated, and what it is taken for."""
    limit = tolerated(result)
    surely = f", surely more than the {percent(limit)} that is tolerated" if limit is not None else ""
    names = [f"{name} ({often:,})" for name, often in confusions(one, result)]
    rest = [count(len(names) - _TAKEN, "other label")] if len(names) > _TAKEN else []
    none_alone = [f"several classes at once, by equal scores ({n:,})" for n in [shared_highest(one)] if n and names]
    taken = listed([*names[:_TAKEN], *rest, *none_alone])
    said = f"It fails in {percent(one.rate.value)} of its {terms(result).image}s {interval(one.rate)}{surely}"
    return f"{said}; it is taken for {taken}." if taken else f"{said}."


def base_title(one: LabelSummary, result: HuntResult) -> str:
    """Name a label, and its classifier where there are several."""
    name, who = label_name(one, result, _LONGEST), by(one.classifier, result)
    return f"{name} ({who})" if who else name


def misfits(result: HuntResult) -> tuple[int, ...]:
    """Give the places of the classifiers for which more than half of the labels fail in most of their draws.

    At least two labels: one alone says nothing of the parts. And however little is tolerated, a label that passes more
    often than not is no sign of it.
    """
    limit = tolerated(result)
    enough = limit is not None and limit >= _HALF
    found = []
    for place in range(len(result.classifiers)):
        labels = sum(one.classifier == place for one in result.explored)
        mostly = sum(one.classifier == place and (enough or one.rate.low > _HALF) for one in result.base_failures)
        if mostly >= 2 and 2 * mostly > labels:  # noqa: PLR2004 - see above
            found.append(place)
    return tuple(found)


def tolerated(result: HuntResult) -> float | None:
    """Give the failure rate that is tolerated of a label; None where the settings do not say, or say what cannot be."""
    value = result.settings.get("failure.tolerated")
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if known else None  # type: ignore[arg-type]


def _unfit(places: tuple[int, ...], result: HuntResult) -> str:
    generator = spec_name(result.parts.get("generator")) or terms(result).source
    if len(places) > 1:
        who = f"{len(places)} of {len(result.classifiers)} classifiers"
        return f"{who} and {generator} do not fit each other: most labels fail {_often(result)}"
    (place,) = places
    who = by(place, result) or subject(result)
    labels = sum(one.classifier == place for one in result.explored)
    bases = sum(one.classifier == place for one in result.base_failures)
    return f"{who} and {generator} do not fit each other: {bases} of {count(labels, 'label')} fail {_often(result)}"


def _often(result: HuntResult, whose: str = "their") -> str:
    limit = tolerated(result)
    if limit is None:
        return f"in more of {whose} {terms(result).image}s than is tolerated"
    images = f"{whose} {terms(result).image}s"
    return f"in most of {images}" if limit == _HALF else f"in over {percent(limit)} of {images}"


def _short(one: LabelSummary, result: HuntResult) -> str:
    often = f"{percent(one.rate.value)} of its {terms(result).image}s {interval(one.rate)}"
    said = f"{base_title(one, result)} fails in {often}"
    named = [name for name, _ in clear(one, result)]
    if named:
        return f"{said} (taken for {listed(named, 'or')})"
    spread = scattered(one, result)
    return f"{said} ({spread})" if spread else said
