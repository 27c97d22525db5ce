"""How an attribute of photographs is said to a generator: "ground=grass" becomes "grass".

Comes in: attributes as a run over photographs has them, and phrases that a person gives in their place. Goes out: a
phrase, or why there is none. A pure function. Neighbours: `drawing.py` has it drawn, `looking.py` looks for a phrase
among attributes by the same rule.

The rule: a phrase of a caption is said as it is. Of `column=value` the value is said, with blanks for underscores; of
`column=yes` (or true) the name of the column. Numbers, ranges of numbers, `no` and `false` say nothing to a generator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from foible.errors import ConfigError, brief, near

_YES, _NO = (
    frozenset({"yes", "true"}),
    frozenset({"no", "false", "none", "nan", "null", "unknown", "other", "n/a", "-"}),
)
_RANGE = re.compile(r"[-+.\deE]+ to [-+.\deE]+")
_LONGEST = 200


def read_phrases(texts: Sequence[str], attributes: Sequence[str]) -> dict[str, str]:
    """Read what a person says of attributes: "ground=grass=on grass".

    Args:
        texts: an attribute, "=", a phrase; what stands behind the last "=" is the phrase.
        attributes: those that may be said.

    Returns:
        Attribute -> phrase.

    Raises:
        ConfigError: a text has no such form, or names no such attribute.
    """
    found: dict[str, str] = {}
    for text in texts:
        attribute, equals, phrase = (part.strip() for part in text.rpartition("="))
        if not (equals and attribute and _usable(phrase)):
            message = f"a phrase is given as attribute=phrase, such as 'ground=grass=on grass', but got {brief(text)!r}"
            raise ConfigError(message)
        if attribute not in attributes:
            message = f"there is no attribute {brief(attribute, 80)!r} to be said as {brief(phrase, 80)!r}"
            raise ConfigError(f"{message}: {near(attribute, map(brief, attributes))}")
        found[attribute] = " ".join(phrase.split())
    return found


def said(attribute: str, given: Mapping[str, str]) -> str | None:
    """Give what is said of an attribute to a generator; None where nothing can be.

    Args:
        attribute: "ground=grass", or a phrase of a caption.
        given: attribute -> phrase, by a person.
    """
    if attribute in given:
        return given[attribute]
    column, equals, value = (part.strip() for part in attribute.partition("="))
    if not equals:
        return attribute if _usable(attribute) else None
    if value.casefold() in _YES:
        value = column
    elif value.casefold() in _NO or _RANGE.fullmatch(value):
        return None
    phrase = " ".join(value.replace("_", " ").split())
    return phrase if _usable(phrase) else None


def unsaid(attributes: Sequence[str]) -> str:
    """Say that some attributes cannot be said, and what to do."""
    one = brief(attributes[0], 80)
    return f"nothing can be said of {one!r} to a generator by itself; say it, as --phrase '{one}=WORDS'"


def _usable(phrase: str) -> bool:
    return phrase.isprintable() and len(phrase) <= _LONGEST and any(character.isalpha() for character in phrase)
