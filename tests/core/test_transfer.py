"""Promises of a transfer: who shares the bugs of a run, from its own images and at the price of predictions."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import foible
import kept
import toyworld
from foible.errors import ConfigError, FoibleError, LabelError, PluginError
from foible.report import matrix as pages


class Reversed(toyworld.Classifier):
    """The same answers, with the classes in reversed order."""

    labels = toyworld.NAMES[::-1]

    def classify(self, images):
        """Score the classes from the last to the first."""
        return super().classify(images)[:, ::-1]


def without_bottle():
    """Give the names of the toy world's classes but for the bottle's."""
    return [name for name in toyworld.NAMES if not name.startswith("water bottle")]


def with_markup():
    """Give the names of the toy world's classes, the vase's as markup."""
    return ["<script>alert(1)</script>" if name.startswith("vase") else name for name in toyworld.NAMES]


class Half(toyworld.Classifier):
    """Knows no water bottle, and takes a mug on grass for a bucket too."""

    labels = without_bottle()

    def classify(self, images):
        """Score the classes that it has."""
        kept = [at for at, name in enumerate(toyworld.NAMES) if name in self.labels]
        return super().classify(images)[:, kept]


class Nameless:
    """Right everywhere; its classes have no names, and stand in the order of the toy world's."""

    def classify(self, images):
        """Score as the perfect one does."""
        return toyworld.Perfect().classify(images)


class Counting(Reversed):
    """Adds a byte to the file TOY_LOG for each image that it is shown."""

    def classify(self, images):
        """Score as the reversed one does."""
        with Path(os.environ["TOY_LOG"]).open("ab") as log:
            log.write(b"." * len(images))
        return super().classify(images)


class Dead:
    """Answers nothing."""

    labels = toyworld.NAMES

    def classify(self, images):
        """Break."""
        raise RuntimeError("no weights")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("transfer") / "run"
    run = toyworld.hunt(place, seed=2)
    assert len(run.confirmed) >= 2
    return place


def cells(matrix, name):
    """Give the cells of one classifier, by label of the finding."""
    place = [one.name for one in matrix.classifiers].index(name)
    return [(row.found.trial.hypothesis.label, row.cells[place]) for row in matrix.rows]


def verdicts(matrix, name):
    """Give the verdicts of one classifier, by label of the finding."""
    return {label: cell.finding and cell.finding.verdict for label, cell in cells(matrix, name)}


def test_who_has_the_bug_is_told_from_who_has_not(folder):
    """A classifier with the same bugs, its classes reversed, has each; one that is right everywhere has none."""
    found = foible.transfer(folder, [Reversed(), toyworld.Perfect()])
    assert [one.name for one in found.classifiers] == [
        "object:toyworld.Classifier",
        f"object:{__name__}.Reversed",
        "object:toyworld.Perfect",
    ]
    assert set(verdicts(found, "object:toyworld.Classifier").values()) == {"confirmed"}
    assert set(verdicts(found, f"object:{__name__}.Reversed").values()) == {"confirmed"}
    assert "confirmed" not in verdicts(found, "object:toyworld.Perfect").values()
    for row in found.rows:
        own, alike, right = row.cells
        assert own.finding.treat == alike.finding.treat
        assert (own.shared.value, alike.shared.value, right.shared.value) == (1.0, 1.0, 0.0)
    (images,) = found.sets
    assert images.images == sum(row.found.measured.treat.failures for row in found.rows if row.found.measured)
    assert [rate.value for rate in images.fails] == [1.0, 1.0, 0.0]


