"""The English of a set of photographs: what it is like before any hypothesis, and what is known of it exactly.

Comes in: a result or a finding over photographs. Goes out: plain printable text. Neighbours: `sentences.py` has the
English of findings; `trial/whole.py` says what is claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.words import (
    by,
    class_name,
    count,
    interval,
    label_name,
    listed,
    percent,
    points,
    points_interval,
    printable,
    shorten,
)

if TYPE_CHECKING:
    from foible.findings import Finding, HuntResult

_NAMED = 160
CONFUSIONS = 10
"""Confusions that are shown, the most frequent first."""


def facts(result: HuntResult) -> list[tuple[str, str]]:
    """Say what the set is like, as (what, how much); nothing where the images were drawn."""
    found = result.photographs
    if found is None:
        return []
    looked = found.explored + found.tested
    halves = f"{found.explored:,} suggested hypotheses, {found.tested:,} others tested them"
    rows = [("photographs", f"{found.photographs:,}; {looked:,} were looked at: {halves}")]
    rows += [("left out", f"{number:,} {printable(why)}") for why, number in found.left_out]
    if found.lookalikes:
        many = f"{found.lookalikes:,} photographs look alike in small, too many for copies of one"
        rows.append(("near-duplicates", f"cannot be told: {many}; so all are kept that differ in a pixel"))
    for place, accuracy in enumerate(found.accuracy):
        who = by(place, result)
        # The whole is known where all was looked at; the interval is about photographs like these.
        rows.append((f"accuracy{f' of {who}' if who else ''}", f"{percent(accuracy.value)} {interval(accuracy)}"))
    if found.doubts:
        few = f", of which {len(found.doubtful)} are shown" if found.doubts > len(found.doubtful) else ""
        rows.append(("perhaps annotated wrongly", f"{found.doubts:,}, by the judge; they are unscored{few}"))
    if found.unlikes:
        few = f", of which {len(found.unlike)} are shown" if found.unlikes > len(found.unlike) else ""
        rows.append(
            ("perhaps annotated wrongly", f"{found.unlikes:,}, by those nearest to them; they count like others{few}")
        )
    return rows


def doubtful(result: HuntResult) -> list[tuple[str, str, str]]:
    """Give (place, annotation, taken for) of photographs that may be annotated wrongly."""
    found = result.photographs
    rows = []
    for key in found.doubtful if found is not None else ():
        one = result.observations.get(key)
        if one is not None:
            predicted = one.outcomes[0].predicted
            taken = "" if predicted is None else class_name(predicted, result, 0, _NAMED)
            rows.append((shorten(one.request.text, _NAMED), shorten(one.request.label, _NAMED), taken))
    return rows


def unlike(result: HuntResult) -> list[tuple[str, str, str]]:
    """Give (place, annotation, what its neighbours are annotated as) where these disagree, the surest first."""
    found = result.photographs
    rows = []
    for one in found.unlike if found is not None else ():
        shown = result.observations.get(one.key)
        if shown is not None:
            said = f"{shorten(one.neighbours, _NAMED)} ({percent(one.share)} of their votes)"
            rows.append((shorten(shown.request.text, _NAMED), shorten(shown.request.label, _NAMED), said))
    return rows


def most_confused(result: HuntResult) -> list[tuple[str, str, int, int]]:
    """Give (label, taken for, how often, of how many) over the whole set, the most frequent first."""
    rows = []
    for one in result.explored if result.photographs is not None else ():
        right = result.classifiers[one.classifier].right.get(one.label, ())
        who = by(one.classifier, result)
        label = label_name(one, result, _NAMED) + (f" ({who})" if who else "")
        rows += [
            (label, class_name(index, result, one.classifier, _NAMED), often, one.tally.scored)
            for index, often in one.confused_with
            if index not in right
        ]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))[:CONFUSIONS]


def of_set_sentence(finding: Finding) -> str:
    """Say what is known of the set itself; empty for drawn images."""
    known = finding.of_set
    if known is None:
        return ""
    sizes = f"{count(known.treat_size, 'photograph')} with the attribute and {known.control_size:,} others"
    rates = f"{percent(known.treat.value)} against {percent(known.control.value)}"
    if known.exhausted:
        difference = points(known.difference.value)
        return (
            f"In the tested half of the set this is exact: {rates} of {sizes}, {difference} points; all were looked at."
        )
    sure = listed([interval(known.treat), interval(known.control)])
    return (
        f"Of the {sizes} in the tested half of the set it fails in {rates} so far, surely within {sure}: "
        f"{points_interval(known.difference)} points."
    )
