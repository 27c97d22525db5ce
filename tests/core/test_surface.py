"""Promises of the package as a whole: a small, documented, typed surface, and imports that point one way."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import foible
import toyworld
from foible.hunting.study import Study

ROOT = Path(foible.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))
HEAVY = {"torch", "numpy", "transformers", "scipy", "PIL", "pydantic", "rich", "typer", "yaml", "jinja2", "sklearn"}

LAYERS = (
    {"_version", "arms", "codes", "errors", "gates"},
    {"records", "identity", "pointers"},
    {"pilots", "vocabulary"},
    {"budget", "findings", "labels", "photographs"},
    {"comparison", "matrix"},
    {"attributions", "certificates", "explaining", "guidance", "repairs", "seeking", "suites"},
    {"swapping"},
    {"asker", "config", "diorama", "pixels", "progress"},
    {"layers", "parts"},
    {"adapters", "guiding", "report", "run", "statistics"},
    {"counterfactual", "draws", "testing"},
    {"trial"},
    {"search"},
    {"explanation"},
    {"hunting"},
    {"checks"},
    {"act"},
    {"cli", "pytest_plugin", ""},
    {"__main__"},
)
"""What each file or folder of the package may import: what stands in a row above its own, or its own folder."""

ADAPTERS = {
    "records": "what parts give and are given",
    "errors": "what a part says when it cannot",
    "parts": "what a part is, what hashes its weights, what counts its requests",
    "codes": "what a model calls its classes may name nothing",
    "labels": "what a model calls its classes must be what a label can be",
    "pixels": "an adapter reads and writes image files by the one policy",
    "photographs": "a source of labelled photographs says what it holds",
    "vocabulary": "it reads the phrases by which an embedder gives photographs attributes",
    "diorama": "the diorama's own adapter knows its world",
}
"""All that an adapter may import, beside its own folder, each with its reason."""

CALLERS = {"checks": "`foible models` asks the diorama's adapter for its names"}
"""All that may import an adapter: others name it as a string."""


def home(path):
    """Give the file or folder that a module belongs to: `draws` for `foible/draws/execute.py`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def level(name):
    """Give the row of LAYERS."""
    return next(row for row, names in enumerate(LAYERS) if name in names)


@cache
def tree(path):
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path, *, late=True):
    """Give the dotted names that a file imports, as absolute names; with `late`, inside functions too."""
    package = ("foible", *path.relative_to(ROOT).with_suffix("").parts)[:-1]
    nodes = ast.walk(tree(path)) if late else tree(path).body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def inner(path, **how):
    """Give the files or folders of foible that a file imports."""
    for name in imported(path, **how):
        parts = name.split(".")
        if parts[0] == "foible":
            known = len(parts) > 1 and any(parts[1] in names for names in LAYERS)
            yield parts[1] if known else ""


def test_the_public_surface_is_sorted_and_documented():
    """`foible.__all__` is sorted, each name is there and says what it is, and nothing else is public."""
    assert list(foible.__all__) == sorted(foible.__all__)
    for name in foible.__all__:
        thing = getattr(foible, name)
        assert name == "__version__" or inspect.getdoc(thing), f"{name} has no docstring"
    assert set(foible._HOMES) == set(foible.__all__) - {"__version__"}
    with pytest.raises(AttributeError, match="no attribute 'hutn'"):
        foible.hutn  # noqa: B018 - reading it is the point


def test_every_module_and_public_thing_says_what_it_is():
    """Each module, and each public class and function in it, has a docstring."""
    for path in FILES:
        assert ast.get_docstring(tree(path)), f"{path.name} has no docstring"
        for thing in public(tree(path)):
            assert ast.get_docstring(thing), f"{path.name}: {thing.name} has no docstring"


def public(node):
    """Give the public classes and functions of a module, and the public methods of these classes."""
    for inside in node.body:
        if isinstance(inside, ast.ClassDef | ast.FunctionDef) and not inside.name.startswith("_"):
            if not any(isinstance(one, ast.Name) and one.id == "overload" for one in inside.decorator_list):
                yield inside
            yield from public(inside) if isinstance(inside, ast.ClassDef) else ()


