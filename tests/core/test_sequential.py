"""Promises of sequential confirmation: draws where evidence is open, early stops, and evidence that stays valid."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import asked
import foible
import toyworld
from foible.config import ConfirmOptions
from foible.records import Hypothesis, Pairs, Tally, Treatment, Trial
from foible.run.events import Asked, Block
from foible.run.journal import Journal
from foible.statistics import e_adjusted, log_evidence
from foible.trial import pairs as pairing
from foible.trial.decide import decide

SEQUENTIAL = {"method": "sequential"}
STEP = ConfirmOptions().step


class Forgetful(toyworld.Classifier):
    """Fails on grass, on snow and at night, so that many hypotheses come up."""

    def answer(self, scene):
        """Take whatever is there for a barrel."""
        odd = scene.ground in {"grass", "snow"} or scene.light == "night"
        return "barrel" if odd else scene.label


class Blind(toyworld.Perfect):
    """Fails on a quarter of all images, whatever they show."""

    def classify(self, images):
        """Toss a coin for each image, the same one each time."""
        scores = super().classify(images)
        barrel = toyworld.PLAIN.index("barrel")
        for row, image in enumerate(images):
            if hashlib.sha256(image.tobytes()).digest()[0] < 64:
                scores[row, barrel] = 2
        return scores


class Counting:
    """The toy generator: counts how often each image was drawn, and is interrupted at a call, as by Ctrl-C."""

    fingerprint = "the toy generator, counted"

    def __init__(self, at=None):
        self.made: Counter[Any] = Counter()
        self.calls, self.at = itertools.count(), at

    def draw(self, prompts, seeds):
        """Count and draw."""
        if next(self.calls) == self.at:
            raise KeyboardInterrupt
        self.made.update(zip(prompts, seeds, strict=True))
        return toyworld.draw(prompts, seeds)


class Sloppy(Counting):
    """Draws a barrel in place of every fourth mug, whatever the description."""

    def draw(self, prompts, seeds):
        """Count and draw."""
        images = super().draw(prompts, seeds)
        barrels = toyworld.draw([p.replace("coffee mug (cup)", "barrel (vessel)") for p in prompts], seeds)
        return [b if seed % 16 < 4 else i for i, b, seed in zip(images, barrels, seeds, strict=True)]


def hunt(out, classifier=None, confirm=None, **given):
    """Hunt sequentially in the toy world."""
    config = {"confirm": {**SEQUENTIAL, **(confirm or {})}, **given.pop("config", {})}
    return toyworld.hunt(out, Forgetful() if classifier is None else classifier, config=config, **given)


def probe(out, descriptions, classifier=None, confirm=None, **parts):
    """Test descriptions of a coffee mug in the toy world."""
    given: dict[str, Any] = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    config = {**toyworld.SMALL, "confirm": {**SEQUENTIAL, **(confirm or {})}}
    classifier = toyworld.Classifier() if classifier is None else classifier
    return foible.probe(
        classifier, "coffee mug", descriptions, out=out, config=config, progress=False, **{**given, **parts}
    )


def rounds(folder):
    """Give the rounds that a run directory notes: of each the seeds of every (label, description), without one too."""
    found = []
    for requests in asked.rounds(folder, "test"):
        of_round = defaultdict(list)
        for one in requests:
            of_round[one.label, one.treatment.description].append(one.seed)
        found.append(dict(of_round))
    return found


def named(finding):
    """Name a finding by label and description."""
    return finding.trial.hypothesis.label, finding.trial.hypothesis.description


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Hunt without a stop or a budget: the run, and how often its generator was called."""
    generator = Counting()
    run = hunt(tmp_path_factory.mktemp("sequential") / "run", generator=generator)
    return run, next(generator.calls)


@pytest.fixture(scope="module")
def run(counted):
    """Give a hunt that was never stopped, and had no budget."""
    return counted[0]


def test_the_default_is_sequential():
    """Who sets nothing confirms sequentially."""
    assert ConfirmOptions().method == "sequential"


def test_a_clear_bug_is_confirmed_after_a_few_pairs(run):
    """What always fails is confirmed, and drawn no further once it is."""
    assert len(run.confirmed) > 3
    for finding in run.confirmed:
        assert finding.adjusted <= 0.05
        trial = finding.trial
        if trial.treat.failures == trial.treat.scored and trial.control.failures < trial.control.scored / 2:
            assert trial.treat.draws <= 20


def test_what_is_no_bug_is_given_up_after_a_few_pairs(tmp_path):
    """A description that changes nothing gets few of the pairs that it may have, and no verdict that was not earned."""
    config = {"describe": {"method": "contrast"}}  # which proposes more that is false
    run = hunt(tmp_path / "run", Blind(), confirm={"most": 1000}, config=config, seed=1)
    assert len(run) > 3
    for finding in run:
        assert finding.verdict != "confirmed"
        assert finding.trial.treat.draws < 200
        assert finding.verdict == "refuted" or "no more were drawn" in finding.reason
    assert np.median([f.trial.treat.draws for f in run]) <= 40


