"""Promises of several classifiers over the same draws: in one run, or one run after the other over one archive."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import toyworld
from foible.checks.verify import verify
from foible.run.journal import Journal
from foible.statistics import e_adjusted, log_evidence

TWICE = 5
"""Questions that a part is asked twice on purpose, at most."""
SEQUENTIAL = {"confirm": {"method": "sequential"}}
hunt = functools.partial(toyworld.hunt, seed=2)
"""With draws that show every bug."""


class Reversed(toyworld.Classifier):
    """The same answers, with the classes in reversed order."""

    labels = toyworld.NAMES[::-1]

    def classify(self, images):
        """Score the classes from the last to the first."""
        return super().classify(images)[:, ::-1]


class OnSnow(toyworld.Classifier):
    """Fails on teapots on snow, and nowhere else."""

    def answer(self, scene):
        """Take teapots on snow for barrels."""
        return "barrel" if (scene.label, scene.ground) == ("teapot", "snow") else scene.label


class Counting:
    """The toy world's parts but for the classifier; `asked` counts what each was asked about."""

    def __init__(self):
        self.asked: dict[str, Counter[Any]] = {kind: Counter() for kind in toyworld.PARTS}
        self.parts = {kind: self.part(kind) for kind in toyworld.PARTS}

    def part(self, kind):
        """Give a part that counts."""

        def generator(prompts, seeds):
            self.asked[kind].update(zip(prompts, seeds, strict=True))
            return toyworld.draw(prompts, seeds)

        def other(images):
            self.asked[kind].update(image.tobytes() for image in images)
            return toyworld.PARTS[kind](images)

        def judge(images, labels):
            self.asked[kind].update((i.tobytes(), label.name) for i, label in zip(images, labels, strict=True))
            return toyworld.judge(images, labels)

        made = {"generator": generator, "judge": judge}.get(kind, other)
        made.fingerprint = f"the toy {kind}, counted"
        return made

    @property
    def calls(self):
        """How much each part was asked."""
        return {kind: asked.total() for kind, asked in self.asked.items()}


def shows(image):
    """Give the label that the bytes of an image show."""
    return toyworld.read(np.frombuffer(image, np.uint8).reshape(16, 16, 3)).label


def said(run, place=0):
    """Give everything that a run found about a classifier, with classes by their names."""

    def named(rows):
        return sorted((run.result.class_name(index, place), count) for index, count in rows)

    return {
        f.trial.hypothesis.about: (
            f.verdict,
            f.p_value,
            f.adjusted,
            f.trial.treat,
            f.trial.control,
            f.trial.pairs,
            f.difference,
            named(f.confused_with),
            f.failing,
            f.counterfactuals,
            run.result.class_name(f.trial.hypothesis.predicted, place),
        )
        for f in run
        if f.trial.hypothesis.classifier == place
    }


def explored(result):
    """Give how each label did, with what it was taken for by name: an index means another class in another order."""
    return [
        (replace(one, confused_with=()), [(result.class_name(index), often) for index, often in one.confused_with])
        for one in result.explored
    ]


@pytest.mark.parametrize("config", [{}, SEQUENTIAL], ids=["fixed", "sequential"])
def test_a_classifier_with_its_classes_in_another_order_costs_nothing_but_its_predictions(tmp_path, config):
    """Over the same archive it makes no new image, caption, vector or judgement, and finds the same."""
    count = Counting()
    first = hunt(tmp_path / "one", config=config, **count.parts)
    before = count.calls
    assert all(before.values())
    second = hunt(tmp_path / "two", Reversed(), config=config, **count.parts)
    assert count.calls == before
    assert said(second) == said(first)
    assert second.confirmed
    assert second.result.draws == first.result.draws
    assert explored(second.result) == explored(first.result)


@pytest.mark.parametrize("config", [{}, SEQUENTIAL], ids=["fixed", "sequential"])
def test_two_classifiers_of_one_run_share_everything_but_their_predictions(tmp_path, config):
    """Draws, captions, vectors and judgements are made once, and what is the same for both is found for both."""
    count = Counting()
    run = hunt(tmp_path / "both", [toyworld.Classifier(), Reversed()], config=config, **count.parts)
    draws = sum(run.result.draws.values())
    assert len(count.asked["generator"]) == draws
    # The parts are asked about one image again before the hunt, alone and in a batch.
    assert count.calls["generator"] == draws + 1
    assert all(count.calls[kind] - len(count.asked[kind]) <= TWICE for kind in ("captioner", "embedder"))
    others = sum(count.asked["judge"][image, label] for image, label in count.asked["judge"] if shows(image) != label)
    assert count.calls["judge"] - others - draws <= TWICE
    one, other = said(run, 0), said(run, 1)
    assert one == other
    assert {f.trial.hypothesis.classifier for f in run.confirmed} == {0, 1}
    assert not any(f.trial.hypothesis.borrowed for f in run)
    assert [subject.name for subject in run.result.classifiers] == [
        "object:toyworld.Classifier",
        f"object:{Reversed.__module__}.Reversed",
    ]
    assert verify(run.folder).differences == ()


