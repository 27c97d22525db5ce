"""Checkpoints as training scripts write them: wrappers' prefixes, averages, and pickles with advice that works."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from networks import network

RECIPE = {"factory": "networks:Small", "size": 32}
TESTS = Path(__file__).parents[1]


@cache
def trained():
    """Weights as they were trained."""
    return {name: one.clone() for name, one in network().state_dict().items()}


@cache
def averaged():
    """Other weights of the same network."""
    return {name: one + 0.5 for name, one in network().state_dict().items()}


def tensor(number):
    """A count, as checkpoints hold it."""
    import torch

    return torch.tensor(number)


def under(prefix, weights):
    """Put a prefix before every name."""
    return {prefix + name: one for name, one in weights.items()}


@pytest.fixture
def images():
    """Four images of noise."""
    return list(np.random.default_rng(3).integers(0, 256, (4, 40, 40, 3), np.uint8))


@pytest.fixture
def written(tmp_path):
    """Give a function that writes a checkpoint."""

    def write(content, name="w.pth"):
        import torch
        from safetensors.torch import save_file

        (save_file if name.endswith(".safetensors") else torch.save)(content, tmp_path / name)
        return tmp_path / name

    return write


def load(file, **args):
    """Load weights into the network."""
    return registry.load("classifier", f"torch:{file}", {**RECIPE, **args})


def refused(file, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(file, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def scores(written, images, weights):
    """Give the answers of plain weights."""
    return load(written(weights, "plain.pth")).object.classify(images)


@pytest.mark.parametrize("kind", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod.", "model.", "model.net.", "backbone."]
)
def test_a_prefix_is_taken_off_and_told(prefix, kind, written, images):
    """C29: whatever wrapper put a prefix before every name, in either format, it is taken off, and told."""
    part = load(written(under(prefix, trained()), kind))
    assert np.array_equal(part.object.classify(images), scores(written, images, trained()))
    assert part.identity["args"]["prefix"] == prefix


def test_a_network_whose_own_names_begin_so_keeps_them(images, written, tmp_path, monkeypatch):
    """C29: `model.` is no prefix in the way where the network itself has it."""
    (tmp_path / "wrapped.py").write_text(
        "import torch\nfrom networks import Small\n\n\nclass Wrapped(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.model = Small()\n\n"
        "    def forward(self, images):\n        return self.model(images)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    part = load(written(under("model.", trained())), factory="wrapped:Wrapped")
    assert np.array_equal(part.object.classify(images), scores(written, images, trained()))
    assert "prefix" not in part.identity["args"]
    part = load(written(under("module.model.", trained())), factory="wrapped:Wrapped")
    assert part.identity["args"]["prefix"] == "module."


def test_a_compiled_part_of_a_network_is_found(written, images):
    """C29: `torch.compile` of one layer puts its mark in the middle of names."""
    content = {name.replace("conv.", "conv._orig_mod."): one for name, one in trained().items()}
    assert np.array_equal(load(written(content)).object.classify(images), scores(written, images, trained()))


def test_lightning_and_swa(written, images):
    """C29: Lightning's checkpoint with the weights of its loss, and an averaged model with its count, both load."""
    import torch

    lightning = {**under("model.", trained()), "criterion.weight": torch.ones(3)}
    part = load(written({"state_dict": lightning, "hyper_parameters": {"lr": 1}, "epoch": 3}, "l.ckpt"))
    assert np.array_equal(part.object.classify(images), scores(written, images, trained()))
    swa = load(written({"n_averaged": torch.tensor(3), **under("module.", averaged())}))
    assert np.array_equal(swa.object.classify(images), scores(written, images, averaged()))
    assert (swa.identity["args"]["prefix"], swa.identity["args"]["weights"]) == ("module.", "ema")


@pytest.mark.parametrize(
    "content",
    [
        lambda: {"state_dict": trained(), "state_dict_ema": averaged(), "epoch": 3},
        lambda: {"model": trained(), "model_ema": under("module.", averaged())},
        lambda: {"model": {"state_dict": trained()}, "ema": {"state_dict": averaged()}},
        lambda: {"state_dict": {**under("model.", trained()), **under("model_ema.", averaged())}},
        lambda: {**trained(), **under("ema.", averaged())},
        lambda: {
            **under("online_model.", trained()),
            **under("ema_model.", averaged()),
            "initted": tensor(1),
            "step": tensor(7),
        },
        lambda: {"state_dict": averaged(), "current_model_state": trained(), "averaging_state": {"n": tensor(3)}},
        lambda: {
            "state_dict": under("model.", trained()),
            "callbacks": {
                "ModelCheckpoint{'monitor': 'loss'}": {"best_model_path": "x"},
                "EMACallback": {"ema_state_dict": under("model.", averaged()), "decay": 0.99},
            },
        },
        lambda: {"state_dict": trained(), "callbacks": {"EMA": {"ema_model": {"state_dict": averaged()}}}},
    ],
    ids=[
        "timm",
        "torchvision",
        "nested",
        "lightning",
        "flat",
        "ema-pytorch",
        "lightning's averaging",
        "a callback",
        "within",
    ],
)
def test_an_average_is_a_choice(content, written, images):
    """C29: a checkpoint with trained and averaged weights is not read in silence either way: the user says which."""
    file = written(content())
    assert "give weights: plain or weights: ema" in refused(file, ArgumentError)
    plain, ema = load(file, weights="plain"), load(file, weights="ema")
    assert np.array_equal(plain.object.classify(images), scores(written, images, trained()))
    assert np.array_equal(ema.object.classify(images), scores(written, images, averaged()))
    assert (plain.identity["args"]["weights"], ema.identity["args"]["weights"]) == ("plain", "ema")


