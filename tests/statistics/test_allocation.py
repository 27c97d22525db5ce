"""Promises of the policy that says which hypotheses to draw next."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.statistics import Aim, Tally, choose, given_up, log_evidence, outlook

spec = importlib.util.spec_from_file_location("simulated", Path(__file__).with_name("simulated.py"))
assert spec is not None
simulated = importlib.util.module_from_spec(spec)
sys.modules["simulated"] = simulated  # where its dataclasses look for themselves
spec.loader.exec_module(simulated)


def tally(rows, base=0.04, chance=0.05):
    """Make a tally from rows of (minus, plus, both, neither)."""
    minus, plus, both, neither = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Tally(minus, plus, both, neither, base=np.full(len(minus), base), chance=np.full(len(minus), chance))


ROWS = st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=30)


def test_a_hunt_finds_the_bugs_for_a_third_of_the_draws_in_the_issue():
    """240 hypotheses, 15 bugs: 90 % found, at most 5 % false, at most 150 draws a bug with control draws counted."""
    worlds = [simulated.World(simulated.Kind(), 1000 + seed) for seed in range(12)]
    scores = [simulated.sequential(world, Aim(0.1), seed) for seed, world in enumerate(worlds)]
    assert simulated.recall(scores, 15) >= 0.9
    assert simulated.false_discovery_rate(scores) <= 0.05
    assert simulated.draws_a_bug(scores, control=False) <= 115
    assert simulated.draws_a_bug(scores, control=True) <= 150


def test_a_hunt_costs_a_tenth_of_100_pairs_each():
    """Against the fixed test with 100 pairs each: a tenth of the draws a bug, at most 8 points of recall less."""
    worlds = [simulated.World(simulated.Kind(), 1000 + seed) for seed in range(6)]
    mine = [simulated.sequential(world, Aim(0.1), seed) for seed, world in enumerate(worlds)]
    theirs = [simulated.fixed(world, Aim(0.1), seed, 100) for seed, world in enumerate(worlds)]
    assert simulated.draws_a_bug(mine, control=True) <= 0.1 * simulated.draws_a_bug(theirs, control=True)
    assert simulated.recall(mine, 15) >= simulated.recall(theirs, 15) - 0.08


@pytest.mark.slow
def test_false_discoveries_stay_rare_where_every_hypothesis_is_at_the_margin():
    """100 hunts over 30 hypotheses that all fail as often as the null allows, often: at most 5 hunts call any."""
    kind = simulated.Kind(hypotheses=30, bugs=0, labels=3, base=0.3)
    wrong = 0
    for seed in range(100):
        world = simulated.World(kind, seed)
        world.rate[:] = 0.4
        wrong += simulated.sequential(world, Aim(0.1), seed, 3000).false > 0
    assert wrong <= 5


def test_a_small_budget_buys_more_bugs_than_chance():
    """Cut off after 1,200 pairs, the policy has found more than drawing the same hypotheses in random order."""
    rng = np.random.default_rng(0)

    def at_random(seen, aim, most, _):
        return rng.permutation(np.flatnonzero(~seen.confirmed & ~given_up(seen, aim)))[:most]

    worlds = [simulated.World(simulated.Kind(), 1000 + seed) for seed in range(6)]
    mine = [simulated.sequential(world, Aim(0.1), seed, 1200) for seed, world in enumerate(worlds)]
    theirs = [simulated.sequential(world, Aim(0.1), seed, 1200, at_random) for seed, world in enumerate(worlds)]
    assert simulated.recall(mine, 15) >= simulated.recall(theirs, 15) + 0.2


@given(ROWS, st.integers(0, 40), st.integers(0, 9))
def test_a_choice_is_pure_and_within_bounds(rows, most, seed):
    """The same state and seed give the same choice; nobody twice, nobody confirmed or given up, at most as many."""
    aim = Aim(0.1)
    seen = outlook(tally(rows), aim)
    chosen = choose(seen, aim, most, seed)
    assert np.array_equal(chosen, choose(outlook(tally(rows), aim), aim, most, seed))
    assert len(set(chosen.tolist())) == len(chosen) == min(most, np.sum(~seen.confirmed & ~given_up(seen, aim)))
    assert not np.any(seen.confirmed[chosen] | given_up(seen, aim)[chosen])
    assert np.all(np.diff(seen.price[chosen]) >= 0)


@given(ROWS, st.randoms())
def test_the_order_of_hypotheses_does_not_matter(rows, random):
    """Shuffled hypotheses look the same."""
    order = list(range(len(rows)))
    random.shuffle(order)
    straight, shuffled = outlook(tally(rows), Aim(0.1)), outlook(tally([rows[i] for i in order]), Aim(0.1))
    for field in dataclasses.fields(straight):
        expected = getattr(straight, field.name)[order].astype(float)
        assert getattr(shuffled, field.name).astype(float) == pytest.approx(expected, rel=1e-6)


@given(ROWS)
def test_the_evidence_is_that_of_the_counts_whatever_is_believed(rows):
    """Base rates and chances change what is drawn, never the evidence or what is confirmed."""
    one, other = outlook(tally(rows), Aim(0.1)), outlook(tally(rows, base=0.3, chance=0.9), Aim(0.1, price=5.0))
    minus, plus, both, neither = np.array(rows).T
    assert np.array_equal(one.evidence, other.evidence)
    assert np.array_equal(one.confirmed, other.confirmed)
    assert np.array_equal(one.evidence, log_evidence(minus, both + neither, plus, 0.1))


def test_seeds_decide_between_equals_only():
    """Of equals any may come first, by the seed; a cheaper one always does."""
    seen = outlook(tally([(0, 0, 0, 6)] * 8 + [(0, 3, 0, 3)]), Aim(0.1, price=1e6))
    firsts = {tuple(choose(seen, Aim(0.1, price=1e6), 2, seed).tolist()) for seed in range(40)}
    assert {first for first, _ in firsts} == {8}
    assert len(firsts) > 4


def test_failures_make_a_hypothesis_cheap_and_passes_make_it_dear():
    """At the same number of pairs the one that failed more often has the lower price and the higher chance."""
    seen = outlook(tally([(0, k, 0, 6 - k) for k in range(5)]), Aim(0.1))
    assert np.all(np.diff(seen.price) < 0)
    assert np.all(np.diff(seen.bug) > 0)


def test_nothing_is_given_up_before_it_was_tried():
    """However unlikely, a hypothesis gets its least number of pairs; without one it may be given up untried."""
    rows = [(0, 0, 0, n) for n in range(8)]
    hopeless = tally(rows, chance=1e-6)
    assert given_up(outlook(hopeless, Aim(0.1)), Aim(0.1)).tolist() == [False] * 4 + [True] * 4
    eager = Aim(0.1, least=0)
    assert given_up(outlook(hopeless, eager), eager).all()


def test_no_room_above_the_margin_no_hope():
    """Where base rate and margin leave no rate for a bug, the hypothesis is given up after its least pairs."""
    seen = outlook(tally([(0, 2, 4, 0)], base=0.95), Aim(0.1))
    assert seen.price.tolist() == [np.inf]
    assert given_up(seen, Aim(0.1)).all()


def test_confirmed_hypotheses_are_drawn_no_more():
    """A clear bug among three is confirmed, and the choice leaves it out."""
    seen = outlook(tally([(0, 30, 0, 0), (0, 2, 0, 2), (0, 0, 0, 0)]), Aim(0.1))
    assert seen.confirmed.tolist() == [True, False, False]
    assert set(choose(seen, Aim(0.1), 10, 0).tolist()) == {1, 2}


def test_no_hypotheses_nothing_to_draw():
    """Without hypotheses every answer is empty."""
    seen = outlook(tally([]), Aim(0.1))
    assert len(seen.price) == len(choose(seen, Aim(0.1), 5, 0)) == len(given_up(seen, Aim(0.1))) == 0


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_certain_beliefs_are_kept(chance):
    """A chance of exactly 0 or 1 is no error."""
    seen = outlook(tally([(0, 1, 0, 5), (0, 0, 0, 2)], chance=chance), Aim(0.1))
    assert seen.bug.tolist() == [chance, chance]


@pytest.mark.parametrize("bad", [{"margin": -0.1}, {"margin": 1.0}, {"level": 0.0}, {"price": 0.5}, {"least": -1}])
def test_impossible_aims_are_refused(bad):
    """An aim out of range is an error that says what was wanted."""
    with pytest.raises(ValueError, match="must"):
        Aim(**{"margin": 0.1, **bad})


def test_impossible_tallies_are_refused():
    """Arrays of several lengths, rates outside 0 .. 1, and a negative choice are errors."""
    good = tally([(0, 0, 0, 1)] * 2)
    with pytest.raises(ValueError, match="one length"):
        outlook(dataclasses.replace(good, base=np.zeros(3)), Aim(0.1))
    with pytest.raises(ValueError, match=r"0 \.\. 1"):
        outlook(dataclasses.replace(good, chance=np.full(2, 1.5)), Aim(0.1))
    with pytest.raises(ValueError, match="at least 0"):
        choose(outlook(good, Aim(0.1)), Aim(0.1), -1, 0)
