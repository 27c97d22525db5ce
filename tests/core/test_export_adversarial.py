"""Promises of an adversarial set: fresh images on which one classifier fails, and honest rates beside them."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from collections import Counter
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible import pixels
from foible.act.sets import told
from foible.act.sets.collect import Means, collect, even, even_by_label, rows_of
from foible.act.shown import place_of
from foible.arms import COLLECT
from foible.cli import main
from foible.errors import ConfigError, PluginError, StoreError
from foible.hunting.replay import reread_whole
from foible.identity import seed_stream
from foible.records import Answered, Draw, Hypothesis, Outcome, Request, Treatment
from foible.run.archive import Archive
from foible.run.journal import Journal

PARTS = {"classifier": toyworld.Classifier(), "generator": toyworld.draw, "judge": toyworld.judge}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("adversarial") / "run"
    assert len(toyworld.hunt(place, seed=2).confirmed) >= 2
    return place


def made(folder, out, size=24, **given):
    """Make a set in silence, with the parts of the toy world."""
    return foible.export_adversarial(folder, out, **{"size": size, "parts": PARTS, "progress": False, **given})


def table(out):
    """Read the table of an image folder."""
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(folder):
    """Read a run again."""
    with Journal(folder, write=False) as journal, Archive(folder.parent / "archive", write=False) as kept:
        return reread_whole(journal, kept)


def probed(place, classifier, words):
    """Probe a mug."""
    foible.probe(
        classifier,
        "coffee mug",
        words,
        generator=toyworld.draw,
        judge=toyworld.judge,
        out=place,
        progress=False,
        config={"batch": 8},
    )


def whole(out):
    """Give the bytes of every file of a folder."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_every_image_fails_is_new_and_shows_its_label(folder, tmp_path):
    """The toy classifier fails on each; none has the pixels or the seed of any draw of the run."""
    found = made(folder, tmp_path / "set")
    rows, known = table(tmp_path / "set"), read(folder).answered.values()
    assert found.exported.images == len(rows) == len({row["pixel_hash"] for row in rows}) == found.size == 24
    assert not {row["pixel_hash"] for row in rows} & {one.draw.image for one in known}
    assert not {int(row["seed"]) for row in rows} & {one.request.seed for one in known}
    for row in rows:
        scene = toyworld.read(pixels.read_file(tmp_path / "set" / row["file_name"]))
        assert scene.label == row["label"]
        assert toyworld.Classifier().answer(scene) == row["predicted"] != row["label"]
        assert (row["outcome"], row["arm"]) == ("failed", "collect")
        assert int(row["seed"]) in set(islice(seed_stream(2, COLLECT, row["label"]), 400))
    counts = Counter(row["label"] for row in rows)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert told.shortfalls(found) == []


def test_no_seed_serves_two_bugs_of_a_label(folder, tmp_path):
    """Each bug of a label draws seeds of its own, so that no scene is in the set twice with other words."""
    made(folder, tmp_path / "set", size=40)
    rows = table(tmp_path / "set")
    assert len({(row["label"], row["seed"]) for row in rows}) == len(rows)


def test_another_seed_makes_another_set(folder, tmp_path):
    """Nothing of the second is in the first; the first comes out again to the byte."""
    for name, seed in (("one", None), ("two", 77), ("again", None)):
        made(folder, tmp_path / name, seed=seed)
    one, two = ({row["pixel_hash"] for row in table(tmp_path / name)} for name in ("one", "two"))
    assert not one & two
    assert whole(tmp_path / "one") == whole(tmp_path / "again")


def test_a_larger_set_holds_the_smaller_one(folder, tmp_path):
    """With more images wanted the same ones come first, and what is drawn already is not drawn again."""
    made(folder, tmp_path / "small", size=10)
    made(folder, tmp_path / "large", size=30)
    small, large = ({row["pixel_hash"] for row in table(tmp_path / name)} for name in ("small", "large"))
    assert small < large


def test_formats_and_closeness_are_those_of_an_export(folder, tmp_path):
    """The same formats are written, and what an embedder places close together is taken once."""
    pytest.importorskip("pyarrow")
    found = made(
        folder, tmp_path / "set", size=40, form="parquet", distinct=0.99, embedder=toyworld.embed, max_draws=80
    )
    assert (tmp_path / "set" / "data.parquet").is_file()
    assert found.exported.alike > 0
    assert "too much like another" in (tmp_path / "set" / "README.md").read_text("utf-8")