@pytest.mark.parametrize("config", [{}, SEQUENTIAL], ids=["fixed", "sequential"])
def test_what_one_classifier_is_suspected_of_is_tested_on_the_others_at_no_draw(tmp_path, config):
    """A hypothesis that one classifier gave rise to is borrowed for the others: its pairs are those of the owner."""
    run = hunt(tmp_path / "both", [toyworld.Classifier(), OnSnow()], config=config)
    own = {f.trial.hypothesis.about for f in run if not f.trial.hypothesis.borrowed}
    borrowed = [f for f in run if f.trial.hypothesis.borrowed]
    assert borrowed
    by_place = {(f.trial.hypothesis.about, f.trial.hypothesis.classifier): f for f in run}
    assert len(by_place) == len(run), "one verdict for each hypothesis and classifier"
    for finding in borrowed:
        hypothesis = finding.trial.hypothesis
        assert hypothesis.about in own
        owner = by_place[hypothesis.about, 1 - hypothesis.classifier]
        assert not owner.trial.hypothesis.borrowed
        assert finding.trial.treat.draws == owner.trial.treat.draws > 0
        assert hypothesis.predicted is None
    found = {(f.trial.hypothesis.description, f.trial.hypothesis.classifier) for f in run.confirmed}
    assert {("on grass", 0), ("on snow", 1)} <= found
    assert not {("on grass", 1), ("on snow", 0)} & found
    with Journal(run.folder, write=False) as journal:
        asked = {(b.label, b.words) for event in journal.asked("test") for b in event.blocks if b.words}
        suspected = {(h.label, h.treatment.words) for h in journal.tried if not h.borrowed}
        assert {h.classifier for h in journal.tried if h.borrowed} == {0, 1}
    assert asked <= suspected


def test_a_classifier_that_never_fails_causes_no_draw(tmp_path):
    """Beside one that has bugs it is drawn for nothing, and nothing is confirmed of it."""
    count, alone = Counting(), Counting()
    run = hunt(tmp_path / "both", [toyworld.Classifier(), toyworld.Perfect()], **count.parts)
    single = hunt(tmp_path / "elsewhere" / "run", **alone.parts)
    assert count.asked["generator"] == alone.asked["generator"]
    assert run.result.draws == single.result.draws
    assert {f.trial.hypothesis.about: f.trial.pairs for f in run if f.trial.hypothesis.classifier == 0} == {
        f.trial.hypothesis.about: f.trial.pairs for f in single
    }
    assert {f.trial.hypothesis.classifier for f in run.confirmed} == {0}
    assert all(f.trial.treat.failures == 0 for f in run if f.trial.hypothesis.classifier == 1)


def test_the_multiplicity_counts_every_classifier(tmp_path):
    """e-BH is over every hypothesis for every classifier, those that are borrowed too."""
    run = hunt(tmp_path / "both", [toyworld.Classifier(), OnSnow()], config=SEQUENTIAL)
    with Journal(run.folder, write=False) as journal:
        tried = [(h.about, h.classifier) for h in journal.tried]
    margin = run.result.settings["confirm.margin"]
    trials = {(f.trial.hypothesis.about, f.trial.hypothesis.classifier): f for f in run}
    pairs = [trials[name].trial.pairs if name in trials else None for name in tried]
    evidence = [
        0.0 if p is None else log_evidence(p.only_control, p.both_failed + p.both_passed, p.only_treat, margin)
        for p in pairs
    ]
    assert len(tried) == 2 * len({about for about, _ in tried})
    for name, adjusted in zip(tried, e_adjusted(evidence), strict=True):
        if name in trials:
            assert np.isclose(trials[name].adjusted, adjusted)


def test_a_run_of_one_classifier_reads_as_one(tmp_path):
    """A list of one is the one, to the byte; and no number of a classifier is seen in what people read."""
    one, listed = hunt(tmp_path / "one"), hunt(tmp_path / "listed", [toyworld.Classifier()])
    assert toyworld.written(one.folder) == toyworld.written(listed.folder)
    assert b"classifier 0" not in b"".join(toyworld.written(one.folder).values())


def test_another_classifier_is_another_run(tmp_path):
    """A run directory keeps its classifiers: fewer, more, others or in another order are refused."""
    from foible.errors import StoreError

    both = [toyworld.Classifier(), OnSnow()]
    hunt(tmp_path / "run", both)
    for other in ([both[0]], both[::-1], [*both, toyworld.Perfect()], [both[0], toyworld.Perfect()]):
        with pytest.raises(StoreError, match="was made with other settings"):
            hunt(tmp_path / "run", other)
    hunt(tmp_path / "run", both)
