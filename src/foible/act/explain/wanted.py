"""What is to be explained, and how: everything a user can say, checked.

Comes in: values. Goes out: one frozen record. Neighbours: `subject.py` loads what it names, `explain.py` does it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from foible.counterfactual.attribution import Attribution
from foible.counterfactual.search import Guidance
from foible.errors import ConfigError, brief, near
from foible.explaining import RATES, STRENGTHS, Search, Where
from foible.guiding.lpips import Network
from foible.layers import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GENERATOR = "diffusers:diorama"
"""What repaints where no generator is named, and the run has none that could."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be explained, and how."""

    what: Path | NDArray[np.uint8]
    """An image file, the directory of a run, or an image."""
    to: str = ""
    label: str = ""
    finding: int | None = None
    draw: str = ""
    where: Where = "attribution"
    search: Search = field(default_factory=Search)
    code: bool = False
    layers: Sequence[Layer] = ()
    """Fields of the config: parts, seed, out, archive; later ones win."""
    objects: Mapping[str, Any] = field(default_factory=dict)
    """Kind -> an object in the place of a spec."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: a value that the field does not take.
        """
        own = self.search
        words = (("where", self.where, Where), ("attribution", own.attribution, Attribution))
        for name, given, kind in (*words, ("guidance", own.guidance, Guidance), ("lpips", own.lpips, Network)):
            if given is not None and given not in get_args(kind):
                message = f"{name} is one of a few words, but got {brief(repr(given), 40)}: "
                raise ConfigError(message + near(str(given), get_args(kind)))
        if isinstance(own.seeds, bool) or not isinstance(own.seeds, int) or not 1 <= own.seeds <= _MOST:
            message = f"seeds is a whole number from 1 to {_MOST}, but got {brief(repr(own.seeds), 40)}"
            raise ConfigError(message)
        if own.strength is not None and not (_number(own.strength) and 0 < own.strength <= 1):
            message = f"strength is a number above 0 and at most 1, but got {brief(repr(own.strength), 40)}"
            raise ConfigError(message)
        if not all(_number(one) and 0 < one <= _STRONGEST for one in own.rates):
            message = f"a rate is a number above 0 and at most {_STRONGEST}, but got "
            raise ConfigError(message + brief(repr(list(own.rates)), 60))

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths, chosen or by default."""
        return STRENGTHS[self.where] if self.search.strength is None else (self.search.strength,)

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates, chosen or by default."""
        return tuple(self.search.rates) or RATES[self.where]

    @property
    def options(self) -> dict[str, object]:
        """What decides the images beside parts, image and labels, as JSON-able values."""
        return {
            "where": self.where,
            "seeds": self.search.seeds,
            "strengths": list(self.strengths),
            "rates": list(self.rates),
            "control": self.search.control,
            "thin": self.search.thin,
            "lpips": self.search.lpips,
            "resize": self.search.resize,
        }


_MOST, _STRONGEST = 1000, 10


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