# --- how often classifiers fail --------------------------------------------------------------------------------------


class Half(toyworld.Classifier):
    """Fails on every other mug on grass, by its pixels and by nothing that a caption tells."""

    def classify(self, images):
        """Score one class 1 and the others 0."""
        scores = super().classify(images)
        right = toyworld.Perfect().classify(images)
        return np.where([[image[1, 0, 1] % 2 == 0] for image in images], scores, right)


def test_rates_stand_before_and_after_the_choice(tmp_path):
    """A classifier that fails in half of the images of its bug fails on all of the set, and is said to fail in half."""
    probed(tmp_path / "run", Half(), "on grass")
    parts = {**PARTS, "classifier": Half()}
    found = made(tmp_path / "run", tmp_path / "set", size=80, parts=parts, classifiers=[toyworld.Perfect(), Half()])
    own, other = found.before  # Half is the classifier itself, and is asked once
    assert own.images == 80
    assert own.rate.low < 0.5 < own.rate.high < 0.7
    assert found.draws > 100
    assert (other.rate.value, other.images) == (0.0, 80)
    (on,) = found.exported.fails
    assert (on.rate.value, on.images) == (0.0, 80)
    text = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "100 %, by choice" in text
    assert "no rate of it" in text
    document = json.loads(told.adversarial_json(found))
    assert [one["made_for"] for one in document["classifiers"]] == [True, False]
    assert document["classifiers"][0]["on_set"] is None
    assert document["classifiers"][0]["before"]["value"] == own.rate.value


def test_a_classifier_without_the_label_is_asked_about_the_others(folder, tmp_path):
    """It counts over the images whose label it has; nobody guesses a class for it."""

    class Fewer(toyworld.Perfect):
        def __init__(self):
            self.labels = [name for name in toyworld.NAMES if not name.startswith("coffee mug")]

        def classify(self, images):
            keep = [at for at, name in enumerate(toyworld.NAMES) if name in self.labels]
            return super().classify(images)[:, keep]

    found = made(folder, tmp_path / "set", classifiers=[Fewer()])
    counts = Counter(row["label"] for row in table(tmp_path / "set"))
    assert 0 < found.exported.fails[0].images == sum(n for label, n in counts.items() if label != "coffee mug") < 24


# --- what is drawn, by itself ----------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.lists(st.integers(0, 20), max_size=8))
def test_an_even_share_is_as_even_as_limits_allow(total, most):
    """No share is above its limit, nothing is left that could be given, and nobody below the limit has less by two."""
    shares = even(total, most)
    assert all(0 <= share <= limit for share, limit in zip(shares, most, strict=True))
    assert sum(shares) == min(total, sum(most))
    below = [share for share, limit in zip(shares, most, strict=True) if share < limit]
    assert all(max(shares) - share <= 1 for share in below)


@given(st.integers(0, 60), st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), min_size=1, max_size=8))
def test_labels_share_evenly_whatever_their_number_of_bugs(total, rows):
    """Over the sums of labels the same holds as over single limits."""
    labels, most = [label for label, _ in rows], [limit for _, limit in rows]
    shares = even_by_label(total, labels, most)
    names = list(dict.fromkeys(labels))
    sums = [
        [sum(n for own, n in zip(labels, of, strict=True) if own == name) for name in names] for of in (shares, most)
    ]
    assert sums[0] == even(total, sums[1])


class Coins:
    """Draws of which each fails by a chance of its bug, out of so many images."""

    def __init__(self, chances, seed, images=10**9, rejected=0.0):
        self._chances, self._chance = chances, np.random.default_rng(seed)
        self._images, self._rejected = images, rejected
        self._seen = set()

    def draw(self, finding, seeds):
        """Draw."""
        found = []
        for seed in seeds:
            image = f"{finding.trial.hypothesis.description}-{seed % self._images}"
            fails = self._chance.random() < self._chances[finding.trial.hypothesis.description]
            status: Any = "unscored" if self._chance.random() < self._rejected else "failed" if fails else "passed"
            request = Request(key=str(seed), label="mug", treatment=Treatment(), seed=seed, arm="collect", text="")
            draw = Draw(request=request, image=image)
            found.append((Answered(draw=draw, outcomes=(Outcome(status=status),)), image not in self._seen))
            self._seen.add(image)
        return found


@pytest.fixture(scope="module")
def bug(folder):
    """Give one confirmed finding, of which others are made."""
    return next(f for f in read(folder).result.findings if f.verdict == "confirmed")


