"""A report of 512-pixel images had some 150 MB: the page holds small copies, and links the whole images."""

from __future__ import annotations

import re
import shutil
from html import unescape
from urllib.parse import unquote

import numpy as np

import toyworld
from foible.pixels import write_png
from foible.report import to_html, write, write_html
from report.results import sample

LINK = re.compile(r'<a href="([^"]+\.png)">Whole image</a>, (\d+) × (\d+) pixels')
_NOISE = write_png(np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8))


def links(folder):
    """Give the files that a page links as whole images."""
    found = LINK.findall((folder / "report.html").read_text("utf-8"))
    return [folder / unquote(unescape(href)) for href, _, _ in found]


def large(name):
    """Give noise of 512 pixels a side, another for each name."""
    dice = np.random.default_rng(int(name[:8], 16))
    return write_png(dice.integers(0, 256, (512, 512, 3), dtype=np.uint8))


def hashed(count):
    """Give a result in which so many draws have an image with a hash, and their hashes."""
    result = sample()
    shown = list(result.observations.values())
    names = [f"{number:064x}" for number in range(1, count + 1)]
    for number, answered in enumerate(shown):
        object.__setattr__(answered.draw, "image", names[number % count])
    return result, names


def test_each_reduced_image_leads_to_the_whole_one_and_both_can_be_moved(tmp_path):
    """Every image that is shown reduced has a link to a file beside the page; moved together it still leads there."""
    result, names = hashed(8)
    (tmp_path / "run").mkdir()
    write(result, large, tmp_path / "run")
    found = links(tmp_path / "run")
    assert found
    assert {path.stem for path in found} <= set(names)
    assert {path.stem for path in (tmp_path / "run" / "images").iterdir()} == {path.stem for path in found}
    assert all(path.read_bytes() == large(path.stem) for path in found)
    assert str(tmp_path) not in (tmp_path / "run" / "report.html").read_text("utf-8"), "no path of this machine"
    shutil.move(tmp_path / "run", tmp_path / "moved")
    assert all(path.is_file() for path in links(tmp_path / "moved"))


def test_images_of_an_earlier_page_go_and_files_of_others_stay(tmp_path):
    """A page that is written again leaves only the images that it shows, and touches nothing else in that folder."""
    result, _ = hashed(8)
    write(result, large, tmp_path)
    (tmp_path / "images" / "mine.png").write_bytes(b"mine")
    other, names = hashed(2)
    write(other, large, tmp_path)
    there = {path.stem for path in (tmp_path / "images").iterdir()}
    assert there == {*(path.stem for path in links(tmp_path)), "mine"}
    assert there <= {*names, "mine"}


def test_small_images_are_in_the_page_and_nowhere_else(tmp_path):
    """What the page holds pixel for pixel needs no file beside it."""
    run = toyworld.hunt(tmp_path / "run")
    assert links(run.folder) == []
    assert not (run.folder / "images").exists()
    assert "Its images are whole." in run.report.read_text("utf-8")


def test_a_large_image_costs_the_page_little(tmp_path):
    """The worst images there are, noise of 512 pixels a side: the page holds about a tenth of their bytes."""
    result = sample()
    names = [one.draw.image for one in result.observations.values()][:8]

    def image(name):
        """Give eight different images, and none for the other draws."""
        if name not in names:
            return None
        dice = np.random.default_rng(names.index(name))
        return write_png(dice.integers(0, 256, (512, 512, 3), dtype=np.uint8))

    page, bare = to_html(result, image), to_html(result, lambda _: None)
    assert len(page) - len(bare) < 0.12 * len(names) * len(_NOISE)


def test_no_name_becomes_a_link_that_it_should_not_be(tmp_path):
    """Only the hash of an image becomes part of a link, and of the name of a file."""
    result = sample()
    for answered in result.observations.values():
        object.__setattr__(answered.draw, "image", "javascript:alert(1)//")
    path = tmp_path / "run" / "report.html"
    path.parent.mkdir()
    write_html(result, lambda _: _NOISE, path)
    assert "data:image/webp" in path.read_text("utf-8")
    assert "javascript:" not in path.read_text("utf-8")
    assert not (path.parent / "images").exists()