def test_nothing_but_predictions_is_asked_and_those_once(folder, tmp_path, monkeypatch):
    """No image, caption or judgement is new; the second time nobody is shown anything, and the result is the same."""
    log = tmp_path / "log"
    monkeypatch.setenv("TOY_LOG", str(log))
    before = {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*.tar")}
    first = pages.to_json(foible.transfer(folder, [Counting()]))
    shown = log.stat().st_size
    assert shown > 0
    assert pages.to_json(foible.transfer(folder, [Counting()])) == first
    assert log.stat().st_size == shown
    assert {path: path.stat().st_mtime_ns for path in folder.parent.rglob("*.tar")} == before


def test_the_rates_come_from_draws_that_selected_nothing(folder):
    """The numbers of the classifier of the run are those of the draws that measured its findings."""
    found = foible.transfer(folder)
    for row in found.rows:
        assert row.found.measured is not None
        assert row.cells[0].finding.trial.pairs == row.found.measured.pairs
        assert row.cells[0].finding.treat == row.found.treat


def test_a_finding_without_draws_of_its_own_is_left_out(tmp_path):
    """Where nothing was measured, only the draws that selected a finding are there: no rate is claimed of anybody."""
    run = toyworld.hunt(tmp_path / "run", seed=2, config={"measure": {"most": 0}})
    found = foible.transfer(run.folder, [Reversed()])
    assert found.rows == ()
    assert [finding for finding, _ in found.left_out] == list(run.confirmed)
    assert "Nothing can be said" in pages.headline(found)


def test_a_label_that_a_classifier_lacks_is_said_and_not_asked(folder):
    """Of a bottle nobody asks who knows no bottle; the cell says so, and the mug is asked about."""
    found = foible.transfer(folder, [Half()])
    told = verdicts(found, f"object:{__name__}.Half")
    assert told["coffee mug"] == "confirmed"
    assert told["water bottle"] is None
    assert all(
        "water bottle" in cell.reason
        for label, cell in cells(found, f"object:{__name__}.Half")
        if label == "water bottle"
    )


def test_classes_without_names_need_labels(folder):
    """Without names a label is found where its class is said, and nowhere else."""
    mug, bottle = toyworld.PLAIN.index("coffee mug"), toyworld.PLAIN.index("water bottle")
    given = [f"{mug}=coffee mug", f"{bottle}=water bottle"]
    told = verdicts(foible.transfer(folder, [Nameless()], labels=given), f"object:{__name__}.Nameless")
    assert told.keys() == {"coffee mug", "water bottle"}
    assert "confirmed" not in told.values()
    assert None not in told.values()
    assert set(verdicts(foible.transfer(folder, [Nameless()]), f"object:{__name__}.Nameless").values()) == {None}


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"findings": [99]}, ConfigError, "no confirmed finding 99"),
        ({"labels": ["0=spaceship"], "classifiers": [Nameless()]}, LabelError, "the run has no label 'spaceship'"),
        ({"classifiers": [Dead()]}, PluginError, "no usable answer"),
        ({"classifiers": ["timmm:resnet"]}, PluginError, "timm"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(folder, given, error, told):
    """A wrong number, a strange label, a dead classifier, a typo: each is refused, and the run is as it was."""
    before = toyworld.written(folder)
    with pytest.raises(error, match=told):
        foible.transfer(folder, **given)
    assert toyworld.written(folder) == before


def test_a_run_that_is_none_is_refused(tmp_path):
    """A folder without a run, and one that is not there, are one sentence each."""
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FoibleError):
            foible.transfer(place)


def test_a_torn_image_is_unscored_and_counted(tmp_path):
    """Nobody is shown an image that is not the one that was judged: the draw is unscored, for the others alone."""
    run = toyworld.hunt(tmp_path / "run", seed=2)
    found = foible.transfer(run.folder, [Reversed()])
    for one in kept.images(tmp_path / "archive"):
        one.write(one.read()[:-20])
    again = foible.transfer(run.folder, [toyworld.Perfect()])
    assert found.rows
    for row in again.rows:
        trial = row.cells[1].finding.trial
        assert trial.treat.unscored == trial.treat.draws
        assert row.cells[1].finding.verdict == "undecided"


def test_the_command_prints_and_writes_the_matrix(tmp_path, folder):
    """The verb prints who shares what, writes JSON and a page without script or address, and says where."""
    place = tmp_path / "copy"
    shutil.copytree(folder.parent, place)
    spec = "python:toyworld:Perfect"
    code, out, err = toyworld.called("transfer", place / "run", "--classifier", spec)
    assert (code, err) == (0, "")
    assert "0 of" in out
    assert "transfer.html" in out
    data = json.loads((place / "run" / "transfer.json").read_text(encoding="utf-8"))
    assert data["classifiers"][1]["right"]["coffee mug"] == [toyworld.PLAIN.index("coffee mug")]
    assert [one["name"] for one in data["classifiers"]] == ["object:toyworld.Classifier", spec]
    page = (place / "run" / "transfer.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    code, out, _ = toyworld.called("transfer", place / "run", "--classifier", spec, "--json")
    assert json.loads(out) == data


def test_names_of_strangers_are_escaped(folder):
    """A class that is called like markup stays text in the page."""

    class Rude(toyworld.Perfect):
        labels = with_markup()

        def classify(self, images):
            scores = np.zeros((len(images), len(self.labels)))
            scores[:, toyworld.PLAIN.index("vase")] = 1
            return scores

    assert "<script" not in pages.to_html(foible.transfer(folder, [Rude()]))
