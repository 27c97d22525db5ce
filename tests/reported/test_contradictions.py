"""A page that says "confirmed" beside an interval that denies it, and a class that heads a bug of which it is a tenth.

16 of 17 confirmed findings of a hunt had a ratio interval that held 1, one a difference of [+5, +100] at a margin of
10 points, and "→ theater curtain" headed a bug in which 4 of 35 failures were taken for one.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import toyworld
from foible.config import ConfirmOptions
from foible.findings import Finding, Rate
from foible.records import Hypothesis, Pairs, Tally, Treatment, Trial
from foible.report import sentence, to_html, to_json, to_markdown
from foible.report.claims import apart, at_least, disagreement
from foible.report.notes import notes
from foible.report.sentences import plain, title
from foible.report.taken import confusions
from foible.trial import pairs as pairing
from foible.trial.decide import decide, ratio_of
from foible.trial.measure import narrowed
from report.results import INDICES, nothing, sample

OPTIONS = {method: ConfirmOptions(method=method) for method in ("sequential", "fixed")}
CELLS = st.tuples(st.integers(0, 20), st.integers(0, 40), st.integers(0, 6), st.integers(0, 40)).map(
    lambda c: Pairs(*c)
)


def counted(pairs: Pairs, place: int) -> pairing.Tested:
    """Make a hypothesis with its counts; which images they are of decides nothing here."""
    both, plus, minus, _ = pairs
    arms = [Tally(draws=sum(pairs), failures=both + own, unscored=0) for own in (plus, minus)]
    hypothesis = Hypothesis(label="mug", treatment=Treatment(words=(f"words {place}",)))
    trial = Trial(hypothesis=hypothesis, treat=arms[0], control=arms[1], pairs=pairs)
    return pairing.Tested(trial=trial, treat=(), control=())


def check(finding: Finding, margin: float) -> None:
    """See that no interval about the difference denies the verdict."""
    low, high = finding.difference.low, finding.difference.high
    assert -1.0 <= low <= high <= 1.0
    assert finding.ratio is not None
    if finding.verdict == "confirmed":
        assert low >= margin
        assert finding.ratio.low > 1.0 or low == 0.0
    else:
        assert low <= margin
    if finding.verdict == "refuted":
        assert high <= margin
    assert finding.ratio.high is None or finding.ratio.low <= finding.ratio.high


@pytest.mark.parametrize("method", ["sequential", "fixed"])
@settings(max_examples=30)
@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from([0.0, 0.1, 0.35]), CELLS)
@example([Pairs(0, 8, 0, 0), Pairs(0, 2, 0, 20)], 0.1, Pairs(9, 12, 2, 8))
def test_no_interval_of_a_finding_denies_its_verdict(
    method: str, many: list[Pairs], margin: float, after: Pairs
) -> None:
    """Whatever was counted, and whatever is measured afterwards: confirmed lies above the margin, refuted within it."""
    options = OPTIONS[method].model_copy(update={"margin": margin})
    for finding in decide([counted(pairs, place) for place, pairs in enumerate(many)], options, 8):
        check(finding, margin)
        if finding.verdict != "confirmed" or method == "fixed":  # nothing else is narrowed
            continue
        low, high = narrowed(finding, after)
        gap = Rate(value=0.3, low=low, high=high)
        assert finding.difference.low <= low <= high <= finding.difference.high
        check(replace(finding, difference=gap, ratio=ratio_of(finding.treat, finding.control, gap)), margin)


@pytest.mark.parametrize("method", ["sequential", "fixed"])
def test_a_hunt_shows_what_its_verdicts_rest_on(tmp_path, method):
    """Table, page, Markdown, JSON and sentence have one lower bound, above the margin; `foible verify` finds it too."""
    run = toyworld.hunt(tmp_path / "run", seed=2, config={"confirm": {"method": method, "draws": 20}})
    assert run.confirmed
    for finding in run:
        check(finding, 0.1)
    for finding in run.confirmed:
        bound = apart(finding, run.result)
        assert finding.measured is not None
        assert re.fullmatch(r"at least \+[\d.]+", bound)
        assert float(bound.removeprefix("at least +")) > 10
        page, text = to_html(run.result, nothing), to_markdown(run.result)
        assert f"<small>{bound}</small>" in page.replace("\u00a0", " ")
        assert f"points, {bound}" in text
        assert f"{bound.replace('+', '')} points more often" in sentence(finding, run.result)
    from foible.checks.verify import verify

    assert verify(run.folder).differences == ()
    tampered = to_json(run.result).replace('"risk": ', '"risk": 0.9 , "was": ', 1)
    (run.folder / "findings.json").write_text(tampered, encoding="utf-8")
    assert any("risk" in line for line in verify(run.folder).differences)


@pytest.mark.parametrize(
    ("low", "margin", "said"),
    [
        (0.619, 0.1, "at least +61"),
        (0.1049, 0.1, "at least +10.4"),
        (0.10001, 0.1, "at least +10.001"),
        (0.1000001, 0.1, "more than +10"),
        (0.029, None, "at least +2"),
        (0.05, 0.1, "at least +5"),
    ],
)
def test_a_bound_is_rounded_down_but_not_onto_the_margin(low: float, margin: float | None, said: str) -> None:
    """A bound never reads larger than it is, nor as if it did not exceed the margin."""
    assert at_least(low, margin) == said


def scattered(*counts: int) -> tuple[tuple[int, int], ...]:
    """Take a candle for other labels so often each."""
    others = [index for label, index in INDICES.items() if label != "coffee mug"]
    return tuple(zip([*others, *range(2000, 2100)], counts, strict=False))


@pytest.mark.parametrize(
    ("counts", "heads"),
    [
        ((4, *(2,) * 11, *(1,) * 9), "scattered over 21 classes"),
        ((18, *(1,) * 17), "mixing bowl"),
        ((17, *(1,) * 18), "scattered over 19 classes"),
        ((12, 12, 11), "mixing bowl, water bottle or vase"),
        ((20, 15), "mixing bowl"),
        ((1,), "mixing bowl"),
    ],
)
def test_a_class_heads_a_bug_only_with_a_clear_share(counts: tuple[int, ...], heads: str) -> None:
    """Half of the failures, or one of at most three classes: else the title says over how many they are scattered."""
    result = sample()
    first = result.findings[0]
    treat = replace(first.trial.treat, failures=sum(counts))
    finding = replace(first, trial=replace(first.trial, treat=treat), confused_with=scattered(*counts))
    assert plain(title(finding, result)) == f"coffee mug on grass → {heads}"
    assert len(confusions(finding, result)) == len(counts), "all of them are still listed"


def test_what_was_measured_and_what_was_decided_may_disagree_and_then_it_is_said() -> None:
    """A measured difference outside of the bound of the verdict is named, with what to do; one inside is not."""
    finding = sample().findings[0]
    inside = replace(finding, measured=finding.trial, difference=Rate(value=0.5, low=0.2, high=0.9))
    assert disagreement(inside) == disagreement(replace(finding, measured=None)) == ""
    below = replace(inside, difference=Rate(value=0.05, low=0.2, high=0.9))
    assert "is less than the pairs that decided support" in disagreement(below)
    assert disagreement(below) in notes(below)
