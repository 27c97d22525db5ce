"""Promises of a run whose work is disturbed: by a signal, a kill, another hunt, or a generator that draws anew."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Any

import pytest

import kept
import toyworld
from foible.checks.verify import verify
from foible.errors import PassingError, StoreError
from foible.records import Treatment
from foible.run.events import Ended, Tried, Worked
from foible.run.journal import Journal

LABELS = ["coffee mug", "teapot"]


def differences(folder):
    """Verify a run."""
    return verify(folder).differences


@pytest.mark.parametrize("where", ["before", "after"])
def test_an_interrupt_while_an_event_is_noted_leaves_the_journal_whole(tmp_path, monkeypatch, where):
    """A signal may come while a line is brought to disk; what is noted next, and every later call, still fits."""
    sync = os.fsync

    def interrupted(file):
        if where == "after":
            sync(file)
        monkeypatch.setattr(os, "fsync", sync)
        raise KeyboardInterrupt

    with Journal(tmp_path) as journal:
        journal.note(Ended())
        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.note(Ended())
        journal.note(Worked(spent={"generator": (1, 1.0)}))
    with Journal(tmp_path, write=False) as journal:
        assert dict(journal.spent) == {"generator": (1, 1.0)}


class Stormy:
    """Draws what the toy world draws, but loses the first image of its first call for the moment."""

    fingerprint = "a generator whose line may be down"

    def __init__(self, *, down):
        self.down = down

    def draw(self, prompts, seeds):
        """Draw."""
        drawn: list[Any] = [*toyworld.draw(prompts, seeds)]
        if self.down:
            drawn[0], self.down = PassingError("the line is down"), False
        return drawn


def test_what_another_hunt_mended_is_noted_as_mended(tmp_path):
    """A draw that was lost here, and that another hunt over the same archive made, counts here, and in `verify`."""
    run = toyworld.hunt(tmp_path / "one", labels=LABELS, generator=Stormy(down=True))
    assert any("line is down" in reason for reason, _ in run.result.unscored)
    toyworld.hunt(tmp_path / "two", labels=LABELS, generator=Stormy(down=False))
    again = toyworld.hunt(tmp_path / "one", labels=LABELS, generator=Stormy(down=False))
    assert not again.result.unscored
    assert differences(tmp_path / "one") == ()


class Anew:
    """Draws the same scenes, with other pixels each time; before its first draw it lets something else happen."""

    fingerprint = "a generator that never gives the same pixels again"
    drawn = itertools.count(1)

    def __init__(self, first=lambda: None):
        self.first = first

    def draw(self, prompts, seeds):
        """Draw."""
        first, self.first = self.first, lambda: None
        first()
        images = toyworld.draw(prompts, seeds)
        for image in images:
            image[2, :4, 0] = list(next(self.drawn).to_bytes(4, "big"))
        return images


def test_two_hunts_at_once_leave_no_draw_without_an_answer(tmp_path):
    """Where another hunt's image of a request was kept first, the parts are asked about that one."""

    def other():
        toyworld.hunt(tmp_path / "other", toyworld.Perfect(), LABELS, generator=Anew())

    run = toyworld.hunt(tmp_path / "one", toyworld.Classifier(), LABELS, generator=Anew(other))
    assert run.result.unscored == ()
    assert differences(tmp_path / "one") == ()


def test_an_image_that_comes_out_otherwise_is_asked_about_anew(tmp_path):
    """A torn image that is drawn again with other pixels gets every answer, and not those of the one that was torn."""
    toyworld.hunt(tmp_path / "one", toyworld.Perfect(), LABELS, generator=Anew())
    for one in kept.images(tmp_path / "archive")[:10]:
        one.write(one.read()[:50])
    run = toyworld.hunt(tmp_path / "two", toyworld.Classifier(), LABELS, generator=Anew())
    assert run.result.unscored == ()
    assert differences(tmp_path / "two") == ()


STRANGE = [
    {"classifier": 7},
    {"classifier": -5},
    {"label": "a label of another run"},
    {"treatment": Treatment()},
]


@pytest.mark.parametrize("change", STRANGE, ids=str)
def test_a_hypothesis_that_cannot_be_is_one_sentence(tmp_path, change):
    """A journal whose seals fit, and that notes a hypothesis no run of its settings has, is damaged, and said to be."""
    toyworld.hunt(tmp_path / "run", labels=["coffee mug"], seed=2)
    with Journal(tmp_path / "run") as journal:
        journal.note(Tried(hypotheses=[*journal.tried, replace(journal.tried[0], **change)]))
        journal.note(Ended())
    assert "the journal notes a hypothesis" in differences(tmp_path / "run")[0]
    with pytest.raises(StoreError, match="the journal notes a hypothesis"):
        toyworld.hunt(tmp_path / "run", labels=["coffee mug"], seed=2)


class OnSnow(toyworld.Classifier):
    """Fails on teapots on snow, and nowhere else."""

    def answer(self, scene):
        """Take teapots on snow for barrels."""
        return "barrel" if (scene.label, scene.ground) == ("teapot", "snow") else scene.label


def test_what_a_small_budget_tests_does_not_hang_on_the_order_of_the_classifiers(tmp_path):
    """Of the hypotheses of all classifiers the most telling are tested, whichever classifier is named first."""
    tested = []
    for name, own in (("ab", [toyworld.Classifier(), OnSnow()]), ("ba", [OnSnow(), toyworld.Classifier()])):
        run = toyworld.hunt(tmp_path / name, own, seed=2, config={"budget": 150})
        assert run.result.untested
        tested.append({(f.trial.hypothesis.about, name[f.trial.hypothesis.classifier], f.verdict) for f in run})
        scores = [f.trial.hypothesis.score for f in run if not f.trial.hypothesis.borrowed]
        assert min(scores) >= max(h.score for h in run.result.untested)
    assert tested[0] == tested[1]


class Batched:
    """Draws scenes with a few pixels that depend on what else is drawn at once, as a network's arithmetic does."""

    fingerprint = "a generator whose pixels depend on the batch"

    def draw(self, prompts, seeds):
        """Draw."""
        images = toyworld.draw(prompts, seeds)
        for image in images:
            image[3, 0, 0] = sum(seeds) % 251
        return images


@pytest.mark.parametrize("how", ["torn", "gone"])
def test_a_lost_image_is_drawn_again_in_the_batch_it_came_from(tmp_path, how):
    """Where the batch decides pixels, the image that was judged comes back, whether its file is torn or has gone."""
    toyworld.hunt(tmp_path / "run", labels=["coffee mug"], generator=Batched(), seed=2)
    for one in kept.images(tmp_path / "archive")[:4]:
        one.remove() if how == "gone" else one.write(one.read()[:60])
    assert differences(tmp_path / "run")
    toyworld.hunt(tmp_path / "run", labels=["coffee mug"], generator=Batched(), seed=2)
    assert differences(tmp_path / "run") == ()
