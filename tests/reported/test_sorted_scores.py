"""A reported fault (A4): scores that come highest first were found by a hunt alone, and not by what is tried before."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import foible.testing
import toyworld
from foible.checks.forecast import plan
from foible.cli import main
from foible.layers import resolve
from foible.parts.ranked import ranked

TOLD = "come highest first for each of"


class Sorting:
    """A classifier that gives the scores of its classes highest first, whatever it is shown."""

    labels = toyworld.NAMES

    def classify(self, images):
        """Score by the brightness of each image, each a little otherwise."""
        scores = np.stack([np.linspace(1, 0, len(self.labels)) ** (1 + image.mean() / 255) for image in images])
        return self.ordered(scores)

    def ordered(self, scores):
        """Leave them sorted."""
        return scores


class InOrder(Sorting):
    """The same scores in another order, which is that of the classes."""

    def ordered(self, scores):
        """Begin with another class."""
        return np.roll(scores, 2, axis=1)


class Grades(Sorting):
    """Four classes: too few to tell sorted scores from likely ones."""

    labels = toyworld.NAMES[:4]


@pytest.mark.parametrize(("name", "said"), [("Sorting", True), ("InOrder", False), ("Grades", False)])
def test_doctor_plan_and_check_say_that_scores_are_sorted(name, said, monkeypatch, capfd):
    """All three say it, with what mends it; of scores in the order of the classes, and of few ones, nothing is said."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    spec = f"python:test_sorted_scores:{name}"
    monkeypatch.setattr(sys, "argv", ["foible", "doctor", f"classifier={spec}", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert (TOLD in json.loads(capfd.readouterr().out)[0]["note"]) == said
    parts = {**toyworld.SPECS, "classifier": spec}
    config, _ = resolve([("here", {**parts, "labels": toyworld.PLAIN[:2]})])
    assert any(TOLD in note for note in plan(config).notes) == said
    broken = foible.testing.check("classifier", globals()[name]())
    assert any(TOLD in sentence and "one score for each class" in sentence for sentence in broken) == said


def test_one_answer_for_all_images_or_for_too_few_is_not_called_sorted():
    """A constant answer, two images, and equal scores say nothing of an order."""
    falling = np.linspace(1, 0, 8)
    assert not ranked("it", [falling] * 3)
    assert not ranked("it", [falling, falling**2])
    assert not ranked("it", [np.array([1.0, 0, 0, 0, 0, 0]) * n for n in (1, 2, 3)])
    assert TOLD in ranked("it", [falling, falling**2, falling**3])
