"""`make fuzz`: every parser on made-up input. Each ends in a value, or in one sentence of foible's; nothing hangs.

Comes in: how many examples. Goes out: a line for each target, and of a failure the smallest example that hypothesis
finds. Input is random, or true input with some bytes or some values changed, so that it comes far; seals and digests
are made anew where they would end it at once.

    python benchmarks/fuzz.py --examples 20000 journal image
    python benchmarks/fuzz.py --minutes 10
"""

from __future__ import annotations

import argparse
import atexit
import functools
import hashlib
import io
import json
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from foible.errors import FoibleError

LONGEST = 20.0
"""Seconds of one example, beyond which it hangs; a busy machine needs some."""
FORMATS = ("png", "jpeg", "bmp", "gif", "webp", "tiff", "ppm")


class Target(NamedTuple):
    """One parser."""

    inputs: Callable[[], st.SearchStrategy[Any]]
    """Made when it is asked for, since true input takes a hunt."""
    read: Callable[[Any], object]


def kept(read: Callable[[Any], object], example: object) -> bool:
    """Tell whether a parser gave a value; false where it refused with a sentence.

    Raises:
        AssertionError: what it said is no sentence of one line that can be read.
        Exception: whatever else it raised, which it must not.
    """
    try:
        read(example)
    except FoibleError as problem:
        said = str(problem)
        assert said, "it said nothing"  # noqa: S101 - the promise
        assert "\n" not in said, said  # noqa: S101 - as above
        assert said.isprintable(), ascii(said)  # noqa: S101 - as above
        return False
    return True


def fuzz(name: str, examples: int, number: int | None = None) -> tuple[int, int]:
    """Give one parser so many examples: how many it took, and how many it refused.

    Args:
        name: of the target.
        examples: how many.
        number: where they come from; None for another one each time.

    Raises:
        Exception: what the parser must not raise, with the smallest example.
    """
    target, counts = TARGETS[name], [0, 0]

    def look(example: Any) -> None:
        counts[not kept(target.read, example)] += 1

    look = settings(
        max_examples=examples,
        deadline=timedelta(seconds=LONGEST),
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )(given(target.inputs())(look))
    (look if number is None else seed(number)(look))()
    return counts[0], counts[1]


# --- true input, once ----------------------------------------------------------------------------------------------


