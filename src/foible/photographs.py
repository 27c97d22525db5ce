"""Labelled photographs: what a run knows of each, and which half of the set it belongs to.

Comes in: photographs with their annotations, as a reader of files found them. Goes out: a `PhotographSet`, its text and
its split. Nothing here opens an image. Neighbours: `adapters/photographs/labelled.py` reads the files;
`draws/photograph.py` makes requests of them; `hunting/whole.py` hunts over them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from foible.errors import StoreError
from foible.identity import canonical
from foible.vocabulary import Vocabulary, vocabulary_of

SET_VERSION = 2
"""Raised when the meaning of a line changes."""
SPLIT_VERSION = 1
"""Raised when photographs are put into another order, and so split otherwise."""
NAME = "photographs.jsonl"
"""What the file is called in a run directory."""
LOOKALIKES = (
    "near-duplicates cannot be told: {count:,} of them look alike in small, too many for copies of one; each counts by "
    "itself unless all its pixels are the same as another's"
)
"""What is said where `PhotographSet.lookalikes` is not zero, of photographs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """One labelled photograph."""

    place: str
    """Where it stands in its set: a path inside the folder, or file and row. No two have the same."""
    image: str
    """Hash of its pixels. No two have the same."""
    label: str
    """Its annotation, as it stands in the set."""
    attributes: tuple[str, ...] = ()
    """What its columns say: "texture=elephant"."""
    caption: str = ""
    """What its caption says; empty without one."""
    truth: tuple[str, ...] = ()
    """Of the groups of a vocabulary that somebody checked here: what it truly shows, "ground=on grass"."""


@dataclass(frozen=True, kw_only=True)
class PhotographSet:
    """The photographs of a set, each different image once, and one of those that are near-duplicates."""

    photographs: tuple[Photograph, ...]
    """In the order of their places."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(why, how many) of those that are not in it: they could not be read, are copies, or have two annotations."""
    lookalikes: int = 0
    """So many look so much alike in small that near-duplicates cannot be told, and are not left out; else 0."""
    vocabulary: Vocabulary | None = None
    """By which an embedder gives further attributes; None for none."""

    @cached_property
    def digest(self) -> str:
        """Hash of everything that decides a result: 64 hexadecimal digits."""
        found = hashlib.sha256()
        for line in self.lines():
            found.update(line.encode())
        return found.hexdigest()

    def lines(self) -> Iterator[str]:
        """Write the set, a line of JSON for each photograph, behind one about the whole."""
        head = {"photographs": len(self.photographs), "left_out": self.left_out, "lookalikes": self.lookalikes}
        words = None if self.vocabulary is None else self.vocabulary.plain()
        yield canonical({**head, "vocabulary": words, "version": SET_VERSION}) + "\n"
        for one in self.photographs:
            yield canonical([one.place, one.image, one.label, one.attributes, one.caption, one.truth]) + "\n"

    @property
    def notes(self) -> tuple[str, ...]:
        """What ought to be known of the set before it is hunted over, a sentence each."""
        left = [f"photographs left out: {count:,} {why}" for why, count in self.left_out]
        return (*left, *([f"of the photographs {LOOKALIKES.format(count=self.lookalikes)}"] if self.lookalikes else []))

    def labels(self) -> Mapping[str, int]:
        """Count the photographs of each annotation, in the order of their names."""
        return dict(sorted(Counter(one.label for one in self.photographs).items()))

    def halves(self, seed: int) -> tuple[frozenset[int], frozenset[int]]:
        """Split the set: the numbers of the photographs that explore, and of those that test.

        Within each annotation photographs stand in the order of a hash of their pixels and the seed, and every other
        one tests; so both halves have the same share of each label, to one photograph.

        Args:
            seed: of the run; another one splits otherwise.
        """
        by_label: dict[str, list[int]] = {}
        for number in shuffled(self.photographs, seed):
            by_label.setdefault(self.photographs[number].label, []).append(number)
        explore = frozenset(number for own in by_label.values() for number in own[::2])
        return explore, frozenset(range(len(self.photographs))) - explore


def shuffled(photographs: Sequence[Photograph], seed: int) -> list[int]:
    """Put photographs into an order that says nothing of them: by a hash of their pixels and a seed."""
    ranks = [hashlib.blake2b(f"{SPLIT_VERSION}/{seed}/{one.image}".encode()).digest() for one in photographs]
    return sorted(range(len(photographs)), key=ranks.__getitem__)


def read_set(lines: Iterable[str]) -> PhotographSet:
    """Read what `PhotographSet.lines` wrote.

    Raises:
        StoreError: it is something else, or not whole.
    """
    try:
        found = iter(lines)
        head = json.loads(next(found))
        version = head["version"]
        if isinstance(version, int) and version != SET_VERSION:
            _refuse_version(version)
        read = tuple(_photograph(json.loads(line)) for line in found)
        whole = version == SET_VERSION and head["photographs"] == len(read)
        left_out = tuple((str(why), int(count)) for why, count in head["left_out"])
        lookalikes = int(head["lookalikes"])
        vocabulary = None if head["vocabulary"] is None else vocabulary_of(head["vocabulary"])
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        whole, read, left_out, lookalikes, vocabulary = False, (), (), 0, None
    if not whole:
        message = f"the file {NAME} of the run directory is damaged; name another --out, with the same archive"
        raise StoreError(message)
    return PhotographSet(photographs=read, left_out=left_out, lookalikes=lookalikes, vocabulary=vocabulary)


def _refuse_version(version: int) -> NoReturn:
    message = (
        f"another foible wrote {NAME} of the run directory, in its form {version}; this one reads form {SET_VERSION}"
    )
    raise StoreError(f"{message}: use the one that began the run, or name another --out")


def _photograph(line: list[Any]) -> Photograph:
    place, image, label, attributes, caption, truth = line
    if not all(isinstance(text, str) for text in (place, image, label, caption, *attributes, *truth)):
        raise TypeError
    return Photograph(
        place=place, image=image, label=label, attributes=tuple(attributes), caption=caption, truth=tuple(truth)
    )