def test_a_person_gets_an_answer(tmp_path):
    """A probe gives nothing up for its price: what is true is confirmed, and what is not is refuted."""
    run = probe(tmp_path / "run", ["on snow", "on grass"])
    assert [(f.verdict, f.trial.hypothesis.description) for f in run] == [
        ("confirmed", "on grass"),
        ("refuted", "on snow"),
    ]
    true, false = run
    assert true.trial.treat.draws < false.trial.treat.draws < 200
    assert false.difference.high <= 0.1


def test_every_round_has_control_draws_of_its_own(run):
    """Hypotheses of one label that are drawn in one round share its control seeds; no two rounds share a seed."""
    treats, controls = asked.seeds(run.folder, "treat"), asked.seeds(run.folder, "control")
    used: dict[Any, set[int]] = defaultdict(set)
    taken, shared = 0, 0
    for of_round in rounds(run.folder):
        for label in {label for label, _ in of_round}:
            batches = [own for (of, description), own in of_round.items() if of == label and description]
            assert all(own == of_round[label, ""] for own in batches)
            assert len(of_round[label, ""]) == STEP
            assert not used[label] & set(of_round[label, ""])
            used[label] |= set(of_round[label, ""])
            taken += STEP * len(batches)
            shared += len(batches) > 1
    assert shared > 0
    assert {label: set(own) for (label, _), own in controls.items()} == dict(used)
    assert sum(map(len, treats.values())) == taken


def test_no_image_of_a_test_was_seen_before(run):
    """Seeds of the test are none of exploration's, and within an arm no image counts twice."""
    explored = asked.seeds(run.folder, "explore")
    for (label, _), own in asked.seeds(run.folder, "treat", "control").items():
        assert not set(own) & set(explored[label, ""])
        assert len(set(own)) == len(own)


def test_nothing_is_drawn_twice(tmp_path):
    """A hunt, and the same hunt again, make each image once, but for one that is drawn again on purpose before it."""
    generator = Counting()
    first = hunt(tmp_path / "run", generator=generator)
    assert sorted(generator.made.values())[-2:] == [1, 2]
    assert len(generator.made) == sum(first.result.draws.values())
    before = toyworld.written(tmp_path / "run")
    hunt(tmp_path / "run", generator=generator)
    assert generator.made.total() == sum(first.result.draws.values()) + 1
    assert toyworld.written(tmp_path / "run") == before


@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_an_interrupted_hunt_goes_through_the_same_rounds(counted, data):
    """Stopped anywhere and however often, a hunt ends with the same rounds and files, to the byte."""
    run, calls = counted
    stops = data.draw(st.lists(st.integers(0, calls - 1), min_size=1, max_size=2), label="stops")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        for at in [*stops, None]:
            try:
                hunt(folder, generator=Counting(at))
            except KeyboardInterrupt:
                assert at is not None
        assert toyworld.written(folder) == toyworld.written(run.folder)
        assert rounds(folder) == rounds(run.folder)


@settings(max_examples=5, deadline=None)
@given(budget=st.integers(8, 260), step=st.integers(1, 5))
def test_a_budget_is_spent_to_the_last_pair_and_never_exceeded(budget, step):
    """Whatever the budget, no more is drawn; a round that it cannot pay in full is drawn in part."""
    with tempfile.TemporaryDirectory() as folder:
        generator = Counting()
        run = hunt(Path(folder) / "run", generator=generator, budget=budget, confirm={"step": step})
        made = sum(run.result.draws.values())
        assert made == len(generator.made) <= budget  # one is drawn again, before the hunt
        waiting = run.result.untested
        assert not waiting or made > budget - 2 * step
        assert all(f.trial.treat.draws == f.trial.control.draws > 0 for f in run)


@pytest.mark.parametrize("step", [1, 3, 7])
def test_no_hypothesis_gets_more_pairs_than_it_may(tmp_path, step):
    """`confirm.most` holds where the rounds do not divide it."""
    run = probe(tmp_path / "run", ["at noon", "red"], Blind(), {"step": step, "most": 10})
    assert [f.trial.treat.draws for f in run] == [10, 10]
    assert all("10 pairs cannot tell" in f.reason for f in run)


