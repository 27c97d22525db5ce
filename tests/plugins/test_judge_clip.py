"""The judge of a joint space, over real CLIP and SigLIP classes: its scores, its rule, its calibration."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from foible.records import Label


def load(folder, **args):
    """Load a folder as judge."""
    return registry.load("judge", f"clip:{folder}", args)


@pytest.mark.parametrize("name", ["clip", "siglip"])
@pytest.mark.parametrize(
    "args",
    [
        {"contrasts": ["cup", "ball"]},
        {"threshold": 0.1},
        {"template": ["a {name}", "red {name}"], "threshold": 0},
    ],
    ids=["contrasts", "threshold", "several"],
)
def test_it_conforms(name, args, tiny):
    """CLIP and SigLIP, with contrasts, with a threshold, and with several questions, keep the promises of a judge."""
    assert testing.check("judge", f"clip:{tiny(name)}", args, size=32) == []


def test_the_score_compares_the_label_with_the_contrasts(tiny, images):
    """It is the label's cosine less the best other one's; the label's own name, in any case, is no contrast."""
    embedder = registry.load("embedder", f"transformers:{tiny('clip')}").object
    image = embedder.embed(images[:1])[0]
    cup, ball, vase = embedder.embed_texts([f"a photo of a {name}" for name in ("cup", "ball", "vase")]) @ image
    (judgement,) = load(tiny("clip"), contrasts=["CUP", "ball", "vase"]).object.judge(images[:1], [Label("cup")])
    assert judgement.score == pytest.approx(cup - max(ball, vase), abs=1e-6)
    assert judgement.faithful == (judgement.score >= 0)
    for name, own in (("cup", cup), ("ball", ball)):
        strict = load(tiny("clip"), threshold=float(own) + 0.01).object
        lenient = load(tiny("clip"), threshold=float(own) - 0.01).object
        assert not strict.judge(images[:1], [Label(name)])[0].faithful
        assert lenient.judge(images[:1], [Label(name)])[0].faithful


def test_a_judge_whose_only_contrast_is_the_label_itself_uses_the_cosine(tiny, images):
    """With nothing left to compare with, the threshold is on the cosine."""
    embedder = registry.load("embedder", f"transformers:{tiny('clip')}").object
    own = embedder.embed_texts(["a cup"])[0] @ embedder.embed(images[:1])[0]
    judge = load(tiny("clip"), contrasts=["cup"], template="a {name}", threshold=-1).object
    assert judge.judge(images[:1], [Label("cup")])[0].score == pytest.approx(float(own), abs=1e-6)


def test_the_kind_goes_where_the_template_says_and_a_label_is_no_template(tiny, images):
    """A label called "{kind}" is that word, not a field."""
    embedder = registry.load("embedder", f"transformers:{tiny('clip')}").object
    image = embedder.embed(images[:1])[0]
    judge = load(tiny("clip"), template="red {name} on {kind}", threshold=0).object
    own = embedder.embed_texts(["red cup on grass"])[0] @ image
    assert judge.judge(images[:1], [Label("cup", "grass")])[0].score == pytest.approx(float(own), abs=1e-6)
    odd = embedder.embed_texts(["red {kind} on grass"])[0] @ image
    assert judge.judge(images[:1], [Label("{kind}", "grass")])[0].score == pytest.approx(float(odd), abs=1e-6)


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_enough_scores_must_reach_their_own_thresholds(tiny, images, needed):
    """Of three questions with a threshold each, an image is faithful exactly where `needed` are reached."""
    templates = ["a {name}", "red {name}", "a photo of a {name} on grass"]
    labels = [Label("cup")] * 3
    scores = load(tiny("clip"), template=templates, threshold=0).object.scores(images, labels)
    assert scores.shape == (3, 3)
    middle = np.median(scores, axis=0)
    judge = load(tiny("clip"), template=templates, threshold=middle.tolist(), needed=needed).object
    judgements = judge.judge(images, labels)
    assert [j.faithful for j in judgements] == ((scores >= middle).sum(axis=1) >= needed).tolist()
    assert [j.score >= 0 for j in judgements] == [j.faithful for j in judgements]
    by_default = load(tiny("clip"), template=templates, threshold=middle.tolist()).identity["args"]
    assert by_default["needed"] == 2


def test_it_is_identified_by_everything_that_decides(tiny):
    """What the defaults filled in stands in the identity too."""
    args = load(tiny("clip"), contrasts=["cup"]).identity["args"]
    assert (args["threshold"], args["needed"]) == ([0.0], 1)
    assert (args["template"], args["contrasts"]) == (["a photo of a {name}"], ["cup"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({}, "needs a finite number as threshold"),
        ({"contrasts": "cup"}, "must be a list of names"),
        ({"contrasts": ["cup", ""]}, "must be a list of names"),
        ({"contrasts": ["cup"], "template": "a cup"}, "must hold {name} where the label goes"),
        ({"contrasts": ["cup"], "template": []}, "must hold {name} where the label goes"),
        ({"contrasts": ["cup"], "threshold": "high"}, "needs a finite number"),
        ({"template": ["{name}", "a {name}"], "threshold": [0.1]}, "one for each of its 2 questions"),
        ({"threshold": 0, "needed": 2}, "`needed` must be 1 to 1, but is 2"),
        ({"threshold": 0, "needed": True}, "`needed` must be 1 to 1, but is True"),
        ({"calibration": "nowhere.json"}, "cannot be read (FileNotFoundError)"),
        ({"calibration": "nowhere.json", "threshold": 1}, "takes 'threshold' from its calibration"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense(args, told, tiny):
    """Each is one sentence that says what would."""
    with pytest.raises(ArgumentError) as caught:
        load(tiny("clip"), **args)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_texts_is_no_judge(tiny):
    """The sentence says what is needed."""
    with pytest.raises(PluginError, match="embeds images alone; a judge needs a model of images and texts"):
        load(tiny("dinov2"), threshold=0)


def test_a_calibration_stands_for_its_arguments_whatever_its_file_is_called(tiny, images, tmp_path):
    """The judge is the one with the same arguments given by hand: same answers, same identity."""
    args = {"template": ["a {name}", "red {name}"], "threshold": [0.1, -0.2], "needed": 1, "contrasts": ["vase"]}
    by_hand = load(tiny("clip"), **args)
    file = tmp_path / "mine.json"
    told = {"schema": "foible/judge-calibration", "fingerprint": by_hand.identity["fingerprint"], "args": args}
    file.write_text(json.dumps(told))
    by_file = load(tiny("clip"), calibration=str(file))
    labels = [Label("cup")] * 3
    assert by_file.object.judge(images, labels) == by_hand.object.judge(images, labels)
    assert by_file.identity == {**by_hand.identity, "args": {**by_hand.identity["args"], "calibration": None}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read (JSONDecodeError)"),
        ("[" * 100_000, "cannot be read (RecursionError)"),
        ("[1]", "is no calibration of a judge"),
        ('{"schema": "foible/findings", "args": {}}', "is no calibration of a judge"),
        ('{"schema": "foible/judge-calibration", "args": []}', "is no calibration of a judge"),
        ('{"schema": "foible/judge-calibration", "args": {}}', "was made for another model"),
    ],
    ids=["torn", "deep", "list", "other", "args", "model"],
)
def test_a_calibration_that_is_none(tiny, tmp_path, text, told):
    """A torn file, another file, and one that was made for another model are one sentence each."""
    file = tmp_path / "calibration.json"
    file.write_text(text)
    with pytest.raises(ArgumentError) as caught:
        load(tiny("clip"), calibration=str(file))
    assert told in str(caught.value)
