"""Promises of following failures: one is enough, chance is let go, and nothing that was drawn for it is evidence."""

from __future__ import annotations

import hashlib
import itertools
import math
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asked
import toyworld
from foible.arms import ARMS, SUGGEST
from foible.checks.verify import verify
from foible.config import DescribeOptions
from foible.diorama.scene import imagine
from foible.errors import OutOfTime
from foible.identity import seed_stream
from foible.search.follow import MUTE, WIDEST, Drawable, _followed, _spread
from toyworld import PLAIN

NIGHT = ("striped", "at night")
LONG = {"explore": {"draws": 48}}
SHARE = ARMS["follow"].share


class Unlucky(toyworld.Perfect):
    """Right but for one image in thirty, whatever it shows."""

    def answer(self, scene):
        """Err by a hash of the whole scene."""
        lot = hashlib.sha256(repr(scene).encode()).digest()[0]
        return PLAIN[(PLAIN.index(scene.label) + 1) % len(PLAIN)] if lot < 256 / 30 else scene.label


class Rare(toyworld.Perfect):
    """Wrong of water bottles that are striped and at night, and of nothing else."""

    def answer(self, scene):
        """Take those for a vase."""
        wrong = scene.label == "water bottle" and scene.texture == "striped" and scene.light == "night"
        return "vase" if wrong else scene.label


def seeds_with(failures, count=24):
    """Give hunts' seeds under which exploration shows the rare bug in exactly so many of its draws."""
    for seed in range(200):
        drawn = itertools.islice(seed_stream(seed, SUGGEST, "water bottle"), count)
        scenes = [imagine("a water bottle (bottle)", each).scene for each in drawn]
        if sum(s.texture == "striped" and s.light == "night" for s in scenes) == failures:
            yield seed


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give a hunt over the two planted bugs."""
    return toyworld.hunt(
        tmp_path_factory.mktemp("follow") / "run", seed=8, config={"confirm": {"method": "sequential"}}
    )


def test_one_failure_is_enough_to_find_a_conjunction(tmp_path):
    """A conjunction that exploration shows once is named exactly and confirmed, in at least 7 of 8 hunts."""
    found = 0
    for place, seed in zip(range(8), seeds_with(1), strict=False):
        run = toyworld.hunt(tmp_path / f"run{place}", Rare(), ["water bottle"], seed=seed)
        assert run.result.explored[0].tally.failures == 1
        assert run.result.draws["follow"] <= 20
        found += [f.trial.hypothesis.treatment.words for f in run.confirmed] == [NIGHT]
    assert found >= 7


def test_what_never_failed_is_not_followed(tmp_path):
    """Without a failure nothing is drawn again, and there is no hypothesis."""
    run = toyworld.hunt(tmp_path / "run", Rare(), ["water bottle"], seed=next(seeds_with(0)))
    assert "follow" not in run.result.draws
    assert not list(run)


def test_a_label_that_fails_always_is_not_followed(tmp_path):
    """Nothing can be confirmed of it, for it cannot fail more often by the margin; other labels are followed."""

    class Blind(Rare):
        """Wrong of every teapot."""

        def answer(self, scene):
            return "vase" if scene.label == "teapot" else super().answer(scene)

    run = toyworld.hunt(
        tmp_path / "run", Blind(), ["teapot", "water bottle"], seed=next(seeds_with(1, 48)), config=LONG
    )
    assert {row.label for row in asked.drawn(run.folder, "follow")} == {"water bottle"}
    assert not [f for f in run if f.trial.hypothesis.label == "teapot"]


def test_failures_by_chance_lead_to_few_hypotheses(tmp_path):
    """Of failures that no phrase brings back, most are let go after a few draws, and none is confirmed."""
    followed = proposed = 0
    for seed in range(6):
        run = toyworld.hunt(tmp_path / f"run{seed}", Unlucky(), seed=seed)
        followed += sum(label.tally.failures for label in run.result.explored)
        proposed += len(run)
        assert not run.confirmed
    assert followed >= 10
    assert proposed <= followed / 3


def test_no_image_of_a_test_was_drawn_to_find_its_hypothesis(run):
    """Not one seed of the treat and control arms is a seed of exploration or of following failures."""
    seeking, testing = ("explore", "follow"), ("treat", "control", "measure", "explain")
    sought, tested = asked.drawn(run.folder, *seeking), asked.drawn(run.folder, *testing)
    assert {one.arm for one in sought} == {"explore", "follow"}
    assert {one.arm for one in tested} >= {"treat", "control"}
    assert not {one.seed for one in sought} & {one.seed for one in tested}
    assert not asked.images(run.folder, *seeking) & asked.images(run.folder, *testing)


def test_the_draws_are_counted_and_say_nothing_of_the_base_rate(run):
    """They are in the account of draws, and in no label's rate under the base prompt."""
    made = asked.drawn(run.folder, "follow")
    assert run.result.draws["follow"] == len(made) > 0
    assert all(row.treatment for row in made)
    assert [label.tally.draws for label in run.result.explored] == [24, 24, 24]


