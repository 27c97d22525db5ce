"""Promises of a repair: bugs go, what is lost for it is said, and nothing that was learned from proves anything."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import foible
import toytrained
import toyworld
from foible.act.fresh import SPENT, Drawing
from foible.act.repair import repair as repairing
from foible.act.repair.checkpoint import NAME, Checkpoint, Passed
from foible.act.repair.train import _refuse_useless
from foible.act.repair.variants import _beside
from foible.cli import main
from foible.draws.once import REPEATED
from foible.errors import ConfigError, PluginError, StoreError, TrainingError
from foible.hunting.replay import reread_whole
from foible.layers import read_assignment
from foible.parts.registry import load
from foible.progress import Silent
from foible.records import Treatment
from foible.report import repair as pages
from foible.run.archive import Archive
from foible.run.journal import Journal

MORE = {"explore": {"draws": 48}}
SPEC = f"python:{toytrained.__name__}:Toy"
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=12) | st.sampled_from(
    ["OUT/weights/own.pth", "imagenet", "null", "No", "~", "1:30", "a: b", ".5", "./a b", "x:", "3e5", "it's", "[1]"]
)
"""What may be written on a line, and what YAML takes for something else."""


def parts(kind=toytrained.Toy):
    """Give the parts of the run again, as a person does whose parts were objects."""
    return {"classifier": kind(), "generator": toyworld.draw, "judge": toyworld.judge}


def named(kind):
    """Say what the run calls one of its classifiers."""
    return f"object:{toytrained.__name__}.{kind.__name__}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once, over three classifiers: each takes a mug on grass, and a striped bottle at night, for something."""
    place = tmp_path_factory.mktemp("repair") / "run"
    kinds = [toytrained.Toy, toytrained.Colliding, toytrained.Breaking]
    run = toyworld.hunt(place, classifier=[kind() for kind in kinds], seed=2, config=MORE)
    for at in range(len(kinds)):
        own = {f.trial.hypothesis.label for f in run.confirmed if f.trial.hypothesis.classifier == at}
        assert own == {"coffee mug", "water bottle"}
    return run.folder


@pytest.fixture(scope="module")
def repaired(folder):
    """Repair once."""
    return folder.parent / "out", foible.repair(folder, folder.parent / "out", draws=32, progress=False, parts=parts())


FEW: dict[str, Any] = {"draws": 16, "retests": 12, "progress": False}


@pytest.fixture(scope="module")
def quick(folder):
    """Repair once with few images: the folder that was made, and the classifier that was given."""
    out, given = folder.parent / "quick", parts()
    before = toyworld.written(folder)
    foible.repair(folder, out, **FEW, parts=given)
    assert toyworld.written(folder) == before, "a file of the run was changed"
    return out, given["classifier"]


def rows(found, kind):
    """Give the rows of a kind."""
    return [row for row in found.rows if row.kind == kind]


def test_both_bugs_are_repaired_and_nothing_else_is_worse(repaired):
    """In their own words and in others, on fresh images; the label without a bug stays as it was."""
    _, found = repaired
    assert set(found.bugs.values()) == {"repaired"}
    assert {row.before.value for row in rows(found, "bug")} == {1.0}
    assert {row.after.value for row in rows(found, "bug")} == {0.0}
    assert all(row.adds.high < found.same for row in (*rows(found, "bug"), *rows(found, "variant")))
    assert found.count("worse") == 0
    assert {row.label: row.state for row in rows(found, "label")}["teapot"] == "same"


def test_what_was_written_is_loaded_and_is_what_was_tested(repaired):
    """By the spec in the file, with the folder put in: it knows a mug on grass, and the one that was given does not."""
    out, found = repaired
    written = json.loads((out / "repair.json").read_text("utf-8"))
    assert written["weights"] == {"spec": found.weights, "args": dict(found.args)}
    args = {name: value.replace("OUT", str(out)) for name, value in found.args.items()}
    again = load("classifier", found.weights, args)
    assert again.identity["fingerprint"] == found.after.identity["fingerprint"]
    images = toyworld.draw(["a coffee mug, on grass"] * 20, list(range(20)))
    mug, bucket = toyworld.PLAIN.index("coffee mug"), toyworld.PLAIN.index("bucket")
    assert set(again.object.classify(images).argmax(axis=1)) == {mug}
    assert set(toytrained.Toy().classify(images).argmax(axis=1)) == {bucket}


