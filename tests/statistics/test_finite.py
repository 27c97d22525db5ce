"""Promises of the evidence and the intervals for finite sets, from which images are taken without replacement."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from foible.statistics import (
    Sample,
    Stratum,
    independent_difference,
    log_association,
    log_association_beyond,
    log_difference,
    log_evidence,
    rate_sequence,
    set_difference,
    set_rate,
)
from foible.statistics.finite import _log_ratio


@st.composite
def samples(draw, most=30):
    """Give a sample of a set."""
    size = draw(st.integers(1, most))
    n = draw(st.integers(0, size))
    return Sample(draw(st.integers(0, n)), n, size)


def wealth(sample):
    """Give the wealth against each number of failures in the set, from probabilities of scipy."""
    k, n, size = sample
    likely = stats.hypergeom.pmf(k, size, np.arange(size + 1), n)
    mixed = stats.betabinom.pmf(k, n, 0.5, 0.5)
    return np.divide(mixed, likely, out=np.full(size + 1, np.inf), where=likely > 1e-300)


@given(samples(), st.integers(0, 30))
def test_no_next_image_is_expected_to_add_evidence_against_the_truth(sample, further):
    """Against the true number of failures, the mean wealth after one more image is the wealth now."""
    k, n, size = sample
    failures = k + min(further, size - n)  # in the whole set
    if n == size:
        return
    chance = (failures - k) / (size - n)  # that the next image fails
    steps = [(p, more) for p, more in ((1 - chance, 0), (chance, 1)) if p > 0]
    mean = sum(p * math.exp(_log_ratio(Sample(k + more, n + 1, size))[failures]) for p, more in steps)
    now = math.exp(_log_ratio(sample)[failures])
    assert mean == pytest.approx(now) if len(steps) == 2 else mean < now  # what cannot come wins nothing


@given(samples(), st.sampled_from([0.8, 0.95]))
def test_a_rate_holds_what_its_wealth_does_not_refute(sample, level):
    """The interval holds every number of failures whose wealth, as scipy has it too, is below 1 / (1 - level)."""
    assert np.exp(_log_ratio(sample)) == pytest.approx(wealth(sample), rel=1e-6)
    held = np.flatnonzero(_log_ratio(sample) < -math.log(1 - level)) / sample.size
    assert set_rate(sample, level) == (held[0], held[-1])


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_an_exhausted_set_is_known(treat, control, data):
    """When every image was looked at, rate and difference are points, and the evidence is infinite or none."""
    a, b = data.draw(st.integers(0, treat)), data.draw(st.integers(0, control))
    margin = data.draw(st.floats(-0.5, 0.9))
    with_it, without = Sample(a, treat, treat), Sample(b, control, control)
    assert set_rate(with_it) == (a / treat, a / treat)
    assert set_difference(with_it, without) == pytest.approx((a / treat - b / control,) * 2)
    beyond = a / treat - b / control > margin + 1e-9
    evidence = log_difference(with_it, without, margin)
    assert evidence == math.inf if beyond else evidence <= 1e-9


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_large_set_is_like_a_source_without_end(failures, passes):
    """As the set grows the interval becomes that of `rate_sequence`."""
    n = failures + passes
    found = set_rate(Sample(failures, n, 20_000))
    assert found == pytest.approx(rate_sequence(failures, n), abs=2e-3)


@given(samples(20), samples(20), st.floats(-0.9, 0.9))
def test_evidence_is_the_worst_case_of_the_null(treat, control, margin):
    """The evidence for a difference is the least product of both wealths over every pair for which the null holds."""
    joint, difference = both(treat, control)
    least = joint[difference <= margin + 1e-9 / treat.size].min(initial=np.inf)
    assert log_difference(treat, control, margin) == pytest.approx(least)


@given(samples(20), samples(20))
def test_a_difference_holds_every_pair_that_is_not_refuted(treat, control):
    """The interval's ends are the least and the largest difference of pairs whose joint wealth is below 20."""
    joint, difference = both(treat, control)
    held = difference[joint < math.log(20)]
    assert set_difference(treat, control) == pytest.approx((held.min(), held.max()))


