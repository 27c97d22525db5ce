"""Promises about bugs that are sought in the other kind of images: what is asked, and what is answered."""

from __future__ import annotations

import dataclasses
import json
import sys
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import photographs
import toyworld
from foible.act.fitting import same, shown
from foible.act.gates import gated_sought, read_gates
from foible.act.said import read_phrases, said
from foible.arms import SUGGEST
from foible.checks.verify import verify
from foible.cli import main
from foible.comparison import verdict_of
from foible.diorama.grammar import parse
from foible.errors import ConfigError, InputError, PluginError
from foible.findings import Rate
from foible.identity import seed_stream
from foible.parts.again import load_again
from foible.records import ANY, Drawn, Treatment
from foible.report import seeking as pages
from foible.seeking import Seen, Sought

PROBE = {"measure.most": 12, "confirm.method": "fixed", "confirm.draws": 20, "explain.draws": 0}


def quick(source):
    """Look for no near-duplicates, which takes longer than all else."""
    return foible.Spec(source, {"near_duplicates": False})


@pytest.fixture(scope="module")
def taken():
    """Photographs of which enough show each planted bug."""
    return photographs.scenes(160, first=2000)


@pytest.fixture(scope="module")
def source(taken, tmp_path_factory):
    """A set with columns; each photograph differs from any other."""
    return quick(photographs.folder(tmp_path_factory.mktemp("set"), taken))