@pytest.mark.parametrize("place", ["ema", "callbacks"])
def test_an_average_without_names_is_not_offered(place, written, images):
    """C29: an average that is a list, as diffusers keeps it, cannot be taken: it is said how it gets names."""
    listed = {"shadow_params": [*averaged().values()], "decay": 0.999}
    beside = {"ema": listed} if place == "ema" else {"callbacks": {"EMA": {"ema_weights": listed["shadow_params"]}}}
    file = written({"state_dict": trained(), **beside})
    for args in ({}, {"weights": "ema"}):
        sentence = refused(file, ArgumentError, **args)
        assert "as a list without names" in sentence
        assert "EMAModel.copy_to" in sentence
        assert "or give weights: plain" in sentence
        assert "weights: ema" not in sentence
    plain = load(file, weights="plain")
    assert np.array_equal(plain.object.classify(images), scores(written, images, trained()))
    assert "or give weights: plain" not in refused(written(beside), ArgumentError)


def test_an_average_that_is_alone_or_not_there(written):
    """C29: a file with an average alone asks for the word, one without refuses it, and other words are unknown."""
    alone = written({"ema": averaged(), "epoch": 3})
    assert "only as an average (ema): give weights: ema" in refused(alone, ArgumentError)
    assert load(alone, weights="ema").identity["args"]["weights"] == "ema"
    assert "an average alone" in refused(alone, ArgumentError, weights="plain")
    assert "no average" in refused(written(trained()), ArgumentError, weights="ema")
    assert "known: ema, plain" in refused(written(trained()), ArgumentError, weights="best")


def test_what_does_not_fit_is_named_with_the_prefix(written):
    """C29: a weight that is lacking, or too many, is named, and so is the prefix that was taken off before."""
    import torch

    less = under("_orig_mod.module.", trained())
    del less["_orig_mod.module.fc.bias"]
    sentence = refused(written(less))
    assert "lacks fc.bias" in sentence
    assert "'_orig_mod.module.' is taken off" in sentence
    more = {**under("model.", trained()), "head.weight": torch.ones(3)}
    assert "has head.weight, which the network does not" in refused(written(more))
    twice = {**under("student.", trained()), **under("teacher.", averaged())}
    assert "more than once, under student., teacher." in refused(written(twice))


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old format"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(network, id="module", marks=pytest.mark.slow),
        pytest.param(
            lambda: {"epoch": 3, "state_dict": trained(), "args": argparse.Namespace(lr=0.1)},
            id="namespace",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda: {"model": network(), "best": np.float64(0.5)}, id="module inside", marks=pytest.mark.slow),
        pytest.param(lambda: {"net": trained(), "best": np.float64(0.5)}, id="numpy"),
    ],
)
def test_the_advice_for_a_pickle_works(content, old, tmp_path, images, written):
    """C29: the command that the refusal of a pickle gives, run as it stands, makes a file that loads."""
    import torch

    torch.save(content(), tmp_path / "old.pth", _use_new_zipfile_serialization=not old)
    sentence = refused(tmp_path / "old.pth")
    assert "can run code when it is read" in sentence
    command = sentence.partition("name the new file: ")[2]
    assert re.fullmatch(r'python -c "[^"]+"', command)
    code = command.removeprefix('python -c "').removesuffix('"')
    environment = {"PYTHONPATH": f"{TESTS}", "PATH": ""}
    subprocess.run(
        [sys.executable, "-c", "import foible.adapters\n" + code],
        cwd=tmp_path,
        check=True,
        env={**_here(), **environment},
    )
    found = load(tmp_path / "weights.pth").object
    assert np.array_equal(found.classify(images), scores(written, images, trained()))


def _here():
    import os

    return {**os.environ, "PYTHONPATH": ""}


def test_timm_takes_the_same_checkpoints(written):
    """C29: prefixes and averages are the same in weights for a model of timm's."""
    timm = pytest.importorskip("timm", exc_type=ImportError)
    model = timm.create_model("test_resnet", pretrained=False, num_classes=3)
    weights = model.state_dict()
    ema = {name: one + 1 if one.is_floating_point() else one for name, one in weights.items()}

    def timm_part(file, **args):
        args = {"checkpoint": str(file), "num_classes": 3, "size": 64, **args}
        return registry.load("classifier", "timm:test_resnet", args)

    plain = timm_part(written(weights, "w.safetensors")).identity
    compiled = timm_part(written(under("_orig_mod.module.", weights), "c.safetensors")).identity
    assert compiled["fingerprint"] == plain["fingerprint"]
    assert compiled["args"]["prefix"] == "_orig_mod.module."
    both = written({"state_dict": weights, "state_dict_ema": ema})
    with pytest.raises(ArgumentError, match="weights: plain or weights: ema"):
        timm_part(both)
    assert timm_part(both, weights="plain").identity["fingerprint"] == plain["fingerprint"]
    assert timm_part(both, weights="ema").identity["fingerprint"] != plain["fingerprint"]
    with pytest.raises(ArgumentError, match="leave weights out"):
        registry.load("classifier", "timm:test_resnet", {"weights": "ema"})
