"""Real classifiers that are read wrongly, over real photographs: the first draws show it, and the hint mends it.

The weights and pictures are no part of the project: these tests skip where `shared/data` is not beside it.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

import foible
from foible.adapters.shared.names import imagenet
from foible.checks.verify import verify
from foible.labels import split_name
from real.test_photographs import CIFAR, CLASSES, DATA, IMAGENET, RESNET, photographs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no real weights: there is no {DATA}"),
]

SMALL = {
    "explore": {"draws": 12, "template": "a photograph of a {name}"},
    "describe": {"method": "contrast", "hypotheses": 1},
    "confirm": {"most": 4},
    "measure": {"most": 0},
    "explain": {"findings": 0},
}


class Photographs:
    """Photographs whose labels are known: it draws them, and judges by what they are."""

    fingerprint = "photographs"

    def __init__(self, by_label):
        self.by_label = by_label
        self.known = {(label, image.tobytes()) for label, images in by_label.items() for image in images}

    def draw(self, prompts, seeds):
        """Give the photograph of a seed, of the label that the prompt names."""
        labels = [re.sub("^a photograph of an? ", "", prompt).partition(",")[0] for prompt in prompts]
        shelves = [self.by_label[label] for label in labels]
        return [shelf[seed % len(shelf)] for shelf, seed in zip(shelves, seeds, strict=True)]

    def judge(self, images, labels):
        """Look it up."""
        return [(label.name, image.tobytes()) in self.known for image, label in zip(images, labels, strict=True)]

    def caption(self, images):
        """Say nothing of them."""
        return ["a photograph"] * len(images)

    def embed(self, images):
        """Place them by their colour."""
        return np.stack([image.mean(axis=(0, 1)) for image in images])


def hunt(photos, out, spec, args, labels=None):
    """Hunt over photographs; give the run and the first line of what is written."""
    config = {**SMALL, "classifier": {"spec": spec, "args": args}, "labels": labels or list(photos.by_label)}
    parts = {"generator": photos, "judge": photos, "captioner": photos, "embedder": photos}
    run = foible.hunt(config=config, out=out, progress=False, **parts)
    assert verify(run.folder).differences == ()
    return run, json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cifar():
    """Give CIFAR-10's test images of four labels."""
    labels = ("airplane", "dog", "ship", "truck")
    files = {label: sorted((DATA / "cifar10-photos" / label).iterdir())[:60] for label in labels}
    return Photographs({label: [np.array(Image.open(f).convert("RGB")) for f in own] for label, own in files.items()})


@pytest.fixture
def factory(tmp_path, monkeypatch):
    """Write the network of ResNet-20 where Python finds it."""
    (tmp_path / "cifar_resnet.py").write_text(RESNET)
    monkeypatch.syspath_prepend(str(tmp_path))
    return {"factory": "cifar_resnet:ResNet", "labels": CLASSES}


@pytest.mark.parametrize(
    ("wrong", "mended"),
    [
        ({"size": 32, "crop": 1.0}, ""),
        ({"size": 32, "crop": 1.0, "pixel_range": [0, 255]}, ("mean=", "pixel_range=")),
        ({"size": 224, "crop": 1.0}, ("size=32",)),
    ],
    ids=["right", "range", "size"],
)
def test_a_network_that_is_given_other_numbers_than_it_was_trained_on(tmp_path, cifar, factory, wrong, mended):
    """The hint names the argument; with it most images are named. The right recipe gives no hint."""
    spec = f"torch:{CIFAR / 'resnet20-12fca82f.th'}"
    run, document = hunt(cifar, tmp_path / "run", spec, {**factory, **wrong})
    hints = run.result.pilot.hints
    if not mended:
        assert hints == ()
        return
    (hint,) = hints
    assert hint.kind == "argument"
    assert hint.argument.startswith(mended)
    assert hint.would >= 0.7 * hint.images > 2 * hint.named
    assert f"and with {hint.argument} of " in document["headline"]
    assert f"--set classifier.args.{hint.argument.split('=')[0]}=" in document["summary"]


@pytest.mark.parametrize("by", [-1, 0, 1])
def test_a_list_of_imagenets_classes_that_is_shifted_by_one(tmp_path, by):
    """Twenty photographs, most of labels of their own, are enough; labels by their place mend it."""
    pytest.importorskip("ai_edge_litert")
    names = list(imagenet(1001).labels or ())
    images, indices = photographs("imagenet")
    by_label: dict[str, list[np.ndarray]] = {}
    for image, index in zip(images, indices, strict=True):
        by_label.setdefault(split_name(names[1 + index])[0], []).append(image)
    photos = Photographs(by_label)
    shifted = [names[(place + by) % len(names)] for place in range(len(names))]
    args = {"labels": [str(name) for name in shifted]}
    spec = f"litert:{IMAGENET / 'mobilenet_v2_1.0_224_quant.tflite'}"
    run, document = hunt(photos, tmp_path / "run", spec, args)
    if not by:
        assert run.result.pilot.hints == ()
        return
    (hint,) = run.result.pilot.hints
    assert (hint.kind, hint.shift) == ("shifted", by)
    assert hint.would in {17, 18}  # it names 18 of the 20, of which one may be a tie
    assert f"the class {'after' if by > 0 else 'before'} it: is its list of classes shifted?" in document["headline"]
    by_place = [f"{index}={label}" for label, index in hint.classes]
    again, _ = hunt(photos, tmp_path / "again", spec, args, by_place)
    assert again.result.pilot.hints == ()
    assert sum(one.tally.failures for one in again.result.explored) == 2
