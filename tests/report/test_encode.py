from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foible.errors import StoreError
from foible.findings import HuntResult
from foible.records import Spec
from foible.report import SCHEMA_VERSION, from_json, to_html, to_json, to_markdown
from foible.report.encode import DERIVED, schema, schema_text
from report.anything import HOSTILE, poisoned, results
from report.results import nothing, sample, share, two
from report.schema_check import problems

SCHEMA = schema()
DOCS = Path(__file__).parents[2] / "docs"
OLD = {version: (Path(__file__).parent / "data" / f"findings.v{version}.json").read_text("utf-8") for version in (1, 2)}
"""Real files of earlier versions, written by the foible of their time."""
TODAY = to_json(from_json(OLD[2]))

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
    """The text of any result is valid under the JSON Schema that is made from the records."""
    assert list(problems(json.loads(to_json(result)), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize("kind", ["hunt", "none", "probe", "empty"])
def test_a_sample_fits_the_schema_and_comes_back(kind: str) -> None:
    """Hunts with and without findings, and probes, are valid and come back to the same bytes."""
    text = to_json(sample(kind))
    assert list(problems(json.loads(text), SCHEMA, SCHEMA)) == []
    assert to_json(from_json(text)) == text


def test_a_result_of_two_classifiers_fits_the_schema_and_comes_back() -> None:
    """Findings, base rates and outcomes of each classifier come back as its own."""
    text = to_json(two())
    assert list(problems(json.loads(text), SCHEMA, SCHEMA)) == []
    assert to_json(from_json(text)) == text
    first, second = from_json(text).findings[:2]
    assert [f.trial.hypothesis.classifier for f in (first, second)] == [0, 1]
    said = [one["taken_for"] for one in json.loads(text)["findings"][:2]]
    assert said == [{"bucket": 37}, {"grey bucket": 37}]


@pytest.mark.parametrize("path", [("headline",), ("findings", 0, "ratio"), ("explored", 0, "raises")])
def test_the_schema_asks_for_every_field_that_is_written(path: tuple[Any, ...]) -> None:
    """Every field is always written, also derived ones and those with a default: a file without one is not valid."""
    document = json.loads(to_json(sample()))
    _at(document, path[:-1]).pop(path[-1])
    assert list(problems(document, SCHEMA, SCHEMA))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 2),
        (("findings", 0, "verdict"), "probable"),
        (("findings", 0, "p_value"), 1.5),
        (("findings", 0, "extra"), 1),
        (("findings", 0, "trial", "treat", "draws"), -1),
        (("findings", 0, "trial", "pairs", "extra"), 1),
        (("findings", 0, "trial", "hypothesis", "score"), "much"),
        (("findings", 0, "taken_for", "bucket"), "37"),
        (("classifiers",), []),
        (("unscored", 0, 1), True),
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
        classifiers=(
            replace(result.classifiers[0], class_names=dict(reversed(list(result.classifiers[0].class_names.items())))),
        ),
        draws=dict(reversed(list(result.draws.items()))),
    )
    assert to_json(turned) == to_json(result)


def test_the_last_bits_of_a_float_do_not_show() -> None:
    """Arithmetic that differs in the last bits between machines gives the same bytes."""
    result = sample()
    first = result.findings[0]
    nudged = replace(first, treat=share(0.1 + 0.2, 0.1, 0.9))
    other = replace(first, treat=share(0.3, 0.1, 0.9))
    assert to_json(replace(result, findings=(nudged,), causes=(), alike=())) == to_json(
        replace(result, findings=(other,), causes=(), alike=())
    )


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
    result = poisoned(evil, classifiers=2)
    again = from_json(to_json(result))
    for name in ("observations", "captions", "labels", "untested", "explored", "unscored", "failure", "foible_version"):
        assert getattr(again, name) == getattr(result, name)
    identity = {"spec": {"name": evil, "args": {evil: evil}}} | {evil: evil}
    assert again.classifiers == tuple(replace(one, identity=identity) for one in result.classifiers)
    assert (again.parts, again.settings) == (result.parts, result.settings)


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
        to_json(replace(result, findings=(broken,), causes=(), alike=()))


