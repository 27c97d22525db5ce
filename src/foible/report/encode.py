"""`findings.json`: a result as text, for people and programs.

Comes in: a `HuntResult`. Goes out: the same bytes for the same result. The records of `records.py` are written as they
are, by pydantic; beside them stand fields that repeat others for the reader (sentences, names), which are not read
back. Neighbours: `decode.py` reads the text back; `docs/findings.md` explains every field.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral, Real
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from foible import records
from foible.records import Finding, HuntResult, Hypothesis, Pairs, Spec
from foible.report.sentences import confusions, headline, sentence, summary

SCHEMA = "foible/findings"
SCHEMA_VERSION = 3

for _record in (
    records.HuntResult, records.Subject, records.Label, records.Finding, records.Trial, records.Hypothesis,
    records.Treatment, records.Tally, records.Rate, records.Ratio, records.Counterfactual, records.LabelSummary,
    records.Answered, records.Draw, records.Request, records.Outcome,
):  # fmt: skip
    # What stands under a field becomes its description in the schema.
    setattr(_record, "__pydantic_config__", ConfigDict(use_attribute_docstrings=True))  # noqa: B010 - mypy

RESULT: TypeAdapter[HuntResult] = TypeAdapter(HuntResult)

DERIVED: Mapping[str, Mapping[str, str]] = {
    "HuntResult": {
        "schema": "What kind of file this is.",
        "schema_version": "Raised when the meaning of a field changes.",
        "headline": "The verdict of the whole in one line.",
        "summary": "What was tried and what came of it, in one or two sentences.",
    },
    "Finding": {
        "sentence": "The finding in one sentence.",
        "taken_for": "By name of a class that is not right: how many failing treat draws were taken for it.",
    },
    "Hypothesis": {
        "description": "The words of its treatment, as they stand in a prompt.",
        "predicted_name": "What its predicted class is called.",
    },
}
"""By record: fields of the file that repeat others for the reader, and are not read back."""

_DIGITS = 10
"""Significant digits of a float, so that the last bits of one machine's arithmetic do not show."""
_WIDTH = 180
"""A list or object that fits on one line of this many characters stands on one."""
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")
"""Characters that are legal in JSON but break UTF-8, lines or the direction of text; written as escapes."""


def to_json(result: HuntResult) -> str:
    """Write a result as the text of `findings.json`: UTF-8, one newline at the end.

    Raises:
        ValueError: a rate or a p-value is not finite.
        TypeError: a setting is of a kind that JSON has no word for.
    """
    plain = {name: _free(getattr(result, name)) for name in ("settings", "parts")}
    found = RESULT.dump_python(result, mode="json", warnings=False, exclude={"settings", "parts"})
    for subject, of in zip(found["classifiers"], result.classifiers, strict=True):
        subject["identity"] = _free(of.identity)
    for one, finding in zip(found["findings"], result.findings, strict=True):
        _explain(one, finding, result)
    for one, hypothesis in zip(found["untested"], result.untested, strict=True):
        _name(one, hypothesis, result)
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "headline": headline(result),
        "summary": summary(result),
        **{name: plain.get(name, found.get(name)) for name in _ORDER},
    }
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", _layout(_stable(document), "")) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `findings.json`, made from the records and the descriptions of their fields."""
    found = RESULT.json_schema(mode="serialization")
    definitions = found.pop("$defs")
    whole = definitions.pop("HuntResult", found)
    for name, fields in DERIVED.items():
        target = whole if name == "HuntResult" else definitions[name]
        target["properties"] |= {field: {"description": text} for field, text in fields.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": definitions}


_ORDER = (
    "failure", "draws", "unscored", "findings", "untested", "explored", "labels", "classifiers", "parts", "settings",
    "captions", "observations", "foible_version",
)  # fmt: skip
"""The fields of a result as a reader wants them: what was found first, every draw last."""


def _explain(one: dict[str, Any], finding: Finding, result: HuntResult) -> None:
    """Add to a finding what a reader would have to work out."""
    one["sentence"] = sentence(finding, result)
    one["taken_for"] = dict(confusions(finding, result))
    trial = one["trial"]
    trial["pairs"] = dict(zip(Pairs._fields, trial["pairs"], strict=True))
    _name(trial["hypothesis"], finding.trial.hypothesis, result)


def _name(one: dict[str, Any], hypothesis: Hypothesis, result: HuntResult) -> None:
    one["description"] = hypothesis.description
    one["predicted_name"] = result.class_name(hypothesis.predicted, hypothesis.classifier)
    one["score"] = _number(hypothesis.score)


def _number(value: float) -> float | str:
    """Let a number that need not be finite be written: "inf", "-inf", "nan"."""
    return value if math.isfinite(value) else str(float(value))


def _free(value: object) -> object:
    """Turn a setting, or what a part says of itself, into plain JSON values; the order of keys is kept."""
    if isinstance(value, Spec):
        return {"name": value.name, "args": _free(value.args)}
    if isinstance(value, Mapping):
        return {str(key): _free(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_free(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_free(item) for item in value]
    return _number(value) if isinstance(value, float) else value


def _stable(value: object) -> object:
    """Round floats to 10 significant digits and turn number-like values into Python's own."""
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stable(item) for item in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return float(f"{number:.{_DIGITS}g}") + 0.0 if math.isfinite(number) else number
    raise TypeError(f"expected a value that JSON has a word for, got {type(value).__name__}")


def _layout(value: object, indent: str) -> str:
    """Write JSON with short lists and objects on one line and long ones indented."""
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or len(indent) + len(flat) <= _WIDTH:
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        inner = [f"{json.dumps(key, ensure_ascii=False)}: {_layout(item, deeper)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        inner = [_layout(item, deeper) for item in value]
        opening, closing = "[", "]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(inner) + f"\n{indent}{closing}"
