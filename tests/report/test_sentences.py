from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.findings import Finding, HuntResult, LabelSummary, Ratio
from foible.records import Tally
from foible.report import headline, no_bug_sentence, sentence, summary
from foible.report.notes import corrected_sentence, ratio_sentence
from foible.report.sentences import bound_of, left_out, plain, title
from foible.report.taken import confusions
from foible.report.words import (
    as_sentence,
    by,
    count,
    listed,
    percent,
    points,
    probability,
    shorten,
    spec_name,
    unbroken,
    with_article,
)
from report.anything import HOSTILE, poisoned
from report.results import OTHERS, Builder, difference, sample, share, suspicion, tally, two, wilson

if TYPE_CHECKING:
    from foible.findings import Verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.00001, "< 0.1 %"),
        (0.0042, "0.4 %"),
        (0.06, "6 %"),
        (0.925, "93 %"),
        (0.875, "88 %"),
        (0.996, "99.6 %"),
        (0.99999, "> 99.9 %"),
        (None, "–"),
    ],
)
def test_percentages(value: float | None, text: str) -> None:
    """Percentages are short, round half up, and say 0 % and 100 % only where that is exact."""
    assert percent(value) == text


@given(st.floats(0, 1))
def test_a_rate_is_never_rounded_to_none_or_all(value: float) -> None:
    """No failure rate above 0 reads 0 %, and none below 1 reads 100 %."""
    assert (percent(value) == "0 %") == (value == 0)
    assert (percent(value) == "100 %") == (value == 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.875, "+88"), (-0.03, "−3"), (0.0, "0"), (0.005, "+0.5"), (-0.0001, "−<0.1"), (1.0, "+100"), (None, "–")],
)
def test_points(value: float | None, text: str) -> None:
    """Differences are in signed percentage points, and a small one is not called 0."""
    assert points(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0432, "0.043"), (1.0, "1"), (0.0001, "0.0001"), (2.13e-9, "2 × 10⁻⁹"), (0.0, "0")]
)
def test_probabilities(p: float, text: str) -> None:
    """p-values have two digits, and small ones a power of ten."""
    assert probability(p) == text


def test_small_words() -> None:
    """Counts, lists, articles, clauses and cuts read as English."""
    assert count(1, "draw") == "1 draw"
    assert count(12480, "draw") == "12,480 draws"
    assert count(2, "hypothesis", "hypotheses") == "2 hypotheses"
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert [with_article(name) for name in ("ashcan", "bowl", "unicycle")] == ["an ashcan", "a bowl", "a unicycle"]
    assert as_sentence("a draw fails") == "A draw fails."
    assert shorten("a" * 50, 10) == "a" * 9 + "…"
    assert shorten("two\n lines\x00", 20) == "two lines·"
    assert unbroken("92 % of draws") == "92\u00a0% of draws"


def test_a_part_is_named_by_its_spec_in_either_form() -> None:
    """A spec may be a text or a mapping with a name; a part without one has no name."""
    assert spec_name({"spec": "timm:x"}) == "timm:x"
    assert spec_name({"spec": {"name": "timm:x", "args": {}}}) == "timm:x"
    assert spec_name({"spec": "hf:owner/name"}) == "hf:owner/name"
    assert spec_name({"spec": "litert:/some/where/model.tflite"}) == "litert:…/model.tflite"
    assert spec_name(None) == spec_name({}) == ""


def test_a_confirmed_finding_says_what_how_often_and_against_what() -> None:
    """The sentence of a confirmed finding is the claim and both rates with their intervals."""
    result = sample()
    assert sentence(result.findings[0], result) == (
        "A coffee mug “on grass” is taken for a bucket: it fails in 93 % of draws [80 %, 97 %] against 5 % [1 %, 17 %] "
        "without the description, on the same seeds, at least 63 points more often."
    )


@pytest.mark.parametrize(
    ("confused", "said"),
    [
        (((463, 37),), "is taken for a bucket: it"),
        (((463, 20), (883, 17)), "is taken for a bucket or a vase: it"),
        (((463, 13), (883, 12), (470, 12)), "is taken for a bucket, a vase or a candle: it"),
        (((463, 10), (883, 9), (470, 9), (849, 9)), "fails, its answers scattered over 4 classes: it"),
        (((463, 19), (883, 9), (470, 5), (849, 4)), "is taken for a bucket, a vase, a candle or 1 other label: it"),
        (((99999, 37),), "is taken for class 99999: it"),
        (((504, 37),), "fails: it"),
        ((), "fails: it"),
    ],
)
def test_what_it_is_taken_for(confused: tuple[tuple[int, int], ...], said: str) -> None:
    """One, several, many, unnamed, only accepted and no confusions each read right."""
    result = sample()
    assert f"“on grass” {said}" in sentence(replace(result.findings[0], confused_with=confused), result)


