"""Heads, names and recipes of `timm` models: every weight from a file, every name where its class is."""

from __future__ import annotations

import json
import shutil
from functools import cache

import numpy as np
import pytest

from foible.errors import ArgumentError, PluginError
from foible.parts import registry

ARCHITECTURE = "test_resnet"
NAMES = ["red", "green", "blue", "white", "black"]


@cache
def network(classes=5):
    """A real, tiny model of timm's, with weights that are always the same."""
    timm = pytest.importorskip("timm", exc_type=ImportError)
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return timm.create_model(ARCHITECTURE, pretrained=False, num_classes=classes).eval()


@pytest.fixture
def save(tmp_path):
    """Give a function that saves the model as timm does for the hub, and then edits its config."""

    def saved(name="five", classes=5, edit=None, **told):
        import timm

        timm.models.save_for_hf(network(classes), tmp_path / name, safe_serialization=True, model_config=told)
        file = tmp_path / name / "config.json"
        config = json.loads(file.read_text())
        config["pretrained_cfg"]["input_size"] = [3, 64, 64]
        file.write_text(json.dumps({**config, **(edit or {})}))
        return tmp_path / name

    return saved


@pytest.fixture
def images():
    """Four images of noise."""
    return list(np.random.default_rng(3).integers(0, 256, (4, 80, 70, 3), np.uint8))


def load(name, kind="classifier", **args):
    """Load a model."""
    return registry.load(kind, f"timm:{name}", args).object


