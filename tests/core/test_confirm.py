"""Promises of confirming, deciding and explaining: fresh pairs on the same seeds, honest verdicts, telling edits."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asked
import foible
import toyworld
from foible.arms import ARMS
from foible.config import ConfirmOptions
from foible.explanation.words import Alternatives, Change, changes
from foible.findings import Finding, Rate, Ratio
from foible.records import Draw, Hypothesis, Observation, Outcome, Pairs, Request, Tally, Treatment, Trial
from foible.trial import pairs as pairing
from foible.trial.decide import decide, rate
from foible.trial.pairs import CELLS, tally

STATUSES = ("failed", "passed", "unscored")
OPTIONS = ConfirmOptions(method="fixed", margin=0.1, level=0.05, unscored=0.3)


def arm(statuses, name="treat", predicted=3):
    """Make the observations of an arm, of seeds 0, 1, 2 and so on."""
    taken = {"failed": predicted, "passed": 0, "unscored": None}
    return tuple(
        Observation(
            draw=Draw(
                request=Request(
                    key=f"{name}{seed}", label="mug", treatment=Treatment(), seed=seed, arm="treat", text="a mug"
                )
            ),
            outcome=Outcome(status=status, predicted=taken[status]),
        )
        for seed, status in enumerate(statuses)
    )


def trial_of(treat, control, description="on grass"):
    """Make a tested hypothesis of two equally long lists of outcomes."""
    pairs = list(zip(treat, control, strict=True))
    counts = Pairs(*(pairs.count(cell) for cell in CELLS))
    a, b = arm(treat, f"treat {description} "), arm(control, "control ")
    hypothesis = Hypothesis(label="mug", treatment=Treatment(words=(description,)))
    return pairing.Tested(
        trial=Trial(hypothesis=hypothesis, treat=tally(a), control=tally(b), pairs=counts), treat=a, control=b
    )


def outcomes(failed, passed, unscored=0):
    """Make a list of outcomes."""
    return ["failed"] * failed + ["passed"] * passed + ["unscored"] * unscored


arms = st.integers(0, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.sampled_from(STATUSES), min_size=n, max_size=n) for _ in range(2)])
)


@pytest.mark.parametrize(
    ("treat", "control", "verdict", "says"),
    [
        (outcomes(36, 4), outcomes(2, 38), "confirmed", "exceeds the base rate by more than 10%"),
        (outcomes(2, 38), outcomes(36, 4), "refuted", "within the margin of 10%"),
        (outcomes(0, 80), outcomes(0, 80), "refuted", "within the margin of 10%"),
        (outcomes(40, 0), outcomes(40, 0), "refuted", "within the margin of 10%"),
        (outcomes(9, 31), outcomes(2, 38), "undecided", "40 pairs cannot tell the difference"),
        (outcomes(0, 0, 40), outcomes(2, 38), "undecided", "none of 40 pairs is scored on both sides"),
        (
            outcomes(27, 0, 13),
            outcomes(0, 40),
            "undecided",
            "13 of 40 draws with the description are unscored, more than the 30% allowed",
        ),
        (outcomes(28, 0, 12), outcomes(0, 40), "confirmed", "exceeds the base rate"),
        (outcomes(40, 0), outcomes(0, 27, 13), "undecided", "13 of 40 draws without it are unscored"),
        ([], [], "undecided", "no pair was drawn"),
    ],
)
def test_a_verdict_says_what_the_pairs_support(treat, control, verdict, says):
    """Confirmed, refuted and undecided follow from the pairs alone, and too many unscored pairs decide nothing."""
    (finding,) = decide([trial_of(treat, control)], OPTIONS, 8)
    assert finding.verdict == verdict
    assert says in finding.reason


@given(arms)
def test_no_verdict_without_its_evidence(both):
    """Whatever the outcomes, each verdict holds its own conditions, and unscored draws are in no rate."""
    treat, control = both
    (finding,) = decide([trial_of(treat, control)], OPTIONS, 8)
    scored = [pair for pair in zip(treat, control, strict=True) if "unscored" not in pair]
    assert sum(finding.trial.pairs) == len(scored)
    assert finding.treat.value == (treat.count("failed") / n if (n := len(treat) - treat.count("unscored")) else None)
    assert 0 <= finding.treat.low <= finding.treat.high <= 1
    if finding.verdict == "confirmed":
        assert finding.adjusted <= OPTIONS.level
        assert finding.difference.value > OPTIONS.margin
    if finding.verdict == "refuted":
        assert finding.difference.high <= OPTIONS.margin
        assert finding.adjusted > OPTIONS.level
    if max(treat.count("unscored"), control.count("unscored")) > OPTIONS.unscored * len(treat):
        assert finding.verdict == "undecided"
    assert (finding.difference.value is None) == (not scored)


@pytest.mark.parametrize("method", ["fixed", "sequential"])
@pytest.mark.parametrize(
    ("treat", "control", "value", "bounded"),
    [
        ([], [], None, False),
        (outcomes(1, 0), outcomes(0, 1), None, False),
        (outcomes(1, 0), outcomes(1, 0), 1.0, True),
        (outcomes(0, 40), outcomes(0, 40), None, False),
        (outcomes(40, 0), outcomes(40, 0), 1.0, True),
        (outcomes(40, 0), outcomes(10, 30), 4.0, True),
        (outcomes(0, 40), outcomes(10, 30), 0.0, True),
    ],
)
def test_a_ratio_is_said_as_far_as_it_is_known(method, treat, control, value, bounded):
    """At 0 %, at 100 %, of no pair and of one: the ratio, and an interval that holds it, unbounded over a rate of 0."""
    options = OPTIONS.model_copy(update={"method": method})
    (finding,) = decide([trial_of(treat, control)], options, 8)
    assert finding.ratio.value == value
    assert (finding.ratio.high is not None) == bounded
    assert finding.ratio.low <= (value if value is not None else float("inf"))
    assert value is None or finding.ratio.high is None or value <= finding.ratio.high


@given(arms, st.integers(0, 9))
def test_examples_are_what_they_are_called(both, most):
    """Failing examples failed and passing ones passed, at most as asked for, each failing one with its own control."""
    one = trial_of(*both)
    (finding,) = decide([one], OPTIONS, most)
    seeds = {o.key: (o.request.seed, o.outcome.status) for o in (*one.treat, *one.control)}
    assert [seeds[key][1] for key in finding.failing] == ["failed"] * min(most, both[0].count("failed"))
    assert [seeds[key][1] for key in finding.passing] == ["passed"] * min(most, both[0].count("passed"))
    assert [seeds[key][0] for key in finding.paired] == [seeds[key][0] for key in finding.failing]
    assert all(key.startswith("control") for key in finding.paired)
    assert sum(count for _, count in finding.confused_with) == finding.trial.treat.failures


@given(st.lists(arms, min_size=1, max_size=6), st.randoms())
def test_every_hypothesis_tried_counts_against_the_others(many, dice):
    """A verdict never improves when more hopeless hypotheses were tried, whatever the order in which they came."""
    trials = [trial_of(treat, control, f"phrase {n}") for n, (treat, control) in enumerate(many)]
    hopeless = [trial_of(outcomes(0, 40), outcomes(0, 40), description=f"hopeless {n}") for n in range(5)]
    alone = {f.trial.hypothesis: f for f in decide(trials, OPTIONS, 0)}
    among = {f.trial.hypothesis: f for f in decide([*hopeless, *trials], OPTIONS, 0)}
    for hypothesis, finding in alone.items():
        assert finding.p_value == among[hypothesis].p_value
        assert finding.p_value <= finding.adjusted <= among[hypothesis].adjusted <= 1
        assert among[hypothesis].verdict != "confirmed" or finding.verdict == "confirmed"
    dice.shuffle(trials)
    assert decide(trials, OPTIONS, 0) == list(alone.values())


def test_findings_come_in_order():
    """Confirmed before undecided before refuted; within a verdict the largest difference first."""
    rates = [(40, 0), (0, 40), (30, 10), (10, 30), (38, 2)]
    trials = [trial_of(outcomes(*one), outcomes(1, 39), description=f"{one}") for one in rates]
    findings = decide(trials, OPTIONS, 0)
    assert [f.verdict for f in findings] == ["confirmed", "confirmed", "confirmed", "undecided", "refuted"]
    differences = [f.difference.value or 0 for f in findings]
    assert differences == sorted(differences, reverse=True)


def test_a_rate_without_a_scored_draw_is_none():
    """Where nothing is scored there is no rate, and the interval is everything."""
    nothing = Rate(value=None, low=0.0, high=1.0)
    assert rate(Tally(draws=5, failures=0, unscored=5)) == nothing
    assert rate(Tally(draws=0, failures=0, unscored=0)) == nothing


# --- through a hunt ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give a hunt of the toy world."""
    return toyworld.hunt(tmp_path_factory.mktemp("confirm") / "run", seed=1)


