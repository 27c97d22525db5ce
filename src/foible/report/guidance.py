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
NO_RATE = (
    "None of these numbers is a failure rate of the classifier: the images were led. What they suggest is tested on "
    "draws that nobody led by foible hunt with --guide."
)


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
        wanted=wanted,
        borne=borne,
        lost=lost,
        parts=[
            *((f"classifier {at}" if len(found.classifiers) > 1 else "classifier", one.identity)
              for at, one in enumerate(found.classifiers, 1)),
            *found.parts.items(),
        ],
    )  # fmt: skip


# --- sentences --------------------------------------------------------------------------------------------------------


def headline(found: Guidance) -> str:
    """Say in a line how many draws were led, how many reached the objective, and in how many the judge bears it out."""
    led = found.led()
    if not led:
        return "nothing was led"
    reached, finds = found.count("find", "lost"), found.count("find")
    return f"{reached:,} of {count(led, 'guided draw')} {_reached(found)}, and {finds:,} {_borne(found, finds)}"


def lines(found: Guidance) -> list[str]:
    """Say what must be known before the table: what survives the judge, what it cost, and what it is not."""
    said = []
    reached, finds = found.count("find", "lost"), found.count("find")
    if reached:
        survive = "are borne out" if found.objective == "generator" else "survive the judge"
        said.append(
            f"Of {reached:,} that {_reached(found)}, {percent(found.share.value)} {interval(found.share)} {survive}: "
            f"{borne(found, 'them')}.{f' {lost(found)}' if found.count('lost') else ''}"
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
    return [*said, _misdrawn(found) if found.objective == "generator" else NO_RATE]


def _misdrawn(found: Guidance) -> str:
    """Say whose errors these are, and how often they come unled."""
    unseen = sum(one.explored.unfaithful for one in found.labels)
    judged = unseen + sum(one.explored.scored for one in found.labels)
    plain = f"In {unseen:,} of {count(judged, 'draw')} of base prompts that nobody led, the judge did not see the label"
    return (
        f"{plain}. These are errors of the generator, not of the classifier: none of them enters a failure rate, and "
        "those that were led to are no rate of the generator either."
    )


def wanted(found: Guidance) -> str:
    """Say what was to be reached, as a clause."""
    if found.objective == "generator":
        return "the judge does not see the label in it"
    into = f" into {shorten(found.target, 60)}" if found.target else ""
    if found.objective == "neuron":
        return f"{_unit(found)} of the classifier is as high as they go"
    if found.objective == "spurious":
        return f"the {'first ' if len(found.classifiers) > 1 else ''}classifier says {shorten(found.target, 60)}"
    if found.objective == "disagree":
        return f"the first classifier fails{into} and the second one does not"
    return f"the {'first ' if len(found.classifiers) > 1 else ''}classifier fails{into}"


def _unit(found: Guidance) -> str:
    return shorten(str(found.settings["guide.unit"]), 80)


def word_sentence(one: Word, found: Guidance) -> str:
    """Say of a phrase whether draws with it raise the unit."""
    about = f"draws of {shorten(one.label, 60)} “{shorten(one.phrase, 80)}”"
    if not one.pairs:
        return f"whether {about} raise {_unit(found)} is not known: no fresh pair shows the label twice"
    seen = f"in {one.raised:,} of {count(one.pairs, 'fresh pair')}, {percent(one.share.value)} {interval(one.share)}"
    if one.holds:
        return f"{about} raise {_unit(found)}: {seen}"
    return f"that {about} raise {_unit(found)} is not shown: {seen}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _reached(found: Guidance) -> str:
    into = f" into {shorten(found.target, 60)}" if found.target else ""
    if found.objective == "neuron":
        return f"raised {_unit(found)} above every explored draw"
    if found.objective == "spurious":
        return f"were taken for {shorten(found.target, 60)}"
    if found.objective == "generator":
        return "lost their label in the eyes of the judge"
    if found.objective == "disagree":
        return f"failed{into} by the first classifier alone"
    return f"failed{into}"


def _borne(found: Guidance, finds: int) -> str:
    return f"{'is a find' if finds == 1 else 'are finds'}: {borne(found)}"


def borne(found: Guidance, where: str = "") -> str:
    """Say what must be so for a find, beside what was reached, as a clause."""
    if found.objective == "generator":
        return f"no classifier says {f'it of {where}' if where else 'the label'}, either"
    place = f" in {where}" if where else ""
    if found.objective == "spurious":
        return f"the judge sees no {shorten(found.target, 60)}{place}"
    label = "the label" if len(found.labels) != 1 else shorten(found.labels[0].label.name, 60)
    return f"the judge still sees {label}{place}"


def lost(found: Guidance) -> str:
    """Say what an image that reached the objective shows where the judge does not bear it out."""
    if found.objective == "neuron":
        return "The others show something else by now."
    if found.objective == "generator":
        return "Of the others a classifier says the label: whether they show it is open."
    if found.objective == "spurious":
        return f"The others show {shorten(found.target, 60)} by now, and to call them so is no mistake."
    return "The others show something else by now, and are no mistakes."


# --- tables -----------------------------------------------------------------------------------------------------------

HEAD = ("label", "led", "reached", "finds", "survives the judge", "images a find", "explored")


def head(found: Guidance) -> tuple[str, ...]:
    """Name the cells of `row`."""
    if found.objective != "generator":
        return HEAD
    return tuple("no classifier says it" if one == "survives the judge" else one for one in HEAD)


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
    """Give the cells of a label, as `HEAD` names them."""
    name = one.label.name
    reached, finds = found.count("find", "lost", label=name), found.count("find", label=name)
    explored = f"{one.explored.scored - one.explored.failures:,} of {one.explored.draws:,} passed"
    if found.objective == "generator":
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
