"""The diorama's own generator and models, under names that need no path.

Comes in: a name such as `biased-resnet`. Goes out: the part. Nothing here is special to them: the weights go through
the `transformers` adapters of this folder, as anybody's would. Neighbour: `foible.diorama` is the world itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.diorama.models import NAMES, weights
from foible.errors import PluginError, brief, near

if TYPE_CHECKING:
    from pathlib import Path

    from foible.adapters.transformers.captioner import TransformersCaptioner
    from foible.adapters.transformers.classifier import TransformersClassifier
    from foible.adapters.transformers.clip_judge import ClipJudge
    from foible.adapters.transformers.embedder import TransformersEmbedder
    from foible.records import Drawn, Label

_SCENES = "scenes"


def names(kind: str) -> tuple[str, ...]:
    """List the names of one kind."""
    fixed = {"generator": (_SCENES,), "captioner": ("captioner",), "embedder": ("embedder",), "judge": ("judge",)}
    return fixed[kind] if kind in fixed else tuple(name for name in NAMES if name not in {"captioner", "embedder"})


def missing(kind: str, name: str) -> str:
    """Say what to do before a name can be used; nothing where it is ready."""
    model = "embedder" if kind == "judge" else name
    ready = kind == "generator" or (weights(model) / "config.json").is_file()
    return "" if ready else f"{weights(model)} is empty: install foible again, or train it anew"


class Scenes:
    """The diorama's generator, with what decides its pixels."""

    def __init__(self, name: str, *, size: int = 64) -> None:
        """Draw scenes of `size` by `size` pixels."""
        _known("generator", name)
        import numpy as np

        from foible.diorama.generator import WORLD_VERSION, DioramaGenerator
        from foible.diorama.vocabulary import LABELS

        self._world = DioramaGenerator(size=size)
        self.fingerprint = f"world {WORLD_VERSION}"
        self.resolved = {"size": size}
        self.version = f"numpy {np.__version__}"
        self.drawable = tuple(label.name for label in LABELS)

    def can_draw(self, label: Label) -> bool:
        """Tell whether a label is one of its objects, by its name or a synonym, with no word that it does not know."""
        from foible.diorama.grammar import parse

        heard = parse(label.name)
        return heard.label is not None and not heard.ignored

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn]:
        """Draw one image for each prompt and seed."""
        return self._world.draw(prompts, seeds)


def classifier(name: str, *, device: str | None = None) -> TransformersClassifier:
    """Load the reference classifier or a biased one."""
    folder = _folder("classifier", name, name)
    from foible.adapters.transformers import models as shared
    from foible.adapters.transformers.classifier import TransformersClassifier

    return TransformersClassifier(shared.source(str(folder), device=device))


def captioner(name: str, *, max_new_tokens: int = 40, device: str | None = None) -> TransformersCaptioner:
    """Load the captioner."""
    folder = _folder("captioner", name, name)
    from foible.adapters.transformers.captioner import TransformersCaptioner

    return TransformersCaptioner(str(folder), max_new_tokens=max_new_tokens, device=device)


def embedder(name: str, *, device: str | None = None) -> TransformersEmbedder:
    """Load the joint embedder of images and texts."""
    folder = _folder("embedder", name, name)
    from foible.adapters.transformers.embedder import TransformersEmbedder

    return TransformersEmbedder(str(folder), device=device)


def judge(
    name: str, *, contrasts: Sequence[str] | None = None, threshold: float | None = None, device: str | None = None
) -> ClipJudge:
    """Load the judge: the embedder, with the threshold that was set for it and every diorama label as contrast."""
    folder = _folder("judge", name, "embedder")
    from foible.adapters.transformers.clip_judge import ClipJudge
    from foible.diorama.vocabulary import LABELS

    settings: dict[str, Any] = json.loads((folder / "judge.json").read_text(encoding="utf-8"))
    return ClipJudge(
        str(folder),
        contrasts=[label.name for label in LABELS] if contrasts is None else contrasts,
        threshold=settings["margin"] if threshold is None else threshold,
        device=device,
        **({"template": settings["template"]} if "template" in settings else {}),
    )


def _known(kind: str, name: str) -> None:
    if name not in names(kind):
        message = f"no {kind} is called 'diorama:{brief(name)}'; {near(name, names(kind))}"
        raise PluginError(message)


def _folder(kind: str, name: str, model: str) -> Path:
    _known(kind, name)
    lack = missing(kind, name)
    if lack:
        message = f"'diorama:{name}' has no weights: {lack}"
        raise PluginError(message)
    return weights(model)