@pytest.mark.parametrize("score", [math.inf, -math.inf])
def test_a_score_may_be_infinite(score: float) -> None:
    """A description that every failure has and no pass sets them apart without end; that is written, and comes back."""
    result = sample()
    endless = replace(result, untested=(replace(result.untested[0], score=score),))
    document = json.loads(to_json(endless))
    assert document["untested"][0]["score"] == str(score)
    assert list(problems(document, SCHEMA, SCHEMA)) == []
    assert from_json(to_json(endless)).untested[0].score == score


def test_two_classes_of_one_name_are_told_apart() -> None:
    """ImageNet has two classes called "crane": each is counted for itself, by its index."""
    result = sample()
    subject = result.classifiers[0]
    named = replace(subject, class_names={**subject.class_names, 134: "crane", 517: "crane"})
    finding = replace(result.findings[0], confused_with=((134, 20), (517, 17)))
    document = json.loads(to_json(replace(result, classifiers=(named,), findings=(finding,), causes=(), alike=())))
    assert document["findings"][0]["taken_for"] == {"crane (class 134)": 20, "crane (class 517)": 17}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("schema",), "other/thing", "expected a file of schema 'foible/findings'"),
        (("schema_version",), SCHEMA_VERSION + 1, "read it with a newer foible"),
        (("schema_version",), 0, "expected schema_version 1 or more"),
        (("schema_version",), "1", "expected schema_version 1 or more"),
        (("findings",), {}, "the field findings of"),
        (("findings", 1, "treat", "low"), "0", r"findings\.1\.treat\.low .*valid number"),
        (("findings", 1, "treat", "low"), True, r"findings\.1\.treat\.low .*valid number"),
        (("findings", 1, "treat", "low"), 10**400, r"findings\.1\.treat\.low .*finite"),
        (("findings", 0, "p_value"), "inf", r"findings\.0\.p_value"),
        (("findings", 0, "verdict"), "maybe", "'confirmed', 'refuted' or 'undecided'"),
        (("findings", 0, "trial", "pairs"), [], r"lacks the field findings\.0\.trial\.pairs\.0"),
        (("findings", 0, "trial", "hypothesis"), None, r"findings\.0\.trial\.hypothesis"),
        (("findings", 0, "trial", "hypothesis", "score"), "much", r"hypothesis\.score .*valid number"),
        (("findings", 0, "trial", "hypothesis", "classifier"), 1, "speaks of classifier 1 of 1"),
        (("untested", 0, "classifier"), -1, "speaks of classifier -1 of 1"),
        (("explored", 0, "classifier"), 7, "speaks of classifier 7 of 1"),
        (("untested",), [1], r"untested\.0"),
        (("classifiers",), [], "names no classifier"),
        (("classifiers", 0, "class_names"), {"x": "vase"}, r"class_names\.x.* valid integer"),
        (("labels", 0, "name"), True, r"labels\.0\.name .*valid string"),
        (("failure",), None, "failure .*valid string"),
    ],
)
def test_a_file_that_is_wrong_says_where(path: tuple[Any, ...], value: object, said: str) -> None:
    """A broken or newer file is a StoreError of one sentence that names the field."""
    document = json.loads(to_json(sample()))
    _put(document, path, value)
    with pytest.raises(StoreError, match=said) as caught:
        from_json(json.dumps(document))
    assert "\n" not in str(caught.value)


def test_an_observation_has_an_outcome_for_each_classifier() -> None:
    """A file in which a draw lacks the outcome of a classifier is refused, before a page would look for it."""
    document = json.loads(to_json(two()))
    next(iter(document["observations"].values()))["outcomes"].pop()
    with pytest.raises(StoreError, match="without 2 outcomes"):
        from_json(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "NaN", "1e999", '{"schema": Infinity}', "[" * 100_000, "{}", '{"a": ' + "1" * 5000 + "}"],
)
def test_what_is_no_findings_file_is_refused(text: str) -> None:
    """Torn, empty, absurdly deep or foreign texts are a StoreError, never another exception."""
    with pytest.raises(StoreError):
        from_json(text)


