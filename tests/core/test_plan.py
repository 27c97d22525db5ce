"""A plan is kept by the hunt that follows: never more draws than it says, and what it says it can see, it can."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asked
import kept
import toyworld
from foible.checks.forecast import BASE_RATES, CHANCE, plan
from foible.cli import main
from foible.errors import ArgumentError, ConfigError, LabelError, OutOfTime, PluginError
from foible.layers import resolve
from foible.parts.steady import ASKED
from foible.statistics import power


def config(*layers, **fields):
    """Give the config of the toy world's small hunt, with other fields on top."""
    base = {**toyworld.SPECS, **toyworld.SMALL, "labels": toyworld.LABELLED}
    return resolve([("base", base), *(("layer", layer) for layer in layers), ("test", fields)])[0]


@pytest.fixture
def foible_command(monkeypatch, capfd, tmp_path):
    """Give a function that runs the command line in an empty directory: (code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        return stop.value.code, *capfd.readouterr()

    return call


WORDS = [word for word in toyworld.COMMAND if word not in {"hunt", "--quiet"}]


@pytest.mark.parametrize("fields", [{}, {"budget": 100}, {"budget": 300}, {"describe": {"hypotheses": 1}}], ids=str)
def test_a_hunt_draws_no_more_than_was_planned(tmp_path, fields):
    """Stage by stage and in all, whatever the budget."""
    planned = plan(config(fields), offline=True)
    run = toyworld.hunt(tmp_path / "run", config=fields, seed=1)
    assert planned.draws["explore"] == run.result.draws["explore"]
    for stage in ("follow", "measure", "explain"):
        assert run.result.draws.get(stage, 0) <= planned.draws[stage]
    assert run.result.draws.get("treat", 0) + run.result.draws.get("control", 0) <= planned.draws["confirm"]
    assert sum(run.result.draws.values()) <= planned.total
    assert len(run) <= planned.hypotheses
    if "budget" in fields:
        assert planned.total <= fields["budget"]


@pytest.mark.parametrize(
    ("fields", "real"),
    [
        ({}, 1416),
        ({"classifier": "diorama:biased-mobilenet"}, 1679),
        ({"classifier": "diorama:biased-convnext"}, 1370),
    ],
    ids=str,
)
def test_what_is_likely_is_near_what_hunts_drew(fields, real):
    """It lies within a third of what three hunts with every default really drew, twelve labels each."""
    labels = [f"{row}=thing {row}" for row in range(12)]
    found = plan(resolve([("test", {"labels": labels, **fields})])[0], offline=True)
    likely = sum(found.likely.values())
    assert 0.75 * real < likely < 1.33 * real
    assert found.bare == found.likely["explore"] < likely < found.total


@settings(max_examples=40, deadline=None)
@given(
    explore=st.integers(1, 60),
    most=st.integers(1, 60),
    method=st.sampled_from(["sequential", "fixed"]),
    measure=st.integers(0, 60),
    budget=st.none() | st.integers(20, 3000),
)
def test_what_is_likely_is_never_more_than_the_most(explore, most, method, measure, budget):
    """By stage and in all, whatever the options."""
    fields = {"explore": {"draws": explore}, "measure": {"most": measure}, "budget": budget}
    found = plan(config({**fields, "confirm": {"method": method, "most": most, "draws": most}}), offline=True)
    assert found.likely.keys() == found.draws.keys()
    assert all(0 <= count <= found.draws[stage] for stage, count in found.likely.items())
    assert found.bare <= sum(found.likely.values()) <= found.total


OTHER = "python:toyworld:Perfect"


@pytest.mark.parametrize("fields", [{}, {"budget": 150}], ids=str)
def test_a_hunt_over_several_classifiers_draws_no_more_than_was_planned(tmp_path, fields):
    """Each classifier is asked about every draw, has hypotheses of its own, and is tested on those of the other."""
    planned = plan(config(fields, other_classifiers=[OTHER]), offline=True)
    alone = plan(config(fields), offline=True)
    run = toyworld.hunt(tmp_path / "run", [toyworld.Classifier(), toyworld.Perfect()], config=fields, seed=1)
    assert sum(run.result.draws.values()) <= planned.total
    assert run.result.draws["explore"] == planned.draws["explore"]
    assert run.result.draws.get("follow", 0) <= planned.draws["follow"]
    assert {f.trial.hypothesis.classifier for f in run} == {0, 1}
    assert len(run) <= planned.hypotheses
    for kind, part in (("judge", "judge"), ("captioner", "captioner"), ("embedder", "embedder")):
        assert 0 < run.spent[part][0] <= planned.answers[kind]
    assert 0 < sum(run.spent[f"classifier {place}"][0] for place in (0, 1)) <= planned.answers["classifier"]
    assert planned.hypotheses > alone.hypotheses


def test_every_classifier_of_a_plan_is_checked_and_counted():
    """A second one that does not exist is refused without loading; one on a server has requests of its own."""
    with pytest.raises(PluginError, match="no classifier is called 'tim:x'"):
        plan(config(other_classifiers=["tim:x"]), offline=True)
    told = plan(config(other_classifiers=["http://nowhere.invalid/classify"]), offline=True)
    assert told.requests == {"classifier": told.total + ASKED}


@settings(max_examples=40, deadline=None)
@given(
    labels=st.integers(1, 6),
    explore=st.integers(1, 60),
    pairs=st.integers(1, 60),
    hypotheses=st.integers(1, 6),
    budget=st.none() | st.integers(20, 3000),
)
def test_a_budget_is_never_exceeded_and_nothing_is_negative(labels, explore, pairs, hypotheses, budget):
    """For any sizes the stages are counted within the budget, and with more budget nothing shrinks."""
    fields = {
        "labels": [f"{row}=thing {row}" for row in range(labels)],
        "explore": {"draws": explore},
        "confirm": {"draws": pairs},
        "describe": {"hypotheses": hypotheses},
    }
    found = plan(config(fields, budget=budget), offline=True)
    assert all(count >= 0 for count in found.draws.values())
    whole = plan(config(fields), offline=True)
    assert found.total <= min(whole.total, budget or 10**9)
    assert found.total <= sum(found.draws.values())
    assert all(found.draws[stage] <= whole.draws[stage] for stage in ("explore", "follow", "confirm"))


def test_what_it_says_it_can_see_it_can(tmp_path):
    """The told effect is seen with the promised chance, and one a little smaller is not; so for exploration."""
    found = plan(config(confirm={"draws": 60}), offline=True)
    level = 0.05 / found.hypotheses
    for base in BASE_RATES:
        effect = found.effects[base]
        assert effect is not None
        assert power(60, effect, base, 0.1, level) >= CHANCE - 1e-3
        assert power(60, effect - 0.02, base, 0.1, level) < CHANCE
    failures = np.random.default_rng(1).binomial(24, found.seen, 20_000)
    assert np.mean(failures >= 1) == pytest.approx(CHANCE, abs=0.01)
    contrasting = plan(config(describe={"method": "contrast"}), offline=True)
    failures = np.random.default_rng(1).binomial(24, contrasting.seen, 20_000)
    assert np.mean(failures >= 2) == pytest.approx(CHANCE, abs=0.01)
    assert (1 - found.excluded) ** 24 == pytest.approx(0.05)


def test_a_budget_too_small_to_confirm_anything_says_so():
    """With four pairs not even a certain failure is confirmed."""
    assert set(plan(config(confirm={"draws": 4}), offline=True).effects.values()) == {None}


def test_a_timed_plan_asks_every_part_and_measures_an_image():
    """Every kind has its time, and the disk is that of drawn images, not of raw pixels."""
    timed, offline = (
        plan(config()),
        plan(config(generator={"spec": "diorama:scenes", "args": {"size": 32}}), offline=True),
    )
    assert set(timed.seconds) == set(timed.answers)
    assert all(seconds > 0 for seconds in timed.seconds.values())
    assert timed.longest >= sum(timed.seconds.values())
    assert timed.measured
    assert not offline.measured
    assert offline.seconds == {}
    assert offline.disk == offline.total * 32 * 32 * 3


def test_the_disk_of_a_timed_plan_is_that_of_the_hunt(tmp_path):
    """What the archive holds afterwards is what was foretold for as many draws, but for the notes in each file."""
    planned = plan(config())
    run = toyworld.hunt(tmp_path / "run")
    files = kept.images(tmp_path / "archive")
    images = asked.images(run.folder)
    assert {one.image for one in files} == images  # a scene that has what is added already is drawn the same
    assert len(images) <= sum(run.result.draws.values()) <= planned.total
    each = planned.disk / planned.total
    assert np.mean([len(one.read()) for one in files]) == pytest.approx(each, rel=0.1, abs=1500)


def mute(images):
    """Caption nothing."""
    message = "no words"
    raise ValueError(message)


def test_a_part_that_cannot_answer_ends_a_timed_plan(monkeypatch):
    """The sentence is the part's own, before any hunt."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    with pytest.raises(PluginError, match="to a first question: captioner raised ValueError: no words"):
        plan(config(captioner="python:test_plan:mute"))


