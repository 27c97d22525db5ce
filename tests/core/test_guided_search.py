"""A guided search: what is led is shown from its start to its end, counted, and in no rate of the classifier."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.act.guide import _share, guide_wanted
from foible.act.unit import _tested
from foible.cli import main
from foible.config import HuntConfig
from foible.errors import ConfigError, LabelError, MisfitError, OutOfTime, PluginError
from foible.guidance import Led, Word
from foible.guiding.judged import Unseen
from foible.parts import registry
from foible.parts.asking import ask_judge
from foible.progress import Silent
from foible.records import Judgement, Label
from foible.report import guidance as pages
from foible.statistics import clopper_pearson

PARTS = {"generator": toyworld.draw, "judge": toyworld.judge}
LABELS = ["coffee mug", "teapot"]


class Rare(toyworld.Classifier):
    """Wrong about a mug on grass at night alone: about one draw of forty."""

    def answer(self, scene):
        """Name what is seen."""
        wrong = scene.label == "coffee mug" and scene.ground == "grass" and scene.light == "night"
        return "bucket" if wrong else scene.label


class Never(toyworld.Classifier):
    """Wrong about every mug."""

    def answer(self, scene):
        """Name what is seen."""
        return "bucket" if scene.label == "coffee mug" else scene.label


def search(out, classifier=None, labels=LABELS, **given):
    """Search in the toy world, in silence, in small units."""
    own = {"method": "select", "draws": 3, "steps": 60, "seed": 5, **PARTS, "config": {"batch": 4}}
    return foible.guide(
        Rare() if classifier is None else classifier, labels, out=out, progress=False, **{**own, **given}
    )


def loaded(folder):
    """Read guided.json."""
    return json.loads((folder / "guided.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """Search for a rare failure."""
    folder = tmp_path_factory.mktemp("rare") / "led"
    return search(folder), folder


# --- what is said -----------------------------------------------------------------------------------------------------


def test_each_draw_is_shown_from_its_start_to_its_end(rare):
    """A start passed; a find fails, shows its label, and took the images that it says; numbers add up."""
    found, folder = rare
    mugs = [one for one in found.draws if one.label == "coffee mug"]
    assert len(mugs) == 3
    assert {one.end for one in mugs} == {"find"}
    for one in mugs:
        assert (one.before[0].name, one.after[0].name) == ("coffee mug", "bucket")
        assert (one.before[0].score, one.after[0].score) == (1.0, 1.0)
        assert one.shows is True
        assert one.start != one.image
        assert 0 < one.moved <= 1
        assert 2 <= one.samplings <= 60
    assert {one.end for one in found.draws if one.label == "teapot"} == {"missed"}
    assert {one.samplings for one in found.draws if one.label == "teapot"} == {60}
    assert found.samplings() == sum(one.samplings for one in found.draws)
    assert (found.share.value, found.share.low, found.share.high) == (1.0, *clopper_pearson(3, 3))
    told = loaded(folder)
    assert told["ends"] == {"find": 3, "lost": 0, "missed": 3, "same": 0, "unknown": 0}
    assert told["headline"] == "3 of 6 guided draws failed, and 3 are finds: the judge still sees the label"
    assert told["share"]["value"] == 1.0
    assert [one["image"] for one in told["draws"]] == [one.image for one in found.draws]


def test_the_page_says_first_what_it_is_and_that_it_is_no_rate(rare):
    """Counts, share with its interval, cost for each find, and that no number is a rate of the classifier."""
    found, folder = rare
    page = (folder / "guided.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    each = f"{found.samplings() / 3:,.1f}"
    for said in (
        "3 of 6 guided draws failed",
        "100 % [29 %, 100 %] survive the judge",
        f"images were sampled to lead, {each} for each find",
        "None of these numbers is a failure rate of the classifier",
        "coffee mug 100 % → <b>bucket 100 %</b>",
    ):
        assert said in page
    assert page.index("survive the judge") < page.index("<table")
    assert page.count("data:image/webp;base64,") == 12
    assert "<script" not in page


def test_the_same_call_writes_the_same_bytes(rare):
    """Deleting or writing the page again changes nothing that was found."""
    _, folder = rare
    before = {name: (folder / name).read_bytes() for name in ("guided.json", "guided.html")}
    search(folder)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_search_that_is_interrupted_goes_on_and_ends_with_the_same_bytes(tmp_path):
    """What was led before is kept; stopped anywhere, the same call ends as if nothing had been."""

    class Stopped:
        fingerprint = "toy"
        left, made = 30, 0

        def draw(self, prompts, seeds):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            self.made += len(prompts)
            return toyworld.draw(prompts, seeds)

    draw = Stopped()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "led", generator=draw)
    assert not (tmp_path / "led" / "guided.json").exists()
    first, draw.made = draw.made, 0
    search(tmp_path / "led", generator=draw)
    second, draw.made = draw.made, 0
    search(tmp_path / "whole" / "led", generator=draw)
    assert second < draw.made <= first + second
    draw.made = 0
    search(tmp_path / "whole" / "led", generator=draw)
    assert draw.made == 0
    for name in ("guided.json", "guided.html"):
        assert (tmp_path / "led" / name).read_bytes() == (tmp_path / "whole" / "led" / name).read_bytes()


def test_a_search_that_is_out_of_time_goes_on(rare, tmp_path):
    """Each call does some of it, and the last one ends as one that had the time."""
    config = {"batch": 4, "max_minutes": 1e-9}
    stopped = 0
    while True:
        try:
            found = search(tmp_path / "led", config=config)
            break
        except OutOfTime:
            stopped += 1
            assert not (tmp_path / "led" / "guided.json").exists()
    assert stopped > 1
    assert [one.end for one in found.draws] == [one.end for one in rare[0].draws]


def test_two_classifiers_that_disagree(tmp_path):
    """A find fails the first one and passes the second one; what both fail is none."""
    found = search(tmp_path / "led", [Rare(), toyworld.Perfect()], ["coffee mug"], objective="disagree")
    assert found.count("find") == 3
    assert all((one.after[0].name, one.after[1].name) == ("bucket", "coffee mug") for one in found.draws)
    assert "failed by the first classifier alone" in pages.headline(found)
    both = search(tmp_path / "both", [Rare(), Rare()], ["coffee mug"], objective="disagree", steps=40)
    assert both.count("missed") == 3
    assert pages.headline(both).startswith("0 of 3 guided draws failed")
    assert "there is no find" in " ".join(pages.lines(both))


def test_where_the_judge_does_not_see_the_label_it_is_no_find(tmp_path):
    """A failure that lost its label counts in the share, and is said to be no mistake."""

    def strict(images, labels):
        seen = [toyworld.read(image) for image in images]
        return [not (one.ground == "grass" and one.light == "night") for one in seen]

    found = search(tmp_path / "led", labels=["coffee mug"], judge=strict)
    assert found.count("lost") == 3
    assert (found.share.value, found.share.low) == (0.0, 0.0)
    assert {one.shows for one in found.draws} == {False}
    assert "0 % [0 %, 71 %] survive the judge" in " ".join(pages.lines(found))
    assert "show something else by now" in (tmp_path / "led" / "guided.html").read_text(encoding="utf-8")


class Grass(toyworld.Classifier):
    """Takes whatever stands on grass for a bucket."""

    def answer(self, scene):
        """Name what is seen."""
        return "bucket" if scene.ground == "grass" else scene.label


def sees(*names):
    """Judge images so that on grass these labels are seen, and elsewhere the own one."""

    def judge(images, labels):
        scenes = [toyworld.read(image) for image in images]
        return [
            label.name in names if one.ground == "grass" else one.label == label.name
            for one, label in zip(scenes, labels, strict=True)
        ]

    return judge


@pytest.mark.parametrize(("seen", "end"), [(["teapot"], "find"), ([], "find"), (["teapot", "bucket"], "lost")])
def test_a_class_that_is_raised_without_being_shown(tmp_path, seen, end):
    """A find is taken for the class, and the judge does not see the class; where it does, it is no mistake."""
    found = search(tmp_path / "led", Grass(), ["teapot"], judge=sees(*seen), objective="spurious", target="bucket")
    assert [one.end for one in found.draws] == [end] * 3
    assert {one.after[0].name for one in found.draws} == {"bucket"}
    assert {one.shows_target for one in found.draws} == {"bucket" in seen}
    assert {one.shows for one in found.draws} == {"teapot" in seen}
    said = " ".join([pages.headline(found), *pages.lines(found)])
    assert "3 of 3 guided draws were taken for bucket" in said
    assert "the judge sees no bucket" in said
    assert found.target in (tmp_path / "led" / "guided.html").read_text(encoding="utf-8")


def test_the_class_that_is_shown_is_not_counted_by_an_unanswered_question(tmp_path):
    """Where the judge says nothing of the class, the end is not known, whatever it says of the label."""

    def judge(images, labels):
        scenes = [toyworld.read(image) for image in images]
        return [
            (None if one.light == "night" else False) if label.name == "bucket" else True
            for one, label in zip(scenes, labels, strict=True)
        ]

    own = {"judge": judge, "objective": "spurious", "target": "bucket", "draws": 12}
    found = search(tmp_path / "led", Grass(), ["teapot"], **own)
    assert {one.end for one in found.draws} == {"find", "unknown"}
    assert all((one.end == "unknown") == (one.shows_target is None) for one in found.draws)


class Misdrawing:
    """Draws a barrel in the place of a mug on grass, and of any mug at night one that judges alone do not know."""

    fingerprint = "misdrawing"

    def draw(self, prompts, seeds):
        """Draw."""
        return [
            toyworld.draw(["a barrel" if " mug" in one and toyworld.read(image).ground == "grass" else one], [seed])[0]
            for one, seed, image in zip(prompts, seeds, toyworld.draw(prompts, seeds), strict=True)
        ]


def strict(images, labels):
    """Judge as the toy world does, but see nothing at night."""
    return [
        seen and toyworld.read(image).light != "night"
        for seen, image in zip(toyworld.judge(images, labels), images, strict=True)
    ]


def test_an_error_of_the_generator_is_none_of_the_classifier(tmp_path):
    """The judge no longer sees the label: a find where no classifier says it either, and else open; both are apart."""
    own = {"generator": Misdrawing(), "judge": strict, "objective": "generator", "draws": 8}
    found = search(tmp_path / "led", toyworld.Perfect(), **own)
    mugs = [one for one in found.draws if one.label == "coffee mug"]
    assert {one.end for one in mugs} == {"find", "lost"}
    for one in mugs:
        assert one.shows is False
        assert (one.before[0].name, one.after[0].name == "coffee mug") == ("coffee mug", one.end == "lost")
    assert {one.end for one in found.draws if one.label == "teapot"} == {"lost"}
    assert found.share.value == found.count("find") / found.count("find", "lost")
    explored = loaded(tmp_path / "led")["labels"][0]["explored"]
    assert explored["failures"] == 0
    assert explored["unfaithful"] > 0
    page = (tmp_path / "led" / "guided.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    for said in (
        "lost their label in the eyes of the judge",
        "no classifier says the label",
        "These are errors of the generator, not of the classifier",
        f"In {sum(one.explored.unfaithful for one in found.labels)} of",
    ):
        assert said in page
    assert "failed" not in pages.headline(found)


def test_an_ensemble_is_led_along_the_scores_of_its_judges(tmp_path):
    """Where two of three judges must say yes, an image is as far as their mean says, and reached when they say no."""
    sure = [[0.9, 0.8, 0.7], [0.9, 0.2, 0.1], [0.4, 0.2, 0.1]]

    def judge_of(place):
        return lambda images, labels: [
            Judgement(sure[int(one[0, 0, 0])][place] > 0.5, sure[int(one[0, 0, 0])][place]) for one in images
        ]

    class Three:
        members = tuple(registry.load("judge", judge_of(place)) for place in range(3))

        def judge(self, images, labels):
            votes = [ask_judge(one, images, labels) for one in self.members]
            yes = [sum(vote.faithful for vote in row) for row in zip(*votes, strict=True)]
            return [Judgement(number > 1, number / 3) for number in yes]

    objective = Unseen(registry.load("judge", Three()), {"a mug": Label("mug")})
    images = [np.full((2, 2, 3), number, np.uint8) for number in range(3)]
    first, second, third = objective.exact(images, ["a mug"] * 3).tolist()
    assert first < 0 < second < third < 1
    broken = registry.load("judge", lambda images, labels: [None] * len(images))
    assert Unseen(broken, {"a mug": Label("mug")}).exact(images, ["a mug"] * 3).tolist() == [-math.inf] * 3


def test_a_hunt_takes_no_objective_that_leads_to_no_failure(tmp_path):
    """What raises a class is shown, and not followed as a failure: one sentence, before anything is drawn."""
    config = {"guide": {"method": "select", "objective": "spurious"}, "failure": {"target": "bucket"}}
    with pytest.raises(ConfigError, match="leads to none; use foible guide"):
        toyworld.hunt(tmp_path / "run", Grass(), ["teapot"], config=config)
    assert not (tmp_path / "run").exists()


# --- nothing to lead --------------------------------------------------------------------------------------------------


def test_a_label_that_always_fails_is_said_to_be_so(tmp_path):
    """It has no pass to lead: that is said with its counts, and others are led."""
    config = {"batch": 4, "explore": {"draws": 7}}
    found = search(tmp_path / "led", Never(), config=config, steps=4)
    assert [one.explored.failures for one in found.labels] == [7, 0]
    why = "Nothing was led of coffee mug: none of 7 explored draws passed (7 failed)"
    assert why in " ".join(pages.lines(found))
    assert found.led() == found.led("teapot") == 3
    alone = search(tmp_path / "alone", Never(), ["coffee mug"], config=config)
    assert pages.headline(alone) == "nothing was led"
    assert why in (tmp_path / "alone" / "guided.html").read_text(encoding="utf-8")
    assert loaded(tmp_path / "alone")["share"]["value"] is None


def test_labels_of_which_no_draw_can_be_scored_are_refused(tmp_path):
    """A judge that sees none of them, or a generator that cannot draw them: one sentence, and no page of zeros."""

    def blind(images, labels):
        return [False] * len(images)

    with pytest.raises(MisfitError, match=r"none of 96 draws of coffee mug, teapot by .* could be scored.*the judge"):
        search(tmp_path / "led", judge=blind)
    assert not (tmp_path / "led" / "guided.html").exists()


def test_a_judge_that_does_not_answer_leaves_the_end_unknown(tmp_path):
    """What is not judged is no find and no loss: it is counted apart, with the reason."""

    def silent(images, labels):
        seen = [toyworld.read(image) for image in images]
        return [None if one.ground == "grass" and one.light == "night" else True for one in seen]

    found = search(tmp_path / "led", labels=["coffee mug"], judge=silent)
    assert found.count("unknown") == 3
    assert found.share.value is None
    assert "Of 3 the end is not known, and they count for nothing: not judged" in " ".join(pages.lines(found))


def test_images_of_another_size_are_not_led_to(tmp_path):
    """An image of another size is the draw's fault; the others are led all the same."""

    def draw(prompts, seeds):
        own = toyworld.draw(prompts, seeds)
        larger = ((0, 8), (0, 8), (0, 0))
        return [np.pad(one, larger) if seed % 5 == 0 else one for one, seed in zip(own, seeds, strict=True)]

    found = search(tmp_path / "led", labels=["coffee mug"], generator=draw, draws=6)
    assert found.led() == 6
    assert found.count("find", "missed", "unknown") == 6
    assert all(one.moved is not None for one in found.draws if one.end != "unknown")


