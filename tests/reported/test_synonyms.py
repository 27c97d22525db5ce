"""Reported: "coffee mug striped, far away → cup" is half a bug: +37 points, and +16 where a cup is right for it too."""

from __future__ import annotations

import functools
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.adapters.shared.names import imagenet
from foible.checks.forecast import plan
from foible.checks.verify import verify
from foible.config import HuntConfig
from foible.errors import PluginError
from foible.labels import Classes, accepting, resolve
from foible.records import Label
from foible.report.alike import alike_sentence
from toyworld import LABELLED, NAMES, PARTS, PLAIN, read

hunt = functools.partial(toyworld.hunt, seed=1)
"""With draws that show every bug."""

MUG, BUCKET, VASE, CUP = PLAIN.index("coffee mug"), PLAIN.index("bucket"), PLAIN.index("vase"), len(NAMES)


WITH_CUP = [*NAMES, "cup"]


def seed_of(image):
    """Make a number of the seed of an image, the low bits of which say nothing of the seed's stream."""
    return int.from_bytes(hashlib.sha256(image[1, :4, 1].tobytes()).digest()[:4], "big")


class Cups(toyworld.Classifier):
    """Takes a mug on grass for a bucket or for a cup, a class of its own: each half of the time."""

    labels = WITH_CUP

    def classify(self, images):
        """Score what is seen 1, and of cup and bucket the other one half."""
        import numpy as np

        scores = np.zeros((len(images), len(self.labels)))
        for row, image in enumerate(images):
            answer = self.answer(read(image))
            cup = answer == "bucket" and seed_of(image) % 2 == 0
            scores[row, BUCKET], scores[row, CUP] = (0.5, 1) if cup else (0, 0.5)
            scores[row, PLAIN.index(answer)] += not cup
        return scores


class Told(Cups):
    """Says which classes are alike."""

    def __init__(self, alike):
        """Take in what to say."""
        self.alike = alike


class Vases(toyworld.Perfect):
    """Takes every third mug for a vase, whatever stands around it, and one of a hundred bottles for a teapot."""

    def classify(self, images):
        """Score what is seen."""
        scores = super().classify(images)
        for row, image in enumerate(images):
            label = read(image).label
            if label == "coffee mug" and seed_of(image) % 3 == 0:
                scores[row] = [float(name == "vase") for name in PLAIN]
            if label == "water bottle" and seed_of(image) % 50 == 0:
                scores[row] = [float(name == "teapot") for name in PLAIN]
        return scores


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """Hunt for the half bug, one pair after the other, and measure its rates."""
    config = {"confirm": {"method": "sequential"}}
    return hunt(tmp_path_factory.mktemp("half") / "run", Cups(), config=config)


def test_half_a_bug_says_what_is_left_with_the_synonym_accepted(half):
    """Both numbers, with intervals, from the draws that the shown rates come from: a half of the failures are left."""
    (alike,) = [one for one in half.result.alike if one.label == "coffee mug"]
    assert (alike.index, alike.named, alike.share) == (CUP, True, None)
    (left,) = alike.remaining
    finding = half.result.findings[left.finding]
    taken = finding.rated.treat
    assert finding.trial.hypothesis.treatment.words == ("on grass",)
    assert finding.treat.value == 1.0
    assert 0.25 < left.treat.value < 0.75
    assert left.treat.low < left.treat.value < left.treat.high
    assert left.difference.value < finding.difference.value
    assert left.difference.high < finding.difference.high
    assert round(left.treat.value * taken.scored) == pytest.approx(left.treat.value * taken.scored)
    assert left.control.value <= finding.control.value < 0.5  # some mugs stand on grass unasked


def test_nothing_is_accepted_unasked(half):
    """The cup stays wrong in every count, and in what is right for the label."""
    (subject,) = half.result.classifiers
    assert subject.right["coffee mug"] == (MUG,)
    assert CUP in {index for f in half.confirmed for index, _ in f.confused_with}


def test_the_text_that_accepts_it_is_taken_as_written(half, tmp_path):
    """The label that is named, given to a hunt over the same archive, accepts the cup."""
    (alike,) = [one for one in half.result.alike if one.label == "coffee mug"]
    assert alike.accept == f"{MUG}|{CUP}=coffee mug (cup)"
    assert f"--label '{alike.accept}'" in alike_sentence(alike, half.result)
    given_again = [alike.accept if label == "coffee mug" else label for label in LABELLED]
    config = {"confirm": {"method": "sequential"}, "archive": half.folder.parent / "archive"}
    run = hunt(tmp_path / "run", Cups(), given_again, config=config)
    (subject,) = run.result.classifiers
    assert subject.right["coffee mug"] == (MUG, CUP)
    assert "cup" not in {one.label for one in run.result.alike}


def test_it_is_worked_out_again_by_verify_and_stands_in_every_output(half):
    """The numbers follow from journal and archive; JSON, Markdown and page name both classes and the flag."""
    assert verify(half.folder).differences == ()
    document = json.loads((half.folder / "findings.json").read_text("utf-8"))
    (alike,) = [one for one in document["alike"] if one["label"] == "coffee mug"]
    assert alike["name"] == "cup"
    assert "coffee mug and cup may be the same thing: one is named as the kind of the other" in alike["sentence"]
    assert "raises the failure rate by" in alike["sentence"]
    assert "## Classes that may be the same thing" in (half.folder / "findings.md").read_text("utf-8")
    assert "Classes that may be the same thing" in half.report.read_text("utf-8")


