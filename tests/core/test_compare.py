"""Promises of a comparison: where another classifier is better or worse, over a run's own images, at a known error."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.act.paired import change_of, two_sided
from foible.cli import main
from foible.errors import ConfigError
from foible.records import Pairs
from foible.report import comparison as pages
from foible.statistics import benjamini_hochberg


class Worse(toyworld.Classifier):
    """Has the bugs of the toy world's classifier, and never knows a teapot."""

    def answer(self, scene):
        """Name what is seen, but for teapots."""
        return "bucket" if scene.label == "teapot" else super().answer(scene)


def without_bottle():
    """Give the names of the toy world's classes but for the bottle's."""
    return [name for name in toyworld.NAMES if not name.startswith("water bottle")]


Classifier = toyworld.Classifier


class NoBottle(toyworld.Classifier):
    """Does not have one of the labels."""

    labels = without_bottle()

    def classify(self, images):
        """Score the classes that it has."""
        kept = [at for at, name in enumerate(toyworld.NAMES) if name in self.labels]
        return super().classify(images)[:, kept]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("compare") / "run"
    run = toyworld.hunt(place, seed=2, config={"explore": {"draws": 48}})
    assert len(run.confirmed) >= 2
    return place


def changes(found):
    """Give what changed, by label and description."""
    return {(row.label, row.found.trial.hypothesis.description if row.found else ""): row.change for row in found.rows}


def test_a_perfect_classifier_is_better_on_every_bug_and_worse_nowhere(folder):
    """And where neither ever fails, they are the same."""
    found = foible.compare(folder, toyworld.Perfect())
    bugs = [row for row in found.rows if row.found]
    assert len(bugs) >= 2
    assert {row.change for row in bugs} == {"better"}
    assert found.count("worse") == 0
    assert changes(found)["teapot", ""] == "same"
    for row in bugs:
        assert row.found is not None
        assert row.before == row.found.treat  # the images that measured the bug, and no others
        assert row.after.value == 0.0


def test_a_label_that_a_classifier_does_not_know_any_more_is_worse(folder):
    """Though all bugs are as they were, so that nothing else has changed."""
    found = foible.compare(folder, Worse())
    assert changes(found)["teapot", ""] == "worse"
    assert [row.label for row in found.rows if row.change in {"worse", "better"}] == ["teapot"]
    (row,) = [row for row in found.rows if row.change == "worse"]
    assert row.difference.low > 0
    assert (row.before.value, row.after.value) == (0.0, 1.0)


def test_a_classifier_compared_with_itself_never_differs(folder):
    """No row is worse or better, and each difference is none."""
    found = foible.compare(folder, toyworld.Classifier())
    assert {row.difference.value for row in found.rows} == {0.0}
    assert found.count("worse") == found.count("better") == 0
    assert all(row.images.only_treat == row.images.only_control == 0 for row in found.rows)


def test_a_label_that_is_lacking_is_unknown_with_its_reason(folder):
    """It is neither the same nor better."""
    found = foible.compare(folder, NoBottle())
    lacking = [row for row in found.rows if row.label == "water bottle"]
    assert lacking
    assert all(row.change is None and row.reason for row in lacking)
    assert f"{len([row for row in lacking if row.found is None])} unknown of 3 labels" in pages.headline(found)


def test_the_files_are_the_same_every_time_and_say_the_rows(folder, tmp_path):
    """A second comparison gives the same bytes; the folder is made."""
    once, again = (foible.compare(folder, Worse()) for _ in range(2))
    pages.write(once, tmp_path / "new" / "place")
    assert (tmp_path / "new" / "place" / "compare.json").read_text("utf-8") == pages.to_json(again)
    page = (tmp_path / "new" / "place" / "compare.html").read_text("utf-8")
    assert page == pages.to_html(again)
    rows = json.loads(pages.to_json(once))["rows"]
    assert [(row["label"], row["change"]) for row in rows] == [(row.label, row.change) for row in once.rows]
    assert all(row.label in page for row in once.rows)


