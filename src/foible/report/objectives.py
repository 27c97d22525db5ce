"""What a page says of each objective of a guided search, in one table.

Comes in: a `Guidance`. Goes out: clauses and sentences. Neighbour: `guidance.py` puts them into its page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foible.report.words import count, shorten

if TYPE_CHECKING:
    from foible.guidance import Guidance

NO_RATE = (
    "None of these numbers is a failure rate of the classifier: the images were led. What they suggest is tested on "
    "draws that nobody led by foible hunt with --guide."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of one objective."""

    wanted: str
    """What was to be reached, as a clause."""
    reached: str
    """What images did that reached it: "failed"."""
    borne: str
    """What must be so for a find beside that, as a clause."""
    borne_in_them: str
    """The same of several images that were named before."""
    lost: str = "The others show something else by now, and are no mistakes."
    """What an image that reached the objective shows where it is not borne out."""
    survive: str = "survive the judge"
    survives: str = "survives the judge"
    """Heading of a column."""
    no_find: str = "the judge does not bear it out"
    lead: str = ""
    """A sentence for the head of the page; empty where what failing means stands there."""
    moved: str = (
        "One that hardly moved says that a change which nobody sees is enough; words may bring nothing of it back."
    )
    unseen: bool = False
    """Whether explored draws in which the judge does not see the label are told."""
    warning: str = NO_RATE
    """What all of it is not."""


def wording(found: Guidance) -> Wording:
    """Give the words of a search's objective."""
    return _WORDINGS[found.objective](found)


def _fail(found: Guidance) -> Wording:
    into = f" into {shorten(found.target, 60)}" if found.target else ""
    label = "the label" if len(found.labels) != 1 else shorten(found.labels[0].label.name, 60)
    return Wording(
        wanted=f"the {_first(found)}classifier fails{into}",
        reached=f"failed{into}",
        borne=f"the judge still sees {label}",
        borne_in_them=f"the judge still sees {label} in them",
    )


def _disagree(found: Guidance) -> Wording:
    own = _fail(found)
    into = own.reached.removeprefix("failed")
    return replace(
        own,
        wanted=f"the first classifier fails{into} and the second one does not",
        reached=f"failed{into} by the first classifier alone",
    )


def _spurious(found: Guidance) -> Wording:
    target = shorten(found.target, 60)
    return Wording(
        wanted=f"the {_first(found)}classifier says {target}",
        reached=f"were taken for {target}",
        borne=f"the judge sees no {target}",
        borne_in_them=f"the judge sees no {target} in them",
        lost=f"The others show {target} by now, and to call them so is no mistake.",
    )


def _neuron(found: Guidance) -> Wording:
    unit = unit_of(found)
    return replace(
        _fail(found),
        wanted=f"{unit} of the classifier is as high as they go",
        reached=f"raised {unit} above every explored draw",
        lost="The others show something else by now.",
    )


def _generator(found: Guidance) -> Wording:
    unseen = sum(one.explored.unfaithful for one in found.labels)
    judged = unseen + sum(one.explored.scored for one in found.labels)
    plain = f"In {unseen:,} of {count(judged, 'draw')} of base prompts that nobody led, the judge did not see the label"
    return Wording(
        wanted="the judge does not see the label in it",
        reached="lost their label in the eyes of the judge",
        borne="no classifier says the label, either",
        borne_in_them="no classifier says it of them, either",
        lost="Of the others a classifier says the label: whether they show it is open.",
        survive="are borne out",
        survives="no classifier says it",
        no_find="a classifier says the label",
        lead="The generator is looked at here, and no classifier led it.",
        moved="",
        unseen=True,
        warning=f"{plain}. These are errors of the generator, not of the classifier: none of them enters a failure "
        "rate, and those that were led to are no rate of the generator either.",
    )


def unit_of(found: Guidance) -> str:
    """Name the unit that is raised."""
    return shorten(str(found.settings["guide.unit"]), 80)


def _first(found: Guidance) -> str:
    return "first " if len(found.classifiers) > 1 else ""


_WORDINGS: Mapping[str, Callable[[Guidance], Wording]] = {
    "fail": _fail,
    "disagree": _disagree,
    "spurious": _spurious,
    "neuron": _neuron,
    "generator": _generator,
}
