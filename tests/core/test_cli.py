"""Promises of the command line: results on stdout, one sentence for what went wrong, and a code that can be trusted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import toyworld
from foible import __version__
from foible.cli import main
from foible.config import HuntConfig, declared, fields
from foible.parts.steady import ASKED
from foible.report import from_json

pytestmark = pytest.mark.xdist_group("cli")


COMMAND = [*toyworld.COMMAND, "--seed", "1"]
"""A hunt whose exploration shows both planted bugs."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with an archive that the hunts of this file share."""
    return tmp_path_factory.mktemp("cli")


@pytest.fixture
def foible(monkeypatch, capfd):
    """Give a function that runs the command line in this process: (code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return stop.value.code, out, err

    return call


def probe(place, description="on grass", name="probe"):
    """Give the arguments of a probe."""
    words = ["probe", "--quiet", "--out", place / name, "--set", "confirm.draws=20", "-d", description]
    for kind in ("classifier", "generator", "judge"):
        words += [f"--{kind}", toyworld.SPECS[kind]]
    return [*words, "--label", "coffee mug"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hnut"], "hunt"),
        (["hunt", "--labl", "x"], "--label"),
        (["hunt", "--label"], "requires an argument"),
        (["hunt", "--budget", "many"], "--budget"),
        (["hunt", "--budget", "0"], "the field 'budget' got 0"),
        (["hunt", "--fail-on", "refuted"], "never"),
        (["hunt", "extra"], "extra"),
        (["models", "--jsn"], "--json"),
        (["probe", "-d", "on grass"], "--label"),
        (["probe", "-l", "vase"], "--description"),
        (["config", "--set", "confirm.drwas=3"], "did you mean 'draws'?"),
        (["config", "--set", "confirm.draws"], "--set wants stage.key=value"),
        (["config", "--config", "none.yaml"], "the config file none.yaml cannot be read"),
        (["hunt", "--classifier", "tim:x"], "no classifier is called 'tim:x'"),
        (["hunt", "--classifier", "python:toyworld:Clasifier"], "did you mean 'Classifier'?"),
        ([*COMMAND, "--judge", "diorma:judge"], "did you mean 'diorama'?"),
        (["hunt", "--set", "generator.args.sze=3"], "takes no argument 'sze'; did you mean 'size'?"),
        ([*COMMAND, "--label", "coffe mug"], "there is no label 'coffe mug': did you mean 'coffee mug'?"),
        ([*COMMAND, "--label", "mug"], "there is no label 'mug': did you mean 'coffee mug'?"),
        ([*COMMAND, "--label", "teapot"], "the label 'teapot' is given twice"),
        ([*COMMAND, "--target", "vasse"], "there is no label 'vasse': did you mean 'vase'?"),
        ([*COMMAND, "--budget", "5"], "a budget of 5 draws cannot explore 3 labels; give at least 8"),
        ([*COMMAND, "--out", "/dev/null"], "/dev/null cannot be used"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_code_2(foible, tmp_path, monkeypatch, arguments, says):
    """A mistyped command, flag, field, spec, argument or label is one sentence on stderr, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    code, out, err = foible(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("foible: ")
    assert err.count("\n") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_there_is_help(foible):
    """`foible` alone shows what there is to do, as bad input; `--help` is no error."""
    code, out, err = foible()
    assert (code, err) == (2, "")
    assert all(command in out for command in ("hunt", "probe", "models", "config"))
    code, out, err = foible("hunt", "--help")
    assert (code, err) == (0, "")
    assert "--fail-on" in out


def test_the_version_is_printed(foible):
    """`foible --version` prints the version and nothing else."""
    assert foible("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("verb", ["hunt", "probe", "plan", "doctor"])
def test_help_says_of_every_flag_what_the_schema_says(foible, monkeypatch, verb):
    """Each flag of a field is shown with the field's own description; none is without a word."""
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = foible(verb, "--help")
    assert (code, err) == (0, "")
    words = " ".join(out.replace("│", " ").split())
    named = {"--classifier": "classifier", "--generator": "generator", "--judge": "judge"}
    if verb in {"hunt", "plan"}:
        named |= {"--budget,--max-draws": "budget", "--max-minutes": "max_minutes", "--label": "labels"}
    if verb in {"hunt", "probe"}:
        named |= {"--target": "failure.target", "--seed": "seed", "--out": "out", "--archive": "archive"}
    for flag, field in named.items():
        assert flag in words
        assert declared(field).description in words, flag
    assert "--config" in words
    assert "--set" in words


def test_a_hunt_prints_its_findings(foible, place):
    """A hunt that does its job ends with 0, bugs found or not: the findings as a table, and where the report is."""
    code, out, err = foible(*COMMAND, "--out", place / "hunt")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "2 confirmed of 2 tested" in words
    assert "on grass" in words
    assert "0 unscored" in words
    assert "classifier" not in words
    assert f"report: {place / 'hunt' / 'report.html'}" in out


def test_several_classifiers_are_told_apart(foible, place, monkeypatch):
    """`--classifier` given again adds one; then, and only then, the table has a column that names it."""
    arguments = [*COMMAND, "--classifier", "python:toyworld:Perfect"]
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = foible(*arguments, "--out", place / "several")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert re.search(r"verdict +classifier +label", out)
    assert "2 confirmed of 4 tested" in words
    result = from_json((place / "several" / "findings.json").read_text("utf-8"))
    assert [one.name for one in result.classifiers] == ["python:toyworld:Classifier", "python:toyworld:Perfect"]
    verdicts = [(f.trial.hypothesis.classifier, f.verdict) for f in result.findings]
    assert sorted(set(verdicts)) == [(0, "confirmed"), (1, "undecided")]  # twenty pairs refute nothing
    code, out, err = foible("plan", "--offline", *toyworld.COMMAND[2:], *arguments[-2:], "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["answers"]["classifier"] == 2 * (json.loads(out)["total"] + ASKED)


def test_a_probe_without_a_bug_says_what_its_draws_exclude(foible, place):
    """Where nothing is confirmed the largest difference that remains possible is printed too."""
    code, out, err = foible(*probe(place, "on snow", "bounds"))
    assert (code, err) == (0, "")
    assert "The description raises the failure rate by at most" in " ".join(out.split())


def test_json_is_the_findings_and_nothing_else(foible, place):
    """With `--json` stdout is exactly findings.json; the report and the rest are written all the same."""
    code, out, err = foible(*COMMAND, "--out", place / "hunt", "--json")
    assert (code, err) == (0, "")
    assert out.encode() == toyworld.written(place / "hunt")["findings.json"]
    assert json.loads(out)["schema"] == "foible/findings"
    assert len(from_json(out).findings) == 2


def test_progress_goes_to_stderr(foible, place):
    """Without `--quiet` every stage has its bar on stderr, and stdout is what it is with it."""
    arguments = [word for word in COMMAND if word != "--quiet"]
    code, out, err = foible(*arguments, "--out", place / "hunt", "--json")
    assert code == 0
    assert out.encode() == toyworld.written(place / "hunt")["findings.json"]
    assert all(stage in err for stage in ("explore", "embed", "caption", "follow", "test", "explain"))
    assert "left" in err


@pytest.mark.parametrize(("description", "code"), [("on grass", 1), ("on snow", 0)])
def test_a_gate_fails_on_what_is_confirmed(foible, place, description, code):
    """`--fail-on confirmed` ends with 1 where a finding is confirmed, with 0 where none is, and prints the same."""
    arguments = [*probe(place, description, description.replace(" ", "-")), "--fail-on", "confirmed"]
    got, out, err = foible(*arguments)
    assert (got, err) == (code, "")
    assert description in " ".join(out.split())
    assert foible(*arguments[:-2])[0] == 0


def test_config_prints_every_field_and_where_it_came_from(foible, tmp_path):
    """`foible config` shows every field with its value, origin and description, as a table and as JSON."""
    file = tmp_path / "hunt.yaml"
    file.write_text("seed: 4\nlabels: [coffee mug]\nclassifier: a:b\nother_classifiers: [{spec: c:d, args: {x: 1}}]\n")
    arguments = ["config", "--config", file, "--set", "confirm.draws=50"]
    code, out, err = foible(*arguments, "--json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert list(rows) == [name for name, _, _ in fields(HuntConfig())]
    told = "Where all randomness comes from."
    assert rows["seed"] == {"value": 4, "origin": str(file), "role": "decides", "description": told}
    assert rows["other_classifiers"]["value"] == [{"spec": "c:d", "args": {"x": 1}}]
    assert rows["confirm.draws"]["origin"] == "--set confirm.draws=50"
    assert rows["confirm.margin"]["origin"] == "default"
    code, out, err = foible(*arguments)
    assert (code, err) == (0, "")
    assert all(name in out for name in rows)
    code, out, _ = foible("config")
    words = " ".join(out.split())
    assert all(row["description"] in words for row in rows.values())


def test_models_lists_what_can_be_named(foible):
    """`foible models` lists every kind of plug-in, as a table and as one JSON object a line."""
    code, out, err = foible("models", "--json")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["kind"] for row in rows} == {"generator", "classifier", "captioner", "embedder", "judge"}
    assert any(row["spec"] == "diorama:scenes" for row in rows)
    code, out, err = foible("models")
    assert (code, err) == (0, "")
    assert "diorama:scenes" in out


def closed(*arguments, **options):
    """Run `foible` with a stdout, or also a stderr, whose reader has gone; give code and stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    process = toyworld.command(*arguments, stdout=writer, **(dict.fromkeys(options, writer)))
    os.close(writer)
    return toyworld.finished(process)


@pytest.mark.parametrize(
    "arguments", [["models"], ["models", "--json"], ["config"], ["config", "--json"]], ids=" ".join
)
def test_a_reader_that_leaves_is_no_failure(arguments):
    """`foible models | head` ends without a traceback and without a code that means anything else."""
    code, _, err = closed(*arguments)
    assert (code, err) == (0, "")


def test_a_reader_that_leaves_hides_no_failed_gate(place):
    """`foible probe --fail-on confirmed | head` still ends with 1; a closed stderr stops no hunt."""
    code, _, err = closed(*probe(place, name="on-grass"), "--fail-on", "confirmed")
    assert (code, err) == (1, "")
    arguments = [word for word in COMMAND if word != "--quiet"]
    code, _, _ = closed(*arguments, "--out", place / "unread", stderr=True)
    assert code == 0
    assert b'"confirmed"' in toyworld.written(place / "unread")["findings.json"]


def test_a_crash_keeps_its_traceback(tmp_path):
    """What foible did not expect is not dressed up as bad input: it keeps its traceback, and is no success."""
    python = ("-c", "import foible.cli, foible.hunting.prepare as p; p.resolve_labels = None; foible.cli.main()")
    code, out, err = toyworld.finished(toyworld.command(*COMMAND, "--out", tmp_path / "run", python=python))
    assert out == ""
    assert "Traceback" in err
    assert code == 1


def test_the_console_script_is_the_same_program():
    """The installed `foible` and `python -m foible` are one program."""
    script = subprocess.run(
        [str(Path(sys.executable).with_name("foible")), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    code, out, _ = toyworld.finished(toyworld.command("--version"))
    assert (code, out) == (0, script.stdout)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", out)