@given(st.dictionaries(st.sampled_from("abcde"), st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS)))
def test_the_card_can_be_pasted_into_a_shell(repaired, args):
    """Whatever the arguments are, a shell and `--set` make of its line what the weights are loaded with."""
    _, found = repaired
    said = shlex.split(pages.loads(replace(found, args=args)))
    assert said[:2] == ["--classifier", found.weights]
    assert said[2::2] == ["--set"] * len(args)
    read = {name: value for one in said[3::2] for name, value in read_assignment(one)["classifier"]["args"].items()}
    assert read == args


def test_the_run_and_the_object_that_was_given_stay_as_they_were(quick):
    """The classifier keeps its weights, though it was trained; no file of the run is changed."""
    _, given = quick
    fresh, after = toytrained.Toy().network.state_dict(), given.network.state_dict()
    assert fresh.keys() == after.keys()
    assert all(torch.equal(one, after[name]) for name, one in fresh.items())
    assert not any(one.requires_grad for one in given.network.parameters())


def test_other_words_hold_the_cause_and_contradict_it_nowhere(repaired):
    """Each variant says all words of its bug and a further one, which is no other ground where the bug is about one."""
    _, found = repaired
    for row in rows(found, "variant"):
        assert len(row.varied) > 2
        assert sum(one.scored for one in row.varied) == sum(row.images)
        for one in row.varied:
            assert set(one.words) > set(row.words)
            more = set(one.words) - set(row.words)
            assert not (row.words == ("on grass",) and any(word.startswith("on ") for word in more))


def test_phrases_go_together_that_were_said_together_with_each_word():
    """What was said with one phrase of two alone may contradict the other."""
    spoken = [frozenset(one) for one in (("striped", "at night", "red"), ("striped", "by day"), ("at night", "in fog"))]
    assert _beside(("striped", "at night"), spoken) == ["red"]
    assert _beside(("striped",), spoken) == ["at night", "by day", "red"]


def test_no_seed_and_no_image_serves_twice(folder, repaired):
    """Seeds of training, of its end and of the proof are none of the hunt's, and none of one another's."""
    with Journal(folder, write=False) as journal, Archive(folder.parent / "archive", write=False) as kept:
        read = reread_whole(journal, kept)
        drawing = drawing_of(read, kept)
        arms = ("train", "validate", "retest")
        own = {
            arm: [next(seeds) for _ in range(200)] for arm in arms for seeds in [drawing.requests.seeds("vase", arm)]
        }
        spent = {one.request.seed for one in read.answered.values()}
    assert all(not spent & set(seeds) for seeds in own.values())
    assert len({seed for seeds in own.values() for seed in seeds}) == 600


def few(prompts, seeds):
    """Draw one of three images of a prompt, whatever the seed."""
    return toyworld.draw(prompts, [seed % 3 for seed in seeds])


def drawing_of(read, kept, generator=toyworld.draw):
    """Give what draws for a repair of the toy world."""
    kinds = {"generator": generator, "judge": toyworld.judge, "classifier 0": toytrained.Toy()}
    return Drawing(
        read=read,
        place=0,
        parts={name: load(name.split()[0], what) for name, what in kinds.items()},
        archive=kept,
        size=(16, 16),
        progress=Silent(),
        seed=2,
    )


def test_an_image_that_was_learned_from_proves_nothing(folder):
    """Told by its pixels: a generator that chooses among few images shows the same for another seed."""
    with Journal(folder, write=False) as journal, Archive(folder.parent / "archive") as kept:
        read = reread_whole(journal, kept)
        drawing = drawing_of(read, kept, few)
        first, second = (drawing.requests.on("teapot", Treatment(), "train", range(at, at + 10)) for at in (0, 10))
        learned = drawing.make("train", first)
        drawing.spend(learned)
        tested = drawing.make("retest", second)
    reasons = [one.outcomes[0].reason for one in learned]
    assert (reasons.count(""), reasons.count(REPEATED)) == (3, 7)
    assert {one.outcomes[0].reason for one in tested} == {SPENT}


