"""`explain.json` and `explain.html`: an image, what of it was drawn anew, and what turned the classifier's answer.

Comes in: a `VisualExplanation`. Goes out: JSON for machines, and a page for people that needs no network and runs no
script; the same record gives the same bytes. Neighbours: `act/explain/` makes it, and writes the pictures of each seed
beside; `pictures.py` makes small ones for pages.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.report.files import write_both
from foible.report.html import render
from foible.report.pictures import webp
from foible.report.words import count, interval, percent, shorten, spec_name

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from foible.explaining import Attempt, VisualExplanation
    from foible.findings import Finding, Rate

VERSION = 1
"""Of `explain.json`."""
LOUDER = 4
"""By how much a difference is shown larger than it is."""
WHERE = {
    "attribution": "anywhere, what its answer hangs on first",
    "object": "on the object alone",
    "background": "beside the object alone",
    "random": "anywhere, in an order of chance",
}
_MOST = 0.5
"""Share of attempts above which a background that turns the answer is called a shortcut."""
STATUS = {"turned": "turned", "kept": "not turned", "unscored": "unscored"}


def write(found: VisualExplanation, folder: Path) -> None:
    """Write both files, each whole or not at all; the folder is made where it is not there.

    Raises:
        StoreError: they cannot be written.
    """
    write_both(folder / "explain", to_json(found), to_html(found))


def to_json(found: VisualExplanation) -> str:
    """Write the record as JSON; pictures are named by their files."""
    document = {
        "foible_explain": VERSION,
        "foible_version": found.foible_version,
        "headline": headline(found),
        "about": found.about,
        "said": found.said,
        "label": found.label,
        "label_known": found.label_known,
        "label_seen": found.label_seen,
        "to": found.to,
        "where": found.where,
        "guidance": found.guidance,
        "attribution": found.attribution,
        "prompt": found.prompt,
        "options": dict(found.options),
        "parts": {kind: dict(identity) for kind, identity in found.parts.items()},
        "validity": asdict(found.validity),
        "control": asdict(found.control),
        "attempts": [_attempt(one) for one in found.attempts],
        "words": {
            "before": found.words.before,
            "changed": [asdict(one) for one in found.words.changed],
            "tested": [_tested(one) for one in found.words.tested],
            "folder": found.words.folder,
            "untested": found.words.untested,
        },
        "notes": list(found.notes),
    }
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def to_html(found: VisualExplanation) -> str:
    """Make the text of the page."""
    return render(
        "explaining.html",
        found=found,
        title=headline(found),
        version=found.foible_version,
        before=_shown(found.image),
        views=[_view(one, found) for one in found.attempts],
        lines=lines(found),
        tested=[tested_line(one) for one in found.words.tested],
        status=STATUS,
        louder=LOUDER,
        parts=[(kind, spec_name(identity)) for kind, identity in found.parts.items()],
    )


def headline(found: VisualExplanation) -> str:
    """Say in a line what turned the answer, and how often."""
    turned, scored = found.count("turned"), len(found.attempts) - found.count("unscored")
    into = f"“{shorten(found.said, 60)}” becomes “{shorten(found.to, 60)}”"
    if not scored:
        return f"{into}: nothing is known, since every attempt is unscored"
    return f"{into} in {turned} of {count(scored, 'attempt')}, by changes {WHERE[found.where]}"


def lines(found: VisualExplanation) -> list[str]:
    """Say in sentences what was found, and what it does not mean."""
    said = [f"Valid: {rate(found.validity)} of the scored attempts turned the answer."]
    turned = [one for one in found.attempts if one.status == "turned"]
    if turned:
        said.append(_closeness(turned))
    if (lost := found.count("unscored")) > 0:
        said.append(f"Unscored: {count(lost, 'attempt')}; none of these counts as turned or not.")
    if found.control.value is not None:
        said.append(
            f"Control: a random mask of the same area turned it in {rate(found.control)} of these. Where that is "
            "as often, the region says little."
        )
    judged = [one.shows_label for one in turned if one.shows_label is not None]
    still = f"In {sum(judged)} of {len(judged)} that turned, the judge still sees {shorten(found.label, 60)}"
    if judged and found.error:
        said.append(f"{still}{'' if all(judged) else ': the others show what it is no longer'}.")
    elif judged:
        said.append(f"{still}: {_means(found, shown=any(judged))}")
    if not found.label_known:
        said.append(_unsaid(found))
    return said


def _means(found: VisualExplanation, *, shown: bool) -> str:
    """Say what follows where the judge still sees the label in a changed image, or no longer does."""
    if not shown:
        return "the change is one of what the image shows."
    if found.where == "background":
        if found.validity.value is not None and found.validity.value > _MOST:
            return "the answer hangs on what is beside the object."
        return (
            "the answer can hang on what is beside the object; but no more than half of the attempts turned it, as may "
            "happen where there is no shortcut."
        )
    wrong = "these are wrong answers."
    return wrong if found.label_known else f"if that is what the image shows, {wrong}"


def _unsaid(found: VisualExplanation) -> str:
    """Say whose word the label is where nobody named it."""
    judge = {True: "The judge sees that, too.", False: "The judge does not see that.", None: ""}[found.label_seen]
    told = f"That the image shows {shorten(found.label, 60)} is the classifier's word: name what it shows with --label."
    return f"{told} {judge}".rstrip()


def rate(of: Rate) -> str:
    """Write a share with its exact interval."""
    return f"{percent(of.value)} {interval(of)}"


def tested_line(finding: Finding) -> str:
    """Say what fresh draws say of words."""
    own = finding.trial.hypothesis
    with_, without = percent(finding.treat.value), percent(finding.control.value)
    told = (
        f"“{shorten(own.description, 120)}”: {finding.verdict}; fails in {with_} {interval(finding.treat)} with these"
    )
    return f"{told} words, {without} {interval(finding.control)} without."


def _closeness(turned: list[Attempt]) -> str:
    areas = sorted(one.share for one in turned)
    moved = [one.l1 for one in turned if one.l1 is not None]
    far = [one.distance for one in turned if one.distance is not None]
    looks = [one.lpips for one in turned if one.lpips is not None]
    couts = [one.cout for one in turned if one.cout is not None]
    told = f"Of those that turned, the mask takes {percent(areas[0])} to {percent(areas[-1])} of the image; pixels "
    told += f"differ by {100 * float(np.mean(moved)):.2g} % of the scale on average (L1)"
    told += f", the embedder's vectors by {float(np.mean(far)):.2g} (cosine distance)" if far else ""
    told += f", LPIPS is {float(np.mean(looks)):.2g}" if looks else ""
    return told + (f"; COUT {float(np.mean(couts)):+.2f}." if couts else ".")


@dataclass(frozen=True, kw_only=True)
class _View:
    """How an attempt is shown."""

    attempt: Attempt
    masked: str
    after: str
    difference: str


def _view(one: Attempt, found: VisualExplanation) -> _View:
    if one.image is None or one.mask is None:
        return _View(attempt=one, masked="", after="", difference="")
    pale = (255 - (255 - found.image.astype(np.int64)) // 4).astype(np.uint8)
    moved = np.abs(one.image.astype(np.int64) - found.image.astype(np.int64))
    return _View(
        attempt=one,
        masked=_shown(np.where(one.mask[..., None], found.image, pale)),
        after=_shown(one.image),
        difference=_shown(np.minimum(LOUDER * moved, 255).astype(np.uint8)),
    )


def _shown(image: NDArray[np.uint8]) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp(np.ascontiguousarray(image)).data).decode("ascii")


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "seed": one.seed,
        "status": one.status,
        "reason": one.reason,
        "image": "" if one.image is None else f"seed-{one.seed}-after.png",
        "mask": "" if one.mask is None else f"seed-{one.seed}-mask.png",
        "said": one.said,
        "margin": one.margin,
        "share": one.share,
        "rate": one.rate,
        "strength": one.strength,
        "sampled": one.sampled,
        "unscored": one.unscored,
        "l1": one.l1,
        "distance": one.distance,
        "lpips": one.lpips,
        "cout": one.cout,
        "shows_label": one.shows_label,
        "caption": one.caption,
        "control": None if one.control is None else asdict(one.control),
    }


def _tested(finding: Finding) -> dict[str, Any]:
    return {
        "label": finding.trial.hypothesis.label,
        "description": finding.trial.hypothesis.description,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "treat": asdict(finding.treat),
        "control": asdict(finding.control),
        "difference": asdict(finding.difference),
        "adjusted": finding.adjusted,
    }
