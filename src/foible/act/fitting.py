"""Which photographs show a description: by their annotations where these say it, else by a joint embedding.

Comes in: phrases of descriptions, a set of photographs, vectors of images and texts. Goes out: who shows what. Pure
functions, but for the embedder that is asked about texts. Neighbours: `said.py` has the rule by which an attribute is
said; `looking.py` asks the judge about what is found here.

A joint model such as CLIP is trained to hold a text for exp(scale × cosine) likely, beside other texts. Whether the
label *with* the description or *without* it goes better with a photograph is a score of that photograph alone: no
fixed number of nearest ones is taken, and where none shows it none is found.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.act.said import said
from foible.errors import ConfigError, PluginError, brief
from foible.parts.fitting import reads_text
from foible.photographs import PhotographSet
from foible.search.phrases import cut, opening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.registry import Part

IMAGES_ALONE = "the embedder {} embeds images alone; to find photographs by text it must be one such as CLIP"
_ARTICLES = frozenset({"a", "an", "the"})
_SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """Which phrases the annotations of photographs say."""

    known: frozenset[str]
    """Phrases that some photograph of the set bears: of these it is known who bears them."""
    bears: tuple[frozenset[str], ...]
    """Of each photograph, in the order of the set."""
    unsure: tuple[frozenset[str], ...]
    """Of each photograph: phrases that columns alone say, of which it has none: nobody filled them in."""


def annotated(
    phrases: Collection[str], photographs: PhotographSet, labels: Mapping[str, str], given: Mapping[str, str]
) -> Annotated:
    """Look phrases up in columns and captions.

    Args:
        phrases: of descriptions: "on grass".
        photographs: the set.
        labels: annotation -> name of the label, which no phrase of a caption says.
        given: attribute -> phrase, by a person.
    """
    attributes = {one for photograph in photographs.photographs for one in photograph.attributes}
    says = {one: frozenset(p for p in phrases if same(p, said(one, given) or "")) for one in attributes}
    columns = {p: {column_of(one) for one, own in says.items() if p in own} for p in phrases}
    names = list(dict.fromkeys(labels.values()))
    bears: list[frozenset[str]] = []
    unsure: list[frozenset[str]] = []
    captioned: set[str] = set()
    for one in photographs.photographs:
        own = cut(one.caption, [labels.get(one.label, one.label)], names) if one.caption else ()
        told = frozenset(p for p in phrases for phrase in own if same(p, given.get(phrase, phrase)))
        captioned |= told
        bears.append(told.union(*(says[attribute] for attribute in one.attributes)))
        filled = {column_of(attribute) for attribute in one.attributes}
        unsure.append(frozenset(p for p in phrases if columns[p] and not columns[p] & filled) - bears[-1])
    return Annotated(
        known=frozenset().union(*bears), bears=tuple(bears), unsure=tuple(own - captioned for own in unsure)
    )


def column_of(attribute: str) -> str:
    """Give the column of an attribute: "ground" of "ground=grass"."""
    return attribute.partition("=")[0]


def same(one: str, other: str) -> bool:
    """Tell whether two phrases say the same: case, articles, and a preposition that one alone has, do not count.

    "on grass" is "grass" and "on the grass", but not "under grass".
    """
    (before, what), (before_other, what_other) = _parts(one), _parts(other)
    return bool(what) and what == what_other and (before == before_other or not before or not before_other)


def _parts(phrase: str) -> tuple[str, str]:
    """Split a phrase into the preposition that it opens with, perhaps none, and the rest without articles."""
    low = " ".join(phrase.casefold().split())
    before = opening(low)
    return before, " ".join(word for word in low[len(before) :].split() if word not in _ARTICLES)


class Space:
    """A joint space of images and texts."""

    def __init__(self, part: Part) -> None:
        """Take an embedder.

        Raises:
            PluginError: it does not place texts among images.
        """
        if not reads_text(part):
            raise PluginError(IMAGES_ALONE.format(brief(part.identity["spec"])))
        self._object: Any = part.object

    def against(self, text: str, other: str) -> NDArray[np.float64]:
        """Give the direction along which images go better with one text than with another: (dimensions,).

        The product with the vector of an image, of length 1, is the logarithm of how many times as likely the model
        holds the first text to be for it.

        Raises:
            ConfigError: the model reads the same of both.
        """
        vectors = np.asarray(self._object.embed_texts([text, other]), np.float64)
        if vectors.ndim != 2 or len(vectors) != 2 or not np.isfinite(vectors).all():  # noqa: PLR2004 - two texts
            message = "the embedder gave no two vectors for two texts"
            raise PluginError(message)
        if float(np.abs(vectors[0] - vectors[1]).max()) < _SAME:
            message = f"the embedder reads the same of {brief(text, 80)!r} and {brief(other, 80)!r}"
            raise ConfigError(message)
        found: NDArray[np.float64] = (vectors[0] - vectors[1]) * float(self._object.scale[0])
        return found


def shown(
    vectors: Mapping[str, NDArray[Any]], direction: NDArray[np.float64], odds: float
) -> tuple[frozenset[str], frozenset[str]]:
    """Tell photographs that show a text from those of which it is open.

    Args:
        vectors: by key, (dimensions,), of any length but 0.
        direction: of `Space.against`.
        odds: at least 1. It is open where the text is held for less likely than the other, but not so many times less.

    Returns:
        Keys of those that show it, and of those of which it is open.
    """
    keys = list(vectors)
    if not keys:
        return frozenset(), frozenset()
    stacked = np.stack([vectors[key] for key in keys]).astype(np.float64)
    stacked /= np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
    # Rounded, so that the last bits of a batch's arithmetic move no photograph.
    held = np.round(stacked @ direction, 4)
    shows = frozenset(key for key, one in zip(keys, held, strict=True) if one >= 0)
    fits = frozenset(key for key, one in zip(keys, held, strict=True) if one >= -math.log(odds))
    return shows, fits - shows


def check_odds(odds: float) -> None:
    """Refuse odds that are none.

    Raises:
        ConfigError: they are below 1, or no number.
    """
    if not 1.0 <= odds < math.inf:
        message = f"--odds is a number from 1 up, but got {odds!r}"
        raise ConfigError(message)