@pytest.mark.parametrize(("failures", "adverb"), [(36, ""), (20, "often "), (8, "sometimes ")])
def test_a_rarer_failure_is_not_called_a_rule(failures: int, adverb: str) -> None:
    """Below 80 % it is "often", below 40 % "sometimes" taken for something else."""
    result = sample()
    finding = replace(result.findings[0], treat=wilson(failures, 40))
    assert f"is {adverb}taken for a bucket" in sentence(finding, result)


def _tested(treat: Tally, control: Tally, verdict: Verdict = "undecided") -> tuple[Finding, HuntResult]:
    result = sample("none")
    finding = result.findings[0]
    rates = wilson(treat.failures, treat.scored), wilson(control.failures, control.scored)
    trial = replace(finding.trial, treat=treat, control=control)
    whole = replace(
        finding,
        trial=trial,
        verdict=verdict,
        treat=rates[0],
        control=rates[1],
        difference=difference(*rates),
    )
    return whole, replace(result, findings=(whole,))


@pytest.mark.parametrize(
    ("treat", "control", "said"),
    [
        (tally(40, 11, 0), tally(40, 4, 0), "28 % of draws [16 %, 43 %] against 10 % [4 %, 23 %] without"),
        (tally(40, 9, 14), tally(40, 4, 0), "on the same seeds; 14 of 40 draws with it are unscored."),
        (tally(40, 9, 1), tally(40, 4, 0), "; 1 of 40 draws with it is unscored."),
        (tally(40, 9, 1), tally(40, 4, 2), "; 1 of 40 draws with it and 2 of 40 draws without it are unscored."),
        (tally(40, 0, 40), tally(40, 4, 0), "it has no rate with the description (all 40 draws are unscored), and"),
        (tally(40, 11, 0), tally(1, 0, 1), "but the one draw is unscored without the description."),
        (tally(0, 0, 0), tally(0, 0, 0), "has no rate, with the description (no draw was made) or without it"),
    ],
)
def test_an_undecided_finding_says_what_is_missing(treat: Tally, control: Tally, said: str) -> None:
    """Undecided claims nothing; unscored draws, whole unscored arms and missing draws are named."""
    finding, result = _tested(treat, control)
    text = sentence(finding, result)
    assert text.startswith("It is open whether a teapot “at night” fails more often by over 10 points: it ")
    assert said in text
    assert "taken for" not in text


def test_a_refuted_finding_denies_the_claim() -> None:
    """Refuted says that it does not fail more often by the margin, with both rates."""
    finding, result = _tested(tally(40, 2, 0), tally(40, 2, 0), "refuted")
    assert sentence(finding, result).startswith(
        "A teapot “at night” does not fail more often by over 10 points: it fails in 5 % of draws"
    )
    without = replace(result, settings={})
    assert "does not fail more often: it" in sentence(finding, without)


def test_a_hypothesis_without_description_still_reads() -> None:
    """An empty description leaves no empty quotes behind."""
    result = sample()
    finding = result.findings[0]
    bare = replace(finding, trial=replace(finding.trial, hypothesis=suspicion("coffee mug")))
    assert sentence(bare, result).startswith("A coffee mug is taken for a bucket")


def test_headlines() -> None:
    """The headline counts confirmed bugs, or says that there is none, or what became of a probe."""
    hunt = sample()
    assert headline(hunt) == "5 confirmed bugs of diorama:biased-resnet"
    assert headline(replace(hunt, findings=hunt.findings[:1])) == "1 confirmed bug of diorama:biased-resnet"
    none = "No bug confirmed in diorama:biased-resnet: 21 of 573 draws under the base prompt fail"
    assert headline(sample("none")) == none
    probe = replace(sample("probe"), findings=sample("none").findings[:1])
    nameless = replace(probe, classifiers=(replace(probe.classifiers[0], identity={}),))
    assert headline(nameless) == "The hypothesis about the classifier is undecided"