def test_the_two_highest_scores_are_looked_at_again_as_they_were(tmp_path):
    """With failure.top 2 a cup in second place is enough: nothing of the bug is left once it is accepted."""
    run = hunt(tmp_path / "run", Cups(), config={"failure": {"top": 2}})
    (alike,) = [one for one in run.result.alike if one.label == "coffee mug"]
    assert [left.treat.value for left in alike.remaining] == [0.0] * len(run.confirmed[:1])
    assert all(left.difference.value == 0.0 for left in alike.remaining)


def test_the_classifier_s_own_confusion_under_the_base_prompt_is_named(tmp_path):
    """A class that surely more than one of twenty base draws are taken for is named with that rate; a rarer one not."""
    run = hunt(tmp_path / "run", Vases(), config={"explore": {"draws": 48}})
    base = {one.label: dict(one.confused_with) for one in run.result.explored}
    (alike,) = [one for one in run.result.alike if (one.label, one.index) == ("coffee mug", VASE)]
    assert ("water bottle", PLAIN.index("teapot")) not in {(one.label, one.index) for one in run.result.alike}
    assert not alike.named
    assert alike.taken == base["coffee mug"][VASE]
    assert alike.rate.value == alike.taken / alike.scored
    assert alike.rate.low > 0.05
    assert "coffee mug is taken for vase: in" in alike_sentence(alike, run.result)


def test_what_the_scenes_of_a_finding_are_taken_for_is_no_synonym(tmp_path):
    """Mugs stand on grass unasked, too: their being taken for buckets is the finding."""
    run = hunt(tmp_path / "run", config={"explore": {"draws": 120}})
    base = {one.label: one for one in run.result.explored}
    assert ("on grass",) in {f.trial.hypothesis.treatment.words for f in run.confirmed}
    assert dict(base["coffee mug"].confused_with)[BUCKET] >= 0.1 * base["coffee mug"].tally.scored
    assert run.result.alike == ()


def test_in_the_targeted_mode_nothing_is_suggested(tmp_path):
    """A failure is what is taken for the target there: to accept another class changes nothing."""
    assert hunt(tmp_path / "run", Cups(), target="bucket").result.alike == ()


def test_plan_names_them_before_a_draw(tmp_path):
    """What names say of a label is known beforehand, with the text that accepts it."""
    config = HuntConfig(
        classifier="python:reported.test_synonyms:Cups",
        labels=("coffee mug", "teapot"),
        out=tmp_path / "run",
        **{kind: f"python:toyworld:{part.__name__}" for kind, part in PARTS.items()},
    )
    (one,) = plan(config).alike
    assert (one.label, one.name, one.share, one.accept) == ("coffee mug", "cup", None, f"{MUG}|{CUP}=coffee mug (cup)")
    assert plan(config, offline=True).alike == ()


def test_what_people_saw_in_imagenet_s_pictures_is_built_in():
    """A coffee mug may be a cup, by the labels that people gave anew; a Komodo dragon, a "monitor", is no screen."""
    known = imagenet()
    of = Classes(classifier="it", names=known.labels, accepted=known.accepted, alike=known.alike)
    _, (classes,) = resolve(["coffee mug", "Komodo dragon", "sunglasses"], [of])
    assert [(one.index, one.share) for one in classes.alike["coffee mug"]] == [(968, 0.61)]
    assert "Komodo dragon" not in classes.alike
    assert "sunglasses" not in classes.alike  # they are accepted for each other already
    moved = imagenet(1001)
    assert moved.alike == {one + 1: {at + 1: s for at, s in seen.items()} for one, seen in known.alike.items()}
    assert all(share >= 0.3 for seen in known.alike.values() for share in seen.values())


words = st.text("ab é-'_.(=)|0", min_size=1, max_size=8)


@given(name=words, kind=words | st.just(""), right=st.lists(st.integers(0, 2000), min_size=1, max_size=4, unique=True))
def test_a_label_that_is_written_is_read_again(name, kind, right):
    """The text that accepts a class gives back the label and its classes; where there is none it is empty."""
    label = Label(name, kind)
    text = accepting(label, right)
    if text:
        labels, (classes,) = resolve([text], [Classes(classifier="it")])
        assert labels == (label,)
        assert classes.right == {name: tuple(right)}
    assert accepting(Label("coffee mug", "cup"), [504, 968]) == "504|968=coffee mug (cup)"


@pytest.mark.parametrize("alike", [[1], {0: [1]}, {0: {99: 0.5}}, {0: {1: 2.0}}, {0: {1: "much"}}, {-1: {0: 0.5}}])
def test_what_a_classifier_says_is_alike_must_be_classes_and_shares(tmp_path, alike):
    """A classifier whose `alike` is no table of its classes is refused before anything is made."""
    with pytest.raises(PluginError, match=r"`alike` of the classifier .* must map class indices"):
        hunt(tmp_path / "run", Told(alike))
