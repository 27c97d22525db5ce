"""A reported fault: equal scores went by the index of the class, so that class 0 counted where it was not shown."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.checks.verify import verify
from foible.draws.values import read_prediction, write_scores
from foible.errors import StoreError
from foible.records import TIED, ClassMap
from foible.report.sentences import sentence, title
from foible.report.taken import confusions, shared_highest

HERE = Path(__file__).parents[2]
DATA = Path(os.environ.get("FOIBLE_SHARED_DATA", HERE.parent / "shared" / "data"))
INDEX = {name: number for number, name in enumerate(toyworld.PLAIN)}

small = st.lists(st.integers(0, 3), min_size=2, max_size=6)
some = st.frozensets(st.integers(0, 5), min_size=1, max_size=3)


def fails(scores, right=(), top=1, target=()):
    """Say whether an image with these scores fails, as a hunt keeps them: None where it is open."""
    kept = json.loads(json.dumps(write_scores(np.array(scores, float), max(5, top))))
    classes = ClassMap(classifier="c", names=None, right={"mug": tuple(right)}, top=top, target=tuple(target))
    return classes.fails(read_prediction(kept), "mug")


def orders(scores):
    """Give every order of the classes from the highest score to the lowest: equal scores in any order."""
    every = itertools.permutations(range(len(scores)))
    return [one for one in every if all(scores[a] >= scores[b] for a, b in itertools.pairwise(one))]


@given(scores=small, right=some, top=st.integers(1, 6))
def test_a_draw_fails_or_passes_only_where_every_order_of_equal_scores_says_so(scores, right, top):
    """Whatever order equal scores are put in, the outcome is the same; where it is not, it is open."""
    right = {index for index in right if index < len(scores)} or {0}
    top = min(top, len(scores))
    said = {not right & set(order[:top]) for order in orders(scores)}
    assert fails(scores, sorted(right), top) == (said.pop() if len(said) == 1 else None)


@given(scores=small, target=some)
def test_what_a_draw_is_taken_for_does_not_hang_on_the_order_either(scores, target):
    """In the targeted mode too: it fails where whichever class is put first is of the target."""
    target = {index for index in target if index < len(scores)} or {0}
    said = {order[0] in target for order in orders(scores)}
    assert fails(scores, target=sorted(target)) == (said.pop() if len(said) == 1 else None)
    highest = {order[0] for order in orders(scores)}
    assert read_prediction(write_scores(np.array(scores, float), 5)).index == (
        highest.pop() if len(highest) == 1 else None
    )


@given(scores=st.lists(st.integers(-2, 2), min_size=1, max_size=40), kept=st.integers(1, 12))
def test_every_class_with_a_score_that_is_kept_is_kept(scores, kept):
    """The levels hold at least as many classes as are wanted, from the highest down, and leave none of a score out."""
    levels = read_prediction(write_scores(np.array(scores, float), kept)).levels
    held = [(level.score, index) for level in levels for run in level.runs for index in run]
    assert len(held) >= min(kept, len(scores))
    lowest = levels[-1].score
    assert sorted(held) == sorted((score, index) for index, score in enumerate(scores) if score >= lowest)
    assert [level.score for level in levels] == sorted({score for score, _ in held}, reverse=True)


def test_a_thousand_equal_scores_take_little_room():
    """Where five scores of a thousand are above zero, the zeros that share the tenth place are six runs."""
    scores = np.zeros(1000)
    scores[[7, 3, 500, 900, 42]] = [9, 8, 7, 6, 5]
    assert len(json.dumps(write_scores(scores, 10))) < 300
    assert read_prediction(write_scores(scores, 10)).levels[-1].size == 995


@pytest.mark.parametrize("value", [[], [[1, 0, 1.0]], [[0, 0, 1.0], [1, 1, 2.0]], [[0, 2**60, 1.0]], [[0, 1.0]]])
def test_scores_that_nobody_wrote_are_damaged(value):
    """A run backwards, scores that rise, a class beyond any network, pairs of an older archive: one sentence."""
    with pytest.raises(StoreError, match="a prediction should be"):
        read_prediction(value)


@pytest.mark.parametrize(("right", "open_"), [(3, False), (0, None), (999, None)])
def test_classes_beyond_the_scores_that_a_program_gives_are_open(right, open_):
    """Of a program that scores five classes and leaves zero for all others, the sixth place belongs to nobody."""
    scores = np.zeros(1000)
    scores[[7, 3, 500, 900, 42]] = [9, 8, 7, 6, 5]
    assert fails(scores, [right], top=10) is open_
    assert fails(scores, [right], top=5) is (right != 3)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real weights: there is no {DATA}")
def test_a_quantised_network_favours_no_index():
    """On twenty photographs class 0 counts in its five highest no more often than class 900; its ties are open."""
    pytest.importorskip("ai_edge_litert")
    from foible.parts import registry
    from foible.pixels import read_file

    network = registry.load(
        "classifier", f"litert:{DATA / 'imagenet-mobilenet' / 'mobilenet_v2_1.0_224_quant.tflite'}", {}
    ).object
    files = sorted((DATA / "photos").glob("imagenet*.jpg"))
    rows = network.classify([read_file(file) for file in files])
    said = {index: [fails(row, [index], top=5) for row in rows] for index in (0, 900)}
    assert said[0].count(False) == said[900].count(False) == 0
    assert said[0].count(None) == said[900].count(None) == 10
    own = [int(re.split("[_.]", file.name)[2]) + 1 for file in files]
    assert [fails(row, [index], top=5) for row, index in zip(rows, own, strict=True)].count(False) == 20


class Undecided(toyworld.Classifier):
    """On snow a mug and a bucket have one score; a mug on grass is taken for a bucket and a vase at once."""

    def classify(self, images):
        """Score as ever, and then make equal."""
        scores = super().classify(images)
        for row, scene in enumerate(map(toyworld.read, images)):
            if scene.label == "coffee mug" and scene.ground == "snow":
                scores[row, INDEX["bucket"]] = 1
            if scene.label == "coffee mug" and scene.ground == "grass":
                scores[row, INDEX["vase"]] = 1
        return scores


@pytest.fixture(scope="module")
def undecided(tmp_path_factory):
    """Probe what such a classifier makes of mugs."""
    parts: dict[str, Any] = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    return foible.probe(
        Undecided(),
        "coffee mug",
        ["on snow", "on grass"],
        out=tmp_path_factory.mktemp("ties") / "run",
        config=toyworld.SMALL,
        progress=False,
        seed=1,
        **parts,
    )


def test_a_tie_is_unscored_counted_and_shown(undecided):
    """Every draw whose label shares the highest score is unscored as tied: in counts, reasons, sentence and summary."""
    snow = next(f for f in undecided if f.trial.hypothesis.description == "on snow")
    tied = snow.trial.treat.tied
    assert tied == snow.trial.treat.unscored == snow.trial.treat.draws
    assert snow.verdict == "undecided"
    assert dict(undecided.result.unscored)[TIED] >= tied
    written = json.loads((undecided.folder / "findings.json").read_text(encoding="utf-8"))
    told = next(one for one in written["findings"] if one["trial"]["hypothesis"]["description"] == "on snow")
    assert told["trial"]["treat"]["tied"] == tied
    assert re.search(r"In \d+ of \d+ draws equal scores leave open whether it failed", written["summary"])
    assert TIED in (undecided.folder / "findings.md").read_text(encoding="utf-8")
    grass = next(f for f in undecided if f.trial.hypothesis.description == "on grass")
    assert grass.rated.control.unscored == grass.rated.control.tied > 0
    assert f"({grass.rated.control.tied} tied)" in sentence(grass, undecided.result)
    assert verify(undecided.folder).differences == ()


def test_a_tied_failure_names_no_class(undecided):
    """Where two wrong classes share the highest score the draw fails, and is taken for neither."""
    grass = next(f for f in undecided if f.trial.hypothesis.description == "on grass")
    assert grass.verdict == "confirmed"
    assert confusions(grass, undecided.result) == ()
    assert shared_highest(grass) == grass.trial.treat.failures > 0
    assert "".join(span.text for span in title(grass, undecided.result)) == "coffee mug on grass"
    seen = [undecided.result.observations[key].outcomes[0] for key in grass.failing]
    assert {(one.status, one.predicted) for one in seen} == {("failed", None)}


def test_a_hypothesis_from_tied_failures_names_no_class(tmp_path):
    """What was suspected because of failures that two classes share has no predicted class, whichever comes first."""
    run = toyworld.hunt(tmp_path / "run", Undecided(), labels=["coffee mug"], seed=2)
    (grass,) = run.confirmed
    assert grass.trial.hypothesis.description == "on grass"
    assert grass.trial.hypothesis.predicted is None
    (summary,) = run.result.explored
    assert summary.tally.tied > 0 < shared_highest(summary)