def test_what_cannot_be_compared_is_one_sentence(folder):
    """A classifier that the run does not have, a share that is none, a number that no finding has."""
    with pytest.raises(ConfigError, match="the run has no classifier 'x'"):
        foible.compare(folder, Worse(), against="x")
    with pytest.raises(ConfigError, match="share between 0 and 1, but got 10"):
        foible.compare(folder, Worse(), same=10)
    with pytest.raises(ConfigError, match="there is no confirmed finding 99"):
        foible.compare(folder, Worse(), findings=[99])


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capfd):
    """Give a function that compares on the command line: (exit code, stdout, stderr)."""

    def run(*more, who="Worse"):
        arguments = ["compare", folder, "--classifier", f"python:{__name__}:{who}", "--out", tmp_path / "out", *more]
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(("gate", "code"), [("never", 0), ("worse", 1), ("open", 1)])
def test_the_gate_is_the_exit_code(call, tmp_path, gate, code):
    """A table, a headline and files; then 1 where the gate does not hold."""
    ended, out, err = call("--fail-on", gate)
    assert ended == code
    assert "1 worse" in out
    assert (f"the gate {gate} fails on" in err) == (code == 1)
    assert ("teapot: it surely fails more often than the first classifier" in err) == (code == 1)
    assert (tmp_path / "out" / "compare.html").exists()


@pytest.mark.parametrize("gate", ["worse", "open", "rate>20%", "worse,rate>20%", "never"])
@pytest.mark.parametrize("who", [toyworld.Perfect, toyworld.Classifier, Worse, NoBottle])
def test_a_suite_of_the_run_says_the_same_gate_of_each_bug(folder, tmp_path, who, gate):
    """Over the same images the two have one verdict a bug, and one word for the rule that it fails."""
    foible.save_suite(folder, tmp_path / "bugs")
    suite = foible.run_suite(tmp_path / "bugs", who(), fail_on=gate)
    found = foible.compare(folder, who(), fail_on=gate)
    said = {(row.label, row.description): (row.gate, row.rule, row.now, row.images) for row in suite.rows}
    bugs = [row for row in found.rows if row.found]
    assert bugs
    for row in bugs:
        assert said[row.label, row.description] == (row.gate, row.rule, row.now, row.images)


def test_a_bound_looks_at_bugs_alone(call, folder):
    """A label that fails always is no bug with a description: no row of a label passes or fails it."""
    found = foible.compare(folder, toyworld.Classifier(), fail_on="rate>20%")
    assert {row.gate for row in found.rows if row.found} == {"failed"}
    assert {row.gate for row in found.rows if not row.found} == {"none"}
    code, out, err = call("--fail-on", "rate>20%", "--json", who="Classifier")
    assert (code, json.loads(out)["verdict"]) == (1, "failed")
    assert f"the gate rate>20% fails on {len([row for row in found.rows if row.found])} of" in err
    assert "surely above 0.2" in err


def test_a_bound_without_a_bug_has_not_passed(tmp_path, monkeypatch, capfd):
    """A run that confirmed nothing has no row that the gate could look at: 2, and it says so."""
    run = toyworld.hunt(tmp_path / "run", classifier=toyworld.Perfect())
    assert not run.confirmed
    arguments = ["compare", tmp_path / "run", "--classifier", f"python:{__name__}:Worse", "--fail-on", "rate>20%"]
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "the gate rate>20% looks at bugs, and there is none" in capfd.readouterr().err


def test_a_gate_that_is_none_is_refused_before_anything_is_read(call):
    """In the words that a suite has for it."""
    code, out, err = call("--fail-on", "better", who="Nobody")
    assert (code, out) == (2, "")
    assert "--fail-on wants never, worse, open, rate>X" in err


class Faint(toyworld.Perfect):
    """Breaks on every other image of a teapot, and is right on the rest."""

    def classify(self, images):
        """Give no number for some."""
        scores = super().classify(images)
        for row, image in zip(scores, images, strict=True):
            if toyworld.NAMES[int(row.argmax())].startswith("teapot") and image.sum() % 2:
                row[:] = np.nan
        return scores


