"""Promises of the embedded default as a whole: real models, real images, the planted bugs found."""

from __future__ import annotations

import json

import pytest

import foible
from foible.diorama.biases import BIASES


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A hunt over two labels of the default classifier, one with a planted bug, one without."""
    out = tmp_path_factory.mktemp("hunt")
    return foible.hunt("diorama:biased-resnet", ["coffee mug", "dumbbell"], out=out / "run", progress=False)


def test_the_planted_bug_is_named_in_its_own_words(run):
    """The planted bug of the coffee mug is confirmed in the words it was planted with, and nothing of the dumbbell."""
    planted = next(bias for bias in BIASES["biased-resnet"] if bias.label == "coffee mug")
    named = [(f.trial.hypothesis.label, f.trial.hypothesis.description) for f in run.confirmed]
    assert named == [("coffee mug", planted.description)]
    assert run.result.class_name(run.confirmed[0].confused_with[0][0]) == planted.becomes


def test_the_base_prompt_says_what_the_label_is_a_kind_of(run):
    """The embedded classifiers name their classes with kinds, and a hunt's prompts say them."""
    document = json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))
    assert "a realistic photograph of a coffee mug (cup)" in json.dumps(document)


def test_another_batch_and_order_draw_the_same(run, tmp_path):
    """The same hunt with another size of batch and another order of labels ends with the same counts."""
    again = foible.hunt(
        "diorama:biased-resnet",
        ["dumbbell", "coffee mug"],
        out=tmp_path / "again",
        config={"batch": 7},
        progress=False,
    )
    counts = [(f.trial.hypothesis.description, f.trial.treat, f.trial.control) for f in run]
    assert [(f.trial.hypothesis.description, f.trial.treat, f.trial.control) for f in again] == counts


def test_a_reference_without_bugs_gets_none(tmp_path):
    """Of the reference classifier, in which nothing is planted, nothing is confirmed."""
    run = foible.hunt("diorama:reference", ["coffee mug", "teapot"], out=tmp_path / "run", progress=False)
    assert run.confirmed == ()
