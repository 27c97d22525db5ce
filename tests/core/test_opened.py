"""Promises of a run that is opened again: the same result, nothing drawn or loaded, other margins without a lie."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import sys
from collections import Counter

import numpy as np
import pytest

import foible
import toyworld
from foible.cli import main
from foible.hunting.finished import RunFinding
from foible.hunting.opening import write_again
from foible.report import from_json, sentence, summary, to_json
from foible.report.notebook import finding_html, run_html
from foible.statistics import e_adjusted, log_evidence
from report.anything import HOSTILE, poisoned
from report.results import nothing

SEQUENTIAL = {"confirm": {"method": "sequential"}}


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give a finished hunt of two classifiers, its archive beside it."""
    place = tmp_path_factory.mktemp("opened")
    both = [toyworld.Classifier(), toyworld.Perfect()]
    return toyworld.hunt(place / "run", both, seed=2, config=SEQUENTIAL)


@pytest.fixture
def command(monkeypatch, capfd):
    """Give a function that runs the command line in this process: (code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        return stop.value.code, *capfd.readouterr()

    return call


def test_what_is_opened_is_what_was_hunted(hunted):
    """The same result, number by number, and the same work; nothing in the run directory has changed."""
    before = toyworld.written(hunted.folder)
    opened = foible.open(hunted.folder)
    assert to_json(opened.result) == (hunted.folder / "findings.json").read_text("utf-8") == to_json(hunted.result)
    assert opened.spent == hunted.spent
    assert (opened.folder, opened.archive, len(opened)) == (hunted.folder, hunted.archive, len(hunted))
    assert opened.result.afterwards == {}
    assert toyworld.written(hunted.folder) == before


def test_opening_loads_no_model_library(hunted):
    """Opening, showing, writing again and the table of draws need neither torch nor transformers."""
    script = (
        "import sys, foible; run = foible.open(sys.argv[1]); run._repr_html_(); f = next(iter(run)); f.images(); "
        "f._repr_html_(); run.table(); from foible.hunting.opening import write_again; write_again(run); "
        "print(sorted({'torch', 'transformers', 'diffusers', 'timm'} & set(sys.modules)))"
    )
    code, out, err = toyworld.finished(toyworld.command(hunted.folder, python=("-c", script)))
    assert (code, out, err) == (0, "[]\n", "")


def test_the_table_has_every_draw_as_each_classifier_saw_it(hunted):
    """A row for each draw and classifier: arms, outcomes and predictions add up to those of the result."""
    pytest.importorskip("pyarrow")
    rows = foible.open(hunted.folder).table().to_pylist()
    names = [one.name for one in hunted.result.classifiers]
    assert Counter(row["classifier"] for row in rows) == dict.fromkeys(names, sum(hunted.result.draws.values()))
    own = [row for row in rows if row["classifier"] == names[0]]
    assert len({row["key"] for row in own}) == len(own)
    assert Counter(row["arm"] for row in own) == hunted.result.draws
    for one in hunted.result.explored[:3]:
        seen = Counter(r["outcome"] for r in own if (r["label"], r["arm"]) == (one.label, "explore"))
        assert (seen["failed"], seen["unscored"]) == (one.tally.failures, one.tally.unscored)
    for row in own:
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert row["classes"][0] == row["predicted"]
        assert row["score"] == row["scores"][0] == 1.0
        assert row["description"] in row["prompt"]
        assert len(row["image"]) == 64
    named = {row["predicted_name"] for row in own if row["outcome"] == "failed"}
    assert named <= {"bucket (vessel)", "vase (jar)"} or named <= {"bucket", "vase"}


def test_without_pyarrow_a_sentence_says_what_to_install(hunted, monkeypatch):
    """What is missing is named with the command that mends it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(foible.InputError, match=r'needs pyarrow.*pip install "foible\[table\]"'):
        hunted.table()