def test_the_limits_hold(tmp_path):
    """No label gets more draws than it may, and no more hypotheses."""
    limits = {"draws": 5, "hypotheses": 1, "step": 2}
    run = toyworld.hunt(tmp_path / "run", Unlucky(), seed=1, config={"describe": limits})
    assert max(Counter(row.label for row in asked.drawn(run.folder, "follow")).values()) <= 5
    assert max(Counter(f.trial.hypothesis.label for f in run).values(), default=0) <= 1


@pytest.mark.parametrize("budget", [90, 150])
def test_a_budget_leaves_enough_to_test(tmp_path, budget):
    """At most a third of what exploration leaves of a budget is spent on following failures."""
    run = toyworld.hunt(tmp_path / "run", Unlucky(), budget=budget, seed=2)
    explored = run.result.draws["explore"]
    assert run.result.draws["follow"] <= (budget - explored) * SHARE


class Spoilt(toyworld.Perfect):
    """Wrong in three images of ten, whatever they show."""

    def answer(self, scene):
        """Err by a hash of the whole scene."""
        lot = hashlib.sha256(repr(scene).encode()).digest()[0]
        return PLAIN[(PLAIN.index(scene.label) + 1) % len(PLAIN)] if lot < 0.3 * 256 else scene.label


def test_what_was_drawn_under_a_smaller_budget_is_known_and_counted(tmp_path):
    """After a raised budget every draw stands in the account, each on a seed of its own, and the run verifies."""
    before: set[tuple[str, int]] = set()
    for budget in (90, 96, 130, 131, 200):
        run = toyworld.hunt(tmp_path / "run", Spoilt(), budget=budget, config={"confirm": {"method": "sequential"}})
        made = asked.drawn(run.folder, "follow")
        assert run.result.draws["follow"] == len(made)
        assert before <= {(row.label, row.seed) for row in made}
        assert len({(row.label, row.seed) for row in made}) == len(made), "a seed of a label was drawn for twice"
        assert sum(run.result.draws.values()) == len(asked.drawn(run.folder, *run.result.draws)) <= budget
        assert not verify(run.folder).differences
        before = {(row.label, row.seed) for row in made}
    assert len(before) > 18


def test_a_round_that_cannot_be_paid_in_full_is_paid_in_part(tmp_path):
    """Where every label wants a draw and the budget has too few, it is spent all the same, to the last of them."""
    labels = toyworld.PLAIN[:8]
    run = toyworld.hunt(tmp_path / "run", Spoilt(), labels, budget=56, seed=5, config={"describe": {"step": 1}})
    explored = run.result.draws["explore"]
    failing = sum(label.tally.failures > 0 for label in run.result.explored)
    assert failing == 6
    assert run.result.draws["follow"] == int((56 - explored) * SHARE)


def test_no_failure_gets_more_draws_than_it_may(tmp_path):
    """A step larger than what one failure may have is cut to that."""
    limits = {"step": 1000, "each": 3, "follow": 1}
    run = toyworld.hunt(tmp_path / "run", Spoilt(), config={"describe": limits})
    assert Counter(row.label for row in asked.drawn(run.folder, "follow")) == dict.fromkeys(toyworld.LABELLED, 3)


@pytest.mark.slow
def test_a_round_of_many_draws_can_be_left_between_two_units(tmp_path):
    """When the minutes are over a call ends after its unit of work, in the middle of a round too, and then goes on."""
    config = {"describe": {"step": 6, "follow": 2}, "batch": 2, "max_minutes": 1e-9, "measure": {"most": 0}}
    made, calls = [0], 0
    while calls < 400:
        calls += 1
        try:
            run = toyworld.hunt(tmp_path / "run", Spoilt(), config=config)
        except OutOfTime:
            made.append(len(asked.drawn(tmp_path / "run", "follow")))
        else:
            break
    assert made[-1] > 6
    assert max(after - earlier for earlier, after in itertools.pairwise(made)) <= 2
    whole = toyworld.hunt(tmp_path / "whole" / "run", Spoilt(), config={**config, "max_minutes": None})
    assert toyworld.written(run.folder) == toyworld.written(whole.folder)


def wordy(images):
    """Caption each image with what is in it, after sixteen remarks that hardly any two images share."""
    remarks = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    told = toyworld.describe(images)
    return [
        text + "".join(f", near mark {mark[place : place + 6]}" for place in range(16))
        for mark, text in zip(remarks, told, strict=True)
    ]


