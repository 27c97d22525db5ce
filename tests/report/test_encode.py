from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from foible.errors import StoreError
from foible.records import HuntResult, Rate, Spec
from foible.report import SCHEMA_VERSION, from_json, to_json
from report.anything import HOSTILE, poisoned, results
from report.results import sample
from report.schema_check import problems

FREE = {"settings", "parts", "captions", "class_names", "observations", "draws"}
"""Objects whose keys are data."""
SCHEMA: dict[str, Any] = json.loads(resources.files("foible.report").joinpath("schema.json").read_text("utf-8"))
DOCUMENT = Path(__file__).parents[2] / "docs" / "findings.md"

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")

slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(results)
def test_what_is_written_is_read_back(result: HuntResult) -> None:
    """Any result comes back from its text equal to what it was."""
    assert from_json(to_json(result)) == result


@slow
@given(results)
def test_any_result_fits_the_schema(result: HuntResult) -> None:
    """The text of any result is valid under the shipped JSON Schema."""
    assert list(problems(json.loads(to_json(result)), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize("kind", ["hunt", "none", "probe", "empty"])
def test_a_sample_fits_the_schema_and_comes_back(kind: str) -> None:
    """Hunts with and without findings, and probes, are valid and come back to the same bytes."""
    text = to_json(sample(kind))
    assert list(problems(json.loads(text), SCHEMA, SCHEMA)) == []
    assert to_json(from_json(text)) == text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 3),
        (("findings", 0, "verdict"), "probable"),
        (("findings", 0, "p_value"), 1.5),
        (("findings", 0, "extra"), 1),
        (("findings", 0, "counts", "treat", "draws"), -1),
        (("unscored", 0, "count"), True),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[Any, ...], value: object) -> None:
    """The schema is no rubber stamp: a wrong version, verdict, range, field or kind is refused."""
    document = json.loads(to_json(sample()))
    _put(document, path, value)
    assert list(problems(document, SCHEMA, SCHEMA))


def test_the_text_does_not_depend_on_the_order_of_mappings() -> None:
    """Observations, captions, class names and arms stand in one order, however they were collected."""
    result = sample()
    turned = replace(
        result,
        observations=dict(reversed(list(result.observations.items()))),
        captions=dict(reversed(list(result.captions.items()))),
        class_names=dict(reversed(list(result.class_names.items()))),
        draws=dict(reversed(list(result.draws.items()))),
    )
    assert to_json(turned) == to_json(result)


def test_the_last_bits_of_a_float_do_not_show() -> None:
    """Arithmetic that differs in the last bits between machines gives the same bytes."""
    result = sample()
    first = result.findings[0]
    nudged = replace(first, treat=Rate(0.1 + 0.2, 0.1, 0.9))
    other = replace(first, treat=Rate(0.3, 0.1, 0.9))
    assert to_json(replace(result, findings=(nudged,))) == to_json(replace(result, findings=(other,)))


def test_the_text_ends_with_one_newline_and_is_plain_utf8() -> None:
    """Whatever was written in captions, the file is UTF-8, holds no control characters, and ends with one newline."""
    for evil in HOSTILE:
        text = to_json(poisoned(evil[:500]))
        assert text.endswith("}\n")
        assert text.encode("utf-8").decode("utf-8") == text
        assert not CONTROLS.search(text)


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_texts_come_back_whole(evil: str) -> None:
    """Controls, lone surrogates and 10,000 characters survive the way there and back."""
    result = poisoned(evil)
    assert from_json(to_json(result)).captions == result.captions


def test_settings_may_hold_specs_tuples_sets_and_infinities() -> None:
    """What JSON has no word for is written in the nearest way that it has."""
    given_settings = {"a": Spec("x:y", {"n": 1}), "b": (1, 2), "c": {"z", "y"}, "d": float("inf")}
    document = json.loads(to_json(replace(sample("empty"), settings=given_settings)))
    assert document["settings"] == {"a": {"name": "x:y", "args": {"n": 1}}, "b": [1, 2], "c": ["y", "z"], "d": "inf"}


def test_a_setting_of_no_known_kind_is_an_error() -> None:
    """An object that cannot be read back is not written as something else in silence."""
    with pytest.raises(TypeError, match="JSON has a word for"):
        to_json(replace(sample("empty"), settings={"a": object()}))


