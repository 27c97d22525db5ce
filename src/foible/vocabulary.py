"""A vocabulary: phrases in groups, one of which a photograph shows, by which a joint embedding gives attributes.

Comes in: the text of a file. Goes out: a `Vocabulary`, which knows its attributes and what an embedder is told of each.
Neighbours: `photographs.py` keeps it with the set; `hunting/bearing.py` says which photograph shows what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foible.errors import ConfigError, brief

TEMPLATE = "a photo of something {phrase}"
PLACE = "{phrase}"
MOST = 2000
"""Phrases of all groups together."""
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Phrases of which a photograph shows one."""

    name: str
    """What they say something about: "ground"."""
    phrases: tuple[str, ...]
    """At least two: "on grass", "on sand"."""

    def attribute(self, phrase: str) -> str:
        """Give the attribute of a phrase: "ground=on grass"."""
        return f"{self.name}={phrase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Groups of phrases, and how they are told to an embedder."""

    groups: tuple[Group, ...]
    template: str = TEMPLATE
    """Of the text of a phrase."""
    sure: float = 0.5
    """0..1: a photograph has the likeliest phrase of a group where that has more than this share of the group; else it
    is open."""

    def texts(self) -> list[str]:
        """Give the text of every phrase, group by group."""
        return [self.template.replace(PLACE, phrase) for group in self.groups for phrase in group.phrases]

    def plain(self) -> dict[str, object]:
        """Give it as JSON can say it."""
        return {
            "groups": [[group.name, list(group.phrases)] for group in self.groups],
            "template": self.template,
            "sure": self.sure,
        }


def vocabulary_of(plain: Mapping[str, object]) -> Vocabulary:
    """Make a vocabulary of what `Vocabulary.plain` gave.

    Raises:
        TypeError: it is something else.
        ValueError: likewise.
        KeyError: likewise.
    """
    groups, template, sure = plain["groups"], plain["template"], plain["sure"]
    if not isinstance(groups, list) or not isinstance(template, str) or not isinstance(sure, int | float):
        raise TypeError
    read = tuple(Group(name=str(name), phrases=tuple(map(str, phrases))) for name, phrases in groups)
    return Vocabulary(groups=read, template=template, sure=float(sure))


def read_groups(text: str, called: str) -> tuple[Group, ...]:
    """Read groups: a line for each, "ground: on grass, on sand, on snow"; "#" begins a remark.

    Args:
        text: of the file.
        called: the file, for sentences.

    Raises:
        ConfigError: a line has another form, a group comes twice or has one phrase, or there are too many.
    """
    groups: dict[str, Group] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        name, colon, rest = (part.strip() for part in said.partition(":"))
        phrases = tuple(dict.fromkeys(" ".join(one.split()) for one in rest.split(",") if one.strip()))
        problem = _problem(name if colon else "", phrases, groups)
        if problem:
            message = f"line {number} of the vocabulary {brief(called, 80)!r} {problem}, but says {brief(line, 60)!r}"
            raise ConfigError(message)
        groups[name] = Group(name=name, phrases=phrases)
    count = sum(len(group.phrases) for group in groups.values())
    if not 0 < count <= MOST:
        message = (
            f"the vocabulary {brief(called, 80)!r} must hold groups such as 'ground: on grass, on sand', of at most "
        )
        raise ConfigError(f"{message}{MOST:,} phrases in all, but holds {count:,}")
    return tuple(groups.values())


def _problem(name: str, phrases: Sequence[str], before: Mapping[str, Group]) -> str:
    if not name or "=" in name or not name.isprintable() or len(name) > _LONGEST:
        return "must be a group, such as 'ground: on grass, on sand'"
    if name in before:
        return "must name each group once"
    if len({phrase.casefold() for phrase in phrases}) < max(len(phrases), 2):
        return "must have two phrases or more, which differ"
    if not all(phrase.isprintable() and len(phrase) <= _LONGEST for phrase in phrases):
        return f"must have printable phrases of at most {_LONGEST} characters"
    return ""
