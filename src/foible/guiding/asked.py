"""What a guided search is asked for in a few letters: a unit of a network, and terms that are weighed beside the goal.

Comes in: texts of the config. Goes out: records; nothing is loaded. Neighbours: `unit.py` and `terms.py` look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from foible.errors import ConfigError, brief, near
from foible.guiding.lpips import NETWORKS

KINDS: Mapping[str, str] = {
    "l1": "the mean difference from where the draw began, 0..1",
    "l2": "the root of the mean squared difference from there, 0..1",
    "lpips": "how far it looks from there, by LPIPS; lpips:alex, lpips:vgg",
    "embedder": "the cosine distance from there of the embedder's vectors, 0..2",
    "text": "the logit that the embedder gives the draw's prompt, or another text: text:WORDS",
    "class": "the log-probability of a class of the first classifier: class:NAME",
    "unit": "a unit of the first classifier: unit:LAYER:INDEX",
}
"""By name: what is weighed."""
_BARE = frozenset({"l1", "l2", "embedder"})
"""Kinds that take no argument."""
_NAMED = frozenset({"class", "unit"})
"""Kinds that want one."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A channel, or a number, of the output of a layer."""

    layer: str
    """As the network names it: "layer4", "encoder.stages.3"."""
    index: int


def read_unit(text: str) -> Unit:
    """Read "layer4:17".

    Raises:
        ConfigError: the text has no such form.
    """
    layer, colon, index = text.rpartition(":")
    if not (colon and layer and index.isascii() and index.isdigit()):
        message = f"the objective neuron wants a unit as LAYER:INDEX, such as --unit layer4:17, but got {brief(text)!r}"
        raise ConfigError(message)
    return Unit(layer, int(index))


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is weighed."""

    kind: str
    """One of `KINDS`."""
    argument: str
    """What stands behind the kind; may be empty."""
    weight: float
    """In units of the objective's logits; below 0 it is kept low, as a distance is for an image to stay near."""

    @property
    def needs_embedder(self) -> bool:
        """Whether an embedder is asked."""
        return self.kind in {"embedder", "text"}


def read_term(text: str) -> Term:
    """Read "l2=-20", "class:bucket=0.5" or "unit:layer4:17=1".

    Raises:
        ConfigError: the text has no such form.
    """
    name, equals, weight = text.rpartition("=")
    kind, _, argument = name.strip().partition(":")
    try:
        number = float(weight) if equals else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = f"a term wants NAME=WEIGHT, such as l2=-20, but got {brief(text)!r}"
        raise ConfigError(message)
    if kind not in KINDS:
        message = f"there is no term {brief(kind)!r}: {near(kind, tuple(KINDS))}"
        raise ConfigError(message)
    if (kind in _BARE and argument) or (kind in _NAMED and not argument):
        message = f"the term {kind} takes {'no argument' if argument else 'an argument'}, but got {brief(text)!r}"
        raise ConfigError(f"{message}; it weighs {KINDS[kind]}")
    if kind == "lpips" and (argument or NETWORKS[0]) not in NETWORKS:
        message = f"LPIPS has no network {brief(argument)!r}: {near(argument, NETWORKS)}"
        raise ConfigError(message)
    if kind == "unit":
        read_unit(argument)
    return Term(kind, argument, number)
