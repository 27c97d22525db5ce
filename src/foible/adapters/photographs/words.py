"""The vocabulary of a set of photographs: its file, and what columns say of it for some photographs.

Comes in: arguments of the plug-in, and rows of text. Goes out: a `Vocabulary`, and what photographs truly show.
Neighbours: `columns.py` reads what other columns mean; `foible.vocabulary` has the form of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foible.adapters.photographs.columns import line
from foible.errors import ArgumentError, ConfigError, brief, near
from foible.photographs import Photograph
from foible.vocabulary import PLACE, Group, Vocabulary, read_groups

_LARGEST = 1 << 20
"""Characters of a file of words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The vocabulary of a set, and which columns are its truth."""

    vocabulary: Vocabulary | None
    """None where none is named."""
    checked: Mapping[str, str]
    """Group -> column that says for some photographs what they truly show."""

    def plain(self) -> dict[str, object]:
        """Give both as arguments of the plug-in, for its identity."""
        words = None if self.vocabulary is None else self.vocabulary.plain()
        return {"vocabulary": words, "checked": dict(self.checked) or None}

    def others(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Give the columns that are no truth of a group."""
        return tuple(one for one in columns if one not in self.checked.values())

    def truth(self, row: Mapping[str, str]) -> tuple[str, ...]:
        """Give what a photograph truly shows of the groups that were checked for it: "ground=on grass"."""
        found = []
        for group in self._groups:
            value = line(row.get(self.checked[group.name], "")) if group.name in self.checked else ""
            if value:
                own = {phrase.casefold(): phrase for phrase in group.phrases}
                found.append(group.attribute(own.get(value.casefold(), value)))
        return tuple(found)

    def refuse_strangers(self, name: str, photographs: Sequence[Photograph]) -> None:
        """Refuse a column of truth that says none of the phrases of its group: its words are others.

        Raises:
            ArgumentError: there is one.
        """
        told = {attribute for photograph in photographs for attribute in photograph.truth}
        for group in self._groups:
            own = sorted(attribute for attribute in told if attribute.partition("=")[0] == group.name)
            if own and not set(own) & {group.attribute(phrase) for phrase in group.phrases}:
                column, phrase = brief(self.checked[group.name], 60), brief(group.phrases[0], 60)
                message = (
                    f"the column {column!r} of {brief(name)!r} says {brief(own[0], 60)!r}, but no phrase of the group "
                )
                raise ArgumentError(f"{message}{brief(group.name, 60)!r}, such as {phrase!r}; use the same words")

    @property
    def _groups(self) -> tuple[Group, ...]:
        return () if self.vocabulary is None else self.vocabulary.groups


def choose(name: str, columns: Sequence[str], file: object, checked: object, told: tuple[object, object]) -> Words:
    """Read the vocabulary of a set, and find its columns of truth.

    Args:
        name: of the set, for sentences.
        columns: of the set.
        file: the argument vocabulary; None for none.
        checked: the argument; None for the columns that are called as groups.
        told: the arguments template and sure.

    Raises:
        ArgumentError: an argument, or the file, cannot be used.
    """
    words = _read(name, file, *told)
    return Words(vocabulary=words, checked=_truths(name, words, checked, columns))


def _read(name: str, file: object, template: object, sure: object) -> Vocabulary | None:
    """Read the file of words; None where none is named."""
    if not isinstance(template, str) or template.count(PLACE) != 1:
        message = (
            f"the argument template of {brief(name)!r} is a text with one {PLACE}, but got {brief(repr(template), 60)}"
        )
        raise ArgumentError(message)
    if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1:
        message = f"the argument sure of {brief(name)!r} is a share from 0 to 1, but got {brief(repr(sure), 40)}"
        raise ArgumentError(message)
    if file is None:
        return None
    if not isinstance(file, str):
        message = f"the argument vocabulary of {brief(name)!r} names a text file, but got {brief(repr(file), 60)}"
        raise ArgumentError(message)
    try:
        with Path(file).expanduser().open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST)
        groups = read_groups(text, file)
    except (OSError, UnicodeDecodeError) as problem:
        message = f"the vocabulary {brief(file, 80)!r} of {brief(name)!r} cannot be read ({type(problem).__name__})"
        raise ArgumentError(f"{message}; name a text file") from None
    except ConfigError as problem:
        raise ArgumentError(str(problem)) from None
    return Vocabulary(groups=groups, template=template, sure=float(sure))


def _truths(name: str, words: Vocabulary | None, given: object, columns: Sequence[str]) -> dict[str, str]:
    """Say which column tells what some photographs truly show, by group."""
    groups = [group.name for group in words.groups] if words is not None else []
    if given is None:
        return {group: group for group in groups if group in columns}
    if not isinstance(given, Mapping) or not groups:
        message = (
            f"the argument checked of {brief(name)!r} goes with a vocabulary, and says for its groups which column "
        )
        raise ArgumentError(f"{message}is their truth, as {{ground: true_ground}}, but got {brief(repr(given), 60)}")
    for wanted, known in ((given.keys(), groups), (given.values(), columns)):
        strange = next((one for one in wanted if one not in known), None)
        if strange is not None:
            message = f"the argument checked of {brief(name)!r} names {brief(repr(strange), 60)}, which is none: "
            raise ArgumentError(message + near(str(strange), map(brief, known)))
    return {str(group): str(column) for group, column in given.items()}
