from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from foible.report import write_html
from report.anything import poisoned
from report.results import colour_of, coloured, sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from foible.findings import HuntResult

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATH = next((found for name in NAMES if (found := shutil.which(name))), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

pytestmark = pytest.mark.skipif(PATH is None, reason="no Chromium on this machine: install `chromium` to run it")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for all tests here."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=PATH, args=ARGUMENTS)
        yield running
        running.close()


class Opened:
    """A report in a browser, with what the browser complained of and asked for."""

    def __init__(self, browser: Browser, path: Path, result: HuntResult, width: int = 1400, scheme: str = "light"):
        write_html(result, coloured, path)
        self.page: Page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url.split(":")[0]))
        self.page.goto(path.as_uri())


@pytest.mark.parametrize(
    ("width", "scheme", "evil"),
    [
        (400, "light", None),
        (800, "dark", None),
        (1400, "light", None),
        (400, "dark", "<script>alert(1)</script>"),
        (400, "light", "x" * 10_000),
        (1400, "dark", "x" * 10_000),
    ],
)
def test_the_page_fits_and_is_silent(
    browser: Browser, tmp_path: Path, width: int, scheme: str, evil: str | None
) -> None:
    """At every width nothing sticks out, the console is empty, and nothing but the file and its images is asked for."""
    result = sample() if evil is None else poisoned(evil)
    opened = Opened(browser, tmp_path / "report.html", result, width, scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate("document.scripts.length") == 0
    assert opened.said == []
    assert set(opened.asked) <= {"file", "data"}
    assert opened.asked.count("file") == 1
    opened.page.close()


def test_a_click_shows_a_draw_large_and_close_comes_back(browser: Browser, tmp_path: Path) -> None:
    """An image leads to a large view with prompt, seed and key; its link leads back to the image."""
    opened = Opened(browser, tmp_path / "report.html", sample("probe"))
    page = opened.page
    plate = page.locator("#d1")
    assert not plate.is_visible()
    page.locator("a.thumb").first.click()
    assert plate.is_visible()
    assert "a coffee mug (cup), on grass" in plate.inner_text()
    box = plate.locator("svg.pic").bounding_box()
    assert box is not None
    assert box["width"] > 300
    plate.get_by_role("link", name="Close").click()
    assert not plate.is_visible()
    assert page.url.endswith("#t1")
    page.close()


def test_images_are_really_drawn(browser: Browser, tmp_path: Path) -> None:
    """The content policy lets the images of the page through: a thumbnail has the colour of its file."""
    opened = Opened(browser, tmp_path / "report.html", sample("probe"))
    shot = opened.page.locator("a.thumb svg").first.screenshot()
    opened.page.close()
    colours = _colours(shot)
    result = sample("probe")
    assert colour_of(result.observations[result.findings[0].failing[0]].draw.image) in colours


def test_dark_and_light_differ(browser: Browser, tmp_path: Path) -> None:
    """The page follows the reader's colour scheme."""
    grounds = []
    for scheme in ("light", "dark"):
        opened = Opened(browser, tmp_path / "report.html", sample("empty"), scheme=scheme)
        grounds.append(opened.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        opened.page.close()
    assert grounds[0] != grounds[1]


def _colours(data: bytes) -> set[tuple[int, ...]]:
    import io

    from PIL import Image

    found = Image.open(io.BytesIO(data)).convert("RGB").getcolors(1 << 20) or []
    return {colour for _, colour in found if isinstance(colour, tuple)}
