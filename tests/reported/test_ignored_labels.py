"""A reported fault: labels that the generator cannot draw were scored, and failed with confidence."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import foible
from foible.checks.doctor import examine
from foible.checks.forecast import plan
from foible.cli import main
from foible.diorama.generator import DioramaGenerator
from foible.draws.outcome import outcome
from foible.draws.values import read_prediction
from foible.errors import LabelError
from foible.layers import resolve
from foible.parts.registry import load
from foible.records import ClassMap, Draw, Judgement, Label, Request, Treatment

UNDRAWABLE = "cannot draw 'cat', but 'coffee mug', 'mixing bowl', "


class Mugs:
    """Takes every image for a coffee mug."""

    fingerprint = "mugs alone"
    labels = ("cat", "coffee mug", "teapot")

    def classify(self, images):
        """Give the same scores to all."""
        return [np.array([0.0, 1.0, 0.5]) for _ in images]


class Silent(DioramaGenerator):
    """Draws as the diorama does, and says nothing of what it cannot draw before it draws."""

    fingerprint = "silent"
    world = "diorama"


def test_a_label_that_is_never_drawn_is_no_failure(tmp_path):
    """A generator that says only with each image that it ignored the label: nothing is claimed about that label."""
    run = foible.hunt(
        Mugs(), ["cat", "coffee mug"], generator=Silent(), config={"budget": 150}, out=tmp_path / "run", progress=False
    )
    assert run.result.base_failures == ()
    assert all(finding.trial.hypothesis.label != "cat" for finding in run)
    assert "cat fails" not in (run.folder / "findings.md").read_text(encoding="utf-8")
    assert "the generator ignored" in (run.folder / "findings.json").read_text(encoding="utf-8")


def test_a_label_that_the_generator_says_it_cannot_draw_is_refused_before_anything_is_drawn(tmp_path):
    """The sentence names what can be drawn, and says to leave the label out where others can be; nothing is written."""
    with pytest.raises(LabelError, match=f"{UNDRAWABLE}.*; leave it out, or give another generator") as caught:
        foible.hunt(Mugs(), ["cat", "coffee mug"], out=tmp_path / "run", progress=False)
    assert str(caught.value).count("\n") == 0
    with pytest.raises(LabelError, match=f"{UNDRAWABLE}.*; name such labels"):
        foible.probe(Mugs(), "cat", "on grass", out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_plan_and_doctor_say_what_the_hunt_says(monkeypatch, capfd):
    """All three refuse the label with the same sentence; the doctor's other parts are tried all the same."""
    labels = ["cat", "coffee mug"]
    parts = {"classifier": "python:reported.test_ignored_labels:Mugs", "labels": labels}
    with pytest.raises(LabelError, match=UNDRAWABLE) as caught:
        plan(resolve([("test", parts)])[0])
    generator, judge = examine([("generator", "diorama:scenes", {}), ("judge", "diorama:judge", {})], labels)
    assert generator.trouble == str(caught.value)
    assert judge.trouble == ""
    monkeypatch.setattr(sys, "argv", ["foible", "doctor", "generator=diorama:scenes", "--label", "3=cat (animal)"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "cannot draw 'cat', but 'coffee mug'" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "able"),
    [
        ("coffee mug", True),
        ("Coffee Mug", True),
        ("ping-pong ball", True),
        ("urn", True),  # a synonym
        ("red teapot", True),
        ("cat", False),
        ("teapot lid", False),
        ("soccer ball", False),
        ("grass", False),
        ("", False),
    ],
)
def test_the_diorama_knows_what_it_can_draw(name, able):
    """Its objects by any of their names, with words that it knows; a word that it would ignore makes another thing."""
    part = load("generator", "diorama:scenes")
    assert part.object.can_draw(Label(name)) is able
    assert all(part.object.can_draw(Label(known)) for known in part.object.drawable)


@pytest.mark.parametrize(
    ("ignored", "status"),
    [
        ((), "failed"),
        (("grass",), "failed"),
        (("mug",), "failed"),
        (("Coffee mug",), "unscored"),
        (("coffee", "grass", "mug"), "unscored"),
    ],
)
def test_a_draw_counts_unless_its_whole_label_was_ignored(ignored, status):
    """Other words, or a part of the label's, may be ignored; without any word of it the image shows something else."""
    classes = ClassMap(classifier="x", names=None, right={"coffee mug": (1,)})
    request = Request(
        key="k", label="coffee mug", treatment=Treatment(words=()), seed=4, arm="explore", text="a coffee mug"
    )
    judgement = Judgement(faithful=True, score=1.0)
    draw = Draw(request=request, image="i", ignored=ignored)
    assert outcome(draw, read_prediction([[0, 0, 1.0]]), judgement, classes).status == status
