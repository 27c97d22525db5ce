"""Labelled photographs are loaded, and nothing is written among them.

Comes in: a config that names a source. Goes out: the part that reads it, and what it holds. Neighbours:
`prepare.py` makes a hunt over them ready; `act/seek.py` seeks bugs of drawn images there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foible.config import HuntConfig
from foible.draws.questions import EMBEDDER, GENERATOR
from foible.errors import ConfigError, brief
from foible.parts.ceiling import Ceiling
from foible.parts.fitting import reads_text
from foible.parts.protocols import HoldsPhotographs, offers
from foible.parts.registry import Part, load
from foible.photographs import PhotographSet


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
