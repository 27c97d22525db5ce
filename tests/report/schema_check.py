"""The part of JSON Schema (2020-12) that findings.json's schema uses; a keyword not known here is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}
NOTES = {"$schema", "$id", "$defs", "title", "description", "default", "required", "additionalProperties"}


LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda v, wanted: not TYPES["number"](v) or v >= wanted,
    "maximum": lambda v, wanted: not TYPES["number"](v) or v <= wanted,
    "minItems": lambda v, wanted: not isinstance(v, list) or len(v) >= wanted,
    "maxItems": lambda v, wanted: not isinstance(v, list) or len(v) <= wanted,
    "const": lambda v, wanted: bool(v == wanted),
    "enum": lambda v, wanted: v in wanted,
    "type": lambda v, wanted: any(TYPES[kind](v) for kind in ([wanted] if isinstance(wanted, str) else wanted)),
}


def problems(value: Any, schema: Schema, root: Schema, where: str = "file") -> Iterator[str]:
    """Yield what is wrong with a value, one line each."""
    for keyword, wanted in schema.items():
        if keyword == "$ref":
            yield from problems(value, _find(wanted, root), root, where)
        elif keyword == "anyOf":
            if all(any(True for _ in problems(value, one, root, where)) for one in wanted):
                yield f"{where}: fits no alternative"
        elif keyword == "properties":
            yield from _object(value, schema, root, where)
        elif keyword in {"prefixItems", "items"}:
            for place, one in _items(value, keyword, schema):
                yield from problems(value[place], one, root, f"{where}[{place}]")
        elif keyword not in NOTES and not LIMITS[keyword](value, wanted):
            yield f"{where}: {keyword} {wanted}, got {value!r}"
    if "additionalProperties" in schema and "properties" not in schema:
        yield from _object(value, schema, root, where)


def _items(value: Any, keyword: str, schema: Schema) -> Iterator[tuple[int, Schema]]:
    """Give the places of a list, each with its schema: the first ones by place, those after them all alike."""
    if not isinstance(value, list):
        return
    first = schema.get("prefixItems", ())
    if keyword == "prefixItems":
        yield from zip(range(len(value)), first, strict=False)
    else:
        yield from ((place, schema["items"]) for place in range(len(first), len(value)))


def _object(value: Any, schema: Schema, root: Schema, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    yield from (f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        rule = known.get(name, schema.get("additionalProperties", {}))
        if rule is False:
            yield f"{where}: {name} is not known"
        elif rule is not True:
            yield from problems(item, rule, root, f"{where}.{name}")


def _find(reference: str, root: Schema) -> Schema:
    found: Schema = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
