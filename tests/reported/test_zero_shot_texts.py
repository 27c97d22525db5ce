"""Texts that a joint model reads as the same, or not to their end: of classes, of labels, of prompts."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tiny_clip
from foible.errors import ArgumentError, PartError
from foible.parts import registry
from foible.records import Drawn, Label

LONG = "an official name of an agricultural machine for the harvest of sugar beet and other crops of "


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A tiny CLIP that reads 78 letters."""
    return tiny_clip.save(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def images():
    """Three images of noise."""
    return list(np.random.default_rng(3).integers(0, 256, (3, 32, 32, 3), np.uint8))


def load(clip, classes, **args):
    """Load the model as a classifier."""
    return registry.load("classifier", f"transformers:{clip}", {"classes": classes, **args}).object


def refused(clip, classes, **args):
    """Give the sentence that refuses classes."""
    with pytest.raises(ArgumentError) as caught:
        load(clip, classes, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def vectors(clip, texts):
    """Embed texts by the model itself."""
    return registry.load("embedder", f"transformers:{clip}").object.embed_texts(texts)


def test_two_classes_of_the_same_text_are_refused(clip):
    """A11: a class that is named twice could never win the second time, so both are named and refused."""
    sentence = refused(clip, ["crane", "dog", "crane"])
    assert "the classes 0 ('crane') and 2 ('crane')" in sentence
    assert "tell them apart" in sentence


def test_two_classes_that_are_cut_to_the_same_text_are_refused(clip):
    """A11: names that differ after the end of what the model reads are refused, and the sentence says to shorten."""
    sentence = refused(clip, ["dog", LONG + "2007", LONG + "2012"])
    assert "the classes 1 (" in sentence
    assert "shorten the names or the template" in sentence


def test_a_class_that_is_cut_but_stands_alone_is_told(clip):
    """A11: a name that is cut and still unlike the others is used, and listed in the identity."""
    args = {"classes": ["dog", LONG + "2007"]}
    assert registry.load("classifier", f"transformers:{clip}", args).identity["args"]["cut"] == [LONG + "2007"]
    assert "cut" not in registry.load("classifier", f"transformers:{clip}", {"classes": ["dog"]}).identity["args"]


def test_a_kind_in_parentheses_is_told_to_the_model(clip):
    """A11: "mouse (device)" is said whole, whether or not another class is a mouse too."""
    texts = ["a photo of a mouse (device).", "a photo of a rat (rodent)."]
    assert np.allclose(load(clip, ["mouse (device)", "rat (rodent)"])._texts, vectors(clip, texts), atol=1e-6)


def test_the_kind_goes_where_the_template_says(clip):
    """A11: `{kind}` is filled in, with or without a blank before the parenthesis; a class without is named."""
    template = "a {name}, one {kind}"
    texts = ["a mouse, one device", "a rat, one rodent"]
    found = load(clip, ["mouse (device)", "rat(rodent)"], template=template)
    assert np.allclose(found._texts, vectors(clip, texts), atol=1e-6)
    assert "'dog' has none" in refused(clip, ["mouse (device)", "dog"], template=template)
    assert "'{label}'" in refused(clip, ["dog", "cat"], template="a {name} {label}")


def test_a_judge_that_cannot_read_a_label_to_its_end_leaves_it_unscored(clip, images):
    """A11: two labels that are cut to one text get no judgement, a label that fits gets its own as ever."""
    judge = registry.load("judge", f"clip:{clip}", {"contrasts": ["a plate"]}).object
    labels = [Label(LONG + "2007"), Label("dog"), Label(LONG + "2012")]
    first, second, third = judge.judge(images, labels)
    assert isinstance(first, PartError)
    assert isinstance(third, PartError)
    assert "2007" in str(first)
    assert second == judge.judge(images[1:2], labels[1:2])[0]


def test_a_contrast_that_is_cut_is_refused(clip):
    """A11: a contrast of which the judge reads the beginning alone is another thing than the one that was meant."""
    with pytest.raises(ArgumentError, match="no room for the last words of the contrast"):
        registry.load("judge", f"clip:{clip}", {"contrasts": [LONG + "2007"]})


def test_words_of_a_prompt_that_cannot_be_read_are_told_as_ignored(clip, tmp_path):
    """A11: two descriptions beyond the limit find the same photograph, so their words are told as ignored."""
    for number, value in enumerate((0, 90, 200)):
        Image.new("RGB", (32, 32), (value, 40, 255 - value)).save(tmp_path / f"{number}.png")
    args = {"embedder": clip, "size": 32, "top": 3, "cache": str(tmp_path / "cache")}
    generator = registry.load("generator", f"folder:{tmp_path}", args).object
    base = "a realistic photograph of a coffee mug (cup) standing on a table in the house,"
    long, short = generator.draw([f"{base} striped, at night", "a coffee mug"], [1, 1])
    assert isinstance(long, Drawn)
    assert long.ignored == ("striped,", "at", "night")
    assert isinstance(short, np.ndarray)
    (cut,) = generator.draw([f"{base[:-1]} kept, at night"], [1])
    assert cut.ignored == ("kept,", "at", "night")
