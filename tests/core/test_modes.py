"""Promises of the ways to hunt: what failed means, targeted and top-k, accepted classes, probes, and where runs go."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.diorama.vocabulary import LABELS
from foible.draws.values import read_prediction
from foible.hunting.prepare import _folder
from foible.layers import resolve
from foible.records import ClassMap, Spec

PARTS = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
QUIET = {"progress": False, "config": toyworld.SMALL}
INDEX = {label.name: number for number, label in enumerate(LABELS)}

hunt = functools.partial(toyworld.hunt, seed=2)
"""With draws that show every bug."""

predictions = st.permutations(range(10))


class TwoWrong(toyworld.Classifier):
    """Takes a mug on grass for a bucket, and a mug on snow for a vase; the mug comes second."""

    def classify(self, images):
        """Score the wrong answer 2, and the right one 1."""
        scores = np.zeros((len(images), len(toyworld.NAMES)))
        for row, scene in enumerate(map(toyworld.read, images)):
            scores[row, INDEX[scene.label]] = 1
            wrong = {"grass": "bucket", "snow": "vase"}.get(scene.ground)
            if scene.label == "coffee mug" and wrong:
                scores[row, INDEX[wrong]] = 2
        return scores


def probe(out, label="coffee mug", description="on grass", classifier=None, **options):
    """Probe the toy world."""
    given = {"seed": 2, **PARTS, **QUIET, **options}
    return foible.probe(classifier or toyworld.Classifier(), label, description, out=out, **given)


@given(order=predictions, accepted=st.frozensets(st.integers(0, 9), min_size=1), top=st.integers(1, 5))
def test_a_draw_fails_when_no_accepted_label_is_among_the_highest(order, accepted, top):
    """Top-k failure is the absence of every accepted class from the k highest scores."""
    prediction = read_prediction([[index, index, -float(place)] for place, index in enumerate(order)])

    def fails(target=()):
        right = {"mug": tuple(sorted(accepted))}
        return ClassMap(classifier="c", names=None, right=right, top=top, target=target).fails(prediction, "mug")

    assert fails() == (not accepted & set(order[:top]))
    assert fails(target=(98, order[0]))
    assert not fails(target=(99,))


def test_targeted_mode_counts_only_failures_into_the_target(tmp_path):
    """With a target, only what is taken for that label fails; every other wrong answer does not."""
    every = hunt(tmp_path / "every", TwoWrong())
    aimed = hunt(tmp_path / "aimed", TwoWrong(), target="vase")
    assert {f.trial.hypothesis.description for f in every.confirmed} == {"on grass", "on snow"}
    assert {f.trial.hypothesis.description for f in aimed.confirmed} == {"on snow"}
    for finding in aimed:
        assert {index for index, _ in finding.confused_with} <= {INDEX["vase"]}
    assert aimed.result.failure == "a draw fails when the classifier takes it for 'vase'"
    assert every.result.failure == "a draw fails when no accepted label is among the highest score (top-1)"


def test_a_target_that_is_right_is_refused(tmp_path):
    """A target that is an accepted answer of a label, or unknown, is refused before anything is made."""
    for target, says in (("coffee mug", "is an accepted answer for the label 'coffee mug'"), ("vasse", "mean 'vase'")):
        with pytest.raises(foible.InputError, match=says):
            hunt(tmp_path / "run", target=target)
    assert not (tmp_path / "run").exists()


def test_top_2_forgives_what_comes_second(tmp_path):
    """A label that comes second is no failure at top-2, and the result says what failed meant."""
    run = hunt(tmp_path / "run", TwoWrong(), config={"failure": {"top": 2}})
    assert not list(run)
    assert all(summary.tally.failures == 0 for summary in run.result.explored)
    assert run.result.failure.endswith("among the 2 highest scores (top-2)")


@pytest.mark.parametrize(("top", "label"), [(12, "coffee mug"), (100, "coffee mug"), (11, "0|3=coffee mug")])
def test_what_can_never_fail_is_refused(tmp_path, top, label):
    """Where so many scores count that no draw could fail, the hunt is refused: it would find nothing, and say so."""
    with pytest.raises(foible.InputError, match=f"with failure.top {top} and 12 classes .* can never fail"):
        hunt(tmp_path / "run", labels=[label], config={"failure": {"top": top}})
    assert not (tmp_path / "run").exists()


def test_every_accepted_class_is_right(tmp_path):
    """A class in the accepted set is a right answer, and has a name in the findings."""
    run = hunt(tmp_path / "run", TwoWrong(), labels=[f"{INDEX['coffee mug']}|{INDEX['bucket']}=coffee mug (cup)"])
    assert {f.trial.hypothesis.description for f in run.confirmed} == {"on snow"}
    assert run.result.class_name(INDEX["bucket"]) == "bucket"


def test_a_perfect_classifier_has_no_bugs(tmp_path):
    """Where nothing fails nothing is confirmed, nothing tested, and the report says so."""
    run = hunt(tmp_path / "run", toyworld.Perfect())
    assert list(run) == []
    assert run.confirmed == ()
    assert run.result.draws == {"explore": 72}
    assert json.loads(toyworld.written(run.folder)["findings.json"])["findings"] == []


def test_a_probe_tests_a_hypothesis_of_one_s_own(tmp_path):
    """A probe confirms what is true and refutes what is not, without exploring, on the draws of a hunt's test."""
    run = probe(tmp_path / "run", description=["on grass", "on  snow ,", "on grass"])
    assert [(f.verdict, f.trial.hypothesis.description) for f in run] == [
        ("confirmed", "on grass"),
        ("refuted", "on snow"),
    ]
    assert "explore" not in run.result.draws
    assert run.result.explored == ()
    hunted = hunt(tmp_path / "hunt")
    (same,) = (f for f in hunted if f.trial.hypothesis.label == "coffee mug")
    assert same.trial.pairs == run.confirmed[0].trial.pairs