@pytest.fixture(scope="module")
def real(source, tmp_path_factory):
    """A run over photographs: a mug on grass, a striped bottle at night."""
    run = photographs.hunt(tmp_path_factory.mktemp("real") / "run", source)
    assert len(run.confirmed) == 2
    return run.folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A run over drawn images with the same two bugs."""
    run = toyworld.hunt(tmp_path_factory.mktemp("drawn") / "run", seed=2, config={"explore": {"draws": 48}})
    assert len(run.confirmed) == 2
    return run.folder


def draw(folder, out, **given):
    """Seek bugs of photographs in the toy world."""
    parts = {"generator": toyworld.draw, "judge": toyworld.judge, "classifiers": [toyworld.Classifier()]}
    return foible.seek(folder, out=out, config=PROBE, progress=False, **{**parts, **given})


def look(folder, source, **given):
    """Seek bugs of the toy world in photographs."""
    parts = {"judge": "annotation", "classifiers": [toyworld.Classifier()]}
    return foible.seek(folder, source, progress=False, **{**parts, **given})


def answers(found):
    """Give the answer for each label."""
    return {row.found.trial.hypothesis.label: row.answer for row in found.rows}


# --- bugs of photographs, in drawn images -----------------------------------------------------------------------------


def test_what_photographs_suggest_is_tested_on_drawn_images(real, tmp_path):
    """Both bugs are there, too; both rates stand side by side; the probe is a run that can be checked."""
    found = draw(real, tmp_path / "drawn")
    assert answers(found) == {"coffee mug": "there", "water bottle": "there"}
    assert {row.words for row in found.rows} == {"grass", "night, striped"}
    for row in found.rows:
        assert row.drawn.treat.value == row.photographs.treat.value == 1.0
        assert row.drawn.control.high < 0.5
        assert row.drawn.treated.scored > 0
    assert verify(tmp_path / "drawn", real.parent / "archive").differences == ()


def test_a_person_says_an_attribute_otherwise(real, tmp_path):
    """`--phrase` wins over the rule; one that names no attribute of the bugs says which there are."""
    found = draw(real, tmp_path / "drawn", phrases=["ground=grass=on the grass"], findings=[1, 2])
    assert "on the grass" in {row.words for row in found.rows}
    with pytest.raises(ConfigError, match=r"no attribute 'ground=gras'.*did you mean 'ground=grass'"):
        draw(real, tmp_path / "none", phrases=["ground=gras=on grass"])
    assert not (tmp_path / "none").exists()


def deaf(prompts, seeds):
    """Draw without "grass", and say so."""
    images = toyworld.draw([prompt.replace("grass", "") for prompt in prompts], seeds)
    return [
        Drawn(image, ("grass",) if "grass" in prompt else ()) for image, prompt in zip(images, prompts, strict=True)
    ]


class FewLabels:
    """Draws bottles alone."""

    drawable = ("water bottle",)

    def can_draw(self, label):
        """Know the one label."""
        return label.name in self.drawable

    def draw(self, prompts, seeds):
        """Draw as the toy world does."""
        return toyworld.draw(prompts, seeds)


def test_what_cannot_be_drawn_has_not_passed(real, tmp_path):
    """Words that the generator says it did not use, and labels that it cannot draw, are no answer, with the reason."""
    found = draw(real, tmp_path / "deaf", generator=deaf)
    assert answers(found) == {"coffee mug": "unknown", "water bottle": "there"}
    assert "did not use 'grass'" in next(row.reason for row in found.rows if row.answer == "unknown")
    few = draw(real, tmp_path / "few", generator=FewLabels())
    assert answers(few) == {"coffee mug": "unknown", "water bottle": "there"}
    assert "cannot draw 'coffee mug'" in next(row.reason for row in few.rows if row.answer == "unknown")


def test_photographs_of_numbers_and_of_any_label_are_not_drawn(real, tmp_path, monkeypatch):
    """What no words say is asked of nobody: no draw is made where nothing can be said."""
    from foible.act import seek as module

    def changed(result, numbers):
        first, second = (f for f in result.findings if f.verdict == "confirmed")
        about = dataclasses.replace(first.trial.hypothesis, treatment=Treatment(words=("brightness=0.1 to 0.2",)))
        anyone = dataclasses.replace(second.trial.hypothesis, label=ANY)
        return {
            1: dataclasses.replace(first, trial=dataclasses.replace(first.trial, hypothesis=about)),
            2: dataclasses.replace(second, trial=dataclasses.replace(second.trial, hypothesis=anyone)),
        }

    monkeypatch.setattr(module, "chosen", changed)
    found = draw(real, tmp_path / "drawn")
    assert [row.answer for row in found.rows] == ["unknown", "unknown"]
    assert "--phrase 'brightness=0.1 to 0.2=WORDS'" in found.rows[0].reason
    assert "any label" in found.rows[1].reason
    assert not (tmp_path / "drawn").exists()


# --- bugs of drawn images, in photographs -----------------------------------------------------------------------------


def test_what_was_drawn_is_looked_for_in_photographs(drawn, source):
    """By columns: both bugs are there, every photograph of the label counts once, on one side."""
    found = look(drawn, source)
    assert answers(found) == {"coffee mug": "there", "water bottle": "there"}
    for row in found.rows:
        assert row.by == "annotations"
        assert row.of == row.photographs.treated.draws + row.photographs.others.draws == 160
        assert row.fit == row.photographs.treated.draws
        assert row.photographs.treat.value == 1.0
        assert row.photographs.control.value == 0.0


class DrawnOnly(toyworld.Classifier):
    """Has its bugs on drawn images, and none on photographs."""

    fingerprint = "fails on drawn images"

    def classify(self, images):
        """Tell photographs by what the toy world leaves empty."""
        taken = [bool(image[3:].any()) for image in images]
        scores = (toyworld.Perfect().classify(images), super().classify(images))
        return np.stack([scores[0][at] if real else scores[1][at] for at, real in enumerate(taken)])


def test_a_bug_of_drawn_images_alone_is_said_to_be_none_of_photographs(taken, tmp_path):
    """Where enough photographs fit and none fails, the difference is within the margin."""
    run = toyworld.hunt(tmp_path / "run", DrawnOnly(), seed=2, config={"explore": {"draws": 48}})
    found = look(run.folder, quick(photographs.folder(tmp_path / "set", taken)), classifiers=[DrawnOnly()])
    assert found.rows
    assert set(answers(found).values()) == {"within"}


def test_no_photograph_that_fits_is_an_answer_of_its_own(drawn, taken, tmp_path):
    """It is never "not a bug"; and a label without photographs is not asked."""
    some = [one for one in taken if one[2]["ground"] != "grass" and one[0] != "water bottle"]
    some.append(("teapot", *next(one[1:] for one in photographs.scenes(40, ["teapot"]) if one[2]["ground"] == "grass")))
    found = look(drawn, quick(photographs.folder(tmp_path / "set", some)))
    assert answers(found) == {"coffee mug": "none", "water bottle": "unknown"}
    assert all(row.photographs.treat.value is None for row in found.rows)


@given(
    st.lists(st.sampled_from(["there", "within", "open", "none", "unknown"]), max_size=6),
    st.sampled_from(["never", "there", "open", "rate>50%", "there,rate>50%"]),
    st.floats(0.0, 1.0),
)
def test_a_gate_lets_pass_what_is_shown_and_nothing_else(sought, gate, low):
    """What could not be asked has never passed; `open` fails wherever `there` does; a rate fails by its lower end."""
    rate = Rate(value=(1 + low) / 2, low=low, high=1.0)
    seen, asked = Seen(treat=rate), {"there", "within", "open"}
    finding: Any = None
    rows = [
        Sought(
            found=finding,
            words="on grass",
            answer=answer,
            reason="why",
            drawn=Seen(),
            photographs=seen if answer in asked else Seen(),
        )
        for answer in sought
    ]
    found = gated_sought(rows, read_gates(gate, ("there", "open")), drawn=False)
    words = gate.split(",")
    for row, answer in zip(found, sought, strict=True):
        high = any(word.startswith("rate") for word in words) and low > 0.5
        fails = high or ("there" in words and answer == "there") or ("open" in words and answer in {"there", "open"})
        expected = "none" if gate == "never" else "unknown" if answer not in asked else "failed" if fails else "passed"
        assert row.gate == expected
        assert bool(row.told) == (expected in {"failed", "unknown"})
    order = ["failed", "unknown", "passed"]
    worst = next(
        (word for word in order if word in {row.gate for row in found}), "none" if gate == "never" else "unknown"
    )
    assert verdict_of(found, gate) == worst


def test_few_photographs_leave_it_open(drawn, taken, tmp_path):
    """Nothing is claimed from fewer than eight."""
    grass = [one for one in taken if one[0] == "coffee mug" and one[2]["ground"] == "grass"][:5]
    rest = [one for one in taken if one[2]["ground"] != "grass"]
    found = look(drawn, quick(photographs.folder(tmp_path / "set", [*grass, *rest])))
    assert answers(found)["coffee mug"] == "open"


def test_without_annotations_and_embedder_nothing_is_asked(drawn, taken, tmp_path):
    """What nothing says is unknown, and the sentence says what to name; an embedder of images alone is refused."""
    bare = quick(photographs.folder(tmp_path / "set", [(label, image, {}) for label, image, _ in taken], table=None))
    found = look(drawn, bare)
    assert set(answers(found).values()) == {"unknown"}
    assert all("--embedder" in row.reason for row in found.rows)
    with pytest.raises(PluginError, match="images alone"):
        look(drawn, bare, embedder=toyworld.embed)


def test_an_embedder_finds_photographs_by_score(taken, tmp_path):
    """Without annotations; the judge then says which show the description, and nobody is asked a second time."""
    bare = quick(photographs.folder(tmp_path / "set", [(label, image, {}) for label, image, _ in taken], table=None))
    joint, classifier = photographs.Joint(), photographs.Once()
    run = toyworld.hunt(tmp_path / "run", classifier, seed=2, config={"explore": {"draws": 48}})
    classifier.shown = 0
    found = look(run.folder, bare, embedder=joint, judge=sees, classifiers=[classifier])
    assert answers(found) == {"coffee mug": "there", "water bottle": "there"}
    assert {row.by for row in found.rows} == {"embedder"}
    truth = {"coffee mug": {"ground": "grass"}, "water bottle": {"light": "night", "texture": "striped"}}
    for row in found.rows:
        label = row.found.trial.hypothesis.label
        shows = [one for one in taken if one[0] == label and truth[label].items() <= one[2].items()]
        assert row.photographs.treated.draws == len(shows)
        assert row.unsure == 0
    assert (joint.asked, classifier.shown) == (320, 320)
    assert look(run.folder, bare, embedder=joint, judge=sees, classifiers=[classifier]) == found
    assert (joint.asked, classifier.shown) == (320, 320)
    wide = look(run.folder, bare, embedder=joint, judge=sees, classifiers=[classifier], odds=100.0)
    for row, before in zip(wide.rows, found.rows, strict=True):  # what the judge rejects is on neither side
        assert row.photographs.treat == before.photographs.treat
        assert row.unsure == row.fit - row.photographs.treated.draws > 0
        assert row.photographs.others.draws == 160 - row.fit


def sees(images, labels):
    """Say whether each image shows its label and what is said of it."""
    found = []
    for image, label in zip(images, labels, strict=True):
        scene, told = toyworld.read(image), parse(label.name)
        found.append(
            scene.label == label.name.partition(",")[0]
            and all(getattr(scene, name) == value for name, value in told.attributes.items())
        )
    return found


def test_each_direction_needs_its_own_images(real, drawn, source, tmp_path):
    """A run over photographs takes no source, one over drawn images needs one, and nothing is written among them."""
    with pytest.raises(ConfigError, match="over photographs"):
        draw(real, tmp_path / "none", source=source)
    with pytest.raises(ConfigError, match="--source photos:DIR"):
        look(drawn, None)
    with pytest.raises(ConfigError, match="among the photographs"):
        look(drawn, source, out=f"{source.name.removeprefix('photos:')}/here")
    with pytest.raises(ConfigError, match="odds"):
        look(drawn, source, odds=0.5)
    with pytest.raises(InputError, match="give it from Python"):
        look(drawn, source, classifiers=[])
    with pytest.raises(PluginError, match="not the one of the run any more"):
        look(drawn, source, classifiers=[toyworld.Perfect()])


def test_the_command_line_writes_a_table_and_two_files(source, tmp_path, monkeypatch, capfd):
    """`foible seek` in both directions, with the parts of the run loaded again."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["foible", *toyworld.COMMAND, "--out", str(tmp_path / "hunt"), "--seed", "2"])
        with pytest.raises(SystemExit):
            main()
    capfd.readouterr()
    arguments = ["seek", tmp_path / "hunt", "--source", source.name, "--judge", "annotation", "--quiet"]
    arguments += ["--set", "source.args.near_duplicates=false", "--classifier", "python:toyworld:Classifier"]
    gate = ["--fail-on", "there,rate>20%"]
    for more, code in ((["--json"], 0), ([], 0), (["--finding", 99], 2), (gate, 1), (["--fail-on", "worse"], 2)):
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, [*arguments, *more])])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == code
        out, err = capfd.readouterr()
        if more == ["--json"]:
            assert {row["answer"] for row in json.loads(out)["rows"]} == {"there"}
        elif code == 0:
            assert "there too" in out
        elif code == 1:
            assert "it is there, too and its failure rate is surely above 0.2" in err
            assert "the gate there,rate>20% fails on 2 of 2 rows" in err
            page, document = ((tmp_path / "hunt" / name).read_text("utf-8") for name in ("seek.html", "seek.json"))
            assert "fails on 2 of 2 rows" in page
            assert json.loads(document)["gate"]["verdict"] == "failed"
        elif "--fail-on" in more:
            assert "--fail-on wants never, there, open, rate>X" in err
        else:
            assert "no confirmed finding 99" in err
    assert "grass" in (tmp_path / "hunt" / "seek.html").read_text("utf-8")


