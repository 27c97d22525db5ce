"""The diorama's ear: free text in, what it asks for and what it says in vain out.

`parse` knows words and phrases, not pictures: choosing what the text leaves unsaid is `scene`'s job.
It takes any text at all, and its time is linear in the length of the text, because at each word it
looks up at most a handful of phrases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .vocabulary import ATTRIBUTES, LABELS

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|[()]")
_APOSTROPHE = re.compile(r"['\u2019]")

_SILENT = frozenset({
    "a", "an", "the", "of", "on", "in", "at", "by", "with", "and", "or", "to", "from", "is", "are",
    "be", "being", "it", "its", "this", "that", "there", "some", "one", "realistic", "real",
    "photo", "photograph", "picture", "image", "snapshot", "shot", "view", "seen", "viewed",
    "taken", "showing", "shows", "beside", "next", "near", "under", "over", "standing", "placed",
    "lying", "sitting", "resting", "floor", "ground", "background", "surface", "scene", "colour",
    "color", "coloured", "colored", "pattern", "patterned", "weather", "time", "during", "against",
})  # fmt: skip
"""Words that carry no content of their own here: they change nothing and are not reported."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text asks the diorama for."""

    label: str | None
    """The name of the first object that is named, or None."""
    attributes: dict[str, str]
    """Attribute to value word, only for attributes that the text mentions."""
    ignored: tuple[str, ...]
    """What the text says in vain, each once, in the order of the text."""


@dataclass(frozen=True, slots=True)
class _Mention:
    """A run of words that was recognised."""

    position: int
    text: str
    attribute: str
    word: str


def parse(text: str) -> Parsed:
    """Read any text; never raises, and takes time linear in its length.

    The first object named is the label, later ones are ignored; of two values for one attribute
    the last wins and the earlier is ignored. A hypernym in parentheses belongs to its label.
    """
    label: str | None = None
    said: dict[str, _Mention] = {}
    vain: list[tuple[int, str]] = []
    for mention in _mentions(text):
        if not mention.attribute:
            vain.append((mention.position, mention.text))
        elif mention.attribute == "label":
            if label is None:
                label = mention.word
            elif label != mention.word:
                vain.append((mention.position, mention.text))
        else:
            earlier = said.get(mention.attribute)
            if earlier is not None and earlier.word != mention.word:
                vain.append((earlier.position, earlier.text))
            said[mention.attribute] = mention
    ignored = tuple(dict.fromkeys(word for _, word in sorted(vain)))
    attributes = {name: said[name].word for name in ATTRIBUTES if name in said}
    return Parsed(label, attributes, ignored)


def _mentions(text: str) -> Iterator[_Mention]:
    """Known phrases, longest first at each word, and the unknown content words between them."""
    tokens = _tokens(text)
    phrases, longest = _phrases()
    at = 0
    while at < len(tokens):
        for length in range(min(longest, len(tokens) - at), 0, -1):
            found = phrases.get(tuple(tokens[at : at + length]))
            if found is not None:
                yield _Mention(at, " ".join(tokens[at : at + length]), *found)
                at += length
                if found[0] == "label":
                    at += _hypernym_length(tokens, at, found[1])
                break
        else:
            if tokens[at] not in _SILENT and tokens[at] not in "()":
                yield _Mention(at, tokens[at], "", "")
            at += 1


def _tokens(text: str) -> list[str]:
    """Lower-case words and parentheses; hyphens and underscores part words, apostrophes do not."""
    return [_APOSTROPHE.sub("", token) for token in _TOKEN.findall(text.lower())]


def _hypernym_length(tokens: list[str], at: int, label: str) -> int:
    """How many tokens at `at` are this label's hypernym in parentheses: 0 if it is not there."""
    wanted = ["(", *_tokens(_hypernyms()[label]), ")"]
    return len(wanted) if tokens[at : at + len(wanted)] == wanted else 0


@cache
def _hypernyms() -> dict[str, str]:
    return {label.name: label.hypernym for label in LABELS}


@cache
def _phrases() -> tuple[dict[tuple[str, ...], tuple[str, str]], int]:
    """Every phrase that is understood, as a tuple of tokens, and the length of the longest."""
    table: dict[tuple[str, ...], tuple[str, str]] = {}
    for label in LABELS:
        for name in (label.name, label.hypernym, *label.synonyms):
            singular = tuple(_tokens(name))
            table[singular] = ("label", label.name)
    for attribute, values in ATTRIBUTES.items():
        for value in values:
            for phrase in (value.word, value.phrase, *value.synonyms):
                if phrase != "none":  # "none" alone could speak of anything
                    table[tuple(_tokens(phrase))] = (attribute, value.word)
    return table, max(map(len, table))
