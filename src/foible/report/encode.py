"""`findings.json`: a result as text, for people and programs.

Comes in: a `HuntResult`. Goes out: the same bytes for the same result. The records of `records.py` are written as they
are, by pydantic; beside them stand fields that repeat others for the reader (sentences, names), which are not read
back. Neighbours: `decode.py` reads the text back; `docs/findings.md` explains every field.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral, Real
from typing import Any

from pydantic import TypeAdapter

from foible.arms import ARMS
from foible.findings import Finding, HuntResult
from foible.records import Hypothesis, Pairs, Spec
from foible.report.alike import alike_sentence
from foible.report.causes import cause_sentence
from foible.report.sentences import headline, sentence, summary
from foible.report.taken import confusions, shared_highest
from foible.report.words import class_name

Schema = dict[str, Any]

SCHEMA = "foible/findings"
SCHEMA_VERSION = 3

RESULT: TypeAdapter[HuntResult] = TypeAdapter(HuntResult)

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}

DERIVED: Mapping[str, Mapping[str, Schema]] = {
    "HuntResult": {
        "schema": {"const": SCHEMA, "description": "What kind of file this is."},
        "schema_version": {"const": SCHEMA_VERSION, "description": "Raised when the meaning of a field changes."},
        "headline": _TEXT | {"description": "The verdict of the whole in one line."},
        "summary": _TEXT | {"description": "What was tried and what came of it, in one or two sentences."},
    },
    "Finding": {
        "sentence": _TEXT | {"description": "The finding in one sentence."},
        "taken_for": {
            "type": "object",
            "additionalProperties": _COUNT,
            "description": "By name of a class that is not right: how many failing treat draws were taken for it.",
        },
        "shared_highest": _COUNT
        | {"description": "Failing treat draws in which several classes share the highest score."},
    },
    "Hypothesis": {
        "description": _TEXT | {"description": "The words of its treatment, as they stand in a prompt."},
        "predicted_name": {"type": ["string", "null"], "description": "What its predicted class is called."},
    },
    "Cause": {
        "sentence": _TEXT | {"description": "For which labels it was tested, and what came of it, in one sentence."},
    },
    "Alike": {
        "name": _TEXT | {"description": "What the class is called."},
        "sentence": _TEXT
        | {"description": "Why they may be the same, how to accept the class, and what is left then."},
    },
}
"""By record: fields of the file that repeat others for the reader, and are not read back."""

_NARROWER: Mapping[str, Mapping[str, Schema]] = {
    "HuntResult": {"classifiers": {"minItems": 1}, "draws": {"additionalProperties": _COUNT}},
    "Finding": {"p_value": _SHARE, "adjusted": _SHARE},
    "Hypothesis": {
        "classifier": _COUNT,
        "score": {"type": ["number", "string"], "anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]},
    },
    "Tally": {name: dict(_COUNT) for name in ("draws", "failures", "unscored", "unfaithful", "tied")},
    "Rate": {name: {"minimum": -1, "maximum": 1} for name in ("value", "low", "high")},
    "Ratio": {name: {"minimum": 0} for name in ("value", "low", "high")},
    "OfSet": {"treat_size": _COUNT, "control_size": _COUNT},
    "Assigned": dict.fromkeys(("checked_with", "right_with", "checked_without", "right_without"), _COUNT),
    "SetFacts": {
        name: dict(_COUNT) for name in ("photographs", "explored", "tested", "doubts", "lookalikes", "unlikes")
    },
    "Unlike": {"share": _SHARE},
    "LabelSummary": {"classifier": _COUNT, "at_most": _SHARE},
    "GuidedSummary": {"classifier": _COUNT, "samplings": _COUNT},
    "Carrier": {"together": _SHARE, "alone": _SHARE},
    "Cause": {"classifier": _COUNT, "findings": {"minItems": 1, "items": _COUNT}},
    "CauseTest": {"finding": _COUNT},
    "Remaining": {"finding": _COUNT},
    "Alike": {name: dict(_COUNT) for name in ("classifier", "index", "taken", "scored")},
    "Request": {"seed": {"minimum": 0, "maximum": 2**32 - 1}},
    "Draw": {"samplings": {"minimum": 1}},
}
"""By record: what the file holds that the type of a field does not say."""

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
    found = RESULT.dump_python(result, warnings=False)
    found |= {name: _free(getattr(result, name)) for name in ("settings", "parts", "afterwards")}
    for subject, of in zip(found["classifiers"], result.classifiers, strict=True):
        subject["identity"] = _free(of.identity)
        subject["class_names"] = dict(sorted(subject["class_names"].items()))
    for one, finding in zip(found["findings"], result.findings, strict=True):
        _explain(one, finding, result)
    for one, cause in zip(found["causes"], result.causes, strict=True):
        one["sentence"] = cause_sentence(cause, result)
    for one, alike in zip(found["alike"], result.alike, strict=True):
        one["name"] = class_name(alike.index, result, alike.classifier)
        one["sentence"] = alike_sentence(alike, result)
    for one, hypothesis in zip(found["untested"], result.untested, strict=True):
        _name(one, hypothesis, result)
    # However they were collected, they stand in one order.
    found["draws"] = {arm: found["draws"][arm] for arm in sorted(found["draws"], key=_place)}
    found |= {name: dict(sorted(found[name].items())) for name in ("observations", "captions")}
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "headline": headline(result),
        "summary": summary(result),
        **{name: found[name] for name in _ORDER},
    }
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", _layout(_stable(document), "")) + "\n"


def schema() -> Schema:
    """Return the JSON Schema of `findings.json`, made from the records and the descriptions of their fields."""
    found = RESULT.json_schema(mode="serialization")
    definitions = found.pop("$defs")
    records_of = {**definitions, "HuntResult": found}
    definitions["Pairs"] = records_of["Pairs"] = {
        "type": "object",
        "description": inspect.getdoc(Pairs),
        "properties": {field: dict(_COUNT) for field in Pairs._fields},
    }
    for name, one in records_of.items():
        for field, more in _NARROWER.get(name, {}).items():
            one["properties"][field] = one["properties"][field] | more
        one["properties"] |= DERIVED.get(name, {})
        for field in one["properties"].values():
            field.pop("title", None), field.pop("default", None)
        one |= {"required": list(one["properties"]), "additionalProperties": False}
        one.pop("title", None)
    found["properties"] = {name: found["properties"][name] for name in (*DERIVED["HuntResult"], *_ORDER)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **found, "$defs": definitions}


def schema_text() -> str:
    """Return the JSON Schema as the text of `docs/findings.schema.json`."""
    return json.dumps(schema(), indent=2) + "\n"


_ORDER = (
    "failure", "photographs", "draws", "unscored", "pilot", "causes", "alike", "findings", "untested", "explored",
    "guided", "labels", "classifiers", "parts", "settings", "afterwards", "captions", "observations", "foible_version",
)  # fmt: skip
"""The fields of a result as a reader wants them: what was found first, every draw last."""


def _explain(one: dict[str, Any], finding: Finding, result: HuntResult) -> None:
    """Add to a finding what a reader would have to work out."""
    one["sentence"] = sentence(finding, result)
    taken: Counter[str] = Counter()
    for name, often in confusions(finding, result):  # two classes may have one name
        taken[name] += often
    one["taken_for"] = dict(taken)
    one["shared_highest"] = shared_highest(finding)
    trial = one["trial"]
    trial["pairs"] = finding.trial.pairs._asdict()
    _name(trial["hypothesis"], finding.trial.hypothesis, result)


def _name(one: dict[str, Any], hypothesis: Hypothesis, result: HuntResult) -> None:
    one["description"] = hypothesis.description
    one["predicted_name"] = result.class_name(hypothesis.predicted, hypothesis.classifier)
    one["score"] = _number(hypothesis.score)


def _place(arm: str) -> tuple[int, str]:
    """Order arms as their table does, others after them by name."""
    known: list[str] = list(ARMS)
    return (known.index(arm) if arm in known else len(known)), arm


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
        return {str(key): _stable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
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
