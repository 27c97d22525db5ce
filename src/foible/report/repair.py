"""`repair.json`, `repair.html` and the card of a repair: what was trained on, and what became of bugs and labels.

Comes in: a `Repair`. Goes out: JSON for machines, a page and Markdown for people; the same repair gives the same bytes.
Neighbours: `act/repair/` makes it; `comparison.py` has the words of rows, `html.py` the style of all pages.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from foible.arms import ARMS
from foible.errors import visible
from foible.report.comparison import about, gap, plain, subject, verdict
from foible.report.files import write_both
from foible.report.html import render
from foible.report.words import as_sentence, count, interval, listed, percent, points, points_interval, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from foible.findings import Rate
    from foible.repairs import Lesson, Repair, Retested, RowKind, State

VERSION = 1
"""Of `repair.json`."""
_PLAIN = re.compile(r"(?:[A-Za-z_/]|\.{1,2}/)[\w./~:-]*(?<!:)", re.ASCII)
"""Names and paths that need no quotes in YAML."""
_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
"""Texts that mean something else there."""
_LONGEST = 80
_BEST_FIRST: tuple[State, ...] = ("repaired", "better", "same", "open", "worse", "unknown")
SECTIONS: tuple[tuple[tuple[RowKind, ...], str, str], ...] = (
    (("bug",), "The bugs, in their own words", "Fresh images with the description of the bug."),
    (
        ("variant",),
        "The bugs, in other words for the same cause",
        (
            "Fresh images of treatments that hold the cause and were not trained on: the words beside further ones, "
            "fewer words where the run has shown that these carry the failure, and those that --variant gave."
        ),
    ),
    (
        ("others",),
        "The same words with other labels",
        (
            "Half of the images are of the label that the bug is taken for: a classifier that learned the words in "
            "place of the thing fails here."
        ),
    ),
    (("label",), "Every label", "Fresh images of the base prompt, without any description."),
    (("photographs",), "Your photographs", "Those that were held out: nothing was trained on them, or ended by them."),
)


def write(found: Repair, folder: Path) -> None:
    """Write JSON and page, each whole or not at all.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "repair", to_json(found), to_html(found))


