"""What the outputs of a `transformers` classifier mean, what its classes are called, and how its images are made."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from foible.errors import ArgumentError, PluginError
from foible.parts import registry

NAMES = {0: "dog", 1: "person", 2: "cup"}


@pytest.fixture
def save(tmp_path):
    """Give a function that saves a tiny ViT with settings of its own."""
    import torch
    import transformers

    from foible.adapters.transformers.models import quiet

    def saved(name="vit", edit=None, **settings):
        torch.manual_seed(1)
        small: dict[str, Any] = {
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
        }
        small |= {"image_size": 32, "patch_size": 16, "initializer_range": 0.8}
        config = transformers.ViTConfig(**small, **settings)
        with quiet():
            transformers.ViTForImageClassification(config).save_pretrained(tmp_path / name)
            transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path / name)
        file = tmp_path / name / "config.json"
        written = json.loads(file.read_text())
        file.write_text(json.dumps(written | (edit or {})))
        return tmp_path / name

    return saved


@pytest.fixture
def images():
    """Twenty images of noise around as many colours."""
    dice = np.random.default_rng(3)
    return [np.clip(dice.normal(dice.integers(0, 256, 3), 30, (32, 32, 3)), 0, 255).astype(np.uint8) for _ in range(20)]


def load(folder, **args):
    """Load a folder."""
    return registry.load("classifier", f"transformers:{folder}", args).object


def refused(folder, error=ArgumentError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(folder, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def logits(folder, images, **scaling):
    """Ask the library itself."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from foible.adapters.transformers.models import quiet

    with quiet(), torch.no_grad():
        model = AutoModelForImageClassification.from_pretrained(folder).eval()
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        return model(**processor(images=images, return_tensors="pt", **scaling)).logits


def test_a_multi_label_model_is_not_ranked_unasked(save, images):
    """A12: "dog" at 0.92 is right beside "person" at 0.95, so such a model is refused, and the ways out are named."""
    folder = save(problem_type="multi_label_classification", id2label=NAMES)
    sentence = refused(folder)
    assert "'dog' at 0.92 beside 'person' at 0.95" in sentence
    assert "python:module:factory" in sentence
    found = load(folder, single_label=True)
    assert np.allclose(found.classify(images), logits(folder, images).softmax(dim=1), atol=1e-5)
    assert "leave single_label out" in refused(save("plain", id2label=NAMES), single_label=True)


def test_one_output_is_a_yes_or_no(save, images):
    """A12: one output cannot be ranked; with a threshold it is two classes, and yes wins exactly from there on."""
    folder = save(num_labels=1, id2label={0: "red thing"}, problem_type="multi_label_classification")
    assert "has one output, a yes or no" in refused(folder)
    own = logits(folder, images)[:, 0].numpy()
    threshold = float(np.median(own))
    found = load(folder, threshold=threshold)
    scores = found.classify(images)
    assert found.labels == ("not red thing", "red thing")
    assert scores.shape == (20, 2)
    clear = np.abs(own - threshold) > 1e-5
    assert 5 < (scores.argmax(axis=1) == 1).sum() < 15
    assert ((scores.argmax(axis=1) == 1) == (own >= threshold))[clear].all()
    assert load(folder, threshold=0, labels=["green", "red"]).labels == ("green", "red")
    assert "leave the argument threshold out" in refused(save("three", id2label=NAMES), threshold=0)


def test_an_output_at_its_threshold_is_a_yes():
    """A12: a threshold belongs to the yes, as everywhere."""
    from foible.adapters.shared.classes import yes_or_no

    scores = yes_or_no(np.array([[0.5], [0.49], [0.51]], np.float32), 0.5)
    assert scores.argmax(axis=1).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "table",
    [
        {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"},
        {"0": 0, "1": 1, "2": 2},
        {"0": "class 0", "1": "class 1", "2": "class 2"},
        {"0": "red", "2": "blue", "10": "green"},
        {"1": "red", "2": "green", "3": "blue"},
    ],
    ids=["library", "numbers", "class", "gaps", "from one"],
)
def test_names_that_name_nothing_are_none(save, table):
    """A14: numbers, and names that do not number the outputs, give no names, so that the user is asked for them."""
    assert load(save(edit={"id2label": table, "label2id": {}}, num_labels=3)).labels is None


def test_names_in_two_orders_are_none(save):
    """A14: where the two tables of a config contradict each other, neither is believed."""
    names = {"0": "red", "1": "green", "2": "blue"}
    back = {"red": 0, "green": 1, "blue": 2}
    assert load(save("same", edit={"id2label": names, "label2id": back}, num_labels=3)).labels == tuple(back)
    swapped = save("other", edit={"id2label": names, "label2id": {**back, "red": 2, "blue": 0}}, num_labels=3)
    assert load(swapped).labels is None
    assert load(swapped, labels=["a", "b", "c"]).labels == ("a", "b", "c")


def test_a_thousand_names_in_no_order_are_not_imagenets(save):
    """A14: a list from one with a thousand names is not given ImageNet's in place of its own."""
    table = {str(place + 1): f"thing {place} of mine" for place in range(1000)}
    assert load(save(edit={"id2label": table, "label2id": {}}, num_labels=1000)).labels is None


def test_bgr_and_scaling_can_be_said(save, images):
    """C29: a network that was trained on BGR, with a mean and std of its own, is given exactly that."""
    folder = save(id2label=NAMES)
    mean, std = [0.1, 0.4, 0.6], [0.2, 0.3, 0.25]
    turned = [np.ascontiguousarray(image[..., ::-1]) for image in images]
    expected = logits(folder, turned, image_mean=mean, image_std=std).softmax(dim=1)
    assert np.allclose(load(folder, channels="bgr", mean=mean, std=std).classify(images), expected, atol=1e-5)
    assert not np.allclose(load(folder).classify(images), expected, atol=1e-3)
    assert "'rgb'" in refused(folder, channels="rgba")
    assert "mean and std together" in refused(folder, mean=mean)


def test_the_advice_for_a_pickle_works(save, images):
    """C29: the command that the refusal of a pickle gives makes a folder that loads, with its own head."""
    import torch
    from safetensors.torch import load_file

    folder = save(id2label=NAMES)
    before = load(folder).classify(images)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    sentence = refused(folder, PluginError)
    (command,) = re.findall(r'python -c "(.*)"$', sentence)
    subprocess.run([sys.executable, "-c", "import foible.adapters\n" + command], check=True, capture_output=True)
    assert shlex.split(f'"{command}"') == [command]
    assert np.allclose(load(folder).classify(images), before, atol=1e-6)


@pytest.mark.parametrize("count", [10**9, 10**30])
def test_more_classes_than_the_weights_can_hold_are_refused_unread(save, count):
    """B26: a config that claims a billion classes costs neither minutes nor the memory: its weights are too small."""
    folder = save()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = {name: value for name, value in config.items() if name not in {"id2label", "label2id"}}
    (folder / "config.json").write_text(json.dumps({**config, "num_labels": count}), encoding="utf-8")
    assert "more than its weights of" in refused(folder, PluginError)
