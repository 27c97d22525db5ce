"""A reported fault: networks in training mode failed a perfect classifier on half of the images, without a word."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pytest
import torch

import toyworld
from foible.checks.doctor import examine
from foible.checks.forecast import plan
from foible.errors import OutOfRequests, PluginError
from foible.layers import resolve
from foible.parts.registry import load
from foible.parts.steady import compared
from foible.records import Drawn, Fault, Judgement

CHANCE = "gives other answers when it is asked about the same image again: something in it works by chance"
BATCH = (
    "gives other answers for an image alone than for the same one beside others: it works with the statistics of the"
)


class Network(toyworld.Perfect):
    """Right, behind a layer of torch that is in training mode, or not."""

    def __init__(self, layer, *, training=True):
        self.layer = layer.train(training)
        self.fingerprint = f"{type(layer).__name__} {training}"

    def classify(self, images):
        """Let the layer see the scores."""
        scores = torch.tensor(super().classify(images), dtype=torch.float32) * 4 + 1
        with torch.inference_mode():
            return self.layer(scores).numpy()


def dropout():
    """Make a classifier that leaves out values by chance."""
    return Network(torch.nn.Dropout(0.5))


class Norm(torch.nn.BatchNorm1d):
    """Sees each score at two places, as a network of images sees many: so a batch may hold one image."""

    def forward(self, scores):
        """Normalise, and take the mean of the places."""
        return super().forward(torch.stack([scores, 0.5 * scores], dim=2)).mean(dim=2)


def batch_norm():
    """Make a classifier that looks at its batch."""
    return Network(Norm(len(toyworld.NAMES)))


def alone_nothing():
    """Make one that cannot answer one image alone."""
    return Network(torch.nn.BatchNorm1d(len(toyworld.NAMES)))


class Moody:
    """A part of each kind that answers otherwise each time it is asked."""

    fingerprint = "moody"

    def __init__(self):
        self.calls = 0

    def _next(self):
        self.calls += 1
        return self.calls

    def draw(self, prompts, seeds):
        """Forget the seed in the lower half of each image."""
        images = toyworld.draw(prompts, seeds)
        for image in images:
            image[8:] = np.random.default_rng(self._next()).integers(0, 256, image[8:].shape)
        return images

    def caption(self, images):
        """Say it in other words."""
        return [f"{words}, told in {self._next()} words" for words in toyworld.describe(images)]

    def embed(self, images):
        """Turn the vectors."""
        return np.random.default_rng(self._next()).normal(size=(len(images), 8))

    def judge(self, images, labels):
        """Change its mind."""
        return [Judgement(self._next() % 2 == 0, float(self.calls % 2)) for _ in images]


MOODY = "python:reported.test_asked_twice:Moody"
HERE = "python:reported.test_asked_twice"


@pytest.mark.parametrize(
    ("make", "told"), [(dropout, CHANCE), (batch_norm, BATCH)], ids=["dropout", "statistics of the batch"]
)
def test_a_network_in_training_mode_is_refused_before_it_is_scored(tmp_path, make, told):
    """Hunt, probe, plan and doctor refuse it with one sentence, and say what mends it; in evaluation it is fine."""
    with pytest.raises(PluginError, match=told) as hunted:
        toyworld.hunt(tmp_path / "run", make())
    assert "put it into evaluation mode" in str(hunted.value)
    assert not (tmp_path / "run" / "findings.json").exists()
    with pytest.raises(PluginError, match=BATCH):
        toyworld.hunt(tmp_path / "alone" / "run", alone_nothing())
    spec = f"{HERE}:{make.__name__}"
    parts = {**toyworld.SPECS, "classifier": spec, "labels": toyworld.LABELLED}
    with pytest.raises(PluginError, match=told):
        plan(resolve([("test", {**parts, **toyworld.SMALL})])[0])
    asked: list[tuple[str, str, dict[str, Any]]] = [("generator", toyworld.SPECS["generator"], {})]
    asked.append(("classifier", spec, {}))
    *_, sick = examine(asked, toyworld.LABELLED)
    assert told in sick.trouble
    fine = Network(make().layer, training=False)
    assert len(toyworld.hunt(tmp_path / "fine" / "run", fine, config={"budget": 60})) == 0


def test_a_probe_asks_twice_too(tmp_path):
    """It has no pilot: a few images are drawn for that alone, and are not kept."""
    import foible

    given: Any = {"generator": toyworld.draw, "judge": toyworld.judge, "out": tmp_path / "run", "progress": False}
    given["config"] = toyworld.SMALL
    with pytest.raises(PluginError, match=CHANCE):
        foible.probe(dropout(), "coffee mug", "on grass", **given)
    run = foible.probe(toyworld.Classifier(), "coffee mug", "on grass", **given)
    assert len(run.confirmed) == 1
    assert set(run.result.draws) <= {"treat", "control", "measure", "explain"}


@pytest.mark.parametrize("kind", ["embedder", "judge"])
def test_parts_whose_answers_decide_must_be_steady(tmp_path, kind):
    """An embedder or a judge that changes its mind ends the hunt, before exploration goes on."""
    with pytest.raises(PluginError, match=rf"the {kind} object:\S*Moody {CHANCE}"):
        toyworld.hunt(tmp_path / "run", **{kind: Moody()}, config={"pilot": {"misfit": "say"}})


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("captioner", "gives other answers when it is asked about the same image again; captions only suggest"),
        ("generator", "gives another image when it is asked about the same prompt and seed again; the two images of a"),
    ],
)
def test_parts_that_may_vary_are_told_of_and_used(tmp_path, caplog, kind, told):
    """A chat model has a temperature, and few servers take a seed: hunt, plan and doctor say so, and go on."""
    with caplog.at_level(logging.WARNING, logger="foible"):
        toyworld.hunt(tmp_path / "run", **{kind: Moody()}, config={"budget": 60})
    assert [told in record.getMessage() for record in caplog.records] == [True]
    specs = {**toyworld.SPECS, kind: MOODY}
    (note,) = plan(resolve([("test", {**specs, "labels": toyworld.LABELLED, **toyworld.SMALL})])[0]).notes
    assert told in note
    noted = {one.kind: (one.trouble, one.note) for one in examine([(k, specs[k], {}) for k in specs])}
    assert noted[kind][0] == ""
    assert told in noted[kind][1]
    assert all(note == "" for other, (_, note) in noted.items() if other != kind)


def test_a_finished_hunt_asks_nobody_again(tmp_path):
    """The check is made once in the life of a run: the same command reads what is there."""

    class Counted(toyworld.Perfect):
        """Counts its images."""

        fingerprint = "counted"
        seen = 0

        def classify(self, images):
            """Count, then answer."""
            type(self).seen += len(images)
            return super().classify(images)

    first = toyworld.hunt(tmp_path / "run", Counted())
    drawn, asked = sum(first.result.draws.values()), Counted.seen
    assert asked - drawn == 5  # one image alone, twice, and a batch of three
    toyworld.hunt(tmp_path / "run", Counted())
    assert Counted.seen == asked


class Server(toyworld.Perfect):
    """A classifier whose every image is a request."""

    fingerprint = "server"

    def __init__(self):
        self.ceiling = None

    def count_on(self, ceiling):
        """Take requests from a ceiling."""
        self.ceiling = ceiling

    def classify(self, images):
        """Count a request for each image."""
        self.ceiling.take(len(images))
        return super().classify(images)


def test_a_server_is_asked_about_one_image_twice_and_no_more(tmp_path):
    """Its requests count: with a ceiling of the hunt's own draws it ends two short, and the same call goes on."""
    whole = toyworld.hunt(tmp_path / "whole" / "run", Server())
    drawn = sum(whole.result.draws.values())
    with pytest.raises(OutOfRequests):
        toyworld.hunt(tmp_path / "part" / "run", Server(), config={"max_requests": drawn + 1})
    again = toyworld.hunt(tmp_path / "part" / "run", Server(), config={"max_requests": 10})
    assert (again.folder / "findings.json").read_bytes() == (whole.folder / "findings.json").read_bytes()
    enough = toyworld.hunt(tmp_path / "one" / "run", Server(), config={"max_requests": drawn + 2})
    assert enough.result == whole.result