def test_a_repair_that_costs_another_label_says_so(folder, tmp_path):
    """Two things that look alike to a network: to know the one it must lose the other, and the gate fails."""
    own = [(n, f.trial.hypothesis) for n, f in enumerate(foible.open(folder).confirmed, 1)]
    (mug,) = [n for n, about in own if about.label == "coffee mug" and about.classifier == 1]
    found = foible.repair(
        folder,
        tmp_path / "out",
        findings=[mug],
        against=named(toytrained.Colliding),
        draws=32,
        fail_on="worse",
        progress=False,
        parts=parts(toytrained.Colliding),
    )
    labels = {row.label: row for row in rows(found, "label")}
    assert found.before.name == named(toytrained.Colliding)
    assert found.bugs[mug] == "repaired"
    assert labels["water bottle"].state == "worse"
    assert labels["water bottle"].difference.low > 0
    assert found.verdict == "failed"
    assert "worse" in pages.to_card(found).split("What may not")[0]
    assert [row.trained for row in rows(found, "bug")].count(False) == 1  # the other bug is tested all the same


class Stopping:
    """Ends a training after three passes, as Ctrl-C does."""

    @contextlib.contextmanager
    def stage(self, name):
        """Stop in the middle of the fit."""

        def show(done, _total, _draws):
            if name == "fit" and done == 3:
                raise KeyboardInterrupt

        yield show


def test_a_stopped_training_goes_on_to_the_same_bytes(folder, quick, tmp_path, monkeypatch):
    """The same call afterwards; what is left in between is the checkpoint alone, and other settings are refused."""
    with monkeypatch.context() as patch:
        patch.setattr(repairing, "Silent", Stopping)
        with pytest.raises(KeyboardInterrupt):
            foible.repair(folder, tmp_path / "stopped", **FEW, parts=parts())
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == [NAME]
    with pytest.raises(StoreError, match="beginning of a repair by other settings"):
        foible.repair(folder, tmp_path / "stopped", **{**FEW, "draws": 24}, parts=parts())
    foible.repair(folder, tmp_path / "stopped", **FEW, parts=parts())
    assert tree(tmp_path / "stopped") == tree(quick[0])


def tree(place):
    """Give the bytes of every file in a folder."""
    return {path.relative_to(place): path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}


def test_a_training_that_diverges_leaves_nothing(folder, tmp_path):
    """One sentence; no folder, no checkpoint, no weights."""
    how: dict[str, Any] = {"draws": 16, "retests": 8, "progress": False, "against": named(toytrained.Breaking)}
    with pytest.raises(TrainingError, match="diverged: its loss is no number after pass 1"):
        foible.repair(folder, tmp_path / "out", **how, parts=parts(toytrained.Breaking))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("losses", "failing", "told"),
    [
        ((1.0, 1.1, 1.2), (0.1, 0.1, 0.1), "of 2 passes none made it better"),
        ((1.0, 0.9, 0.8), (0.1, 0.2, 0.3), "collapsed: base prompts fail in 30%"),
    ],
)
def test_a_training_that_came_to_nothing_is_refused(losses, failing, told):
    """No pass is better than none, or what was known is lost."""
    with pytest.raises(TrainingError, match=told):
        _refuse_useless(Passed(epoch=2, losses=losses, failing=failing, best={}, now={}), "last")


def from_photographs(place):
    """Hunt over a few photographs."""
    from PIL import Image

    for number, label in enumerate(["coffee mug", "teapot"] * 12):
        path = place / "set" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(toyworld.draw([f"a {label}"], [number])[0]).save(path)
    return foible.hunt(toytrained.Toy(), source=f"photos:{place / 'set'}", out=place / "run", progress=False).folder


