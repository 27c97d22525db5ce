"""A world for tests of the hunt itself: scenes of the diorama's language, written into pixels instead of rendered.

The first pixels of an image hold the scene's values, so that the classifier, captioner, embedder and judge below read
them back exactly. A hunt over it takes a second, and what is true is known. Its classifier takes a mug on grass for a
bucket, and a striped bottle at night for a vase.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import foible
from foible.diorama.scene import Scene, caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.records import Label

NAMES = [f"{label.name} ({label.hypernym})" for label in LABELS]
PLAIN = [label.name for label in LABELS]
FIELDS = list(ATTRIBUTES)


def draw(prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
    """Write each imagined scene, and its seed, into the first row of pixels."""
    return [_write(imagine(prompt, seed).scene, seed) for prompt, seed in zip(prompts, seeds, strict=True)]


def read(image: np.ndarray) -> Scene:
    """Read a scene back from its pixels."""
    codes = image[0, :, 0]
    values = {f: ATTRIBUTES[f][int(codes[i + 1])].word for i, f in enumerate(FIELDS)}
    return Scene(label=PLAIN[int(codes[0])], **values)


class Classifier:
    """Right everywhere but in two planted slices."""

    labels = NAMES

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Score one class 1 and the others 0."""
        scores = np.zeros((len(images), len(NAMES)))
        for row, image in enumerate(images):
            scores[row, PLAIN.index(self.answer(read(image)))] = 1
        return scores

    def answer(self, scene: Scene) -> str:
        """Name what is seen."""
        if scene.label == "coffee mug" and scene.ground == "grass":
            return "bucket"
        if scene.label == "water bottle" and scene.texture == "striped" and scene.light == "night":
            return "vase"
        return scene.label


class Perfect(Classifier):
    """Right everywhere."""

    def answer(self, scene: Scene) -> str:
        """Name what is there."""
        return scene.label


class Both(Classifier):
    """A classifier that would judge itself."""

    def judge(self, images, labels):
        """Say yes."""
        return [True] * len(images)


class Judging(Perfect):
    """Classifies, and judges, without an error."""

    def judge(self, images, labels):
        """Say whether each image shows its label."""
        return judge(images, labels)


def describe(images: Sequence[np.ndarray]) -> list[str]:
    """Caption each image with what is in it."""
    return [caption(read(image)) for image in images]


def embed(images: Sequence[np.ndarray]) -> np.ndarray:
    """Place images by their ground and light."""
    scenes = [read(image) for image in images]
    grounds, lights = [v.word for v in ATTRIBUTES["ground"]], [v.word for v in ATTRIBUTES["light"]]
    vectors = np.zeros((len(images), len(grounds) + len(lights)))
    for row, scene in enumerate(scenes):
        vectors[row, grounds.index(scene.ground)] = 1
        vectors[row, len(grounds) + lights.index(scene.light)] = 1
    return vectors


def judge(images: Sequence[np.ndarray], labels: Sequence[Label]) -> list[bool]:
    """Say whether each image shows its label."""
    return [read(image).label == label.name for image, label in zip(images, labels, strict=True)]


PARTS = {"generator": draw, "captioner": describe, "embedder": embed, "judge": judge}
LABELLED = ["coffee mug", "water bottle", "teapot"]
FIXED = {"method": "fixed", "draws": 20}
SMALL = {"explore": {"draws": 24}, "confirm": FIXED, "explain": {"draws": 8}, "batch": 8}
"""A small hunt with a fixed number of pairs; `test_sequential.py` has the other method."""


def hunt(out, classifier=None, labels=LABELLED, config=None, **given):
    """Hunt in the toy world, in this process and in silence: three labels, few draws, small units."""
    given = {**PARTS, **given}
    return foible.hunt(
        Classifier() if classifier is None else classifier,
        labels,
        out=out,
        config={**SMALL, **(config or {})},
        progress=False,
        **given,
    )


@contextlib.contextmanager
def full(size):
    """Let no file of this process grow beyond a size, as on a full disk."""
    import pytest  # which the programs that name parts of this file need not wait for

    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class Slow:
    """Draws as `draw` does, takes TOY_SLEEP seconds a batch, and writes what it drew to the file TOY_LOG.

    Once TOY_HOLD draws were made, the next batch takes half a minute: whoever sends a signal then comes in time.
    """

    _made = 0

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
        """Write down every draw before it is handed over."""
        held = self._made >= int(os.environ.get("TOY_HOLD", sys.maxsize))
        time.sleep(30.0 if held else float(os.environ.get("TOY_SLEEP", "0")))
        self._made += len(prompts)
        with Path(os.environ.get("TOY_LOG", os.devnull)).open("a", encoding="utf-8") as log:
            log.writelines(f"{seed} {prompt}\n" for prompt, seed in zip(prompts, seeds, strict=True))
        return draw(prompts, seeds)


class Metered(Slow):
    """Draws as `Slow` does, and counts each image as a request to a server."""

    fingerprint = "the same however many requests are left"

    def count_on(self, ceiling):
        """Take requests from a ceiling."""
        self._ceiling = ceiling

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
        """Take a request for each image, then draw."""
        self._ceiling.take(len(prompts))
        return super().draw(prompts, seeds)


SPECS = {
    "classifier": "python:toyworld:Classifier",
    "generator": "python:toyworld:Slow",
    "captioner": "python:toyworld:describe",
    "embedder": "python:toyworld:embed",
    "judge": "python:toyworld:judge",
}
COMMAND = ["hunt", "--quiet"]
COMMAND += [word for kind, spec in SPECS.items() for word in (f"--{kind}", spec)]
COMMAND += [word for label in LABELLED for word in ("--label", label)]
for _section, _value in SMALL.items():
    _fields = _value.items() if isinstance(_value, dict) else (("", _value),)
    COMMAND += [word for f, v in _fields for word in ("--set", f"{_section}{'.' if f else ''}{f}={v}")]
"""The arguments of `foible` for the same small hunt."""


def command(*arguments, cwd=None, env=None, python=("-m", "foible"), **options):
    """Start `foible` as a user does, in a process of its own; give the process."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, *python, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


def finished(process):
    """Wait for a process; give its exit code, what it printed, and what it said on stderr."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def called(*arguments):
    """Call `foible` in this process, which has imported everything: its exit code, what it printed, what it said."""
    from foible.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before, code = sys.argv, None
    try:
        sys.argv = ["foible", *map(str, arguments)]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.argv = before
    return code or 0, *(one.buffer.getvalue().decode("utf-8") for one in (out, err))


def written(folder):
    """Give the bytes of everything that a hunt writes for people and programs."""
    return {name: (Path(folder) / name).read_bytes() for name in ("findings.json", "findings.md", "report.html")}


def _write(scene: Scene, seed: int) -> np.ndarray:
    image = np.zeros((16, 16, 3), np.uint8)
    image[0, 0, 0] = PLAIN.index(scene.label)
    for i, field in enumerate(FIELDS):
        words = [value.word for value in ATTRIBUTES[field]]
        image[0, i + 1, 0] = words.index(getattr(scene, field))
    image[1, :4, 1] = list(seed.to_bytes(4, "big"))
    image[2, 0] = 255  # codes are small, and what varies by a few levels alone is no picture
    return image