def test_a_rate_that_is_no_number_is_an_error() -> None:
    """A NaN among the statistics is a fault of foible and never written."""
    result = sample()
    broken = replace(result.findings[0], p_value=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        to_json(replace(result, findings=(broken,)))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("schema",), "other/thing", "expected a file of schema 'foible/findings'"),
        (("schema_version",), SCHEMA_VERSION + 1, "read it with a newer foible"),
        (("schema_version",), 0, "expected schema_version 1 or more"),
        (("schema_version",), "1", "expected a whole number at schema_version"),
        (("findings",), {}, "expected a list at findings"),
        (("findings", 1, "rates", "treat", "low"), "0", r"findings\[1\].rates.treat.low"),
        (("findings", 0, "verdict"), "maybe", "expected confirmed or refuted or undecided"),
        (("findings", 0, "counts", "pairs"), [], "expected an object"),
        (("class_names",), {"x": "vase"}, "class indices as keys"),
        (("labels", 0, "index"), True, "expected a whole number"),
        (("failure",), None, "expected a text at failure"),
    ],
)
def test_a_file_that_is_wrong_says_where(path: tuple[Any, ...], value: object, said: str) -> None:
    """A broken or newer file is a StoreError of one sentence that names the field."""
    document = json.loads(to_json(sample()))
    _put(document, path, value)
    with pytest.raises(StoreError, match=said) as caught:
        from_json(json.dumps(document))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "NaN", '{"schema": Infinity}', "[" * 100_000, "{}", '{"a": ' + "1" * 5000 + "}"]
)
def test_what_is_no_findings_file_is_refused(text: str) -> None:
    """Torn, empty, absurdly deep or foreign texts are a StoreError, never another exception."""
    with pytest.raises(StoreError):
        from_json(text)


def test_every_missing_field_is_named() -> None:
    """A file that lacks a field that is read says which one."""
    whole = json.loads(to_json(sample()))
    derived = {"headline", "summary"}
    for name in set(whole) - derived:
        with pytest.raises(StoreError, match=f"lacks the field {name}"):
            from_json(json.dumps({key: value for key, value in whole.items() if key != name}))


def test_a_file_of_schema_version_1_is_read() -> None:
    """What version 1 lacks is taken as not known: no corrected rates, no counts of unfaithful draws, no bounds."""
    document = json.loads(to_json(sample()))
    document["schema_version"] = 1
    for one in document["findings"]:
        del one["corrected"]
    for tally in _tallies(document):
        del tally["unfaithful"]
    for one in document["explored"]:
        del one["at_most"], one["raises"]
    result = from_json(json.dumps(document))
    assert result.findings[0].treat_corrected is None
    assert result.findings[0].trial == sample().findings[0].trial
    assert (result.explored[0].at_most, result.explored[0].raises) == (1.0, None)


def _tallies(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [tally for item in value for tally in _tallies(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if "unfaithful" in value else []
    return own + [tally for item in value.values() for tally in _tallies(item)]


def test_unknown_fields_are_passed_over() -> None:
    """A later foible may add fields within a version; this one still reads the file."""
    document = json.loads(to_json(sample()))
    document["new"] = document["findings"][0]["new"] = {"anything": 1}
    assert from_json(json.dumps(document)) == from_json(to_json(sample()))


def test_every_field_is_documented_and_in_the_schema() -> None:
    """Each key of an encoded hunt stands in docs/findings.md and in schema.json, and the schema has no others."""
    document = json.loads(to_json(sample()))
    written = set(_keys(document))
    in_schema = set(_schema_keys(SCHEMA))
    assert written == in_schema
    explained = set(re.findall(r"`([a-z_0-9]+)`", DOCUMENT.read_text("utf-8")))
    assert written - explained == set()


def _put(document: Any, path: tuple[Any, ...], value: object) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value


def _keys(value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for item in value for key in _keys(item)]
    if not isinstance(value, dict):
        return []
    keys = list(value)
    for key, item in value.items():
        if key not in FREE:
            keys += _keys(item)
        elif key == "observations":
            keys += [inner for one in item.values() for inner in _keys(one)]
    return keys


def _schema_keys(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [key for item in schema for key in _schema_keys(item)]
    if not isinstance(schema, dict):
        return []
    return [*schema.get("properties", {}), *(key for item in schema.values() for key in _schema_keys(item))]
