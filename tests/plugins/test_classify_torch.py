"""Torch networks of one's own as classifiers: exported programs, and weights with a factory."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from functools import cache

import numpy as np
import pytest

from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from networks import answers, network

FACTORY = {"factory": "networks:Small", "size": 32}


@cache
def exported(batch=None):
    """Give the network as an exported program, for any batch or for one of a fixed size."""
    import torch

    example = torch.zeros(batch or 2, 3, 32, 32)
    shapes = None if batch else ({0: torch.export.Dim("n", min=1, max=1024)},)
    return torch.export.export(network(), (example,), dynamic_shapes=shapes)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Give a folder with the network in every format."""
    import torch
    from safetensors.torch import save_file

    place = tmp_path_factory.mktemp("files")
    torch.export.save(exported(), place / "any.pt2")
    torch.export.save(exported(1), place / "one.pt2")
    torch.save(network().state_dict(), place / "weights.pt")
    save_file(network().state_dict(), place / "weights.safetensors")
    return place


def wrong(spec, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load("classifier", spec, args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    return sentence


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("any.pt2", {"size": 32}),
        ("one.pt2", {"size": 32}),
        ("weights.pt", FACTORY),
        ("weights.safetensors", {**FACTORY, "labels": ["cup", "ball", "vase"]}),
    ],
)
def test_torch_files_conform_and_answer_as_the_network(name, args, files, images):
    """A program for any batch, one for one image at a time, weights with a factory: the same scores, by the book."""
    assert testing.check("classifier", f"torch:{files / name}", args) == []
    part = registry.load("classifier", f"torch:{files / name}", args)
    assert np.allclose(part.object.classify(images), answers(images), atol=1e-5)
    assert part.object.labels == (("cup", "ball", "vase") if "labels" in args else None)
    assert part.identity["args"]["mean"] == [0.485, 0.456, 0.406]


def test_the_identity_of_weights_covers_the_network_they_go_into(files, tmp_path):
    """Other weights, another network for the same weights, and another recipe are each another identity."""
    import torch

    first = registry.load("classifier", f"torch:{files / 'weights.pt'}", FACTORY).identity
    weights = network().state_dict()
    torch.save({**weights, "fc.bias": weights["fc.bias"] + 1}, tmp_path / "weights.pt")
    other = registry.load("classifier", f"torch:{tmp_path / 'weights.pt'}", FACTORY).identity
    assert other["fingerprint"] != first["fingerprint"]
    negative = registry.load("classifier", f"torch:{files / 'weights.pt'}", {**FACTORY, "factory": "networks:Negative"})
    assert negative.identity["fingerprint"] != first["fingerprint"]
    assert registry.load("classifier", f"torch:{files / 'weights.pt'}", {**FACTORY, "crop": None}).identity != first


