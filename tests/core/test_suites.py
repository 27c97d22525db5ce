"""Promises of a suite: bugs of a run with their images, which any classifier can be run against at a known error."""

from __future__ import annotations

import html
import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import foible
import kept
import toyworld
from foible.act.gates import Gate, gated
from foible.act.paired import Sides, weigh
from foible.act.suites.save import _portable
from foible.cli import main
from foible.errors import ConfigError, LabelError, PluginError, StoreError
from foible.records import TIED, Draw, Observation, Outcome, Request, Treatment
from foible.report import suites as words
from foible.report.junit import to_junit
from foible.report.sarif import to_sarif
from foible.suites import Rechecked


class Worse(toyworld.Classifier):
    """Has the bugs of the toy world's classifier, and takes each bottle for a bucket."""

    def answer(self, scene):
        """Name what is seen, but for bottles."""
        return "bucket" if scene.label == "water bottle" else super().answer(scene)


class Mended(toyworld.Classifier):
    """Has the bug of the bottle alone."""

    def answer(self, scene):
        """Name what is seen; grass is no matter."""
        return scene.label if scene.label == "coffee mug" else super().answer(scene)


class Turned(toyworld.Classifier):
    """The same answers, with the classes in another order."""

    labels = toyworld.NAMES[::-1]

    def classify(self, images):
        """Score the classes from the last to the first."""
        return super().classify(images)[:, ::-1]


class NoBottle(toyworld.Classifier):
    """Does not have one of the labels."""

    labels = [name for name in toyworld.NAMES if not name.startswith("water bottle")]  # noqa: RUF012 - never changed

    def classify(self, images):
        """Score the classes that it has."""
        kept = [at for at, name in enumerate(toyworld.NAMES) if name in self.labels]
        return super().classify(images)[:, kept]


class Faint(toyworld.Perfect):
    """Breaks on every other image of a bottle, and is right on the rest."""

    def classify(self, images):
        """Give no number for some."""
        scores = super().classify(images)
        for row, image in zip(scores, images, strict=True):
            if toyworld.read(image).label == "water bottle" and image.sum() % 2:
                row[:] = np.nan
        return scores


