"""Promises of a certificate: what is drawn by chance, and what may be said where nothing was found."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.act.prior import from_captions, from_words
from foible.arms import CERTIFY
from foible.cli import main
from foible.errors import ConfigError, StoreError
from foible.identity import seed_stream
from foible.report import certificate as pages
from foible.statistics import clearance, weight_at_most

PARTS = {"generator": toyworld.draw, "judge": toyworld.judge, "captioner": toyworld.describe}
MORE = {"explore": {"draws": 48}}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Hunt a perfect classifier; nothing is found."""
    run = toyworld.hunt(tmp_path_factory.mktemp("clean") / "run", toyworld.Perfect(), seed=2, config=MORE)
    assert not run.confirmed
    return run.folder


def certified(folder, classifier=None, **given):
    """Certify in silence, with the parts of the toy world."""
    own = toyworld.Perfect() if classifier is None else classifier
    return foible.certify(folder, **{"parts": {**PARTS, "classifier": own}, "progress": False, **given})


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_perfect_classifier_is_certified(clean):
    """10 % of the weight are excluded, in some five hundred draws; numbers can be worked out again from the rows."""
    found = certified(clean)
    assert found.ended == "certified"
    assert found.bound <= 0.1
    assert found.draws < 700
    assert found.cleared == len(found.looked)
    assert found.bound == weight_at_most([one.clearance for one in found.looked], found.level)
    assert all(one.clearance == clearance(one.passes, one.failures, found.above) for one in found.looked)
    assert sum(one.passes + one.failures + one.unscored for one in found.looked) == found.draws
    (said,) = re.findall(r"less than ([\d.]+) % of the list", pages.headline(found))
    assert 0 <= float(said) / 100 - found.bound < 0.001  # rounded up, so that it stays a bound


class Grass(toyworld.Classifier):
    """Fails wherever there is grass, under whatever label."""

    def answer(self, scene):
        """Name what is seen."""
        return "barrel" if scene.ground == "grass" else scene.label


def test_a_classifier_with_planted_bugs_is_not_certified(tmp_path):
    """Grass has a sixth of the grounds, and every phrase beside it fails in a sixth of its draws."""
    toyworld.hunt(tmp_path / "run", Grass(), seed=2)
    found = certified(tmp_path / "run", Grass(), words=["on grass", "on sand", "on snow", "on wood"], above=0.5)
    assert found.ended in {"hopeless", "draws"}
    assert found.bound > 0.25
    grass = {at for at, mode in enumerate(found.modes) if mode.phrase == "on grass"}
    assert {one.mode for one in pages.uncleared(found)} == grass & {one.mode for one in found.looked}
    assert "no certificate" in pages.headline(found)
    text = pages.to_markdown(found)
    assert "Suspects, and no findings" in text
    assert "on grass" in text


def test_what_is_spread_thin_is_no_failure_that_is_gathered(clean, tmp_path):
    """A classifier that fails in one draw of twenty, whatever is shown, is certified at 50 %."""

    class Dusty(toyworld.Perfect):
        def classify(self, images):
            scores = super().classify(images)
            return np.array([np.roll(row, int(image[1, 0, 1] < 13)) for row, image in zip(scores, images, strict=True)])

    toyworld.hunt(tmp_path / "run", Dusty(), seed=2)
    found = certified(tmp_path / "run", Dusty(), above=0.5)
    assert found.ended == "certified"
    assert sum(one.failures for one in found.looked) > 0


# --- what is drawn ---------------------------------------------------------------------------------------------------


def test_seeds_are_its_own_and_none_serves_two_modes(clean):
    """Every draw that the archive has besides is on a seed of the stream, each once for its label."""
    archive = clean.parent / "archive" / "archive.sqlite"
    with sqlite3.connect(archive) as db:
        before = {key for (key,) in db.execute("SELECT key FROM draws")}
    found = certified(clean, words=["on grass", "at night"], seed=31)
    with sqlite3.connect(archive) as db:
        rows = [(s, p) for k, s, p in db.execute("SELECT key, seed, prompt FROM draws") if k not in before]
    own = {label.name: set(islice(seed_stream(31, CERTIFY, label.name), 400)) for label in found.labels}
    assert len(rows) == found.draws == len({seed for seed, _ in rows})
    for seed, prompt in rows:
        (label,) = [label for label in own if label in prompt]
        assert seed in own[label]


