from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from foible.report import to_markdown
from foible.report.markdown import escape
from foible.report.words import shorten
from report.anything import HOSTILE, poisoned
from report.results import sample, two

ALLOWED = {"text", "em_open", "em_close", "softbreak", "text_special"}
BLOCKS = ("heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item", "inline")


def parser() -> MarkdownIt:
    """Read Markdown as GitHub does: tables, strikethrough, HTML."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inline(text: str) -> set[str]:
    """Give the kinds of inline pieces in a Markdown text, and the kinds of blocks that a report does not have."""
    tokens = parser().parse(text)
    found = {child.type for token in tokens for child in token.children or ()}
    return found | {token.type for token in tokens if not token.type.startswith(BLOCKS)}


@pytest.mark.parametrize(("classifiers", "photographs"), [(1, False), (2, False), (1, True)])
@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_that_was_written_by_others_is_markup(evil: str, classifiers: int, *, photographs: bool) -> None:
    """A hostile text in every place gives no link, image, code, HTML, quote or rule."""
    text = to_markdown(poisoned(evil, classifiers=classifiers, photographs=photographs))
    assert inline(text) <= ALLOWED
    assert text.isascii() or all(c.isprintable() or c == "\n" for c in text)


@settings(max_examples=150, deadline=None)
@given(st.text("ab1 -+=#>*_`[]()!<&|~\\.:/'\"\n\t\x00", max_size=30))
def test_an_escaped_text_renders_as_itself(text: str) -> None:
    """Escaped, any text is a plain paragraph that reads as the text does."""
    tokens = parser().parse(escape(text))
    assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    shown = "".join(child.content for token in tokens for child in token.children or ())
    assert unescape(shown) == shorten(text, 400)


def test_a_hunt_reads_in_order() -> None:
    """Findings first, then what was tried, then how labels did, then what failed means, parts and settings."""
    text = to_markdown(sample())
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == [
        "## Causes",
        "## Classes that may be the same thing",
        "## Confirmed",
        "## Tried and not confirmed",
        "## Left out by the budget",
        "## Under the base prompt",
        "## Guided draws",
        "## What failed means",
        "## Unscored draws",
        "## Parts",
        "## Settings",
    ]
    assert "A coffee mug *on grass* is taken for a bucket: it fails in 93 % of draws [80 %, 97 %]" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_of_two_classifiers_each_is_named() -> None:
    """Each finding, each hypothesis that was left out and each row of base rates names its classifier."""
    lines = to_markdown(two()).splitlines()
    assert "### 1. coffee mug *on grass* → bucket (diorama:biased-resnet)" in lines
    assert "### 2. coffee mug *on grass* → grey bucket (diorama:fair-resnet)" in lines
    assert "- teapot *on sand* (diorama:fair-resnet)" in lines
    assert sum(line.startswith("| vase (diorama:") for line in lines) == 2
    assert any(line.startswith("| classifier 2 | ") and "fair-resnet" in line for line in lines)
    assert "(diorama:" not in to_markdown(sample())


def test_a_hunt_without_findings_leaves_no_empty_parts() -> None:
    """Nothing tried, nothing explored: the headline, what failed means, parts and settings."""
    text = to_markdown(sample("empty"))
    assert text.startswith("# No bug confirmed in diorama:biased-resnet\n")
    assert "## Confirmed" not in text
    assert "## Unscored" not in text


def test_every_table_row_has_as_many_cells_as_its_head() -> None:
    """A bar in a name splits no cell."""
    widths: list[int] = []
    for token in parser().parse(to_markdown(poisoned("a|b\\|c"))):
        if token.type == "table_open":
            widths = []
        elif token.type == "tr_open":
            widths.append(0)
        elif token.type in {"th_open", "td_open"}:
            widths[-1] += 1
        elif token.type == "table_close":
            assert len(set(widths)) == 1
        assert "c | " not in token.content


def test_bare_addresses_do_not_become_links() -> None:
    """Markdown that turns bare addresses into links finds none."""
    assert escape("see http://evil.example or WWW.evil.example") == ("see http\\://evil.example or WWW\\.evil.example")
