"""Which cells of the image may change, and in which order: by what the user asks for.

Comes in: an image, a classifier, a generator. Goes out: a region. Neighbours: `foible.counterfactual.regions` makes
masks; `explain.py` lets them grow.

What the classifier goes by is no sign of where the object is: one with a shortcut goes by the background. So the object
is found by the generator: it is where an image would change were it drawn for another label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from foible.act.explain.subject import Subject, class_said
from foible.act.explain.wanted import Wanted
from foible.counterfactual.attribution import Attribution, attribute
from foible.counterfactual.regions import Region, by_cell, object_of
from foible.errors import ConfigError, PartError, PluginError, brief
from foible.labels import split_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.guiding.aim import Aim

OTHERS = 3
"""Labels that the image's own is contrasted with."""
SEEDS = (1, 2, 3, 4)
"""Of the noise in which prompts are contrasted."""
_LEAST = 4
"""Cells that a region must have."""


def prepared_region(
    wanted: Wanted, subject: Subject, aim: Aim
) -> tuple[Region | None, Literal["gradients", "occlusion", ""]]:
    """Give the cells that may change, in their order, and how that was found; no region where chance decides.

    Raises:
        ConfigError: the object does not stand out, or leaves no background.
        PluginError: gradients are wanted of a classifier that has none, or they are not finite.
    """
    if wanted.where == "random":
        return None, ""
    how: Attribution = wanted.search.attribution or ("gradients" if subject.differentiable else "occlusion")
    try:
        numbers = attribute(subject.sight, subject.image, aim, how)
    except FloatingPointError as error:
        raise PluginError(str(error)) from error
    cell = subject.generator.cell
    ranking = by_cell(numbers, cell)
    allowed = np.ones(ranking.shape, bool)
    if wanted.where != "attribution":
        cells = _object(subject, cell)
        allowed = cells if wanted.where == "object" else ~cells
    if int(allowed.sum()) < _LEAST:
        message = f"the {wanted.where} is less than {_LEAST} cells of {cell} pixels a side; explain by attribution"
        raise ConfigError(message)
    return Region(ranking=ranking, allowed=allowed, cell=cell), how


def _object(subject: Subject, cell: int) -> NDArray[np.bool_]:
    """Say which cells show the object."""
    own = subject.label.name
    scores = subject.sight.exact([subject.image])[0]
    order = [*subject.wanted, *(int(place) for place in scores.argsort(descending=True))]
    names = [split_name(class_said(place, subject.names))[0] for place in order if place not in subject.right]
    found: list[NDArray[np.float32]] = []
    problem = ""
    for name in dict.fromkeys(names):
        if len(found) == OTHERS:
            break
        try:
            found.append(subject.generator.contrast(own, name, SEEDS, subject.image))
        except PartError as error:
            problem = str(error)
    if not found:
        message = f"the object cannot be found, since the generator draws no other label ({brief(problem, 120)}); "
        raise ConfigError(message + "explain by attribution")
    cells = object_of(np.sum(found, axis=0), cell)
    if cells is None:
        message = f"no object stands out as {brief(own, 60)} in this image; is that what it shows? name its --label, "
        raise ConfigError(message + "or explain by attribution")
    return cells
