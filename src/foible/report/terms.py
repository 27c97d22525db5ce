"""What images are called: those that a generator drew, and photographs of a set.

Comes in: a result, or a finding of one. Goes out: words. Neighbour: `sentences.py` makes sentences of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foible.findings import Finding, HuntResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The words for one kind of source."""

    image: str
    """One image."""
    fresh: str
    """What tests a hypothesis."""
    treatment: str
    """What sets the images of a hypothesis apart."""
    treat: str
    """Where it holds."""
    control: str
    """Where it does not."""
    against: str
    """The same at the end of a sentence about rates."""
    base: str
    """Images whatever they show."""
    whole: str
    """The heading over them."""
    alone: str
    """How a label fails that needs no hypothesis."""
    source: str
    """Where the images come from."""
    failing: str
    """The heading over labels that fail so."""


DRAWS = Terms(
    image="draw",
    fresh="fresh draws",
    treatment="description",
    treat="with the description",
    control="without it",
    against="without the description, on the same seeds",
    base="Under its base prompt",
    whole="Under the base prompt",
    alone="Under the base prompt, without any description",
    source="the generator",
    failing="Failing by themselves, under the base prompt",
)
PHOTOGRAPHS = Terms(
    image="photograph",
    fresh="the half of the set that suggested none",
    treatment="attribute",
    treat="with the attribute",
    control="the label's others",
    against="of the label's other photographs",
    base="In this set",
    whole="The whole set",
    alone="Whatever else the photographs show",
    source="the photographs",
    failing="Failing by themselves, whatever else the photographs show",
)


OF_ANY = "of the other photographs"
"""Against what a finding about all labels stands."""


def terms(of: HuntResult | Finding) -> Terms:
    """Give the words for a result, or for a finding of one."""
    from foible.findings import Finding

    photographs = of.of_set if isinstance(of, Finding) else of.photographs
    return DRAWS if photographs is None else PHOTOGRAPHS
