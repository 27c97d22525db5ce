"""The judge that asks a chat model, over a real LLaVA class: its score is the model's, and its mistakes are told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from foible import testing
from foible.adapters.shared.votes import UNANSWERED
from foible.adapters.transformers.vlm_judge import FLOOR
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from foible.parts.asking import ask_judge
from foible.records import Judgement, Label


def load(folder, **args):
    """Load a folder as judge; a model of random weights is heard however little it says yes or no."""
    return registry.load("judge", f"vlm:{folder}", {"floor": 0, **args})


@pytest.mark.parametrize(
    "args", [{"floor": 0}, {"floor": 0, "question": ["show {name} ?", "Does this image show {name} or no ?"]}], ids=str
)
def test_it_conforms(tiny, args):
    """One question or two: alone or in a batch, in any order, an image is judged the same."""
    assert testing.check("judge", f"vlm:{tiny('vlm')}", args, size=32) == []


def test_the_score_is_the_chance_of_yes_against_no(tiny, images):
    """By the library's own forward pass over one unpadded chat: P(yes) / (P(yes) + P(no)) over their spellings."""
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from foible.adapters.transformers.models import quiet

    with quiet():
        model = AutoModelForImageTextToText.from_pretrained(tiny("vlm")).eval()
        chat = AutoProcessor.from_pretrained(tiny("vlm"), backend="pil")
        text = "user <image> Does this image show a cup? Answer yes or no. "
        given = chat(images=Image.fromarray(images[0]), text=text, return_tensors="pt")
        with torch.no_grad():
            chances = model(**given).logits[0, -1].softmax(dim=0)
    tokens = {word: chat.tokenizer.convert_tokens_to_ids(word) for word in ("yes", "Yes", "no", "No")}
    yes = sum(chances[tokens[word]] for word in ("yes", "Yes"))
    no = sum(chances[tokens[word]] for word in ("no", "No"))
    (judgement,) = load(tiny("vlm")).object.judge(images[:1], [Label("cup")])
    assert judgement.score == pytest.approx(float(yes / (yes + no)), abs=1e-5)
    assert judgement.faithful == (judgement.score >= 0.5)


def test_it_hears_the_image_and_the_label(tiny, images):
    """Another image, or another label, is another score."""
    judge = load(tiny("vlm")).object
    scores = judge.scores([images[0], images[0], images[2]], [Label("cup"), Label("ball"), Label("cup")])
    assert scores.shape == (3, 1)
    assert len({float(score) for score in np.round(scores[:, 0], 7)}) == 3


def test_the_threshold_decides(tiny, images):
    """Just below the score the image is faithful, just above it is not."""
    label = [Label("cup")]
    score = load(tiny("vlm")).object.judge(images[:1], label)[0].score
    assert load(tiny("vlm"), threshold=score - 1e-4).object.judge(images[:1], label)[0].faithful
    assert not load(tiny("vlm"), threshold=score + 1e-4).object.judge(images[:1], label)[0].faithful


def test_a_model_that_says_neither_yes_nor_no_gives_no_judgement(tiny, images):
    """Where the two words together are less probable than the floor, the image is unscored, and why is said."""
    labels = [Label("cup"), Label("ball")]
    heard = load(tiny("vlm"))
    deaf = load(tiny("vlm"), floor=1)
    assert all(isinstance(one, Judgement) for one in ask_judge(heard, images[:2], labels))
    assert [one.reason for one in ask_judge(deaf, images[:2], labels)] == [f"judge: {UNANSWERED}"] * 2
    assert np.isnan(deaf.object.scores(images[:2], labels)).all()
    assert heard.identity["args"]["floor"] == 0
    assert registry.load("judge", f"vlm:{tiny('vlm')}").identity["args"]["floor"] == FLOOR


def test_it_is_silent(tiny, images, capfd):
    """Neither loading nor asking prints anything."""
    load(tiny("vlm")).object.judge(images[:1], [Label("cup")])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"question": "is it there?"}, "the question of"),
        ({"threshold": "high"}, "needs a finite number as threshold"),
        ({"needed": 2}, "`needed` must be 1 to 1"),
        ({"floor": 2}, "is a probability from 0 to 1, but got 2"),
        ({"calibration": "nowhere.json"}, "cannot be read (FileNotFoundError)"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense(args, told, tiny):
    """Each is one sentence that says what would."""
    with pytest.raises(ArgumentError) as caught:
        load(tiny("vlm"), **args)
    assert told in str(caught.value)


def test_a_model_that_is_no_chat_model(tiny):
    """A captioner without a chat template cannot be asked a question."""
    with pytest.raises(PluginError, match="has no chat template for images"):
        load(tiny("blip"))


def test_a_model_without_words_for_yes_and_no(tiny, tmp_path):
    """Where yes is no token of its own, the answer cannot be read, and that is said."""
    folder = shutil.copytree(tiny("vlm"), tmp_path / "mute")
    file = folder / "tokenizer.json"
    words = json.loads(file.read_text())
    vocabulary = words["model"]["vocab"]
    for word in ("yes", "Yes"):
        vocabulary[f"{word}-"] = vocabulary.pop(word)
    file.write_text(json.dumps(words))
    with pytest.raises(PluginError, match="has no token of its own for yes and for no"):
        load(folder)


def test_a_model_that_thinks_aloud_is_no_judge_unless_it_can_be_told_not_to(tiny, tmp_path):
    """A17: where every answer begins amid a thought, its first word is neither yes nor no, and that is said at once."""
    folder = shutil.copytree(tiny("vlm"), tmp_path / "thinker")
    template = folder / "chat_template.jinja"
    asked = template.read_text()
    template.write_text(asked + "{% if add_generation_prompt %}<think>\n{% endif %}")
    with pytest.raises(PluginError, match="thinks aloud before it answers"):
        load(folder)
    template.write_text(asked + "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}")
    assert load(folder).object.scores([], []).shape == (0, 1)
