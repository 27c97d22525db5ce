"""Confirmation's bar counted hypotheses, most of which settle at the end: it could tell no time."""

from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.hunting.api import run
from foible.layers import resolve
from foible.statistics import Aim, Tally, choose, expected_left, outlook


class Recorder:
    """Keeps what each stage was told."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.told: dict[str, list[tuple[int, int]]] = {}

    @contextlib.contextmanager
    def stage(self, name):
        """Keep (done, of how many) of one stage."""
        told = self.told.setdefault(name, [])
        yield lambda done, total, _draws: told.append((done, total))


def test_the_bar_of_the_test_counts_pairs_of_those_that_are_expected(tmp_path):
    """It never goes back, is never beyond its end, and ends at the pairs that were drawn."""
    config = {**toyworld.SPECS, **toyworld.SMALL, "labels": toyworld.LABELLED, "seed": 1, "out": tmp_path / "run"}
    recorder = Recorder()
    done = run(resolve([("test", {**config, "confirm": {"method": "sequential"}})])[0], progress=recorder)
    told = recorder.told["test"]
    drawn = [pairs for pairs, _ in told]
    assert drawn == sorted(drawn)
    assert all(pairs <= total for pairs, total in told)
    assert told[-1] == (drawn[-1], drawn[-1])
    assert drawn[-1] == sum(f.trial.treat.draws for f in done) > 0
    assert told[0][1] > 0


counts = st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=6)


@given(counts, st.floats(0.0, 0.95), st.sampled_from([1.0, 30.0, 300.0]))
def test_what_is_left_is_nothing_exactly_where_nothing_is_chosen(cells, base, price):
    """As long as a hypothesis is to be drawn at least one pair is left for each, and none when the hunt is over."""
    minus, plus, both, neither = (np.array(column) for column in zip(*cells, strict=True))
    size = len(cells)
    aim = Aim(0.1, 0.05, price, 4)
    seen = outlook(Tally(minus, plus, both, neither, np.full(size, base), np.full(size, 0.2)), aim)
    live = len(choose(seen, aim, size, 0))
    left = expected_left(seen, aim, 200)
    assert left >= live
    assert (left == 0) == (live == 0)
    assert left <= live * 200
