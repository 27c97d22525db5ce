"""A caption is cut into phrases that can be appended to a base prompt again.

Comes in: one caption and the names that may stand in it as the object. Goes out: phrases: modifiers of the object
("red", "striped"), prepositional phrases ("on grass") and trailing ones ("far away"). Rules, no model: captions are
short, and every phrase that is kept is tested on fresh images anyway. Neighbours: `narrow.py` and `describe.py` look
for the phrases that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from foible.stages.naming import prepared, words_of

LONGEST = 6
"""Phrases with more words are left out: they describe one image, not a kind of image."""

WIDEST = 60
"""Phrases with more characters are no words."""

_BREAKS = frozenset(",;:.()")
_ARTICLES = frozenset(
    {"a", "an", "the", "some", "this", "that", "its", "his", "her", "their", "one", "there", "is", "are"}
)
_JOINERS = frozenset({"and", "with", "while", "that", "which", "but"})
_EMPTY = frozenset({"of", "arafed", "araffe", "araffed"})
"""Says nothing before the object; the last three are what BLIP says where it has no word."""
_MEDIUM = frozenset({"photo", "photograph", "picture", "image", "close-up", "shot", "view"})
_COMPOUND = (
    ("in", "front", "of"), ("on", "top", "of"), ("next", "to"), ("close", "to"), ("in", "the", "middle", "of"),
    ("at", "the", "top", "of"), ("on", "the", "side", "of"), ("out", "of"), ("far", "from"), ("surrounded", "by"),
    ("covered", "in"), ("covered", "with"), ("filled", "with"), ("made", "of"),
)  # fmt: skip
_PREPOSITIONS = frozenset(
    {
        "on",
        "in",
        "at",
        "from",
        "under",
        "beneath",
        "beside",
        "behind",
        "against",
        "near",
        "by",
        "over",
        "above",
        "below",
    }
    | {"with", "without", "inside", "outside", "during", "through", "along", "across", "between", "among", "around"}
    | {"into", "onto", "upon", "amid"}
)
_LEADS = re.compile(r"(?:sitting|standing|lying|laying|placed|seen|shown|sits|stands|lies|resting|located|positioned)$")


def cut(caption: str, names: Sequence[str]) -> tuple[str, ...]:
    """Cut a caption into phrases, in the order in which they stand.

    Args:
        caption: any text.
        names: what the object may be called, rightly or wrongly; the first that stands in the caption is the object,
            and is left out.

    Returns:
        Phrases in lower case, each once. None of them names any of `names`, be it in the plural.
    """
    named = prepared(tuple(names))
    medium, words = _without_opener(words_of(caption))
    at, length = named.find(words) or _guess_object(words)
    before, after = words[:at], words[at + length :]
    start = _last_break(before)
    # What stands before the object is about something else ("a person holding"), unless it is a place or a time.
    around = [
        chunk for chunk in _chunks(before[:start]) if opening(chunk) and not chunk.endswith((" a", " an", " the"))
    ]
    phrases = [*medium, *_modifiers(before[start:]), *around, *_chunks(after)]
    short = [p for p in phrases if 0 < len(p.split()) <= LONGEST and len(p) <= WIDEST]
    return tuple(dict.fromkeys(p for p in short if not named.said_in(p)))


def is_modifier(phrase: str) -> bool:
    """Tell whether a phrase is a single word that stands before the object."""
    return " " not in phrase and phrase not in _PREPOSITIONS


def in_order(phrases: Iterable[str]) -> tuple[str, ...]:
    """Order phrases as they read well: modifiers before the rest."""
    return tuple(sorted(phrases, key=lambda phrase: (not is_modifier(phrase), phrase)))


def opening(phrase: str) -> str:
    """Return the words that a prepositional phrase opens with: "next to" of "next to a box"; else an empty text."""
    words = tuple(phrase.split())
    for compound in _COMPOUND:
        if words[: len(compound)] == compound:
            return " ".join(compound)
    return words[0] if words and words[0] in _PREPOSITIONS else ""


def _without_opener(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off "a blurry photo of": what the picture is, said of the picture, and the words about what it shows."""
    for at, word in enumerate(words[:5]):
        if word in _MEDIUM and words[at + 1 : at + 2] == ["of"]:
            return _modifiers(words[:at]), words[at + 2 :]
    return [], words


def _guess_object(words: Sequence[str]) -> tuple[int, int]:
    """Return where the object stands that has none of the names: the last word before a break or preposition."""
    ends = _JOINERS | {"is", "are"}
    start = 2 if tuple(words[:2]) in {("there", "is"), ("there", "are")} else 0
    end = next((i for i in range(start, len(words)) if _opens(words, i) or words[i] in ends), len(words))
    return (end - 1, 1) if end > start else (0, 0)


def _last_break(words: Sequence[str]) -> int:
    """Return where the object's own phrase begins: after the last break, preposition or article before it."""
    for at in range(len(words) - 1, -1, -1):
        if words[at] in _ARTICLES or words[at] in _BREAKS:
            return at + 1
        if words[at] in _PREPOSITIONS:
            return at
    return 0


def _modifiers(words: Sequence[str]) -> list[str]:
    return [w for w in words if w not in _ARTICLES | _JOINERS | _BREAKS | _PREPOSITIONS | _EMPTY]


def _chunks(words: Sequence[str]) -> list[str]:
    """Cut what stands around the object before each preposition and at each break."""
    chunks: list[list[str]] = [[]]
    for at, word in enumerate(words):
        if word in _BREAKS or word in _JOINERS - _PREPOSITIONS:
            chunks.append([])
            continue
        if _opens(words, at) and not _inside_compound(chunks[-1]):
            chunks.append([])
        chunks[-1].append(word)
    trimmed = [_trim(chunk) for chunk in chunks]
    return [" ".join(chunk) for chunk in trimmed if chunk]


def _trim(chunk: list[str]) -> list[str]:
    """Drop a chunk of articles alone, a lead such as "sitting", and a preposition without anything after it."""
    while chunk and (chunk[0] in {"is", "are"} or _LEADS.match(chunk[0])):
        chunk = chunk[1:]
    if all(word in _ARTICLES or word in _PREPOSITIONS for word in chunk) and " ".join(chunk) != "from above":
        return []
    return chunk


def _opens(words: Sequence[str], at: int) -> bool:
    return (
        words[at] in _PREPOSITIONS
        or words[at] in _BREAKS
        or any(tuple(words[at : at + len(compound)]) == compound for compound in _COMPOUND)
    )


def _inside_compound(chunk: Sequence[str]) -> bool:
    """Tell whether the last words of a chunk ask for the next one: "next" before "to", "from" before "above"."""
    if not chunk:
        return False
    if len(chunk) == 1 and chunk[0] in _PREPOSITIONS:
        return True
    return any(
        tuple(chunk[: len(compound)]) == compound[: len(chunk)] for compound in _COMPOUND if len(chunk) < len(compound)
    )