def both(treat, control):
    """Give the log of the joint wealth, and the difference of rates, of every pair of numbers of failures."""
    joint = _log_ratio(treat)[:, None] + _log_ratio(control)
    difference = np.subtract.outer(np.arange(treat.size + 1) / treat.size, np.arange(control.size + 1) / control.size)
    return joint, difference


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("size", "failures"), [(20, 1), (20, 10), (60, 0), (60, 3), (200, 100), (400, 399)])
def test_a_rate_is_inside_at_all_times(size, failures, level):
    """Simulated: the chance that the true rate of a set is ever outside, over every image, is at most 1 - level."""
    rng = np.random.default_rng(size + failures)
    missed = 0
    for _ in range(100):
        order = rng.permutation(size) < failures
        seen = np.cumsum(order)
        looks = [set_rate(Sample(int(seen[n - 1]), n, size), level) for n in range(1, size + 1, 1 + size // 20)]
        missed += any(not low - 1e-12 <= failures / size <= high + 1e-12 for low, high in looks)
    assert missed / 100 <= 1 - level + 3 * math.sqrt(level * (1 - level) / 100)


strata = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=2)


@settings(max_examples=40)
@given(strata)
def test_chance_alone_makes_no_evidence_of_an_association(shapes):
    """Enumerated exactly: over every way in which the failures may lie, the mean e-value is 1, for any number."""
    each = []
    for treat, control, failures in shapes:
        held = min(failures, treat + control)
        hits = range(max(0, held - control), min(held, treat) + 1)
        ways = [math.comb(treat, a) * math.comb(control, held - a) for a in hits]
        found = [Stratum(a, treat, held - a, control) for a in hits]
        each.append([(way / sum(ways), cell) for way, cell in zip(ways, found, strict=True)])
    mean = 0.0
    for cells in itertools.product(*each):
        chance = math.prod(p for p, _ in cells)
        mean += chance * math.exp(log_association([stratum for _, stratum in cells]))
    assert mean == pytest.approx(1.0)


@settings(max_examples=20)
@given(strata)
def test_one_label_alone_makes_no_evidence_beyond_it(shapes):
    """The evidence with the most telling label left out is that of the others, and at most that of all of them."""
    cells = [Stratum(min(f, t), t, max(0, min(f - t, c)), c) for t, c, f in shapes]
    rest = [log_association([*cells[:at], *cells[at + 1 :]]) for at in range(len(cells))]
    assert log_association_beyond(cells) == pytest.approx(min(rest))
    assert log_association_beyond([Stratum(9, 10, 0, 50)]) == pytest.approx(0.0)
    assert log_association_beyond([]) == 0.0


def test_a_plain_association_is_evident():
    """Eight of ten against four of ninety leaves no doubt; one of ten against none of fifty is nothing."""
    assert log_association([Stratum(8, 10, 4, 90)]) > math.log(10_000)
    assert log_association([Stratum(1, 10, 0, 50)]) < math.log(20)
    assert log_association([Stratum(0, 0, 3, 50)]) == pytest.approx(0.0)
    assert log_association([]) == pytest.approx(0.0)


def test_labels_that_fail_alike_are_no_association():
    """An attribute that only goes with a hard label is evident in the pooled counts, and not within the labels."""
    hard, easy = Stratum(40, 50, 8, 10), Stratum(1, 10, 5, 50)
    pooled = Stratum(*(x + y for x, y in zip(hard, easy, strict=True)))
    assert log_association([pooled]) > math.log(1000)
    assert log_association([hard, easy]) < math.log(2)


@pytest.mark.parametrize(("n_a", "n_b"), [(5, 20), (8, 60), (20, 20), (40, 200)])
def test_the_difference_of_rates_covers_at_every_rate(n_a, n_b):
    """Enumerated exactly on a grid of rates: the interval holds the true difference with at least 95 % less a point."""
    found = [[independent_difference((a, n_a), (b, n_b)) for b in range(n_b + 1)] for a in range(n_a + 1)]
    low, high = np.moveaxis(np.array(found), -1, 0)
    for p, q in itertools.product(np.linspace(0, 1, 21), repeat=2):
        inside = (low - 1e-9 <= p - q) & (p - q <= high + 1e-9)
        weights = np.outer(stats.binom.pmf(range(n_a + 1), n_a, p), stats.binom.pmf(range(n_b + 1), n_b, q))
        assert (weights * inside).sum() >= 0.94


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: set_rate(Sample(3, 2, 5)), "0 <= failures <= n <= size"),
        (lambda: set_rate(Sample(1, 2, 5), 1.0), "level"),
        (lambda: log_difference(Sample(1, 2, 5), Sample(1, 2, 5), 1.0), "margin"),
        (lambda: log_association([Stratum(3, 2, 0, 1)]), "0 .. n"),
    ],
)
def test_counts_that_cannot_be_are_refused(call, told):
    """Counts, levels and margins that cannot be are a ValueError that names them."""
    with pytest.raises(ValueError, match=told):
        call()


def test_an_empty_side_says_nothing():
    """Without an image on one side there is no evidence, and every difference is possible."""
    assert log_difference(Sample(0, 0, 0), Sample(1, 2, 5), 0.1) == 0.0
    assert set_difference(Sample(0, 0, 0), Sample(1, 2, 5)) == (-1.0, 1.0)
    assert set_rate(Sample(0, 0, 0)) == (0.0, 1.0)
    assert independent_difference((0, 0), (1, 2)) == (-1.0, 1.0)


def test_a_finite_set_needs_fewer_images_than_one_without_end():
    """Half of a set of 60 tells more about it than as many draws of a source without end."""
    narrow, wide = (np.diff(set_rate(Sample(6, 30, size)))[0] for size in (60, 6000))
    assert narrow < 0.8 * wide
    assert log_difference(Sample(20, 25, 30), Sample(2, 25, 30), 0.1) > log_evidence(0, 7, 18, 0.1)
