"""A guided generator: it draws for a prompt and a seed what a classifier gets wrong, and is else a generator like any.

Comes in: a generator, the classifiers that guide, what is to be reached. Goes out: a part of the kind generator, whose
identity covers all of that: so the archive, resume and verification know its images as those of any other. Neighbours:
`select.py`, `noise.py`, `steer.py`, `embedding.py` and `evolve.py` are the methods; `search/guided.py` asks for draws.

Its images are no draws of what the prompt stands for: they suggest, and prove nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from foible.config import GuideOptions
from foible.errors import ConfigError, FoibleError, PartError, PluginError, brief
from foible.guiding.aim import aim_of
from foible.guiding.asked import Term, read_term, read_unit
from foible.guiding.judged import WITHOUT, Unseen
from foible.guiding.objective import Goal, Objective
from foible.guiding.sight import Sight
from foible.guiding.unit import Activation
from foible.identity import digest
from foible.parts.members import members_of
from foible.parts.protocols import ReadsText, StartsFromNoise, offers
from foible.parts.registry import Part
from foible.records import ClassMap, Drawn, Label

VERSION = 1
"""Raised when a method gives other images of the same noise."""
_METHODS = {"noise": "Noise", "steer": "Steer", "embedding": "Embedding", "evolve": "Evolve"}

_GRADIENTS = frozenset({"noise", "steer", "embedding"})
"""Methods that want gradients of the classifiers."""


class Method(Protocol):
    """One way to search."""

    def search(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Search for n images."""
        ...


class Guided:
    """Draws what a classifier gets wrong."""

    def __init__(self, method: Method) -> None:
        """Draw by a method."""
        self._method = method

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn | PartError]:
        """Draw one image for each prompt and seed.

        Raises:
            PartError: the search broke down, such as at a gradient that is not finite.
        """
        try:
            return self._method.search(prompts, seeds)
        except FoibleError:
            raise
        except FloatingPointError as error:
            raise PartError(str(error)) from error


class Onlookers(NamedTuple):
    """Who else looks at an image, beside the classifiers."""

    judge: Part
    labels: Mapping[str, Label]
    """By name: what the judge is asked about."""
    embedder: Part | None = None


def guided(
    generator: Part,
    classifiers: Sequence[tuple[Part, ClassMap]],
    prompts: Mapping[str, str],
    options: GuideOptions,
    onlookers: Onlookers | None = None,
) -> Part:
    """Put together a guided generator.

    Args:
        generator: what it draws with.
        classifiers: those under test, each with what its classes mean; the first one guides, and for "disagree" the
            second, which should be right.
        prompts: by label, its base prompt.
        options: method, objective and numbers.
        onlookers: whose judge guides for the objective "generator", in which no classifier has a part, and whose
            embedder some terms ask.

    Raises:
        PluginError: generator or classifier cannot be guided by this method; the sentence names those that can.
        ConfigError: a term or a unit that cannot be.
    """
    terms = _terms(options)
    if options.objective == "generator":
        return _misdrawing(generator, prompts, options, onlookers)
    wanted = 2 if options.objective == "disagree" else 1
    if len(classifiers) < wanted:
        message = "the objective disagree wants two classifiers, of which the second should be right: name a second one"
        raise PluginError(message)
    own, embedder = classifiers[:wanted], onlookers.embedder if onlookers is not None else None
    goals = [
        Goal(
            sight=Sight(part),
            aims={text: aim_of(classes, label) for label, text in prompts.items()},
            fails=number == 0,
        )
        for number, (part, classes) in enumerate(own)
    ]
    unit = read_unit(options.unit) if options.objective == "neuron" else None
    objective = Objective(goals) if unit is None else Activation(own[0][0], unit)
    if terms:
        from foible.guiding.terms import Terms

        _refuse_own_judge(terms, onlookers)
        objective.pull = Terms(terms, own[0], embedder)
    method = _method(generator, objective, options)
    if options.method in _GRADIENTS:
        for goal in goals:
            goal.sight.differentiable()
    decides: dict[str, object] = {
        "generator": generator.identity,
        "classifiers": [part.identity for part, _ in own],
        "right": [[dict(classes.right), classes.top, list(classes.target)] for _, classes in own],
        "prompts": dict(prompts),
    }
    if embedder is not None and any(one.needs_embedder for one in terms):
        decides["embedder"] = embedder.identity
    more = {"unit": options.unit} if unit is not None else {}
    return _part(method, options, decides, more | ({"terms": list(options.terms)} if terms else {}))