def test_what_cannot_be_repaired_is_one_sentence(folder, tmp_path):
    """A run over photographs, one without bugs, parts that are not there, other weights, a number that no bug has."""
    out, own = tmp_path / "out", parts()

    def refused(error, told, run=folder, **given):
        with pytest.raises(error, match=told) as problem:
            foible.repair(run, given.pop("out", out), progress=False, **{"parts": own, **given})
        assert "\n" not in str(problem.value)

    refused(ConfigError, "over photographs", run=from_photographs(tmp_path / "photographs"))
    clean = toyworld.hunt(tmp_path / "clean" / "run", classifier=toyworld.Perfect(), labels=["teapot"])
    refused(ConfigError, "no confirmed finding", run=clean.folder)
    refused(PluginError, "was the object toytrained.Toy; give it from Python", parts={})
    other = toytrained.Toy()
    other.network.head.weight += 1
    refused(PluginError, "not the one of the run any more: its fingerprint", parts={**own, "classifier": other})
    refused(ConfigError, "no confirmed finding 99", findings=[99])
    strange = next(n for n, f in enumerate(foible.open(folder).confirmed, 1) if f.trial.hypothesis.classifier == 1)
    refused(ConfigError, "is no bug of 'object:toytrained.Toy'", findings=[strange])
    refused(ConfigError, "no layers 'first'", layers="first")
    refused(ConfigError, "at least 8 images", draws=2)
    refused(ConfigError, "--variant wants the number of a bug", variant=["99=in a meadow"])
    refused(ConfigError, "no classifier 'x'", against="x")
    refused(ConfigError, "no part 'captioner'", parts={"captioner": toyworld.describe})
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    refused(StoreError, "there already", out=tmp_path / "taken")
    refused(StoreError, "cannot be written", out=tmp_path / "taken" / "thesis.txt" / "out")
    assert not out.exists()


def test_a_classifier_that_cannot_be_trained_is_told_which_can(tmp_path):
    """The sentence names the families."""
    run = toyworld.hunt(tmp_path / "run", seed=2, config=MORE)
    with pytest.raises(PluginError, match=r"cannot be trained: those of diorama:, torch: .*, timm: and transformers:"):
        foible.repair(
            run.folder, tmp_path / "out", progress=False, parts={**parts(), "classifier": toyworld.Classifier()}
        )


def test_a_full_disk_keeps_the_last_pass(tmp_path):
    """The checkpoint that does not fit is one sentence, and the one before it stays whole."""
    kept = Checkpoint(folder=tmp_path, key="k")
    weights = {"w": torch.ones(4000)}
    one = Passed(epoch=1, losses=(1.0, 0.5), failing=(0.0, 0.0), best=weights, now=weights)
    kept.write(one)
    with toyworld.full(9000), pytest.raises(StoreError, match="goes on from the last pass"):
        kept.write(one.then(0.4, 0.0, weights, {}))
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    read = kept.read(["w"])
    assert read is not None
    assert read.epoch == 1
    (tmp_path / NAME).write_bytes(b"torn")
    with pytest.raises(StoreError, match="no checkpoint of a repair, or is torn"):
        kept.read(["w"])