def test_every_missing_field_is_named() -> None:
    """A file that lacks a field that is read says which one."""
    whole = json.loads(to_json(sample()))
    derived, optional = {"headline", "summary"}, {"afterwards"}  # without that one nothing was chosen afterwards
    for name in set(whole) - derived - optional:
        with pytest.raises(StoreError, match=f"lacks the field {name}"):
            from_json(json.dumps({key: value for key, value in whole.items() if key != name}))


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_earlier_version_is_read(version: int) -> None:
    """What an earlier foible wrote is read whole: the verdicts, sentences, draws and captions are what they were."""
    document, result = json.loads(OLD[version]), from_json(OLD[version])
    again = json.loads(to_json(result))
    for name in ("headline", "summary", "failure", "settings", "captions", "foible_version"):
        assert again[name] == document[name]
    for one, old in zip(again["findings"], document["findings"], strict=True):
        for name in ("verdict", "reason", "p_value", "adjusted", "difference"):
            assert one[name] == old[name]
        assert one["sentence"].startswith(old["sentence"].removesuffix(".")), "today's goes on with the bound"
        assert one["trial"]["pairs"] == old["counts"]["pairs"]
        assert one["trial"]["hypothesis"]["treatment"]["words"] == old["phrases"]
        for name in ("failing", "passing", "paired"):
            assert one[name] == [row["key"] for row in old[name]]
    assert again["classifiers"][0]["class_names"] == document["class_names"]
    assert again["classifiers"][0]["identity"] == document["parts"]["classifier"]
    assert result.classifiers[0].right["coffee mug"] == (504, 968)
    assert result.draws == {"explore": 576, "treat": 400, "control": 400, "explain": 224}
    assert set(again["observations"]) == set(document["observations"])
    for key, seen in document["observations"].items():
        answered = result.observations[key]
        assert (answered.request.text, answered.request.seed) == (seen["prompt"], seen["seed"])
        assert answered.request.treatment.description == seen["description"]
        assert answered.outcomes[0].status == seen["status"]
    assert list(problems(again, SCHEMA, SCHEMA)) == []
    assert from_json(to_json(result)) == result
    assert to_markdown(result)
    assert to_html(result, nothing)


def test_what_version_1_lacks_is_not_known() -> None:
    """No corrected rates, no ratios, no counts of unfaithful draws, no bounds: nothing is made up."""
    first, second = from_json(OLD[1]), from_json(OLD[2])
    assert {f.ratio for f in first.findings} == {None}
    assert {f.treat_corrected for f in first.findings} == {None}
    assert {(one.at_most, one.raises) for one in first.explored} == {(1.0, None)}
    assert second.findings[0].ratio is not None
    assert second.findings[0].treat_corrected is not None
    assert second.explored[0].at_most < 1.0


def test_a_phrase_with_a_comma_stays_one_phrase() -> None:
    """Version 2 joined phrases by commas: where a hypothesis says how, they are taken apart the same way."""
    document = json.loads(OLD[2])
    old = document["findings"][0]
    old["phrases"] = ["red, white and blue", "on grass"]
    key = old["failing"][0]["key"]
    document["observations"][key]["description"] = "red, white and blue, on grass"
    result = from_json(json.dumps(document))
    assert result.observations[key].request.treatment == result.findings[0].trial.hypothesis.treatment