def _terms(options: GuideOptions) -> list[Term]:
    """Read the terms, and refuse them where nothing is moved by them.

    Raises:
        ConfigError: a term that cannot be, or has no part in this search.
    """
    terms = [read_term(text) for text in options.terms]
    if terms and options.method == "select":
        message = "guide.terms move an image, and select moves none: guide by another method, or leave the terms out"
        raise ConfigError(message)
    if terms and options.objective == "generator":
        message = "the objective generator takes no terms, which ask classifiers and embedders; leave guide.terms out"
        raise ConfigError(message)
    return terms


def _refuse_own_judge(terms: Sequence[Term], onlookers: Onlookers | None) -> None:
    """Refuse a text that is read by what the judge is made of: it would say of itself that a find shows its label.

    Raises:
        ConfigError: it is.
    """
    if onlookers is None or onlookers.embedder is None or not any(one.kind == "text" for one in terms):
        return
    for member in (onlookers.judge, *members_of(onlookers.judge.object)):
        if member.identity["fingerprint"] == onlookers.embedder.identity["fingerprint"]:
            message = (
                f"the term text asks the embedder {brief(onlookers.embedder.identity['spec'])}, of whose weights the "
                f"judge {brief(member.identity['spec'])} is made: it would judge what it led to; name another of either"
            )
            raise ConfigError(message)


def _misdrawing(
    generator: Part, prompts: Mapping[str, str], options: GuideOptions, onlookers: Onlookers | None
) -> Part:
    """Put together one that draws what a judge does not see."""
    if onlookers is None:
        message = "the objective generator wants a judge that says what an image shows: name one"
        raise PluginError(message)
    if options.method in _GRADIENTS:
        raise PluginError(WITHOUT)
    labels = {text: onlookers.labels[name] for name, text in prompts.items()}
    decides = {
        "generator": generator.identity,
        "judge": onlookers.judge.identity,
        "labels": {text: [label.name, label.kind] for text, label in labels.items()},
    }
    return _part(_method(generator, Unseen(onlookers.judge, labels), options), options, decides, {})


def _part(method: Method, options: GuideOptions, decides: object, more: Mapping[str, object]) -> Part:
    own: dict[str, Any] = {"objective": options.objective, "steps": options.steps, "rate": options.rate, **more}
    identity = {
        "spec": f"guide:{options.method}",
        "args": own,
        "fingerprint": digest(decides),
        "version": f"guide {VERSION}",
    }
    return Part("generator", Guided(method), identity)


def _method(generator: Part, objective: Objective, options: GuideOptions) -> Method:
    if options.method == "select":
        from foible.guiding.select import Select

        return Select(generator=generator, objective=objective, steps=options.steps)
    source = generator.object
    spec = brief(str(generator.identity["spec"]))
    if not offers(source, StartsFromNoise):
        message = f"the generator {spec} shows no noise that could be moved; guide by select, which needs none"
        raise PluginError(message)
    if options.method == "steer" and source.unsteerable:
        message = f"the generator {spec} cannot be guided step by step: {source.unsteerable}; guide by noise or select"
        raise PluginError(message)
    if options.method == "embedding" and (not offers(source, ReadsText) or source.unreadable):
        why = source.unreadable if offers(source, ReadsText) else "it shows no text embedding that could be moved"
        message = f"the generator {spec} cannot be guided by embedding: {why}; guide by noise or select"
        raise PluginError(message)
    try:
        made = getattr(importlib.import_module(f"foible.guiding.{options.method}"), _METHODS[options.method])
    except ModuleNotFoundError as error:
        message = f"guiding by {options.method} wants the package {error.name}: pip install 'foible[guide]'"
        raise PluginError(message) from error
    method: Method = made(generator=source, objective=objective, steps=options.steps, rate=options.rate)
    return method
