"""Reported: eleven bugs of one classifier, which had three causes, stood beside each other as if they were eleven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foible.explanation.causes import causes_of, with_carriers
from foible.findings import Counterfactual, Finding, Rate, Verdict
from foible.records import Hypothesis, Pairs, Tally, Treatment, Trial
from foible.report.causes import cause_lines, cause_sentence, matrices
from foible.report.markdown import to_markdown
from report.results import LABELS, OTHER, SUBJECT, sample
from toyworld import LABELLED, Classifier, hunt

NAMES = [label.name for label in LABELS]
LEVEL, UNSCORED = 0.05, 0.3


def counts(failures: int, draws: int = 40, unscored: int = 0) -> Tally:
    """Count draws."""
    return Tally(draws=draws, failures=failures, unscored=unscored)


def rate(tally: Tally) -> Rate:
    """Give a share; its interval is of no interest here."""
    return Rate(value=tally.failures / tally.scored if tally.scored else None, low=0.0, high=1.0)


def finding(
    label: str, words: tuple[str, ...], verdict: Verdict = "confirmed", rests: tuple[Tally, ...] = (), place: int = 0
) -> Finding:
    """Make a finding that fails 36 times of 40 with the words and 4 times without."""
    hypothesis = Hypothesis(label=label, treatment=Treatment(words=words), classifier=place)
    trial = Trial(hypothesis=hypothesis, treat=counts(36), control=counts(4), pairs=Pairs(4, 32, 0, 4))
    changes = tuple(
        Counterfactual(
            change="drop",
            phrase=phrase,
            treatment=Treatment(words=tuple(w for w in words if w != phrase)),
            tally=rest,
            rate=rate(rest),
        )
        for phrase, rest in zip(words, rests, strict=False)
    )
    return Finding(
        trial=trial,
        verdict=verdict,
        reason="it is so",
        p_value=0.001,
        adjusted=0.01,
        treat=rate(trial.treat),
        control=rate(trial.control),
        difference=Rate(value=0.8, low=0.6, high=0.95),
        counterfactuals=changes,
        measured=trial if verdict == "confirmed" else None,
    )


RAIN = ("in rain",)
ABOVE = ("from above",)
BOTH = (*RAIN, *ABOVE)
ELEVEN = [
    *(finding(label, RAIN) for label in NAMES[:5]),
    *(finding(label, ABOVE) for label in NAMES[2:5]),
    finding(NAMES[5], BOTH, rests=(counts(14, 16), counts(3, 16))),  # without rain 14 of 16 fail, without above 3
    *(finding(label, ("far away",)) for label in NAMES[:2]),
]


def grouped(found: list[Finding], labels: list[str] = NAMES) -> list[tuple[str, list[str]]]:
    """Give each cause with the labels whose bugs it explains."""
    own = with_carriers(found, LEVEL, UNSCORED)
    return [
        (c.treatment.description, [own[p].trial.hypothesis.label for p in c.findings]) for c in causes_of(own, labels)
    ]


def test_eleven_bugs_have_three_causes() -> None:
    """Bugs that share a phrase are one cause: in rain 5, from above 4 (one of them found with a phrase more), far 2."""
    assert len(ELEVEN) == 11
    assert grouped(ELEVEN) == [("in rain", NAMES[:5]), ("from above", NAMES[2:6]), ("far away", NAMES[:2])]


@pytest.mark.parametrize(
    ("rests", "kind", "words"),
    [
        ((counts(2, 16), counts(1, 16)), "together", BOTH),  # neither alone
        ((counts(15, 16), counts(1, 16)), "alone", ABOVE),
        ((counts(1, 16), counts(15, 16)), "alone", RAIN),
        ((counts(14, 16), counts(15, 16)), "alone", RAIN),  # each alone does it: the one that fails more
        ((counts(2, 4), counts(0, 4)), "open", BOTH),  # too few draws for either claim
        ((counts(2, 16),), "open", BOTH),  # the budget left one out
        ((), "open", BOTH),
        ((counts(0, 16, 16), counts(1, 16)), "open", BOTH),  # nothing scored is no pass
        ((counts(1, 16, 8), counts(1, 16)), "open", BOTH),
    ],
)
def test_a_pair_is_named_as_one_only_where_it_is_worse_than_both_singles(
    rests: tuple[Tally, ...], kind: str, words: tuple[str, ...]
) -> None:
    """By the draws with a phrase dropped: worse than each single is a pair, else a single that does it, else open."""
    (found,) = with_carriers([finding("vase", BOTH, rests=rests)], LEVEL, UNSCORED)
    assert found.carrier is not None
    assert (found.carrier.kind, found.carrier.treatment.words) == (kind, words)


def test_without_measured_draws_nothing_is_claimed_of_a_pair() -> None:
    """The draws that decided stopped when they looked good: beside them any phrase would look needed."""
    found = replace(finding("vase", BOTH, rests=(counts(2, 16), counts(1, 16))), measured=None)
    (told,) = with_carriers([found], LEVEL, UNSCORED)
    assert told.carrier is not None
    assert (told.carrier.kind, told.carrier.together, told.carrier.alone) == ("open", 1.0, 1.0)


def test_what_is_not_confirmed_or_has_one_phrase_has_no_carrier() -> None:
    """Only a confirmed description of several phrases asks which of them carries it."""
    told = with_carriers([finding("vase", RAIN), finding("vase", BOTH, "refuted")], LEVEL, UNSCORED)
    assert [one.carrier for one in told] == [None, None]


def test_many_pairs_make_the_claim_of_each_harder() -> None:
    """Holm's correction: what one pair alone would show, one of a hundred does not."""
    one = finding("vase", BOTH, rests=(counts(9, 16), counts(1, 16)))
    (alone,) = with_carriers([one], LEVEL, UNSCORED)
    many = with_carriers([one, *(finding("vase", BOTH) for _ in range(99))], LEVEL, UNSCORED)
    assert alone.carrier is not None
    assert alone.carrier.kind == "together"
    assert many[0].carrier is not None
    assert many[0].carrier.kind != "together"
    assert many[0].carrier.together == pytest.approx(min(1.0, 100 * alone.carrier.together))