def refused(name, error=ArgumentError, kind="classifier", **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(name, kind, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def expected(images, classes=5, **changes):
    """Ask the network itself: probabilities and features."""
    import timm
    import torch
    from PIL import Image

    known = network(classes).pretrained_cfg
    settings = {"input_size": (3, 64, 64)}
    settings |= {part: known[part] for part in ("mean", "std", "crop_pct", "interpolation")}
    transform = timm.data.create_transform(**{**settings, **changes})
    with torch.no_grad():
        batch = torch.stack([transform(Image.fromarray(image)) for image in images])
        features = network(classes).forward_head(network(classes).forward_features(batch), pre_logits=True)
        return network(classes)(batch).softmax(dim=1).numpy(), features.numpy()


@pytest.mark.parametrize("count", [3, 1000])
def test_a_head_that_no_file_has_is_refused(save, count):
    """A1: `num_classes` without a checkpoint made up a head, another one at each start; now it says what to give."""
    sentence = refused(save(), num_classes=count)
    assert f"have 5 classes, so a head of {count} would be made up" in sentence
    assert "give the checkpoint that has it, or leave num_classes out" in sentence


def test_a_head_for_published_weights_is_refused_before_they_are_fetched(monkeypatch):
    """A1: of a name of timm's it is known without its weights how many classes they have."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "have 1000 classes, so a head of 7 would be made up" in refused("resnet18.a1_in1k", num_classes=7)


def test_the_count_that_the_weights_have_may_be_said(save, images):
    """A1: `num_classes` that is the file's own changes nothing."""
    assert np.allclose(load(save(), num_classes=5).classify(images), expected(images)[0], atol=1e-5)


@pytest.mark.parametrize(
    "edit",
    [
        {"num_classes": 1000, "model_args": {"num_classes": 5}},
        {"num_classes": 5, "model_args": {"num_classes": 1000}},
    ],
    ids=["config", "model_args"],
)
def test_a_folder_that_contradicts_itself_keeps_its_own_head(save, images, edit):
    """A1: where `config.json` and `model_args` say other counts, the head in the file is used, whichever is right."""
    folder = save(edit=edit)
    found = load(folder)
    assert np.allclose(found.classify(images), expected(images)[0], atol=1e-5)
    assert np.array_equal(found.classify(images), load(folder).classify(images))


def test_a_folder_whose_counts_are_both_wrong_is_refused(save):
    """A1: where neither count is that of the weights, the sentence names both."""
    folder = save(edit={"num_classes": 7, "model_args": {"num_classes": 9}})
    sentence = refused(folder, PluginError)
    assert "has 7 classes and that it has 9 (in model_args)" in sentence
    assert "mend its config.json" in sentence


@pytest.mark.parametrize("edit", [{}, {"num_classes": 1000, "model_args": {"num_classes": 5}}], ids=["same", "other"])
def test_weights_without_a_head_are_refused(save, edit):
    """A1: a folder whose file lacks the head, or any other weight, has nothing made up, whatever its config says."""
    from safetensors.torch import load_file, save_file

    file = save(edit=edit) / "model.safetensors"
    weights = load_file(file)
    save_file({name: one for name, one in weights.items() if not name.startswith("fc")}, file)
    refused(file.parent, PluginError)


def test_an_embedder_makes_no_weight_up_either(save, images):
    """A1: timm checks no weight at all when it leaves the head out; a folder that lacks one is refused as embedder."""
    from safetensors.torch import load_file, save_file

    folder = save()
    features = expected(images)[1]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert np.allclose(load(folder, "embedder").embed(images), unit, atol=1e-5)
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if name.startswith("layer2") and name.endswith("weight"))
    save_file({name: one for name, one in weights.items() if name != gone}, folder / "model.safetensors")
    assert gone in refused(folder, PluginError, "embedder")


def test_synsets_in_another_order_keep_their_order(save):
    """A10: a thousand synsets that are not in ImageNet's order name the classes in theirs, with what is as good."""
    from timm.data import ImageNetInfo

    synsets = ImageNetInfo("imagenet-1k").label_names()
    turned = synsets[::-1]
    found = load(save("turned", 1000, label_names=turned))
    usual = load(save("usual", 1000, label_names=synsets))
    assert usual.labels[504] == "coffee mug (mug)"
    assert found.labels == usual.labels[::-1]
    assert {999 - one: {999 - other for other in others} for one, others in found.accepted.items()} == usual.accepted


def test_some_synsets_name_some_classes(save):
    """A10: five synsets name five classes, and a synset that nobody knows names none."""
    found = load(save(label_names=["n01440764", "n03063599", "n02102040", "n03417042", "n03394916"]))
    assert [text.partition(" (")[0] for text in found.labels][:2] == ["tench", "coffee mug"]
    assert (
        load(save("odd", label_names=["n01440764", "n03063599", "n02102040", "n03417042", "n99999999"])).labels is None
    )


def test_descriptions_go_before_codes(save):
    """A10: where a file describes its classes, the description is the name, and not the code."""
    described = {"c1": "red thing, crimson", "c2": "green thing", "c3": "blue thing"}
    found = load(save(label_names=["c3", "c1", "c2", "c4", "c5"], label_descriptions=described))
    assert found.labels == ("blue thing", "red thing", "green thing", "c4", "c5")


@pytest.mark.parametrize("names", [list("01234"), [f"LABEL_{n}" for n in range(5)]], ids=["numbers", "LABEL_n"])
def test_names_that_are_numbers_are_none(save, names):
    """A14: the user is asked for names, and no prompt is made of numbers."""
    assert load(save(label_names=names)).labels is None


def test_a_wrong_count_of_names_is_told(save):
    """A14: too few names in the model's own files are no names of the first classes."""
    assert "own files name 3 classes: give labels" in refused(save(label_names=["a", "b", "c"]))


def test_one_output_is_a_yes_or_no(save, images):
    """A12: one output is refused with a sentence that says so, and with a threshold it is two classes."""
    folder = save(classes=1, label_names=["red thing"])
    assert "has one output, a yes or no" in refused(folder)
    found = load(folder, threshold=0)
    assert found.labels == ("not red thing", "red thing")
    scores = found.classify(images)
    assert np.allclose(scores[:, 0], -scores[:, 1])


def test_the_recipe_can_be_said_and_stands_in_the_identity(save, images):
    """C29: size, crop, mean, std, interpolation and the order of channels reach the network, and are told."""
    folder = save()
    mean, std = (0.1, 0.4, 0.6), (0.2, 0.3, 0.25)
    turned = [np.ascontiguousarray(image[..., ::-1]) for image in images]
    args = {
        "size": 96,
        "crop": 0.5,
        "mean": list(mean),
        "std": list(std),
        "channels": "bgr",
        "interpolation": "bilinear",
    }
    changes = {"input_size": (3, 96, 96), "crop_pct": 0.5, "mean": mean, "std": std, "interpolation": "bilinear"}
    part = registry.load("classifier", f"timm:{folder}", args)
    assert np.allclose(part.object.classify(images), expected(turned, **changes)[0], atol=1e-5)
    told = part.identity["args"]
    assert (told["size"], told["crop"], told["mean"], told["channels"]) == ([96, 96], 0.5, list(mean), "bgr")
    squeezed = load(folder, crop=None)
    assert np.allclose(squeezed.classify(images), expected(images, crop_pct=1.0, crop_mode="squash")[0], atol=1e-5)
    assert "mean and std together" in refused(folder, mean=[0, 0, 0])
    assert "'rgb'" in refused(folder, channels="grb")


def test_the_recipe_of_a_checkpoint_is_told_as_a_guess(save, images, tmp_path):
    """A7: weights of one's own in a published architecture may have another recipe, so what nobody said is listed."""
    import torch

    torch.save(network().state_dict(), tmp_path / "w.pth")
    args = {"checkpoint": str(tmp_path / "w.pth"), "num_classes": 5, "size": 64}
    told = registry.load("classifier", f"timm:{ARCHITECTURE}", args).identity["args"]
    assert told["guessed"] == ["crop", "mean", "std", "interpolation", "channels"]
    folder = shutil.copytree(save(), tmp_path / "copy")
    assert registry.load("classifier", f"timm:{folder}").identity["args"]["guessed"] == []
