"""`findings.json` read back.

Comes in: the text of a file, not trusted. Goes out: the `HuntResult` that it was written from (floats at 10 significant
digits), or one sentence that says where the file is wrong. Neighbours: `encode.py` writes it, `older.py` knows what
earlier versions wrote.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from foible.errors import StoreError, brief
from foible.report.encode import RESULT, SCHEMA, SCHEMA_VERSION
from foible.report.older import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from foible.findings import HuntResult
    from foible.records import Hypothesis

LARGEST = 256 * 2**20
"""Characters of a file beyond which it is none of ours: a result shows some hundred draws."""
_BEGINNING = 1000
"""Bytes of a file among which its version stands."""
_VERSION = re.compile(rb'\s*\{\s*"schema"\s*:\s*"%b"\s*,\s*"schema_version"\s*:\s*([0-9]{1,9})\b' % SCHEMA.encode())
_ENDLESS = ("inf", "-inf", "nan")


def from_json(text: str) -> HuntResult:
    """Read the text of `findings.json`.

    Raises:
        StoreError: it is no JSON, of another schema, of a newer version, a field is missing or of the wrong kind, or a
            classifier or a finding is spoken of that is not there.
    """
    if len(text) > LARGEST:
        message = (
            f"expected a findings.json of at most {LARGEST:,} characters, got {len(text):,}; it is none of foible's"
        )
        raise StoreError(message)
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"expected the JSON text of findings.json, got something else ({brief(problem)})") from None
    version = _version(document)
    try:
        result = _read(upgrade(document, version) if version < SCHEMA_VERSION else document)
    except ValidationError as problem:
        raise StoreError(_told(problem.errors(include_url=False)[0])) from None
    except RecursionError:
        raise StoreError("findings.json nests without end; it is none of foible's") from None
    _whole(result)
    return result


def version_of(path: Path) -> int | None:
    """Read the version of a `findings.json` from its beginning; None where there is none, or it does not say."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            found = _VERSION.match(file.read(_BEGINNING))
    except OSError:
        return None
    return int(found[1]) if found else None


def _read(document: dict[str, Any]) -> HuntResult:
    _open_scores(document)
    # Strictly, so that a text or a truth value is not taken for a number: pydantic does that for JSON alone. A lone
    # surrogate, which JSON can say and UTF-8 cannot, is read the other way, when every kind is known to be right.
    text = json.dumps(document, ensure_ascii=False)
    strict = RESULT.validate_json(text.encode("utf-8", "replace"), strict=True)
    return strict if text.isascii() or not _surrogate(text) else RESULT.validate_python(document)


def _surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _open_scores(document: dict[str, Any]) -> None:
    """Turn the scores that are no finite number, which JSON has no word for, into numbers; the rest is left."""
    findings, untested = (document.get(name) for name in ("findings", "untested"))
    hypotheses = list(untested) if isinstance(untested, list) else []
    for one in findings if isinstance(findings, list) else ():
        trial = one.get("trial") if isinstance(one, dict) else None
        hypotheses.append(trial.get("hypothesis") if isinstance(trial, dict) else None)
    for hypothesis in hypotheses:
        if isinstance(hypothesis, dict) and hypothesis.get("score") in _ENDLESS:
            hypothesis["score"] = float(hypothesis["score"])


def _told(error: ErrorDetails) -> str:
    """Say what pydantic found in one sentence."""
    where = brief(".".join(str(part) for part in error["loc"]))
    if error["type"] == "missing":
        return f"findings.json lacks the field {where}; the file is broken or was edited"
    if not where:
        return f"findings.json cannot be read ({brief(error['msg'])}); the file is broken or was edited"
    said = f"{error['msg'][:1].lower()}{error['msg'][1:]}"
    got = brief(repr(error["input"]), 60)
    return f"the field {where} of findings.json got {got}: {brief(said)}; the file is broken or was edited"


def _whole(result: HuntResult) -> None:
    """Refuse a result that speaks of a classifier or of a finding that it does not have.

    Raises:
        StoreError: it does.
    """
    own = len(result.classifiers)
    places = [one.classifier for one in _hypotheses(result)]
    places += [one.classifier for one in result.explored]
    places += [one.classifier for one in result.guided]
    places += [one.classifier for one in result.causes]
    places += [one.classifier for one in result.alike]
    shown = [place for one in result.causes for place in (*one.findings, *(test.finding for test in one.tested))]
    shown += [left.finding for one in result.alike for left in one.remaining]
    places += [one.classifier for one in (result.pilot.hints if result.pilot is not None else ())]
    wrong = next((place for place in places if not 0 <= place < own), None)
    if not own:
        said = "names no classifier"
    elif wrong is not None:
        said = f"speaks of classifier {brief(wrong, 30)} of {own}, counted from 0"
    elif not all(0 <= place < len(result.findings) for place in shown):
        said = f"speaks of a finding that is none of its {len(result.findings)}, counted from 0"
    elif any(len(one.outcomes) != own for one in result.observations.values()):
        said = f"has an observation without {own} outcomes, one for each classifier"
    elif result.photographs is not None and len(result.photographs.accuracy) != own:
        said = f"has an accuracy that is not of {own} classifiers"
    else:
        return
    raise StoreError(f"findings.json {said}; the file is broken or was edited")


def _hypotheses(result: HuntResult) -> Iterator[Hypothesis]:
    yield from (finding.trial.hypothesis for finding in result.findings)
    yield from result.untested


def _version(document: object) -> int:
    """Return the version of a file of ours."""
    for name in ("schema", "schema_version"):
        if isinstance(document, dict) and document and name not in document:
            raise StoreError(f"findings.json lacks the field {name}; the file is broken, or none of foible's")
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


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isfinite(number):
        return number
    message = f"{brief(digits, 30)} is no finite number"
    raise ValueError(message)
