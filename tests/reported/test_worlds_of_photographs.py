"""Photographs and drawn images in somebody else's world: other classes, one label, words that nothing shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import foible
import photographs
import toyworld
from foible.errors import PluginError
from foible.records import Spec

ODD = [*(f"filler {number} (thing)" for number in range(988)), *toyworld.NAMES]


class Thousand(toyworld.Classifier):
    """The toy world's classifier, with a thousand classes in an order of chance."""

    fingerprint = "a thousand classes"
    order = tuple(int(place) for place in np.random.default_rng(4).permutation(1000))
    labels = [ODD[place] for place in order]  # noqa: RUF012 - as its base class has them

    def classify(self, images):
        """Score the classes that it has."""
        scores = np.concatenate([np.zeros((len(images), 988)), super().classify(images)], axis=1)
        return scores[:, self.order]


@pytest.fixture(scope="module")
def taken():
    """Photographs of mugs, one bug of which is planted."""
    return photographs.scenes(160, ["coffee mug"], first=2000)


def quick(root, some, table="metadata.csv", **args):
    """Write a set, and look for no near-duplicates in it."""
    return Spec(photographs.folder(root, some, table), {"near_duplicates": False, **args})


def rates(found):
    """Give answer and rates of each row."""
    return [(row.answer, row.words, row.drawn, row.photographs) for row in found.rows]


@pytest.fixture(scope="module")
def both(taken, tmp_path_factory):
    """Seek the bug of one label in both directions, for a classifier."""

    def run(classifier):
        root = tmp_path_factory.mktemp("both")
        source = quick(root / "set", taken)
        real = photographs.hunt(root / "real", source, classifier)
        probe = {"measure.most": 12, "confirm.method": "fixed", "confirm.draws": 20, "explain.draws": 0}
        parts: dict[str, Any] = {"classifiers": [classifier], "judge": toyworld.judge, "progress": False}
        forth = foible.seek(real.folder, generator=toyworld.draw, config=probe, **parts)
        drawn = toyworld.hunt(
            root / "drawn", classifier, ["coffee mug"], seed=2, config={"explore": {"draws": 48}, "explain.draws": 0}
        )
        return forth, foible.seek(drawn.folder, source, **{**parts, "judge": "annotation"})

    return run


def test_a_thousand_classes_in_another_order_change_nothing(both):
    """A set of one label; the same images, answers and rates, whatever the classes of the classifier are."""
    plain, odd = both(toyworld.Classifier()), both(Thousand())
    for one, other in zip(plain, odd, strict=True):
        assert [row.answer for row in one.rows] == ["there"]
        assert rates(one) == rates(other)
        assert {one.found_in, one.sought_in} == {"drawn", "photographs"}


def test_words_that_an_embedder_cannot_tell_apart_are_refused(taken, tmp_path):
    """Before anything is spent: which of them a photograph shows would be chance."""
    (tmp_path / "words.txt").write_text("mood: zesty, wistful\n", "utf-8")
    source = quick(tmp_path / "set", taken[:40], None, vocabulary=str(tmp_path / "words.txt"))
    classifier = photographs.Once()
    with pytest.raises(PluginError, match="reads the same of 'a photo of something zesty'"):
        photographs.hunt(tmp_path / "run", source, classifier, embedder=photographs.Joint())
    assert classifier.shown == 0


def test_words_that_no_photograph_shows_confirm_nothing(taken, tmp_path):
    """A list of words about what does not vary here, or that fits nothing: no bug is made of it."""
    (tmp_path / "words.txt").write_text("companion: beside a box, beside a cone\n", "utf-8")
    some = [one for one in taken if one[2]["companion"] == "none"]
    source = quick(tmp_path / "set", some, None, vocabulary=str(tmp_path / "words.txt"))
    run = photographs.hunt(tmp_path / "run", source, embedder=photographs.Joint())
    assert len(some) > 20
    assert not run.confirmed


def test_a_column_that_is_empty_for_some_leaves_these_open(taken, tmp_path):
    """A photograph of which nobody said the ground is neither with the description nor without it."""
    told = [
        (label, image, {"ground": more["ground"] if at % 2 else ""}) for at, (label, image, more) in enumerate(taken)
    ]
    drawn = toyworld.hunt(tmp_path / "run", None, ["coffee mug"], seed=2, config={"explore": {"draws": 48}})
    (row,) = foible.seek(
        drawn.folder,
        quick(tmp_path / "set", told),
        judge="annotation",
        classifiers=[toyworld.Classifier()],
        progress=False,
    ).rows
    assert row.unsure == 80
    assert row.photographs.treated.draws + row.photographs.others.draws == 80
    assert row.answer == "there"
    assert row.photographs.control.value == 0.0