def collected(bug, chances, size, most, **coins):
    """Collect images of bugs that fail by chance; give the rows."""
    bugs = []
    for number, words in enumerate(chances, 1):
        about = Hypothesis(label=f"label {words}", treatment=Treatment(words=(words,)), score=1.0)
        bugs.append((number, replace(bug, trial=replace(bug.trial, hypothesis=about))))
    rows = rows_of(bugs, [count() for _ in bugs], size, most)
    collect(rows, size, Means(draws=Coins(chances, **coins), apart=None, batch=16, told=lambda _done, _drawn: None))
    return rows


def test_the_rate_before_any_choice_is_no_rate_of_the_choice(bug):
    """Over 400 sets the mean of that rate is the true one; the share of images kept of all that were drawn is above it.

    That share stops on a failure, so that it is too high on average; the draws before any choice are fixed beforehand.
    """
    before, kept = [], []
    for seed in range(400):
        (row,) = collected(bug, {"on grass": 0.3}, 4, 10_000, seed=seed)
        failed = [one.outcomes[0].status == "failed" for one in row.seen]
        assert len(row.sample) == 4
        before.append(np.mean(failed[:4]))
        kept.append(4 / (1 + np.flatnonzero(failed)[3]))
    assert abs(np.mean(before) - 0.3) < 4 * (0.3 * 0.7 / 4 / 400) ** 0.5
    assert np.mean(kept) > 0.3 + 4 * np.std(kept) / 400**0.5


def test_a_bug_that_hardly_fails_costs_no_other_its_share(bug):
    """It comes to the end of its draws; others fill the set up, and what lacks of it is said."""
    rows = collected(bug, {"on grass": 0.9, "at night": 0.0, "in fog": 0.8}, 60, 600, seed=1)
    assert [row.images for row in rows] == [30, 0, 30]
    assert [row.share for row in rows] == [20, 20, 20]
    assert len(rows[1].seen) == 200
    assert sum(len(row.seen) for row in rows) < 320


def test_no_more_is_drawn_than_may_be(bug):
    """The limit is shared out, and reached by whoever does not fill its share."""
    rows = collected(bug, {"on grass": 0.05, "at night": 0.1}, 100, 201, seed=3)
    assert [len(row.seen) for row in rows] == [101, 100]
    assert all(row.images == len(row.kept) < 50 for row in rows)
    few = collected(bug, {"on grass": 1.0, "at night": 1.0}, 100, 10, seed=3)
    assert [(len(row.seen), row.images, len(row.sample)) for row in few] == [(5, 5, 5), (5, 5, 5)]


def test_what_a_judge_rejects_is_in_no_set(bug):
    """Unscored draws are counted before any choice, and kept by nobody."""
    (row,) = collected(bug, {"on grass": 1.0}, 50, 500, seed=3, rejected=0.5)
    assert row.images == 50
    assert len(row.seen) > 70
    assert {one.seen.outcome.status for one in row.kept} == {"failed"}


def test_a_source_that_has_run_out_is_not_asked_for_ever(bug):
    """Of forty images each counts once; then the bug is closed long before its draws are used up."""
    (row,) = collected(bug, {"on grass": 1.0}, 100, 1_000, seed=3, images=40)
    assert row.images == 40
    assert row.dry
    assert len(row.seen) < 100


# --- ends ------------------------------------------------------------------------------------------------------------


def few(prompts, seeds):
    """Draw one of two hundred images of each prompt."""
    return toyworld.draw(prompts, [seed % 200 for seed in seeds])


def test_a_set_that_is_short_says_so_everywhere(tmp_path):
    """Of a generator with two hundred images a prompt number that lacks, and why, stand in result, card and JSON."""
    toyworld.hunt(tmp_path / "run", seed=2, generator=few)
    found = made(tmp_path / "run", tmp_path / "set", size=400, parts={**PARTS, "generator": few})
    assert 0 < found.exported.images < 400
    assert found.lacking == 400 - found.exported.images
    first, *each = told.shortfalls(found)
    assert first.startswith(f"{found.lacking} images of 400 lack")
    assert all("shows no new image" in one for one in each)
    assert len(each) == len(found.bugs)
    text = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "images of 400 lack" in text
    assert json.loads(told.adversarial_json(found))["lacking"] == found.lacking
    known = {one.draw.image for one in read(tmp_path / "run").answered.values()}
    assert not known & {row["pixel_hash"] for row in table(tmp_path / "set")}


