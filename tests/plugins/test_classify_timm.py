"""Classifiers of timm's: by name, from a folder, with weights of one's own; and a torchvision that does not match."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foible import testing
from foible.errors import ArgumentError, FoibleError, PluginError
from foible.parts import registry

ARCHITECTURE = "test_resnet"


@cache
def network(classes=3):
    """A real, tiny model of timm's, with weights that are always the same."""
    import timm
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return timm.create_model(ARCHITECTURE, pretrained=False, num_classes=classes).eval()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The model as timm saves it for the hub, with names of its classes and an odd preprocessing."""
    import timm

    place = tmp_path_factory.mktemp("timm") / "model"
    timm.models.save_for_hf(
        network(), place, safe_serialization="both", model_config={"label_names": ["cup", "ball", "vase (vessel)"]}
    )
    file = place / "config.json"
    config = json.loads(file.read_text())
    config["pretrained_cfg"] |= {"input_size": [3, 96, 96], "mean": [0.3, 0.4, 0.5], "std": [0.2, 0.3, 0.4]}
    config["pretrained_cfg"] |= {"interpolation": "bicubic", "crop_pct": 0.9}
    file.write_text(json.dumps(config))
    return place


@pytest.fixture(scope="session")
def loaded(folder):
    """The model in the folder, by its spec."""
    return registry.load("classifier", f"timm:{folder}").object


def wrong(name, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load("classifier", f"timm:{name}", args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 600
    return sentence


def test_it_conforms(folder):
    """A real model, saved and loaded again, keeps the promises of a classifier."""
    assert testing.check("classifier", f"timm:{folder}") == []


def test_it_answers_as_timm_would(loaded, images):
    """The same weights, transform and softmax, by hand, give the same numbers; the names are the folder's."""
    import timm
    import torch
    from PIL import Image

    transform = timm.data.create_transform(
        input_size=(3, 96, 96), mean=(0.3, 0.4, 0.5), std=(0.2, 0.3, 0.4), interpolation="bicubic", crop_pct=0.9
    )
    batch = torch.stack([transform(Image.fromarray(image)) for image in images])
    with torch.no_grad():
        expected = network()(batch).softmax(dim=1).numpy()
    assert np.allclose(loaded.classify(images), expected, atol=1e-5)
    assert loaded.labels == ("cup", "ball", "vase (vessel)")


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_the_input_is_that_of_the_models_own_transform(height, width, seed):
    """Whatever the shape of an image, the network sees what timm's transform for its settings makes of it."""
    import timm
    from PIL import Image

    from foible.adapters.timm import models as _timm

    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = found_once()
    own = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=network().pretrained_cfg))
    seen = found.pixels([image])[0]
    assert np.allclose(seen, own(Image.fromarray(image)), atol=1e-5)
    assert isinstance(found, _timm.Loaded)


@cache
def found_once():
    """Load the architecture once, with weights from a file, as its published ones are not at hand."""
    import tempfile
    from pathlib import Path

    from safetensors.torch import save_file

    from foible.adapters.timm import models as _timm

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "weights.safetensors"
        save_file(network().state_dict(), file)
        return _timm.load(ARCHITECTURE, checkpoint=str(file), num_classes=3)


@pytest.mark.parametrize("kind", ["safetensors", "plain", "wrapped"])
def test_weights_of_ones_own(kind, loaded, images, tmp_path):
    """A safetensors file, a state dict, and one of a training script under its wrapper all give the same answers."""
    import torch
    from safetensors.torch import save_file

    weights = network().state_dict()
    file = tmp_path / ("own.safetensors" if kind == "safetensors" else "own.pth")
    if kind == "safetensors":
        save_file(weights, file)
    elif kind == "plain":
        torch.save(weights, file)
    else:
        torch.save({"epoch": 3, "state_dict": {f"module.{name}": one for name, one in weights.items()}}, file)
    part = registry.load("classifier", f"timm:{ARCHITECTURE}", {"checkpoint": str(file), "num_classes": 3})
    with torch.no_grad():
        expected = network()(found_once().pixels(images)).softmax(dim=1).numpy()
    assert np.allclose(part.object.classify(images), expected, atol=1e-5)
    assert part.object.labels is None


def test_a_thousand_classes_are_imagenets(tmp_path):
    """A model with 1,000 outputs and no names of its own gets ImageNet's, with the classes that are as good."""
    import torch

    torch.save(network(1000).state_dict(), tmp_path / "w.pth")
    part = registry.load("classifier", f"timm:{ARCHITECTURE}", {"checkpoint": str(tmp_path / "w.pth")}).object
    assert part.labels[504] == "coffee mug (mug)"
    assert part.accepted[836] == {837}