def test_it_comes_out_again_to_the_byte_and_goes_on_with_more_draws(clean):
    """With fewer draws the same modes come first, with the same images; what was drawn is not drawn again."""
    whole = certified(clean)
    assert pages.to_json(certified(clean)) == pages.to_json(whole)
    for most in (1, 50, 333):
        part = certified(clean, max_draws=most)
        assert (part.ended, part.draws) == ("draws", most)
        assert [one.mode for one in part.looked] == [one.mode for one in whole.looked][: len(part.looked)]
        full = [one for one, other in zip(part.looked, whole.looked, strict=False) if one == other]
        assert len(full) >= len(part.looked) - 16
        assert part.bound >= whole.bound


def test_modes_are_drawn_by_their_weights(clean):
    """Of many that were drawn each has about its share; none is left out for what became of it."""
    found = certified(clean, below=0.02, max_draws=3000, words=["on grass", "at night", "in fog", "red"])
    counts = Counter(one.mode for one in found.looked)
    assert len(found.looked) % 16 == 0
    assert set(counts) == set(range(len(found.modes)))
    expected = len(found.looked) / len(found.modes)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


def test_what_a_judge_never_sees_is_not_cleared(clean):
    """Without a faithful image nothing is known: the clearance stays where it was, and there is no certificate."""

    class Blind:
        fingerprint = "sees no label on grass"

        def judge(self, images, labels):
            right = toyworld.judge(images, labels)
            return [yes and toyworld.read(image).ground != "grass" for yes, image in zip(right, images, strict=True)]

    toyworld.hunt(clean.parent / "blind", toyworld.Perfect(), seed=2, judge=Blind(), config=MORE)
    parts = {**PARTS, "classifier": toyworld.Perfect(), "judge": Blind()}
    found = certified(clean.parent / "blind", words=["on grass"], max_draws=400, parts=parts)
    assert found.ended in {"draws", "hopeless"}
    assert found.bound == 1.0
    assert all(one.clearance == pytest.approx(0.1) for one in found.looked)


# --- the prior -------------------------------------------------------------------------------------------------------


def test_a_prior_of_captions_weighs_labels_alike(clean):
    """Phrases weigh as often as the explored images of a label are said to show them; none that tests is among them."""
    found = certified(clean)
    by_label: dict[str, float] = {}
    for mode in found.modes:
        by_label[mode.label] = by_label.get(mode.label, 0.0) + mode.weight
    assert found.phrases_from == "captions"
    assert set(by_label) == {label.name for label in found.labels}
    assert all(weight == pytest.approx(1 / len(by_label)) for weight in by_label.values())
    assert {"on grass", "at night"} <= {mode.phrase for mode in found.modes}


def test_a_label_that_the_list_has_nothing_of_is_named(tmp_path):
    """Where the captioner says nothing of teapots, nothing is known of them, and every output says so."""

    class Quiet:
        fingerprint = "says nothing of teapots"

        def caption(self, images):
            scenes = [toyworld.read(image) for image in images]
            said = toyworld.describe(images)
            return ["a teapot" if one.label == "teapot" else text for one, text in zip(scenes, said, strict=True)]

    toyworld.hunt(tmp_path / "run", toyworld.Perfect(), seed=2, captioner=Quiet())
    found = certified(tmp_path / "run", parts={**PARTS, "classifier": toyworld.Perfect(), "captioner": Quiet()})
    assert found.without == ("teapot",)
    assert {mode.label for mode in found.modes} == {"coffee mug", "water bottle"}
    assert "teapot" in pages.without(found)
    assert "no caption says a phrase of teapot" in pages.to_markdown(found)
    assert json.loads(pages.to_json(found))["without"] == ["teapot"]