def test_importing_foible_imports_no_library():
    """`import foible` and naming what it offers loads no model, array or command-line library."""
    script = f"import sys, foible; dir(foible); print(sorted({HEAVY!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_hunt_with_objects_imports_no_model_library(tmp_path):
    """A hunt over a user's own functions needs neither torch nor transformers."""
    script = (
        "import sys, toyworld; toyworld.hunt(sys.argv[1]); print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    code, out, err = toyworld.finished(toyworld.command(tmp_path / "run", python=("-c", script)))
    assert (code, out, err) == (0, "[]\n", "")


def test_imports_point_one_way():
    """A file imports only from rows above its own, or from its own folder, late imports and those for types too."""
    for path in FILES:
        own = home(path)
        for other in inner(path):
            assert own in {"", other} or level(other) < level(own), f"{path.relative_to(ROOT)} imports foible.{other}"


def test_every_file_and_folder_has_its_row():
    """Nothing of the package is outside of the order, and no row names what is not there."""
    assert {name for row in LAYERS for name in row} == {home(path) for path in FILES}


def test_nothing_imports_models_and_they_import_little():
    """Adapters are named as strings, and see no more of foible than what a part is; no exception is there in vain."""
    seen = {other for path in FILES if home(path) == "adapters" for other in inner(path)}
    assert seen - {"adapters"} == ADAPTERS.keys()
    assert {home(path) for path in FILES if "adapters" in inner(path)} - {"adapters"} == CALLERS.keys()


def test_the_report_sees_records_only():
    """The report is made from the result: it imports records, arms, errors, the reader of images and itself."""
    for path in (ROOT / "report").glob("*.py"):
        results = {
            "attributions",
            "certificates",
            "comparison",
            "explaining",
            "findings",
            "guidance",
            "matrix",
            "pilots",
            "repairs",
            "seeking",
            "suites",
            "swapping",
        }
        assert set(inner(path)) <= {"report", "records", "arms", "errors", "pixels", "_version", *results}, path.name


def test_no_import_goes_round():
    """No module imports itself by way of others, inside folders too."""
    modules = {module_name(path): path for path in FILES}
    edges = {
        name: {found for target in imported(path) if (found := known(target, modules)) and found != name}
        for name, path in modules.items()
    }
    edges["foible"] = set()  # it loads its names when they are used
    assert sum(map(len, edges.values())) > len(modules)  # they are seen at all
    done: set[str] = set()
    walking: list[str] = []

    def walk(name):
        assert name not in walking, " -> ".join([*walking, name])
        if name not in done:
            walking.append(name)
            for other in sorted(edges[name]):
                walk(other)
            done.add(walking.pop())

    for name in sorted(edges):
        walk(name)


def module_name(path):
    """Give the dotted name of a file."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def known(target, modules):
    """Give the module that an imported name is, or is in."""
    while target and target not in modules:
        target = target.rpartition(".")[0]
    return target


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path):
    """No file has more than 400 lines, and no function more than 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


def test_every_module_can_be_imported_alone():
    """Each module outside the adapters can be imported first, so that no order of imports matters."""
    names = [m.name for m in pkgutil.walk_packages([str(ROOT)], "foible.") if not m.name.startswith("foible.adapters")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)


@pytest.mark.slow
def test_a_user_s_checker_sees_the_types(tmp_path):
    """Mypy sees what `foible.hunt` takes and gives, from outside the package."""
    pytest.importorskip("mypy")
    kept = ROOT.parent.parent / ".mypy_cache" / "user"  # beside the one of `make types`, whose options are others
    (tmp_path / "user.py").write_text(
        "import foible\n"
        "run = foible.hunt('diorama:reference', ['coffee mug'], budget=100)\n"
        "reveal_type(run)\n"
        "reveal_type([f.verdict for f in run])\n"
        "foible.hunt(budget='many')\n"
    )
    arguments = ["-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(kept), "user.py"]
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert 'Revealed type is "foible.hunting.finished.Run"' in lines[0]
    assert "Literal['confirmed']" in lines[1]
    assert 'Argument "budget" to "hunt" has incompatible type "str"' in lines[2]
    assert len(lines) == 3


def test_what_a_hunt_carries_is_small():
    """The record that every stage is given has at most six fields, and `foible verify` at most 120 lines."""
    assert len(dataclasses.fields(Study)) <= 6
    assert len((ROOT / "checks" / "verify.py").read_text(encoding="utf-8").splitlines()) <= 120
