"""Promises of the attribution pictures on a run's page: made once, shown beside the examples, and never a verdict."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import foible
import painted
import toyworld
from foible.act.attribute import small
from foible.attributions import SIDE, Attributions, Map
from foible.checks.verify import verify
from foible.counterfactual.attribution import attribute as numbers_of
from foible.errors import InputError
from foible.guiding.aim import Aim
from foible.guiding.sight import Sight
from foible.hunting.attributed import key_of, known, read_map, write_map
from foible.parts import registry
from foible.report import to_html
from foible.report.attribution import looked_at, over
from foible.run.archive import Archive
from report.anything import HOSTILE, poisoned
from report.results import coloured, nothing, sample
from report.test_html import check

HEADING = "What the answers react to"


class Classifier(toyworld.Classifier):
    """Fails as that of the toy world, tells that it is asked, and breaks where it is told to."""

    def classify(self, images):
        """Score, unless it breaks; what is covered can be read no more."""
        painted.ASKED.append([len(images)])
        for breaks in painted.BREAKS:
            breaks(images)
        return super().classify([one if one[0, 0, 0] < len(toyworld.PLAIN) else 0 * one for one in images])


def out_of_order(images):
    """Break."""
    message = "the lamp of the classifier is out"
    raise RuntimeError(message)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Make a probe that confirms mugs on grass."""
    out = tmp_path_factory.mktemp("attributed") / "run"
    config = {"confirm.method": "fixed", "confirm.draws": 12, "measure.most": 0, "batch": 8}
    return foible.probe(
        Classifier(),
        "coffee mug",
        "on grass",
        generator=toyworld.draw,
        judge=toyworld.judge,
        out=out,
        config=config,
        progress=False,
    )


@pytest.fixture(autouse=True)
def nothing_recorded():
    """Begin each test with a classifier that was asked nothing and does not break."""
    painted.ASKED.clear()
    painted.BREAKS.clear()


def attribute(run, **given):
    """Write the files again, with attributions."""
    return foible.attribute(run.folder, **{"classifier": Classifier(), "progress": False, **given})


def test_maps_are_made_once_and_shown_beside_the_examples(run, tmp_path):
    """The page has a picture for each example and partner, and says what it is not; again, the classifier is idle."""
    plain = (run.folder / "report.html").read_text("utf-8")
    assert HEADING not in plain
    painted.BREAKS.append(out_of_order)
    first = attribute(run, out=tmp_path / "broken")
    assert not first.maps
    assert set(first.unscored.values()) == {"the classifier gives no answer to the image"}
    assert HEADING not in (tmp_path / "broken" / "report.html").read_text("utf-8")
    painted.BREAKS.clear()
    found = attribute(run)
    assert len(found.maps) == found.made == len(first.unscored) > 0
    assert {one.how for one in found.maps.values()} == {"occlusion"}
    text = (run.folder / "report.html").read_text("utf-8")
    page = check(re.sub(r'href="\.\./archive/images/[^"]*"', 'href="#main"', text))
    assert HEADING in page.shown
    assert "It is no proof of cause" in page.shown
    assert sum("What the score of" in word for word in page.words) == 12
    painted.ASKED.clear()
    again = attribute(run)
    assert (len(again.maps), again.made, painted.ASKED) == (len(found.maps), 0, [])
    assert not verify(run.folder).differences
    code, _, _ = toyworld.called("report", run.folder)
    assert code == 0
    assert (run.folder / "report.html").read_text("utf-8") == plain
    assert not verify(run.folder).differences


@pytest.mark.parametrize("how", ["gradients", "occlusion"])
def test_a_map_shows_where_the_score_comes_from(how):
    """Where the score hangs on the lower half of an image alone, the map is bright there, and dark above."""

    class Lower(painted.Eye):
        def logits(self, batch):
            return super().logits(batch[:, :, batch.shape[2] // 2 :])

    sight = Sight(registry.load("classifier", Lower()))
    image = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)
    rows = small(numbers_of(sight, image, Aim(right=(), into=(1,)), how)).mean(axis=1)
    assert rows[40:].mean() > 10 * rows[:24].mean()


def test_without_captum_or_classifier_it_is_a_sentence(run, tmp_path, monkeypatch):
    """Neither the library nor an object of Python can be guessed: one sentence each, and nothing is written."""
    with pytest.raises(InputError, match=r"was the object.*give it from Python"):
        attribute(run, classifier=None, out=tmp_path / "out")
    code, _, err = toyworld.called("report", run.folder, "--code", "--out", tmp_path / "out")
    assert (code, "--attribution alone" in " ".join(err.split())) == (2, True)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(InputError, match=r"captum.*pip install 'foible\[explain\]'"):
        attribute(run, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_archive_holds_is_not_trusted(tmp_path):
    """Whatever stands in the place of a map is one sentence, and a map of another classifier is none of this one."""
    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(read_map(write_map(numbers), "gradients").numbers, numbers)
    for value in (
        None,
        3,
        "text",
        [3, 4, "no base64"],
        [3, 5, write_map(numbers)[2]],
        [True, 12, write_map(numbers)[2]],
    ):
        with pytest.raises(InputError, match="where an attribution should be"):
            read_map(value, "gradients")
    with pytest.raises(InputError, match="where an attribution should be"):
        read_map(write_map(np.zeros((SIDE + 1, 1), np.uint8)), "occlusion")
    result = sample()
    one = looked_at(result)[0]
    with Archive(tmp_path) as archive:
        archive.add([], {key_of(one, {"spec": "a"}, "occlusion"): write_map(numbers)})
        assert known([one], [{"spec": "a"}], archive)[one].how == "occlusion"
        assert not known([one], [{"spec": "b"}], archive)


def maps(result):
    """Give each answer that is looked at a map, but for one."""
    looked = looked_at(result)
    numbers = np.arange(64, dtype=np.uint8).reshape(8, 8)
    return Attributions(maps={one: Map(how="gradients", numbers=numbers) for one in looked[1:]})


def test_what_is_not_known_is_counted():
    """Of a finding one image has no map: it is said how many, and the place says so."""
    result = sample()
    page = check(to_html(result, coloured, attributed=maps(result)))
    assert "Of 1 of these" in page.shown
    assert "not known" in page.shown


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_texts_are_only_text_beside_attributions_too(evil):
    """With attributions, a hostile text in every place adds no tag and no attribute."""
    for image in (coloured, nothing):
        result = poisoned(evil)
        check(to_html(result, image, attributed=maps(result)))


def test_maps_are_small_and_scaled_by_their_own_brightest_place():
    """A wide image keeps its form; all zeros stay dark; what is laid over an image glows where the map is full."""
    numbers = np.zeros((100, 400))
    numbers[:50] = 3.0
    found = small(numbers)
    assert found.shape == (16, 64)
    assert (found[:4] == 255).all()
    assert (found[12:] == 0).all()
    assert not small(np.zeros((8, 8))).any()
    laid = over(np.full((100, 400, 3), 200, np.uint8), found)
    assert laid.shape == (100, 400, 3)
    assert tuple(laid[0, 0]) == (255, 196, 64)
    assert tuple(laid[-1, 0]) == (100, 100, 100)
