"""A package of somebody else's, really installed, brings plug-ins that are used by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import foible

PACKAGE = Path(__file__).parent / "third_party"
PROGRAM = """
import json
import numpy as np
from foible import testing
from foible.checks import plugins
from foible.parts import registry
from foible.parts import asking as wrappers
classifier = registry.load("classifier", "brightness:v1", {"threshold": 100})
generator = registry.load("generator", "stripes")
image = wrappers.ask_generator(generator, ["a cup"], [3])[0].image
print(json.dumps({
    "scores": [list(row) for row in wrappers.ask_classifier(classifier, [np.full((8, 8, 3), 150, np.uint8)], 2)],
    "shape": image.shape,
    "identity": classifier.identity,
    "broken": testing.check("classifier", "brightness:v1") + testing.check("generator", "stripes"),
    "rows": [[row.kind, row.spec, row.source, row.missing] for row in plugins.listing() if "example" in row.source],
}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install the package with pip, from a copy, into a folder of its own."""
    pytest.importorskip("setuptools", reason="building the package needs setuptools")
    root = tmp_path_factory.mktemp("third-party")
    shutil.copytree(PACKAGE, root / "source")
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(root / "site"), str(root / "source")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return root / "site"


def test_an_installed_package_brings_its_plugins(site):
    """Its classifier and its generator load by their names, take arguments, conform, and stand in the listing."""
    source = Path(foible.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), str(source)))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=env)
    told = json.loads(done.stdout)
    assert told["scores"] == [[-50.0, 50.0]]
    assert told["shape"] == [64, 64, 3]
    assert told["broken"] == []
    assert told["identity"]["version"] == "0.3.0"
    assert told["identity"]["args"] == {"threshold": 100}
    assert told["rows"] == [
        ["generator", "stripes", "foible-example 0.3.0", ""],
        ["classifier", "brightness", "foible-example 0.3.0", ""],
    ]


def test_each_example_plugin_is_short():
    """The contract is small: a plug-in is a class of less than 15 lines."""
    text = (PACKAGE / "foible_example.py").read_text()
    for block in text.split("\nclass ")[1:]:
        assert len(block.strip().splitlines()) < 15