@functools.cache
def scratch() -> Path:
    """Give a folder that goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="foible-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def hunted() -> Path:
    """Hunt in the toy world, and save what it found as a suite; give the folder of both."""
    import foible
    import toyworld

    folder = scratch() / "true"
    toyworld.hunt(folder / "run", seed=2)  # type: ignore[no-untyped-call]
    foible.save_suite(folder / "run", folder / "suite.zip")
    return folder


# --- changes -------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(max_size=60) | st.text("=:,.|()[]{}'\"/-0123456789 \t\nabc", max_size=40)


@st.composite
def spoiled(draw: st.DrawFn, true: bytes) -> bytes:
    """Change a few bytes of true input: other ones, more, fewer, or a piece of it elsewhere."""
    data = bytearray(true)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8) | st.integers(0, len(data)))
        how = draw(st.sampled_from(("change", "insert", "remove", "copy", "cut")))
        if how == "change" and at < len(data):
            data[at] ^= draw(st.integers(1, 255))
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=12))
        elif how == "remove":
            del data[at : at + length]
        elif how == "copy":
            data[at:at] = data[draw(st.integers(0, len(data))) :][:length]
        elif how == "cut":
            del data[at:]
    return bytes(data)


@st.composite
def altered(draw: st.DrawFn, true: Any) -> Any:
    """Change a few values of a JSON document: others, more fields, fewer."""
    document = json.loads(json.dumps(true))
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = document
        for _ in range(draw(st.integers(0, 9))):
            keys = list(inner) if isinstance(inner, dict) else range(len(inner))
            steps = [key for key in keys if isinstance(inner[key], dict | list) and inner[key]]
            if not steps:
                break
            inner = inner[draw(st.sampled_from(steps))]
        if isinstance(inner, list):
            at = draw(st.integers(0, len(inner)))
            inner[at : at + draw(st.integers(0, 2))] = draw(st.lists(JSON, max_size=2))
        else:
            key = draw(st.sampled_from(sorted(inner)) if inner else st.text(max_size=6))
            if draw(st.booleans()):
                inner[key] = draw(JSON | st.just(inner.get(key)))
            else:
                inner.pop(key, None)
    return document


# --- targets -------------------------------------------------------------------------------------------------------


def _read_scene(text: str) -> object:
    from foible.diorama.grammar import parse

    return parse(text)


def _scenes() -> st.SearchStrategy[str]:
    words = (
        "coffee mug",
        "cup",
        "teapot",
        "on grass",
        "in fog",
        "striped",
        "at night",
        "(",
        ")",
        ",",
        "no",
        "not",
        "two",
    )
    return TEXTS | st.lists(st.sampled_from(words) | st.text(max_size=5), max_size=20).map(" ".join)


def _read_spec(given_: tuple[str, str, Any]) -> object:
    from foible.parts.registry import verify

    kind, spec, args = given_
    return verify(kind, spec, args)


def _specs() -> st.SearchStrategy[tuple[str, str, Any]]:
    from foible.parts.registry import KINDS, families

    known = sorted({family for kind in KINDS for family in families(kind)} - {"python"})
    names = st.tuples(st.sampled_from(known), TEXTS).map(":".join)
    code = TEXTS.map(lambda text: f"python:not_{text}")  # a module that is there would be imported
    specs = TEXTS.filter(lambda text: not text.lstrip().startswith("python")) | names | code | st.sampled_from(known)
    args: st.SearchStrategy[Any] = st.just({}) | st.dictionaries(st.text(max_size=8), JSON, max_size=2)
    return st.tuples(st.sampled_from(KINDS), specs, args)


def _read_labels(texts: list[str]) -> object:
    from foible.labels import Classes, resolve

    of = Classes(classifier="toy", names=("coffee mug (cup)", "teapot", "mug", "water bottle", "11", ""))
    return resolve(texts, [of])


def _labels() -> st.SearchStrategy[list[str]]:
    likely = st.text("0123456789|=() ,mugcoftepa", max_size=20)
    return st.lists(TEXTS | likely | st.sampled_from(["0=mug", "1|2=teapot (pot)", "teapot"]), max_size=3)


def _read_config(given_: tuple[str, list[str]]) -> object:
    from foible.layers import read_assignment, read_file, resolve

    text, assignments = given_
    file = place_of("config.yaml", text.encode("utf-8", "surrogatepass"))
    return resolve([("file", read_file(file)), *(("--set", read_assignment(one)) for one in assignments)])


def _configs() -> st.SearchStrategy[tuple[str, list[str]]]:
    from foible.config import HuntConfig, fields

    names = st.sampled_from([name for name, _, _ in fields(HuntConfig())])
    values = st.text("0123456789.-+e:[]{}&*!|>'\"\n abntfx_~", max_size=14) | JSON.map(json.dumps)
    sets = st.lists(st.tuples(names | TEXTS, values).map("=".join) | TEXTS, max_size=3)
    lines = st.lists(st.tuples(names, values).map(": ".join), max_size=4).map("\n".join)
    return st.tuples(TEXTS | lines | values, sets)


def _read_journal(data: bytes) -> object:
    from foible.hunting.replay import read_study
    from foible.run.journal import NAME, Journal

    folder = place_of(NAME, data).parent
    with Journal(folder, write=False) as journal:
        study = read_study(journal)
        return [study.source.of(block) for event in journal.asked() for block in event.blocks]


def _journals() -> st.SearchStrategy[bytes]:
    true = (hunted() / "run" / "journal.jsonl").read_bytes()
    events = [json.loads(line)[1] for line in true.splitlines()]
    few = events[:3] + [one for one in events if one["event"] not in {"asked", "began"}][:6]
    return spoiled(true) | altered(few).map(_sealed) | altered(events[:1]).map(_sealed) | st.binary(max_size=60)


def _sealed(events: Any) -> bytes:
    """Write a journal whose seals fit, whatever it says."""
    lines, seal = [], ""
    for event in events if isinstance(events, list) else [events]:
        body = json.dumps(event, separators=(",", ":")).encode()
        seal = hashlib.blake2b(seal.encode() + body, digest_size=16).hexdigest()
        lines.append(b'["%b",%b]\n' % (seal.encode(), body))
    return b"".join(lines)


def _read_findings(text: str) -> object:
    from foible.report import from_json, summary, to_markdown

    result = from_json(text)
    return summary(result), to_markdown(result)


def _findings() -> st.SearchStrategy[str]:
    true = (hunted() / "run" / "findings.json").read_text("utf-8")
    bytes_ = spoiled(true.encode()).map(lambda data: data.decode("utf-8", "replace"))
    return altered(json.loads(true)).map(json.dumps) | bytes_ | TEXTS | JSON.map(json.dumps)


def _read_suite(data: bytes) -> object:
    import foible

    return foible.read_suite(place_of("suite.zip", data))


def _suites() -> st.SearchStrategy[bytes]:
    true = (hunted() / "suite.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(true)) as file:
        content = {name: file.read(name) for name in file.namelist()}
    manifest = altered(json.loads(content["suite.json"])).map(functools.partial(_boxed, content))
    return spoiled(true) | manifest | st.binary(max_size=60)


def _boxed(content: dict[str, bytes], document: Any) -> bytes:
    """Write a suite whose digest fits, whatever it says."""
    from foible.act.suites.read import DIGEST, digest_of

    if isinstance(document, dict):
        document = {**document, DIGEST: digest_of(document)}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, data in content.items():
            file.writestr(name, json.dumps(document) if name == "suite.json" else data)
    return made.getvalue()


def _read_image(data: bytes) -> object:
    from foible.pixels import read, read_png

    found = read_png(data)
    assert found is None or (found.dtype == np.uint8 and found.shape[2:] == (3,))  # noqa: S101 - the promise
    image = read(data)
    assert image.dtype == np.uint8  # noqa: S101 - as above
    assert image.shape[2:] == (3,)  # noqa: S101 - as above
    return image


def _images() -> st.SearchStrategy[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)
    true = []
    for mode in ("RGB", "L", "P", "RGBA", "1", "I;16", "F"):
        for form in FORMATS:
            made = io.BytesIO()
            try:
                picture = Image.fromarray(pixels).convert("L" if mode in {"I;16", "F"} else mode)
                (picture.convert("I").convert(mode) if mode in {"I;16", "F"} else picture).save(made, form)
            except (OSError, ValueError, KeyError):  # a format that lacks the mode
                continue
            true.append(made.getvalue())
    return st.sampled_from(true).flatmap(spoiled) | st.binary(max_size=80)


def place_of(name: str, data: bytes) -> Path:
    """Write a file where it disturbs nothing."""
    path = scratch() / name
    path.write_bytes(data)
    return path


TARGETS = {
    "scene": Target(_scenes, _read_scene),
    "spec": Target(_specs, _read_spec),
    "labels": Target(_labels, _read_labels),
    "config": Target(_configs, _read_config),
    "journal": Target(_journals, _read_journal),
    "findings": Target(_findings, _read_findings),
    "suite": Target(_suites, _read_suite),
    "image": Target(_images, _read_image),
}


def main() -> None:
    """Read the flags, fuzz each target, say what came of it."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all where none is named")
    flags.add_argument("--examples", type=int, default=20_000, help="of each target")
    flags.add_argument("--minutes", type=float, default=0.0, help="of each target: so many examples again until then")
    flags.add_argument("--seed", type=int, default=None)
    wanted = flags.parse_args()
    failed = False
    for name in wanted.targets or TARGETS:
        began = time.monotonic()
        try:
            took, refused = fuzz(name, wanted.examples, wanted.seed)
            while time.monotonic() - began < 60 * wanted.minutes:
                more = fuzz(name, wanted.examples)
                took, refused = took + more[0], refused + more[1]
        except BaseException:  # noqa: BLE001 - the others are fuzzed all the same
            traceback.print_exc()
            failed = True
            print(f"{name:<10} failed after {time.monotonic() - began:.0f} s", flush=True)
        else:
            print(f"{name:<10} {took:>8} read {refused:>8} refused  {time.monotonic() - began:>6.0f} s", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
