"""Where images come from beside a plain generator: labelled photographs, or a generator that classifiers lead.

Comes in: a config that names such a source. Goes out: the part, and what it holds; nothing is written among
photographs. Neighbours: `prepare.py` makes a hunt ready; `act/seek.py` seeks bugs of drawn images in photographs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from foible.arms import ARMS
from foible.budget import explored_each, foretold
from foible.config import HuntConfig
from foible.draws.questions import EMBEDDER, GENERATOR, JUDGE, classifier
from foible.draws.request import prompt
from foible.errors import ConfigError, brief
from foible.parts.ceiling import Ceiling
from foible.parts.fitting import reads_text
from foible.parts.protocols import HoldsPhotographs, offers
from foible.parts.registry import Part, load
from foible.photographs import PhotographSet
from foible.records import ClassMap, Label

ALONE = frozenset({"spurious", "neuron", "generator"})
"""Objectives that lead to no failure of a label."""


def load_source(config: HuntConfig, ceiling: Ceiling) -> tuple[Part, PhotographSet]:
    """Load the photographs in the place of a generator.

    Raises:
        ConfigError: the source holds none.
        PluginError: it cannot be read.
    """
    source = load(GENERATOR, config.source.spec, config.source.args, ceiling=ceiling)
    if not offers(source.object, HoldsPhotographs):
        message = f"the source {brief(config.source.spec)!r} holds no labelled photographs; name them as photos:DIR"
        raise ConfigError(message)
    return source, source.object.photographs


def refuse_unread(photographs: PhotographSet, parts: Mapping[str, Part]) -> None:
    """Refuse a vocabulary that nobody reads.

    Raises:
        ConfigError: there is no embedder that reads text.
    """
    embedder = parts.get(EMBEDDER)
    if photographs.vocabulary is not None and (embedder is None or not reads_text(embedder)):
        what = "there is none" if embedder is None else f"{brief(embedder.identity['spec'], 80)} embeds images alone"
        message = f"a vocabulary needs an embedder that reads text, but {what}; name one such as CLIP, by --embedder"
        raise ConfigError(message)


def refuse_among(config: HuntConfig, folders: Mapping[str, Path]) -> None:
    """Refuse folders among the photographs: nothing is written beside them.

    Args:
        config: names the source.
        folders: by the flag that names another.

    Raises:
        ConfigError: one of them lies there.
    """
    place = Path(config.source.spec.partition(":")[2]).expanduser()
    if not config.source.spec or not place.is_dir():
        return
    for name, folder in folders.items():
        if folder.resolve().is_relative_to(place.resolve()):
            message = f"the folder {brief(folder)!r} lies among the photographs, where nothing is written; name another"
            raise ConfigError(f"{message} --{name}")


def refuse_unfollowed(config: HuntConfig, *, alone: bool) -> None:
    """Refuse a guide where its draws would be counted, where nothing is drawn, or where they are not led to fail.

    Args:
        config: of a hunt, or of a guided search.
        alone: whether it is of a guided search, which follows nothing.

    Raises:
        ConfigError: it is one.
    """
    if config.guide.method != "none" and config.guide.objective in ALONE and not alone:
        message = f"a hunt follows failures, and the objective {config.guide.objective} leads to none; use foible guide"
        raise ConfigError(message)
    if config.guide.method != "none" and (config.describe.method != "follow" or config.source.spec):
        message = "guide.method wants drawn images and describe.method follow: what is guided is followed, not counted"
        raise ConfigError(message)


def guide_of(config: HuntConfig, parts: Mapping[str, Part], labels: Sequence[Label], maps: Sequence[ClassMap]) -> Part:
    """Put together the generator that the classifiers of a run lead.

    Raises:
        ConfigError: the budget cannot pay for it.
        PluginError: its generator or a classifier cannot be guided so.
    """
    from foible.guiding.generator import Onlookers, guided  # which brings torch

    _must_pay(config, len(labels))
    own = [(parts[classifier(place)], classes) for place, classes in enumerate(maps)]
    prompts = {label.name: prompt(label, config.explore.template) for label in labels}
    onlookers = Onlookers(parts[JUDGE], {label.name: label for label in labels}, parts.get(EMBEDDER))
    return guided(parts[GENERATOR], own, prompts, config.guide, onlookers)


def _must_pay(config: HuntConfig, labels: int) -> None:
    """Refuse a budget that leaves no label a guided draw.

    Raises:
        ConfigError: it is too small.
    """
    explored = labels * explored_each(config.explore.draws, labels, config.budget)
    least = labels * config.guide.steps
    if foretold("guide", least, explored, config.budget) < least:
        enough = explored + math.ceil(least / ARMS["guide"].share)
        message = (
            f"a budget of {config.budget} draws cannot pay for a guided draw of {config.guide.steps} images of each of "
            f"{labels} labels; give at least {enough}, or fewer guide.steps"
        )
        raise ConfigError(message)