def test_summaries_count_every_verdict_and_what_was_left_out() -> None:
    """What was tried, by verdict, and what the budget left out."""
    assert summary(sample()) == (
        "10 hypotheses were tried on fresh draws: 5 are confirmed, 2 are undecided and 3 are refuted. "
        "2 hypotheses were left out by the budget."
    )
    assert summary(sample("probe")) == "One hypothesis was tried on fresh draws, and it was confirmed."


def test_no_bug_found_comes_with_the_bounds_that_the_draws_support() -> None:
    """The base prompt's and the descriptions' upper bounds are the largest of their intervals."""
    result = sample("none")
    text = no_bug_sentence(result)
    assert text.startswith("No bug found: 5 hypotheses were tried and none was confirmed (2 undecided and 3 refuted).")
    worst = max(result.explored, key=lambda one: one.at_most)
    assert f"each label, taken alone, fails in at most {percent(worst.at_most)} of draws" in text
    together = max(one.raises for one in result.explored if one.raises is not None)
    assert f"by more than {points(together)[1:]} points" in text
    assert text.endswith("A description that was not tried may still fail.")


def test_a_label_that_often_fails_is_named_before_any_bound() -> None:
    """A bound alone sounds like good news: the rate of the label that fails most stands first, with its interval."""
    rows = (_summary("vase", tally(24, 13, 0), at_most=0.75), _summary("mug", tally(24, 0, 0), at_most=0.12))
    text = no_bug_sentence(replace(sample("none"), explored=rows))
    assert "vase fails most often by itself, in 54 % of draws [35 %, 72 %]. Under its base prompt each label" in text
    clean = no_bug_sentence(replace(sample("none"), explored=rows[1:]))
    assert "by itself" not in clean


def _summary(
    label: str, counts: Tally, *, classifier: int = 0, at_most: float = 1.0, raises: float | None = None
) -> LabelSummary:
    return LabelSummary(
        label=label,
        classifier=classifier,
        tally=counts,
        rate=wilson(counts.failures, counts.scored),
        at_most=at_most,
        raises=raises,
    )


def test_each_label_without_a_bug_has_its_own_bounds() -> None:
    """Also where other labels have bugs: what the draws exclude for a label is said beside it, and only there."""
    result = sample()
    one = _summary("vase", tally(48, 0, 0), at_most=0.0605, raises=0.123)
    assert bound_of(one, result) == (
        "no bug confirmed; fails in at most 6 % of draws; no description tried adds more than 12 points"
    )
    untried = replace(one, raises=None)
    assert bound_of(untried, result).endswith("; no description was tried")
    assert bound_of(replace(one, raises=-0.2), result).endswith("no description tried adds more than 0 points")
    assert bound_of(replace(one, rate=share(None, 0.0, 1.0)), result) == (
        "no bug confirmed; nothing was scored, so nothing is excluded"
    )
    assert bound_of(replace(one, label="coffee mug"), result) == ""


def test_the_ratio_is_said_as_far_as_it_is_known() -> None:
    """A value with its interval, a lower bound where there is no value, and nothing where nothing is known."""
    finding = sample().findings[0]
    often = "It fails 4.7 times as often with the description"
    said = [
        (Ratio(value=4.71, low=2.5, high=31.2), f"{often}, at least 2.5 times."),
        (Ratio(value=4.71, low=2.5, high=None), f"{often}, at least 2.5 times."),
        (Ratio(value=None, low=3.1, high=None), "It fails at least 3.1 times as often with the description."),
        (Ratio(value=None, low=0.0, high=None), ""),
        (None, ""),
    ]
    for ratio, words in said:
        assert ratio_sentence(replace(finding, ratio=ratio)) == words
    undecided = replace(finding, verdict="undecided", ratio=Ratio(value=4.71, low=0.5, high=31.2))
    assert ratio_sentence(undecided) == f"{often} [0.5 to 31]."


def test_corrected_rates_are_said_where_the_judge_was_measured() -> None:
    """With both corrected rates they are said with their intervals; without, nothing is."""
    finding = sample().findings[0]
    with_both = replace(finding, treat_corrected=share(0.9, 0.7, 0.95), control_corrected=share(0.0, 0.0, 0.1))
    assert corrected_sentence(with_both) == (
        "Corrected for the judge's errors it fails in 90 % of draws [70 %, 95 %] against 0 % [0 %, 10 %]."
    )
    assert corrected_sentence(replace(finding, treat_corrected=None, control_corrected=None)) == ""


