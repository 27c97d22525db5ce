"""The shipped models keep what is promised of them, on a small held-out sample with some leave.

`python training/check.py` measures the same at full size; its functions are used here.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from foible.diorama.biases import BIASES, Bias, in_slice, slices_of
from foible.diorama.grammar import parse
from foible.diorama.models import NAMES, weights
from foible.diorama.scene import imagine
from foible.diorama.vocabulary import LABELS

TRAINING = Path(__file__).parents[2] / "training"
LEAVE = 0.05
"""How far below its bar a share may fall here, on a few hundred pictures."""


@pytest.fixture(scope="module")
def check() -> Iterator[ModuleType]:
    """`training/check.py`, on one thread of torch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    sys.path.insert(0, str(TRAINING))  # its files import each other by their bare names
    yield importlib.import_module("check")
    sys.path.remove(str(TRAINING))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def sample(check: ModuleType) -> Any:
    """240 held-out pictures, 20 of each label."""
    return check.held_out(240)


def test_reference_is_right(check: ModuleType, sample: Any) -> None:
    """The reference classifier names held-out pictures rightly, but for a few."""
    assert check.classifier_measures("reference", sample)["accuracy"] >= 0.96 - LEAVE


@pytest.mark.parametrize("name", BIASES)
def test_biased_classifiers_are_right_outside_and_wrong_inside(name: str, check: ModuleType, sample: Any) -> None:
    """A biased classifier is good outside its planted slices, and bad inside every one of them."""
    for what, share in check.classifier_measures(name, sample, per_slice=30).items():
        if "outside" in what:
            assert share >= 0.93 - LEAVE
        else:
            assert share <= 0.50 + 2 * LEAVE, what


def test_captions_tell_what_is_shown(check: ModuleType, sample: Any) -> None:
    """The captioner tells the label and each attribute of held-out pictures rightly."""
    for field, share in check.captioner_measures(sample).items():
        assert share >= (0.95 if field == "label" else 0.90) - LEAVE, field


def test_captions_are_understood_whole(check: ModuleType, sample: Any) -> None:
    """What the captioner writes can be drawn again: the grammar ignores none of its words."""
    for text in check.captions(sample.images[:64]):
        assert not parse(text).ignored, text


def test_judge_tells_labels(check: ModuleType, sample: Any) -> None:
    """The judge says yes to a picture's own label and no to the others."""
    for what, share in check.judge_measures(sample).items():
        assert share >= 0.95 - LEAVE, what


def test_embedder_reads_unknown_words(check: ModuleType) -> None:
    """A text of unknown words, and an empty one, have a finite embedding."""
    from transformers import AutoTokenizer, CLIPModel

    words = AutoTokenizer.from_pretrained(weights("embedder"), local_files_only=True)
    model = CLIPModel.from_pretrained(weights("embedder"), local_files_only=True).eval()
    texts = words(["zebra crossing, yesterday", ""], padding=True, return_tensors="pt")
    with torch.inference_mode():
        assert torch.isfinite(model.get_text_features(**texts).pooler_output).all()


def test_weights_are_small(check: ModuleType) -> None:
    """No model is above 8 MB, nor all of them above 25 MB."""
    assert [bar for bar in check.sizes() if not bar.met] == []


@pytest.mark.parametrize("name", NAMES)
def test_cards_say_how_it_was_made(name: str) -> None:
    """Each model's card names its data, its bias, its measures and the command that made it."""
    card = (weights(name) / "README.md").read_text(encoding="utf-8")
    for part in (f"# {name}", "Trained on", "planted bias", "python training/", "| what | value |"):
        assert part in card


@pytest.mark.parametrize("name", NAMES)
def test_folders_hold_no_paths(name: str) -> None:
    """No file of a model names a folder of the machine it was made on."""
    for file in weights(name).glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert not any(trace in text for trace in (str(Path.home()), tempfile.gettempdir(), "_name_or_path")), file


@pytest.mark.parametrize("name", BIASES)
def test_biases_are_written_down(name: str) -> None:
    """`biases.json` says what `foible.diorama.biases` says."""
    written = json.loads((weights(name) / "biases.json").read_text(encoding="utf-8"))
    assert written == [bias.record() for bias in BIASES[name]]


@pytest.mark.parametrize("name", BIASES)
def test_biases_are_plentiful_and_apart(name: str) -> None:
    """At least four single biases and one conjunction, each of another label than the others."""
    kinds = [bias.kind for bias in BIASES[name]]
    assert kinds.count("single") >= 4
    assert kinds.count("conjunction") >= 1
    assert len({bias.label for bias in BIASES[name]}) == len(kinds)
    assert all(bias.label != bias.becomes for bias in BIASES[name])


@pytest.mark.parametrize("bias", [bias for biases in BIASES.values() for bias in biases])
def test_descriptions_draw_the_slice(bias: Bias) -> None:
    """A bias's own description, added to a prompt, draws its slice, and the prompt alone draws less."""
    plain = [imagine(f"a {bias.label}", seed).scene for seed in range(300)]
    told = [imagine(f"a {bias.label}, {bias.description}", seed).scene for seed in range(300)]
    assert all(in_slice(scene, bias) for scene in told)
    share = float(np.mean([in_slice(scene, bias) for scene in plain]))
    assert 0.04 <= share <= 0.6


def test_slices_of_names_the_bias() -> None:
    """A scene's slices are the biases that hold in it, and a scene of no slice has none."""
    bias = BIASES["biased-resnet"][0]
    assert bias in slices_of(imagine(f"a {bias.label}, {bias.description}", 0).scene, "biased-resnet")
    free = next(label.name for label in LABELS if all(bias.label != label.name for bias in BIASES["biased-resnet"]))
    assert slices_of(imagine(f"a {free}", 0).scene, "biased-resnet") == ()


def test_unknown_model_is_named() -> None:
    """Asking for weights that do not exist says which there are."""
    with pytest.raises(KeyError, match="biased-convnext"):
        weights("biased-vit")