def test_the_page_shows_untrusted_texts_as_texts(drawn, source):
    """What an annotation says is no markup; the same record gives the same page."""
    found = look(drawn, source)
    row = dataclasses.replace(found.rows[0], words="<script>alert(1)</script>", reason="<b>\x1b[2J")
    page = pages.to_html(dataclasses.replace(found, rows=(row,), notes=("<i>x</i>",)))
    assert "<script>" not in page
    assert "<i>x" not in page
    assert "\x1b" not in page
    assert pages.to_html(found) == pages.to_html(look(drawn, source))


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("ground=grass", "grass"),
        ("ground=tall_grass", "tall grass"),
        ("on grass", "on grass"),
        ("wet=yes", "wet"),
        ("wet=No", None),
        ("brightness=0.1 to 0.25", None),
        ("count=3", None),
        ("view=", None),
        ("note=a=b", "a=b"),
        ("note=\x1b[2J", None),
    ],
)
def test_what_is_said_of_an_attribute(attribute, words):
    """The value, or the name of a column that says yes; numbers and noes say nothing."""
    assert said(attribute, {}) == words


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_said_can_be_drawn(column, value):
    """Whatever stands in a table, what is said of it is one printable line with letters."""
    words = said(f"{column}={value}", {})
    assert words is None or (words.isprintable() and words.strip() and any(map(str.isalpha, words)))


