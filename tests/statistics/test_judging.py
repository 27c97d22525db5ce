"""Promises of the rates behind an imperfect judge."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.statistics import (
    Skill,
    corrected_failure_rate,
    ppi_mean,
    ppi_rate,
    rogan_gladen,
    unpolluted_rate,
    wilson,
)

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


def judged(truth, faithful, sees, rejects, elsewhere=1.0):
    """Give the chances that an image is judged faithful and failed, judged faithful and passed, judged unfaithful."""
    let_through = (1 - faithful) * (1 - rejects)
    failed = faithful * sees * truth + let_through * elsewhere
    passed = faithful * sees * (1 - truth) + let_through * (1 - elsewhere)
    return [failed, passed, max(0.0, 1 - failed - passed)]


@pytest.mark.parametrize("truth", [0.0, 0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("n", "known"), [(1, 20), (20, 30), (100, 40), (400, 400)])
def test_unpolluted_rate_covers(truth, n, known):
    """Over generators of 60 % to 100 % and judges of 85 % to 100 %, the 95 % interval misses at most 5 % within noise.

    An image that does not show its label fails, and the classifier fails on the others at the true rate.
    """
    rng = np.random.default_rng([n, known, int(truth * 100)])
    misses = total = 0
    for faithful, sees, rejects in itertools.product((1.0, 0.9, 0.6), (0.85, 1.0), (0.85, 1.0)):
        for cells in rng.multinomial(n, judged(truth, faithful, sees, rejects), 40).tolist():
            judge = Skill(rng.binomial(known, sees), known), Skill(rng.binomial(known, rejects), known)
            estimate = unpolluted_rate(tuple(cells), judge)
            misses += estimate is not None and missed(estimate, truth)
            total += 1
    assert misses / total <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / total)


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.05, 0.5])
def test_unpolluted_rate_covers_whenever_one_stops(truth):
    """Looked at after each of 60 images, the sequential interval ever misses in at most 5 % of hunts, within noise."""
    rng = np.random.default_rng(int(truth * 100))
    misses = 0
    for _ in range(150):
        judge = Skill(rng.binomial(60, 0.9), 60), Skill(rng.binomial(60, 0.9), 60)
        paths = np.cumsum(rng.multinomial(1, judged(truth, 0.8, 0.9, 0.9), 60), axis=0).tolist()
        estimates = [unpolluted_rate(tuple(cells), judge, sequential=True) for cells in paths]
        misses += any(one is not None and missed(one, truth) for one in estimates)
    assert misses / 150 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 150)


@given(st.tuples(*[st.integers(0, 60)] * 3), *[st.integers(0, 40)] * 2, st.booleans())
def test_unpolluted_rate_only_ever_takes_failures_away(cells, sees, rejects, sequential):
    """Whatever the counts, the corrected rate is at most the raw one, in order, and none where nothing can be said."""
    estimate = unpolluted_rate(cells, (Skill(sees, 40), Skill(rejects, 40)), sequential=sequential)
    failed, passed, unfaithful = cells
    if failed + passed == 0 or sees + rejects <= 40:
        assert estimate is None
    elif estimate is not None:
        assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
        assert estimate.value <= failed / (failed + passed) + 1e-9
    else:
        assert (failed + passed) * 40 <= (failed + passed + unfaithful) * (40 - rejects)


def test_unpolluted_rate_by_hand():
    """Of 1,000 images 100 are unfaithful; the judge is right in 90 %; 20 % of the faithful fail, and all the others."""
    raw = (162 + 10) / (162 + 10 + 648)
    estimate = unpolluted_rate((162 + 10, 648, 90 + 90), (Skill(900, 1000), Skill(900, 1000)))
    assert estimate.value == pytest.approx(0.2)
    assert estimate.low < 0.2 < estimate.high < 0.26
    assert raw > 0.209


def test_unpolluted_rate_with_a_judge_that_never_errs():
    """With a judge that is known never to err, nothing is taken away and the interval holds Wilson's."""
    estimate = unpolluted_rate((30, 70, 50), (PERFECT, PERFECT))
    low, high = wilson(30, 100)
    assert estimate.value == pytest.approx(0.3)
    assert estimate.low <= low < high <= estimate.high


def test_where_unfaithful_images_pass_the_rate_is_too_small_by_their_share():
    """A classifier is never blamed for an image that is not what it should be: here 1.2 points are missed."""
    rate = 0.2
    chances = np.array(judged(rate, 0.9, 0.9, 0.9, elsewhere=0.0)) * 10**6
    estimate = unpolluted_rate(tuple(chances.round().astype(int).tolist()), (Skill(900, 1000), Skill(900, 1000)))
    share = 0.1 * 0.1 / (0.9 * 0.9)
    assert estimate.value == pytest.approx(rate - share, abs=1e-4)


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
    with pytest.raises(ValueError, match="counts"):
        unpolluted_rate((1, -1, 0), (PERFECT, PERFECT))
    with pytest.raises(ValueError, match="record"):
        unpolluted_rate((1, 1, 0), (PERFECT, Skill(3, 2)))
    with pytest.raises(ValueError, match="level"):
        ppi_rate((1, 0), (1, 0), 1, 1, level=1.0)
    with pytest.raises(ValueError, match="at least 2 values"):
        ppi_mean([1.0], [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        ppi_mean([1.0, float("nan")], [1.0, 2.0], [1.0, 2.0])
