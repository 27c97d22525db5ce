"""Promises of a swap: bugs are tested again under a change, on fresh draws, and no more is said than these show."""

from __future__ import annotations

import json

import numpy as np
import pytest

import foible
import toyworld
from foible.act.swap import place_of
from foible.checks.verify import verify
from foible.errors import ConfigError, InputError
from foible.report import swapping as pages

MODULE = """
import toyworld


class Deaf(toyworld.Slow):
    def draw(self, prompts, seeds):
        return super().draw([prompt.split(",")[0] for prompt in prompts], seeds)


def mute(images):
    return ["a photograph"] * len(images)


def strict(images, labels):
    return [False] * len(images)
"""
"""A generator that leaves out every description; a captioner that says nothing; a judge that sees no label."""
OWN = toyworld.PARTS


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Hunt once; two bugs are planted."""
    found = toyworld.hunt(tmp_path_factory.mktemp("swap") / "run", seed=2)
    assert len(found.confirmed) >= 2
    return found


@pytest.fixture(autouse=True)
def other_parts(tmp_path, monkeypatch):
    """Let the parts of MODULE be named by a spec."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "swapped_parts.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "parts")


def swapped(run, out, *changes, **given):
    """Swap in silence, with the objects that the run was made with."""
    classifiers = [toyworld.Classifier()]
    return foible.swap(run.folder, changes, classifiers=classifiers, out=out, progress=False, **{**OWN, **given})


def test_a_bug_stays_where_the_change_leaves_it_and_goes_where_the_generator_ignores_it(run, tmp_path):
    """Each change has a column of its own; the draws are others than those of the run, and each run can be verified."""
    found = swapped(run, tmp_path / "out", "generator=python:swapped_parts:Deaf", "confirm.margin=0.3")
    assert [change.hunted for change in found.changes] == [False, False]
    assert len(found.rows) == len(run.confirmed)
    for row in found.rows:
        gone, same = row.cells
        assert same.kept == "stays"
        assert same.seen.treat.value > 0.5
        assert gone.kept in {"within", "open"}
        assert gone.seen.difference.value == 0.0
    seeds = {one.request.seed for one in run.result.observations.values()}
    for change in found.changes:
        assert verify(tmp_path / "out" / change.folder, run.archive).differences == ()
        own = foible.open(tmp_path / "out" / change.folder, archive=run.archive)
        assert not seeds & {one.request.seed for one in own.result.observations.values()}
        assert own.result.settings["confirm.level"] == found.level == pytest.approx(0.05 / 2)
        assert own.result.settings["seed"] == found.seed == 3


def test_what_suggests_is_hunted_anew(run, tmp_path):
    """More draws find the bugs again; a captioner that says nothing finds none, which is not called a refutation."""
    found = swapped(run, tmp_path / "out", "explore.draws=32", "captioner=python:swapped_parts:mute")
    assert [change.hunted for change in found.changes] == [True, True]
    for row in found.rows:
        again, missed = row.cells
        assert again.kept == "again"
        assert again.seen.treat.value > 0.5
        assert missed.kept == "missed"
        assert missed.seen.treat.value is None
    assert "says nothing of the bug itself" in pages.to_html(found)


def test_where_no_draw_shows_its_label_nothing_is_said(run, tmp_path):
    """A judge that rejects every draw leaves every bug open: none is called gone."""
    found = swapped(run, tmp_path / "out", "judge=python:swapped_parts:strict")
    assert {row.cells[0].kept for row in found.rows} <= {"open", "unknown"}
    assert all(row.cells[0].seen.treat.value is None for row in found.rows)


def test_the_same_call_gives_the_same_again(run, tmp_path):
    """A second time the same files come out, to the byte, from as many draws."""
    first = swapped(run, tmp_path / "out", "confirm.margin=0.3")
    pages.write(first, tmp_path / "out")
    before = [(tmp_path / "out" / name).read_bytes() for name in ("swap.json", "swap.html")]
    again = swapped(run, tmp_path / "out", "confirm.margin=0.3")
    pages.write(again, tmp_path / "out")
    assert before == [(tmp_path / "out" / name).read_bytes() for name in ("swap.json", "swap.html")]
    assert first.changes[0].draws == again.changes[0].draws > 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((), "no change is named"),
        (("generator.args.size=3",), "change it whole"),
        (("confirm.marge=0.3",), "marge"),
        (("judgee=x:y",), "neither"),
        (("classifier=python:toyworld:Perfect",), "foible compare"),
        (("confirm.margin=0.1",), "no change"),
        (("confirm.margin=lots",), "margin"),
        (("confirm.margin",), "="),
    ],
)
def test_what_is_no_change_is_one_sentence_and_draws_nothing(run, tmp_path, changes, told):
    """A typo, a change that is none, and one that another verb is for are refused, and no folder stays behind."""
    with pytest.raises(InputError, match=told):
        swapped(run, tmp_path / "out", *changes)
    assert not (tmp_path / "out").exists()


def test_the_draws_that_found_a_bug_are_refused(run, tmp_path):
    """The seed of the run would favour its bugs."""
    with pytest.raises(ConfigError, match="that of the run"):
        swapped(run, tmp_path / "out", "confirm.margin=0.3", seed=2)


def test_a_classifier_that_has_changed_is_refused(run, tmp_path):
    """Another object in its place is not the run's classifier."""
    with pytest.raises(InputError, match="not the one of the run"):
        foible.swap(
            run.folder,
            ["confirm.margin=0.3"],
            classifiers=[toyworld.Perfect()],
            generator=toyworld.draw,
            judge=toyworld.judge,
            out=tmp_path / "out",
            progress=False,
        )


def test_the_command_prints_a_table_and_writes_both_files(tmp_path):
    """The verb says what becomes of each bug, and names the page; code that a run names is run where it is allowed."""
    code, _, err = toyworld.called(*toyworld.COMMAND, "--out", tmp_path / "run", "--seed", "2")
    assert code == 0, err
    change = ["--with", "confirm.margin=0.3", "--finding", "1", "--quiet"]
    code, out, err = toyworld.called("swap", tmp_path / "run", *change)
    assert (code, out) == (2, "")
    assert "because a run directory says so" in err
    change += ["--code"]
    code, out, err = toyworld.called("swap", tmp_path / "run", *change)
    assert (code, err) == (0, "")
    assert "stays" in out
    document = json.loads((place_of(tmp_path / "run") / "swap.json").read_text("utf-8"))
    assert document["rows"][0]["changes"][0]["kept"] == "stays"
    assert np.isfinite(document["rows"][0]["changes"][0]["treat"]["value"])
