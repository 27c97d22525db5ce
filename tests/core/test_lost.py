"""Promises about what a part lost for the moment: asked again by the next call, whatever part it was, and fair."""

from __future__ import annotations

import hashlib

import pytest

import toyworld
from foible.checks.verify import verify
from foible.errors import PassingError
from foible.run.journal import Journal

SEQUENTIAL = {"confirm": {"method": "sequential", "most": 60}}


class Weather:
    """What the parts below share: whether the storm is on, and how often each was asked since it ended."""

    def __init__(self):
        self.begin()

    def begin(self):
        """Let the storm begin, before anything was asked."""
        self.storm = True
        self.asked = dict.fromkeys(toyworld.PARTS, 0) | {"classifier": 0}

    def each(self, kind, answers, marks):
        """Lose every sixth answer while the storm is on, by a hash of what was asked about."""
        if not self.storm:
            self.asked[kind] += len(answers)
            return list(answers)
        return [
            PassingError("the line is down") if hashlib.sha256(f"{kind}{mark}".encode()).digest()[0] % 6 == 0 else one
            for one, mark in zip(answers, marks, strict=True)
        ]


WEATHER = Weather()


@pytest.fixture
def weather():
    """A storm that begins."""
    WEATHER.begin()
    return WEATHER


class Generator:
    """Draws, unless the line is down."""

    fingerprint = "generator, in all weathers"

    def draw(self, prompts, seeds):
        """Draw."""
        return WEATHER.each("generator", toyworld.draw(prompts, seeds), zip(prompts, seeds, strict=True))


class Classifier(toyworld.Classifier):
    """Classifies, unless the line is down."""

    fingerprint = "classifier, in all weathers"

    def classify(self, images):
        """Classify."""
        return WEATHER.each("classifier", list(super().classify(images)), [image.tobytes() for image in images])


class Captioner:
    """Captions, unless the line is down."""

    fingerprint = "captioner, in all weathers"

    def caption(self, images):
        """Caption."""
        return WEATHER.each("captioner", toyworld.describe(images), [image.tobytes() for image in images])


class Judge:
    """Judges, unless the line is down."""

    fingerprint = "judge, in all weathers"

    def judge(self, images, labels):
        """Judge."""
        return WEATHER.each("judge", toyworld.judge(images, labels), [image.tobytes() for image in images])


LOSSY = {"generator": Generator, "captioner": Captioner, "judge": Judge}


def hunt(out, *kinds, **given):
    """Hunt with some parts that the storm reaches."""
    parts = {kind: LOSSY[kind]() for kind in kinds if kind in LOSSY}
    classifier = Classifier() if "classifier" in kinds else toyworld.Classifier()
    return toyworld.hunt(out, classifier, config=SEQUENTIAL, seed=1, **parts, **given)


def noted(folder, stage=None):
    """Give what a run asked for, in order."""
    with Journal(folder, write=False) as journal:
        return list(journal.asked(stage))


def requests(folder):
    """Give every draw that a run asked for, each once."""
    blocks = [block for event in noted(folder) for block in event.blocks]
    return {(block.label, block.words, seed) for block in blocks for seed in block.seeds}


@pytest.mark.parametrize("kind", ["generator", "classifier", "captioner", "judge"])
def test_the_next_call_asks_again_for_what_was_lost_and_for_nothing_else(tmp_path, weather, kind):
    """After it nothing is unscored, both calls can be verified, and a third call asks nobody."""
    stormy = hunt(tmp_path / "run", kind)
    assert sum(number for _, number in stormy.result.unscored) > 0
    assert verify(stormy.folder).differences == ()
    asked = requests(stormy.folder)
    weather.storm = False
    calm = hunt(tmp_path / "run", kind)
    assert calm.result.unscored == ()
    assert verify(calm.folder).differences == ()
    new = len(requests(calm.folder)) - len(asked)
    assert 0 < weather.asked[kind] < len(asked) / 2 + new, "what was answered before is not asked again"
    before = weather.asked[kind]
    hunt(tmp_path / "run", kind)
    assert weather.asked[kind] == before


def test_rounds_that_lost_draws_stay_and_their_pairs_are_counted(tmp_path, weather):
    """What a confirmation round drew is what it drew: its pairs join the counts, and no round is drawn anew."""
    stormy = hunt(tmp_path / "run", "generator", "classifier", "judge")
    rounds = noted(stormy.folder, "test")
    weather.storm = False
    calm = hunt(tmp_path / "run", "generator", "classifier", "judge")
    assert rounds
    assert noted(calm.folder, "test")[: len(rounds)] == rounds
    before = {f.trial.hypothesis.about: f.trial for f in stormy}
    after = {f.trial.hypothesis.about: f.trial for f in calm}
    assert before.keys() <= after.keys()
    assert any(trial.treat.unscored or trial.control.unscored for trial in before.values())
    for name, trial in before.items():
        assert after[name].treat.draws >= trial.treat.draws
        assert after[name].treat.unscored == after[name].control.unscored == 0
        assert sum(after[name].pairs) == after[name].treat.draws
    assert {f.trial.hypothesis.description for f in calm.confirmed} >= {"on grass"}
