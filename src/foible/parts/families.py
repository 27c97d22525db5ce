"""The families of plug-ins that ship with foible: where each is made, what it needs, how its specs look.

Comes in: nothing. Goes out: tables that `registry.py` reads. Everything here is a name; nothing is imported.
"""

from __future__ import annotations

from collections.abc import Mapping

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "generator": {
        "diffusers": "foible.adapters.diffusers.generator:DiffusersGenerator",
        "diorama": "foible.adapters.diorama:Scenes",
        "folder": "foible.adapters.photographs.generator:FolderGenerator",
        "openai-images": "foible.adapters.servers.generator:OpenAIImages",
        "photos": "foible.adapters.photographs.labelled:LabelledPhotographs",
        "python": "foible.adapters.python:find",
    },
    "classifier": {
        "diorama": "foible.adapters.diorama:classifier",
        "http": "foible.adapters.servers.classifier:HttpClassifier",
        "litert": "foible.adapters.files.litert:LiteRTClassifier",
        "onnx": "foible.adapters.files.onnx:OnnxClassifier",
        "python": "foible.adapters.python:find",
        "timm": "foible.adapters.timm.classifier:TimmClassifier",
        "torch": "foible.adapters.files.torch:TorchClassifier",
        "transformers": "foible.adapters.transformers.classifier:classifier",
    },
    "captioner": {
        "diorama": "foible.adapters.diorama:captioner",
        "openai": "foible.adapters.servers.captioner:OpenAICaptioner",
        "python": "foible.adapters.python:find",
        "transformers": "foible.adapters.transformers.captioner:TransformersCaptioner",
    },
    "embedder": {
        "diorama": "foible.adapters.diorama:embedder",
        "python": "foible.adapters.python:find",
        "timm": "foible.adapters.timm.embedder:TimmEmbedder",
        "transformers": "foible.adapters.transformers.embedder:TransformersEmbedder",
    },
    "judge": {
        "annotation": "foible.adapters.photographs.annotation:Annotation",
        "clip": "foible.adapters.transformers.clip_judge:ClipJudge",
        "diorama": "foible.adapters.diorama:judge",
        "ensemble": "foible.parts.ensemble:EnsembleJudge",
        "python": "foible.adapters.python:find",
        "vlm": "foible.adapters.transformers.vlm_judge:VlmJudge",
    },
}
"""Per kind: family -> "module:attribute" of a factory that is called as `factory(name, **args)`."""

NEEDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "clip": ("", ("torch", "transformers")),
    "http": ("http", ("httpx2",)),
    "diffusers": ("diffusers", ("diffusers", "accelerate", "peft")),
    "folder": ("", ("torch", "transformers")),
    "litert": ("litert", ("ai_edge_litert",)),
    "onnx": ("onnx", ("onnx", "onnxruntime")),
    "openai": ("http", ("httpx2",)),
    "openai-images": ("http", ("httpx2",)),
    "timm": ("timm", ("timm", "torchvision")),
    "torch": ("", ("torch",)),
    "transformers": ("", ("torch", "transformers")),
    "vlm": ("", ("torch", "transformers")),
}
"""Family -> (the extra of foible that brings it, or "" for the base install; the modules that it imports)."""

FURTHER: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "folder": ("datasets", ("pyarrow",), "datasets"),
    "photos": ("datasets", ("pyarrow",), "datasets and Parquet files"),
}
"""Family -> (an extra that only some names need; the modules that those import; what they name)."""

REMOTE = frozenset({"http", "openai", "openai-images"})
"""Families that ask a server, which may cost money."""

WORLDS: Mapping[str, str] = {"diorama": "diorama", "diffusers:diorama": "diorama"}
"""Family, or one spec of a family -> the one world whose images such parts draw, or were trained on."""

HINTS: Mapping[str, str] = {
    "annotation": "annotation",
    "clip": "clip:folder-or-hub-name",
    "diffusers": "diffusers:folder-or-hub-name",
    "ensemble": "ensemble",
    "folder": "folder:photographs",
    "http": "http:https://host/classify",
    "litert": "litert:model.tflite",
    "onnx": "onnx:model.onnx",
    "openai": "openai:model",
    "openai-images": "openai-images:model",
    "photos": "photos:labelled-photographs",
    "python": "python:package.module:factory",
    "timm": "timm:architecture.tag",
    "torch": "torch:model.pt2",
    "transformers": "transformers:folder-or-hub-name",
    "vlm": "vlm:folder-or-hub-name",
}
"""Families whose names cannot be listed: how their specs look."""
