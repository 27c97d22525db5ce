"""What a reader is told to do next fits what was found, and stands in every output that people read."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foible.report import to_markdown, write_html
from foible.report.steps import next_step
from report.anything import results
from report.results import nothing, sample

if TYPE_CHECKING:
    from pathlib import Path

    from foible.findings import HuntResult


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ({"confirmed"}, "(foible export)"),
        ({"undecided"}, "raise confirm.most"),
        ({"refuted"}, "foible probe"),
        (set(), "foible probe"),
    ],
    ids=str,
)
def test_the_next_step_fits_the_verdicts(verdicts: set[str], wanted: str) -> None:
    """A bug is looked at and exported, an open hypothesis gets more draws, else one's own words are tried."""
    whole = sample()
    result = replace(
        whole,
        findings=tuple(f for f in whole.findings if f.verdict in verdicts),
        explored=tuple(replace(one, base_failure=False) for one in whole.explored),
    )
    assert wanted in next_step(result)


def test_a_label_that_fails_by_itself_is_looked_at_first() -> None:
    """Its images may not show it, and another class may be right: no further draws are advised."""
    whole = sample()
    explored = tuple(replace(one, base_failure=True) for one in whole.explored)
    said = next_step(replace(whole, findings=(), explored=explored))
    assert said.startswith("Look at the images of what fails by itself first")


def test_it_stands_on_the_page_and_in_the_text(tmp_path: Path) -> None:
    """On the page before the findings, in the text before the first heading."""
    result = sample()
    step = next_step(result)
    write_html(result, nothing, tmp_path / "report.html")
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert 0 < page.index(step) < page.index('<main id="main">')
    text = to_markdown(result).replace("\\", "")
    assert 0 < text.index(step) < text.index("\n## ")


@settings(max_examples=50)
@given(result=results, photographs=st.booleans())
def test_there_is_no_export_of_photographs(result: HuntResult, *, photographs: bool) -> None:
    """Of a run over photographs, no command is named that refuses it."""
    if not photographs:
        result = replace(result, photographs=None)
    said = next_step(result)
    assert ("foible export" in said) <= (result.photographs is None)
    assert "  " not in said