class Grass(toyworld.Perfect):
    """Wrong of everything on grass."""

    def answer(self, scene):
        """Take it for a barrel."""
        return "barrel" if scene.ground == "grass" else scene.label


@pytest.mark.parametrize("phrases", [2, 4])
def test_a_long_caption_does_not_hide_what_all_failures_share(tmp_path, phrases):
    """Of captions with more phrases than can be weighed, the one that every failure has is weighed, and found."""
    config = {"describe": {"phrases": phrases}, "confirm": {"method": "sequential"}}
    run = toyworld.hunt(tmp_path / "run", Grass(), ["coffee mug"], captioner=wordy, seed=1, config=config)
    assert [f.trial.hypothesis.treatment.words for f in run.confirmed] == [("on grass",)]


def test_a_caption_without_end_takes_no_memory():
    """The sets of a caption of 40 phrases are not listed before it is cut to what can be weighed."""
    said = frozenset(f"near {number}" for number in range(40))
    tracemalloc.start()
    one = _followed(said, {"near 7": 0.9, "near 8": 0.1}, DescribeOptions(phrases=5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert one.phrases[0] == "near 7"
    assert len(one.sets) <= WIDEST
    assert peak < 1_000_000


def test_a_failure_whose_description_cannot_be_drawn_ends_all_the_same(tmp_path):
    """Draws that give nothing count against the limit; the hunt ends, and they are shown as unscored."""

    def blank(prompts, seeds):
        drawn = toyworld.draw(prompts, seeds)
        return [None if "," in prompt else image for prompt, image in zip(prompts, drawn, strict=True)]

    run = toyworld.hunt(tmp_path / "run", generator=blank, seed=2)
    assert 0 < run.result.draws["follow"] <= 3 * 48
    assert sum(number for _, number in run.result.unscored) >= run.result.draws["follow"]
    assert not run.confirmed


def test_a_phrase_that_the_generator_refuses_hides_no_bug(tmp_path):
    """A captioner makes up of striped things what no prompt is drawn with: without it the failure is followed."""

    def refusing(prompts, seeds):
        drawn = toyworld.draw(prompts, seeds)
        return [None if "box" in prompt else image for prompt, image in zip(prompts, drawn, strict=True)]

    def inventing(images):
        return [f"{text}, beside a box" if "striped" in text else text for text in toyworld.describe(images)]

    seed = next(seeds_with(1))
    parts = {"generator": refusing, "captioner": inventing}
    run = toyworld.hunt(tmp_path / "run", Rare(), ["water bottle"], seed=seed, **parts)
    assert [one.trial.hypothesis.treatment.words for one in run.confirmed] == [NIGHT]
    lost = sum(number for reason, number in run.result.unscored if "not drawn" in reason)
    assert 0 < lost <= 8


@given(phrases=st.frozensets(st.integers(0, 5).map(str), min_size=1), refused=st.frozensets(st.integers(0, 5).map(str)))
def test_what_is_refused_is_found_out_and_nothing_else_is_left_out(phrases, refused):
    """Whatever phrases a generator refuses, soon every prompt is drawn, with all of the other phrases."""
    able, lost = Drawable(), 0
    for _ in range(2 * len(phrases) + 1):
        words = able.of(phrases)
        drawn = not words & refused
        lost += not drawn
        able.learn(words, drawn=drawn)
    assert able.of(phrases) == phrases - refused
    assert lost <= len(refused) + 1


def test_what_nobody_can_score_is_given_up(tmp_path):
    """Where each draw with something added shows another label, a failure takes few draws, and not all it may."""

    def astray(prompts, seeds):
        return toyworld.draw([text.replace("water bottle", "vase") if "," in text else text for text in prompts], seeds)

    run = toyworld.hunt(tmp_path / "run", Rare(), ["water bottle"], generator=astray, seed=next(seeds_with(1)))
    assert 0 < run.result.draws["follow"] <= MUTE * DescribeOptions().step
    assert not run.confirmed


@given(groups=st.lists(st.lists(st.integers(0, 20).map(str), unique=True)), most=st.integers(1, 12))
def test_every_group_has_its_turn(groups, most):
    """What is followed is of the groups, each failure once; no group has its second before all have their first."""
    chosen = _spread(groups, most)
    members = dict.fromkeys(key for group in groups for key in group)
    assert len(chosen) == len(set(chosen)) == min(most, len(members))
    firsts = {group[0] for group in groups if group}
    taken = chosen[: len(firsts)]
    assert set(taken) == firsts or (len(chosen) < len(firsts) and set(taken) <= firsts)


@given(predicted=st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_spreading_loses_nothing(predicted):
    """With room for all, every failure is followed."""
    groups = [[str(place) for place, p in enumerate(predicted) if p == kind] for kind in range(4)]
    assert sorted(_spread(groups, math.comb(40, 2))) == sorted(map(str, range(len(predicted))))
