"""What stands around the package agrees with itself: metadata, pinned versions, the workflow, the site's pages."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from pathlib import Path

import yaml
from pydantic import BaseModel

import foible
from foible import testing
from foible.parts import protocols

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
JOBS = WORKFLOW["jobs"]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def name_of(requirement):
    """Give the name that a line of requirements is about, as the index spells it."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def pinned():
    """Give the lines of `constraints.txt`, by name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert len({name_of(line) for line in lines}) == len(lines)
    return {name_of(line): line for line in lines}


def test_every_requirement_has_one_pinned_version():
    """What is asked for has a line in `constraints.txt`, so that an environment of `make` is the same everywhere."""
    asked = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    assert {name_of(line) for line in asked} - {"foible"} <= set(pinned())


def test_the_versions_of_python_are_those_that_are_tested():
    """The classifiers name the versions of Python that the workflow tests, from the oldest that is allowed."""
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert named == JOBS["tests"]["strategy"]["matrix"]["python"] == JOBS["portable"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_the_licence_is_said_once():
    """The licence is an SPDX expression: a classifier beside it is refused by the build backend."""
    assert PROJECT["license"] == "Apache-2.0"
    assert not any(line.startswith("License ::") for line in PROJECT["classifiers"])


def test_the_workflow_runs_targets_and_tests_that_exist():
    """A renamed test or target would be left out of the workflow, or fail there alone."""
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = [step["run"] for step in STEPS if "run" in step]
    made = {word for line in commands if line.startswith("make ") for word in re.findall(r"[a-z-]+", line[5:])}
    assert made - {"matrix", "python"} <= targets
    assert {"lint", "types", "unit", "coverage", "docs"} <= made
    paths = [word for line in commands for word in line.split() if word.startswith("tests/")]
    assert "tests/project" in paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_workflow_may_read_and_no_more():
    """No job is given rights to write, and no action is without its major version."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []


def test_the_hooks_are_tools_of_the_environment():
    """The hooks run what `make` installs: nothing is downloaded, and no version differs from the workflow's."""
    assert {repo["repo"] for repo in HOOKS["repos"]} == {"local"}
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for repo in HOOKS["repos"] for hook in repo["hooks"]}
    assert tools == {"ruff", "mypy"}
    assert tools <= {name_of(line) for line in PROJECT["optional-dependencies"]["dev"]}


def test_the_reference_names_everything_that_is_public():
    """`docs/reference.rst` has each name of `foible`, each protocol, and what `foible.testing` offers."""
    page = (ROOT / "docs" / "reference.rst").read_text(encoding="utf-8")
    there = set(re.findall(r"^\.\. auto\w+:: (\S+)$", page, re.MULTILINE))
    wanted = {f"foible.{name}" for name in foible.__all__ if name != "__version__"}
    for module in (protocols, testing):
        for name, thing in vars(module).items():
            if str(getattr(thing, "__module__", "")).startswith(module.__name__) and not name.startswith("_"):
                wanted.add(f"{module.__name__}.{name}")
    assert wanted - there == set()
    assert {name for name in there if name.startswith(("foible.parts.protocols.", "foible.testing."))} - wanted <= {
        "foible.testing.TOLERANCE",
        "foible.testing.LEVELS",
    }


def test_the_reference_has_each_section_of_the_options():
    """Every group of fields of `HuntConfig`, and of these in turn, stands in the reference."""
    page = (ROOT / "docs" / "reference.rst").read_text(encoding="utf-8")
    waiting: list[type[BaseModel]] = [foible.HuntConfig]
    seen: set[type[BaseModel]] = set()
    while waiting:
        fields = waiting.pop().model_fields.values()
        kinds = [kind for info in fields if inspect.isclass(kind := info.annotation) and issubclass(kind, BaseModel)]
        waiting += [kind for kind in kinds if kind not in seen]
        seen.update(kinds)
    assert len(seen) > 8
    assert [kind.__name__ for kind in seen if f".. autoclass:: foible.config.{kind.__name__}\n" not in page] == []


def test_every_page_stands_in_the_contents():
    """The front page of the site lists every other page."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = re.search(r"^```\{toctree\}\n(?::.*\n)*\n((?:[\w-]+\n)+)```$", index, re.MULTILINE)[1].split()
    pages = {path.stem for path in (ROOT / "docs").iterdir() if path.suffix in {".md", ".rst"}}
    assert sorted(listed) == sorted(pages - {"index"})


POSIX = {"fcntl", "grp", "posix", "pwd", "resource", "termios"}


def test_no_module_needs_a_module_of_posix():
    """`import foible` and what it offers work on Windows: no file imports what only POSIX has when it is imported."""
    for path in sorted(Path(foible.__file__).parent.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            assert not POSIX & set(named), f"{path.name} imports {POSIX & set(named)}"
