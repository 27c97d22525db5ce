"""Promises about near-duplicates of photographs: which are found, and that a claim counts them once."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import photographs
import toyworld
from foible.adapters.photographs import near
from foible.adapters.photographs.labelled import COPIES, COPIES_DISAGREE
from foible.checks.verify import verify
from foible.diorama.generator import DioramaGenerator
from foible.parts.registry import load

WORLD = DioramaGenerator(64)
LABELS = ("coffee mug", "vase", "bucket", "umbrella")


@pytest.fixture(scope="module")
def scenes():
    """Rendered pictures of several labels, each another one."""
    prompts = [f"a realistic photograph of a {label}" for label in LABELS for _ in range(8)]
    return [one.image for one in WORLD.draw(prompts, range(len(prompts)))]


def smalls(images, name="a"):
    """Give what is kept of each to know its copies."""
    return [near.small(f"{name}{number:03}", image) for number, image in enumerate(images)]


def saved(image, quality):
    """Save as JPEG, and read again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def scaled(image, by):
    """Make larger or smaller."""
    side = round(len(image) * by)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def cut(image, share, seed):
    """Cut such a share of either side off, at a place of chance."""
    rng, keep = np.random.default_rng(seed), round(len(image) * (1 - share))
    row, column = rng.integers(0, len(image) - keep + 1, 2)
    return image[row : row + keep, column : column + keep]


COPYING = {
    "saved at 95": lambda image, _: saved(image, 95),
    "saved at 50": lambda image, _: saved(image, 50),
    "half": lambda image, _: scaled(image, 0.5),
    "double": lambda image, _: scaled(image, 2),
    "cut by 5 %": lambda image, seed: cut(image, 0.05, seed),
    "cut by 10 %": lambda image, seed: cut(image, 0.10, seed),
    "cut by 20 %": lambda image, seed: cut(image, 0.20, seed),
    "darker": lambda image, _: (image * 0.7).astype(np.uint8),
    "half, saved at 50": lambda image, _: saved(scaled(image, 0.5), 50),
}


@pytest.mark.parametrize("way", COPYING)
def test_copies_are_found_and_nothing_else(way, scenes):
    """Of 32 pictures at least 28 are known again, whatever was done to them; no picture is taken for another."""
    copies = [COPYING[way](image, seed) for seed, image in enumerate(scenes)]
    found = near.near_duplicates([*smalls(scenes), *smalls(copies, "b")])
    assert all(group == (group[0], group[0].replace("a", "b")) for group in found.groups)
    assert len(found.groups) >= 28
    assert found.confused == 0


def test_one_background_makes_no_copies():
    """Pictures of one thing on one ground, in one light, are many pictures and not one."""
    prompts = ["a realistic photograph of a coffee mug, on grass, at noon"] * 60
    found = near.near_duplicates(smalls([one.image for one in WORLD.draw(prompts, range(60))]))
    assert found == near.Near(groups=())


def test_what_shows_nothing_is_no_copy(scenes):
    """Photographs of one colour, or so dark that they are nearly black, are in no group, with others or each other."""
    plain = [np.full((40, 40, 3), level, np.uint8) for level in range(0, 256, 5)]
    dark = [(image * 0.01).astype(np.uint8) for image in scenes]
    found = near.near_duplicates([*smalls(plain), *smalls(dark, "b"), *smalls(scenes, "c")])
    assert found == near.Near(groups=())


def test_a_copy_of_a_copy_is_in_the_group(scenes):
    """What was cut twice is one group with what it was cut from, though the ends are too far apart to be compared."""
    once = cut(scenes[0], 0.15, 0)
    twice = cut(once, 0.15, 1)
    assert near.near_duplicates(smalls([scenes[0], twice])).groups == ()
    assert near.near_duplicates(smalls([scenes[0], once, twice])).groups == (("a000", "a001", "a002"),)


def test_too_large_a_group_is_none(scenes):
    """Where what differs does not show in small, photographs are not called copies, and the number is given."""
    rng = np.random.default_rng(0)
    alike = [np.clip(scenes[0] + rng.integers(-4, 5, scenes[0].shape), 0, 255).astype(np.uint8) for _ in range(40)]
    found = near.near_duplicates(smalls([*alike, *scenes[1:]]))
    assert found.groups == ()
    assert found.confused > near.LARGEST


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_does_not_matter(scenes, random):
    """Groups hang on the photographs alone, not on the order in which files were read."""
    every = smalls([*scenes[:12], *(saved(image, 60) for image in scenes[:6]), *(cut(i, 0.1, 3) for i in scenes[3:9])])
    turned = list(every)
    random.shuffle(turned)
    assert near.near_duplicates(turned) == near.near_duplicates(every)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_no_photograph_is_compared_with_all(count, seed):
    """However alike hashes are, each is compared with a few, and never with itself."""
    hashes = np.random.default_rng(seed).integers(0, 4, (count, 55), dtype=np.uint64)
    found = list(near._candidates(hashes))
    frames = [frame for _, _, frame in found]
    assert all(first != frame for first, _, frame in found)
    assert max(map(frames.count, frames), default=0) <= near._MOST


# --- in a set ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taken():
    """Photographs of the toy world with both planted bugs."""
    return photographs.scenes(120)


def touched(image):
    """Change a pixel that no part of the toy world reads: to the eye it is the same photograph."""
    copy = image.copy()
    copy[9, 9] ^= 8
    return copy