def test_treat_and_control_are_pairs_of_fresh_seeds(run):
    """Every treat draw has a control draw of the same seed and base prompt; no explored seed is among them."""
    arms: dict[str, dict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for one in asked.requests(run.folder):
        arms[one.arm][one.label, one.treatment.description].append((one.seed, one.text))
    for finding in run:
        label, description = finding.trial.hypothesis.label, finding.trial.hypothesis.description
        treat, control = arms["treat"][label, description], arms["control"][label, ""]
        assert [seed for seed, _ in treat] == [seed for seed, _ in control]
        assert [text for _, text in treat] == [f"{text}, {description}" for _, text in control]
        explored = [seed for seed, _ in arms["explore"][label, ""]]
        assert not set(explored) & {seed for seed, _ in treat}
        assert len({*explored, *(seed for seed, _ in treat)}) == 24 + 20
    assert arms["explain"]
    for (label, _), edited in arms["explain"].items():
        assert {seed for seed, _ in edited} <= {seed for seed, _ in arms["control"][label, ""][:8]}


def test_every_draw_is_counted_once(run):
    """The draws of a result are those that the archive holds, arm by arm, and the tallies are what was drawn."""
    made = asked.drawn(run.folder)
    assert sum(run.result.draws.values()) == len({one.key for one in made}) == len(made)
    for arm in ARMS:
        assert run.result.draws.get(arm, 0) == sum(one.arm == arm for one in made)
    assert sum(s.tally.draws for s in run.result.explored) == run.result.draws["explore"]


def test_an_edit_that_is_a_hypothesis_too_is_drawn_and_counted_once(tmp_path):
    """Where an edited description is itself tested, its draws count once, in the arm of the test."""
    parts: dict[str, Any] = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    descriptions = ["on grass, red", "on grass", "red"]
    config = {**toyworld.SMALL, "confirm": {**toyworld.FIXED, "level": 0.2}, "measure": {"most": 0}}
    run = foible.probe(
        toyworld.Classifier(), "coffee mug", descriptions, out=tmp_path / "run", config=config, progress=False, **parts
    )
    assert [c.treatment.description for f in run.confirmed for c in f.counterfactuals] == ["red", "on grass"]
    assert run.result.draws == {"treat": 60, "control": 20}
    for finding in run:
        for key in (*finding.failing, *finding.passing):
            assert run.result.observations[key].request.arm == "treat"


def test_dropping_and_swapping_tell_which_words_carry_the_failure(run):
    """Each confirmed description is explained: without the phrase that carries it, the failures are gone."""
    (finding,) = (f for f in run if f.trial.hypothesis.label == "coffee mug")
    assert [(c.change, c.phrase) for c in finding.counterfactuals] == [("swap", "on grass")]
    assert finding.counterfactuals[0].rate.value == 0
    (finding,) = (f for f in run if f.trial.hypothesis.label == "water bottle")
    assert [(c.change, c.phrase) for c in finding.counterfactuals] == [
        ("drop", "striped"),
        ("drop", "at night"),
        ("swap", "striped"),
        ("swap", "at night"),
    ]
    for edit in finding.counterfactuals:
        assert edit.tally.draws == 8
        assert edit.rate.value < finding.treat.value
        assert edit.phrase not in edit.treatment.description


def test_examples_of_an_edit_are_paired_by_seed(run):
    """The examples of a counterfactual have the seeds of the failing examples, in their order."""
    for finding in run.confirmed:
        seeds = [run.result.observations[key].request.seed for key in finding.failing]
        for edit in finding.counterfactuals:
            own = [run.result.observations[key].request.seed for key in edit.examples]
            assert own
            assert own == [seed for seed in seeds if seed in own]


def test_only_as_many_findings_are_explained_as_asked_for(tmp_path):
    """`explain.findings` and `explain.draws` bound the edits; verdicts stay what they are without them."""
    one = toyworld.hunt(tmp_path / "one", seed=1, config={"explain": {"draws": 8, "findings": 1}})
    none = toyworld.hunt(tmp_path / "none", seed=1, config={"explain": {"draws": 0}})
    assert [bool(f.counterfactuals) for f in one] == [True, False]
    assert [bool(f.counterfactuals) for f in none] == [False, False]
    assert [(f.verdict, f.trial) for f in one] == [(f.verdict, f.trial) for f in none]
    assert "explain" not in none.result.draws


def test_what_led_to_a_finding_is_shown_with_its_caption(run):
    """Explored failures that led to a finding are shown, with a caption that holds every phrase of the finding."""
    assert run.result.captions
    led = defaultdict(list)
    for key, caption in run.result.captions.items():
        seen = run.result.observations[key]
        assert (seen.request.arm, seen.outcomes[0].status) == ("explore", "failed")
        led[seen.request.label].append(caption)
    for finding in run:
        hypothesis = finding.trial.hypothesis
        assert any(all(phrase in caption for phrase in hypothesis.treatment.words) for caption in led[hypothesis.label])


def test_a_swap_is_the_most_frequent_phrase_of_its_kind_that_is_never_said_beside_it():
    """A swap takes a modifier for a modifier, a place for a place, and nothing that is said beside the phrase."""
    captions = [frozenset(said) for said in ({"red", "on grass"}, {"blue", "on sand"}, {"blue", "on snow"})]
    captions += [frozenset({"red", "striped", "on grass"}), frozenset({"blue", "at night", "on snow"})]
    alternatives = Alternatives(captions)
    assert alternatives.of("on grass", ()) == "on snow"
    assert alternatives.of("on grass", ("on snow",)) == "on sand"
    assert alternatives.of("red", ()) == "blue"
    assert alternatives.of("striped", ()) == "blue"
    assert alternatives.of("at night", ()) == ""
    assert Alternatives([]).of("red", ()) == ""


@given(st.lists(st.sampled_from(["red", "on grass", "at night", "far away"]), min_size=1, max_size=4, unique=True))
def test_an_edit_changes_one_phrase_and_leaves_the_rest_in_order(phrases):
    """Each edit drops or swaps one phrase, never leaves nothing, and never gives the description itself."""
    dice = random.Random(0)
    pool = ["red", "blue", "on grass", "on snow", "at night", "at sunset", "far away"]
    alternatives = Alternatives([frozenset(dice.sample(pool, 1)) for _ in range(60)])
    hypothesis = Hypothesis(label="mug", treatment=Treatment(words=tuple(phrases)))
    rest, none = Rate(value=0.0, low=0.0, high=1.0), Tally(draws=0, failures=0, unscored=0)
    finding = Finding(
        trial=Trial(hypothesis=hypothesis, treat=none, control=none, pairs=Pairs(0, 0, 0, 0)),
        verdict="confirmed",
        reason="",
        p_value=0.0,
        adjusted=0.0,
        treat=rest,
        control=rest,
        difference=rest,
        ratio=Ratio(value=None, low=0.0, high=None),
    )
    for edit in changes(finding, alternatives):
        assert isinstance(edit, Change)
        assert edit.left
        assert edit.left != hypothesis.treatment
        assert edit.phrase in phrases
        assert edit.phrase not in edit.left.words
        kept = [p for p in edit.left.words if p in phrases]
        assert kept == [p for p in phrases if p != edit.phrase]
        assert len(edit.left.words) == len(phrases) - (edit.kind == "drop")
