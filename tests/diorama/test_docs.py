"""Promises of `docs/diorama.md`: what it says of the world and its planted bugs is what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foible.diorama.biases import BIASES
from foible.diorama.models import NAMES, weights
from foible.diorama.vocabulary import ATTRIBUTES, LABELS

TEXT = (Path(__file__).parents[2] / "docs" / "diorama.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]


def test_every_label_is_named():
    """The document lists the labels in their order."""
    assert ", ".join(label.name for label in LABELS) in TEXT


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_value_is_named(attribute):
    """The document lists each attribute's values as prompts say them."""
    assert [attribute, ", ".join(value.phrase for value in ATTRIBUTES[attribute])] in ROWS


def test_every_planted_bug_is_listed_with_its_measure():
    """The table of planted bugs is that of the code, with the accuracies that the model cards hold."""
    for name, biases in BIASES.items():
        card = (weights(name) / "README.md").read_text(encoding="utf-8")
        for bias in biases:
            (row,) = [row for row in ROWS if row[:3] == [f"`{name}`", bias.label, bias.description]]
            assert row[3] == bias.becomes
            assert f"| accuracy inside: {bias.label}, {bias.description} | {row[4]} |" in card


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_listed_with_its_class_and_size(name):
    """The table of models names each model's class, and its size to a tenth of a megabyte."""
    (row,) = [row for row in ROWS if row[0] == f"`{name}`"][:1]
    made = json.loads((weights(name) / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    assert f"`{made}`" in row[1]
    assert row[2] == f"{(weights(name) / 'model.safetensors').stat().st_size / 1e6:.1f}"
