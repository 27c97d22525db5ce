"""What a run notes, in the order in which it happens: the types of the events of its journal.

Comes in: nothing. Goes out: frozen records that pydantic writes and reads; anything else in a journal is damage. What
an event says is enough to walk through the run again with the answers of the archive. Neighbour: `journal.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from foible.arms import Arm
from foible.records import ClassMap, Hypothesis, Label

VERSION = 2
"""Of what a journal may say. Raised when an event gets, loses or changes a field, or a new one comes; its first line is
sealed, and says this and the version of foible, in every version."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]


class _Event(BaseModel):
    """Frozen, and closed: a field that is not declared is damage."""

    # A score need not be finite.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants")


class Began(_Event):
    """The run, as it was set: everything that decides what is found."""

    event: Literal["began"] = "began"
    foible_version: str
    journal_version: int = VERSION
    settings: dict[str, Any]
    """Every config field that decides results or grows, by dotted name, without those of the parts."""
    parts: dict[str, dict[str, Any]]
    """By kind, but for the classifiers: spec, args, fingerprint, version."""
    classifiers: list[dict[str, Any]]
    """The same of each classifier."""
    maps: list[ClassMap]
    """Of each classifier."""
    labels: list[Label]
    probe: list[tuple[str, tuple[str, ...]]] | None
    """Label and words of each hypothesis that a probe was given; None for a hunt."""


class Grew(_Event):
    """Settings that may grow were raised."""

    event: Literal["grew"] = "grew"
    settings: dict[str, Any]


class Learned(_Event):
    """What the first unit of work that was judged told: until then nothing has an outcome."""

    event: Literal["learned"] = "learned"
    size: tuple[int, int]
    """(height, width) that every image must have."""
    classes: list[int | None]
    """How many classes each classifier scores; None where it names none and was not asked yet."""


class Block(_Event):
    """One label under one treatment, on several seeds, in one arm."""

    arm: Arm
    label: str
    words: tuple[str, ...]
    """Of the treatment."""
    seeds: tuple[Seed, ...] = Field(min_length=1)


class Checked(_Event):
    """Every part was asked about the same again, and gave the same answers, or others that may differ."""

    event: Literal["checked"] = "checked"


class Attempt(BaseModel):
    """One other way to ask a classifier."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    argument: str
    """As it is given; empty where the images' channels were exchanged."""
    named: int = Field(ge=0)
    """Images of which it said a right class."""


class Attempted(_Event):
    """A classifier that names few of the labels was asked about some of the pilot's images in other ways."""

    event: Literal["attempted"] = "attempted"
    classifier: int = Field(ge=0)
    images: int = Field(ge=0)
    named: int = Field(ge=0)
    """As it is."""
    attempts: list[Attempt]


class Asked(_Event):
    """Draws that an asker wants at once; noted before they are made, and then paid for."""

    event: Literal["asked"] = "asked"
    stage: str
    """Which asker."""
    classifier: int = 0
    """For which classifier, where each has an asker of its own."""
    about: dict[str, str] = {}
    """By label: what its draws are for, where the asker must know: the key of a failure that is followed."""
    blocks: list[Block] = Field(min_length=1)


class Tried(_Event):
    """Every hypothesis that counts in the multiplicity from here on, in order."""

    event: Literal["tried"] = "tried"
    hypotheses: list[Hypothesis]


class Lost(_Event):
    """Draws and answers that went wrong: key -> (reason, whether it was a fault of the moment)."""

    event: Literal["lost"] = "lost"
    faults: dict[str, tuple[str, bool]]


class Mended(_Event):
    """What was lost and has been had since."""

    event: Literal["mended"] = "mended"
    keys: list[str]


class Ended(_Event):
    """Everything was asked and answered: the run has a result, until something is noted that changes it."""

    event: Literal["ended"] = "ended"


class Worked(_Event):
    """How long each part took for how many items, in one call; decides nothing."""

    event: Literal["worked"] = "worked"
    spent: dict[str, tuple[int, float]]


Event = Annotated[
    Began | Grew | Learned | Checked | Attempted | Asked | Tried | Lost | Mended | Ended | Worked,
    Field(discriminator="event"),
]

Spent = Mapping[str, tuple[int, float]]
"""By part: items answered, and seconds taken."""