@pytest.mark.parametrize("version", [1, 2, 3])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_hostile_file_of_any_version_is_one_sentence(version: int, data: st.DataObject) -> None:
    """Whatever stands in the place of any value, or is missing: a result that can be shown, or one sentence."""
    document = json.loads(OLD.get(version) or TODAY)
    path: tuple[Any, ...] = ()
    while isinstance(_at(document, path), dict | list) and _at(document, path):
        inner = _at(document, path)
        if path != () and data.draw(st.booleans()) and data.draw(st.booleans()):
            break
        path = (*path, data.draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner)))))
    if data.draw(st.booleans()):
        del _at(document, path[:-1])[path[-1]]
    else:
        evil: list[Any] = [
            None,
            True,
            -1,
            7,
            1e300,
            10**400,
            "",
            "inf",
            "\ud800",
            [],
            {},
            [1],
            {"a": 1},
            [[]],
            {"key": []},
        ]
        _put(document, path, data.draw(st.sampled_from(evil)))
    try:
        result = from_json(json.dumps(document))
    except StoreError as problem:
        said = str(problem)
        assert said.isprintable()
        assert len(said) < 600
    else:
        assert to_json(result)
        assert to_markdown(result)
        assert to_html(result, nothing)


@pytest.mark.parametrize("version", [1, 2])
def test_a_torn_file_of_an_earlier_version_is_one_sentence(version: int) -> None:
    """A file that ends early is refused wherever it ends."""
    whole = OLD[version].rstrip()
    for end in range(0, len(whole), 97):
        with pytest.raises(StoreError):
            from_json(whole[:end])


@pytest.mark.parametrize("margin", [10**400, -1, "much", True, None, [0.1]])
def test_a_margin_that_cannot_be_is_not_said(margin: object) -> None:
    """Settings are free in form: one that no hunt has costs its mention in the page, and not the page."""
    document = json.loads(TODAY)
    document["settings"]["confirm.margin"] = margin
    assert "the difference must exceed" not in to_html(from_json(json.dumps(document)), nothing)


def test_unknown_fields_are_passed_over() -> None:
    """A later foible may add fields within a version; this one still reads the file."""
    document = json.loads(to_json(sample()))
    document["new"] = document["findings"][0]["new"] = {"anything": 1}
    assert from_json(json.dumps(document)) == from_json(to_json(sample()))


def test_the_schema_in_the_documentation_is_up_to_date() -> None:
    """docs/findings.schema.json is what the records give, and the command in docs/findings.md makes it."""
    command = re.search(r"^python -c '(.+)' > docs/findings\.schema\.json$", _page(), re.MULTILINE)
    assert command is not None
    made = subprocess.run([sys.executable, "-c", command[1]], capture_output=True, check=True).stdout
    assert made.decode("utf-8") == schema_text() == (DOCS / "findings.schema.json").read_text("utf-8")


def test_every_field_is_documented_and_nothing_else() -> None:
    """Each table of docs/findings.md has the fields of its record in the schema, in no other number."""
    whole = {"HuntResult": SCHEMA, **SCHEMA["$defs"]}
    wanted = {name: set(one["properties"]) for name, one in whole.items()}
    assert _tables(_page()) == wanted


def test_derived_fields_are_marked_and_no_others() -> None:
    """The page marks as derived what is not read back, and only that."""
    marked = set(re.findall(r"^\| `(\w+)` \|[^|]*\| \*derived\*", _page(), re.MULTILINE))
    assert marked == {name for fields in DERIVED.values() for name in fields} - {"schema", "schema_version"}


def _page() -> str:
    return (DOCS / "findings.md").read_text("utf-8")


def _tables(page: str) -> dict[str, set[str]]:
    """Give the fields of each table by the record that its heading names."""
    found: dict[str, set[str]] = {}
    for section in re.split(r"^#+ ", page, flags=re.MULTILINE):
        head = re.match(r"[^\n]*`([A-Z]\w+)`", section)
        fields = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert len(fields) == len(set(fields))
        assert bool(head) == bool(fields)
        if head:
            found[head[1]] = set(fields)
    return found


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


def _put(document: Any, path: tuple[Any, ...], value: object) -> None:
    _at(document, path[:-1])[path[-1]] = value