def test_one_image_is_found_once(tmp_path):
    """A generator that has few images ends in the same one again: of equal pixels one counts."""

    def few(prompts, seeds):
        return toyworld.draw(prompts, [seed % 100 for seed in seeds])

    found = search(tmp_path / "led", labels=["coffee mug"], generator=few, draws=12, steps=200)
    ends = [one.image for one in found.draws if one.end == "find"]
    assert len(ends) == len(set(ends))
    assert found.count("same") > 0


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "problem", "sentence"),
    [
        ({"method": None}, ConfigError, "wants a method, as --method: select"),
        ({"config": {"budget": 100}}, ConfigError, "takes no budget: guide.draws and guide.steps say"),
        ({"config": {"source": "photos:x"}}, ConfigError, "draws its images: name a --generator"),
        ({"labels": ["coffee mugg"]}, LabelError, "coffee mugg"),
        ({"method": "noise"}, PluginError, "shows no noise that could be moved; guide by select"),
        ({"method": "best"}, ConfigError, "guide.method"),
        ({"steps": 1}, ConfigError, "guide.steps"),
        ({"objective": "disagree"}, PluginError, "wants two classifiers"),
        ({"objective": "spurious"}, ConfigError, "wants the class that is to be raised, as --target"),
        ({"objective": "spurious", "target": "buckt"}, LabelError, "buckt"),
        ({"objective": "generator", "target": "bucket"}, ConfigError, "about no class of the classifier"),
        ({"objective": "generator", "method": "steer"}, PluginError, "no gradients; guide by select or evolve"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_drawn(given, problem, sentence, tmp_path):
    """One sentence each, and nothing is written."""
    with pytest.raises(problem, match=sentence):
        search(tmp_path / "led", **{"labels": ["coffee mug"], **given})
    assert not (tmp_path / "led").exists()
    assert not (tmp_path / "archive").exists()


MANY = [*toyworld.NAMES, *(f"thing {number}" for number in range(1000))]


def test_a_thousand_classes(tmp_path):
    """All of them are not led by accident; one of them is."""

    class Many(Rare):
        labels = MANY

        def classify(self, images):
            return np.pad(super().classify(images), ((0, 0), (0, 1000)))

    with pytest.raises(LabelError):
        search(tmp_path / "all", Many(), None)
    assert search(tmp_path / "one", Many(), ["coffee mug"]).count("find") == 3


HOSTILE = ["<img src=x onerror=alert(1)>\x1b[2J" if one.startswith("bucket") else one for one in toyworld.NAMES]


def test_what_strangers_wrote_is_shown_as_text(tmp_path):
    """A class name with markup in it is text on the page, and cannot steer a terminal."""

    class Hostile(Rare):
        labels = HOSTILE

    search(tmp_path / "led", Hostile(), ["coffee mug"])
    page = (tmp_path / "led" / "guided.html").read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    assert "\x1b" not in page


def test_a_folder_that_cannot_be_written_costs_no_draw(rare, tmp_path):
    """Where the page cannot be written, what was led is in the archive, and another folder gets it."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(foible.InputError, match="taken"):
        search(tmp_path / "taken", labels=["coffee mug"])
    assert search(tmp_path / "free", labels=["coffee mug"]).count("find") == 3


@given(ends=st.lists(st.sampled_from(["find", "lost", "missed", "same", "unknown"])))
def test_the_share_is_of_what_was_reached_and_judged(ends):
    """Whatever else there is, the share is finds over finds and losses, with their exact interval."""
    rest: dict[str, Any] = {
        "label": "cup",
        "seed": 0,
        "prompt": "",
        "start": "",
        "image": "",
        "before": (),
        "after": (),
    }
    rest |= {"shows": None, "moved": None, "samplings": 1}
    share = _share([Led(end=one, **rest) for one in ends])
    finds, lost = ends.count("find"), ends.count("lost")
    assert (share.low, share.high) == clopper_pearson(finds, finds + lost)
    assert share.value == (finds / (finds + lost) if finds + lost else None)


# --- command line -----------------------------------------------------------------------------------------------------


def run(monkeypatch, *words):
    """Run the command line; give its code."""
    monkeypatch.setattr(sys, "argv", ["foible", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


SPECS = ("--generator", "python:toyworld:draw", "--judge", "python:toyworld:judge", "--label", "coffee mug")


def test_the_verb_prints_writes_and_ends_with_its_code(tmp_path, monkeypatch, capsys):
    """0 with a table or JSON, 2 with one sentence for bad input."""
    own = ("--classifier", "python:toyworld:Classifier", *SPECS, "--draws", "2", "--quiet")
    place = ("--out", str(tmp_path / "led"))
    assert run(monkeypatch, "guide", *own, *place, "--method", "select") == 0
    assert "2 of 2 guided draws failed, and 2 are finds" in capsys.readouterr().out
    assert run(monkeypatch, "guide", *own, *place, "--method", "select", "--json") == 0
    assert json.loads(capsys.readouterr().out) == loaded(tmp_path / "led")
    assert run(monkeypatch, "guide", *own, *place) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run(monkeypatch, "guide", *own, *place, "--method", "steer") == 2
    assert "guide by select" in capsys.readouterr().err


def test_where_no_folder_is_named_it_is_not_that_of_a_hunt(tmp_path, monkeypatch):
    """A hunt of the same settings has a directory of its own."""
    monkeypatch.chdir(tmp_path)
    config = HuntConfig.model_validate(
        {
            "classifier": "python:toyworld:Classifier",
            "generator": "python:toyworld:draw",
            "judge": "python:toyworld:judge",
            "labels": ["coffee mug"],
            "guide": {"method": "select", "draws": 1},
        }
    )
    _, folder = guide_wanted(config, {}, Silent())
    assert folder.name.endswith("-guide")
    assert (folder / "guided.html").is_file()
    assert (tmp_path / "runs" / "archive").is_dir()


# --- a unit -----------------------------------------------------------------------------------------------------------


class Network(torch.nn.Module):
    """Two layers over the codes that stand in the first row of pixels: unit 1 of "codes" is how the ground is coded."""

    def __init__(self):
        super().__init__()
        self.codes, self.head = torch.nn.Identity(), torch.nn.Linear(16, 3, bias=False)

    def forward(self, images):
        """Score (n, 3, height, width)."""
        return self.head(self.codes(images[:, 0, 0, :16]))


class Seeing(toyworld.Classifier):
    """Right everywhere, with a network beside it that reads pixels."""

    fingerprint = "seeing"

    def __init__(self):
        self.network = Network().eval()

    def answer(self, scene):
        """Name what is there."""
        return scene.label

    def prepare(self, images):
        """Give pixels, channels first."""
        return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32))

    def logits(self, batch):
        """Run the network."""
        return self.network(batch)


GROUND = toyworld.FIELDS.index("ground") + 1
NEURON = {"objective": "neuron", "captioner": toyworld.describe, "steps": 6, "draws": 4}
PAIRS = {"batch": 8, "explore": {"draws": 40}, "confirm": {"draws": 16}}


def test_what_raises_a_unit_is_put_into_words_and_tested(tmp_path):
    """The ground is coded in a unit: words of high grounds raise it on fresh pairs, and words of nothing do not."""
    found = search(
        tmp_path / "led", Seeing(), ["teapot"], unit=f"codes:{GROUND}", config=PAIRS, **NEURON
    )  # fmt: skip
    assert all(one.samplings == 6 for one in found.draws)
    for one in found.draws:
        assert one.unit is not None
        assert (one.unit[1] > one.unit[0]) == (one.image != one.start)
        assert one.end in {"find", "missed", "same"}
    grounds = [value.word for value in toyworld.ATTRIBUTES["ground"]]
    holding = [one for one in found.words if one.holds]
    assert holding
    assert all(one.high > one.low for one in found.words)
    for one in holding:
        assert one.raised / one.pairs > 0.5
        assert any(word in one.phrase for word in grounds[len(grounds) // 2 :])
    told = loaded(tmp_path / "led")
    assert [one["phrase"] for one in told["words"]] == [one.phrase for one in found.words]
    assert "raise codes" in (tmp_path / "led" / "guided.html").read_text(encoding="utf-8")
    before = (tmp_path / "led" / "guided.json").read_bytes()
    search(tmp_path / "led", Seeing(), ["teapot"], unit=f"codes:{GROUND}", config=PAIRS, **NEURON)
    assert (tmp_path / "led" / "guided.json").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "and no other, wants a unit: --objective neuron --unit"),
        ({"unit": "codes"}, "wants a unit as LAYER:INDEX, such as --unit layer4:17, but got 'codes'"),
        ({"unit": "code:1"}, r"has no layer 'code': did you mean 'codes'\? known: codes, head"),
        ({"unit": "head:3"}, "the layer 'head' has 3 units, from 0 on, but got 3"),
        ({"unit": "codes:1", "objective": "fail"}, "and no other, wants a unit"),
    ],
)
def test_a_unit_that_is_not_there_is_refused_with_what_is(given, sentence, tmp_path):
    """One sentence, before anything is drawn: the layers that there are, and how many units one has."""
    with pytest.raises(foible.InputError, match=sentence):
        search(tmp_path / "led", Seeing(), ["teapot"], **{**NEURON, **given})
    assert not (tmp_path / "archive").exists()


def test_a_classifier_that_shows_no_network_has_no_unit(tmp_path):
    """It is said which classifiers have."""
    with pytest.raises(PluginError, match="shows no network; those of timm:, transformers:, torch: and diorama: do"):
        search(tmp_path / "led", Rare(), ["teapot"], unit="codes:1", **NEURON)


@given(
    counts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6),
    level=st.floats(0.001, 0.2),
)
def test_a_phrase_holds_only_where_far_more_than_half_of_its_pairs_are_raised(counts, level):
    """The exact sign test with Holm's correction; no pair says nothing."""
    words = _tested([Word(label="cup", phrase="red", high=3, low=0, of=3) for _ in counts], counts, level)
    for one, (up, down) in zip(words, counts, strict=True):
        assert (one.raised, one.pairs) == (up, up + down)
        assert one.holds == (one.adjusted <= level)
        assert not one.holds or up > down
        assert (
            one.adjusted >= (sum(math.comb(up + down, k) for k in range(up, up + down + 1)) / 2 ** (up + down)) - 1e-9
        )