@pytest.mark.parametrize("gate", ["worse", "open"])
@pytest.mark.parametrize("who", ["NoBottle", "Faint"])
def test_what_was_not_compared_has_not_passed(call, folder, who, gate):
    """A label that is lacking, or unscored too often, ends a gate with 2, though no row is worse."""
    found = foible.compare(folder, globals()[who]())
    assert found.count(None) > 0
    assert found.count("worse") == 0
    assert all(row.reason for row in found.rows if row.change is None)
    code, out, err = call("--fail-on", gate, who=who)
    assert code == (1 if gate == "open" and found.count("open") else 2)
    assert "unknown" in out
    assert code == 1 or "says nothing of" in err


@given(pairs=st.builds(Pairs, *(st.integers(0, 60) for _ in range(4))), adjusted=st.floats(0, 1))
def test_the_interval_goes_with_the_word(pairs, adjusted):
    """Worse lies above none, better below, same within the share, and the rest holds none."""
    change, difference = change_of(pairs, adjusted, 0.05, 0.1)
    ends = {
        "worse": difference.low >= 0 and adjusted <= 0.05,
        "better": difference.high <= 0 and adjusted <= 0.05,
        "same": -0.1 < difference.low <= 0 <= difference.high < 0.1,
        "open": difference.low <= 0 <= difference.high,
    }
    assert ends[change]
    if difference.value is not None and change in {"worse", "better"} and pairs.only_treat != pairs.only_control:
        assert (difference.value > 0) == (change == "worse")


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5])
def test_equal_classifiers_are_seldom_called_different(rate):
    """Of 400 comparisons of twenty rows over 48 images, at most the level's share calls any row; it is exact."""
    random = np.random.default_rng(5)
    called = 0
    for _ in range(400):
        fails = random.random((2, 20, 48)) < rate
        counts = [
            Pairs(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum()), int((~a & ~b).sum()))
            for a, b in zip(*fails, strict=True)
        ]
        called += bool((benjamini_hochberg([two_sided(one) for one in counts]) <= 0.05).any())
    assert called <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


def test_a_bug_that_went_from_a_fifth_to_three_fifths_is_seen():
    """In at least 90 of 100 comparisons of sixty images, alone in a comparison."""
    random = np.random.default_rng(6)
    seen = 0
    for _ in range(300):
        before, after = random.random(60) < 0.2, random.random(60) < 0.6
        pairs = Pairs(
            int((before & after).sum()),
            int((after & ~before).sum()),
            int((before & ~after).sum()),
            int((~before & ~after).sum()),
        )
        change, _ = change_of(pairs, two_sided(pairs), 0.05, 0.1)
        seen += change == "worse"
    assert seen >= 270


ALONE = "python:toyworld:Judging"
NESTED = {"spec": "ensemble", "args": {"judges": [toyworld.SPECS["judge"], ALONE]}}


@pytest.mark.parametrize(
    "members", [(), (ALONE,), (toyworld.SPECS["judge"], NESTED)], ids=["judge", "member", "nested"]
)
def test_a_classifier_that_judged_the_images_is_refused(tmp_path, members):
    """It would look better than it is: what it errs on is left out. So for every verb that shows it these images.

    So, too, where it was one of several judges, or one of several in one of these.
    """
    both = toyworld.Judging()
    own = {"judge": {"spec": "ensemble", "args": {"judges": [toyworld.SPECS["judge"], *members]}}} if members else {}
    toyworld.hunt(tmp_path / "run", seed=2, judge=None if members else both, config=own)
    for ask in (
        lambda: foible.compare(tmp_path / "run", both),
        lambda: foible.transfer(tmp_path / "run", [both]),
        lambda: foible.export(tmp_path / "run", tmp_path / "set", classifiers=[both]),
    ):
        with pytest.raises(ConfigError, match="has weights of the judge of the run"):
            ask()
    assert not (tmp_path / "set").exists()
