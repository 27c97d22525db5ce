"""`certificate.json` and `certificate.md`: how much can be wrong where nothing was found, and what that rests on.

Comes in: a `Certificate`. Goes out: JSON for machines, Markdown for people; the same record gives the same bytes.
Neighbours: `act/certify.py` makes it; `comparison.py` writes what two classifiers make of the same images.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from foible.report.comparison import subject
from foible.report.files import write_in_place
from foible.report.words import count, percent, printable, shorten

if TYPE_CHECKING:
    from pathlib import Path

    from foible.certificates import Certificate, Looked

VERSION = 1
"""Of `certificate.json`."""
SHOWN = 12
"""Modes that a text names."""
ASSUMPTIONS = (
    (
        "What may fail is a label with one phrase of the list. Nothing is said of combinations of phrases, of phrases "
        "that are not in the list, and of what fails less often than the share."
    ),
    "The weight is that of the list: it is no share of images in use.",
    (
        "Images are those that the run's generator draws for such prompts, and in which the run's judge sees the "
        "label. Where either is wrong, of the phrase most of all, nothing is known."
    ),
    (
        "List, share, level and seed were fixed before the first draw. Whoever tries seeds, lists or shares until one "
        "gives a certificate has none."
    ),
    "The generator has as many images as anybody wants, and one seed says nothing of another.",
)
"""What a certificate rests on."""


def write(found: Certificate, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_in_place(folder / "certificate.json", to_json(found))
    write_in_place(folder / "certificate.md", to_markdown(found))


def headline(found: Certificate) -> str:
    """Say in a line what is certified, or what is known where nothing is."""
    what = f"fails in {_exact(found.above)} of its draws or more"
    sure, wanted = f"with {_exact(1 - found.level)} confidence", f"no certificate: {_exact(found.below)} was wanted"
    if found.ended == "certified":
        return f"{sure}, less than {_up(found.bound)} of the list, by weight, {what}"
    if found.bound >= 1.0:
        return f"{wanted}, and any share of the list may be what {what}"
    return f"{wanted}; {sure}, less than {_up(found.bound)} of the list, by weight, {what}"


def why(found: Certificate) -> str:
    """Say what was done, and why it ended."""
    ended = {
        "certified": "the bound is as low as was wanted",
        "draws": "no more may be drawn",
        "hopeless": "so many were not cleared that the bound will hardly come down",
    }[found.ended]
    drawn = count(len(found.looked), "label with a phrase was drawn", "labels with phrases were drawn")
    by_chance = f"{drawn} at random from {len(found.modes):,}, {found.cleared:,} cleared"
    return f"{by_chance}, in {count(found.draws, 'draw')}: {ended}"


def without(found: Certificate) -> str:
    """Say of which labels nothing is known; empty where the list has all."""
    if not found.without:
        return ""
    some = ", ".join(shorten(label, 60) for label in found.without[:SHOWN])
    more = f" and {len(found.without) - SHOWN:,} more" if len(found.without) > SHOWN else ""
    return f"no caption says a phrase of {some}{more}: the list has nothing of them, and nothing is known; give --word"


def told(one: Looked, found: Certificate) -> str:
    """Say what was seen of a mode."""
    mode = found.modes[one.mode]
    unscored = f", {one.unscored:,} unscored" if one.unscored else ""
    name = f"{shorten(mode.label, 60)} “{shorten(mode.phrase, 80)}”"
    return f"{name}: failed in {one.failures:,} of {one.passes + one.failures:,}{unscored}"


def uncleared(found: Certificate) -> list[Looked]:
    """Give the modes that were not cleared, the most suspicious first."""
    return sorted((one for one in found.looked if one.clearance < 1.0), key=lambda one: (one.clearance, one.mode))


def verdict(found: Certificate) -> str:
    """Say in a line what the gate comes to; empty where there is none."""
    if found.verdict == "none":
        return ""
    return f"the gate {found.fail_on} {'passes' if found.verdict == 'passed' else 'fails'}: {headline(found)}"


def to_json(found: Certificate) -> str:
    """Write the record as JSON."""
    document: dict[str, Any] = {
        "foible_certificate": VERSION,
        "foible_version": found.foible_version,
        "headline": headline(found),
        "ended": found.ended,
        "bound": found.bound,
        "above": found.above,
        "below": found.below,
        "level": found.level,
        "gate": {"fail_on": found.fail_on, "verdict": found.verdict},
        "seed": found.seed,
        "draws": {"most": found.most, "made": found.draws},
        "failure": found.failure,
        "classifier": subject(found.classifier),
        "parts": {kind: dict(identity) for kind, identity in found.parts.items()},
        "phrases_from": found.phrases_from,
        "without": list(found.without),
        "prior": found.prior,
        "modes": [{"label": one.label, "phrase": one.phrase, "weight": one.weight} for one in found.modes],
        "looked": [
            {
                "mode": one.mode,
                "passes": one.passes,
                "failures": one.failures,
                "unscored": one.unscored,
                "clearance": one.clearance,
            }
            for one in found.looked
        ],
        "assumptions": list(ASSUMPTIONS),
        "settings": dict(found.settings),
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_markdown(found: Certificate) -> str:
    """Write it for people."""
    left = uncleared(found)
    lines = "\n".join(f"- {_plain(told(one, found))}" for one in left[:SHOWN])
    more = f"\n- and {len(left) - SHOWN:,} more" if len(left) > SHOWN else ""
    some = (
        f"## Not cleared\n\nSuspects, and no findings: `foible probe` tests one.\n\n{lines}{more}\n\n" if left else ""
    )
    heaviest = sorted(found.modes, key=lambda one: -one.weight)[:SHOWN]
    rows = "\n".join(f"| {_plain(one.label)} | {_plain(one.phrase)} | {percent(one.weight)} |" for one in heaviest)
    rests = "\n".join(f"- {one}" for one in ASSUMPTIONS)
    source = (
        "labels alike, and in each its phrases by how many captions of the images that the run explored say them"
        if found.phrases_from == "captions"
        else "all labels with all phrases that were given, alike"
    )
    return f"""# {_plain(found.classifier.name)}: {_plain(headline(found))}

{_plain(why(found))}. Foible {found.foible_version}, seed {found.seed}. What failed means: {_plain(found.failure)}.
{_plain(without(found))}

## What it rests on

{rests}

## The list

{count(len(found.modes), "mode")}: {source}. Hash {found.prior}; all stand in `certificate.json`, the heaviest here.

| label | phrase | weight |
|---|---|---|
{rows}

{some}"""


def _exact(share: float) -> str:
    """Write a share that a person gave as a percentage."""
    return f"{round(100 * share, 6):g} %"


def _up(share: float) -> str:
    """Write a bound as a percentage, rounded up, so that it stays one."""
    return f"{-(-share * 1000 // 1) / 10:g} %"


def _plain(text: object) -> str:
    """Make any text one line that no Markdown hides in."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!~])", r"\\\1", printable(text))
