"""Promises to a build: the fixture of pytest, and the recipes of `docs/suites.md`, give the verdict of `suite run`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import foible
import toyworld
from foible.cli import main

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODEL = """
import toyworld

load = toyworld.{}
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """Hunt once, and save the bugs: a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("builds")
    toyworld.hunt(place / "run", seed=2, config={"explore": {"draws": 48}})
    foible.save_suite(place / "run", place / "bugs.zip")
    return place / "bugs.zip"


def installed(place):
    """Make a folder in which Python finds foible's entry points as pip writes them, and its source."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["pytest11"]
    home = place / "foible_as_installed-0.0.0.dist-info"
    home.mkdir(parents=True)
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: foible-as-installed\nVersion: 0.0.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (home / "entry_points.txt").write_text(f"[pytest11]\n{lines}")
    return os.pathsep.join([str(place), str(Path(foible.__file__).parents[1]), str(ROOT / "tests")])


def test_the_fixture_gives_the_verdict_of_a_run_in_a_real_pytest(pytester, suite, monkeypatch):
    """It passes, fails with the rows, fails on what is unknown, and refuses a gate that cannot fail.

    The test on the page passes as it is written, for a model without the bugs.
    """
    monkeypatch.setenv("PYTHONPATH", installed(pytester.path / "site"))
    folder = pytester.mkdir("checks")
    shutil.copy(suite, folder / "bugs.zip")
    (folder / "test_bugs.py").write_text(
        "import toyworld\n"
        "def test_mended(foible_suite):\n"
        "    found = foible_suite('bugs.zip', classifier=toyworld.Perfect()).check('worse,rate>20%')\n"
        "    assert found.count('better') >= 2\n"
        "def test_back(foible_suite):\n"
        "    foible_suite('bugs.zip', classifier=toyworld.Classifier()).check('rate>20%')\n"
        "def test_unknown(foible_suite):\n"
        "    foible_suite('bugs.zip', classifier=toyworld.Perfect().classify).check('worse')\n"
        "def test_never(foible_suite):\n"
        "    foible_suite('bugs.zip', classifier=toyworld.Perfect()).check('never')\n"
        "def test_torn(foible_suite):\n"
        "    foible_suite('none.zip', classifier=toyworld.Perfect()).check('worse')\n"
    )
    (page,) = [text for _, text in BLOCK.findall(PAGE) if text.startswith("# test_old_bugs.py")]
    (folder / "test_old_bugs.py").write_text(page)
    (folder / "my_model.py").write_text(MODEL.format("Perfect"))
    done = pytester.runpytest_subprocess("checks")
    done.assert_outcomes(passed=2, failed=4)
    said = done.stdout.str()
    assert "the gate rate>20% fails on 2 of 2 rows" in said
    assert "coffee mug “on grass”: its failure rate is surely above 0.2" in said
    assert "the gate worse says nothing of 4 of 4 rows, which have not passed" in said
    assert "can fail on nothing; say worse, open or rate>20%" in said
    assert "there is no suite at none.zip" in said


def test_the_plug_in_imports_nothing_heavy():
    """Pytest loads it in every project: only a test that uses it pays for it."""
    heavy = {"numpy", "torch", "scipy", "PIL", "pydantic", "rich", "typer", "yaml"}
    script = f"import sys, foible.pytest_plugin; print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- recipes -------------------------------------------------------------------------------------------------------


def recipes():
    """Give the recipes of the page by their file's name, read as YAML."""
    blocks = [text for language, text in BLOCK.findall(PAGE) if language == "yaml"]
    return {text.splitlines()[0].removeprefix("# "): yaml.safe_load(text) for text in blocks}


def commands(recipe):
    """Give the lines that a recipe runs."""
    if "jobs" in recipe:
        return [step["run"] for job in recipe["jobs"].values() for step in job["steps"] if "run" in step]
    return [line for job in recipe.values() if "script" in job for line in job["script"]]


@pytest.fixture
def project(tmp_path, suite, monkeypatch):
    """Go to a project with a suite under tests/, whose model is one of the toy world's: gives what chooses it."""
    (tmp_path / "tests").mkdir()
    shutil.copy(suite, tmp_path / "tests" / "bugs.zip")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.syspath_prepend(str(tmp_path))

    def choose(model):
        (tmp_path / "my_model.py").write_text(MODEL.format(model))
        monkeypatch.delitem(sys.modules, "my_model", raising=False)
        return tmp_path

    yield choose
    sys.modules.pop("my_model", None)


@pytest.mark.parametrize("model", ["Perfect", "Classifier"])
@pytest.mark.parametrize("name", [".github/workflows/old-bugs.yml", ".gitlab-ci.yml"])
def test_a_recipe_stops_a_build_in_which_an_old_bug_is_there(project, monkeypatch, capfd, name, model):
    """Its commands are run as written: the last one ends with the verdict, and leaves the files that it uploads."""
    code = 1 if model == "Classifier" else 0
    place = project(model)
    recipe = recipes()[name]
    ran = [shlex.split(line) for line in commands(recipe)]
    assert ran[0] == ["python", "-m", "pip", "install", "foible"]
    ended = []
    for words in ran[1:]:
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        ended.append(stop.value.code)
    assert [ended.pop(), set(ended) - {0}] == [code, set()]
    for upload in re.findall(r"build/[\w.]+", str(recipe)):
        assert (place / upload).stat().st_size > 0
    assert "on grass" in capfd.readouterr().out


def test_a_recipe_may_read_and_upload_and_no_more():
    """No job is given another right, and no action is without its major version."""
    recipe = recipes()[".github/workflows/old-bugs.yml"]
    assert recipe["permissions"] == {"contents": "read", "security-events": "write"}
    used = [step["uses"] for job in recipe["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"(?:actions|github)/[\w/-]+@v\d+", action)] == []


def test_every_command_of_the_page_is_one(suite, monkeypatch, capfd, tmp_path):
    """Each line of a shell, with the names of this place and a model of the toy world."""
    monkeypatch.chdir(suite.parent)
    shutil.copytree(suite.parent, tmp_path / "copy", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "copy")
    Path("bugs.zip").unlink()
    lines = [line for language, text in BLOCK.findall(PAGE) if language == "sh" for line in text.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line, comments=True)
        if "diff" in words:
            shutil.copy("bugs.zip", "newer.zip")
        names = {"runs/hunt": "run", "torch:next.pt2": "python:toyworld:Perfect"}
        monkeypatch.setattr(sys, "argv", [names.get(word, word) for word in words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 0, capfd.readouterr().err
