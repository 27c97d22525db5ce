"""The rows of an archive: how they are written, sealed and read again.

Comes in: records. Goes out: what a table or an entry of a shared log holds; and the records again, where the row is
whole. Neighbours: `archive.py` has the tables, `shared.py` the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from foible.identity import canonical, digest
from foible.run.shards import Place
from foible.run.shared import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRow:
    """Which pixels a request gave."""

    key: str
    """Of the request."""
    image: str
    """Hash of the pixels."""
    ignored: tuple[str, ...]
    """Words of the prompt that the generator did not use."""
    prompt: str
    """What the generator was given: for people who look into the archive."""
    seed: int
    samplings: int = 1
    """Images that were sampled for it, of which this one was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of a unit that are new."""

    draws: list[DrawRow]
    answers: dict[str, Any]
    images: dict[str, Place]


NOTHING = Rows(draws=[], answers={}, images={})


def entry_of(rows: Rows) -> Entry:
    """Write rows as an entry of a shared log."""
    draws = ((one.key, one.image, one.ignored, one.prompt, one.seed, one.samplings) for one in rows.draws)
    images = {name: (one.shard, one.start, one.size) for name, one in rows.images.items()}
    return Entry(draws=tuple(draws), answers=rows.answers, images=images)


def rows_of(entry: Entry) -> Rows:
    """Read the rows of an entry."""
    return Rows(
        draws=[
            DrawRow(key=key, image=image, ignored=ignored, prompt=prompt, seed=seed, samplings=samplings)
            for key, image, ignored, prompt, seed, samplings in entry.draws
        ],
        answers=entry.answers,
        images={name: Place(shard=shard, start=at, size=size) for name, (shard, at, size) in entry.images.items()},
    )


def read_place(values: tuple[Any, ...]) -> Place | None:
    """Read where an image lies; None where a row names no place: SQLite holds a text as a number without a word."""
    _, shard, start, size, _ = values
    if not (isinstance(shard, str) and type(start) is int and type(size) is int):
        return None
    return Place(shard=shard, start=start, size=size)


def read_answer(values: tuple[Any, ...]) -> Any:
    """Read the row of an answer; None where it is not whole."""
    key, value, seal = values
    return _parsed(value) if seal == sealed(key, value) else None


def draw_values(row: DrawRow) -> tuple[object, ...]:
    """Write the row of a draw, with its seal."""
    ignored = canonical(row.ignored) if row.ignored else "[]"
    values = (row.key, row.image, ignored, row.prompt, row.seed)
    return (*values, sealed(*values, *_counted(row.samplings)), row.samplings)


def read_draw(values: tuple[Any, ...]) -> DrawRow | None:
    """Read the row of a draw; None where it is not whole, or holds what is no draw though its seal fits."""
    key, image, ignored, prompt, seed, seal, samplings = values
    words = _parsed(ignored)
    texts: list[Any] = [key, image, prompt, *words] if isinstance(words, list) else [None]
    if type(seed) is not int or type(samplings) is not int or samplings < 1:
        return None
    if seal != sealed(key, image, ignored, prompt, seed, *_counted(samplings)):
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    return DrawRow(key=key, image=image, ignored=tuple(texts[3:]), prompt=prompt, seed=seed, samplings=samplings)


def _counted(samplings: int) -> tuple[int, ...]:
    """Give what a seal covers of a count: nothing of a plain draw, whose row may be older than the count."""
    return () if samplings == 1 else (samplings,)


def _parsed(text: object) -> Any:
    """Read a JSON text from a row; None where it is none."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def sealed(*content: object) -> str:
    """Hash what a row holds, so that a bit that flipped is noticed."""
    return digest(["seal", *content])