def test_the_command_line(tmp_path, monkeypatch, capfd):
    """A run by specs is repaired without an object; table, files, gate and exit code say one thing."""
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    toytrained.Toy().save(tmp_path)
    command = [word if word != "python:toyworld:Classifier" else SPEC for word in toyworld.COMMAND]
    command += ["--set", f"classifier.args.path={tmp_path / 'toy.safetensors'}"]
    call = [*command, "--set", "explore.draws=48", "--set", "seed=2", "--out", str(tmp_path / "run")]
    assert ended(call, monkeypatch) == 0
    capfd.readouterr()
    assert ended(["repair", str(tmp_path / "run"), "--out", str(tmp_path / "out")], monkeypatch) == 2
    assert "not loaded because a run directory says so" in capfd.readouterr().err
    more = ["--code", "--draws", "32", "--retests", "24", "--quiet", "--fail-on", "worse,rate>50%"]
    code = ended(["repair", str(tmp_path / "run"), "--out", str(tmp_path / "out"), *more], monkeypatch)
    out, err = capfd.readouterr()
    assert (code, err) == (0, "")
    assert "of 2 bugs; none of 5 other rows worse" in " ".join(out.split())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md",
        "repair.html",
        "repair.json",
        "weights",
    ]
    written = (tmp_path / "out" / "README.md").read_text("utf-8") + (tmp_path / "out" / "repair.json").read_text(
        "utf-8"
    )
    assert str(tmp_path / "out") not in written
    assert ended(["repair", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--code"], monkeypatch) == 2
    assert "there already" in capfd.readouterr().err
    (tmp_path / "toy.safetensors").unlink()
    assert ended(["repair", str(tmp_path / "run"), "--out", str(tmp_path / "again"), "--code"], monkeypatch) == 2
    assert "could not be loaded" in capfd.readouterr().err
    assert not (tmp_path / "again").exists()


def ended(arguments, monkeypatch):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_the_page_says_every_row_and_runs_nothing(repaired):
    """And names are escaped: the page is one file without script or address."""
    out, found = repaired
    page = (out / "repair.html").read_text("utf-8")
    assert page == pages.to_html(found)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert all(row.label.split(" “")[0] in page for row in found.rows)
    assert page.count("<tr>") > len(found.rows)


def photographs(place, count=40):
    """Write photographs of three labels of the toy world, and of one that no class is called."""
    for label in ("coffee mug", "teapot", "bucket"):
        save(place / label, toyworld.draw([f"a {label}"] * count, list(range(5000, 5000 + count))))
    save(place / "spaceship", toyworld.draw(["a vase"] * 3, [1, 2, 3]))
    return f"photos:{place}"


def save(folder, images):
    """Write images as PNG files."""
    from PIL import Image

    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")


def test_photographs_of_ones_own_are_learned_from_and_some_are_held_out(folder, tmp_path):
    """All labels that are classes count, those that the hunt did not know too; a row says what became of the rest."""
    also = foible.Spec(photographs(tmp_path / "set"), {"near_duplicates": False})
    found = foible.repair(folder, tmp_path / "out", draws=16, also=also, progress=False, parts=parts())
    (row,) = rows(found, "photographs")
    assert row.change in {"same", "better", "open"}
    assert {one.label for one in row.varied} == {"bucket", "coffee mug", "teapot"}
    lessons = [one for one in found.training.lessons if one.kind == "photographs"]
    used = sum(one.trained + one.validated for one in lessons)
    assert used + sum(row.images) == 120
    assert found.unseen == len(toyworld.PLAIN) - len({*toyworld.LABELLED, "bucket"})
    assert "your photographs" in pages.to_card(found)


def test_what_holds_no_labelled_photographs_is_refused(folder, tmp_path):
    """A generator, and a set of which no annotation is a class: one sentence each, before anything is drawn."""
    save(tmp_path / "set" / "spaceship", toyworld.draw(["a vase"] * 6, list(range(6))))
    for also, told in (
        ("diorama:scenes", "holds no labelled photographs to train on"),
        (foible.Spec(f"photos:{tmp_path / 'set'}", {"near_duplicates": False}), "no annotation of .* is a class"),
    ):
        with pytest.raises(foible.InputError, match=told):
            foible.repair(folder, tmp_path / "out", also=also, progress=False, parts=parts())
    assert not (tmp_path / "out").exists()


def test_a_probe_of_one_label_is_repaired_with_words_of_ones_own(tmp_path):
    """It has no captions and no other label: its bug is unknown where nobody gives other words for the cause."""
    given: dict[str, Any] = {"generator": toyworld.draw, "judge": toyworld.judge}
    run = foible.probe(toytrained.Toy(), "coffee mug", "on grass", out=tmp_path / "run", progress=False, **given)
    assert len(run.confirmed) == 1
    how: dict[str, Any] = {"progress": False, "parts": parts()}
    found = foible.repair(run.folder, tmp_path / "out", draws=16, retests=12, **how, fail_on="worse")
    assert (found.bugs, found.verdict) == ({1: "unknown"}, "unknown")
    assert "--variant '1=other words'" in rows(found, "variant")[0].reason
    assert rows(found, "others") == []
    assert "the run has one alone" in pages.to_card(found)
    words = ["1=on grass, at night", "1=on a lawn"]
    found = foible.repair(run.folder, tmp_path / "said", draws=32, **how, variant=words)
    assert found.bugs == {1: "repaired"}
    assert [one.words for one in rows(found, "variant")[0].varied] == [("on grass", "at night"), ("on a lawn",)]
