"""Where names stand in a text: many names are looked up at once, in a time that hardly depends on how many.

Comes in: the names that an object may have. Goes out: where one of them stands in a caption, and whether a phrase says
one. Neighbour: `phrases.py`, which cuts captions around the object.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[,;:.()]")
_ATOM = re.compile(r"\w+|\W")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Joiners, marks of direction and soft hyphens: two texts that look the same are the same without them."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case and composed (NFC), and its marks `,;:.()` as words of their own."""
    found: list[str] = _WORD.findall(unicodedata.normalize("NFC", _UNSEEN.sub("", text)).lower())
    return found


def forms(name: str) -> list[tuple[str, ...]]:
    """Return the words of a name, in the singular and in the plural; nothing for a name without words."""
    words = words_of(name)
    return [(*words[:-1], words[-1] + ending) for ending in ("", "s", "es")] if words else []


class Names:
    """Some names, prepared once: each as a path of words, so that a text is walked once whatever their number."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare names, in the singular and in the plural; of two that begin at one word the longer one counts."""
        self._by_word, self._by_atom = _Node(), _Node()
        spans = [form for name in sorted(names, key=lambda n: (-len(n), n)) for form in forms(name)]
        for rank, span in enumerate(spans):
            self._by_word.add(span, rank)
            self._by_atom.add(_ATOM.findall(" ".join(span)), rank)

    def find(self, words: Sequence[str]) -> tuple[int, int] | None:
        """Return where the first name stands among the words of a text, and its number of words; None without one."""
        for at in range(len(words)):
            found = min(self._by_word.ends(words, at), default=None)
            if found is not None:
                return at, found[1]
        return None

    def said_in(self, phrase: str) -> bool:
        """Tell whether a phrase says a name; "pong" of "ping-pong" is a word of its own here."""
        atoms = _ATOM.findall(phrase)
        return any(next(self._by_atom.ends(atoms, at), None) is not None for at in range(len(atoms)))


@lru_cache(maxsize=512)
def prepared(names: tuple[str, ...]) -> Names:
    """Prepare names, or return what was prepared for the same names before."""
    return Names(names)


class _Node:
    """What may follow after some words of a name."""

    __slots__ = ("follows", "rank")

    def __init__(self) -> None:
        self.follows: dict[str, _Node] = {}
        self.rank: int | None = None

    def add(self, words: Iterable[str], rank: int) -> None:
        """Add a name; of two of the same words the first one counts."""
        node = self
        for word in words:
            node = node.follows.setdefault(word, _Node())
        if node.rank is None:
            node.rank = rank

    def ends(self, words: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
        """Yield (rank, number of words) of each name that stands at `start`."""
        node = self
        for at in range(start, len(words)):
            following = node.follows.get(words[at])
            if following is None:
                return
            node = following
            if node.rank is not None:
                yield node.rank, at + 1 - start
