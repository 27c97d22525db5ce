"""Layers of values: what a file, flags and `--set` say, merged into one config.

Comes in: layers of plain values, each with the name of where it came from. Goes out: one frozen `HuntConfig`, and the
origin of every value. Neighbour: `config.py` declares the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from foible.config import BESIDE_PHOTOGRAPHS, HuntConfig, fields
from foible.errors import ConfigError, brief, near

Layer = tuple[str, Mapping[str, Any]]

DEEPEST = 20
"""Fields that nest deeper than this are a mistake."""

_UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)
"""What YAML raises: its own errors, those of dates and numbers that are none, and that of a nest without end."""


def resolve(layers: Sequence[Layer]) -> tuple[HuntConfig, dict[str, str]]:
    """Merge layers of values, later ones over earlier ones, field by field.

    A layer that names the spec of a part takes no arguments that an earlier layer gave to another.

    Args:
        layers: (origin, nested mapping of fields) pairs.

    Returns:
        The config, and for every dotted field the origin of its value ("default" where no layer set it).

    Raises:
        ConfigError: an unknown field, or a value that a field does not take.
    """
    merged: dict[str, Any] = HuntConfig().model_dump()
    origins: dict[str, str] = {}
    for origin, layer in layers:
        for path, value in sorted(_leaves(layer, origin), key=lambda leaf: leaf[0][-1] != "spec"):  # before arguments
            _place(merged, path, value)
            name = ".".join(path)
            under = f"{name.removesuffix('spec')}args" if name.endswith(".spec") else f"{name}."
            origins = {known: who for known, who in origins.items() if not known.startswith(under)}
            origins[name] = origin
    # The default of these hangs on the source.
    unset = [kind for kind in BESIDE_PHOTOGRAPHS if not any(f"{name}.".startswith(f"{kind}.") for name in origins)]
    try:
        config = HuntConfig.model_validate({name: value for name, value in merged.items() if name not in unset})
    except ValidationError as problem:
        raise ConfigError(_one_sentence(problem)) from None
    return config, {name: _origin(name, origins) for name, _, _ in fields(config)}


def read_file(path: Path) -> Mapping[str, Any]:
    """Read a YAML file of fields.

    Raises:
        ConfigError: the file is missing, is no YAML, or is no mapping.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        message = f"the config file {path} cannot be read ({problem.strerror}); name a YAML file that exists"
        raise ConfigError(message) from None
    except _UNREADABLE as problem:
        message = f"the config file {path} is no YAML ({brief(problem)}); write `field: value` lines"
        raise ConfigError(message) from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"the config file {path} must hold `field: value` lines, but holds a {type(value).__name__}"
        raise ConfigError(message)
    return {str(key): item for key, item in value.items()}


def read_assignment(text: str) -> Mapping[str, Any]:
    """Turn `stage.key=value` into a nested mapping; the value is read as YAML.

    Raises:
        ConfigError: there is no `=`, or the value is no YAML.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        message = f"--set wants stage.key=value, but got {brief(text)!r}"
        raise ConfigError(message)
    try:
        parsed = yaml.safe_load(value)
    except _UNREADABLE:
        message = f"the value in --set {brief(text)} cannot be read; put it in quotes"
        raise ConfigError(message) from None
    nested: Any = parsed
    for part in reversed(name.strip().split(".")):
        nested = {part: nested}
    found: Mapping[str, Any] = nested
    return found


def _leaves(layer: Mapping[str, Any], origin: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) > DEEPEST:  # YAML can build a mapping that holds itself
        message = f"the fields from {brief(origin)} nest without end, at {brief('.'.join(path), 40)}; write them flat"
        raise ConfigError(message)
    for key, value in layer.items():
        place = (*path, str(key)) if "args" in path else (*path, *str(key).split("."))  # arguments may have dots
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, origin, place)
        else:
            yield place, value


def _place(merged: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = merged.get(name)
        merged[name] = inner if isinstance(inner, dict) else {}
        merged = merged[name]
    held = merged.get(path[-1])
    if isinstance(held, dict) and value == {}:  # an empty section says nothing
        return
    if path[1:] == ("spec",) and "args" in merged:
        merged["args"] = {}
        merged.pop("labelled", None)  # what is known of one judge says nothing of another
    bare = isinstance(held, dict) and "spec" in held and isinstance(value, str)
    merged[path[-1]] = {"spec": value, "args": {}} if bare else value


def _origin(name: str, origins: Mapping[str, str]) -> str:
    """Find who set a field: the field itself, something inside it (arguments), or the bare spec of a part."""
    if name in origins:
        return origins[name]
    inside = [origin for path, origin in origins.items() if path.startswith(f"{name}.")]
    if inside:
        return inside[-1]
    if name.endswith(".spec"):
        return origins.get(name.removesuffix(".spec"), "default")
    return "default"


def _one_sentence(problem: ValidationError) -> str:
    first = problem.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        known = _fields_at([part for part in first["loc"][:-1] if isinstance(part, str)])  # without numbers in a list
        return f"there is no field {brief(name)!r}: {near(place[-1], known)}"
    wanted = first["msg"].removeprefix("Value error, ")
    return f"the field {name!r} got {brief(repr(first['input']), 80)}: {wanted[:1].lower()}{wanted[1:]}"


def _fields_at(names: Sequence[str]) -> Mapping[str, Any]:
    """Give the fields of what stands under a field of a field of the config; none where that has none."""
    found: Mapping[str, Any] = HuntConfig.model_fields
    for name in names:
        inside = found[name].annotation if name in found else None
        found = next((one.model_fields for one in (inside, *get_args(inside)) if hasattr(one, "model_fields")), {})
    return found
