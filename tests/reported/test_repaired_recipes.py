"""A repair of a network that was loaded by a recipe of its owner's: it was trained, and then refused as another one.

An argument that was given as null (the whole image is squeezed in; pixels stay 0..255) was left out where what was
written is loaded again, so that the guess of the adapter came in its place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from foible.act.repair.written import save
from foible.parts.again import as_written, load_again
from foible.parts.registry import load
from foible.records import Spec
from foible.testing.training import trained
from networks import network

OWN = {"factory": "networks:Small", "size": 32}


@pytest.fixture(scope="module")
def shown():
    """Images that are not square, so that a crop and a squeeze differ."""
    dice = np.random.default_rng(3)
    return [dice.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(4)]


def written_as(place, name, weights):
    """Write weights in the format that a name says."""
    save_file(weights, place / name) if name.endswith("safetensors") else torch.save(weights, place / name)
    return str(place / name)


def of_timm(place, *, folder):
    """Write a small network of timm's as a folder, or as a checkpoint; give spec and arguments."""
    timm = pytest.importorskip("timm")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        made = timm.create_model("test_resnet", num_classes=3)
    if folder:
        from timm.models import save_for_hf

        save_for_hf(made, place / "folder", model_config={"num_classes": 3}, safe_serialization=True)
        return f"timm:{place / 'folder'}", {}
    file = written_as(place, "own.pth.tar", {"state_dict": made.state_dict()})
    return "timm:test_resnet", {"checkpoint": file, "num_classes": 3}


@pytest.mark.parametrize("folder", [False, True], ids=["checkpoint", "folder"])
def test_a_network_of_timm_with_a_recipe_of_ones_own_is_written(tmp_path, shown, folder):
    """What is written answers as what was trained, with the arguments that it had, and is timm's own to load."""
    spec, args = of_timm(tmp_path, folder=folder)
    part = load("classifier", spec, {**args, "size": 64, "crop": None, "interpolation": "bicubic"})
    made = louder(part, tmp_path, shown)
    assert made.args["crop"] is None
    if folder:
        import timm

        own = timm.create_model(f"local-dir:{tmp_path / 'new' / 'weights'}", pretrained=True).eval()
        assert torch.equal(own.fc.weight, 1.5 * part.object.network.fc.weight)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("own.pth", {"crop": None}),
        ("own.safetensors", {"crop": None, "channels": "bgr"}),
        ("own.pt", {"mean": None, "std": None, "interpolation": "bicubic"}),
        ("own.bin", {"pixel_range": [-1, 1], "crop": None}),
        ("own.ckpt", {"crop": 0.7}),
    ],
)
def test_weights_of_ones_own_with_a_recipe_are_written(tmp_path, shown, name, args):
    """Likewise of a state dict with its factory, and the part that was written can be loaded of a run again."""
    weights = {key: one.contiguous() for key, one in network().state_dict().items()}
    part = load("classifier", f"torch:{written_as(tmp_path, name, weights)}", {**OWN, **args})
    made = louder(part, tmp_path, shown)
    assert {argument: made.args.get(argument) for argument in args} == args
    assert load_again("classifier", made.part.identity, code=True).identity == made.part.identity


def louder(part, place, shown):
    """Write a classifier whose last layer is half as loud again; `save` asks what it loads, and compares."""
    assert list(trained(part, shown)) == []
    own = dict(part.object.network.named_parameters())
    (place / "new").mkdir()
    return save(part, {name: own[name].detach() * 1.5 for name in part.object.last_layer()}, place / "new", shown)


def test_what_a_save_says_goes_before_what_was_given():
    """An argument that `save` gives as None is left out; one that was given as None stays."""
    args = {"checkpoint": "old.pth", "crop": None, "weights": "ema", "guessed": ["mean"]}
    found = as_written({"args": args}, Spec("timm:resnet18", {"checkpoint": "new.pth", "weights": None}))
    assert dict(found.args) == {"crop": None, "checkpoint": "new.pth"}


def test_a_checkpoint_with_more_in_it_becomes_a_state_dict(tmp_path, shown):
    """Of weights and their average that which was trained is written, and read again without saying which."""
    weights = network().state_dict()
    both = {"state_dict": weights, "state_dict_ema": {key: 2 * one for key, one in weights.items()}, "epoch": 3}
    part = load("classifier", f"torch:{written_as(tmp_path, 'own.pth', both)}", {**OWN, "weights": "ema"})
    louder(part, tmp_path, shown)
    written = torch.load(Path(tmp_path / "new" / "weights" / "weights.pth"), weights_only=True)
    assert torch.equal(written["fc.bias"], 3 * weights["fc.bias"])