class Broken(toyworld.Perfect):
    """Never says anything."""

    def classify(self, images):
        """Break."""
        raise RuntimeError("no more memory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("suites") / "run"
    run = toyworld.hunt(place, seed=2, config={"explore": {"draws": 48}})
    assert {f.trial.hypothesis.label for f in run.confirmed} == {"coffee mug", "water bottle"}
    return place


@pytest.fixture(scope="module")
def suite(folder):
    """Save it once."""
    foible.save_suite(folder, folder.parent / "bugs.zip")
    return folder.parent / "bugs.zip"


def changes(found):
    """Give what changed, by label and description."""
    return {(row.label, row.description): row.change for row in found.rows}


def alone(suite, tmp_path):
    """Put a suite where there is neither run nor archive."""
    return shutil.copy(suite, tmp_path / "alone.zip")


def test_the_classifier_of_the_run_is_neither_worse_nor_better(suite, tmp_path):
    """On a copy that has neither run nor archive beside it: each difference is none, and no alarm is given."""
    found = foible.run_suite(alone(suite, tmp_path), toyworld.Classifier(), fail_on="worse")
    assert set(changes(found).values()) <= {"same", "open"}
    assert {row.difference.value for row in found.rows} == {0.0}
    assert found.verdict == "passed"


@pytest.mark.parametrize("within", [False, True], ids=["judge", "member"])
def test_a_classifier_that_judged_the_images_is_refused(tmp_path, within):
    """A suite keeps no image that the judge says no to: whoever was this judge, or a member of it, looks too good."""
    members = [toyworld.SPECS["judge"], "python:toyworld:Judging"]
    ensemble = {"spec": "ensemble", "args": {"judges": members}}
    judge = {"judge": None, "config": {"judge": ensemble}} if within else {"judge": toyworld.Judging()}
    toyworld.hunt(tmp_path / "run", seed=2, **judge)
    foible.save_suite(tmp_path / "run", tmp_path / "bugs.zip")
    with pytest.raises(ConfigError, match=r"Judging has weights of the judge of the suite \((object:|ensemble)"):
        foible.run_suite(tmp_path / "bugs.zip", toyworld.Judging())
    assert foible.run_suite(tmp_path / "bugs.zip", toyworld.Perfect()).count("better")


def test_a_classifier_without_the_bugs_is_better_on_each(suite):
    """And worse nowhere; a bound of the failure rate that the old one broke is held."""
    found = foible.run_suite(suite, toyworld.Perfect(), fail_on="rate>20%")
    assert {row.change for row in found.rows if row.description} == {"better"}
    assert found.count("worse") == 0
    assert found.verdict == "passed"
    assert foible.run_suite(suite, toyworld.Classifier(), fail_on="rate>20%").verdict == "failed"


def test_one_bug_that_is_mended_is_better_alone(suite):
    """The other one is as it was."""
    found = changes(foible.run_suite(suite, Mended()))
    assert found["coffee mug", "on grass"] == "better"
    assert {change for (label, _), change in found.items() if label == "water bottle"} <= {"same", "open"}


def test_a_label_that_is_lost_is_worse(suite):
    """Though no bug is worse than it was, the control of the label says so, and the gate fails on it alone."""
    found = foible.run_suite(suite, Worse(), fail_on="worse")
    assert changes(found)["water bottle", ""] == "worse"
    assert found.verdict == "failed"
    assert [(row.label, row.description) for row in found.rows if row.gate == "failed"] == [("water bottle", "")]


@pytest.mark.parametrize("who", [toyworld.Classifier, toyworld.Perfect, Worse, Mended, Turned])
def test_a_suite_says_what_a_comparison_with_the_run_says(folder, suite, who):
    """The same images, the same counts, rates and words, for each bug and each label that the suite has."""
    by_run = {(row.label, row.description): row for row in foible.compare(folder, who()).rows}
    for row in foible.run_suite(suite, who()).rows:
        other = by_run[row.label, row.description]
        assert (row.change, row.images, row.unscored) == (other.change, other.images, other.unscored)
        assert (row.before, row.after, row.difference) == (other.before, other.after, other.difference)


def test_classes_in_another_order_are_found_by_their_names(suite):
    """Not by their indices: what it says is what the run's own classifier says."""
    found, own = (foible.run_suite(suite, one) for one in (Turned(), toyworld.Classifier()))
    assert changes(found) == changes(own)
    assert [row.after for row in found.rows] == [row.after for row in own.rows]


def test_further_accepted_classes_are_found_by_their_names_too(tmp_path):
    """A label that accepts two classes accepts both of a classifier whose classes stand in another order."""
    place = tmp_path / "run"
    mug, bucket = toyworld.PLAIN.index("coffee mug"), toyworld.PLAIN.index("bucket")
    bottle = toyworld.PLAIN.index("water bottle")
    labels = [f"{mug}|{bucket}=coffee mug", f"{bottle}=water bottle"]
    toyworld.hunt(place, labels=labels, seed=2, config={"explore": {"draws": 48}})
    made = foible.save_suite(place, tmp_path / "suite")
    assert [one.accepted for one in made.labels if one.name == "water bottle"] == [("water bottle (bottle)",)]
    found = foible.compare(place, Turned())
    right = found.after.right["coffee mug"]
    assert {Turned.labels[index] for index in right} == {toyworld.NAMES[mug], toyworld.NAMES[bucket]}
    assert {row.difference.value for row in found.rows} == {0.0}


def test_a_classifier_that_names_no_classes_is_told_what_they_are(suite):
    """Each row is unknown with its reason until a label says the class."""
    found = foible.run_suite(suite, toyworld.Perfect().classify, fail_on="worse")
    assert found.count(None) == len(found.rows)
    assert found.verdict == "unknown"
    texts = [f"{toyworld.PLAIN.index(name)}={name}" for name in ("coffee mug", "water bottle")]
    assert foible.run_suite(suite, toyworld.Perfect().classify, labels=texts).count("better") >= 2
    with pytest.raises(LabelError, match="the suite has no label 'teapot'"):
        foible.run_suite(suite, toyworld.Perfect(), labels=["teapot"])


@pytest.mark.parametrize("who", [NoBottle, Faint])
@pytest.mark.parametrize("gate", ["worse", "rate>50%"])
def test_what_was_not_compared_has_not_passed(suite, who, gate):
    """A label that is lacking, or unscored too often, is unknown, and so is the verdict, though nothing is worse."""
    found = foible.run_suite(suite, who(), fail_on=gate)
    assert all(row.reason for row in found.rows if row.change is None)
    assert {row.label for row in found.rows if row.change is None} == {"water bottle"}
    if who is Faint:
        assert all(0 < row.now.unscored < row.now.draws for row in found.rows if row.change is None)
        assert found.verdict == "unknown"
    else:
        assert found.verdict == ("failed" if gate.startswith("rate") else "unknown")


def test_a_classifier_that_says_nothing_is_refused(suite):
    """It has not failed on any image."""
    with pytest.raises(PluginError, match="gave no usable answer for any of"):
        foible.run_suite(suite, Broken())


class Served(toyworld.Perfect):
    """Asks a server, as it says: one request an image."""

    def count_on(self, ceiling):
        """Take requests from a ceiling."""
        self.ceiling = ceiling

    def classify(self, images):
        """Pay, then answer."""
        self.ceiling.take(len(images))
        return super().classify(images)


def test_requests_that_do_not_suffice_are_one_sentence(suite):
    """It promises nothing that a run of a suite does not keep; nor is a batch of no image taken."""
    count = len({one.image for row in foible.read_suite(suite).rows for one in row.images})
    with pytest.raises(ConfigError, match=r"used up after 64 of \d+ images, .*; raise --max-requests"):
        foible.run_suite(suite, Served(), max_requests=70)
    assert foible.run_suite(suite, Served(), max_requests=count).count("better") >= 2
    with pytest.raises(ConfigError, match="at least 1 image at once, but got a batch of 0"):
        foible.run_suite(suite, toyworld.Perfect(), batch=0)


# --- what is saved -----------------------------------------------------------------------------------------------


def files(place):
    """Give every file below a place, with its bytes."""
    return {one.relative_to(place).as_posix(): one.read_bytes() for one in place.rglob("*") if one.is_file()}


def test_a_suite_that_is_saved_twice_has_the_same_bytes(folder, suite, tmp_path):
    """As a folder and as an archive, which say the same."""
    made = [foible.save_suite(folder, tmp_path / name) for name in ("one", "two", "three.zip")]
    assert made[0] == made[1] == made[2] == foible.read_suite(suite)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert (tmp_path / "three.zip").read_bytes() == Path(suite).read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["one", "three.zip", "two"]  # nothing is left beside them


class Secret(toyworld.Classifier):
    """Breaks on some mugs, and says where it lies."""

    def classify(self, images):
        """Fail with a path in the sentence."""
        if any(toyworld.read(one).label == "coffee mug" and one.sum() % 5 == 0 for one in images):
            raise OSError("/home/somebody/model.bin is gone")
        return super().classify(images)


def test_a_suite_tells_nothing_of_the_machine(tmp_path):
    """Neither where it was made, nor what a fault said; a model's file is named without its folder."""
    run = toyworld.hunt(tmp_path / "run", classifier=Secret(), seed=3, config={"explore": {"draws": 48}})
    assert any("/home/somebody" in reason for reason, _ in run.result.unscored)
    foible.save_suite(tmp_path / "run", tmp_path / "suite")
    text = (tmp_path / "suite" / "suite.json").read_text("utf-8")
    assert '"not classified"' in text
    assert not any(place in text for place in ("/home/somebody", str(tmp_path), str(Path.cwd()), str(Path.home())))
    assert _portable("torch:/home/somebody/model.pt2") == "torch:…/model.pt2"
    assert "somebody" not in _portable("torch:C:\\Users\\somebody\\model.pt2")


def test_the_images_are_the_first_whatever_became_of_them(folder, tmp_path):
    """Fewer images are the beginning of more, of each bug and each label; failing ones are not preferred."""
    whole = foible.save_suite(folder, tmp_path / "whole")
    some = foible.save_suite(folder, tmp_path / "some", images=7)
    for one, all_of_it in zip(some.rows, whole.rows, strict=True):
        assert one.images == all_of_it.images[:7]
    assert {shown.status for one in whole.controls for shown in one.images} == {"failed", "passed"}


def test_a_bug_is_chosen_by_its_number(folder, tmp_path):
    """With the controls of its label, and no others."""
    one, two = foible.open(folder).confirmed
    made = foible.save_suite(folder, tmp_path / "second", findings=[2])
    assert [(bug.label, bug.description) for bug in made.bugs] == [
        (two.trial.hypothesis.label, two.trial.hypothesis.description)
    ]
    assert {row.label for row in made.controls} == {two.trial.hypothesis.label} != {one.trial.hypothesis.label}
    assert made.bugs[0].treat == two.treat


def test_an_image_that_has_gone_is_unscored_and_counted(folder, tmp_path):
    """The suite is saved without it; a classifier is not scored on it."""
    shutil.copytree(folder.parent, tmp_path / "copy")
    whole = foible.read_suite(foible_saved(tmp_path / "copy" / "run", tmp_path / "whole"))
    lost = whole.bugs[0].images[0].image
    kept.Kept(tmp_path / "copy" / "archive", lost).remove()
    made = foible.read_suite(foible_saved(tmp_path / "copy" / "run", tmp_path / "less"))
    assert made.bugs[0].images[0].image == ""
    assert made.bugs[0].images[0].reason == "the image has gone from the archive"
    found = foible.run_suite(tmp_path / "less", toyworld.Perfect())
    assert (found.rows[0].unscored, found.rows[0].now.unscored) == (1, 1)


def foible_saved(run, place):
    """Save a suite, and give its place."""
    foible.save_suite(run, place)
    return place


def test_what_cannot_be_saved_is_one_sentence_and_leaves_nothing(folder, tmp_path):
    """A place that is taken, a number that no finding has, no image at all."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / "mine.zip").write_text("mine")
    for name in ("mine", "mine.zip"):
        with pytest.raises(StoreError, match="is there already"):
            foible.save_suite(folder, tmp_path / name)
    with pytest.raises(StoreError, match=r"holds more than a suite .thesis.txt."):
        foible.save_suite(folder, tmp_path / "mine", replace=True)
    with pytest.raises(StoreError, match="no suite that could be replaced"):
        foible.save_suite(folder, tmp_path / "mine.zip", replace=True)
    with pytest.raises(ConfigError, match="there is no confirmed finding 99"):
        foible.save_suite(folder, tmp_path / "new", findings=[99])
    with pytest.raises(ConfigError, match="at least 1 image, but got 0"):
        foible.save_suite(folder, tmp_path / "new", images=0)
    with pytest.raises(ConfigError, match="the run has no classifier 'x'"):
        foible.save_suite(folder, tmp_path / "new", against="x")
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["mine", "mine.zip", "thesis.txt"]


@pytest.mark.parametrize("name", ["suite", "suite.zip"])
def test_a_suite_is_replaced_when_that_is_said(folder, tmp_path, name):
    """Whole: nothing of the old one is left."""
    foible.save_suite(folder, tmp_path / name)
    made = foible.save_suite(folder, tmp_path / name, images=3, replace=True)
    assert foible.read_suite(tmp_path / name) == made
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_run_without_a_bug_of_its_own_images_has_nothing_to_keep(tmp_path):
    """No bug at all, or none that was measured: one sentence says which."""
    toyworld.hunt(tmp_path / "none", classifier=toyworld.Perfect(), seed=2)
    with pytest.raises(ConfigError, match=r"no bug of .* that is confirmed"):
        foible.save_suite(tmp_path / "none", tmp_path / "suite")
    toyworld.hunt(tmp_path / "raw", seed=2, config={"explore": {"draws": 48}, "measure": {"most": 0}})
    with pytest.raises(ConfigError, match=r"no bug of .* that has images of its own"):
        foible.save_suite(tmp_path / "raw", tmp_path / "suite")
    with pytest.raises(ConfigError, match=r"measure.most above 0"):
        foible.save_suite(tmp_path / "raw", tmp_path / "suite", findings=[1])


# --- the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch, capfd):
    """Give a function that runs `foible suite` in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["foible", "suite", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "150")
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("who", "gate", "code"),
    [
        ("Worse", "never", 0),
        ("Worse", "worse", 1),
        ("Worse", "open", 1),
        ("Turned", "worse", 0),
        ("Turned", "rate>20%", 1),
        ("Turned", "rate>0.999", 0),
        ("NoBottle", "worse", 2),
        ("Worse", "rate>0.999,worse", 1),
        ("Mended", "worse, rate>20%", 1),
        ("Mended", "worse,never", 0),
        ("NoBottle", "worse,rate>0.999", 2),
    ],
)
def test_the_exit_code_is_the_verdict_of_table_and_json(call, suite, who, gate, code):
    """Console, JSON and exit code say one thing; stderr names the rows it is about."""
    arguments = ("run", suite, "--classifier", f"python:{__name__}:{who}", "--fail-on", gate)
    ended, out, err = call(*arguments)
    assert ended == code
    assert "on grass" in out
    assert ("gate" in err) == (code > 0)
    ended, out, _ = call(*arguments, "--json")
    document = json.loads(out)
    assert ended == code
    assert {"failed": 1, "unknown": 2, "passed": 0, "none": 0}[document["verdict"]] == code
    assert {row["gate"] for row in document["rows"]} <= {"none", "passed", "failed", "unknown"}
    assert document["suite"] == foible.read_suite(suite).digest


