"""The part of JSON Schema (2020-12) that the schema of `findings.json` uses; a keyword that is not known here is an error."""

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
        elif keyword == "prefixItems":
            for place, (item, one) in enumerate(zip(value if isinstance(value, list) else (), wanted, strict=False)):
                yield from problems(item, one, root, f"{where}[{place}]")
        elif keyword == "items":
            first = len(schema.get("prefixItems", ()))
            for place, item in list(enumerate(value if isinstance(value, list) else ()))[first:]:
                yield from problems(item, wanted, root, f"{where}[{place}]")
        elif keyword not in NOTES and not _holds(keyword, wanted, value):
            yield f"{where}: {keyword} {wanted}, got {value!r}"
    if "additionalProperties" in schema and "properties" not in schema:
        yield from _object(value, schema, root, where)


def _holds(keyword: str, wanted: Any, value: Any) -> bool:
    number = TYPES["number"](value)
    if keyword == "type":
        return any(TYPES[kind](value) for kind in ([wanted] if isinstance(wanted, str) else wanted))
    if keyword == "minimum":
        return not number or value >= wanted
    if keyword == "maximum":
        return not number or value <= wanted
    if keyword == "minItems":
        return not isinstance(value, list) or len(value) >= wanted
    if keyword == "maxItems":
        return not isinstance(value, list) or len(value) <= wanted
    if keyword == "const":
        return bool(value == wanted)
    if keyword == "enum":
        return value in wanted
    raise KeyError(keyword)


def _object(value: Any, schema: Schema, root: Schema, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    yield from (f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        rule = known.get(name, schema.get("additionalProperties", {}))
        if rule is True:
            continue
        if rule is False:
            yield f"{where}: {name} is not known"
        else:
            yield from problems(item, rule, root, f"{where}.{name}")


def _find(reference: str, root: Schema) -> Schema:
    found: Schema = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
