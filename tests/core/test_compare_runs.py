"""Promises of a comparison of two finished runs: bugs of both, nobody preferred, nothing that is not comparable."""

from __future__ import annotations

import json
import sys

import pytest

import foible
import toyworld
from foible.act.recorded import recorded
from foible.cli import main
from foible.errors import ConfigError
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.report import comparison as pages


class Teapots(toyworld.Classifier):
    """Knows a mug on grass, and takes a teapot on grass for a bucket."""

    def answer(self, scene):
        """Name what is seen, but for teapots on grass."""
        if scene.label == "teapot" and scene.ground == "grass":
            return "bucket"
        return scene.label if scene.label == "coffee mug" else super().answer(scene)


WIDE = {"explore": {"draws": 48}}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("first") / "run"
    run = toyworld.hunt(place, seed=2, config=WIDE)
    assert {bug.trial.hypothesis.label for bug in run.confirmed} >= {"coffee mug"}
    return place


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """Hunt on the same seeds in an archive of its own; a bug is a teapot on grass."""
    place = tmp_path_factory.mktemp("second") / "run"
    run = toyworld.hunt(place, Teapots(), seed=2, config=WIDE)
    assert {bug.trial.hypothesis.label for bug in run.confirmed} >= {"teapot"}
    return place


def both():
    """Give the classifiers of the two runs, which are objects that no record loads."""
    return [toyworld.Classifier(), Teapots()]


def test_bugs_of_either_run_are_rows_and_their_classifiers_are_asked(first, second):
    """A bug of the first alone is better, one of the second alone worse; its own rate is that of its own run."""
    found = foible.compare(first, second, parts={"classifier": both()})
    assert found.lacking == ()
    assert found.runs == 2
    grass = [row for row in found.rows if row.label == "coffee mug" and row.found]
    teapots = [row for row in found.rows if row.label == "teapot" and row.found]
    assert {(row.whose, row.change) for row in grass} == {("first", "better")}
    assert {(row.whose, row.change) for row in teapots} == {("second", "worse")}
    assert {row.whose for row in found.rows if row.found is None} == {None}
    for row in teapots:  # the images that measured the bug in its own run, and no others
        assert row.found is not None
        assert row.after == row.found.treat
        assert row.before.value == 0.0


def test_the_other_way_round_worse_is_better(first, second):
    """The same rows with the sides changed: neither run is preferred."""
    one, other = (foible.compare(*pair, parts={"classifier": both()}) for pair in ((first, second), (second, first)))
    turned: dict[object, str] = {"worse": "better", "better": "worse", "first": "second", "second": "first"}
    sides = {
        (row.label, row.description): (row.change, row.whose, row.before, row.after, row.adjusted) for row in one.rows
    }
    assert {
        (row.label, row.description): (
            turned.get(row.change, row.change),
            turned.get(row.whose, row.whose),
            row.after,
            row.before,
            row.adjusted,
        )
        for row in other.rows
    } == sides


def test_without_the_classifiers_only_what_both_runs_have_counts(first, second):
    """They are objects, which no record loads: labels are compared, and of a bug of one run nothing can be said."""
    found = foible.compare(first, second)
    assert len(found.lacking) == 2
    assert all("was the object" in why and "give it from Python" in why for _, why in found.lacking)
    for row in found.rows:
        if row.found is None:
            assert sum(row.images) == 48
        elif row.whose != "both":
            assert row.change is None
            assert "share no image" in row.reason
    page = pages.to_html(found)
    assert "was not asked" in page
    assert "does not make it the better classifier" in page


def test_a_bug_of_both_runs_is_one_row_over_the_images_of_both(first, tmp_path):
    """Both hunts measured it on the same seeds, so that no classifier is needed."""
    toyworld.hunt(tmp_path / "run", Also(), seed=2, config=WIDE)
    found = foible.compare(first, tmp_path / "run")
    rows = [row for row in found.rows if row.whose == "both"]
    assert [row.label for row in rows if row.label == "coffee mug"] == ["coffee mug"]
    assert all(sum(row.images) for row in rows)
    assert all(row.before == row.after for row in rows)


class Also(toyworld.Classifier):
    """Has the bugs of the toy world's classifier, and another class for one of them."""

    def answer(self, scene):
        """Name what is seen."""
        said = super().answer(scene)
        return "vase" if said == "bucket" != scene.label else said


def test_classifiers_of_one_run_are_compared_without_asking_anybody(tmp_path):
    """Over one directory, with both names: every image is there for both."""
    toyworld.hunt(tmp_path / "run", both(), seed=2, config=WIDE)
    subjects = json.loads((tmp_path / "run" / "findings.json").read_text("utf-8"))["classifiers"]
    names = [one["name"] for one in subjects]
    found = foible.compare(tmp_path / "run", tmp_path / "run", against=names[0], second=names[1])
    assert found.lacking == ()
    assert {row.change for row in found.rows if row.whose == "first"} == {"better"}
    assert {row.change for row in found.rows if row.whose == "second"} == {"worse"}
    with pytest.raises(ConfigError, match="both runs are about"):
        foible.compare(tmp_path / "run", tmp_path / "run")


