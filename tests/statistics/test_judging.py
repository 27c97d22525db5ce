"""Promises of the rates behind an imperfect judge."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.statistics import Skill, corrected_failure_rate, ppi_mean, ppi_rate, rogan_gladen, wilson

PERFECT = Skill(10**9, 10**9)


def missed(estimate, truth):
    """Say whether an interval misses the truth."""
    return not estimate.low - 1e-9 <= truth <= estimate.high + 1e-9


@pytest.mark.parametrize("truth", [0.0, 0.02, 0.1, 0.5, 0.95, 1.0])
@pytest.mark.parametrize(("n", "known"), [(30, 30), (100, 200), (400, 30)])
def test_rogan_gladen_covers(truth, n, known):
    """Over judges of 85 % to 100 %, in 300 simulations each, the 95 % interval covers at least 94 % within noise."""
    rng = np.random.default_rng([n, known, int(truth * 100)])
    misses = total = 0
    for sensitivity, specificity in itertools.product((0.85, 1.0), (0.85, 0.95, 1.0)):
        seen = truth * sensitivity + (1 - truth) * (1 - specificity)
        for _ in range(50):
            judge = Skill(rng.binomial(known, sensitivity), known), Skill(rng.binomial(known, specificity), known)
            misses += missed(rogan_gladen(rng.binomial(n, seen), n, *judge), truth)
            total += 1
    assert misses / total <= 0.06 + 2.5 * np.sqrt(0.06 * 0.94 / total)


@pytest.mark.parametrize("truth", [0.0, 0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("n", "known"), [(30, 40), (100, 40), (300, 200)])
def test_corrected_failure_rate_covers(truth, n, known):
    """Over generators of 60 % to 100 % and judges of 90 %, the 95 % interval covers at least 94 % within noise."""
    rng = np.random.default_rng([n, known, int(truth * 100)])
    misses = total = 0
    for faithful, elsewhere, right in itertools.product((1.0, 0.9, 0.6), (0.9, 0.3), (0.9, 1.0)):
        chances = [
            faithful * truth * right + (1 - faithful) * elsewhere * (1 - right),
            faithful * truth * (1 - right) + (1 - faithful) * elsewhere * right,
            faithful * (1 - truth) * right + (1 - faithful) * (1 - elsewhere) * (1 - right),
            faithful * (1 - truth) * (1 - right) + (1 - faithful) * (1 - elsewhere) * right,
        ]
        for cells in rng.multinomial(n, np.array(chances) / np.sum(chances), 30).tolist():
            judge = Skill(rng.binomial(known, right), known), Skill(rng.binomial(known, right), known)
            misses += missed(corrected_failure_rate((cells[0], cells[1]), (cells[2], cells[3]), *judge), truth)
            total += 1
    assert misses / total <= 0.06 + 2.5 * np.sqrt(0.06 * 0.94 / total)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize(("humans", "model"), [(20, 100), (50, 2000), (200, 2000)])
def test_ppi_rate_covers(share, humans, model):
    """Over models of several faults, human agreement on every image included, the interval covers 94 % within noise."""
    rng = np.random.default_rng([humans, model, int(share * 100)])
    misses = total = 0
    for on_yes, on_no in itertools.product((1.0, 0.95, 0.7), (0.0, 0.03, 0.2)):
        truth = share * on_yes + (1 - share) * on_no
        for _ in range(60):
            yes, more = rng.binomial(humans, share), rng.binomial(model, share)
            right, wrong = rng.binomial(yes, on_yes), rng.binomial(humans - yes, on_no)
            estimate = ppi_rate((right, yes - right), (wrong, humans - yes - wrong), more, model - more)
            misses += missed(estimate, truth)
            total += 1
    assert misses / total <= 0.06 + 2.5 * np.sqrt(0.06 * 0.94 / total)


def test_ppi_mean_covers_and_is_no_wider_than_humans_alone():
    """With good, useless and misleading guesses, 40 truths and 1,000 guesses: 93 % covered, and no wider on average."""
    rng = np.random.default_rng(3)
    for link in (0.95, 0.0, -0.8):
        misses, wide, alone = 0, [], []
        for _ in range(600):
            y = rng.normal(2.0, 1.0, 40)
            noise = rng.normal(size=1040)
            f = 5.0 + np.concatenate([link * y, link * rng.normal(2.0, 1.0, 1000)]) + np.sqrt(1 - link**2) * noise
            estimate = ppi_mean(y, f[:40], f[40:])
            misses += missed(estimate, 2.0)
            wide.append(estimate.high - estimate.low)
            alone.append(2 * 1.96 * y.std(ddof=1) / np.sqrt(40))
        assert misses / 600 <= 0.07 + 2.5 * np.sqrt(0.07 * 0.93 / 600)
        assert np.mean(wide) <= np.mean(alone) * 1.001
        if link == 0.95:
            assert np.mean(wide) <= 0.5 * np.mean(alone)


def test_rogan_gladen_by_hand():
    """28 of 100 seen with a sensitivity of 0.9 and a specificity of 0.8 are (0.28 - 0.2) / 0.7 of truth."""
    assert rogan_gladen(28, 100, Skill(90, 100), Skill(80, 100)).value == pytest.approx(0.08 / 0.7)


def test_corrected_failure_rate_by_hand():
    """Of 1,000 images 100 are unfaithful; a judge of 90 % and a classifier that fails on 20 %, or 90 % of those."""
    estimate = corrected_failure_rate((162 + 9, 18 + 81), (648 + 1, 72 + 9), Skill(900, 1000), Skill(900, 1000))
    assert estimate.value == pytest.approx(0.2)
    raw = 171 / (171 + 649)
    assert raw > 0.205
    assert estimate.low < 0.2 < estimate.high


def test_ppi_rate_by_hand():
    """The model says yes to 30 % of 1,000; humans find 80 % of its yes true, and 10 % of its no: 31 %."""
    estimate = ppi_rate((8, 2), (2, 18), 290, 680)
    assert estimate.value == pytest.approx(0.3 * 0.8 + 0.7 * 0.1)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_perfect_judge_changes_nothing(failed, passed):
    """With a judge that never errs the estimate is the raw share, and the interval holds the Wilson interval."""
    n = failed + passed
    low, high = wilson(failed, n)
    for estimate in (
        rogan_gladen(failed, n, PERFECT, PERFECT),
        corrected_failure_rate((failed, 0), (passed, 0), PERFECT, PERFECT),
    ):
        assert estimate.value == pytest.approx(failed / n if n else 0.5)
        assert estimate.low <= low + 1e-6
        assert estimate.high >= high - 1e-6
        assert n < 30 or estimate.high - estimate.low <= (high - low) * 1.25


@given(st.tuples(*[st.integers(0, 50)] * 4), st.integers(0, 40), st.integers(0, 40), st.sampled_from([0.5, 0.9, 0.95]))
def test_estimates_are_in_order(cells, right, spoiled, level):
    """Whatever the counts and the level: 0 <= low <= value <= high <= 1."""
    judge = Skill(right, 40), Skill(40 - spoiled, 40)
    a, b, c, d = cells
    for estimate in (
        rogan_gladen(a, a + b, *judge, level=level),
        corrected_failure_rate((a, b), (c, d), *judge, level=level),
        ppi_rate((a, b), (c, d), right, spoiled, level=level),
    ):
        assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0


def test_an_unsure_judge_widens_the_interval():
    """The same judge known from 20 images gives a wider interval than known from 2,000."""
    unsure = rogan_gladen(50, 200, Skill(18, 20), Skill(18, 20))
    sure = rogan_gladen(50, 200, Skill(1800, 2000), Skill(1800, 2000))
    assert unsure.value == pytest.approx(sure.value)
    assert unsure.high - unsure.low > 1.5 * (sure.high - sure.low)


def test_no_images_or_no_judge_no_knowledge():
    """Without images, or with a judge like a coin, the interval is 0 .. 1."""
    coin = Skill(10, 20)
    assert rogan_gladen(0, 0, Skill(9, 10), Skill(9, 10))[1:] == (0.0, 1.0)
    assert rogan_gladen(5, 10, coin, coin)[1:] == (0.0, 1.0)
    assert corrected_failure_rate((0, 5), (0, 5), Skill(9, 10), Skill(9, 10))[1:] == (0.0, 1.0)
    assert corrected_failure_rate((5, 0), (5, 0), coin, coin)[1:] == (0.0, 1.0)
    assert ppi_rate((0, 0), (0, 0), 0, 0)[1:] == (0.0, 1.0)


def test_no_human_verdicts_no_knowledge():
    """However many images the model saw, without a human verdict its interval is next to everything."""
    estimate = ppi_rate((0, 0), (0, 0), 500, 500)
    assert estimate.low < 0.2
    assert estimate.high > 0.8


def test_impossible_input_is_refused():
    """Counts, records and levels out of range are errors."""
    with pytest.raises(ValueError, match="counts"):
        rogan_gladen(5, 4, PERFECT, PERFECT)
    with pytest.raises(ValueError, match="record"):
        rogan_gladen(1, 4, Skill(0, 0), PERFECT)
    with pytest.raises(ValueError, match="record"):
        corrected_failure_rate((1, 0), (1, 0), PERFECT, Skill(3, 2))
    with pytest.raises(ValueError, match="level"):
        ppi_rate((1, 0), (1, 0), 1, 1, level=1.0)
    with pytest.raises(ValueError, match="at least 2 values"):
        ppi_mean([1.0], [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        ppi_mean([1.0, float("nan")], [1.0, 2.0], [1.0, 2.0])
