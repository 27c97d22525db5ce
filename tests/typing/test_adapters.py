"""Every adapter fits the protocol of its kind: mypy checks the signatures here, and the tests that nothing is missing.

`mypy` reads this file with `--strict`: a factory stands in the table of its kind only if what it makes has the method
of that kind, with the arguments and the answer that `protocols.py` tells.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping

import pytest

from foible.adapters import diorama
from foible.adapters.diffusers.generator import DiffusersGenerator
from foible.adapters.files.litert import LiteRTClassifier
from foible.adapters.files.onnx import OnnxClassifier
from foible.adapters.files.torch import TorchClassifier
from foible.adapters.photographs.annotation import Annotation
from foible.adapters.photographs.generator import FolderGenerator
from foible.adapters.photographs.labelled import LabelledPhotographs
from foible.adapters.servers.captioner import OpenAICaptioner
from foible.adapters.servers.classifier import HttpClassifier
from foible.adapters.servers.generator import OpenAIImages
from foible.adapters.timm.classifier import TimmClassifier
from foible.adapters.timm.embedder import TimmEmbedder
from foible.adapters.transformers.captioner import TransformersCaptioner
from foible.adapters.transformers.classifier import TransformersClassifier, classifier
from foible.adapters.transformers.clip_judge import ClipJudge
from foible.adapters.transformers.embedder import TransformersEmbedder
from foible.adapters.transformers.vlm_judge import VlmJudge
from foible.parts.ensemble import EnsembleJudge
from foible.parts.families import BUILT_IN, REMOTE
from foible.parts.protocols import (
    Captioner,
    Classifier,
    CountsRequests,
    Embedder,
    EmbedsTexts,
    Generator,
    Judge,
    Trainable,
    offers,
)
from foible.parts.registry import METHODS

GENERATORS: Mapping[str, Callable[..., Generator]] = {
    "diffusers": DiffusersGenerator,
    "diorama": diorama.Scenes,
    "folder": FolderGenerator,
    "openai-images": OpenAIImages,
    "photos": LabelledPhotographs,
}
CLASSIFIERS: Mapping[str, Callable[..., Classifier]] = {
    "diorama": diorama.classifier,
    "http": HttpClassifier,
    "litert": LiteRTClassifier,
    "onnx": OnnxClassifier,
    "timm": TimmClassifier,
    "torch": TorchClassifier,
    "transformers": classifier,
}
CAPTIONERS: Mapping[str, Callable[..., Captioner]] = {
    "diorama": diorama.captioner,
    "openai": OpenAICaptioner,
    "transformers": TransformersCaptioner,
}
EMBEDDERS: Mapping[str, Callable[..., Embedder]] = {
    "diorama": diorama.embedder,
    "timm": TimmEmbedder,
    "transformers": TransformersEmbedder,
}
JOINT: Mapping[str, Callable[..., EmbedsTexts]] = {
    "diorama": diorama.embedder,
    "transformers": TransformersEmbedder,
}
JUDGES: Mapping[str, Callable[..., Judge]] = {
    "annotation": Annotation,
    "clip": ClipJudge,
    "diorama": diorama.judge,
    "ensemble": EnsembleJudge,
    "vlm": VlmJudge,
}
TRAINED: Mapping[str, Callable[..., Trainable]] = {
    "diorama": diorama.classifier,
    "timm": TimmClassifier,
    "torch": TorchClassifier,
    "transformers": TransformersClassifier,
}
"""Families whose classifiers can be trained."""
COUNTED: Mapping[str, Callable[..., CountsRequests]] = {
    "ensemble": EnsembleJudge,
    "http": HttpClassifier,
    "openai": OpenAICaptioner,
    "openai-images": OpenAIImages,
}

TABLES: Mapping[str, Mapping[str, Callable[..., object]]] = {
    "generator": GENERATORS,
    "classifier": CLASSIFIERS,
    "captioner": CAPTIONERS,
    "embedder": EMBEDDERS,
    "judge": JUDGES,
}
ELSEWHERE = {"python"}
"""Families whose parts are somebody's own."""


@pytest.mark.parametrize("kind", TABLES)
def test_every_adapter_is_in_the_table_that_is_checked(kind: str) -> None:
    """The tables above hold every built-in family of each kind, and the very factory that the registry calls."""
    assert TABLES[kind].keys() == BUILT_IN[kind].keys() - ELSEWHERE
    for family, factory in TABLES[kind].items():
        module, _, attribute = BUILT_IN[kind][family].partition(":")
        assert getattr(importlib.import_module(module), attribute) is factory


@pytest.mark.parametrize(("kind", "family"), [(kind, family) for kind, table in TABLES.items() for family in table])
def test_every_adapter_has_the_method_of_its_kind(kind: str, family: str) -> None:
    """A class has the one method of its kind, with the protocol's arguments; a function says what it makes."""
    factory = TABLES[kind][family]
    if not inspect.isclass(factory):
        assert inspect.signature(factory).return_annotation is not inspect.Signature.empty
        return
    name, given = METHODS[kind]
    assert tuple(inspect.signature(getattr(factory, name)).parameters) == ("self", *given)


def test_whoever_asks_a_server_can_be_limited() -> None:
    """Each family that asks a server, and the ensemble, takes a ceiling of requests."""
    assert COUNTED.keys() == REMOTE | {"ensemble"}
    for factory in COUNTED.values():
        assert inspect.isclass(factory)
        assert offers(factory, CountsRequests)


def test_whoever_can_be_trained_is_in_the_table() -> None:
    """Each class above has the names of the protocol, and no other classifier has them."""
    named = {"TimmClassifier", "TorchClassifier", "TransformersClassifier"}
    every = [*CLASSIFIERS.values(), *TRAINED.values()]
    assert {str(getattr(one, "__name__", "")) for one in every if offers(one, Trainable)} == named
    assert inspect.signature(diorama.classifier).return_annotation == "TransformersClassifier"
