"""Promises of grouping and describing: what sets failures apart is found, within the limits, and nothing else is."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foible.config import DescribeOptions, GroupOptions
from foible.records import Draw, Group, Observation, Outcome, Prompt
from foible.stages.describe import describe
from foible.stages.group import group

GROUNDS = ("on grass", "on snow", "on sand", "on wood")
TEXTURES = ("plain", "striped", "spotted")
LIGHTS = ("in daylight", "at night")


def observe(key, label, status, predicted=0):
    """Make one observation of the explore arm."""
    draw = Draw(key, Prompt(label, "", f"a {label}"), 0, "explore")
    return Observation(draw, Outcome(status, None if status == "unscored" else predicted))


def world(fails, count=200, label="mug", seed=0, predicted=lambda said: 5):
    """Make a label's explore arm: captions with random attributes, failing where `fails` says so."""
    dice = random.Random(seed)
    observations, phrases = [], {}
    for number in range(count):
        said = frozenset({dice.choice(GROUNDS), dice.choice(TEXTURES), dice.choice(LIGHTS)})
        key = f"{label}{number:04}"
        failed = fails(said, dice)
        observations.append(observe(key, label, "failed" if failed else "passed", predicted(said) if failed else 0))
        phrases[key] = said
    return observations, phrases


def suspect(observations, phrases, vectors=None, **options):
    """Group and describe."""
    return describe(
        group(observations, vectors or {}, GroupOptions()),
        observations,
        phrases,
        DescribeOptions(**{"method": "contrast", **options}),
    )


@pytest.mark.parametrize("phrase", [*GROUNDS, "striped", "at night"])
def test_the_phrase_behind_the_failures_comes_first(phrase):
    """Where failures come from one attribute, among other failures at random, its phrase is the first hypothesis."""
    observations, phrases = world(lambda said, dice: phrase in said or dice.random() < 0.03)
    first = suspect(observations, phrases)[0]
    assert first.phrases == (phrase,)
    assert first.label == "mug"
    assert first.score > 3


def test_a_conjunction_is_preferred_over_its_parts():
    """Where only two attributes together fail, both are named, the modifier first, and neither alone."""
    observations, phrases = world(lambda said, dice: {"striped", "at night"} <= said)
    found = [h.phrases for h in suspect(observations, phrases)]
    assert found[0] == ("striped", "at night")
    assert ("striped",) not in found
    assert ("at night",) not in found


def test_a_single_phrase_is_preferred_over_a_conjunction_that_adds_nothing():
    """Where one attribute fails whatever else is said, nothing is added to it."""
    observations, phrases = world(lambda said, dice: "on snow" in said)
    assert suspect(observations, phrases)[0].phrases == ("on snow",)


def test_two_causes_are_both_found():
    """What one phrase leaves unexplained is explained by the next."""
    observations, phrases = world(lambda said, dice: "on grass" in said or {"striped", "at night"} <= said)
    assert {h.phrases for h in suspect(observations, phrases)} >= {("on grass",), ("striped", "at night")}


def test_what_passes_as_well_is_no_hypothesis():
    """A phrase that is as frequent among passes sets nothing apart: random failures give nothing that stands out."""
    observations, phrases = world(lambda said, dice: dice.random() < 0.3, count=400)
    assert all(h.score < 3 for h in suspect(observations, phrases))
    every = {key: frozenset({"on grass"}) for key in phrases}
    assert suspect(observations, every) == []


def test_captions_alone_are_the_paper_s_recipe():
    """`captions` needs no passes: the most common phrases of the failures, combined, pruned from the rarest."""
    observations, phrases = world(lambda said, dice: {"striped", "at night"} <= said)
    failures = [o for o in observations if o.outcome.status == "failed"]
    found = suspect(failures, {o.draw.key: phrases[o.draw.key] for o in failures}, method="captions")
    assert set(found[0].phrases) == {"striped", "at night"}
    assert found[0].score == 1.0


