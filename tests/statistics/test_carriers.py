"""The claim that a pair of phrases is worse than each phrase alone: how often it is wrong, and how often it is made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foible.explanation.causes import with_carriers
from foible.findings import Counterfactual, Finding, Rate
from foible.records import Hypothesis, Pairs, Tally, Treatment, Trial
from foible.statistics import higher_p, holm, log_evidence

UNKNOWN = Rate(value=None, low=0.0, high=1.0)
PAIR = ("in rain", "from above")


def counted(failed):
    """Count draws, all of them scored."""
    return Tally(draws=len(failed), failures=int(failed.sum()), unscored=0)


def confirmed(measured, control, rests, words=PAIR):
    """Make a confirmed finding of some counts."""
    hypothesis = Hypothesis(label="barrel", treatment=Treatment(words=words))
    trial = Trial(hypothesis=hypothesis, treat=measured, control=control, pairs=Pairs(0, 0, 0, 0))
    dropped = tuple(
        Counterfactual(
            change="drop",
            phrase=phrase,
            treatment=Treatment(words=tuple(w for w in words if w != phrase)),
            tally=rest,
            rate=Rate(value=rest.failures / rest.scored if rest.scored else None, low=0.0, high=1.0),
        )
        for phrase, rest in zip(words, rests, strict=True)
    )
    return Finding(
        trial=trial,
        verdict="confirmed",
        reason="",
        p_value=0.0,
        adjusted=0.0,
        treat=UNKNOWN,
        control=UNKNOWN,
        difference=UNKNOWN,
        counterfactuals=dropped,
        measured=trial,
    )


def hunted(random, base, single, pair):
    """Confirm a pair the way a hunt does, on scenes that are hard or easy, and drop each phrase on the first seeds.

    Returns:
        The finding; None where it was not confirmed.
    """

    def draw(scenes, rate):
        return random.random(len(scenes)) < np.clip(rate * (0.5 + scenes), 0, 1)

    scenes = random.random(200)
    treat, control = draw(scenes, pair), draw(scenes, base)
    worse, better = np.cumsum(treat & ~control), np.cumsum(control & ~treat)
    pairs = np.arange(1, 201)
    evidence = log_evidence(better[15:], pairs[15:] - worse[15:] - better[15:], worse[15:], 0.1)
    if not (np.asarray(evidence) >= np.log(20)).any():
        return None
    fresh = random.random(40)
    # What the second phrase leaves: what the first leaves with the pair's own rate, or with that of one phrase.
    rests = [counted(draw(scenes[:16], rate)) for rate in (base, single)]
    return confirmed(counted(draw(fresh, pair)), counted(draw(fresh, base)), rests)


@pytest.mark.parametrize(("base", "rate"), [(0.05, 0.4), (0.2, 0.6), (0.05, 0.9)])
def test_a_phrase_that_adds_nothing_is_rarely_called_needed(base, rate):
    """Where one phrase alone fails as often as both, a pair is claimed in no more than the level of hunts.

    The seeds of the dropped phrases are those that confirmed the pair, so that scenes may be picked by how hard they
    are; the test must bear that.
    """
    random = np.random.default_rng(5)
    found = [one for _ in range(400) if (one := hunted(random, base, rate, rate)) is not None]
    wrong = sum(with_carriers([one], 0.05, 0.3)[0].carrier.kind == "together" for one in found)
    assert len(found) > 200
    assert stats.binomtest(wrong, len(found), 0.05, alternative="greater").pvalue > 0.01


def test_a_pair_that_is_needed_is_mostly_called_so():
    """Where each phrase alone does nothing and both together fail mostly, the pair is claimed nearly always."""
    random = np.random.default_rng(6)
    found = [one for _ in range(100) if (one := hunted(random, 0.05, 0.05, 0.9)) is not None]
    assert sum(with_carriers([one], 0.05, 0.3)[0].carrier.kind == "together" for one in found) > 0.95 * len(found)


counts = st.integers(0, 20).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(one=counts, other=counts)
def test_one_rate_above_another_is_fisher_s_test(one, other):
    """The p-value is that of scipy's own Fisher test, and 1 where one side has no draw."""
    table = np.array([[one[0], one[1] - one[0]], [other[0], other[1] - other[0]]])
    expected = stats.fisher_exact(table, alternative="greater").pvalue if one[1] and other[1] else 1.0
    assert higher_p(*one, *other) == pytest.approx(expected)


def test_counts_that_cannot_be_are_refused():
    """More failures than draws are an error, and not a probability."""
    with pytest.raises(ValueError, match="failures within 0"):
        higher_p(3, 2, 0, 1)


@given(p=st.lists(st.floats(0, 1), max_size=8), level=st.floats(0.001, 0.999))
def test_holm_calls_what_stepping_down_calls(p, level):
    """A p-value is called exactly where each smaller one passes its own bar, which falls with every step."""
    adjusted = holm(p)
    order = sorted(range(len(p)), key=lambda i: p[i])
    bars = [p[i] * (len(p) - rank) <= level for rank, i in enumerate(order)]
    for rank, i in enumerate(order):
        assert (adjusted[i] <= level) == all(bars[: rank + 1])
