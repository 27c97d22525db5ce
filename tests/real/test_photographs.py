"""Real classifiers through the adapters, on real photographs: they say what their own loaders say.

The weights and pictures are no part of the project: these tests skip where `shared/data` is not beside it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import foible
from foible import testing
from foible.errors import PluginError
from foible.parts import registry
from foible.records import Spec

HERE = Path(__file__).parents[2]
DATA = Path(os.environ.get("FOIBLE_SHARED_DATA", HERE.parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real weights: there is no {DATA}")
IMAGENET, CIFAR = DATA / "imagenet-mobilenet", DATA / "cifar10-resnet"
RESNET = '''
"""ResNet-20 for CIFAR-10 (He et al. 2015, arXiv 1512.03385, section 4.2): shortcuts without weights."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.pad = stride, (after - before) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        kept = x[:, :, :: self.stride, :: self.stride]
        return (y + nn.functional.pad(kept, (0, 0, 0, 0, self.pad, self.pad))).relu()


class ResNet(nn.Module):
    def __init__(self, blocks=3):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for place, (before, after, stride) in enumerate(((16, 16, 1), (16, 32, 2), (32, 64, 2)), 1):
            first = Block(before, after, stride)
            layer = nn.Sequential(first, *(Block(after, after, 1) for _ in range(blocks - 1)))
            setattr(self, f"layer{place}", layer)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean(dim=(2, 3)))
