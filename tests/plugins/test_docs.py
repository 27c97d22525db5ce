"""What `docs/plugins.md` shows, works: its code is run, and prints what stands below it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from foible import testing
from foible.parts import registry
from foible.parts.families import BUILT_IN

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def blocks():
    """The code blocks of the page, in order: (language, text)."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_the_code_on_the_page_runs(blocks, tmp_path, monkeypatch, capsys):
    """Run every block in order, in an empty directory; a block that is a file is saved under its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    names, printed = {"__name__": "page"}, ""
    for language, text in blocks:
        if language == "python" and text.startswith("# "):
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
        elif language == "python":
            exec(compile(text, str(PAGE), "exec"), names)  # noqa: S102 - our own page
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text
    names["test_it_conforms"]()
    sys.modules.pop("brightness", None)


def test_the_first_plugin_has_fifteen_lines_at_most(blocks):
    """The promise of the heading, blank lines aside."""
    first = next(text for _, text in blocks if text.startswith("# brightness.py"))
    assert len([line for line in first.splitlines()[1:] if line.strip()]) <= 15


def test_the_entry_point_is_that_of_the_example_package(blocks):
    """What the page shows is what the package under `tests/` has."""
    package = (Path(__file__).parent / "third_party" / "pyproject.toml").read_text()
    assert all(text in package for language, text in blocks if language == "toml")


def test_the_page_names_every_kind_method_family_and_trivial_plugin():
    """Nothing that can be named is left out of the page."""
    page = PAGE.read_text(encoding="utf-8")
    for kind, (method, given) in registry.METHODS.items():
        assert f"| {kind} | `{method}({', '.join(given)})` |" in page
        assert f"`foible.{kind}s`" in page
        assert all(f"| `{family}` |" in page for family in BUILT_IN[kind])
    trivial = [name for name in testing.__all__ if isinstance(vars(testing)[name], type)]
    assert len(trivial) == len(registry.KINDS)
    assert all(f"`{name}`" in page for name in trivial)