@pytest.mark.parametrize(("who", "gate"), [("Worse", "worse"), ("Turned", "rate>20%"), ("NoBottle", "open")])
def test_the_reports_of_a_build_say_the_same_verdict(call, suite, tmp_path, who, gate):
    """JUnit has a test for each row, a failure for each that fails, an error for each unknown one; SARIF a result."""
    place = tmp_path / "build"
    arguments = ["run", suite, "--classifier", f"python:{__name__}:{who}", "--fail-on", gate, "--json"]
    written = [
        w for name in ("junit.xml", "sarif.json", "page.html") for w in (f"--{name.split('.')[0]}", place / name)
    ]
    code, out, _ = call(*arguments, *written)
    rows = json.loads(out)["rows"]
    gates = [row["gate"] for row in rows]
    (inner,) = ET.parse(place / "junit.xml").getroot()  # noqa: S314 - our own
    cases = inner.findall("testcase")
    assert len(cases) == len(rows) == int(inner.attrib["tests"])
    assert len(inner.findall("testcase/failure")) == gates.count("failed") == int(inner.attrib["failures"])
    assert len(inner.findall("testcase/error")) == gates.count("unknown") == int(inner.attrib["errors"])
    assert [case.get("name") for case in cases] == [row["description"] or "base prompt" for row in rows]
    (ran,) = json.loads((place / "sarif.json").read_text())["runs"]
    assert [one["level"] for one in ran["results"]] == [
        {"failed": "error", "unknown": "warning"}[gate] for gate in gates if gate in {"failed", "unknown"}
    ]
    assert code == (1 if "failed" in gates else 2 if "unknown" in gates else 0)
    assert ran["properties"]["verdict"] == json.loads(out)["verdict"]
    text = html.unescape((place / "page.html").read_text("utf-8"))
    assert ran["properties"]["said"] in text.replace("The gate", "the gate")
    assert all(row["told"] in text for row in rows)
    kept = {one.name: one.read_bytes() for one in place.iterdir()}
    call(*arguments, *written)
    assert {one.name: one.read_bytes() for one in place.iterdir()} == kept