def test_a_cause_says_for_which_labels_it_was_tested() -> None:
    """Confirmed, undecided and refuted labels are named; a label that is not named was not tested."""
    found = [*ELEVEN, finding(NAMES[6], RAIN, "undecided"), finding(NAMES[7], RAIN, "refuted")]
    causes = causes_of(with_carriers(found, LEVEL, UNSCORED), NAMES)
    rain, above, _ = causes
    assert [(t.label, t.verdict) for t in rain.tested] == [
        *((label, "confirmed") for label in NAMES[:5]),
        (NAMES[6], "undecided"),
        (NAMES[7], "refuted"),
    ]
    assert [t.label for t in above.tested] == NAMES[2:6]
    assert all(found[t.finding].trial.hypothesis.label == t.label for cause in causes for t in cause.tested)


def test_an_article_makes_no_other_cause_and_the_order_of_phrases_neither() -> None:
    """Captioners write "in the rain" and "in rain": it rains in both. "in snow" is another cause."""
    found = [finding("vase", RAIN), finding("bucket", ("in the rain",)), finding("bucket", ("in snow",))]
    assert grouped(found) == [("in rain", ["vase", "bucket"]), ("in snow", ["bucket"])]
    turned = [finding("vase", BOTH), finding("bucket", BOTH[::-1])]
    assert grouped(turned) == [("in rain, from above", ["vase", "bucket"])]


def test_causes_of_several_classifiers_are_kept_apart() -> None:
    """What one classifier fails with says nothing of another, and each has a table of its own."""
    found = with_carriers(
        [finding("vase", RAIN), finding("bucket", RAIN), *(finding(n, RAIN, place=1) for n in NAMES[:3])],
        LEVEL,
        UNSCORED,
    )
    result = replace(
        sample("empty"), classifiers=(SUBJECT, OTHER), findings=tuple(found), causes=causes_of(found, NAMES)
    )
    assert [(c.classifier, len(c.findings)) for c in result.causes] == [(0, 2), (1, 3)]
    assert [table.who for table in matrices(result)] == [SUBJECT.name, OTHER.name]
    assert cause_lines(result) == [
        f"{SUBJECT.name}: 1 cause: in rain (2 labels)",
        f"{OTHER.name}: 1 cause: in rain (3 labels)",
    ]
    text = to_markdown(result)
    assert f"### {SUBJECT.name}" in text
    assert f"### {OTHER.name}" in text


def test_the_table_says_what_was_tested_and_what_was_not() -> None:
    """Labels by causes in Markdown; the line for a terminal; the sentence of a cause."""
    found = with_carriers([*ELEVEN, finding(NAMES[6], RAIN, "refuted")], LEVEL, UNSCORED)
    result = replace(sample("empty"), findings=tuple(found), causes=causes_of(found, NAMES))
    assert cause_lines(result) == ["3 causes: in rain (5 labels), from above (4), far away (2)"]
    text = to_markdown(result)
    assert "| coffee mug | confirmed +80 | not tested | confirmed +80 |" in text
    assert f"| {NAMES[6]} | refuted | not tested | not tested |" in text
    assert cause_sentence(result.causes[0], result) == (
        f"“in rain” is confirmed for coffee mug, mixing bowl, water bottle, vase and mushroom; refuted for {NAMES[6]}; "
        "not tested for 6 other labels."
    )
    assert "One phrase less does it too: *from above* alone fails more often than the base prompt" in text


def test_one_finding_alone_makes_no_table() -> None:
    """A single bug that was tested for one label has nothing to be compared with."""
    found = [finding("vase", RAIN)]
    result = replace(sample("empty"), findings=tuple(found), causes=causes_of(found, NAMES))
    assert matrices(result) == []
    assert cause_lines(result) == []


def test_a_thousand_labels_make_a_table_that_can_be_read() -> None:
    """Rows and columns are limited, and what is left out is counted."""
    names = [f"thing {number}" for number in range(1000)]
    found = [finding(name, (f"word {row % 20}",)) for row, name in enumerate(names)]
    result = replace(sample("empty"), findings=tuple(found), causes=causes_of(found, names))
    (table,) = matrices(result)
    assert len(table.causes) == 8
    assert len(table.rows) == 40
    assert (table.more_causes, table.more_labels) == (12, 360)
    assert "And 12 more causes, 360 more labels in findings.json." in to_markdown(result)


class Wet(Classifier):
    """Takes everything on snow for a bucket."""

    def answer(self, scene):
        """Name what is seen."""
        return "bucket" if scene.ground == "snow" else scene.label


def test_a_hunt_finds_one_cause_behind_its_bugs(tmp_path) -> None:
    """A classifier with one bug for every label: each is found, and they are one cause."""
    run = hunt(tmp_path / "run", Wet(), config={"explore": {"draws": 60}})
    assert {f.trial.hypothesis.label for f in run.confirmed} == set(LABELLED)
    snow = [c for c in run.result.causes if c.treatment.words == ("on snow",)]
    assert [len(c.findings) for c in snow] == [3]
    assert run.result.causes[0] is snow[0]