class Stops:
    """Draws as the toy world does, and is interrupted after so many images."""

    def __init__(self, after):
        self.left = after

    def draw(self, prompts, seeds):
        """Draw."""
        self.left -= len(prompts)
        if self.left < 0:
            raise KeyboardInterrupt
        return toyworld.draw(prompts, seeds)


class Same:
    """The generator of the run: the same whatever is left of it."""

    fingerprint = "the toy world"

    def __init__(self, after):
        self._inner = Stops(after)

    def draw(self, prompts, seeds):
        """Draw."""
        return self._inner.draw(prompts, seeds)


def test_a_call_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    """To the byte, and what was drawn before is not drawn again."""
    toyworld.hunt(tmp_path / "run", seed=2, generator=Same(10**9))
    for after in (9, 20):
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "run", tmp_path / "set", size=60, parts={**PARTS, "generator": Same(after)})
    assert not (tmp_path / "set").exists()
    assert not list(tmp_path.glob(".foible-*"))
    made(tmp_path / "run", tmp_path / "set", size=60, parts={**PARTS, "generator": Same(10**9)})
    with sqlite3.connect(tmp_path / "archive" / "archive.sqlite") as db:
        before = db.execute("SELECT COUNT(*) FROM draws").fetchone()
    made(tmp_path / "run", tmp_path / "again", size=60, parts={**PARTS, "generator": Same(0)})
    with sqlite3.connect(tmp_path / "archive" / "archive.sqlite") as db:
        assert db.execute("SELECT COUNT(*) FROM draws").fetchone() == before
    assert whole(tmp_path / "set") == whole(tmp_path / "again")
    toyworld.hunt(tmp_path / "other" / "run", seed=2, generator=Same(10**9))
    made(tmp_path / "other" / "run", tmp_path / "whole", size=60, parts={**PARTS, "generator": Same(10**9)})
    assert whole(tmp_path / "set") == whole(tmp_path / "whole")


def test_a_full_disk_is_one_sentence_and_costs_nothing(tmp_path):
    """No folder is there, and the same call goes on when there is room."""
    toyworld.hunt(tmp_path / "run", seed=2)
    archive = tmp_path / "archive" / "archive.sqlite"
    with toyworld.full(archive.stat().st_size + 8192), pytest.raises(StoreError, match=r"disk|cannot be written|full"):
        made(tmp_path / "run", tmp_path / "set", size=400)
    assert not (tmp_path / "set").exists()
    assert not list(tmp_path.glob(".foible-*"))
    assert made(tmp_path / "run", tmp_path / "set", size=400).exported.images == 400