YES = Judgement(faithful=True, score=0.0004)


def part(kind):
    """Give a part to speak of."""
    return load(kind, toyworld.SPECS[kind])


@pytest.mark.parametrize(
    ("kind", "one", "other", "steady"),
    [
        ("classifier", np.array([2.0, 1.0, 0.0]), np.array([2.002, 1.001, 0.0]), True),
        ("classifier", np.array([2.0, 1.0, 0.0]), np.array([1.8, 1.2, 0.0]), False),
        ("classifier", np.array([900.0, 901.0, 900.0]), np.array([901.0, 900.0, 900.0]), False),
        ("classifier", np.zeros(3), np.zeros(3), True),
        ("embedder", np.array([1.0, 0.0]), np.array([0.0, 1.0]), False),
        ("judge", YES, Judgement(faithful=False, score=-0.0003), True),  # arithmetic, at the border
        ("judge", YES, Judgement(faithful=False, score=-1.0), False),
        ("captioner", "a mug", "a mug", True),
        ("captioner", "a mug", "a cup", False),
        ("generator", Drawn(np.zeros((4, 4, 3), np.uint8)), Drawn(np.ones((4, 4, 3), np.uint8)), True),
        ("generator", Drawn(np.zeros((4, 4, 3), np.uint8)), Drawn(np.full((4, 4, 3), 9, np.uint8)), False),
        ("generator", Drawn(np.zeros((4, 4, 3), np.uint8)), Drawn(np.zeros((5, 4, 3), np.uint8)), False),
        ("classifier", np.array([2.0, 1.0]), Fault("lost"), True),
    ],
)
def test_what_counts_as_another_answer(kind, one, other, steady):
    """Arithmetic may differ by a little; another class, place or scene is another answer; a fault is none."""
    assert (compared(part(kind), [one, other]) is None) is steady


