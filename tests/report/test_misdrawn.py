"""Promises of what a report says of the generator's errors: apart, counted, and blamed on no classifier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foible.findings import HuntResult
from foible.records import Tally
from foible.report import to_html, to_markdown
from foible.report.misdrawn import MOST, misdrawn
from report.anything import HOSTILE, poisoned
from report.results import coloured, sample
from report.test_html import check

HEADING = "Where the generator may be wrong"


def unseen(result: HuntResult) -> HuntResult:
    """Let the judge miss the label in 3 of 45 draws of the first label, and in 6 of 40 with the words of a finding."""
    first, *explored = result.explored
    finding, *findings = result.findings
    base = Tally(draws=48, failures=2, unscored=6, unfaithful=3)
    treat = Tally(draws=40, failures=30, unscored=6, unfaithful=6)
    return replace(
        result,
        explored=(replace(first, tally=base), *explored),
        findings=(replace(finding, trial=replace(finding.trial, treat=treat)), *findings),
    )


def test_prompts_whose_label_is_not_seen_stand_apart_with_their_counts() -> None:
    """The largest share comes first; draws that are unscored for another reason count for nothing."""
    result = unseen(sample())
    rows = [(one.label, one.words, one.judged, one.unseen) for one in misdrawn(result)]
    own = result.findings[0].trial.hypothesis
    assert rows == [(own.label, own.description, 40, 6), (result.explored[0].label, "", 45, 3)]
    page = check(to_html(result, coloured))
    assert HEADING in page.shown
    assert "None of these draws counts for or against a classifier" in page.shown
    text = to_markdown(result)
    assert f"## {HEADING}" in text
    assert "| 45 | 3 |" in text


def test_where_every_label_is_seen_nothing_is_said() -> None:
    """A run without such draws has no such section, and neither has one over photographs."""
    assert HEADING not in to_html(sample(), coloured)
    assert HEADING not in to_markdown(sample())
    assert not misdrawn(poisoned("x", photographs=True))


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_prompts_are_only_text(evil: str) -> None:
    """A hostile label or description adds no tag and no attribute."""
    check(to_html(unseen(poisoned(evil)), coloured))


def test_many_prompts_are_cut_and_counted() -> None:
    """More than a page should list are counted below, in both files."""
    result = unseen(sample())
    first = result.explored[0]
    many = replace(result, explored=tuple(replace(first, label=f"label {at}") for at in range(MOST + 5)))
    more = len(misdrawn(many)) - MOST
    assert f"And {more} more prompts." in check(to_html(many, coloured)).shown
    assert f"And {more} more prompts." in to_markdown(many)
