"""The frozen records of what the first draws of a hunt showed: labels that are not drawn, parts that do not fit.

Comes in: nothing. Goes out: plain data, a part of a result. Neighbours: `findings.py` has the records of the rest;
`hunting/pilot.py` makes these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foible.records import kept


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotLabel:
    """What the judge said of the first draws of a label."""

    label: str
    draws: int
    judged: int
    """Different images that were judged, or of which the generator says itself that they do not show the label."""
    seen: int
    """Those of them that show the label."""
    absent: bool = False
    """Surely less than half of its images show it, so that nothing could be confirmed of it."""
    left_out: bool = False
    """It is absent, and is not hunted over for that reason (`pilot.misfit`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What would let a classifier name labels that it does not name as things are; said, and never applied."""

    classifier: int = 0
    """Place of the classifier among those of the run."""
    images: int
    """Different images of the pilot that show their label and that it was asked about."""
    named: int
    """Those for which it says a right class."""
    would: int
    """Those for which it would, were the hint true."""
    kind: Literal["shifted", "alphabetical", "order", "argument", "channels"]
    """shifted: each class stands `shift` places away. alphabetical: the classes stand in the order of their names.
    order: they stand in another order. argument: it would with another argument. channels: it would for images whose
    channels are in the order blue, green, red."""
    shift: int = 0
    classes: tuple[tuple[str, int], ...] = ()
    """(label, the class that it says for its images), of a list that is shifted or in another order."""
    argument: str = ""
    """As it is given: "channels=bgr"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What the first draws of exploration showed of the parts, before the hunt went on."""

    labels: tuple[PilotLabel, ...]
    crossed: int = 0
    """Images that show their label and were judged against another label, too."""
    crossed_seen: int = 0
    """Those in which the judge sees that other label as well."""
    tells_apart: bool = True
    """Whether the judge tells labels apart: it does not surely see the other label in more than half of them."""
    hints: tuple[Hint, ...] = ()

    @property
    def left_out(self) -> tuple[PilotLabel, ...]:
        """The labels that are not hunted over."""
        return tuple(one for one in self.labels if one.left_out)


kept(PilotLabel, Hint, Pilot)
