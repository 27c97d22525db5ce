"""What the columns of a set say of its photographs: which one is the label, which a caption, which are attributes.

Comes in: rows of text by column. Goes out: for each row its annotation, its attributes ("texture=elephant") and its
caption. Neighbours: `labelled.py` reads the rows from files.

Column names and values are untrusted: each becomes one printable line of a limited length.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foible.errors import ArgumentError, PartError, brief, near
from foible.parts import answers

Row = Mapping[str, str]

LABELS = ("label", "labels", "class", "category", "target")
CAPTIONS = ("caption", "captions", "text", "description")
FILES = ("file_name", "filename", "file", "path", "image", "image_path", "filepath")
"""Columns that are taken for what they are called, where no argument names one; the first that is there."""
_LONGEST, _LONGEST_CAPTION = 60, 300
_NUMBERS = 10
"""A column of more different numbers than this is cut into quarters."""
_MANY = 20
"""A column of more values than this, most of which occur once, names photographs and describes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column says what."""

    label: str | None
    """None where the folder of a photograph is its label."""
    caption: str | None
    attributes: tuple[str, ...]


def choose(
    name: str,
    known: Sequence[str],
    *,
    label: str | None,
    caption: str | None,
    attributes: Sequence[str] | None,
) -> Columns:
    """Choose columns by the arguments, or by what they are called.

    Args:
        name: of the set, for sentences.
        known: every column but that of the images.
        label: the argument; None for the first of `LABELS` that is there.
        caption: likewise, of `CAPTIONS`.
        attributes: likewise; None for every column that is left.

    Raises:
        ArgumentError: there is no such column.
    """
    for argument, given in (("label", label), ("caption", caption), *(("attributes", one) for one in attributes or ())):
        if given is not None and given not in known:
            message = f"the argument {argument} of {brief(name)!r} names no column of it, {brief(repr(given), 60)}; "
            raise ArgumentError(message + near(str(given), map(brief, known)))
    found = label if label is not None else next((one for one in LABELS if one in known), None)
    said = caption if caption is not None else next((one for one in CAPTIONS if one in known), None)
    rest = [one for one in known if one not in {found, said, *FILES}]
    return Columns(label=found, caption=said, attributes=tuple(rest if attributes is None else attributes))


def line(text: object, limit: int = _LONGEST) -> str:
    """Make one printable line of a value."""
    return brief(" ".join(str(text).split()), limit)


def caption_of(row: Row, columns: Columns) -> str:
    """Give the caption of a row; empty without one, or where a chat model wrote a refusal there."""
    if columns.caption is None:
        return ""
    try:
        return line(answers.answer(str(row.get(columns.caption, ""))), _LONGEST_CAPTION)
    except PartError:
        return ""


def attributes_of(rows: Sequence[Row], columns: Columns) -> list[tuple[str, ...]]:
    """Give the attributes of each row, in the order of the columns.

    A column of many numbers is cut into quarters of the set, which no outcome decides; a column in which nearly every
    row has a value of its own is left out, and so are empty values.
    """
    found: list[list[str]] = [[] for _ in rows]
    for column in columns.attributes:
        values = [line(row.get(column, "")) for row in rows]
        different = set(values) - {""}
        numbers = [_number(value) for value in values]
        if len(different) > _NUMBERS and all(number is not None for number in map(_number, different)):
            values = _quarters([number if number is not None else math.nan for number in numbers])
        elif len(different) > max(_MANY, len(rows) // 2):
            continue
        for place, value in enumerate(values):
            if value:
                found[place].append(f"{line(column)}={value}")
    return [tuple(one) for one in found]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _quarters(values: Iterable[float]) -> list[str]:
    """Say in which quarter of all values each lies: "0.2 to 0.4"; empty for NaN."""
    listed = list(values)
    order = sorted(value for value in listed if not math.isnan(value))
    cuts = sorted({order[len(order) * part // 4] for part in (1, 2, 3)} - {order[0]})
    ends = [order[0], *cuts, order[-1]]
    names = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(ends)]
    return ["" if math.isnan(value) else names[bisect_right(cuts, value)] for value in listed]
