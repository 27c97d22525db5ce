"""The families of plug-ins that ship with foible: where each is made, what it needs, how its specs look.

Comes in: nothing. Goes out: three tables that `registry.py` reads. Everything here is a name; nothing is imported.
"""

from __future__ import annotations

from collections.abc import Mapping

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "generator": {
        "diffusers": "foible.models.draw_diffusers:DiffusersGenerator",
        "diorama": "foible.models.diorama:Scenes",
        "folder": "foible.models.draw_folder:FolderGenerator",
        "openai-images": "foible.models.draw_openai:OpenAIImages",
        "python": "foible.models.python:find",
    },
    "classifier": {
        "diorama": "foible.models.diorama:classifier",
        "http": "foible.models.classify_http:HttpClassifier",
        "litert": "foible.models.classify_litert:LiteRTClassifier",
        "onnx": "foible.models.classify_onnx:OnnxClassifier",
        "python": "foible.models.python:find",
        "timm": "foible.models.classify_timm:TimmClassifier",
        "torch": "foible.models.classify_torch:TorchClassifier",
        "transformers": "foible.models.classify_transformers:classifier",
    },
    "captioner": {
        "diorama": "foible.models.diorama:captioner",
        "openai": "foible.models.caption_openai:OpenAICaptioner",
        "python": "foible.models.python:find",
        "transformers": "foible.models.caption_transformers:TransformersCaptioner",
    },
    "embedder": {
        "diorama": "foible.models.diorama:embedder",
        "python": "foible.models.python:find",
        "timm": "foible.models.embed_timm:TimmEmbedder",
        "transformers": "foible.models.embed_transformers:TransformersEmbedder",
    },
    "judge": {
        "clip": "foible.models.judge_clip:ClipJudge",
        "diorama": "foible.models.diorama:judge",
        "ensemble": "foible.ensemble:EnsembleJudge",
        "python": "foible.models.python:find",
        "vlm": "foible.models.judge_vlm:VlmJudge",
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

FURTHER: Mapping[str, tuple[str, tuple[str, ...], str]] = {"folder": ("datasets", ("pyarrow",), "datasets")}
"""Family -> (an extra that only some names need; the modules that those import; what they name)."""

REMOTE = frozenset({"http", "openai", "openai-images"})
"""Families that ask a server, which may cost money."""

HINTS: Mapping[str, str] = {
    "clip": "clip:folder-or-hub-name",
    "diffusers": "diffusers:folder-or-hub-name",
    "ensemble": "ensemble",
    "folder": "folder:photographs",
    "http": "http:https://host/classify",
    "litert": "litert:model.tflite",
    "onnx": "onnx:model.onnx",
    "openai": "openai:model",
    "openai-images": "openai-images:model",
    "python": "python:package.module:factory",
    "timm": "timm:architecture.tag",
    "torch": "torch:model.pt2",
    "transformers": "transformers:folder-or-hub-name",
    "vlm": "vlm:folder-or-hub-name",
}
"""Families whose names cannot be listed: how their specs look."""