@pytest.mark.parametrize("text", ["", "grass", "=", "ground=grass=", "=on grass", "ground=grass=\x07"])
def test_a_phrase_has_a_form(text):
    """Anything else is one sentence."""
    with pytest.raises(ConfigError):
        read_phrases([text], ["ground=grass"])


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("on grass", "grass", True),
        ("On the  grass", "on grass", True),
        ("on grass", "under grass", False),
        ("grass", "gravel", False),
        ("on", "on", False),
        ("next to a box", "box", True),
    ],
)
def test_which_phrases_are_the_same(one, other, alike):
    """Articles, case and a preposition that one alone has do not count."""
    assert same(one, other) is alike
    assert same(other, one) is alike


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.floats(1, 50))
def test_what_fits_hangs_on_each_photograph_alone(held, odds):
    """Who else is in the set changes nothing, larger odds leave more open, and the two never overlap."""
    vectors = {str(at): np.array([np.cos(one), np.sin(one)]) for at, one in enumerate(held)}
    direction = np.array([3.0, 0.5])
    both = shown(vectors, direction, odds)
    alone = [shown({key: vector}, direction, odds) for key, vector in vectors.items()]
    assert both == tuple(frozenset().union(*(one[side] for one in alone)) for side in (0, 1))
    assert not both[0] & both[1]
    assert both[1] <= shown(vectors, direction, 2 * odds)[1]