def test_a_batch_is_compared_more_loosely_than_the_same_call():
    """Half precision differs by a thousandth between batches, statistics of the batch by far more."""
    alone = np.array([4.0, 1.0, 0.0])
    beside = [alone * 1.02 + np.array([0.0, 0.05, 0.0]), np.array([0.0, 1.0, 4.0])]
    assert compared(part("classifier"), [alone], beside) is None
    assert compared(part("classifier"), [alone, beside[0]]) is not None
    assert compared(part("classifier"), [alone], [np.array([1.0, 0.5, -1.0]), beside[1]]) is not None
    assert compared(part("classifier"), [alone], [Fault("lost"), beside[1]]) is None


def test_the_doctor_says_recipe_classes_and_what_it_sees(tmp_path, capfd, monkeypatch):
    """Of a network: its size, crop and range, the number and names of its classes, and its answer to a photograph."""
    import sys

    from PIL import Image

    from foible.cli import main

    drawn = load("generator", "diorama:scenes").object.draw(["a photograph of a candle"], [3])[0].image
    Image.fromarray(drawn).save(tmp_path / "candle.png")
    words = ["foible", "doctor", "classifier=diorama:reference", "--image", str(tmp_path / "candle.png"), "--json"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    (found,) = json.loads(capfd.readouterr().out)
    assert found["recipe"] == "64 × 64 px, the middle, by all of the shorter side, RGB, values -1..1, bicubic"
    assert found["classes"].startswith("12: 0 coffee mug, 1 mixing bowl, ")
    assert found["says"].startswith("of candle.png: candle 0.9")
    monkeypatch.setattr(sys, "argv", [*words[:-1], "--image", str(tmp_path / "none.png")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "none.png" in capfd.readouterr().err
