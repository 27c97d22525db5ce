"""The doctor tells parts that work from those that do not, and says what mends them; nothing is written."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

import toyworld
from foible.checks.doctor import examine, read_spec
from foible.cli import main
from foible.errors import PluginError
from foible.parts.registry import KINDS

TOYS: list[tuple[str, str, dict[str, Any]]] = [(kind, toyworld.SPECS[kind], {}) for kind in KINDS]


@pytest.fixture
def doctor(monkeypatch, capfd, tmp_path):
    """Give a function that runs `foible doctor` in an empty directory: (code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["foible", "doctor", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        assert list(tmp_path.iterdir()) == []
        return stop.value.code, *capfd.readouterr()

    return call


def test_parts_that_work_are_well():
    """Each says what it gave for one image, and how long that took; the others see what the generator drew."""
    checkups = examine(TOYS, ["coffee mug", "vase"])
    assert [one.kind for one in checkups] == list(KINDS)
    assert all(one.trouble == "" for one in checkups)
    assert all(one.each > 0 for one in checkups)
    told = {one.kind: one.answer for one in checkups}
    assert told["generator"] == "an image of 16 × 16"
    assert told["classifier"] == f"{len(toyworld.NAMES)} numbers"
    assert told["judge"] == "yes, score 1"
    assert "coffee mug" in told["captioner"]


def test_one_bad_part_does_not_hide_the_others():
    """Each trouble is its own sentence, in its own row; what works beside it is still tried."""
    parts = [
        ("judge", "clip:/nowhere/at/all", {"threshold": 0}),
        ("classifier", "python:foible.testing:ColourClassifier", {}),
        ("generator", "diorama:scenes", {"sise": 8}),
        ("embedder", "python:foible.testing:ColourClassifier", {}),
    ]
    judge, classifier, generator, embedder = examine(parts)
    assert judge.trouble.endswith("there is no such folder")
    assert "did you mean 'size'?" in generator.trouble
    assert "embed(images)" in embedder.trouble
    assert (classifier.trouble, classifier.answer) == ("", "3 numbers")


def test_a_part_that_loads_but_does_not_answer_is_not_well():
    """Loading alone is no proof."""
    (checkup,) = examine([("captioner", "python:foible.testing:ConstantCaptioner", {"text": ""})])
    assert "gave no usable answer to a first question" in checkup.trouble


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("judge=clip:x/y", ("judge", "clip:x/y")),
        ("clip:x/y", ("judge", "clip:x/y")),
        ("onnx:a=b.onnx", ("classifier", "onnx:a=b.onnx")),
        ("classifier=python:a:b", ("classifier", "python:a:b")),
    ],
)
def test_a_spec_tells_its_kind_where_it_can(text, read):
    """By name, or by a family that has one kind alone."""
    assert read_spec(text) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("transformers:x", "say which: classifier or captioner or embedder, as in classifier=transformers:x"),
        ("nothing:x", "say which: one of generator, classifier, captioner, embedder, judge"),
        ("jugde=clip:x", "did you mean 'judge'?"),
    ],
)
def test_a_spec_that_does_not_tell_its_kind(text, told):
    """The sentence says how to write it."""
    with pytest.raises(PluginError) as caught:
        read_spec(text)
    assert told in str(caught.value)


def test_the_command_ends_with_0_where_all_is_well(doctor):
    """By flags or by arguments, as a table or as JSON."""
    words = [word for kind, spec in toyworld.SPECS.items() for word in (f"--{kind}", spec)]
    code, out, err = doctor(*words, "--label", "coffee mug", "--json")
    assert (code, err) == (0, "")
    assert [one["trouble"] for one in json.loads(out)] == [""] * 5
    code, out, err = doctor("judge=python:foible.testing:YesJudge", "generator=diorama:scenes")
    assert (code, err) == (0, "")
    assert "64 × 64" in out
    assert "ms" in out


def test_the_command_ends_with_2_where_something_is_wrong(doctor):
    """The table has every part, and below it stands a sentence for each that is not well."""
    code, out, err = doctor("judge=python:foible.testing:YesJudge", "generator=diorama:senes", "clip:/no/where/else")
    assert (code, err) == (2, "")
    assert "generator: no generator is called 'diorama:senes'; did you mean 'scenes'?" in out
    assert "judge: " in out
    assert "yes, score 1" in out


def test_arguments_reach_a_part_that_is_named_beside_them(doctor):
    """An argument that --set gives holds for the spec on the command line; one of another spec is refused."""
    part, wrong = "classifier=diorama:reference", "classifier.args.nonsense=1"
    code, out, err = doctor(part)
    assert (code, err) == (0, "")
    code, out, err = doctor(part, "--set", wrong)
    assert (code, err) == (2, "")
    assert "'nonsense'" in out
    code, out, err = doctor(part, "--set", "classifier.spec=timm:resnet18", "--set", wrong)
    assert (code, out) == (2, "")
    assert "the arguments of the classifier are for 'timm:resnet18', not for 'diorama:reference'" in err


def test_what_was_set_for_a_part_that_is_not_examined_is_said(doctor):
    """Arguments and specs of other kinds than those on the command line are not dropped without a word."""
    code, _, err = doctor("embedder=python:foible.testing:MeanEmbedder", "--set", "classifier.args.nonsense=1")
    assert code == 0
    assert err == (
        "foible: the classifier diorama:biased-resnet is not examined, nor are its arguments used: name it too, as in "
        "classifier=diorama:biased-resnet\n"
    )
    code, _, err = doctor("embedder=python:foible.testing:MeanEmbedder", "--judge", "python:foible.testing:YesJudge")
    assert "the judge python:foible.testing:YesJudge is not examined: name it too" in err
    assert doctor("embedder=python:foible.testing:MeanEmbedder")[2] == ""


@pytest.mark.parametrize("device", ["cpu:5", "meta", "mps:1", "cuda:9"])
def test_a_device_that_is_not_there_is_refused(device):
    """A device that torch takes for another, or that holds no numbers, is one that this machine does not have."""
    pytest.importorskip("torch")
    (found,) = examine([("classifier", "diorama:reference", {"device": device})])
    assert "cannot run on the device" in found.trouble
    assert examine([("classifier", "diorama:reference", {"device": "cpu:0"})])[0].trouble == ""
