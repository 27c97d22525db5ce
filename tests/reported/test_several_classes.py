"""A reported fault (A12): a yes or no for each class was ranked without a word where no file says what scores are."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.checks.forecast import plan
from foible.cli import main
from foible.layers import resolve
from foible.parts.ranked import several

TOLD = "if each is a yes or no of its own"


class Sigmoids:
    """Says yes to two classes at once."""

    labels = toyworld.NAMES

    def classify(self, images):
        """Score the class that the first pixel names 0.9, and the one beside it 0.7."""
        return 0.9 * shown(images) + 0.7 * np.roll(shown(images), 1, axis=1) + 0.01


class Shares(Sigmoids):
    """Shares of one whole."""

    def classify(self, images):
        """Score the class that the first pixel names 0.9, and the one beside it 0.1."""
        return 0.9 * shown(images) + 0.1 * np.roll(shown(images), 1, axis=1)


def shown(images):
    """Give 1 for the class that the first pixel of each image names, and 0 for others."""
    return np.eye(len(toyworld.NAMES))[[int(image[0, 0, 0]) % len(toyworld.NAMES) for image in images]]


@pytest.mark.parametrize(("name", "said"), [("Sigmoids", True), ("Shares", False)])
def test_doctor_and_plan_say_that_scores_look_like_a_yes_for_each(name, said, monkeypatch, capfd):
    """Both say it of a function that no file describes; of shares of one whole nothing is said."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    spec = f"python:test_several_classes:{name}"
    monkeypatch.setattr(sys, "argv", ["foible", "doctor", f"classifier={spec}", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert (TOLD in json.loads(capfd.readouterr().out)[0]["note"]) == said
    config, _ = resolve([("here", {**toyworld.SPECS, "classifier": spec, "labels": toyworld.PLAIN[:2]})])
    assert any(TOLD in note for note in plan(config).notes) == said


@pytest.mark.parametrize(("classifier", "said"), [(Sigmoids(), True), (Shares(), False)])
def test_a_hunt_says_it_and_goes_on(classifier, said, tmp_path, caplog):
    """It may be right for similarities, so it is said and no more; each hunt with the same archive says it again."""
    for run in ("one", "two"):
        with caplog.at_level(logging.WARNING, logger="foible"):
            assert toyworld.hunt(tmp_path / run, classifier).result.labels
        assert any(TOLD in record.getMessage() for record in caplog.records) == said
        caplog.clear()


@given(st.integers(5, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_shares_of_one_whole_and_numbers_beyond_0_to_1_are_never_called_so(classes, seed, whole):
    """Softmax, also rounded to three digits or with its tail cut off, and logits say nothing of the kind."""
    logits = 3 * np.random.default_rng(seed).normal(size=(3, classes))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    cut = np.where(shares < 0.05, 0.0, shares)
    for scores in (shares, shares.round(3), cut) if whole else (logits, 10 * logits + 5):
        assert not several("it", list(scores)) or (not whole and scores.min() >= 0.0 and scores.max() <= 1.0)
