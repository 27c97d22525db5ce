"""`guided.json` and `guided.html`: draws that were led to an end, each from its start to it.

Comes in: a `Guidance`, and a way to fetch the PNG file of an image. Goes out: JSON for machines, and a page for people
that needs no network and runs no script; the same search gives the same bytes. Neighbours: `act/guide.py` makes it;
`guided.py` has the English of the guided draws of a hunt, `html.py` the environment of all pages.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from foible.guidance import End
from foible.report.comparison import subject
from foible.report.files import sweep, write_both
from foible.report.guided import images_each, no_pass
from foible.report.html import render
from foible.report.objectives import unit_of, wording
from foible.report.pictures import data_uri
from foible.report.words import as_sentence, count, interval, listed, percent, probability, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from foible.guidance import Guidance, Led, LedLabel, Said, Word

VERSION = 1
"""Of `guided.json`."""
SHOWN = 200
"""Draws that a page shows; a table of the terminal names the labels alone."""
ENDS: dict[End, str] = {
    "find": "a find",
    "lost": "no find",
    "missed": "not reached",
    "same": "the same image as another draw",
    "unknown": "not known",
}
"""How an end reads."""
_LABELS = 60
"""Labels that a page has a row for."""


def make_ready(folder: Path) -> None:
    """Remove what killed processes left half written."""
    sweep(folder, ("guided.json", "guided.html"))


def write(found: Guidance, image: Callable[[str], bytes | None], folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Args:
        found: the search.
        image: gives the PNG file of an image by the hash of its pixels; None where there is none.
        folder: where they go.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "guided", to_json(found), to_html(found, image))


def to_html(found: Guidance, image: Callable[[str], bytes | None]) -> str:
    """Make the text of the page; `image` as for `write`."""

    @cache
    def picture(name: str) -> str:
        data = image(name) if name else None
        return "" if data is None else data_uri(data)

    order = list(get_args(End))
    ranked = sorted(found.draws, key=lambda one: order.index(one.end))  # finds first, in draw order
    return render(
        "guidance.html",
        found=found,
        head=head(found),
        title=headline(found),
        lines=lines(found),
        version=found.foible_version,
        labels=found.labels[:_LABELS],
        draws=ranked[:SHOWN],
        rest=len(found.draws[SHOWN:]),
        unlabelled=len(found.labels[_LABELS:]),
        picture=picture,
        row=row,
        WORD_HEAD=WORD_HEAD,
        word_row=word_row,
        end=end,
        said=said,
        judged=judged,
        moved=moved,
        wording=wording(found),
        parts=[
            *((f"classifier {at}" if len(found.classifiers) > 1 else "classifier", one.identity)
              for at, one in enumerate(found.classifiers, 1)),
            *found.parts.items(),
        ],
    )  # fmt: skip


# --- sentences --------------------------------------------------------------------------------------------------------


def headline(found: Guidance) -> str:
    """Say in a line how many draws were led, how many reached the objective, and in how many the judge bears it out."""
    led, words = found.led(), wording(found)
    if not led:
        return "nothing was led"
    reached, finds = found.count("find", "lost"), found.count("find")
    borne = f"{'is a find' if finds == 1 else 'are finds'}: {words.borne}"
    return f"{reached:,} of {count(led, 'guided draw')} {words.reached}, and {finds:,} {borne}"


def lines(found: Guidance) -> list[str]:
    """Say what must be known before the table: what survives the judge, what it cost, and what it is not."""
    said, words = [], wording(found)
    reached, finds = found.count("find", "lost"), found.count("find")
    if reached:
        said.append(
            f"Of {reached:,} that {words.reached}, {percent(found.share.value)} {interval(found.share)} "
            f"{words.survive}: {words.borne_in_them}.{f' {words.lost}' if found.count('lost') else ''}"
        )
    if found.led():
        each = f", {images_each(found.samplings(), finds)} for each find" if finds else ", and there is no find"
        said.append(f"{count(found.samplings(), 'image')} {_were(found.samplings())} sampled to lead{each}.")
    explored = sum(one.explored.draws for one in found.labels)
    said.append(f"{count(explored, 'draw')} of base prompts {_were(explored)} made to have passes to lead.")
    if lacking := found.count("unknown"):
        reasons = listed([shorten(one, 160) for one in dict.fromkeys(d.reason for d in found.draws if d.reason)][:3])
        said.append(f"Of {lacking:,} the end is not known, and they count for nothing: {reasons}.")
    unled = [one for one in found.labels if not found.led(one.label.name)]
    said += [f"Nothing was led of {shorten(one.label.name, 80)}: {no_pass(one.explored)}." for one in unled[:12]]
    said += [f"Nor of {count(len(unled) - 12, 'more label')}."] if len(unled) > 12 else []  # noqa: PLR2004 - as above
    said += [f"{as_sentence(word_sentence(one, found))}" for one in found.words]
    if found.objective == "neuron" and not found.words:
        said.append("No phrase is said of the highest images more often than of the lowest, so none was tested.")
    return [*said, words.warning]


def word_sentence(one: Word, found: Guidance) -> str:
    """Say of a phrase whether draws with it raise the unit."""
    about = f"draws of {shorten(one.label, 60)} “{shorten(one.phrase, 80)}”"
    if not one.pairs:
        return f"whether {about} raise {unit_of(found)} is not known: no fresh pair shows the label twice"
    seen = f"in {one.raised:,} of {count(one.pairs, 'fresh pair')}, {percent(one.share.value)} {interval(one.share)}"
    if one.holds:
        return f"{about} raise {unit_of(found)}: {seen}"
    return f"that {about} raise {unit_of(found)} is not shown: {seen}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


# --- tables -----------------------------------------------------------------------------------------------------------


def head(found: Guidance) -> tuple[str, ...]:
    """Name the cells of `row`."""
    return ("label", "led", "reached", "finds", wording(found).survives, "images a find", "explored")


WORD_HEAD = ("label", "phrase", "said of the highest", "of the lowest", "raised", "share of pairs", "p", "verdict")


def word_row(one: Word) -> tuple[str, ...]:
    """Give the cells of a phrase, as `WORD_HEAD` names them."""
    return (
        shorten(one.label, 80),
        shorten(one.phrase, 80),
        f"{one.high:,} of {one.of:,}",
        f"{one.low:,} of {one.of:,}",
        f"{one.raised:,} of {one.pairs:,}",
        f"{percent(one.share.value)} {interval(one.share)}",
        probability(one.adjusted),
        "raises it" if one.holds else "not shown",
    )


def row(one: LedLabel, found: Guidance) -> tuple[str, ...]:
    """Give the cells of a label, as `head` names them."""
    name = one.label.name
    reached, finds = found.count("find", "lost", label=name), found.count("find", label=name)
    explored = f"{one.explored.scored - one.explored.failures:,} of {one.explored.draws:,} passed"
    if wording(found).unseen:
        explored += f", in {one.explored.unfaithful:,} the judge did not see it"
    return (
        shorten(name, 80),
        f"{found.led(name):,}",
        f"{reached:,}",
        f"{finds:,}",
        f"{percent(one.share.value)} {interval(one.share)}" if reached else "–",
        images_each(found.samplings(name), finds),
        explored,
    )


def end(one: Led) -> str:
    """Say what a draw came to, and why where that is not known."""
    return f"{ENDS[one.end]}: {shorten(one.reason, 200)}" if one.reason else ENDS[one.end]


def said(one: Said, place: int, found: Guidance) -> str:
    """Write what a classifier said: "bucket 61 %"; a number that is no probability as it is."""
    if one.score is None:
        return "no answer"
    name = shorten(one.name, 80) or ("several classes" if one.predicted is None else f"class {one.predicted}")
    return f"{name} {percent(one.score) if _shares(place, found) else f'{one.score:.4g}'}"


def _shares(place: int, found: Guidance) -> bool:
    """Tell whether all scores of a classifier may be probabilities."""
    scores = [one.score for led in found.draws for one in (led.before[place], led.after[place])]
    return all(0 <= score <= 1 for score in scores if score is not None)


def judged(one: Led, found: Guidance) -> str:
    """Say what the judge sees in the end."""
    seen = {True: "sees {}", False: "does not see {}", None: "did not answer about {}"}
    told = [seen[one.shows].format(shorten(one.label, 60))] if one.image else ["–"]
    if found.target and one.image:
        told.append(seen[one.shows_target].format(shorten(found.target, 60)))
    return "; ".join(told)


def moved(one: Led) -> str:
    """Write how far an image moved from its start, as a share of the range of its numbers."""
    return "–" if one.moved is None else f"{100 * one.moved:.1f} %"


# --- JSON -------------------------------------------------------------------------------------------------------------


def to_json(found: Guidance) -> str:
    """Write the record as JSON."""
    document = {
        "foible_guided": VERSION,
        "foible_version": found.foible_version,
        "headline": headline(found),
        "lines": lines(found),
        "failure": found.failure,
        "settings": dict(found.settings),
        "classifiers": [subject(one) for one in found.classifiers],
        "parts": {kind: dict(identity) for kind, identity in found.parts.items()},
        "led": found.led(),
        "ends": {one: found.count(one) for one in get_args(End)},
        "share": _rate(found.share),
        "samplings": found.samplings(),
        "labels": [_label(one, found) for one in found.labels],
        "draws": [_draw(one) for one in found.draws],
        "words": [_word(one) for one in found.words],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _rate(rate: Any) -> dict[str, float | None]:
    return {"value": rate.value, "low": rate.low, "high": rate.high}


def _label(one: LedLabel, found: Guidance) -> dict[str, Any]:
    name, explored = one.label.name, one.explored
    return {
        "label": name,
        "kind": one.label.kind,
        "explored": {
            "draws": explored.draws,
            "failures": explored.failures,
            "unscored": explored.unscored,
            "unfaithful": explored.unfaithful,
        },
        "led": found.led(name),
        "ends": {end: found.count(end, label=name) for end in get_args(End)},
        "share": _rate(one.share),
        "samplings": found.samplings(name),
    }


def _draw(one: Led) -> dict[str, Any]:
    return {
        "label": one.label,
        "seed": one.seed,
        "prompt": one.prompt,
        "end": one.end,
        "reason": one.reason,
        "start": one.start,
        "image": one.image,
        "before": [_said(each) for each in one.before],
        "after": [_said(each) for each in one.after],
        "shows": one.shows,
        "shows_target": one.shows_target,
        "unit": one.unit,
        "moved": one.moved,
        "samplings": one.samplings,
    }


def _said(one: Said) -> dict[str, Any]:
    return {"class": one.predicted, "name": one.name, "score": one.score}


def _word(one: Word) -> dict[str, Any]:
    return {
        "label": one.label,
        "phrase": one.phrase,
        "high": one.high,
        "low": one.low,
        "of": one.of,
        "pairs": one.pairs,
        "raised": one.raised,
        "share": _rate(one.share),
        "adjusted": one.adjusted,
        "holds": one.holds,
    }