def test_no_bug_found_does_not_bound_what_was_not_scored() -> None:
    """Labels without a scored draw are named; without any scored draw there is no bound."""
    unscored = _summary("vase", tally(48, 0, 48))
    scored = _summary("bucket", tally(48, 0, 0), at_most=0.0605)
    none = replace(sample("empty"), explored=(unscored,))
    assert "could be scored, so they bound nothing" in no_bug_sentence(none)
    some = no_bug_sentence(replace(none, explored=(unscored, scored)))
    assert "Under its base prompt bucket fails in at most 6 % of draws" in some
    assert "1 label could not be scored at all." in some


def test_no_bug_found_by_a_probe_bounds_the_description() -> None:
    """A probe that is not confirmed says how much the description can matter at most."""
    builder = Builder()
    finding = builder.other(OTHERS[2])
    text = no_bug_sentence(replace(sample("probe"), findings=(finding,)))
    assert text.startswith("No bug found: the one hypothesis tried is refuted.")
    assert f"raises the failure rate by at most {points(finding.difference.high)[1:]} points" in text
    assert "not tried" not in text


def test_of_two_classifiers_each_is_named() -> None:
    """With two, every finding, hypothesis and bound says whose it is, in the names of that classifier's classes."""
    result = two()
    said = [sentence(finding, result) for finding in result.findings[:2]]
    assert said[0].startswith("diorama:biased-resnet: A coffee mug “on grass” is taken for a bucket: it fails in")
    assert said[1].startswith("diorama:fair-resnet: A coffee mug “on grass” is taken for a grey bucket: it fails in")
    assert plain(title(result.findings[1], result)) == "coffee mug on grass → grey bucket (diorama:fair-resnet)"
    assert plain(left_out(result.untested[-1], result)) == "teapot on sand (diorama:fair-resnet)"
    assert headline(result) == "6 confirmed bugs of 2 classifiers"
    none = no_bug_sentence(replace(result, findings=()))
    assert "taken alone and for each classifier, fails in at most 50 % of draws" in none
    assert "of coffee mug (diorama:fair-resnet))" in none


def test_of_two_classifiers_a_bug_of_one_leaves_the_bounds_of_the_other() -> None:
    """A label that fails for one classifier is still bounded for the other."""
    result = two()
    ours, theirs = (_summary("candle", tally(48, 0, 0), classifier=place, at_most=0.06) for place in (0, 1))
    assert bound_of(ours, result) == ""
    assert bound_of(theirs, result).startswith("no bug confirmed; fails in at most 6 % of draws")


def test_a_label_that_two_classifiers_cannot_score_is_one_label() -> None:
    """Labels are counted, not pairs of label and classifier."""
    explored = (
        *(_summary("vase", tally(48, 0, 48), classifier=place) for place in (0, 1)),
        _summary("bucket", tally(48, 0, 0), at_most=0.06),
    )
    assert "1 label could not be scored for every classifier." in no_bug_sentence(
        replace(two(), findings=(), explored=explored)
    )


def test_classifiers_whose_names_are_long_or_empty_are_told_apart() -> None:
    """Long names differ at their end; one without a name has its place."""
    result = two()
    long = "onnx:/" + "folder/" * 60
    named = replace(
        result,
        classifiers=tuple(replace(one, name=long + name) for one, name in zip(result.classifiers, "ab", strict=True)),
    )
    names = [by(place, named) for place in (0, 1)]
    assert [name[-1] for name in names] == ["a", "b"]
    assert all(name.startswith("…") and len(name) == 120 for name in names)
    empty = replace(result, classifiers=tuple(replace(one, name=" \n") for one in result.classifiers))
    assert [by(place, empty) for place in (0, 1)] == ["classifier 1", "classifier 2"]
    assert by(0, sample()) == ""


@pytest.mark.parametrize("classifiers", [1, 2])
@pytest.mark.parametrize("evil", HOSTILE)
def test_sentences_are_one_short_printable_line(evil: str, classifiers: int) -> None:
    """Whatever a captioner wrote, a sentence is one printable line of bounded length."""
    result = poisoned(evil, classifiers=classifiers)
    for finding in result.findings:
        text = sentence(finding, result)
        assert text.isprintable()
        assert len(text) < 1200
        assert all(name.isprintable() for name, _ in confusions(finding, result))
    assert (headline(result) + summary(result)).isprintable()
