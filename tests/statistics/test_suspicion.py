"""Promises of following a failure: beliefs are Bayes' rule, the next draw tells most, and few draws find the cause."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from foible.statistics import most_telling, phrase_sets, suspect
from foible.statistics.suspicion import CHANCE, RARE, WITH, WITHOUT

PHRASES = 4
draws = st.lists(st.tuples(st.integers(0, 2**PHRASES - 1), st.booleans()), max_size=12)


def believe(seen, most=2, phrases=PHRASES):
    """Weigh what was seen: (phrases, failed) of each draw."""
    sets = phrase_sets(phrases, most)
    return suspect(sets, np.array([s for s, _ in seen], np.intp), np.array([f for _, f in seen], bool))


@given(phrases=st.integers(1, 9), most=st.integers(1, 9))
def test_every_set_of_so_many_phrases_is_weighed_once(phrases, most):
    """There are as many as the binomials say, all different, smaller ones first."""
    sets = phrase_sets(phrases, most).tolist()
    assert len(sets) == len(set(sets)) == sum(math.comb(phrases, size) for size in range(1, most + 1))
    sizes = [number.bit_count() for number in sets]
    assert sizes == sorted(sizes)
    assert sizes[-1] == min(phrases, most)


def _marginal(outcomes, prior):
    """Integrate the likelihood of outcomes in their order over the prior of the rate."""
    fails = sum(outcomes)
    density = stats.beta(*prior).pdf
    value, _ = integrate.quad(
        lambda rate: density(rate) * rate**fails * (1 - rate) ** (len(outcomes) - fails), 0, 1, points=[0.01, 0.5]
    )
    return value


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seen=draws)
def test_beliefs_are_those_of_bayes_rule_by_integration(seen):
    """Each probability is prior times likelihood, integrated over the two rates; together they are 1."""
    found = believe(seen)
    sizes = {size: math.comb(PHRASES, size) for size in (1, 2)}
    weights = [CHANCE * _marginal([f for _, f in seen], WITHOUT)]
    for number in found.sets.tolist():
        inside = [f for s, f in seen if s & number == number]
        outside = [f for s, f in seen if s & number != number]
        prior = (1 - CHANCE) / 2 / sizes[number.bit_count()]
        weights.append(prior * _marginal(inside, WITH) * _marginal(outside, WITHOUT))
    expected = np.array(weights) / sum(weights)
    assert np.append(found.chance, found.each) == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert found.chance + found.each.sum() == pytest.approx(1)
    odds = expected[1:] / (1 - expected[1:])
    before = np.array([(1 - CHANCE) / 2 / sizes[number.bit_count()] for number in found.sets.tolist()])
    assert found.factor == pytest.approx(np.log10(odds * (1 - before) / before), abs=1e-3)


@given(seen=draws, data=st.data())
def test_a_failure_speaks_for_the_sets_that_it_has_and_a_pass_against_them(seen, data):
    """After a further draw with a set that fails, the set is more probable against one the draw lacks; else less."""
    before = believe(seen)
    number = data.draw(st.sampled_from(before.sets.tolist()))
    others = [other for other in before.sets.tolist() if other & number != other]
    failed, passed = believe([*seen, (number, True)]), believe([*seen, (number, False)])
    place = before.sets.tolist().index(number)
    for other in others:
        against = before.sets.tolist().index(other)
        if before.inside[place] > before.outside[against]:
            assert failed.each[place] / failed.each[against] > before.each[place] / before.each[against] * (1 - 1e-9)
            assert passed.each[place] / passed.each[against] < before.each[place] / before.each[against] * (1 + 1e-9)


@settings(max_examples=50)
@given(seen=draws)
def test_the_next_draw_is_the_one_with_most_information(seen):
    """Of the sets and the whole it has the largest mutual information of outcome and explanation, one by one."""
    found = believe(seen)
    natural = np.array([s for s, _ in seen], np.intp)
    sets = found.sets.tolist()

    def entropy(rate):
        return -sum(p * math.log(p) for p in (rate, 1 - rate) if p > 0)

    def gain(drawn):
        rates = [found.base]
        for number, inside, outside in zip(sets, found.inside, found.outside, strict=True):
            missing = number & ~drawn
            often = sum(int(s) & missing == missing for s in natural)
            share = 1.0 if missing == 0 else (often + RARE) / (len(natural) + 1)
            rates.append(share * inside + (1 - share) * outside)
        weights = [found.chance, *found.each]
        mean = sum(w * r for w, r in zip(weights, rates, strict=True))
        return entropy(mean) - sum(w * entropy(r) for w, r in zip(weights, rates, strict=True))

    chosen = most_telling(found, natural)
    assert gain(chosen) == pytest.approx(max(map(gain, [*sets, 2**PHRASES - 1])), abs=1e-8)


WHOLE = 2**8 - 1


def follow(cause, dice):
    """Follow one failure where each of its 8 phrases is in a fifth of all images; give what is found, and the cost.

    `cause` fails at 80 % and all else at 2 %; None: the failure was chance.
    """

    def fails(shown):
        return dice.random() < (0.8 if cause is not None and shown & cause == cause else 0.02)

    def imagine(asked):
        return asked | sum(1 << place for place in range(8) if dice.random() < 0.2)

    base = [imagine(0) for _ in range(32)]
    seen = [(WHOLE, True), *((shown, fails(shown)) for shown in base)]
    for spent in range(60):
        found = believe(seen, phrases=8)
        if max(found.chance, found.each.max()) >= 0.9:
            best = int(found.sets[found.each.argmax()])
            return (None if found.chance >= 0.9 else best), spent
        shown = imagine(most_telling(found, np.array(base, np.intp)))
        seen.append((shown, fails(shown)))
    return "open", 60


def test_few_draws_find_the_cause_of_one_failure():
    """Of 100 failures of single phrases, and of pairs, nearly all are traced in a dozen draws; so many are let go."""
    dice = np.random.default_rng(5)
    pairs = [(1 << a) | (1 << b) for a, b in itertools.combinations(range(8), 2)]
    for causes, right, cost in (([1 << p for p in range(8)], 0.85, 12), (pairs, 0.85, 16), ([None], 0.85, 18)):
        ended = [follow(causes[number % len(causes)], dice) for number in range(100)]
        hits = [end == causes[number % len(causes)] for number, (end, _) in enumerate(ended)]
        assert np.mean(hits) >= right, causes
        assert np.mean([spent for _, spent in ended]) <= cost, causes