@pytest.mark.parametrize(
    ("fields", "error", "told"),
    [
        ({"classifier": "tim:x"}, PluginError, "no classifier is called 'tim:x'"),
        ({"judge": {"spec": "clip:none", "args": {"treshold": 1}}}, ArgumentError, "did you mean 'threshold'"),
        ({"judge": {"spec": "ensemble", "args": {"judges": ["clip:a", "vml:b"]}}}, PluginError, "did you mean 'vlm'"),
        ({"judge": {"spec": "ensemble", "args": {}}}, ArgumentError, "needs the argument 'judges'"),
        ({"labels": []}, LabelError, "without loading the classifier its classes are not known"),
        ({"budget": 5}, ConfigError, "a budget of 5 draws cannot explore 3 labels"),
    ],
    ids=str,
)
def test_offline_still_checks_what_can_be_checked(fields, error, told):
    """Specs, arguments, members of an ensemble, labels and budget, without a model on the disk."""
    with pytest.raises(error, match=told):
        plan(config(fields), offline=True)


def test_offline_loads_nothing():
    """A model that is not there is no obstacle, and a factory is not called."""
    fields = {
        "classifier": "transformers:nobody/nothing",
        "judge": {"spec": "ensemble", "args": {"judges": ["vlm:nobody/a", {"spec": "clip:nobody/b", "args": {}}]}},
    }
    assert plan(config(fields), offline=True).requests == {}