def test_a_raised_budget_goes_on_where_the_old_one_ended(tmp_path):
    """With more budget the old rounds stay, to the seed, and every hypothesis keeps its pairs, though more explored."""
    generator = Counting()
    small = hunt(tmp_path / "run", generator=generator, budget=110)
    old, made = rounds(tmp_path / "run"), dict(generator.made)
    tried = {named(f) for f in small} | {(h.label, h.description) for h in small.result.untested}
    large = hunt(tmp_path / "run", generator=generator, budget=400)
    assert large.result.draws["explore"] > small.result.draws["explore"]
    assert rounds(tmp_path / "run")[: len(old)] == old
    assert len(rounds(tmp_path / "run")) > len(old)
    now = {named(f): f.trial for f in large}
    assert tried <= now.keys() | {(h.label, h.description) for h in large.result.untested}
    for finding in small:
        assert all(b >= a for a, b in zip(finding.trial.pairs, now[named(finding)].pairs, strict=True))
    assert made.keys() <= generator.made.keys()
    assert sum(large.result.draws.values()) <= 400


@settings(max_examples=3, deadline=None)
@given(budgets=st.lists(st.integers(60, 200), min_size=2, max_size=4, unique=True).map(sorted))
def test_no_sequence_of_budgets_draws_more_than_the_last(budgets):
    """However a budget is raised, and each call repeated, no more images are made than it allows, and none is lost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        trials: dict[Any, Any] = {}
        for budget in budgets:
            run = hunt(folder, generator=Counting(), budget=budget)
            written = toyworld.written(folder)
            hunt(folder, generator=Counting(), budget=budget)
            assert toyworld.written(folder) == written
            assert sum(run.result.draws.values()) == len(asked.drawn(folder)) <= budget
            now = {named(f): f.trial.treat.draws for f in run}
            assert all(now[finding] >= draws for finding, draws in trials.items())
            trials = now


def test_what_got_no_draw_counts_in_the_multiplicity(tmp_path):
    """A hypothesis that the budget left out is listed as untested, and raises the bar for the others all the same."""
    many = {"describe": {"hypotheses": 9, "screen": 0.5}}
    run = hunt(tmp_path / "run", budget=90, confirm={"step": 6, "width": 4}, config=many)
    assert run.result.untested
    assert len(run) > 0
    found = [log_evidence(p[2], p[0] + p[3], p[1], 0.1) for p in (f.trial.pairs for f in run)]
    adjusted = e_adjusted([*found, *(0.0 for _ in run.result.untested)])
    assert [f.adjusted for f in run] == pytest.approx(adjusted[: len(run)].tolist())
    alone = e_adjusted(found)
    assert all(f.adjusted >= one for f, one in zip(run, alone, strict=True))
    assert any(f.adjusted > one for f, one in zip(run, alone, strict=True))


def test_a_description_that_the_generator_cannot_draw_is_undecided(tmp_path):
    """Where half of the images with the description are unfaithful nothing is claimed, however clear the rest is."""

    def strict(images, labels):
        scenes = [toyworld.read(image) for image in images]
        coins = [hashlib.sha256(image.tobytes()).digest()[0] < 128 for image in images]
        return [scene.ground != "grass" or coin for scene, coin in zip(scenes, coins, strict=True)]

    (finding,) = probe(tmp_path / "run", ["on grass"], judge=strict, seed=1)
    assert finding.verdict == "undecided"
    assert "are unscored, more than the 30% allowed" in finding.reason
    assert finding.treat.value == 1
    assert finding.adjusted == 1
    assert finding.trial.treat.draws < 200


def test_a_judge_that_errs_now_and_then_spoils_no_finding(tmp_path):
    """A judge that refuses a fifth of all images spoils a third of the pairs, and the bug is confirmed all the same."""

    def wary(images, labels):
        return [hashlib.sha256(image.tobytes()).digest()[1] >= 51 for image in images]

    (finding,) = probe(tmp_path / "run", ["on grass"], judge=wary)
    assert finding.verdict == "confirmed"
    assert finding.trial.treat.unscored > 0


@pytest.mark.parametrize("method", ["sequential", "fixed"])
def test_rates_are_corrected_once_the_judge_was_measured(tmp_path, method):
    """A lax judge inflates both rates; counts given on the finished run correct them, and draw nothing again."""
    generator = Sloppy()

    def lax(images, labels):
        """Let half of the barrels through."""
        shown = [toyworld.read(image).label for image in images]
        coins = [hashlib.sha256(image.tobytes()).digest()[0] < 128 for image in images]
        return [s == "coffee mug" or (s == "barrel" and c) for s, c in zip(shown, coins, strict=True)]

    parts = {"generator": generator, "judge": lax, "seed": 5}
    confirm = {"method": method, "draws": 100}
    descriptions = ["on grass", "on snow"]
    raw = {named(f)[1]: f for f in probe(tmp_path / "run", descriptions, None, confirm, **parts)}
    made = generator.made.total()
    assert all(f.treat_corrected is None for f in raw.values())
    given: dict[str, Any] = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")} | parts
    labelled = {"shown_yes": 200, "shown_n": 200, "absent_no": 100, "absent_n": 200}
    config = {**toyworld.SMALL, "confirm": confirm, "judge": {"labelled": labelled}}
    again = foible.probe(
        toyworld.Classifier(), "coffee mug", descriptions, out=tmp_path / "run", config=config, progress=False, **given
    )
    assert generator.made.total() == made
    for finding in again:
        before = raw[named(finding)[1]]
        assert (finding.treat, finding.trial, finding.verdict) == (before.treat, before.trial, before.verdict)
        assert finding.treat_corrected.value <= finding.treat.value
    snow = next(f for f in again if named(f)[1] == "on snow")
    assert snow.trial.treat.unfaithful > 0
    assert snow.treat.value > 0.03
    assert snow.treat_corrected.low == 0
    assert snow.treat_corrected.value < snow.treat.value / 2
    lower = {**config, "judge": {"labelled": {**labelled, "absent_n": 150}}}
    with pytest.raises(foible.InputError, match=r"judge.labelled.absent_n was 200, now 150"):
        foible.probe(
            toyworld.Classifier(),
            "coffee mug",
            descriptions,
            out=tmp_path / "run",
            config=lower,
            progress=False,
            **given,
        )


def trial(name, unscored, cells):
    """Make a tested hypothesis from counts."""
    both, plus, minus, _ = cells
    n = sum(cells)
    treat = Tally(draws=n + unscored, failures=both + plus, unscored=unscored)
    control = Tally(draws=n + unscored, failures=both + minus, unscored=0)
    hypothesis = Hypothesis(label="mug", treatment=Treatment(words=(name,)))
    return pairing.Tested(
        trial=Trial(hypothesis=hypothesis, treat=treat, control=control, pairs=Pairs(*cells)), treat=(), control=()
    )


@pytest.mark.parametrize("method", ["sequential", "fixed"])
def test_what_cannot_be_claimed_lends_no_strength_to_others(method):
    """A hypothesis with too many unscored draws counts as one without evidence, though its pairs say much."""
    options = ConfirmOptions(method=method)
    spoilt, weak, idle = trial("a", 30, (0, 40, 0, 0)), trial("b", 0, (0, 9, 0, 11)), trial("c", 0, (0, 0, 0, 40))
    with_spoilt = {named(f)[1]: f for f in decide([spoilt, weak], options, 0)}
    with_idle = {named(f)[1]: f for f in decide([idle, weak], options, 0)}
    assert with_spoilt["a"].verdict == "undecided"
    assert with_spoilt["a"].adjusted == 1
    assert with_spoilt["b"].adjusted == pytest.approx(with_idle["b"].adjusted)
    sound = {named(f)[1]: f for f in decide([trial("a", 0, (0, 40, 0, 0)), weak], options, 0)}
    assert sound["b"].adjusted < with_spoilt["b"].adjusted


def test_nothing_tried_nothing_decided():
    """Without a hypothesis there is no finding, and no warning."""
    assert decide([], ConfirmOptions(), 0) == []


def test_a_round_that_cannot_have_been_is_refused(tmp_path):
    """A note of a round about a label that the run does not have ends in one sentence, and nothing is drawn for it."""
    generator = Counting()
    hunt(tmp_path / "run", budget=110, generator=generator)
    made = generator.made.total()
    with Journal(tmp_path / "run") as journal:
        journal.note(Asked(stage="test", blocks=[Block(arm="treat", label="cow", words=("on grass",), seeds=(2,))]))
    with pytest.raises(foible.InputError, match="speaks of a label 'cow' that the run does not have"):
        hunt(tmp_path / "run", budget=110, generator=generator)
    assert generator.made.total() == made


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_round_that_was_changed_is_refused(tmp_path, place):
    """One seed that is another, in any round: one sentence, and no finding."""
    hunt(tmp_path / "run", budget=110)
    path = tmp_path / "run" / "journal.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    noted = [number for number, line in enumerate(lines) if '"stage":"test"' in line]
    number = noted[int(place * len(noted))]
    lines[number] = lines[number].replace('"seeds":[', '"seeds":[1')
    path.write_text("".join(lines), "utf-8")
    with pytest.raises(foible.InputError, match="is damaged after byte"):
        hunt(tmp_path / "run", budget=110)


@pytest.mark.slow
def test_placebos_are_seldom_confirmed(tmp_path):
    """Where no description changes anything, at margin 0: at most 5 % of hunts confirm one, within exact limits."""
    hunts = 24
    wrong = sum(
        bool(hunt(tmp_path / f"run{seed}", Blind(), confirm={"margin": 0.0}, seed=seed).confirmed)
        for seed in range(hunts)
    )
    assert wrong <= stats.binom.ppf(0.99, hunts, 0.05)