@pytest.mark.parametrize("method", ["contrast", "captions"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_hypotheses_keep_to_the_limits(method, data):
    """At most so many hypotheses a label, of at most so many phrases, each in enough failures, none inside another."""
    options = DescribeOptions(
        method=method,
        hypotheses=data.draw(st.integers(1, 4)),
        phrases=data.draw(st.integers(1, 3)),
        failures=data.draw(st.integers(1, 4)),
    )
    words = st.frozensets(st.sampled_from([*GROUNDS, *TEXTURES, *LIGHTS]), max_size=4)
    made = data.draw(st.lists(st.tuples(words, st.sampled_from(["failed", "passed", "unscored"]), st.integers(1, 2))))
    observations = [observe(f"{n:04}", "mug", status, wrong) for n, (_, status, wrong) in enumerate(made)]
    phrases = {f"{n:04}": said for n, (said, _, _) in enumerate(made) if n % 5}
    groups = group(observations, {}, GroupOptions())
    found = describe(groups, observations, phrases, options)
    assert len(found) <= options.hypotheses
    failed = [phrases[o.draw.key] for o in observations if o.outcome.status == "failed" and o.draw.key in phrases]
    for hypothesis in found:
        assert 1 <= len(hypothesis.phrases) <= options.phrases
        assert sum(set(hypothesis.phrases) <= said for said in failed) >= options.failures
        assert math.isfinite(hypothesis.score)
    for one, other in itertools.permutations(found, 2):
        assert not set(one.phrases) <= set(other.phrases)
    assert found == describe(list(reversed(groups)), observations, phrases, options)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_no_passes_or_no_failures_give_no_hypothesis():
    """A label that always fails, or never, has nothing that sets its failures apart; without any draw there is none."""
    observations, phrases = world(lambda said, dice: True)
    assert suspect(observations, phrases) == []
    observations, phrases = world(lambda said, dice: False)
    assert suspect(observations, phrases) == []
    assert suspect([], {}) == []


def test_unscored_draws_suggest_nothing():
    """An unscored draw is neither a failure nor a pass, and is in no group."""
    observations = [observe(f"{n}", "mug", "unscored") for n in range(20)]
    assert group(observations, {}, GroupOptions()) == []
    assert suspect(observations, {f"{n}": frozenset({"on grass"}) for n in range(20)}) == []


def test_failures_are_grouped_by_what_they_are_taken_for():
    """A label's failures are one group, and those into each wrong label; of two equal groups the one that says more."""
    taken = {"a": 1, "b": 1, "c": 2, "d": 1}
    observations = [observe(key, "mug", "failed", wrong) for key, wrong in taken.items()]
    observations += [observe("e", "mug", "passed"), observe("f", "vase", "failed", 3)]
    assert group(observations, {}, GroupOptions()) == [
        Group("mug", None, ("a", "b", "c", "d")),
        Group("mug", 1, ("a", "b", "d")),
        Group("mug", 2, ("c",)),
        Group("vase", 3, ("f",)),
    ]


def test_failures_that_look_alike_are_a_group():
    """Two clouds of vectors among the failures into one label become two clusters; a cloud too small does not."""
    dice = np.random.default_rng(0)
    observations = [observe(f"{n:02}", "mug", "failed", 1) for n in range(22)]
    centres = np.eye(3)[[0] * 10 + [1] * 10 + [2] * 2]
    vectors = dict(zip([o.draw.key for o in observations], centres + dice.normal(0, 0.05, (22, 3)), strict=True))
    members = [g.members for g in group(observations, vectors, GroupOptions())]
    assert tuple(f"{n:02}" for n in range(10)) in members
    assert tuple(f"{n:02}" for n in range(10, 20)) in members
    assert tuple(f"{n:02}" for n in (20, 21)) not in members
    few = {key: vectors[key] for key in list(vectors)[:3]}
    assert len(group(observations, few, GroupOptions())) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2), max_size=12))
def test_any_vectors_give_groups_of_failures(points):
    """Whatever the vectors, equal and zero ones included, groups hold known failures, each once."""
    observations = [observe(f"{n:02}", "mug", "failed", n % 2 + 1) for n in range(14)]
    vectors = {f"{n:02}": np.array(point, np.float32) for n, point in enumerate(points)}
    for one in group(observations, vectors, GroupOptions()):
        assert len(set(one.members)) == len(one.members) > 0
        assert set(one.members) <= {o.draw.key for o in observations}
