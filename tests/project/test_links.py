"""Every link that the project's pages make to its own files leads somewhere, on GitHub, on PyPI and on the site."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = "https://github.com/foible/foible"
RAW = "https://raw.githubusercontent.com/foible/foible/main/"
FILES = re.compile(re.escape(HOME) + r"/(?:blob|tree)/main/|" + re.escape(RAW))
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "design").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
]
TARGET = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
FENCE = re.compile(r"^(```+).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+).+?\1")


def targets(text):
    """Give what the links and images of a page point at; code blocks and code spans aside."""
    return [one or other for one, other in TARGET.findall(CODE.sub("", FENCE.sub("", text)))]


@cache
def anchors(page):
    """Give the anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+\s+(.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def complaint(page, target):
    """Say what is wrong with a link of a page; empty when nothing is."""
    absolute = FILES.match(target)
    if not absolute and re.match(r"[a-z]+:", target):
        return ""  # of somebody else, or a page of the home that is no file: its issues
    path, _, anchor = target.partition("#")
    start = ROOT / path[absolute.end() :] if absolute else page.parent / path
    file = start.resolve() if path else page
    if not file.is_relative_to(ROOT) or not file.exists():
        return f"{target} leads to no file of the repository"
    return f"{target} leads to no heading" if anchor and anchor not in anchors(file) else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    """Relative links, and absolute ones into the repository, name a file that is there, and a heading of it."""
    told = [complaint(page, target) for target in targets(page.read_text(encoding="utf-8"))]
    assert [sentence for sentence in told if sentence] == []


def test_the_readme_has_absolute_links_alone():
    """PyPI shows the README without the repository around it: no link or image of it is relative."""
    found = targets((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) > 5
    assert [target for target in found if not target.startswith("https://")] == []


def test_every_name_in_brackets_in_the_readme_has_its_address():
    """A link of which the address was forgotten would be shown as a name in brackets."""
    text = CODE.sub("", FENCE.sub("", (ROOT / "README.md").read_text(encoding="utf-8")))
    defined = set(re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE))
    used = set(re.findall(r"\[([^\]]+)\](?![(:])", text))
    assert used
    assert used == defined


def test_the_images_of_the_readme_are_files_and_not_pages():
    """An image under `blob` would be a page of GitHub's: images are named at the address of their bytes."""
    found = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    assert [target for target in found if not target.startswith(RAW)] == []


@pytest.mark.parametrize(
    ("target", "right"),
    [
        ("models.md", True),
        ("models.md#servers", True),
        ("models.md#waiters", False),
        ("modles.md", False),
        ("../design/0004-evidence.md", True),
        ("../../elsewhere.md", False),
        (f"{HOME}/blob/main/docs/models.md", True),
        (f"{HOME}/blob/main/docs/modles.md", False),
        (f"{HOME}/issues", True),
        (f"{RAW}docs/report.png", True),
        (f"{RAW}docs/report.jpg", False),
        ("https://example.com/models.md", True),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(target, right):
    """What the tests above look with tells links that lead somewhere from those that do not."""
    found = targets(f"See [a page `of [ours]`, written]({target}) and `[none](nowhere.md)`.\n\n```\n[no](no.md)\n```\n")
    assert found == [target]
    assert (complaint(ROOT / "docs" / "index.md", target) == "") is right