def test_the_identity_covers_weights_and_preprocessing(folder, tmp_path):
    """Another weight or another mean is another identity; another place is not."""
    import shutil

    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(folder, tmp_path / "copy")
    first = registry.load("classifier", f"timm:{folder}").identity
    assert registry.load("classifier", f"timm:{copy}").identity["fingerprint"] == first["fingerprint"]
    assert first["args"]["mean"] == [0.3, 0.4, 0.5]
    assert first["args"]["guessed"] == []
    config = json.loads((copy / "config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0.1, 0.1, 0.1]
    (copy / "config.json").write_text(json.dumps(config))
    second = registry.load("classifier", f"timm:{copy}").identity
    weights = load_file(copy / "model.safetensors")
    weights["fc.bias"] += 0.5
    save_file(weights, copy / "model.safetensors")
    third = registry.load("classifier", f"timm:{copy}").identity
    assert len({one["fingerprint"] for one in (first, second, third)}) == 3


# --- what is no good -----------------------------------------------------------------------------------------------


def test_a_name_that_timm_does_not_have(monkeypatch, tmp_path):
    """What is near is told: of models, and of the weights of one; a path and a hub name are told apart."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "near it: resnet50, " in wrong("resnet_50")
    assert "did you mean 'a1_in1k'" in wrong("resnet50.a1_1k")
    assert "there is no such folder" in wrong(tmp_path / "nowhere")
    assert "hf-hub:timm/resnet50" in wrong("timm/resnet50")
    assert "are neither on this machine nor to be had from the hub" in wrong("resnet50.a1_in1k")


def test_torn_weights_and_weights_of_another_network(folder, tmp_path):
    """A file cut short, one of other shapes and one without a weight are a sentence each, not random weights."""
    import torch

    content = (folder / "model.safetensors").read_bytes()
    (tmp_path / "torn.safetensors").write_bytes(content[:-100])
    assert "is the file whole?" in wrong(ARCHITECTURE, checkpoint=str(tmp_path / "torn.safetensors"), num_classes=3)
    whole = str(folder / "model.safetensors")
    assert "in the file and (7," in wrong(ARCHITECTURE, checkpoint=whole, num_classes=7)
    weights = network().state_dict()
    del weights["fc.bias"]
    torch.save(weights, tmp_path / "less.pth")
    assert "lacks fc.bias" in wrong(ARCHITECTURE, checkpoint=str(tmp_path / "less.pth"), num_classes=3)
    assert "no file" in wrong(ARCHITECTURE, checkpoint="nowhere.pth")


def test_a_pickle_is_refused_with_the_way_out(tmp_path):
    """A whole module saved by torch can run code when it is read; the sentence says how to convert it."""
    import torch

    torch.save(network(), tmp_path / "module.pth")
    sentence = wrong(ARCHITECTURE, checkpoint=str(tmp_path / "module.pth"))
    assert "can run code when it is read" in sentence
    assert "state_dict()" in sentence


def test_labels_of_the_wrong_length(folder, tmp_path):
    """Names that are too few, in a list or a file, are told with both counts."""
    assert "has 3 outputs, but the argument labels has 2 names" in wrong(folder, ArgumentError, labels=["a", "b"])
    (tmp_path / "names.txt").write_text("cup, mug\nball\nvase\nlamp\n")
    assert "has 4 names" in wrong(folder, ArgumentError, labels=str(tmp_path / "names.txt"))
    assert "has 1000 names" in wrong(folder, ArgumentError, labels="imagenet")


def test_weights_without_classes_are_an_embedder(folder):
    """A model without a head is said to be one."""
    assert "it is an embedder" in wrong(folder, num_classes=0)


BROKEN = 'raise RuntimeError("operator torchvision::nms does not exist")'
LOADS = "from foible.parts import registry\nregistry.load('classifier', 'timm:resnet18')"

OTHERS = "from foible.parts import registry\nregistry.load('classifier', 'python:foible.testing:ColourClassifier')"


@pytest.mark.parametrize("named", [True, False])
def test_a_torchvision_that_cannot_be_mended_is_one_sentence_and_only_for_timm(named, tmp_path):
    """A torchvision that does not import at all stops timm with one sentence, and nothing that does not name it."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(BROKEN)
    told = run(LOADS if named else OTHERS, tmp_path)
    assert ("does not match: install both together" in told) is named
    if not named:
        assert told == ""


def test_the_pair_on_this_machine_works_or_is_mended():
    """In a fresh process `foible.adapters` is enough for torchvision, timm and transformers to import together."""
    code = "import foible.adapters, torchvision, timm\nfrom transformers import AutoImageProcessor"
    assert run(code, None) == ""


def run(code, first):
    """Run code in a fresh process, with a folder before everything on its path; give its last line of errors."""
    before = "" if first is None else f"import sys; sys.path.insert(0, {str(first)!r})\n"
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or [""])[-1]


def test_errors_are_of_foibles_own_tree():
    """What stops a hunt here is exit code 2, not a traceback."""
    assert issubclass(ArgumentError, PluginError)
    assert issubclass(PluginError, FoibleError)