def test_what_cannot_be_made_is_one_sentence_and_draws_nothing(folder, tmp_path):
    """A typo, a number that is none, a folder that is taken, a part that does not load: before the first draw."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    archive = folder.parent / "archive" / "archive.sqlite"
    with sqlite3.connect(archive) as db:
        before = db.execute("SELECT COUNT(*) FROM draws").fetchone()
    wrong: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (ConfigError, "imagefolder", {"form": "imagefoldr"}),
        (ConfigError, "at least 1 image", {"size": 0}),
        (ConfigError, "at least 1 draw", {"max_draws": 0}),
        (ConfigError, "no part 'captioner' is taken", {"parts": {"captioner": toyworld.describe}}),
        (ConfigError, "no confirmed finding 77", {"findings": [77]}),
        (ConfigError, "no classifier 'nobody'", {"against": "nobody"}),
        (PluginError, "give it from Python", {"parts": {}}),
        (PluginError, "no classifier", {"classifiers": ["torhc:x.pt"]}),
    ]
    for kind, said, asked in wrong:
        with pytest.raises(kind, match=said):
            made(folder, tmp_path / "set", **asked)
    with pytest.raises(StoreError, match="there already"):
        made(folder, tmp_path)
    with sqlite3.connect(archive) as db:
        assert db.execute("SELECT COUNT(*) FROM draws").fetchone() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_run_without_a_bug_has_no_set(tmp_path):
    """There is nothing to draw, and one sentence says so."""
    toyworld.hunt(tmp_path / "run", toyworld.Perfect(), seed=2)
    with pytest.raises(ConfigError, match="no confirmed"):
        made(tmp_path / "run", tmp_path / "set", parts={**PARTS, "classifier": toyworld.Perfect()})


def test_a_set_is_made_for_one_classifier_of_several(tmp_path):
    """The bugs of the other one are left out; a number of one of these is refused."""
    run = toyworld.hunt(tmp_path / "run", [toyworld.Perfect(), toyworld.Classifier()], seed=2)
    name = run.result.classifiers[1].name
    with pytest.raises(ConfigError, match="no confirmed bug of"):
        made(tmp_path / "run", tmp_path / "set", parts={**PARTS, "classifier": toyworld.Perfect()})
    with pytest.raises(ConfigError, match="is no bug of"):
        made(tmp_path / "run", tmp_path / "set", findings=[1], parts={**PARTS, "classifier": toyworld.Perfect()})
    found = made(tmp_path / "run", tmp_path / "set", against=name)
    assert found.classifier == name
    assert {row["classifier"] for row in table(tmp_path / "set")} == {name}
    assert place_of(read(tmp_path / "run"), name) == 1


# --- the command line ------------------------------------------------------------------------------------------------


def called(monkeypatch, arguments):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


HUNTED = [word.replace("python:toyworld:Slow", "python:toyworld:draw") for word in toyworld.COMMAND]


def test_one_command_hunts_and_ends_with_a_set(tmp_path, monkeypatch, capfd):
    """With --of the hunt comes first, by the fields that a hunt takes; the same command goes on with it."""
    fields = [word for at, word in enumerate(HUNTED) if HUNTED[at - 1] == "--set" or word == "--set"]
    named = [f"{kind}={spec}" for kind, spec in toyworld.SPECS.items() if kind not in {"classifier", "generator"}]
    named += ["generator=python:toyworld:draw", "seed=2"]
    arguments = [
        "export",
        tmp_path / "run",
        "--adversarial",
        "--size",
        12,
        "--of",
        toyworld.SPECS["classifier"],
        *fields,
    ]
    arguments += [word for label in toyworld.LABELLED for word in ("--label", label)]
    arguments += [word for one in named for word in ("--set", one)]
    arguments += ["--code", "--quiet", "--classifier", "python:toyworld:Perfect"]
    assert called(monkeypatch, [*arguments, "--out", tmp_path / "set"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "12 images in" in out
    assert "Perfect fails on 0 %" in out
    assert "before any choice" in out
    assert called(monkeypatch, [*arguments, "--out", tmp_path / "again", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["images"], document["lacking"]) == (12, 0)
    assert whole(tmp_path / "set") == whole(tmp_path / "again")
    short = [str(word) if word != 12 else "500" for word in arguments]
    assert called(monkeypatch, [*short, "--max-draws", 40, "--out", tmp_path / "short"]) == 0
    out, err = capfd.readouterr()
    assert "images of 500 lack: 40 draws of at most 40 were made" in err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--max-draws", 9], "--max-draws is for an adversarial set"),
        (["--code"], "--code is for an adversarial set"),
        (["--of", "diorama:reference"], "--of is for an adversarial set"),
        (["--adversarial"], "with --size"),
        (["--adversarial", "--size", 9, "--draws", "both"], "leave --draws out"),
        (["--adversarial", "--size", 9, "--of", "x:y", "--max-requests", 3], "hunt first"),
    ],
)
def test_flags_that_do_not_go_together_are_one_sentence(tmp_path, monkeypatch, capfd, given, said):
    """Nothing is ignored in silence, and nothing is written."""
    assert called(monkeypatch, ["export", tmp_path / "run", "--out", tmp_path / "set", *given]) == 2
    assert said in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_told_to_machines_too(folder, tmp_path, monkeypatch, capfd):
    """The plain export has JSON with the counts of each bug."""
    assert called(monkeypatch, ["export", folder, "--out", tmp_path / "set", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["images"] == sum(one["images"] for one in document["bugs"]) == len(table(tmp_path / "set"))


def test_names_of_a_stranger_change_nothing_in_card_or_terminal(tmp_path, monkeypatch, capfd):
    """A label and a description full of markup and escapes stay text, and name no file elsewhere."""
    words = "on grass | **x** <script>alert(1)</script> [a](b)"
    probed(tmp_path / "run", toyworld.Classifier(), words)
    found = made(tmp_path / "run", tmp_path / "set", size=5)
    assert found.exported.images == 5
    text = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "<script>" not in text
    assert "**x**" not in text
    assert all(len(line.split(" | ")) == 8 for line in text.splitlines() if line.startswith("| 1 |"))
