"""`findings.json` read back.

Comes in: the text of a file, not trusted. Goes out: the `HuntResult` that it was written from (floats at 10 significant
digits), or one sentence that says where the file is wrong. Neighbours: `encode.py` writes it, `older.py` knows what
earlier versions wrote.
"""

from __future__ import annotations

import json

from pydantic import ValidationError

from foible.errors import StoreError, brief
from foible.records import HuntResult
from foible.report.encode import RESULT, SCHEMA, SCHEMA_VERSION
from foible.report.older import upgrade

LARGEST = 256 * 2**20
"""Characters of a file beyond which it is none of ours: a result shows some hundred draws."""


def from_json(text: str) -> HuntResult:
    """Read the text of `findings.json`.

    Raises:
        StoreError: it is no JSON, of another schema, of a newer version, or a field is missing or of the wrong kind.
    """
    if len(text) > LARGEST:
        message = (
            f"expected a findings.json of at most {LARGEST:,} characters, got {len(text):,}; it is none of foible's"
        )
        raise StoreError(message)
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"expected the JSON text of findings.json, got something else ({brief(problem)})") from None
    version = _version(document)
    try:
        return RESULT.validate_python(upgrade(document, version) if version < SCHEMA_VERSION else document)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise StoreError(
                f"findings.json lacks the field {brief(where)}; the file is broken or was edited"
            ) from None
        got = brief(repr(first["input"]), 60)
        message = f"the field {brief(where)} of findings.json got {got}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise StoreError(f"{message}; the file is broken or was edited") from None
    except RecursionError:
        raise StoreError("findings.json nests without end; it is none of foible's") from None


def _version(document: object) -> int:
    """Return the version of a file of ours."""
    schema = document.get("schema") if isinstance(document, dict) else document
    if not isinstance(document, dict) or schema != SCHEMA:
        raise StoreError(f"expected a file of schema {SCHEMA!r}, got {brief(schema)!r}; give a findings.json of foible")
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(
            f"expected schema_version 1 or more in findings.json, got {brief(version)}; the file is broken"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"findings.json has schema_version {brief(version)}, and this foible reads up to {SCHEMA_VERSION}; "
            "read it with a newer foible"
        )
    return version


def _refuse(constant: str) -> float:
    message = f"{constant} is no JSON"
    raise ValueError(message)