def to_json(found: Repair) -> str:
    """Write a repair as JSON."""
    document = {
        "foible_repair": VERSION,
        "foible_version": found.foible_version,
        "settings": dict(found.settings),
        "headline": headline(found),
        "before": subject(found.before),
        "after": subject(found.after),
        "weights": {"spec": found.weights, "args": dict(found.args)},
        "parts": {kind: dict(identity) for kind, identity in found.parts.items()},
        "seed": found.seed,
        "streams": {arm: ARMS[arm].stream for arm in ("train", "validate", "retest")},
        "same": found.same,
        "verdict": found.verdict,
        "fail_on": found.fail_on,
        "unseen_classes": found.unseen,
        "bugs": {str(number): state for number, state in found.bugs.items()},
        "training": asdict(found.training),
        "rows": [_row(row) for row in found.rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _row(row: Retested) -> dict[str, Any]:
    named = {"kind": row.kind, "label": row.label, "words": list(row.words), "bug": row.number or None}
    more = asdict(row.adds) if row.kind in {"bug", "variant"} else None
    return {
        **named,
        "state": row.state,
        "trained": row.trained,
        **plain(row),
        "adds": more,
        "varied": [asdict(one) for one in row.varied],
    }


def headline(found: Repair) -> str:
    """Say in a line what became of the bugs, and of the labels."""
    bugs = list(found.bugs.values())
    labels = [row.state for row in found.rows if row.kind not in {"bug", "variant"}]
    text = f"{shorten(found.before.name, _LONGEST)} repaired: {counts(bugs)} of {count(len(bugs), 'bug')}"
    worse = labels.count("worse")
    return f"{text}; {worse or 'none'} of {count(len(labels), 'other row')} worse"


def counts(states: Sequence[State]) -> str:
    """Say how many there are of each state, the best first."""
    return ", ".join(f"{states.count(state)} {state}" for state in _BEST_FIRST if state in states)


def said(row: Retested, found: Repair) -> str:
    """Say what may be said of a row, and why it fails the gate."""
    if row.state == "unknown":
        return f"nothing can be said: {shorten(row.reason, 240)}"
    word = f"same within {within(found)}" if row.state == "same" else row.state
    return f"{word}; {row.told}" if row.gate == "failed" else word


def within(found: Repair) -> str:
    """Write by how much rates may differ that are called the same."""
    return f"{round(100 * found.same, 2):g} points"


def cells(row: Retested) -> tuple[str, str, str, str, str]:
    """Name the images of a row, and say what changed, each in a cell."""
    extra = " (other words)" if row.kind == "variant" else ""
    return f"{about(row)}{extra}", row.state, rate(row.before), rate(row.after), gap(row)


def rate(of: Rate) -> str:
    """Write a rate with its interval."""
    return "–" if of.value is None else f"{percent(of.value)} {interval(of)}"


def adds(row: Retested) -> str:
    """Write what the words of a bug still add, in points with its interval."""
    return "–" if row.adds.value is None else f"{points(row.adds.value)} {points_interval(row.adds)}"


def to_html(found: Repair) -> str:
    """Make the text of the page."""
    tables = [
        (heading, note, kinds[0] in {"bug", "variant"}, [row for row in found.rows if row.kind in kinds])
        for kinds, heading, note in SECTIONS
    ]
    return render(
        "repair.html",
        found=found,
        version=found.foible_version,
        title=headline(found),
        first=found.before.name,
        tables=[table for table in tables if table[3]],
        about=about,
        adds=adds,
        gap=gap,
        said=said,
        rate=rate,
        within=within(found),
        verdict=as_sentence(verdict(found)),
        training=training(found),
        lessons=lessons(found.training.lessons),
        claims=claims(found),
        loads=loads(found),
    )


def loads(found: Repair) -> str:
    """Say how the repaired weights are loaded."""
    more = [f"--set {shlex.quote(f'classifier.args.{name}={_value(given)}')}" for name, given in found.args.items()]
    return " ".join([f"--classifier {shlex.quote(found.weights)}", *more])


def _value(given: object) -> str:
    """Write a value as `--set` reads it: a text that YAML would take for something else in quotes."""
    plain = isinstance(given, str) and _PLAIN.fullmatch(given) and given.casefold() not in _YAML
    return str(given) if plain else json.dumps(given, ensure_ascii=False)


def training(found: Repair) -> str:
    """Say in a sentence or two how the weights were trained."""
    own = found.training
    what = "its last layer" if own.layers == "last" else "all of its layers"
    return (
        f"Trained was {what} ({own.numbers:,} numbers) in {count(own.epochs, 'pass', 'passes')} over "
        f"{count(sum(one.trained for one in own.lessons), 'image')}; the weights are those after pass {own.best}, the "
        f"best on {count(sum(one.validated for one in own.lessons), 'other image')} "
        f"(loss {own.after:.3g}; {own.before:.3g} before)."
    )


def lessons(own: Sequence[Lesson]) -> list[tuple[str, int, int, int, int]]:
    """Give what was trained on: what it shows, images wanted and used, and the same of those that ended it."""
    rows: dict[str, list[int]] = {}
    for one in own:
        words = f" “{shorten(', '.join(one.words), 120)}”" if one.words else ""
        words = " (your photographs)" if one.kind == "photographs" else words
        name = f"other labels{words}" if one.kind == "others" else f"{shorten(one.label, 60)}{words}"
        numbers = (one.train, one.trained, one.validate, one.validated)
        rows[name] = [a + b for a, b in zip(rows.get(name, (0, 0, 0, 0)), numbers, strict=True)]
    return [(name, *(numbers[at] for at in range(4))) for name, numbers in rows.items()]  # type: ignore[misc]


def claims(found: Repair) -> list[str]:
    """Say what may not be claimed from a repair."""
    trained = {one.number for one in found.training.lessons if one.number}
    own = ", but for your own that were held out" if any(row.kind == "photographs" for row in found.rows) else ""
    left = [row.number for row in found.rows if row.kind == "bug" and row.number not in trained]
    said = [
        "That the classifier has no bugs: those that the run did not find were not looked for. Hunt again over it.",
        f"Anything of photographs{own}: the images were drawn by the generator that the bugs were found with.",
        "That other words for the same cause are repaired that stand in no row here.",
        (
            "That a second attempt is as well tested by the same seed: whoever repairs until the proof is good has "
            "chosen it. Another seed gives a proof that no attempt has seen."
        ),
    ]
    if found.unseen is None or found.unseen:
        what = "Classes" if found.unseen is None else f"{count(found.unseen, 'class', 'classes')}"
        said.append(
            f"That nothing else was lost: {what} that are right for no label of the run were not looked at, and may be "
            "recognised less often. Compare on a test set of all classes."
        )
    if len(found.labels) == 1:
        said.append("That no other label was lost: the run has one alone, and nothing else was drawn.")
    if left:
        bugs = listed([str(number) for number in left])
        said.append(f"That bugs which were not chosen are repaired: {bugs} got no training, and only a test.")
    return said


def to_card(found: Repair) -> str:
    """Make the card: what the weights are, what they were trained on, what was tested, what may not be claimed."""
    taught = "\n".join(
        f"| {_md(name)} | {used} of {asked} | {ended} of {wanted} |"
        for name, asked, used, wanted, ended in lessons(found.training.lessons)
    )
    rows = "\n".join(f"| {' | '.join(_md(text) for text in cells(row))} |" for row in found.rows)
    drawn = "Every image was drawn for this, and judged to show its label."
    if any(one.kind == "photographs" for one in found.training.lessons):
        drawn = "Every image but your photographs was drawn for this, and judged to show its label."
    unsaid = "\n".join(f"- {_md(one)}" for one in claims(found))
    used = "\n".join(f"- {kind}: `{_code(identity['spec'])}`" for kind, identity in found.parts.items())
    return f"""# A repaired classifier

{_md(headline(found))}.

It was `{_code(found.before.name)}`. Load it with `{_code(loads(found))}`, where OUT is this folder.

## What it was trained on

{_md(training(found))} {drawn} The network was in evaluation mode.
All seeds come from seed {found.seed}, on streams of their own: none is one of the hunt's.

| images of | trained on | ended the training |
|---|---|---|
{taught}

{used}
- foible {found.foible_version}

## What became of it

On fresh images, which neither training nor its end has seen. Failure rates, with 95 % intervals. What failed means:
{_md(found.failure)}.

| images of | state | before fails | after fails | points more |
|---|---|---|---|---|
{rows}

Worse and better: the rates differ, by an exact two-sided test over the same images, with the false-discovery rate held
over all rows. Repaired: better, and what the words still add is surely less than {within(found)}. Same: the 95 %
interval of the difference lies within {within(found)}. Open: these images tell neither.

## What may not be claimed from it

{unsaid}
"""


def _md(text: object) -> str:
    """Make any text one line that no Markdown hides in."""
    line = visible(" ".join(str(text).split()))
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", line)


def _code(text: object) -> str:
    """Make any text one line that no code span ends in."""
    return visible(" ".join(str(text).split())).replace("`", "'")