@given(
    st.dictionaries(st.sampled_from(["mug", "vase", "lamp"]), st.lists(st.text(max_size=40), max_size=4), min_size=1)
)
def test_weights_sum_to_one(captions):
    """Whatever was said, and where nothing was said one sentence says so."""
    try:
        modes = from_captions(captions)
    except ConfigError as problem:
        assert "--word" in str(problem)  # noqa: PT017 - both are allowed
    else:
        assert sum(mode.weight for mode in modes) == pytest.approx(1.0)
        assert all(mode.weight > 0 for mode in modes)
        assert len({(mode.label, mode.phrase) for mode in modes}) == len(modes)
    words = from_words(list(captions), ["on grass", " on  grass ", "red"])
    assert sum(mode.weight for mode in words) == pytest.approx(1.0)
    assert len(words) == 2 * len(captions)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"above": 0.0}, "above is a share"),
        ({"below": 1.0}, "below is a share"),
        ({"level": 2.0}, "level is a share"),
        ({"max_draws": 0}, "at least 1"),
        ({"words": ["  "]}, "--word wants a phrase"),
        ({"words": ["\x1b[31m"]}, "--word wants a phrase"),
        ({"fail_on": "worse"}, "--fail-on wants never or open"),
        ({"against": "nobody"}, "no classifier 'nobody'"),
        ({"parts": {"embedder": 1}}, "no part 'embedder'"),
    ],
)
def test_what_cannot_be_is_one_sentence(clean, wrong, told):
    """Nothing is drawn for it."""
    with pytest.raises(ConfigError, match=told):
        certified(clean, **wrong)


def test_a_probe_explores_nothing_and_wants_words(tmp_path):
    """The sentence says what to give."""
    foible.probe(
        toyworld.Perfect(),
        "coffee mug",
        "on grass",
        generator=toyworld.draw,
        judge=toyworld.judge,
        out=tmp_path / "run",
        progress=False,
        config={"batch": 8},
    )
    parts = {key: what for key, what in PARTS.items() if key != "captioner"}
    with pytest.raises(ConfigError, match="--word"):
        certified(tmp_path / "run", parts={**parts, "classifier": toyworld.Perfect()})
    found = certified(tmp_path / "run", words=["on grass"], parts={**parts, "classifier": toyworld.Perfect()})
    assert found.ended == "certified"
    with pytest.raises(StoreError):
        certified(tmp_path / "none")


# --- the command line ------------------------------------------------------------------------------------------------


def called(monkeypatch, arguments):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


def test_the_command_line(tmp_path, monkeypatch, capfd):
    """Sentence, files, JSON, gate and exit code say one thing; hostile words stay text."""
    words = [word.replace("python:toyworld:Slow", "python:toyworld:draw") for word in toyworld.COMMAND]
    words = [word.replace("python:toyworld:Classifier", "python:toyworld:Perfect") for word in words]
    assert called(monkeypatch, [*words, "--out", tmp_path / "run", "--seed", 2]) == 0
    arguments = ["certify", tmp_path / "run", "--code", "--quiet", "--fail-on", "open"]
    capfd.readouterr()
    assert called(monkeypatch, arguments) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "with 95 % confidence, less than" in out
    assert called(monkeypatch, [*arguments, "--max-draws", 30, "--json", "--word", "on <b>grass</b> | **x**"]) == 1
    out, err = capfd.readouterr()
    document = json.loads(out)
    assert document["gate"] == {"fail_on": "open", "verdict": "failed"}
    assert document["draws"] == {"most": 30, "made": 30}
    assert "the gate open fails" in err
    text = (tmp_path / "run" / "certificate.md").read_text("utf-8")
    assert "<b>" not in text
    assert "**x**" not in text
    assert document == json.loads((tmp_path / "run" / "certificate.json").read_text("utf-8"))
