"""`report.html`: a result as one page that needs no network and runs no script.

Comes in: a `HuntResult`, and a way to fetch the PNG file of an image. Goes out: one HTML file with its style and images
in it. Everything that a model or a stranger wrote is escaped, and a content policy in the page forbids scripts, network
and foreign style. Neighbours: `template.html` and the other `.html` files and `style.css` beside it are the page;
`pictures.py` holds the images; `sentences.py` has the English.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from foible.errors import StoreError
from foible.report import (
    alike,
    bases,
    causes,
    claims,
    guided,
    misdrawn,
    notes,
    photographs,
    pilots,
    sentences,
    taken,
    words,
)
from foible.report.attribution import Views
from foible.report.files import write_atomically
from foible.report.pairs import pairs
from foible.report.pictures import HASH, WHOLE, Pictures
from foible.report.steps import next_step
from foible.report.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from jinja2 import Environment

    from foible.attributions import Attributions
    from foible.findings import Counterfactual, Finding, HuntResult, Rate

_PAIRS_SHOWN = 16
_OTHERS_SHOWN = 12
_TEXT_SHOWN = 600
_PROBED = 12
"""Without exploration, up to this many hypotheses are shown in full whatever their verdict: a person asked."""


def write_html(
    result: HuntResult,
    image: Callable[[str], bytes | None],
    path: Path,
    attributed: Attributions | None = None,
) -> None:
    """Write the page, whole or not at all, behind a folder `images` beside it with those that it holds reduced.

    Args:
        result: what the hunt found.
        image: gives the PNG file of an image by the hash of its pixels; None where there is none (a placeholder is
            shown).
        path: the file.
        attributed: what the answers to its examples react to; None for a page without.

    Raises:
        StoreError: the file cannot be written.
    """
    pictures = Pictures(result, image)
    page = _page(result, pictures, None if attributed is None else Views(attributed, result, image))
    _write_whole(path.parent / WHOLE, pictures.reduced, image)
    write_atomically(path, page)


def _write_whole(folder: Path, wanted: Collection[str], image: Callable[[str], bytes | None]) -> None:
    """Write whole images by the hash of their pixels, and remove those of an earlier page."""
    try:
        before = {path.stem: path for path in folder.glob("*.png") if HASH.fullmatch(path.stem)}
        for name in before.keys() - set(wanted):
            before[name].unlink()
        if wanted:
            folder.mkdir(exist_ok=True)
        for name in wanted:
            data = image(name)
            if data is not None and (name not in before or before[name].stat().st_size != len(data)):
                (folder / f"{name}.png").write_bytes(data)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        raise StoreError(f"{folder} cannot be written ({why}); free the place or name another folder") from problem


def to_html(result: HuntResult, image: Callable[[str], bytes | None], attributed: Attributions | None = None) -> str:
    """Make the text of the page. The same result and images give the same text.

    Args:
        result: what the hunt found.
        image: as for `write_html`.
        attributed: as for `write_html`.
    """
    return _page(result, Pictures(result, image), None if attributed is None else Views(attributed, result, image))


def _page(result: HuntResult, pictures: Pictures, glows: Views | None) -> str:
    return render(
        "template.html",
        result=result,
        pictures=pictures,
        glows=glows,
        confirmed=[f for f in result.findings if f.verdict == "confirmed"],
        others=[f for f in result.findings if f.verdict != "confirmed"],
        probe=not result.explored and len(result.findings) <= _PROBED,
        margin=words.margin(result),
        tables=causes.matrices(result),
    )


def render(template: str, **given: object) -> str:
    """Make the text of a page from a template of this folder; whatever it is given is escaped."""
    from markupsafe import Markup

    style = _read("style.css")
    text: str = (
        _environment()
        .get_template(template)
        .render(
            **given,
            style=Markup(style),  # noqa: S704 - our own file
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )
    return text


def at(share: float, low: float = 0.0, high: float = 1.0) -> str:
    """Give a position on an axis as an SVG length: "92%"."""
    place = 100 * (min(max(share, low), high) - low) / (high - low)
    return f"{place:.2f}".rstrip("0").rstrip(".") + "%"


def span_of(rate: Rate, low: float = 0.0, high: float = 1.0) -> str:
    """Give the length of an interval on an axis as an SVG length."""
    width = min(max(rate.high, low), high) - min(max(rate.low, low), high)
    return at(low + max(width, 0.0), low, high)


def kept(finding: Finding, change: Counterfactual) -> list[tuple[str, bool]]:
    """Give the phrases of a description, each with whether the change kept it."""
    return [(phrase, phrase != change.phrase) for phrase in finding.trial.hypothesis.treatment.words]


def value(thing: object) -> str:
    """Write a setting, or what a part says of itself, on one line."""
    text = thing if isinstance(thing, str) else json.dumps(thing, ensure_ascii=False, default=words.printable)
    return words.shorten(text, _TEXT_SHOWN) if text else "(empty)"


def clean(thing: object) -> object:
    """Make whatever the template prints safe to stand in a line of UTF-8; markup made by the template passes."""
    if hasattr(thing, "__html__") or not isinstance(thing, str) or thing.isprintable():
        return thing
    return "".join(c if c.isprintable() or c == "\u00a0" else " " if c.isspace() else "·" for c in thing)


def _read(name: str) -> str:
    return resources.files("foible.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=clean,
    )
    filters: Mapping[str, Callable[..., object]] = {
        "as_sentence": words.as_sentence,
        "at": at,
        "count": words.count,
        "interval": lambda rate: words.unbroken(words.interval(rate)),
        "percent": lambda share: words.unbroken(words.percent(share)),
        "points": words.points,
        "probability": lambda p: words.unbroken(words.probability(p)),
        "short": words.shorten,
        "span_of": span_of,
        "unbroken": words.unbroken,
        "stopped": words.stopped,
        "value": value,
    }
    environment.filters.update(filters)
    environment.globals.update(
        alike_most=alike.MOST,
        alike_spans=alike.alike_spans,
        apart=claims.apart,
        base_sentence=bases.base_sentence,
        base_title=bases.base_title,
        bound_of=sentences.bound_of,
        carrier_spans=causes.carrier_spans,
        cause_spans=causes.cause_spans,
        confusions=taken.confusions,
        notes=notes.notes,
        by=words.by,
        headline=sentences.headline,
        kept=kept,
        left_out=sentences.left_out,
        pilot_line=pilots.pilot_line,
        most_others=_OTHERS_SHOWN,
        most_pairs=_PAIRS_SHOWN,
        pairs=pairs,
        plain=sentences.plain,
        shared_highest=taken.shared_highest,
        spans=sentences.spans,
        parts_of=words.parts,
        **{one.__name__: one for one in (photographs.doubtful, photographs.facts, photographs.unlike)},
        **{one.__name__: one for one in (guided.guided_sentence, guided.images_each, guided.unled)},
        most_confused=photographs.most_confused,
        misdrawing=misdrawn,
        subject=words.subject,
        summary=sentences.summary,
        next_step=next_step,
        terms=terms,
        title=sentences.title,
    )
    return environment
