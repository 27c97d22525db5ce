"""A report of 512-pixel images had some 150 MB: the page holds small copies, and links the whole images."""

from __future__ import annotations

import re
import shutil
from html import unescape
from urllib.parse import unquote

import numpy as np

import toyworld
from foible.pixels import write_png
from foible.report import to_html, write_html
from foible.report.html import linked
from report.anything import HOSTILE
from report.results import sample

LINK = re.compile(r'<a href="([^"]+\.png)">Whole image</a>, (\d+) × (\d+) pixels')
_NOISE = write_png(np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8))


def links(folder):
    """Give the files that a page links as whole images."""
    found = LINK.findall((folder / "report.html").read_text("utf-8"))
    return [folder / unquote(unescape(href)) for href, _, _ in found]


def test_each_image_leads_to_the_whole_one_and_both_can_be_moved(tmp_path):
    """Every image that is shown has a link into the archive beside the run; moved together it still leads there."""
    run = toyworld.hunt(tmp_path / "all" / "run")
    found = links(run.folder)
    assert len(found) >= len(run.confirmed[0].failing) > 0
    assert all(path.is_file() for path in found)
    assert str(tmp_path) not in run.report.read_text("utf-8"), "no path of this machine"
    shutil.move(tmp_path / "all", tmp_path / "moved")
    assert all(path.is_file() for path in links(tmp_path / "moved" / "run"))


def test_an_archive_elsewhere_is_not_linked_and_the_page_says_so(tmp_path):
    """A page holds no path of the machine that it was made on: what cannot be said from beside is not linked."""
    run = toyworld.hunt(tmp_path / "run", config={**toyworld.SMALL, "archive": tmp_path / "far" / "archive"})
    assert links(run.folder) == []
    assert "does not lie beside the run directory" in run.report.read_text("utf-8")


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

    page, bare = to_html(result, image, "../archive/images"), to_html(result, lambda _: None, "../archive/images")
    assert {(width, height) for _, width, height in LINK.findall(page)} == {("512", "512")}
    assert len(page) - len(bare) < 0.12 * len(names) * len(_NOISE)


def test_no_name_becomes_a_link_that_it_should_not_be(tmp_path):
    """A folder of any name is quoted, and only the hash of an image becomes part of a link."""
    for number, name in enumerate(one for one in HOSTILE if 0 < len(one) < 100):
        safe = re.sub(r"[/\x00\ud800-\udfff]", "_", name)
        beside = tmp_path / str(number) / safe
        if safe.strip(". ") and beside.name == safe:
            link = linked(tmp_path / str(number) / "run", beside)
            assert re.fullmatch(r"\.\./[A-Za-z0-9_.~%-]+/images", link)
    result = sample()
    for answered in result.observations.values():
        object.__setattr__(answered.draw, "image", "javascript:alert(1)//")
    path = tmp_path / "run" / "report.html"
    path.parent.mkdir()
    write_html(result, lambda _: _NOISE, path, tmp_path / "archive")
    assert "data:image/webp" in path.read_text("utf-8")
    assert "javascript:" not in path.read_text("utf-8")
