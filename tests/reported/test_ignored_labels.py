"""A reported fault: labels that the generator cannot draw were scored, and failed with confidence."""

from __future__ import annotations

import numpy as np
import pytest

import foible
from foible.draws.outcome import outcome
from foible.draws.values import read_prediction
from foible.records import ClassMap, Draw, Judgement, Request, Treatment


class Mugs:
    """Takes every image for a coffee mug."""

    fingerprint = "mugs alone"
    labels = ("cat", "coffee mug", "teapot")

    def classify(self, images):
        """Give the same scores to all."""
        return [np.array([0.0, 1.0, 0.5]) for _ in images]


def test_a_label_that_is_never_drawn_is_no_failure(tmp_path):
    """The diorama draws no cat and says so: all those draws are unscored, and nothing is claimed about the label."""
    run = foible.hunt(Mugs(), ["cat", "coffee mug"], config={"budget": 150}, out=tmp_path / "run", progress=False)
    assert run.result.base_failures == ()
    assert all(finding.trial.hypothesis.label != "cat" for finding in run)
    assert "cat fails" not in (run.folder / "findings.md").read_text(encoding="utf-8")
    assert "the generator ignored" in (run.folder / "findings.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ignored", "status"),
    [
        ((), "failed"),
        (("grass",), "failed"),
        (("mug",), "failed"),
        (("Coffee mug",), "unscored"),
        (("coffee", "grass", "mug"), "unscored"),
    ],
)
def test_a_draw_counts_unless_its_whole_label_was_ignored(ignored, status):
    """Other words, or a part of the label's, may be ignored; without any word of it the image shows something else."""
    classes = ClassMap(classifier="x", names=None, right={"coffee mug": (1,)})
    request = Request(
        key="k", label="coffee mug", treatment=Treatment(words=()), seed=4, arm="explore", text="a coffee mug"
    )
    judgement = Judgement(faithful=True, score=1.0)
    draw = Draw(request=request, image="i", ignored=ignored)
    assert outcome(draw, read_prediction([[0, 0, 1.0]]), judgement, classes).status == status