def copied(taken, some):
    """Give photographs, and behind them copies of some."""
    return [*taken, *((label, touched(image), more) for label, image, more in taken[:some])]


def known(source, **args):
    """Read a set."""
    return load("generator", source, args).object.photographs


def test_a_copy_counts_once(taken, tmp_path):
    """A set in which every photograph is twice claims what it claims with each once, from as many photographs."""
    once = photographs.hunt(tmp_path / "one", photographs.folder(tmp_path / "set", taken))
    twice = photographs.hunt(tmp_path / "two", photographs.folder(tmp_path / "both", copied(taken, 360)))
    assert dict(twice.result.photographs.left_out) == {COPIES: 360}
    assert twice.result.photographs.photographs == once.result.photographs.photographs == 360
    assert twice.result.draws == once.result.draws
    assert {f.trial.hypothesis.about for f in twice.confirmed} == {f.trial.hypothesis.about for f in once.confirmed}
    assert twice.confirmed
    assert verify(twice.folder).differences == ()
    for name in ("findings.md", "report.html"):
        assert "360 a near-duplicate of another" in (twice.folder / name).read_text("utf-8")


def test_no_copy_is_on_the_other_side(taken, tmp_path):
    """Whatever stays of a group is one photograph, so no copy tests what another suggested."""
    found = known(photographs.folder(tmp_path / "set", copied(taken, 40)))
    assert len(found.photographs) == 360
    source = load("generator", f"photos:{tmp_path / 'set'}").object
    images = source.draw([one.place for one in found.photographs], range(360))
    assert near.near_duplicates(smalls(images)).groups == ()


def test_which_copy_stays_hangs_on_pixels(taken, tmp_path):
    """In another order, under other names, the same images stay."""
    every = copied(taken[:60], 30)
    first = known(photographs.folder(tmp_path / "set", every))
    second = known(photographs.folder(tmp_path / "turned", every[::-1]))
    assert {one.image for one in first.photographs} == {one.image for one in second.photographs}
    assert len(first.photographs) == 60


def test_copies_that_are_annotated_differently_are_left_out(taken, tmp_path):
    """As one photograph of two annotations: neither is right for sure, and no bug comes of it."""
    label, image, more = taken[0]
    every = [*taken[:40], ("bucket", touched(image), more), (label, *taken[1][1:])]
    found = known(photographs.folder(tmp_path / "set", every))
    assert dict(found.left_out)[COPIES_DISAGREE] == 2
    assert len(found.photographs) == 39


def test_near_duplicates_may_be_kept(taken, tmp_path):
    """The argument says that only equal pixels are the same photograph."""
    source = photographs.folder(tmp_path / "set", copied(taken[:60], 30))
    assert len(known(source, near_duplicates=False).photographs) == 90


def test_an_interrupted_hunt_with_copies_ends_as_one_that_was_not(taken, tmp_path):
    """Stopped and gone on with, it writes the same bytes."""
    source = photographs.folder(tmp_path / "set", copied(taken, 40))

    class Stops(toyworld.Classifier):
        fingerprint = "the toy world's classifier"
        left = 0

        def classify(self, images):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return super().classify(images)

    classifier = Stops()
    once = photographs.hunt(tmp_path / "once" / "run", source, classifier)
    classifier.left = 4
    with pytest.raises(KeyboardInterrupt):
        photographs.hunt(tmp_path / "twice" / "run", source, classifier)
    again = photographs.hunt(tmp_path / "twice" / "run", source, classifier)
    for name in ("findings.json", "findings.md", "report.html"):
        assert (once.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_a_set_that_cannot_be_told_apart_says_so(tmp_path):
    """Where photographs differ in what does not show in small, all are hunted over, and every output says why."""
    plain = [
        (label, image, more)
        for label in photographs.LABELS
        for image, more in (
            (image, {"ground": toyworld.read(image).ground})
            for image in toyworld.draw([f"a realistic photograph of a {label}"] * 20, range(20))
        )
    ]
    source = photographs.folder(tmp_path / "set", plain)
    run = photographs.hunt(tmp_path / "run", source)
    assert run.result.photographs.photographs == 60
    assert run.result.photographs.lookalikes > near.LARGEST
    assert "photographs look alike in small" in (run.folder / "findings.md").read_text("utf-8")
    assert verify(run.folder).differences == ()


def test_plan_and_doctor_tell_of_copies(taken, tmp_path):
    """Before a hunt, both say how many near-duplicates there are."""
    source = photographs.folder(tmp_path / "set", copied(taken[:60], 30))
    base = ["--classifier", "python:toyworld:Classifier", "--source", source]
    told = f"photographs left out: 30 {COPIES}"
    _, out, _ = toyworld.called("plan", *base, "--json")
    assert told in json.loads(out)["notes"]
    _, out, _ = toyworld.called("doctor", *base, "--json")
    assert told in json.loads(out)[0]["note"]


def test_a_thing_in_another_colour_is_no_copy():
    """On the same ground in the same light, a thing that is red here and blue there is two photographs."""
    ground = np.random.default_rng(3).integers(60, 190, (6, 6, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(ground).resize((96, 96), Image.Resampling.BICUBIC)).copy()
    other = image.copy()
    image[30:66, 30:66], other[30:66, 30:66] = (200, 40, 40), (40, 72, 255)  # of nearly the same grey
    shown = {"one": image, "two": other, "three": (image * 0.8).astype(np.uint8)}
    found = near.near_duplicates([near.small(name, pixels) for name, pixels in shown.items()])
    assert found.groups == (("one", "three"),)
