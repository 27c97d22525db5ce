"""A part of a finished run is loaded again, from what the run noted of it.

Comes in: an identity (spec, arguments, fingerprint, version), perhaps with what is to stand in its place. Goes out: the
same part, or one sentence: what would give other answers is refused. Neighbour: `registry.py` loads parts.

Of the same weights under other versions of the libraries that compute with them the answers are the same but for
rounding. Such a part is loaded, a warning is logged, and its identity says the versions of now, so that nothing that it
answers or draws is kept under the old ones.

A run directory is not trusted. What it names is loaded only where that runs no code of its own, asks no server and
reads no folder of images: else it is for a person to name it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from foible.errors import ConfigError, FoibleError, PluginError, brief
from foible.parts.registry import Part, families, load, taken
from foible.records import Spec

if TYPE_CHECKING:
    from foible.parts.ceiling import Ceiling

RECIPE = ("size", "crop", "mean", "std", "interpolation", "channels")
"""What adapters find in the files of a model, and note as if it had been given."""
HARMLESS = frozenset(
    {"annotation", "clip", "diffusers", "diorama", "litert", "onnx", "timm", "torch", "transformers", "vlm"}
)
"""Families that read weights, and nothing else."""
LIBRARIES = frozenset(
    {
        *("ai-edge-litert", "diffusers", "numpy", "onnxruntime", "pillow", "timm", "torch", "torchvision"),
        "transformers",
    }
)
"""What a version may name beside what decides answers by itself, such as "adapter 2" or "server 1.3"."""
_log = logging.getLogger(__name__)
_RUN = ("trust_remote_code", "factory")
"""Arguments by which a part of these families runs somebody's code."""


def load_again(
    kind: str, identity: Mapping[str, Any], what: object = None, *, ceiling: Ceiling | None = None, code: bool = False
) -> Part:
    """Load a part of a run.

    Args:
        kind: "classifier", "judge", ….
        identity: as the run noted it.
        what: an object or a spec with its arguments that is this part, named by a person; None for what was noted.
        ceiling: as in `registry.load`.
        code: whether what was noted may run code of its own, ask a server or read a folder of images.

    Returns:
        The part, with the identity that the run noted; with the version of now where libraries have others.

    Raises:
        PluginError: it was an object, does not load any more, is another part by now, or is for a person to name.
    """
    spec = str(identity["spec"])
    if what is None and spec.startswith("object:"):
        message = f"the {kind} of the run was the object {brief(spec.removeprefix('object:'))}; give it from Python"
        raise PluginError(message)
    if what is None and not code and not is_harmless(kind, identity):
        message = f"the {kind} {brief(spec)} is not loaded because a run directory says so; name it with --{kind}, or "
        message += "--code where a verb has that"
        raise PluginError(message)
    part = _loaded(kind, identity, ceiling) if what is None else load(kind, what, ceiling=ceiling)
    before, now = _decisive(kind, identity), _decisive(kind, part.identity)
    versions = str(identity["version"]), str(part.identity["version"])
    if libraries_alone(*versions):
        before["version"] = now["version"]
    differs = next((name for name, value in now.items() if before[name] != value), None)
    if differs is not None:
        message = f"the {kind} {brief(spec)} is not the one of the run any more: its {differs} was "
        message += f"{brief(before[differs], 80)}, now {brief(now[differs], 80)}"
        raise PluginError(f"{message}; bring back what the run was made with, or hunt anew")
    if versions[0] != versions[1]:
        _log.warning(
            "the %s %s has the weights of the run under other libraries (%s, in the run %s): single answers may differ",
            *(kind, brief(spec), brief(versions[1], 160), brief(versions[0], 160)),
        )
    return replace(part, identity={**identity, "version": part.identity["version"]})


def libraries_alone(before: str, now: str) -> bool:
    """Tell whether two versions name the same things, and nothing but libraries in other versions.

    Args:
        before: "adapter 1; torch 2.12.0", as a part says it.
        now: likewise.
    """
    parts = [[one.partition(" ")[::2] for one in version.split("; ")] for version in (before, now)]
    if [name for name, _ in parts[0]] != [name for name, _ in parts[1]]:
        return False
    return all(was == is_ or name in LIBRARIES for (name, was), (_, is_) in zip(*parts, strict=True))


def load_all_again(
    identities: Sequence[Mapping[str, Any]],
    given: Sequence[object] = (),
    *,
    ceiling: Ceiling | None = None,
    code: bool = False,
) -> list[Part]:
    """Load the classifiers of a run.

    Args:
        identities: as the run noted them.
        given: objects or specs that are these, in their order; empty for what was noted.
        ceiling: as in `load_again`.
        code: as in `load_again`.

    Raises:
        ConfigError: there are not as many as the run has.
        PluginError: as `load_again`.
    """
    if given and len(given) != len(identities):
        message = f"the run has {len(identities)} classifiers, in their order, but got {len(given)}"
        raise ConfigError(message)
    return [
        load_again("classifier", identity, what, ceiling=ceiling, code=code)
        for identity, what in zip(identities, given or [None] * len(identities), strict=True)
    ]


def is_harmless(kind: str, identity: Mapping[str, Any]) -> bool:
    """Tell whether a part reads weights and nothing else: a run directory, which is not trusted, may name it."""
    family = str(identity["spec"]).partition(":")[0]
    sources = [source.package for source in families(kind).get(family, [])]
    runs = any(identity["args"].get(name) for name in _RUN)
    return family in HARMLESS and sources == [""] and not runs


def as_written(identity: Mapping[str, Any], spec: Spec) -> Spec:
    """Say how a classifier is loaded from what it wrote: with its own arguments, but for those that have changed.

    Args:
        identity: of the classifier; an argument that is None there was given so, or found in its files.
        spec: what `save` gave: None there leaves an argument out.

    Raises:
        PluginError: as `arguments`.
    """
    kept = arguments("classifier", spec.name, identity["args"])
    own = {name: value for name, value in kept.items() if name not in spec.args}
    return Spec(spec.name, {**own, **{name: value for name, value in spec.args.items() if value is not None}})


def _loaded(kind: str, identity: Mapping[str, Any], ceiling: Ceiling | None) -> Part:
    """Load what was noted; a recipe that was found in files may mean another one where it is given by hand."""
    spec = str(identity["spec"])
    args = arguments(kind, spec, identity["args"])
    fewer = {name: value for name, value in args.items() if name not in RECIPE}
    part = load(kind, Spec(spec, args), ceiling=ceiling)
    if fewer == args or part.identity["fingerprint"] == identity["fingerprint"]:
        return part
    try:
        return load(kind, Spec(spec, fewer), ceiling=ceiling)
    except FoibleError:  # it cannot do without them
        return part


def _decisive(kind: str, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Give what decides the answers: of the arguments those that are taken, for a part notes what it guessed, too."""
    spec = str(identity["spec"])
    own = {} if spec.startswith("object:") else arguments(kind, spec, identity["args"])
    return {"spec": spec, "fingerprint": identity["fingerprint"], "version": identity["version"], "args": own}


def arguments(kind: str, spec: str, noted: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of some arguments that a plug-in takes: a part notes what it guessed beside them.

    Raises:
        PluginError: there is no such plug-in.
    """
    known = taken(kind, spec)
    return {name: value for name, value in noted.items() if known is None or name in known}