def test_the_command_prints_a_table_or_json(foible_command, tmp_path):
    """Both tell the same draws, and nothing is written."""
    code, out, err = foible_command("plan", "--offline", *WORDS, "--max-draws", "200", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["total"] <= 200
    code, out, err = foible_command("plan", "--offline", *WORDS, "--max-draws", "200", "--max-minutes", "3")
    assert (code, err) == (0, "")
    assert f"at most {told['total']}" in " ".join(out.split())
    assert "3 minutes, to be gone on with" in " ".join(out.split())
    assert list(tmp_path.iterdir()) == []


def test_the_command_times_the_parts(foible_command):
    """Without `--offline` there is a time, part by part."""
    code, out, err = foible_command("plan", *WORDS)
    assert (code, err) == (0, "")
    assert "about" in out
    assert all(kind in " ".join(out.split()) for kind in ("generator", "classifier", "judge"))


# --- the cap on minutes ----------------------------------------------------------------------------------------------


def test_a_hunt_that_runs_out_of_minutes_goes_on_to_the_same_findings(tmp_path):
    """Stopped between units, each time a little later, it ends with the bytes of a hunt that never stopped."""
    toyworld.hunt(tmp_path / "a" / "run")
    stops = 0
    for longer in range(40):
        try:
            toyworld.hunt(tmp_path / "b" / "run", config={"max_minutes": 0.0002 * 1.5**longer})
        except OutOfTime:
            stops += 1
        else:
            break
    assert stops >= 2
    whole, pieces = (toyworld.written(tmp_path / name / "run") for name in ("a", "b"))
    assert pieces["findings.json"] == whole["findings.json"]


def test_the_command_says_where_it_stopped(foible_command, tmp_path):
    """One sentence on stderr, the code of an interruption, no findings; then without the cap it ends."""
    words = ["hunt", "--quiet", *WORDS, "--out", tmp_path / "run"]
    code, out, err = foible_command(*words, "--max-minutes", "0.0001")
    assert (code, out) == (130, "")
    assert err.startswith("foible: stopped after 0.0001 minutes, in the stage pilot; what was finished is kept")
    assert err.count("\n") == 1
    assert not (tmp_path / "run" / "findings.json").exists()
    code, out, err = foible_command(*words)
    assert (code, err) == (0, "")
    assert "confirmed of" in out


def test_any_number_of_minutes_comes_to_the_end(tmp_path):
    """However few they are, each call adds to what is stored: walking through the old takes none of them."""
    stored = 0
    for _ in range(300):
        try:
            toyworld.hunt(tmp_path / "run", config={"max_minutes": 1e-9})
        except OutOfTime:
            with contextlib.closing(sqlite3.connect(tmp_path / "archive" / "archive.sqlite")) as db:
                rows = db.execute("SELECT (SELECT COUNT(*) FROM draws) + (SELECT COUNT(*) FROM answers)").fetchone()
            before, stored = stored, rows[0]
            assert stored > before
        else:
            break
    assert stored > 0
    assert (tmp_path / "run" / "findings.json").exists()
