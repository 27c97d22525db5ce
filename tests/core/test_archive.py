"""Promises of the image archive: whole images under their own keys, drawn once for all hunts."""

from __future__ import annotations

import io
import re
import shutil
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import foible
import toyworld
from foible.archive import LARGEST_SIDE, Archive
from foible.errors import StoreError
from foible.records import Draw, Drawn, Prompt

pytestmark = pytest.mark.xdist_group("archive")
PROMPT = Prompt("coffee mug", "", "a photograph of a coffee mug")


def png(image, mode="RGB"):
    """Give the bytes of a PNG file that foible did not write."""
    buffer = io.BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, "png")
    return buffer.getvalue()


def flipped(data):
    """Flip one bit in the pixels of a PNG file."""
    at = data.index(b"IDAT") + 12
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


NOISE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
DAMAGE = {
    "truncated": lambda data, other: data[: len(data) // 2],
    "empty": lambda data, other: b"",
    "bit flipped": lambda data, other: flipped(data),
    "another draw": lambda data, other: other,
    "another picture": lambda data, other: png(NOISE),
    "another mode": lambda data, other: png(NOISE, "RGBA"),
    "huge": lambda data, other: png(np.zeros((8, LARGEST_SIDE + 1, 3), np.uint8)),
    "no picture": lambda data, other: b"<html>not found</html>",
    "removed": None,
}


class Counting:
    """The toy generator; `made` counts how often each image was drawn."""

    fingerprint = "the toy generator, counted"

    def __init__(self):
        self.made = Counter()

    def draw(self, prompts, seeds):
        """Count and draw."""
        self.made.update(zip(prompts, seeds, strict=True))
        return toyworld.draw(prompts, seeds)


class OnSnow(toyworld.Classifier):
    """Fails elsewhere than the toy world's first classifier, and there too."""

    def answer(self, scene):
        """Take teapots on snow for barrels."""
        return "barrel" if (scene.label, scene.ground) == ("teapot", "snow") else super().answer(scene)


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give the folder of a finished hunt; its archive lies beside it."""
    folder = tmp_path_factory.mktemp("hunted") / "run"
    toyworld.hunt(folder, generator=Counting())
    return folder


def damage(archive, how):
    """Damage three files of an archive; give their bytes as they were."""
    files = sorted(archive.glob("*/*.png"))[::60][:3]
    whole = {file: file.read_bytes() for file in files}
    for file, data in whole.items():
        if DAMAGE[how] is None:
            file.unlink()
        else:
            file.write_bytes(DAMAGE[how](data, max(archive.glob("*/*.png")).read_bytes()))
    return whole


@pytest.mark.parametrize("how", DAMAGE)
def test_a_torn_image_is_drawn_again(hunted, tmp_path, how):
    """A damaged, replaced or missing image is found by its hash and drawn again; the findings are the same bytes."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    whole = damage(tmp_path / "copy" / "archive", how)
    generator = Counting()
    toyworld.hunt(tmp_path / "copy" / "run", generator=generator)
    assert toyworld.written(tmp_path / "copy" / "run") == toyworld.written(hunted)
    assert {file: file.read_bytes() for file in whole} == whole
    assert 3 <= generator.made.total() <= 3 * toyworld.SMALL["batch"]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_hunt_that_never_saw_a_torn_image_finds_it(hunted, tmp_path, how):
    """An image that was damaged before this run directory was made is found by its own seal, and drawn again."""
    shutil.copytree(hunted.parent / "archive", tmp_path / "archive")
    whole = damage(tmp_path / "archive", how)
    archive = Archive(tmp_path / "archive")
    for file, data in whole.items():
        assert archive.get(file.stem) is None
        file.write_bytes(data)
        assert archive.get(file.stem) is not None


def test_two_hunts_share_their_images(tmp_path):
    """Hunts of different classifiers over one archive make no draw twice, and leave each other's findings alone."""
    generator = Counting()
    first = toyworld.hunt(tmp_path / "one", generator=generator)
    after_one = generator.made.total()
    second = toyworld.hunt(tmp_path / "two", OnSnow(), generator=generator)
    assert len(second.confirmed) > len(first.confirmed)
    assert max(generator.made.values()) == 1
    assert generator.made.total() - after_one < sum(second.result.draws.values()) / 2, "the archive was not used"
    alone = toyworld.hunt(tmp_path / "elsewhere" / "run", OnSnow(), generator=Counting())
    assert toyworld.written(alone.folder) == toyworld.written(second.folder)


def test_every_image_says_what_it_shows(hunted):
    """Each file carries its prompt, its seed, its generator and the words that were not used."""
    file = next((hunted.parent / "archive").glob("*/*.png"))
    with Image.open(file) as picture:
        about = picture.info
    assert "a realistic photograph of a" in about["foible:prompt"]
    assert int(about["foible:seed"]) >= 0
    assert "test_archive.Counting" in about["foible:generator"]
    assert about["foible:ignored"] == "[]"


@given(st.text(max_size=40) | st.sampled_from(["../../etc/passwd", "a" * 31, "A" * 32, "a" * 33, "0" * 32 + "\n"]))
def test_a_key_cannot_leave_the_archive(tmp_path_factory, key):
    """Whatever a damaged store says, a key that is not 32 hexadecimal digits names no file."""
    archive = Archive(tmp_path_factory.getbasetemp() / "archive")
    if re.fullmatch("[0-9a-f]{32}", key) is None:
        with pytest.raises(StoreError, match="32 hexadecimal digits"):
            archive.get(key)
        with pytest.raises(StoreError):
            archive.put(Draw(key, PROMPT, 0, "explore"), Drawn(NOISE), {})
    else:
        assert archive.path(key).is_relative_to(archive.folder)


def test_what_is_put_comes_back(tmp_path):
    """An image comes back as it was put, with the words that the generator did not use, under its own key alone."""
    archive, key = Archive(tmp_path / "archive"), "0123456789abcdef" * 2
    told = archive.put(Draw(key, PROMPT, 7, "explore"), Drawn(NOISE, ("“zalgo”", "naïve")), {"spec": "x:y"})
    held = archive.get(key, told)
    assert held is not None
    assert np.array_equal(held.image, NOISE)
    assert held.ignored == ("“zalgo”", "naïve")
    assert held.sha256 == told
    assert archive.get(key, "0" * 64) is None
    other = "f" * 32
    archive.path(other).parent.mkdir()
    shutil.copy(archive.path(key), archive.path(other))
    assert archive.get(other) is None
    assert archive.get("e" * 32) is None


def test_an_archive_that_cannot_be_written_ends_the_hunt_with_one_sentence(tmp_path):
    """A file in the archive's place ends the hunt with a sentence that names it; mended, the hunt goes on."""
    (tmp_path / "archive").write_text("in the way")
    with pytest.raises(foible.InputError, match=r"image archive .*archive cannot be") as told:
        toyworld.hunt(tmp_path / "run")
    assert "\n" not in str(told.value)
    (tmp_path / "archive").unlink()
    assert toyworld.hunt(tmp_path / "run").confirmed


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    """A file that cannot be put in its place leaves no temporary file in the archive."""
    archive, key = Archive(tmp_path), "0123456789abcdef" * 2
    archive.path(key).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written"):
        archive.put(Draw(key, PROMPT, 7, "explore"), Drawn(NOISE), {})
    assert [path.name for path in archive.path(key).parent.iterdir()] == [f"{key}.png"]
