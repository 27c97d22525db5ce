"""Promises of the configuration: one list of options, and one sentence for whatever does not fit it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foible.config import HuntConfig, Options, Role, fields, settings
from foible.errors import ConfigError

# make_config is what Python's arguments go through.
from foible.hunting.prepare import make_config
from foible.layers import read_assignment, read_file, resolve
from foible.records import Label, Spec

NAMES = [name for name, _, _ in fields(HuntConfig())]


def refusal(*layers):
    """Give the sentence about layers that cannot be used."""
    with pytest.raises(ConfigError) as told:
        resolve([(f"layer {number}", layer) for number, layer in enumerate(layers)])
    assert "\n" not in str(told.value)
    return str(told.value)


def declared(model=HuntConfig, prefix=""):
    """Give (dotted name, what was declared of it) of every field, from the declarations themselves."""
    for name, info in model.model_fields.items():
        yield f"{prefix}{name}", info
        if isinstance(info.annotation, type) and issubclass(info.annotation, Options):
            yield from declared(info.annotation, f"{prefix}{name}.")


@pytest.mark.parametrize(("name", "info"), list(declared()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_field_is_declared(name, info):
    """Each field says of itself whether it decides results, grows, or is a matter of run time; and what it is for."""
    assert (info.json_schema_extra or {}).get("role") in get_args(Role), f"{name} is not declared"
    assert info.description
    assert info.description.endswith(".")


def test_what_decides_is_what_the_run_directory_notes():
    """The settings of a run are all fields but those of run time, so that none that decides can slip through."""
    runtime = {name for name, _, role in fields(HuntConfig()) if role == "runtime"}
    workers = {f"workers.{name}" for name in ("count", "address", "cpus", "gpus")}
    assert runtime == {"out", "archive", "log", "max_minutes", "max_requests", "overlap"} | workers
    assert list(settings(HuntConfig())) == [name for name in NAMES if name not in runtime]
    labelled = [f"judge.labelled.{count}" for count in ("shown_yes", "shown_n", "absent_no", "absent_n")]
    assert [name for name, _, role in fields(HuntConfig()) if role == "grows"] == [*labelled, "budget"]


@pytest.mark.parametrize("counts", [(3, 2, 1, 1), (1, 2, 3, 2), (1, 1, 0, 0), (0, 0, 1, 1), (-1, 1, 1, 1)], ids=str)
def test_a_record_of_the_judge_that_cannot_be_is_refused(counts):
    """More right than there were, only one kind of image, or a negative count is an error that names the field."""
    labelled = dict(zip(("shown_yes", "shown_n", "absent_no", "absent_n"), counts, strict=True))
    with pytest.raises(ConfigError, match=r"judge\.labelled"):
        resolve([("file", {"judge": {"labelled": labelled}})])


def test_what_is_known_of_one_judge_says_nothing_of_another():
    """Naming another judge drops the counts that were given for the first, as it drops its arguments."""
    labelled = {"shown_yes": 9, "shown_n": 10, "absent_no": 9, "absent_n": 10}
    file = ("file", {"judge": {"spec": "a:b", "labelled": labelled}})
    assert resolve([file])[0].judge.labelled.absent_n == 10
    for other in ("c:d", {"spec": "c:d"}):
        assert resolve([file, ("--judge", {"judge": other})])[0].judge.labelled.absent_n == 0


@pytest.mark.parametrize(
    ("layer", "near"),
    [
        ({"sede": 1}, "'sede': did you mean 'seed'?"),
        ({"confirm": {"drwas": 1}}, "'confirm.drwas': did you mean 'draws'?"),
        ({"classifier": {"arg": {}}}, "'classifier.arg': did you mean 'args'?"),
        ({"x" * 1000: 1}, "known: archive, batch"),
        ({"": 1}, "known: archive, batch"),
    ],
)
def test_an_unknown_field_is_named_with_what_is_near(layer, near):
    """A field that does not exist is named, with the nearest that does and all that are known."""
    sentence = refusal(layer)
    assert near in sentence
    assert "known: " in sentence
    assert len(sentence) < 600


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        ({"seed": "soon"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"batch": 0}, "batch"),
        ({"budget": 0}, "budget"),
        ({"labels": "coffee mug"}, "labels"),
        ({"labels": [7]}, "labels.0"),
        ({"confirm": {"margin": float("nan")}}, "confirm.margin"),
        ({"confirm": {"margin": 1}}, "confirm.margin"),
        ({"confirm": {"level": 0}}, "confirm.level"),
        ({"confirm": {"method": "by eye"}}, "confirm.method"),
        ({"confirm": 3}, "confirm"),
        ({"confirm": None}, "confirm"),
        ({"classifier": 3}, "classifier"),
        ({"explain": {"draws": -1}}, "explain.draws"),
        ({"out": 3}, "out"),
    ],
)
def test_a_wrong_value_is_named_with_its_field(layer, place):
    """A value that a field does not take is refused, naming the field and the value."""
    sentence = refusal(layer)
    assert sentence.startswith(f"the field '{place}")
    assert "got " in sentence


@pytest.mark.parametrize(
    "template",
    [
        *("a photo", "{label}", "{kind}", "{name} {hypernym}", "{name} {}", "{name} {0}"),
        *("{name", "{name}}", "{{name}}"),
        *("{name.upper}", "{name[0]}", "{name[x]}", "{name!r}", "{name:>9}", "{name.__class__}"),
    ],
)
def test_a_template_holds_the_name_and_no_code(template):
    """A template must hold {name}, may hold {kind}, and can reach nothing else of Python."""
    assert "explore.template" in refusal({"explore": {"template": template}})


@pytest.mark.parametrize("template", ["{name}", "{kind}: {name}, {name}", "{{a}} {name}"])
def test_any_words_may_stand_in_a_template(template):
    """A template with {name} is taken as it is."""
    assert resolve([("it", {"explore": {"template": template}})])[0].explore.template == template


def test_later_layers_win_field_by_field():
    """A later layer wins where it says something, and leaves the rest of a section alone; origins tell who won."""
    config, origins = resolve(
        [
            ("file", {"seed": 1, "confirm": {"draws": 30, "margin": 0.2}, "classifier": "timm:a"}),
            ("--seed", {"seed": 2}),
            ("--set", {"confirm": {"draws": 50}}),
            ("--set again", {"classifier": {"args": {"size": 64}}}),
        ]
    )
    assert (config.seed, config.confirm.draws, config.confirm.margin) == (2, 50, 0.2)
    assert config.classifier.spec == "timm:a"
    assert config.classifier.args == {"size": 64}
    assert origins["seed"] == "--seed"
    assert origins["confirm.draws"] == "--set"
    assert origins["confirm.margin"] == "file"
    assert origins["confirm.level"] == "default"
    assert origins["classifier.spec"] == "file"
    assert origins["classifier.args"] == "--set again"
    assert list(origins) == NAMES


def test_a_bare_spec_takes_no_arguments_of_another():
    """A spec in a later layer leaves the arguments of the earlier one behind, on the command line and in Python."""
    earlier = {"classifier": {"spec": "timm:a", "args": {"size": 64}}}
    config, origins = resolve([("file", earlier), ("--classifier", {"classifier": "timm:b"})])
    assert (config.classifier.spec, config.classifier.args) == ("timm:b", {})
    assert (origins["classifier.spec"], origins["classifier.args"]) == ("--classifier", "default")
    for what, args in (("timm:b", {}), (Spec("timm:b"), {}), (Spec("timm:b", {"x": 1}), {"x": 1})):
        made = make_config(earlier, {"classifier": [what]}, {}, None)
        assert (made.classifier.spec, made.classifier.args) == ("timm:b", args)
    assert make_config(earlier, {"classifier": [None]}, {}, None).classifier.args == {"size": 64}


def test_python_may_give_label_records():
    """A `Label` record becomes the text that gives the same label again."""
    label = Label("coffee mug", "cup")
    assert make_config(None, {}, {}, [label, Label("ball"), "vase"]).labels == ("coffee mug (cup)", "ball", "vase")


def test_python_may_give_several_classifiers():
    """The first is the field `classifier`, the others are `other_classifiers`: specs with their arguments."""
    made = make_config(None, {"classifier": ["a:b", Spec("c:d", {"x": 1}), "e:f"]}, {}, None)
    own = [(part.spec, part.args) for part in made.parts("classifier")]
    assert own == [("a:b", {}), ("c:d", {"x": 1}), ("e:f", {})]
    assert [part.spec for part in made.parts("judge")] == ["diorama:judge"]


@pytest.mark.parametrize("part", ["other_classifiers: [{arg: 1}]", "other_classifiers: [x:y, {spec: x:z, arg: 1}]"])
def test_a_field_that_is_none_in_a_list_of_parts_is_named(part):
    """A wrong field of one of several parts gets the sentence that a wrong field of one part gets."""
    with pytest.raises(ConfigError, match=r"^there is no field 'other_classifiers\.[01]\.arg': did you mean 'args'\?"):
        resolve([("a file", yaml.safe_load(part))])


values = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**63 - 1),
        "batch": st.integers(1, 4096),
        "budget": st.none() | st.integers(1, 10**9),
        "labels": st.lists(st.text(max_size=9), max_size=3),
        "other_classifiers": st.lists(st.text(max_size=9) | st.just({"spec": "a:b"}), max_size=2),
        "classifier": st.text(max_size=9) | st.fixed_dictionaries({"spec": st.just("a:b")}),
        "confirm": st.fixed_dictionaries({}, optional={"draws": st.integers(1, 99), "margin": st.floats(0, 0.9)}),
        "generator": st.fixed_dictionaries({"args": st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)}),
        "out": st.just("somewhere"),
    },
)


@given(st.lists(values, max_size=3))
def test_resolving_what_was_resolved_changes_nothing(layers):
    """A config given back, as a record or as plain values through YAML, resolves to itself; layers in order fold."""
    config, origins = resolve([("x", layer) for layer in layers])
    assert resolve([("again", config.model_dump())])[0] == config
    plain = yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))
    assert resolve([("again", plain)])[0] == config
    assert make_config(config, {}, {}, None) == config
    assert list(origins) == NAMES
    assert set(origins.values()) <= {"x", "default"}


@given(values)
def test_what_an_earlier_layer_says_is_kept_or_overridden(layer):
    """A layer over the defaults sets just what it says."""
    config, origins = resolve([("x", layer)])
    default = {name: value for name, value, _ in fields(HuntConfig())}
    for name, value, _ in fields(config):
        assert origins[name] == "x" or value == default[name]


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("confirm.draws=80", {"confirm": {"draws": 80}}),
        ("seed = 3", {"seed": 3}),
        ("labels=[coffee mug, 5=vase]", {"labels": ["coffee mug", "5=vase"]}),
        ("budget=null", {"budget": None}),
        ("budget=", {"budget": None}),
        ("classifier.args.path=a=b", {"classifier": {"args": {"path": "a=b"}}}),
        ("classifier=python:a.b:c", {"classifier": "python:a.b:c"}),
        ("failure.target='no'", {"failure": {"target": "no"}}),
    ],
)
def test_an_assignment_is_a_nested_value(text, layer):
    """`--set` takes stage.key=value, the value as YAML."""
    assert read_assignment(text) == layer


@pytest.mark.parametrize(
    "text", ["seed", "", "=3", " = 3", "labels=[", "seed=2001-99-99", "x=!!python/object:os.system {}", "a=*b"]
)
def test_a_malformed_assignment_is_one_sentence(text):
    """What is no assignment, or no YAML, gets one sentence that quotes it."""
    with pytest.raises(ConfigError, match="--set") as told:
        read_assignment(text)
    assert "\n" not in str(told.value)


@given(st.text(max_size=40))
def test_any_assignment_is_read_or_refused(text):
    """Any text after `--set` gives a config or a `ConfigError`, and no other exception."""
    with contextlib.suppress(ConfigError):
        resolve([("--set", read_assignment(text))])


@given(st.text(alphabet="ab:{}[]&*!|>-\"' \n#%@0123.", max_size=40))
def test_any_file_is_read_or_refused(tmp_path_factory, text):
    """Any config file gives a config or a `ConfigError`, and no other exception."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ConfigError):
        resolve([(str(path), read_file(path))])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"- a\n- b\n", "holds a list"),
        (b"just words", "holds a str"),
        (b"a: [1", "is no YAML"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"seed: 2001-99-99", "is no YAML"),
        (b"[" * 9000, "is no YAML"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, data, says):
    """A file that is no mapping, no YAML or no text is named in one sentence."""
    path = tmp_path / "hunt.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=says) as told:
        read_file(path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    """A missing file and a folder get a sentence with the reason."""
    for path in (tmp_path / "none.yaml", tmp_path, Path("/proc/self/mem")):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_file(path)


def test_an_empty_file_sets_nothing(tmp_path):
    """An empty file, or one of comments, is the defaults."""
    path = tmp_path / "hunt.yaml"
    path.write_text("# nothing yet\n")
    assert resolve([("file", read_file(path))])[0] == HuntConfig()


def test_fields_that_hold_themselves_are_refused(tmp_path):
    """A mapping that YAML lets hold itself is refused, not followed for ever."""
    path = tmp_path / "hunt.yaml"
    path.write_text("classifier: &a\n  args: *a\n")
    with pytest.raises(ConfigError, match="nest without end"):
        resolve([(str(path), read_file(path))])