def test_torch_files_that_are_no_good(files, tmp_path):
    """Each is told in a sentence of its own."""
    import torch

    whole = (files / "any.pt2").read_bytes()
    (tmp_path / "torn.pt2").write_bytes(whole[: len(whole) // 2])
    assert "is it whole" in wrong(f"torch:{tmp_path / 'torn.pt2'}")
    assert "there is no such file" in wrong(f"torch:{tmp_path / 'none.pt2'}")
    assert "takes no factory" in wrong(f"torch:{files / 'any.pt2'}", ArgumentError, factory="a:b")
    weights = f"torch:{files / 'weights.pt'}"
    assert "give the argument factory" in wrong(weights, ArgumentError)
    assert "made int" in wrong(weights, factory="networks:number")
    assert "in the network" in wrong(weights, **FACTORY, factory_args={"classes": 5})
    assert "has 3 outputs, but the argument labels has 2" in wrong(weights, ArgumentError, **FACTORY, labels=["a", "b"])
    assert "does not take a 1x32x32x3 batch" in wrong(weights, **FACTORY, layout="nhwc")
    torch.save(torch.nn.Identity().state_dict(), tmp_path / "empty.pt")
    assert "holds no state dict" in wrong(f"torch:{tmp_path / 'empty.pt'}", **FACTORY)
    (tmp_path / "torn.pt").write_bytes((files / "weights.pt").read_bytes()[:700])
    assert "is the file whole?" in wrong(f"torch:{tmp_path / 'torn.pt'}", **FACTORY)


def test_pickles_and_torchscript_are_refused_with_the_way_out(tmp_path):
    """A whole module and a TorchScript program: the sentence says how to convert each."""
    import torch

    torch.save(network(), tmp_path / "module.pt")
    assert "state_dict()" in wrong(f"torch:{tmp_path / 'module.pt'}", **FACTORY)
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/constants.pkl", b"")
        archive.writestr("script/data.pkl", b"")
    assert "torch.export.save" in wrong(f"torch:{tmp_path / 'script.pt'}", **FACTORY)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


@pytest.mark.parametrize("where", ["examples", "constants", "weights", "formula", "compiled"])
def test_a_program_that_would_run_code_when_it_is_read_is_refused_unread(where, files, tmp_path):
    """Pickles under each name that torch unpickles, a formula that is Python, compiled code: none is touched."""
    trace = tmp_path / "it-ran"
    changed, added = _planted(where, trace)
    target = tmp_path / "planted.pt2"
    with zipfile.ZipFile(files / "any.pt2") as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        root = old.namelist()[0].partition("/")[0]
        for item in old.namelist():
            content = old.read(item)
            for part, change in changed.items():
                content = change(content) if part in item else content
            new.writestr(item, content)
        for name, content in added.items():
            new.writestr(f"{root}/{name}", content)
    assert "could run code when it is read" in wrong(f"torch:{target}", size=32)
    assert not trace.exists()


def _planted(where, trace):
    """Give what is changed in the archive, and what is added to it."""
    bomb = pickle.dumps(Bomb(trace))
    if where == "examples":
        return {"sample_inputs/": lambda _: bomb}, {}
    if where == "constants":
        return {}, {"data/constants/opaque_obj_0": bomb}
    if where == "weights":
        return {"weights_config": lambda text: text.replace(b'"use_pickle": false', b'"use_pickle": true')}, {}
    if where == "compiled":
        return {}, {"data/aotinductor/model/it.so": b"\x7fELF"}

    def formula(text):
        planted = json.loads(text)
        assert '"expr_str"' in text.decode()
        return json.dumps(_replaced(planted, f"open({str(trace)!r}, 'w')")).encode()

    return {"models/": formula}, {}


def _replaced(value, formula):
    if isinstance(value, dict):
        return {key: formula if key == "expr_str" else _replaced(item, formula) for key, item in value.items()}
    return [_replaced(item, formula) for item in value] if isinstance(value, list) else value


def test_a_copy_elsewhere_is_the_same_classifier(files, tmp_path):
    """The fingerprint is of content, not of place."""
    shutil.copy(files / "any.pt2", tmp_path / "any.pt2")
    one, two = (registry.load("classifier", f"torch:{place}", {"size": 32}).identity["fingerprint"] for place in
                (files / "any.pt2", tmp_path / "any.pt2"))  # fmt: skip
    assert one == two


def test_weights_from_before_batches_were_counted():
    """Old files lack the counters of batch normalisation, which play no part in an answer; all else must be there."""
    import torch

    from foible.adapters.files import weights as _weights

    new, old = (torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2)) for _ in range(2))
    weights = {name: one for name, one in old.state_dict().items() if "num_batches" not in name}
    _weights.fill("m", new, weights)
    assert torch.equal(new.state_dict()["0.weight"], old.state_dict()["0.weight"])
    del weights["1.running_var"]
    with pytest.raises(PluginError, match=r"lacks 1\.running_var"):
        _weights.fill("m", new, weights)