def test_a_result_of_code_scanning_is_whole(suite):
    """What the standard asks of a result, and code scanning of a place: a listed rule, a text, a relative URI."""
    document = json.loads(to_sarif(foible.run_suite(suite, Worse(), fail_on="worse"), "tests/the bugs.zip"))
    assert document["version"] == "2.1.0"
    (ran,) = document["runs"]
    rules = [rule["id"] for rule in ran["tool"]["driver"]["rules"]]
    assert ran["results"]
    for one in ran["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["message"]["text"].endswith(".")
        (place,) = one["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "tests/the%20bugs.zip"
        assert place["physicalLocation"]["region"]["startLine"] == 1
        assert all(isinstance(value, str) for value in one["partialFingerprints"].values())
    assert len({one["partialFingerprints"]["bug/v1"] for one in ran["results"]}) == len(ran["results"])


def test_without_a_gate_no_test_of_a_build_fails(suite):
    """What nothing can be said of is skipped, and code scanning is told nothing."""
    found = foible.run_suite(suite, NoBottle())
    (inner,) = ET.fromstring(to_junit(found, "bugs.zip"))  # noqa: S314 - our own
    assert (inner.get("failures"), inner.get("errors")) == ("0", "0")
    assert len(inner.findall("testcase/skipped")) == found.count(None) == int(inner.attrib["skipped"]) > 0
    assert json.loads(to_sarif(found, "bugs.zip"))["runs"][0]["results"] == []


def test_a_report_that_cannot_be_written_costs_no_result(call, suite, tmp_path):
    """The table is there, the sentence says what is wrong, and the code is no pass."""
    (tmp_path / "file").write_text("")
    arguments = ["--classifier", f"python:{__name__}:Turned", "--junit", tmp_path / "file" / "junit.xml"]
    code, out, err = call("run", suite, *arguments)
    assert code == 2
    assert "on grass" in out
    assert "cannot be made" in err


def test_a_suite_is_saved_and_shown(call, folder, tmp_path):
    """Bugs with their rates, and what the suite is about."""
    code, out, err = call("save", folder, tmp_path / "suite.zip", "--images", "5")
    assert (code, err) == (0, "")
    assert f"suite: {tmp_path / 'suite.zip'}" in out
    code, shown, _ = call("show", tmp_path / "suite.zip")
    assert code == 0
    assert "coffee mug “on grass”" in shown
    assert "digest: sha256:" in shown
    assert shown in out


def test_two_suites_are_told_apart(call, folder, suite, tmp_path):
    """Bugs that were added or dropped, and images that were; the same suites differ in nothing."""
    assert foible.diff_suites(suite, foible_saved(folder, tmp_path / "same")).count("same") == 4
    foible.save_suite(folder, tmp_path / "one", findings=[1])
    found = foible.diff_suites(tmp_path / "one", suite)
    assert (found.count("added"), found.count("same"), found.count("dropped")) == (2, 2, 0)
    found = foible.diff_suites(suite, tmp_path / "one")
    assert (found.count("added"), found.count("same"), found.count("dropped")) == (0, 2, 2)
    foible.save_suite(folder, tmp_path / "some", images=7)
    for row in foible.diff_suites(suite, tmp_path / "some").rows:
        (own,) = [one for one in foible.read_suite(suite).rows if (one.label, one.description) == about(row)]
        assert (row.kind, row.images_added, row.images_dropped, row.outcomes) == (
            "changed",
            0,
            sum(bool(one.image) for one in own.images[7:]),
            0,
        )
    code, out, _ = call("diff", suite, tmp_path / "one")
    assert code == 0
    assert "bugs: 1 dropped, 1 same" in out
    assert json.loads(call("diff", suite, suite, "--json")[1])["headline"] == "the suites are the same"


def about(row):
    """Name a row."""
    return row.label, row.description


def test_a_gate_that_is_none_is_one_sentence(call, suite):
    """And it is said before anything is asked."""
    code, _, err = call("run", suite, "--classifier", f"python:{__name__}:Broken", "--fail-on", "rate>100%")
    assert code == 2
    assert "wants never, worse, open, rate>X" in err


# --- false alarms --------------------------------------------------------------------------------------------------

DRAW = Draw(request=Request(key="", label="mug", treatment=Treatment(), seed=0, arm="measure", text=""), image="0")
SAID = {
    True: Observation(draw=DRAW, outcome=Outcome(status="failed")),
    False: Observation(draw=DRAW, outcome=Outcome(status="passed")),
}


def simulated(random, before, after, rows=10, images=48):
    """Make a suite of so many rows, of which each image fails by chance alone."""
    made = []
    for _ in range(rows):
        sides = [[SAID[bool(fails)] for fails in random.random(images) < rate] for rate in (before, after)]
        made.append((Rechecked(label="mug", words=("on grass",)), Sides(before=sides[0], after=sides[1])))
    return weigh(made, level=0.05, unscored=0.3, same=0.1)


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
def test_where_nothing_changed_alarms_are_no_more_than_the_level(rate):
    """Over 200 suites of two equal classifiers, any row called in at most 5 %, by chance at most 15 of 200."""
    random = np.random.default_rng(1)
    alarms = sum(any(row.change in {"worse", "better"} for row in simulated(random, rate, rate)) for _ in range(200))
    assert alarms <= 15


def test_a_bound_that_no_rate_exceeds_gives_no_more_alarms_than_the_level():
    """At its hardest, where every bug fails exactly as often as the bound: over all bugs together, at most 5 %."""
    random = np.random.default_rng(2)
    gate = [Gate("rate", 0.2)]
    suites = [gated(simulated(random, 0.9, 0.2), gate, 0.05, "before") for _ in range(200)]
    assert sum(any(row.gate == "failed" for row in rows) for rows in suites) <= 15


def test_a_bug_that_is_back_is_seen_by_the_bound():
    """One of ten bugs fails in 60 % of 48 images again: seen in 190 of 200 suites or more."""
    random = np.random.default_rng(3)
    seen = 0
    for _ in range(200):
        rows = [*simulated(random, 0.9, 0.05, rows=9), *simulated(random, 0.9, 0.6, rows=1)]
        seen += [row.gate for row in gated(rows, [Gate("rate", 0.2)], 0.05, "before")][-1] == "failed"
    assert seen >= 190


def test_a_tied_image_is_scored_for_another_classifier():
    """Equal scores are the run's own classifier's: the other one is scored on the image, and no pair is counted."""
    tied = Observation(draw=DRAW, outcome=Outcome(status="unscored", reason=TIED))
    blank = Rechecked(label="mug")
    (row,) = weigh(
        [(blank, Sides(before=[tied, *[SAID[True]] * 3], after=[SAID[True]] * 4))], level=0.05, unscored=0.3, same=0.1
    )
    assert sum(row.images) == 3
    assert (row.after.value, row.unscored) == (1.0, 1)
    assert words.cells(row)[1] == "open"