@pytest.mark.parametrize("description", ["", " , ", "on\x00grass", "\x1b[31m", "\udcff", []])
def test_a_probe_without_words_is_refused(tmp_path, description):
    """A description that is empty or not printable is refused before anything is made."""
    with pytest.raises(foible.InputError, match="description") as told:
        probe(tmp_path / "run", description=description)
    assert str(told.value).isprintable()
    assert not (tmp_path / "run").exists()


def test_a_probe_is_about_one_label(tmp_path):
    """A probe of no label, of several or of an unknown one is refused."""
    for label, says in (("", "a label looks like"), ("mug", "mean 'coffee mug'")):
        with pytest.raises(foible.InputError, match=says):
            probe(tmp_path / "run", label=label)


def test_a_probe_goes_on_only_with_its_own_hypotheses(tmp_path):
    """The same probe again gives the same findings; another on its directory is refused, naming what was tested."""
    before = toyworld.written(probe(tmp_path / "run").folder)
    assert toyworld.written(probe(tmp_path / "run").folder) == before
    with pytest.raises(foible.InputError, match=r'probe was .*"on grass".*, now .*"on snow"'):
        probe(tmp_path / "run", description="on snow")


def test_a_run_is_named_after_what_it_tests(tmp_path, monkeypatch):
    """Without `out` a run lies under `runs/`, named after classifiers and probe, with a hash of what else is set."""
    monkeypatch.chdir(tmp_path)
    few = {"labels": None, "config": {"explore": {"draws": 2}}}
    hunted, probed = hunt(None, **few), probe(None)
    assert re.fullmatch(r"toyworld\.Classifier-[0-9a-f]{8}", hunted.folder.name)
    assert {hunted.folder.parent, probed.folder.parent} == {Path("runs")}
    assert hunt(None, **few).folder == hunted.folder, "the same call goes on"
    over = [hunt(None, toyworld.Perfect(), labels=[label]).folder.name for label in toyworld.LABELLED[:2]]
    assert over[0] != over[1]
    both = [toyworld.Classifier(), toyworld.Perfect()]
    assert hunt(None, both, **few).folder.name.startswith("toyworld.Classifier-and-toyworld.Perfect-")
    assert probed.folder.name.startswith("toyworld.Classifier-probe-")
    assert probe(None, description="on snow").folder != probed.folder
    assert (Path("runs") / "archive").is_dir()


@pytest.mark.parametrize(
    "other", [{"seed": 3}, {"labels": ["vase"]}, {"confirm": {"margin": 0.2}}, {"generator": "folder:photos"}], ids=str
)
def test_no_two_hunts_meet_in_a_directory(other):
    """Whatever decides what is found makes another default directory; a larger budget and where it runs do not."""

    def folder(**given):
        return _folder(resolve([("test", given)])[0], ["diorama:biased-resnet"], None)

    assert folder() == Path("runs/diorama-biased-resnet")
    assert folder(**other) != folder()
    assert folder(**other) == folder(**other, budget=500, max_minutes=3) == folder(**other, archive="elsewhere")
    assert folder(classifier="timm:resnet18") == folder(), "it is part of the name"
    assert folder(classifier={"spec": "timm:resnet18", "args": {"size": 32}}) != folder()


def test_other_settings_in_one_directory_are_refused_with_a_command_that_works(tmp_path):
    """The sentence names what differs, and a directory that is free."""
    hunt(tmp_path / "run")
    (tmp_path / "run-2").mkdir()
    with pytest.raises(foible.InputError, match=r"labels was .*use the same, or --out .*/run-3$"):
        hunt(tmp_path / "run", labels=["vase"])


def test_the_result_tells_what_was_used(tmp_path):
    """Settings and parts in a result are those that were used: an object in place of a spec is named as such."""
    run = hunt(tmp_path / "run", Spec("python:toyworld:Classifier"))
    settings, parts = run.result.settings, run.result.parts
    (subject,) = run.result.classifiers
    assert subject.name == "python:toyworld:Classifier"
    assert settings["classifier.spec"] == subject.identity["spec"] == "python:toyworld:Classifier"
    assert settings["generator.spec"] == parts["generator"]["spec"] == "object:toyworld.draw"
    assert settings["confirm.draws"] == 20
    assert "out" not in settings
    probed = probe(tmp_path / "probe")
    assert set(probed.result.parts) == {"generator", "judge"}
    assert [subject.name for subject in probed.result.classifiers] == ["object:toyworld.Classifier"]
    assert not any("captioner" in name or "embedder" in name for name in probed.result.settings)


def test_a_run_is_its_findings(tmp_path):
    """A run iterates over its findings, counts them, and knows where its report lies."""
    run = hunt(tmp_path / "run")
    assert tuple(run) == run.result.findings
    assert len(run) == len(run.result.findings)
    assert run.report.is_file()
    assert set(run.spent) == {"generator", "classifier 0", "judge", "captioner", "embedder"}
    assert run.spent["generator"][0] == sum(run.result.draws.values())


def test_another_seed_is_another_hunt(tmp_path):
    """Another seed draws other images, and finds the same truth."""
    one, other = hunt(tmp_path / "one"), hunt(tmp_path / "other", seed=5)
    found = [{f.trial.hypothesis.description for f in run.confirmed} for run in (one, other)]
    assert "on grass" in found[0] & found[1]
    assert not set(one.result.observations) & set(other.result.observations)