def test_runs_on_other_seeds_share_no_image_and_are_compared_by_asking(first, tmp_path):
    """Each label then has the images of both."""
    toyworld.hunt(tmp_path / "run", Teapots(), seed=3, config=WIDE)
    alone = foible.compare(first, tmp_path / "run")
    assert all(row.change is None for row in alone.rows)
    found = foible.compare(first, tmp_path / "run", parts={"classifier": both()})
    assert {sum(row.images) for row in found.rows if row.found is None} == {96}


def other_judge(images, labels):
    """Judge as the toy world does, under another name."""
    return toyworld.judge(images, labels)


PROBE = {"explore": {"draws": 8}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": ["coffee mug", "teapot"]}, "different labels, such as 'water bottle'"),
        ({"judge": other_judge}, "different parts as their judge"),
        ({"config": {"explore": {"draws": 8, "template": "a picture of a {name} ({kind})"}}}, "other base prompts"),
        ({"config": {**PROBE, "failure": {"top": 2}}}, "other failures: failure.top is 1 and 2"),
    ],
)
def test_runs_that_cannot_be_compared_are_one_sentence(first, tmp_path, given, said):
    """Whatever decides pixels or outcomes is the same, or the runs are refused."""
    toyworld.hunt(tmp_path / "run", toyworld.Perfect(), seed=2, **{"config": PROBE, **given})
    with pytest.raises(ConfigError, match=said):
        foible.compare(first, tmp_path / "run")


def test_a_run_that_accepts_another_class_is_refused(first, tmp_path):
    """The one that accepts fewer classes would fail more often by that alone."""
    at = toyworld.PLAIN.index
    label = f"{at('coffee mug')}|{at('bucket')}=coffee mug (cup)"
    plain = [toyworld.NAMES[at(name)] for name in ("water bottle", "teapot")]
    toyworld.hunt(tmp_path / "run", toyworld.Perfect(), labels=[label, *plain], seed=2, config=PROBE)
    with pytest.raises(ConfigError, match="accepts the class 'bucket"):
        foible.compare(first, tmp_path / "run")


def test_what_is_about_another_comparison_is_refused(first, second):
    """Numbers of findings are of one run; classifiers of runs belong to two."""
    with pytest.raises(ConfigError, match="findings is for a comparison of one run and a classifier"):
        foible.compare(first, second, findings=[1])
    with pytest.raises(ConfigError, match="second is for a comparison of two runs"):
        foible.compare(first, Teapots(), second="x")
    with pytest.raises(ConfigError, match="is the classifier of neither run"):
        foible.compare(first, second, parts={"classifier": toyworld.Perfect()})


def test_a_record_loads_no_code_of_its_own_and_no_server():
    """A run directory may come from anybody: what it names is loaded where it is weights alone, and as it was."""
    for spec in ("python:os:getcwd", "http:http://127.0.0.1:9/", "third:party"):
        said = recorded("classifier", {"spec": spec, "args": {}}, [], Ceiling(None))
        assert "name it with --classifier" in str(said)
    known = load("classifier", "diorama:reference")
    again = recorded("classifier", known.identity, [], Ceiling(None))
    assert not isinstance(again, str)
    assert again.identity == known.identity
    other = {**known.identity, "fingerprint": "0"}
    assert "is not the one of the run any more" in str(recorded("classifier", other, [], Ceiling(None)))
    coded = {**known.identity, "args": {"trust_remote_code": True}}
    assert "name it with --classifier" in str(recorded("classifier", coded, [], Ceiling(None)))


def test_two_runs_on_the_command_line(tmp_path, monkeypatch, capfd):
    """Named by their directories, with the classifiers that no record loads; the table says whose bug a row is."""
    specs = ["python:toyworld:Classifier", f"python:{__name__}:Teapots"]
    for place, spec in zip(("a", "b"), specs, strict=True):
        words = [spec if word == toyworld.SPECS["classifier"] else word for word in toyworld.COMMAND]
        words = [word.replace("python:toyworld:Slow", "python:toyworld:draw") for word in words]
        assert called(monkeypatch, [*words, "--out", tmp_path / place, "--seed", 2, "--set", "explore.draws=48"]) == 0
    capfd.readouterr()
    arguments = ["compare", tmp_path / "a", tmp_path / "b", "--fail-on", "worse"]
    for spec in specs:
        arguments += ["--classifier", spec]
    assert called(monkeypatch, arguments) == 1
    out, err = capfd.readouterr()
    told = " ".join(out.split())  # a narrow terminal breaks lines
    assert "better of 1 bug of the first" in told
    assert "bugs of the second" in told or "bug of the second" in told
    assert "the gate worse fails on" in err
    assert json.loads((tmp_path / "a" / "compare.json").read_text("utf-8"))["runs"] == 2
    assert called(monkeypatch, ["compare", tmp_path / "a"]) == 2


def called(monkeypatch, arguments):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0
