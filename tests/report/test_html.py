from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image as Pictures

from foible import pixels
from foible.findings import HuntResult
from foible.report import to_html
from foible.report.words import shorten
from report.anything import HOSTILE, poisoned, results
from report.results import coloured, nothing, png, sample, two

if TYPE_CHECKING:
    from foible.parts.protocols import Image

TAGS = {
    "a",
    "article",
    "b",
    "body",
    "circle",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "html",
    "i",
    "image",
    "li",
    "line",
    "main",
    "meta",
    "ol",
    "p",
    "path",
    "rect",
    "section",
    "small",
    "span",
    "style",
    "summary",
    "svg",
    "symbol",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "use",
}
VOID = {"meta"}


class Page(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and that it is open."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Hold that tags close in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text that is shown."""
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def values(self, name: str) -> list[str]:
        """Give the values of an attribute."""
        return [value for _, known, value in self.attributes if known == name]

    @property
    def shown(self) -> str:
        """All text, with one space between words."""
        return " ".join("".join(self.words).split())


def check(text: str) -> Page:
    """Hold everything that is promised of any page."""
    page = Page(text)
    assert page.open == []
    assert set(page.tags) <= TAGS
    assert page.tags.count("style") == page.tags.count("h1") == 1
    names = {name for _, name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & {"src", "style", "srcset", "action", "formaction", "xlink:href", "ping"}
    for value in page.values("href"):
        assert re.fullmatch(r"#[\w-]+|data:image/webp;base64,[A-Za-z0-9+/=]+", value)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href") if value[0] == "#"} <= set(ids)
    assert text.isprintable() or all(c.isprintable() or c in "\n\u00a0" for c in text)
    return page


@pytest.mark.parametrize("kind", ["hunt", "none", "probe", "empty"])
@pytest.mark.parametrize("image", [coloured, nothing])
def test_the_page_holds_everything_and_asks_for_nothing(kind: str, image: object) -> None:
    """No script, no address, no foreign style; every link leads to a place in the page; tags close in order."""
    check(to_html(sample(kind), image))  # type: ignore[arg-type]


@pytest.mark.parametrize(("classifiers", "photographs"), [(1, False), (2, False), (1, True)])
@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_texts_are_only_text(evil: str, classifiers: int, *, photographs: bool) -> None:
    """A hostile text in every place adds no tag and no attribute, and is shown as what it is."""
    page = check(to_html(poisoned(evil, classifiers=classifiers, photographs=photographs), coloured))
    assert " ".join(shorten(evil, 160).split()) in page.shown


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(results)
def test_any_result_gives_a_page(result: HuntResult) -> None:
    """Counts that cannot be, draws that are not known and empty names still give a whole page."""
    check(to_html(result, coloured))


def test_the_policy_forbids_scripts_network_and_foreign_style() -> None:
    """The content policy allows data images and the one style that the page has, by its hash, and nothing else."""
    text = to_html(sample(), coloured)
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in text
    )
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in style
    assert "url(" not in style


def test_an_image_is_held_once_however_often_it_is_shown() -> None:
    """Draws that several findings share, and equal files of different draws, are in the page once."""
    result = sample()
    twice = replace(result, findings=(result.findings[0], result.findings[0]), causes=(), alike=())
    keys = {*result.observations}
    page = Page(to_html(twice, coloured))
    images = [value for value in page.values("href") if value.startswith("data:")]
    assert len(images) == len(set(images)) <= len(keys)
    same = png(4, 4, (1, 2, 3))
    assert sum(value.startswith("data:") for value in Page(to_html(result, lambda _: same)).values("href")) == 1


def test_an_image_is_fetched_once() -> None:
    """The archive is asked once for each image that is shown, by however many classifiers, and for no other."""
    asked: list[str] = []

    def image(key: str) -> bytes:
        asked.append(key)
        return coloured(key)

    result = two()
    to_html(result, image)
    assert len(asked) == len(set(asked))
    assert set(asked) <= {one.draw.image for one in result.observations.values()}


def test_of_two_classifiers_each_is_named_and_shown_as_it_sees() -> None:
    """Each finding names its classifier and shows what that one took the images for; base rates name theirs too."""
    text = to_html(two(), coloured)
    shown = check(text).shown
    assert "coffee mug on grass → bucket (diorama:biased-resnet)" in shown
    assert "coffee mug on grass → grey bucket (diorama:fair-resnet)" in shown
    assert "teapot on sand (diorama:fair-resnet)" in shown
    assert shown.count("vase diorama:fair-resnet") == 1
    assert "<title>Failed, taken for bucket: " in text
    assert "<title>Failed, taken for grey bucket: " in text
    assert "classifier 2" in shown
    assert "(diorama:" not in Page(to_html(sample(), coloured)).shown


@pytest.mark.parametrize("data", [None, b"", b"not a PNG", coloured("x")[:20], b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_missing_or_broken_image_is_a_visible_placeholder(data: bytes | None) -> None:
    """Without a usable PNG file the page says "no image" in its place."""
    page = check(to_html(sample("probe"), lambda _: data))
    assert "no image" in page.shown
    assert "image" not in page.tags


def test_small_images_keep_hard_edges_and_large_ones_do_not() -> None:
    """Images up to 160 pixels are enlarged without blur."""
    assert 'image-rendering="pixelated"' in to_html(sample("probe"), lambda _: png(64, 64, (1, 2, 3)))
    assert 'image-rendering="pixelated"' not in to_html(sample("probe"), lambda _: png(224, 224, (1, 2, 3)))


def test_a_small_image_is_held_pixel_for_pixel() -> None:
    """Up to 160 pixels a side nothing is lost, so that what the classifier saw is what is looked at."""
    image = np.random.default_rng(0).integers(0, 256, (160, 97, 3), dtype=np.uint8)
    assert np.array_equal(_held(image), image)


@pytest.mark.parametrize(("sides", "held"), [((161, 161), (161, 161)), ((512, 384), (256, 192)), ((3, 900), (1, 256))])
def test_a_large_image_is_held_reduced(sides: tuple[int, int], held: tuple[int, int]) -> None:
    """Beyond that it is held with at most 256 pixels a side, in its own proportions and colours, in far fewer bytes."""
    image = np.full((*sides, 3), (200, 60, 20), dtype=np.uint8)
    image[:, sides[1] // 2 :] = (20, 60, 200)
    found = _held(image).astype(int)
    assert found.shape[:2] == held
    assert np.abs(found[0, 0] - image[0, 0]).max() < 12
    assert np.abs(found[0, -1] - image[0, -1]).max() < 12


def test_a_page_of_large_images_can_be_sent() -> None:
    """An image of 512 pixels a side takes less than 60 kB of the page, though its file has many times that."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image = noise.repeat(16, axis=0).repeat(16, axis=1) // 2 + np.arange(512, dtype=np.uint8)[:, None, None] // 8
    data = pixels.write_png(image)
    page = Page(to_html(sample("probe"), lambda _: data))
    held = [value for value in page.values("href") if value.startswith("data:")]
    assert len(held) == 1
    assert len(held[0]) < 60_000


def _held(image: Image) -> Image:
    """Give the pixels of an image as a page holds them."""
    page = Page(to_html(sample("probe"), lambda _: pixels.write_png(image)))
    (uri,) = {value for value in page.values("href") if value.startswith("data:")}
    with Pictures.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_failing_draws_stand_above_the_same_seeds() -> None:
    """Each failing draw is paired with the control draw of its own seed, whatever the order of `paired`."""
    result = sample("probe")
    finding = result.findings[0]
    turned = replace(finding, paired=tuple(reversed(finding.paired)))
    assert to_html(replace(result, findings=(turned,)), coloured) == to_html(result, coloured)
    lone = replace(finding, paired=())
    assert Page(to_html(replace(result, findings=(lone,)), coloured)).shown.count("no pair") == len(finding.failing)


def test_findings_come_first() -> None:
    """The verdict, then confirmed findings, then what was not confirmed, then how it was found."""
    shown = Page(to_html(sample(), coloured)).shown
    order = [
        "5 confirmed bugs of diorama:biased-resnet",
        "At a glance",
        "A coffee mug on grass is taken for a bucket",
        "What was tried and not confirmed",
        "Left out by the budget",
        "Under the base prompt",
        "What failed means",
        "How to read this",
        "Every setting",
    ]
    places = [shown.index(words) for words in order]
    assert places == sorted(places)


def test_a_probe_shows_its_hypothesis_whatever_the_verdict() -> None:
    """A person's own hypothesis has its rates and images in full also when it is refuted."""
    result = sample("probe")
    refuted = replace(result.findings[0], verdict="refuted", reason="the difference is small")
    shown = Page(to_html(replace(result, findings=(refuted,)), coloured)).shown
    assert "How often it fails" in shown
    assert "refuted: the difference is small." in shown


def test_every_setting_part_and_reason_is_shown() -> None:
    """Settings, identities of parts, draws per arm and reasons for unscored draws are all in the page."""
    result = sample()
    shown = Page(to_html(result, coloured)).shown
    for name in [*result.settings, *result.parts, *result.draws, *(reason for reason, _ in result.unscored)]:
        assert name in shown


def test_images_say_in_words_what_they_show() -> None:
    """Every image has a text: whether it failed, what it was taken for, its prompt and seed."""
    text = to_html(sample("probe"), coloured)
    assert "<title>Failed, taken for bucket: a realistic photograph of a coffee mug (cup), on grass (seed " in text
    assert text.count('role="img"') == text.count("<title>") - 1


def test_the_same_result_gives_the_same_page() -> None:
    """The page is a pure function of the result and the images."""
    assert to_html(sample(), coloured) == to_html(sample(), coloured)