'''
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def photographs(kind):
    """Give the pictures of a kind, and the index of the class that each shows."""
    files = sorted((DATA / "photos").glob(f"{kind}_*"))
    images = [np.array(Image.open(file).convert("RGB")) for file in files]
    return images, [int(re.findall(r"[0-9]+", file.stem)[-1]) for file in files]


def right(part, kind, first=0):
    """Count the photographs that a classifier names as they are labelled."""
    images, labels = photographs(kind)
    assert len(images) == 20
    return int((part.object.classify(images).argmax(axis=1) - first == labels).sum())


def resnet(tmp_path, monkeypatch):
    """Give the spec of ResNet-20, whose network is written beside it."""
    (tmp_path / "cifar_resnet.py").write_text(RESNET)
    monkeypatch.syspath_prepend(str(tmp_path))
    args = {"factory": "cifar_resnet:ResNet", "size": 32, "crop": 1.0, "labels": CLASSES}
    return Spec(f"torch:{CIFAR / 'resnet20-12fca82f.th'}", args)


@pytest.fixture
def litert():
    """The runtime of `.tflite` files."""
    pytest.importorskip("ai_edge_litert")


def test_mobilenet_names_the_photographs(litert):
    """A quantised MobileNetV2 with a background class names 18 of 20, as with its own loader."""
    part = registry.load("classifier", f"litert:{IMAGENET / 'mobilenet_v2_1.0_224_quant.tflite'}")
    assert right(part, "imagenet", first=1) == 18
    assert part.object.labels[0] == "background"
    assert part.object.labels[1 + 504] == "coffee mug (mug)"


def test_the_names_that_are_built_in_are_those_of_a_published_list():
    """Word for word the first names of the list that comes with the MobileNets, but where ours tell two apart."""
    from foible.adapters.shared.names import imagenet

    lines = (IMAGENET / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
    theirs = [line.split(",")[0].strip() for line in lines]
    ours = [text.partition(" (")[0] for text in imagenet(1001).labels]
    differing = {(one, other) for one, other in zip(ours, theirs, strict=True) if one.casefold() != other.casefold()}
    assert differing == {("tank suit", "maillot")}


def test_every_mobilenet_beats_chance_by_far(litert):
    """All five files, of four input sizes and two ways of quantising, name at least half of the photographs."""
    files = sorted(IMAGENET.glob("*.tflite"))
    assert len(files) == 5
    for file in files:
        assert right(registry.load("classifier", f"litert:{file}"), "imagenet", first=1) >= 10, file.name


def test_resnet_names_the_cifar_images(tmp_path, monkeypatch):
    """A published state dict, under its wrapper and prefix, in a network of one's own: 20 of 20."""
    assert right(registry.load("classifier", resnet(tmp_path, monkeypatch)), "cifar10") == 20


def test_a_float_and_an_integer_file_of_one_network_agree(litert):
    """The same ResNet-8 in floats, with its range told, and in int8, by its own scale: nearly the same scores."""
    images, _ = photographs("cifar10")
    floats = registry.load(
        "classifier", f"litert:{CIFAR / 'pretrainedResnet.tflite'}", {"pixel_range": [0, 255], "crop": 1.0}
    )
    whole = registry.load("classifier", f"litert:{CIFAR / 'pretrainedResnet_quant.tflite'}", {"crop": 1.0})
    assert right(floats, "cifar10") >= 16
    assert right(whole, "cifar10") >= 16
    assert np.abs(floats.object.classify(images) - whole.object.classify(images)).mean() < 0.05
    told = registry.load(
        "classifier", f"litert:{CIFAR / 'pretrainedResnet_quant.tflite'}", {"pixel_range": [0, 255], "crop": 1.0}
    )
    assert np.array_equal(told.object.classify(images), whole.object.classify(images))


def test_litert_files_that_are_no_good(litert, tmp_path):
    """Torn, missing, silent about its range, or with the wrong count of names: one sentence each."""

    def wrong(file, **args):
        with pytest.raises(PluginError) as caught:
            registry.load("classifier", f"litert:{file}", args)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    whole = IMAGENET / "mobilenet_v1_0.25_128_quant.tflite"
    for keep in (0, 10, 5000, 200_000):
        (tmp_path / "torn.tflite").write_bytes(whole.read_bytes()[:keep])
        assert "is it whole" in wrong(tmp_path / "torn.tflite")
    assert "no such file" in wrong(tmp_path / "none.tflite")
    assert "of which range" in wrong(CIFAR / "pretrainedResnet.tflite")
    assert "has 1001 outputs, but the argument labels has 10 names" in wrong(whole, labels=CLASSES)
    assert "has 10 outputs, but 'imagenet' has 1000 names" in wrong(
        CIFAR / "pretrainedResnet_quant.tflite", labels="imagenet"
    )


def test_real_files_conform(litert, tmp_path, monkeypatch):
    """The promises of a classifier hold for weights that people really use."""
    images = photographs("imagenet")[0][:4]
    small = f"litert:{IMAGENET / 'mobilenet_v1_0.25_128_quant.tflite'}"
    assert testing.check("classifier", small, images=images) == []
    spec = resnet(tmp_path, monkeypatch)
    assert testing.check("classifier", spec.name, spec.args, size=32) == []


@pytest.mark.parametrize("target", ["imagenet", pytest.param("cifar10", marks=pytest.mark.slow)])
def test_a_hunt_with_a_real_target_runs_to_its_end(target, litert, tmp_path, monkeypatch):
    """A short hunt over scenes, or over noise, with a real classifier as its target, ends with every draw counted."""
    parts: dict[str, Any] = {"judge": "python:foible.testing:YesJudge"}
    if target == "imagenet":
        spec = Spec(f"litert:{IMAGENET / 'mobilenet_v1_0.25_128_quant.tflite'}")
        labels = ["ping-pong ball", "505|969=coffee mug (cup)"]
    else:
        spec, labels = resnet(tmp_path, monkeypatch), ["automobile"]
        others = {"generator": "NoiseGenerator", "captioner": "ConstantCaptioner", "embedder": "MeanEmbedder"}
        parts |= {kind: f"python:foible.testing:{name}" for kind, name in others.items()}
    run = foible.hunt(
        spec,
        labels=labels,
        budget=60,
        out=tmp_path / "run",
        # A judge that always says yes is refused otherwise; of so few images no other recipe is tried.
        config={"pilot.misfit": "say", "explore.draws": 6},
        progress=False,
        **parts,
    )
    assert sum(run.result.draws.values()) <= 60
    assert sum(summary.tally.draws for summary in run.result.explored) == run.result.draws["explore"]
    assert run.report.is_file()
