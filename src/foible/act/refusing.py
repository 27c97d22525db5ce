"""What a guided search does not take, in a sentence: before anything is drawn, and after the first draws.

Comes in: a config; draws that were explored. Goes out: nothing, or an error. Neighbour: `guide.py`, which asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from foible.config import HuntConfig
from foible.draws.questions import GENERATOR
from foible.errors import ConfigError, MisfitError, brief
from foible.hunting.study import Study
from foible.records import Answered

METHODS = (
    "select (any generator and classifier), noise, steer, embedding or evolve (generators whose noise can be moved)"
)
"""Ways to lead, for a sentence."""


def refuse(config: HuntConfig) -> None:
    """Refuse what can be told from the config alone.

    Raises:
        ConfigError: something that a guided search does not take, or lacks.
    """
    if config.guide.method == "none":
        message = f"a guided search wants a method, as --method: {METHODS}"
        raise ConfigError(message)
    if config.source.spec:
        message = "a guided search draws its images: name a --generator, and leave the source of photographs out"
        raise ConfigError(message)
    if config.budget is not None:
        message = "a guided search takes no budget: guide.draws and guide.steps say what it may cost; leave it out"
        raise ConfigError(message)
    if (config.guide.objective == "neuron") != bool(config.guide.unit):
        message = "the objective neuron, and no other, wants a unit: --objective neuron --unit layer4:17"
        raise ConfigError(message)
    if config.guide.objective == "spurious" and not config.failure.target:
        message = "the objective spurious wants the class that is to be raised, as --target 'coffee mug'"
        raise ConfigError(message)
    if config.guide.objective == "generator" and config.failure.target:
        message = "the objective generator is about no class of the classifier; leave --target out"
        raise ConfigError(message)


def refuse_unseen(explored: Sequence[Answered], study: Study) -> None:
    """Refuse a search of which no draw could be scored: the generator cannot draw the labels, or a part does not work.

    Raises:
        MisfitError: there is none.
    """
    outcomes = [one.outcomes[0] for one in explored]
    if any(one.status != "unscored" for one in outcomes):
        return
    reasons = [one.reason for one in outcomes]
    most = max(dict.fromkeys(reasons), key=reasons.count)
    generator = brief(study.identities[GENERATOR]["spec"])
    message = (
        f"none of {len(outcomes)} draws of {brief(', '.join(study.labels), 80)} by {generator} could be scored, mostly "
        f"for this reason: {most}; give labels that it can draw, another generator or another judge"
    )
    raise MisfitError(message)
