"""From a spec to a part; and the one sentence for everything that can be wrong with a spec."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foible import testing
from foible.checks import plugins
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from foible.parts.families import BUILT_IN
from foible.records import Spec


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a function that writes a module into the current directory, which is not on Python's path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    yield write
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a function that installs a package with one entry point, as pip leaves it."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def install(name, group, family, target, text=""):
        info = site / f"{name.replace('-', '_')}-2.1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{family} = {target}\n")
        if text:
            (site / f"{target.partition(':')[0]}.py").write_text(text)

    return install


def wrong(kind, what, args=None, error=PluginError):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load(kind, what, args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    return sentence


# --- what can be given ---------------------------------------------------------------------------------------------


def test_a_spec_a_record_an_object_and_a_function_all_load():
    """The four ways to name a classifier give a part that classifies."""
    ways = (
        "python:foible.testing:ColourClassifier",
        Spec("python:foible.testing:ColourClassifier"),
        testing.ColourClassifier(),
        lambda images: testing.ColourClassifier().classify(images),
    )
    for what in ways:
        part = registry.load("classifier", what)
        assert part.kind == "classifier"
        assert part.object.classify([np.zeros((2, 2, 3), np.uint8)]).shape == (1, 3)
        assert set(part.identity) == {"spec", "args", "fingerprint", "version"}
        json.dumps(part.identity)


def test_arguments_beside_a_record_win_over_its_own():
    """`load(kind, spec, args)` adds to the arguments of the record."""
    spec = Spec("python:foible.testing:NoiseGenerator", {"size": 8})
    assert registry.load("generator", spec).identity["args"] == {"size": 8}
    assert registry.load("generator", spec, {"size": 16}).object.size == 16


def test_a_function_keeps_its_labels_and_its_fingerprint():
    """Attributes of a plain function count as those of an object would."""

    def classify(images):
        return [[0.0, 1.0]] * len(images)

    named: Any = classify
    named.labels = ("no", "yes")
    named.fingerprint = "mine-1"
    part = registry.load("classifier", classify)
    assert part.object.labels == ("no", "yes")
    assert part.identity["fingerprint"] == "mine-1"


def test_the_identity_rebuilds_the_part():
    """A worker that is given the spec and the arguments of an identity gets the same identity."""
    first = registry.load("generator", "diorama:scenes", {"size": 96})
    again = registry.load("generator", Spec(first.identity["spec"], first.identity["args"]))
    assert again.identity == first.identity


def test_a_default_and_the_same_value_given_are_one_identity():
    """`size=64` is what the diorama draws anyway, so its images are the same images."""
    given = registry.load("generator", "diorama:scenes", {"size": 64}).identity
    assert registry.load("generator", "diorama:scenes").identity == given
    assert registry.load("generator", "diorama:scenes", {"size": 65}).identity != given


# --- sentences -----------------------------------------------------------------------------------------------------


def test_an_unknown_kind_says_what_is_near():
    """A mistyped kind is a plug-in error that knows the five kinds."""
    assert wrong("clasifier", "x") == (
        "there is no kind of plug-in called 'clasifier'; did you mean 'classifier'? "
        "known: captioner, classifier, embedder, generator, judge"
    )


def test_an_unknown_family_says_what_is_near():
    """A mistyped family names the near one and the known ones; so does a name without a family."""
    sentence = wrong("classifier", "transformer:x")
    assert "did you mean 'transformers'?" in sentence
    assert f"known: {', '.join(sorted(BUILT_IN['classifier']))}" in sentence
    assert "the part before the colon names a family" in wrong("classifier", "resnet50")
    assert "no generator is called ''" in wrong("generator", "")


def test_an_unknown_name_says_what_is_near():
    """A mistyped name of the diorama names the near one."""
    assert "no classifier is called 'diorama:refrence'; did you mean 'reference'?" in wrong(
        "classifier", "diorama:refrence"
    )
    assert "known: scenes" in wrong("generator", "diorama:scene")


def test_a_spec_without_its_name_says_how_it_looks():
    """`transformers:` alone lacks something."""
    assert wrong("classifier", "transformers:") == (
        "the classifier spec 'transformers:' lacks its name: write 'transformers:folder-or-hub-name'"
    )


def test_an_unknown_argument_names_the_known_ones():
    """A mistyped argument is found before anything is loaded."""
    sentence = wrong("generator", "diorama:scenes", {"sise": 64}, ArgumentError)
    assert sentence == "the generator 'diorama:scenes' takes no argument 'sise'; did you mean 'size'? known: size"
    assert "known: calibration, contrasts, device, dtype" in wrong("judge", "clip:/nowhere", {"x": 1}, ArgumentError)


def test_an_argument_that_cannot_be_kept_is_refused():
    """Arguments stand in the run directory, so they are plain data; NaN is none."""
    assert "plain data" in wrong("generator", "diorama:scenes", {"size": {1}}, ArgumentError)
    assert "plain data" in wrong("generator", "diorama:scenes", {"size": float("nan")}, ArgumentError)


def test_a_value_that_the_plugin_refuses_keeps_its_sentence():
    """What a plug-in says of its own arguments passes through as it is."""
    assert "64 to 256" in wrong("generator", "diorama:scenes", {"size": 3}, ArgumentError)


def test_arguments_beside_an_object_are_refused():
    """An object has its arguments already."""
    assert "is an object already" in wrong("classifier", testing.ColourClassifier(), {"size": 3}, ArgumentError)


def test_an_object_without_the_method_says_what_was_wanted():
    """The method of the kind is named, and what came."""
    assert wrong("classifier", 3) == (
        "this classifier wants an object with the method classify(images) or a function of a batch, but is an int"
    )
    assert "the method draw(prompts, seeds)" in wrong("generator", object())


def test_a_class_instead_of_an_instance_says_so():
    """A forgotten pair of brackets is the likeliest slip."""
    assert "is the class ColourClassifier: give an instance" in wrong("classifier", testing.ColourClassifier)


def test_a_bare_torch_module_says_how_to_wrap_it():
    """A network takes tensors; a batch of images is not one."""
    torch = pytest.importorskip("torch")
    assert "is a torch module, which takes tensors" in wrong("classifier", torch.nn.Linear(2, 2))


def test_a_fingerprint_that_is_no_text_is_refused():
    """A fingerprint of None or a number would silently key nothing."""

    class Odd(testing.ColourClassifier):
        fingerprint = 3

    assert "has a `fingerprint` that is an int" in wrong("classifier", Odd())


# --- python: -------------------------------------------------------------------------------------------------------


def test_python_finds_modules_in_the_current_directory(own):
    """A file beside the user needs no installation; its factory takes the arguments."""
    name = own("mine_here", "def make(*, bright=1):\n    return lambda images: [[0, bright]] * len(images)\n")
    part = registry.load("classifier", f"python:{name}:make", {"bright": 7})
    assert part.object.classify(["an image"]) == [[0, 7]]
    assert part.identity["args"] == {"bright": 7}
    other = registry.load("classifier", f"python:{name}:make", {"bright": 8})
    assert other.identity["fingerprint"] != part.identity["fingerprint"]


def test_python_takes_a_class_an_object_and_a_function_of_a_batch(own):
    """What is named may make the plug-in, or be it."""
    name = own(
        "mine_all",
        "class Mine:\n    def classify(self, images): return [[1, 0]] * len(images)\nready = Mine()\n"
        "def classify(images): return [[1, 0]] * len(images)\ndef broken(): return None\n",
    )
    for attribute in ("Mine", "ready", "classify", "ready.classify"):
        assert registry.load("classifier", f"python:{name}:{attribute}").object.classify([1]) == [[1, 0]]
    assert "takes no arguments" in wrong("classifier", f"python:{name}:ready", {"a": 1}, ArgumentError)
    assert "came back as nothing" in wrong("classifier", f"python:{name}:broken")


def test_python_says_which_part_of_the_name_is_wrong(own):
    """Shape, module, attribute, argument: each has its own sentence."""
    name = own("mine_near", "def make_one(path): return path\n")
    assert wrong("classifier", "python:mine_near") == (
        "'python:mine_near' names nothing: write 'python:package.module:factory'"
    )
    assert "names nothing" in wrong("classifier", "python:../x:y")
    assert "neither on Python's path nor in" in wrong("classifier", "python:mine_nowhere:make")
    assert "did you mean 'make_one'?" in wrong("classifier", f"python:{name}:make_on")
    assert "needs the argument 'path'; known: path" in wrong(
        "classifier", f"python:{name}:make_one", None, ArgumentError
    )


def test_what_a_factory_raises_becomes_one_sentence(own):
    """Import errors of the module's own, and exceptions of the factory, name the spec and the original."""
    own("mine_imports", "import foible_nowhere\n")
    assert wrong("classifier", "python:mine_imports:x") == (
        "the classifier 'python:mine_imports:x' could not be loaded: "
        "ModuleNotFoundError: No module named 'foible_nowhere'"
    )
    own("mine_raises", "def make():\n    raise RuntimeError('no\\nluck ' + repr(object()))\n")
    assert wrong("classifier", "python:mine_raises:make") == (
        "the classifier 'python:mine_raises:make' could not be loaded: RuntimeError: no luck <object object at 0x…>"
    )
    own("mine_exits", "def make():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        registry.load("classifier", "python:mine_exits:make")


# --- third parties -------------------------------------------------------------------------------------------------


def test_a_package_brings_a_family(package):
    """An entry point is a family; the version is the package's."""
    package("bright-pkg", "foible.classifiers", "bright", "bright_pkg:Bright",
            "class Bright:\n    def __init__(self, name, *, a=1): self.name = name\n"
            "    def classify(self, images): return [[1, 2]] * len(images)\n")  # fmt: skip
    part = registry.load("classifier", "bright:very")
    assert part.object.name == "very"
    assert part.identity["version"] == "2.1"
    assert "takes no argument 'b'; known: a" in wrong("classifier", "bright:very", {"b": 1}, ArgumentError)
    rows = [row for row in plugins.listing() if row.source == "bright-pkg 2.1"]
    assert rows == [plugins.Row("classifier", "bright", "bright-pkg 2.1", "")]


def test_a_family_with_one_member_needs_no_name(package):
    """A factory that takes no name is named by its family alone."""
    package("dim-pkg", "foible.classifiers", "dim", "dim_pkg:Dim",
            "class Dim:\n    def classify(self, images): return [[1, 2]] * len(images)\n")  # fmt: skip
    assert registry.load("classifier", "dim").identity["spec"] == "dim"
    assert "has nothing to choose from: write 'dim', without 'x'" in wrong("classifier", "dim:x")


def test_two_packages_that_claim_a_name_are_an_error_naming_both(package):
    """Neither wins in silence; other names still load."""
    package("one-pkg", "foible.classifiers", "twice", "one_pkg:x")
    package("two-pkg", "foible.classifiers", "twice", "two_pkg:x")
    sentence = wrong("classifier", "twice:x")
    assert "'twice' is claimed by the package 'one-pkg' and the package 'two-pkg'" in sentence or (
        "'twice' is claimed by the package 'two-pkg' and the package 'one-pkg'" in sentence
    )
    assert registry.load("classifier", "python:foible.testing:ColourClassifier")
    assert any("claimed by" in row.missing for row in plugins.listing() if row.spec == "twice")


def test_a_package_cannot_take_a_built_in_name(package):
    """A claim to a built-in's name is refused, naming both."""
    package("sly-pkg", "foible.judges", "clip", "sly_pkg:x")
    assert "claimed by foible itself and the package 'sly-pkg'" in wrong("judge", "clip:x")


def test_nothing_is_imported_until_it_is_named(package):
    """A broken package harms nobody who does not name it."""
    package("bomb-pkg", "foible.classifiers", "bomb", "bomb_pkg:x", "raise RuntimeError('boom')\n")
    registry.load("classifier", "python:foible.testing:ColourClassifier")
    plugins.listing()
    assert wrong("classifier", "bomb:x") == (
        "the classifier family 'bomb' (from the package 'bomb-pkg') could not be imported: RuntimeError: boom"
    )


def test_a_package_that_lacks_something_says_so(package):
    """A missing module of a third party is the third party's to install."""
    package("lack-pkg", "foible.classifiers", "lack", "lack_pkg:x", "import foible_nowhere\n")
    assert wrong("classifier", "lack:x") == (
        "the classifier family 'lack' (from the package 'lack-pkg') needs the module 'foible_nowhere', "
        "which is not installed: install what 'lack-pkg' asks for"
    )
    package("odd-pkg", "foible.classifiers", "odd", "odd_pkg:x", "x = 3\n")
    assert "wants a factory, but odd_pkg:x is an int" in wrong("classifier", "odd:x")


def test_a_missing_extra_says_the_command_that_mends_it(own, tmp_path, monkeypatch):
    """A built-in whose library is not installed names the extra, when loaded and in the listing."""
    monkeypatch.syspath_prepend(tmp_path)
    name = own("mine_family", "import foible_nowhere\n")
    table = {**BUILT_IN, "classifier": {**BUILT_IN["classifier"], "extra": f"{name}:x"}}
    monkeypatch.setattr(registry, "BUILT_IN", table)
    for module in (registry, plugins):
        monkeypatch.setattr(module, "NEEDS", {"extra": ("nowhere", ("foible_nowhere",))})
    assert wrong("classifier", "extra:x") == (
        "the classifier family 'extra' needs the module 'foible_nowhere', which is not installed: "
        'pip install "foible[nowhere]"'
    )
    assert [row.missing for row in plugins.listing() if row.spec == "extra:name"] == ['pip install "foible[nowhere]"']


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_listing_names_every_built_in_family_of_every_kind():
    """`foible models` shows each family, the diorama's by its names."""
    rows = plugins.listing()
    assert {row.kind for row in rows} == set(registry.KINDS)
    for kind, families in BUILT_IN.items():
        assert {row.spec.partition(":")[0] for row in rows if row.kind == kind} >= set(families)
    specs = [row.spec for row in rows]
    assert {"diorama:scenes", "diorama:reference", "diorama:captioner", "diorama:embedder", "diorama:judge"} <= {*specs}


def test_every_built_in_target_is_there():
    """The table of strings points at factories that exist."""
    for families in BUILT_IN.values():
        for target in families.values():
            module, _, attribute = target.partition(":")
            assert callable(getattr(__import__(module, fromlist=[attribute]), attribute))


def test_listing_and_importing_load_no_model_library():
    """`import foible.parts.registry` needs no numpy; listing needs neither torch nor transformers."""
    program = (
        "import sys, foible.parts.registry, foible.checks.plugins as p\n"
        "heavy = {'numpy', 'torch', 'transformers', 'PIL', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert p.listing(); assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    source = str(Path(registry.__file__).parents[2])
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": source})
