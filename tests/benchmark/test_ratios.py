"""Promises of the benchmark's comparisons: paired by hunt, hindsight within each resample, and shown once."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugs.calibration import Nulls
from bugs.compare import CHANCE, COVERING, FOIBLE, FURTHER, GRID, PAIRS, RECIPE, SHOWN, Benchmark
from bugs.page import price_plot, text
from bugs.scoring import Score, ratio, summarise

scores_of = st.builds(
    lambda found, draws: Score(4, 2, min(found, 4), max(found - 4, 0), 6, 0, draws),
    st.integers(0, 6),
    st.integers(1, 2_000),
)


@st.composite
def hunts(draw, least=1):
    """Our scores and those of some settings of another method, over the same hunts."""
    count = draw(st.integers(least, 8))
    some = st.lists(scores_of, min_size=count, max_size=count)
    return draw(some), draw(st.lists(some, min_size=1, max_size=4))


def chosen_plainly(ours, theirs):
    """Choose in hindsight, with the records of `summarise`."""
    rows = [summarise(str(k), scores) for k, scores in enumerate(theirs)]
    enough = [row for row in rows if row.recall >= summarise("ours", ours).recall]
    most = max(row.recall for row in rows)
    return int(min(enough or [row for row in rows if row.recall == most], key=lambda row: row.price[0]).method)


@given(hunts())
@settings(max_examples=60, deadline=None)
def test_a_ratio_is_that_of_the_medians_at_the_setting_that_hindsight_chooses(drawn):
    """The setting is the cheapest that finds as much as we do, else as much as any; the rest is division."""
    ours, theirs = drawn
    got = ratio(ours, theirs)
    assert got.chosen == chosen_plainly(ours, theirs)
    mine, other = summarise("a", ours).price[0], summarise("b", theirs[got.chosen]).price[0]
    assert got.times == (1.0 if np.isinf(mine) and np.isinf(other) else other / mine)
    assert got.low <= got.high


@given(hunts())
@settings(max_examples=40, deadline=None)
def test_a_ratio_turned_round_is_the_ratio_from_the_other_side(drawn):
    """With one setting on each side it makes no difference whose ratio is taken."""
    ours, (theirs, *_) = drawn
    one, other = ratio(ours, [theirs]), ratio(theirs, [ours]).inverse()
    assert (one.times, one.low, one.high) == pytest.approx((other.times, other.low, other.high))


@given(hunts(), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_both_methods_have_the_same_resampled_hunts(drawn, times):
    """A method that needs so many times the draws in every hunt does so in every resample: the interval is a point."""
    ours = [replace(each, found_singles=max(each.found_singles, 1)) for each in drawn[0]]
    got = ratio(ours, [[replace(each, draws=each.draws * times) for each in ours]])
    assert (got.times, got.low, got.high) == pytest.approx((times, times, times))


def test_hindsight_chooses_anew_in_each_resample():
    """Where another resample would have chosen the other setting, the interval knows; with one setting it does not."""
    ours = [Score(4, 2, 3, 0, 3, 0, 300)] * 20
    cheap = [Score(4, 2, 3 + (k % 2) - (k % 4 == 0), 0, 3, 0, 300) for k in range(20)]  # finds hardly more than ours
    dear = [Score(4, 2, 4, 0, 3, 0, 4_000)] * 20
    assert ratio(ours, [cheap]).high < 2
    either = ratio(ours, [cheap, dear])
    assert (either.chosen, either.times) == (0, 1.0)
    assert either.high == 10.0


def test_a_ratio_with_nothing_found_is_a_number():
    """Nothing for any price is infinitely dear; where both find nothing, neither is cheaper."""
    hit, miss = [Score(4, 2, 1, 0, 1, 0, 100)] * 3, [Score(4, 2, 0, 0, 0, 0, 100)] * 3
    assert ratio(hit, [miss]).times == float("inf")
    assert ratio(miss, [hit]).times == 0.0
    assert ratio(miss, [miss]).times == 1.0
    with pytest.raises(ValueError, match="one has 3 and the other 2"):
        ratio(hit, [miss[:2]])


MORE = f"{FOIBLE}, exploring {FURTHER[-1]}"


def measured(*found):
    """A benchmark in which the recipe finds so many singles at each number of pairs, the array 2, 4 and 4.

    foible finds 3, and where it explores more 4.
    """

    def scores(singles, draws):
        return (Score(4, 2, singles, 1, singles + 1, 0, draws),) * 3

    of = {FOIBLE: scores(3, 400), MORE: scores(4, 1_000)}
    of |= {f"{RECIPE}, {n}": scores(k, 100 * n) for n, k in zip(PAIRS, found, strict=True)}
    for name in (COVERING, CHANCE):
        of |= {f"{name}, {n}": scores(k, 1_000 * n) for n, k in zip(SHOWN, (2, 4, 4), strict=True)}
    of[FOIBLE] = tuple(replace(each, decoys=4, tested_decoys=2, claimed_decoys=1) for each in of[FOIBLE])
    of[f"{GRID}, 100"] = tuple(replace(each, decoys=4, tested_decoys=4) for each in of[f"{CHANCE}, 100"])
    return Benchmark("1", 3, 100, ("one",), {0.0: of, 0.1: of}, Nulls("placebo", 1, 1, 0, 0.0, 1.0))


@pytest.mark.parametrize(("first", "rows"), [(50, SHOWN), (40, (25, 40, 50, 100))])
def test_the_number_that_hindsight_chose_is_shown_once_and_marked(first, rows):
    """Be it one that is shown anyway or not, it has one row in each table; in the plot hindsight has its own line."""
    made = measured(*[3 if n >= first else 2 for n in PAIRS])
    page = text(made, [], [])
    tables = page.partition("## What it aims at")[0]
    shown = re.findall(rf"^\| ({RECIPE}, \d+)( \(hindsight\))? \|", tables, re.MULTILINE)
    assert shown == [(f"{RECIPE}, {n}", " (hindsight)" * (n == first)) for n in rows] * 2
    lines = re.findall(rf">{RECIPE}, ([^<]+)<", unescape(price_plot(made)))
    assert lines == [*map(str, SHOWN), "in hindsight"]


def test_every_ratio_has_an_interval_and_recall_decides_what_counts():
    """A dearer method that finds more is missed, not beaten; it is beaten by a setting that finds as many bugs."""
    page = text(measured(*[2] * 8, 4), [], [])
    assert f"than {COVERING}, 100, at equal or better recall | 200.0 [200.0, 200.0]: missed, since 67%" in page
    assert f"than {RECIPE}, 50, at equal or better recall | 16.7 [16.7, 16.7] |" in page
    assert f"| {COVERING}, 25 | 83.3 [83.3, 83.3] ({FOIBLE}: 67% of the bugs against 50%) |" in page
    assert f"| {COVERING}, 100 | 100.0 [100.0, 100.0] ({MORE}: 83% of the bugs against 83%) |" in page
    made = measured(*[4] * 9)
    less = {name: of for name, of in made.scores[0.0].items() if name != MORE}
    page = text(replace(made, scores={0.0: less, 0.1: less}), [], [])
    assert f"| {RECIPE}, 100 | foible never finds 83% of the bugs |" in page


def test_a_benchmark_in_which_the_recipe_found_nothing_has_a_page_too():
    """A short benchmark may have such a method; its price is infinite, and the page is written."""
    made = measured(*[0] * 9)
    rows = {name: of for name, of in made.scores[0.0].items() if name != f"{RECIPE}, 100"}
    rows[f"{RECIPE}, 100"] = (Score(4, 2, 0, 0, 0, 0, 100),) * 3
    page = text(replace(made, scores={0.0: rows, 0.1: rows}), [], [])
    assert f"than {RECIPE}, 100, at equal or better recall | ∞ [∞, ∞] |" in page


def test_the_page_says_how_many_decoys_were_tested_and_claimed():
    """Over all hunts of a setting, by foible and by what tests them all."""
    page = " ".join(text(measured(*[2] * 9), [], []).split())
    assert (
        f"{FOIBLE} tested 6 of the 12 decoys and claimed 3 [12%, 88% of those tested], with perfect parts, and" in page
    )
    assert "and 12 of the 12 decoys and claimed 0 [0%, 26% of those tested], with each part wrong in 10%." in page
