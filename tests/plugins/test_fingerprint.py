"""A fingerprint is the same in every process, and another one when the answers may be others."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foible.parts import fingerprint
from foible.parts.fingerprint import of_files, of_object

PROGRAM = """
import functools, sys
sys.path.insert(0, {folder!r})
import mine_walked as m
from foible.parts.fingerprint import of_object
print(*(of_object(x) for x in (m.Mine(), m.classify, m.Mine().classify, functools.partial(m.helper, 3), m.nested())))
"""

MODULE = '''
import numpy as np
import collections
WEIGHTS = np.arange(6.0).reshape(2, 3)
NAMES = {"red", "green", "blue", "grey"}

def helper(x, *, y=("a", {"b": 1})):
    return x in {"p", "q", "r"} and WEIGHTS

class Mine:
    """Holds itself."""
    __slots__ = ("me", "seen")
    scale = 3
    def __init__(self):
        self.me, self.seen = self, collections.OrderedDict(a=1)
    @property
    def name(self): return "x"
    @staticmethod
    def still(): return NAMES
    def classify(self, images): return helper(images), self.still()

def nested(factor=2):
    def inner(images):
        return [factor * helper(image) for image in images]
    return inner

classify = lambda images: [Mine().classify(images) for _ in images]
'''


def digests(folder):
    """Fingerprint the module's things in a process of their own."""
    source = str(Path(fingerprint.__file__).parents[1])
    program = PROGRAM.format(folder=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={"PYTHONPATH": source}
    )
    return done.stdout.split()


def test_a_fingerprint_is_the_same_in_every_process(tmp_path):
    """Sets, cycles, slots, closures, constants: none of them depends on the hash seed, addresses or a cached .pyc."""
    (tmp_path / "mine_walked.py").write_text(MODULE)
    first, second = digests(tmp_path), digests(tmp_path)
    assert first == second
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("np.arange(6.0)", "np.arange(1.0, 7.0)"),
        ('in {"p", "q", "r"}', 'in {"p", "q", "s"}'),
        ('("a", {"b": 1})', '("a", {"b": 2})'),
        ("return helper(images), self.still()", "return self.still(), helper(images)"),
        ("scale = 3", "scale = 4"),
    ],
)
def test_what_decides_the_answers_changes_the_fingerprint(tmp_path, old, new):
    """Data that is read, a constant two calls away, a default, the order of two calls, an attribute of the class."""
    assert old in MODULE
    (tmp_path / "mine_walked.py").write_text(MODULE)
    before = digests(tmp_path)
    (tmp_path / "mine_walked.py").write_text(MODULE.replace(old, new) + "# so that the size differs\n")
    after = digests(tmp_path)
    assert before[1] != after[1]


def make(value):
    """Close over a value."""
    return lambda images: value


def test_closures_count_by_value():
    """Two closures over equal values are one; over different values two."""
    assert of_object(make([1, 2])) == of_object(make([1, 2]))
    assert of_object(make([1, 2])) != of_object(make([1, 3]))
    assert of_object(make(np.zeros(3))) != of_object(make(np.ones(3)))
    assert of_object(make(np.zeros(3))) != of_object(make(np.zeros(3, np.float32)))
    assert of_object(functools.partial(make, 1)) != of_object(functools.partial(make, 2))


def test_a_network_counts_by_its_weights_its_structure_and_its_code():
    """A weight, a layer, a plain attribute or another forward each make another network."""
    pytest.importorskip("torch")
    import torch

    class Net(torch.nn.Module):
        def __init__(self, temperature=1.0):
            super().__init__()
            self.temperature = temperature
            self.layer = torch.nn.Linear(2, 2)
            torch.nn.init.ones_(self.layer.weight)
            torch.nn.init.zeros_(self.layer.bias)

        def forward(self, x):
            return self.layer(x) / self.temperature

    class Other(Net):
        def forward(self, x):
            return self.layer(x) * self.temperature

    plain = of_object(make(Net()))
    changed = Net()
    changed.layer.weight.data[0, 0] = 2
    assert of_object(make(Net())) == plain
    assert len({plain, *(of_object(make(net)) for net in (changed, Net(2.0), Other(), Net().eval()))}) == 5


def test_a_fingerprint_of_anything_ends():
    """Cycles, depth, addresses in names, foreign things: no fingerprint hangs or raises."""
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    with Path(__file__).open() as stream:
        for value in (cyclic, deep, {object(): 1}, stream, sys, print, np.random.default_rng(0), "\ud800", 1j, b"x"):
            assert len(of_object(value)) == 32
    assert of_object([object()]) == of_object([object()])


def test_files_count_by_name_and_content_whatever_their_order(tmp_path):
    """Two folders of the same files are one; a byte or a name makes another."""
    (tmp_path / "a.json").write_text("1")
    (tmp_path / "b.json").write_text("2")
    files = sorted(tmp_path.iterdir())
    before = of_files(files, tmp_path)
    assert of_files(reversed(files), tmp_path) == before
    (tmp_path / "b.json").write_text("3")
    assert of_files(files, tmp_path) != before
    assert of_files(files[:1], tmp_path) != before