def test_a_finding_knows_its_images_and_its_sentence(hunted):
    """As many images as examples, the very pixels; the sentence is that of the report; equal findings are equal."""
    opened = foible.open(hunted.folder)
    for finding, plain in zip(opened.confirmed, hunted.result.findings, strict=False):
        assert isinstance(finding, RunFinding)
        assert isinstance(finding, foible.Finding)
        assert finding.sentence == sentence(plain, hunted.result)
        images = finding.images()
        assert len(images) == len(finding.failing) > 0
        assert all(toyworld.read(image).label == finding.trial.hypothesis.label for image in images)
        assert len(finding.images("paired")) == len(finding.paired)
        assert finding._repr_html_().count("<img ") == min(len(images), 6)
    assert list(opened) == list(hunted) == list(hunted.result.findings)
    assert set(opened) == set(hunted.result.findings)


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_notebook_shows_is_escaped(evil):
    """Whatever a stranger wrote is text in a notebook: no tag, no attribute of it stands in the HTML."""
    result = poisoned(evil)
    shown = run_html(result) + "".join(finding_html(f, result, nothing) for f in result.findings)
    allowed = ("div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "img")
    bare = shown
    for name in allowed:
        bare = bare.replace(f"<{name}>", "").replace(f"</{name}>", "")
    assert "<" not in bare
    assert ">" not in bare


@pytest.mark.parametrize("method", ["sequential", "fixed"])
def test_another_margin_decides_the_same_draws_anew(tmp_path, method):
    """The same draws and hypotheses; what is confirmed lies above the new margin; what it was is said, and undone."""
    run = toyworld.hunt(tmp_path / "run", seed=2, config={"confirm": {"method": method, "draws": 20}})
    assert run.confirmed
    strict = foible.open(run.folder, settings={"confirm.margin": 0.95})
    assert not strict.confirmed
    assert strict.result.draws == run.result.draws
    assert {f.trial.hypothesis: f.trial for f in strict} == {f.trial.hypothesis: f.trial for f in run}
    assert strict.result.afterwards == {"confirm.margin": 0.1}
    assert strict.result.settings["confirm.margin"] == 0.95
    assert "The margin was changed from 10 to 95 points" in summary(strict.result)
    assert ("The verdicts hold" in summary(strict.result)) == (method == "sequential")
    lenient = foible.open(run.folder, settings={"confirm.margin": 0.0, "confirm.level": 0.1})
    assert {f.trial.hypothesis for f in lenient.confirmed} >= {f.trial.hypothesis for f in run.confirmed}
    assert from_json(to_json(lenient.result)).afterwards == {"confirm.margin": 0.1, "confirm.level": 0.05}
    same = foible.open(run.folder, settings={"confirm.margin": 0.1})
    assert to_json(same.result) == to_json(run.result)
    fewer = foible.open(run.folder, settings={"report.examples": 1})
    assert fewer.result.afterwards == {}
    assert all(len(f.failing) <= 1 for f in fewer)


def test_a_margin_that_is_chosen_afterwards_keeps_the_false_discovery_rate():
    """Draws that stop by one margin, then the worst of ten margins: the mean share of false findings is at most 5 %."""
    dice = np.random.default_rng(3)
    margins = np.linspace(0.0, 0.45, 10)
    worst = []
    for _ in range(150):
        true = dice.choice([0.0, 0.1, 0.2, 0.3], size=20, p=[0.4, 0.3, 0.2, 0.1])
        steps = np.where(dice.random((30, 20)) < 0.1 + true, 1, 0) - np.where(dice.random((30, 20)) < 0.1, 1, 0)
        minus, zero, plus = (np.cumsum(steps == value, axis=0) for value in (-1, 0, 1))
        evidence = log_evidence(minus, zero, plus, 0.1)
        ahead = (evidence >= 3.0) | (np.arange(30)[:, None] == 29)
        stop = ahead.argmax(axis=0)
        lost, tied, won = (of[stop, np.arange(20)] for of in (minus, zero, plus))
        shares = []
        for margin in margins:
            called = e_adjusted(log_evidence(lost, tied, won, np.full(20, margin))) <= 0.05
            shares.append((called & (true <= margin)).sum() / max(called.sum(), 1))
        worst.append(max(shares))
    assert np.mean(worst) <= 0.05 + 3 * np.std(worst) / np.sqrt(len(worst))


def test_what_draws_hang_on_cannot_be_changed(hunted, tmp_path):
    """The sentence names what can; a value that cannot be is refused; other verdicts never replace the run's own."""
    with pytest.raises(foible.InputError, match=r"seed cannot be changed .*confirm\.margin, confirm\.level"):
        foible.open(hunted.folder, settings={"seed": 3})
    with pytest.raises(foible.InputError, match="margin"):
        foible.open(hunted.folder, settings={"confirm.margin": 2})
    other = foible.open(hunted.folder, settings={"confirm.margin": 0.3})
    with pytest.raises(foible.InputError, match="--out"):
        write_again(other)
    page = write_again(other, tmp_path / "again")
    assert "The margin was changed from 10 to 30 points" in page.read_text("utf-8").replace("\u00a0", " ")
    assert json.loads((tmp_path / "again" / "findings.json").read_text("utf-8"))["afterwards"]


def test_a_run_that_is_not_whole_is_refused_in_a_sentence(hunted, tmp_path):
    """One that is unfinished, whose archive lacks rows, or that is none: what to do is said, and nothing is made up."""
    shutil.copytree(hunted.folder.parent, tmp_path / "copy")
    run = tmp_path / "copy" / "run"
    with contextlib.closing(sqlite3.connect(run.parent / "archive" / "archive.sqlite")) as db, db:
        db.execute("DELETE FROM draws WHERE key IN (SELECT key FROM draws LIMIT 3)")
    with pytest.raises(foible.InputError, match=r"lacks .* foible verify"):
        foible.open(run)
    with pytest.raises(foible.InputError, match="--archive"):
        foible.open(run, archive=tmp_path / "nowhere")
    with pytest.raises(foible.InputError, match="no run directory"):
        foible.open(tmp_path)
    lines = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run / "journal.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))
    with pytest.raises(foible.InputError, match="not finished: the same command goes on"):
        foible.open(run)


def test_runs_are_listed_whatever_stands_in_them(hunted, tmp_path, command):
    """Finished, unfinished and damaged ones, each a row; a strange name means nothing to the terminal."""
    shutil.copytree(hunted.folder, tmp_path / "whole")
    for name in ("half\x1b[31m", "bad"):
        shutil.copytree(hunted.folder, tmp_path / name)
    lines = (hunted.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "half\x1b[31m" / "journal.jsonl").write_bytes(b"".join(lines[:-2]))
    (tmp_path / "bad" / "journal.jsonl").write_bytes(b"".join(lines[1:]))
    shutil.copytree(hunted.folder, tmp_path / "torn")
    (tmp_path / "torn" / "findings.json").write_text("{", encoding="utf-8")
    (tmp_path / "other").mkdir()
    code, out, err = command("runs", tmp_path)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "whole finished" in words
    assert "half·[31m unfinished" in words
    assert "bad damaged" in words
    assert "torn finished" in words
    assert "writes it again" in words
    assert "\x1b" not in out
    code, out, err = command("runs", tmp_path / "other")
    assert (code, "no run lies in" in out) == (0, True)
    assert command("runs", tmp_path / "nowhere")[0] == 2


def test_a_run_and_a_finding_are_shown(hunted, command):
    """The list has a number for each finding, and the number shows sentence, notes, reason and images."""
    code, out, err = command("show", hunted.folder)
    assert (code, err) == (0, "")
    assert f"{len(hunted)} " in out
    code, out, err = command("show", hunted.folder, "1")
    assert (code, err) == (0, "")
    assert hunted.confirmed[0].sentence in out
    assert out.count("failing: image ") == len(hunted.confirmed[0].failing)
    code, out, err = command("show", hunted.folder, "99")
    assert (code, out) == (2, "")
    assert "no number 99" in err
    assert command("show", hunted.folder.parent)[0] == 2


def test_files_are_written_again_by_the_command(hunted, tmp_path, command):
    """`foible report` gives the same bytes, and with --set another verdict elsewhere, with what that is worth."""
    before = toyworld.written(hunted.folder)
    (hunted.folder / "findings.md").unlink()
    code, out, err = command("report", hunted.folder)
    assert (code, err) == (0, "")
    assert toyworld.written(hunted.folder) == before
    code, out, err = command("report", hunted.folder, "--set", "confirm.margin=0.97", "--out", tmp_path / "again")
    assert (code, err) == (0, "")
    assert "0 confirmed of" in out
    assert "The verdicts hold" in " ".join(out.split())
    assert command("report", hunted.folder, "--set", "confirm.margin=0.97")[0] == 2