def test_an_image_that_suggested_a_bug_does_not_test_it(taken, tmp_path):
    """Where the photographs hold images that the hunt explored, pixel for pixel, these are unscored."""
    run = toyworld.hunt(tmp_path / "run", seed=2, config={"explore": {"draws": 48}})
    prompts = {"coffee mug": "a realistic photograph of a coffee mug (cup)"}
    explored = [one for one in run.result.explored if one.label in prompts]
    assert explored[0].tally.draws == 48
    known = [
        (label, image, {"ground": toyworld.read(image).ground})
        for label, text in prompts.items()
        for image in toyworld.draw([text] * 48, list(islice(seed_stream(2, SUGGEST, label), 48)))
    ]
    some = [(label, image, {"ground": more["ground"]}) for label, image, more in taken if label == "coffee mug"]
    fresh = [one for one in some if one[2]["ground"] != "grass"]
    found = look(run.folder, quick(photographs.folder(tmp_path / "set", [*known, *fresh])), findings=[1, 2])
    row = next(row for row in found.rows if row.found.trial.hypothesis.label == "coffee mug")
    assert row.photographs.treated.scored == 0
    assert row.photographs.treated.draws > 0
    assert row.answer == "open"


def test_a_run_directory_loads_no_code_by_itself(tmp_path):
    """It may come from anybody: what runs code, asks a server or reads folders is for a person to name."""
    for spec, args in (
        ("python:os:system", {"command": "touch owned"}),
        ("http:http://127.0.0.1:9/", {}),
        ("third:party", {}),
        ("torch:weights.pt", {"factory": "os:system"}),
        ("transformers:model", {"trust_remote_code": True}),
    ):
        identity = {"spec": spec, "args": args, "fingerprint": "x", "version": "1"}
        with pytest.raises(PluginError, match="name it with --classifier"):
            load_again("classifier", identity)
    assert not list(tmp_path.iterdir())
