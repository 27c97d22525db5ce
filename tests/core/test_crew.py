"""Promises of units that are carried out side by side: what is kept does not depend on who was faster."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toyworld
from foible.errors import OutOfRequests, OutOfTime, PartError, PluginError
from foible.parts.ceiling import Ceiling


class Uneven(toyworld.Classifier):
    """Draws and classifies as the toy world does; some batches take longer than those behind them."""

    fingerprint = "the same however long it takes"

    def __init__(self, seed, lost=()):
        """Shuffle the waits by a seed; draws with certain remainders of their seeds are lost."""
        self.random, self.lost, self.lock = random.Random(seed), set(lost), threading.Lock()
        self.calls: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    @contextlib.contextmanager
    def slowly(self, what):
        """Take some time, and count what is under way meanwhile."""
        with self.lock:
            self.calls[what] += 1
            self.most["all"] = max(self.most["all"], self.calls.total())
            self.most[what] = max(self.most[what], self.calls[what])
            wait = self.random.choice([0, 0.001, 0.01])
        time.sleep(wait)
        yield
        with self.lock:
            self.calls[what] -= 1

    def draw(self, prompts, seeds):
        """Draw."""
        with self.slowly("draw"):
            images = toyworld.draw(prompts, seeds)
            return [PartError("lost") if s % 7 in self.lost else one for s, one in zip(seeds, images, strict=True)]

    def classify(self, images):
        """Classify."""
        with self.slowly("classify"):
            return super().classify(images)


def hunted(folder, overlap=1, config=None, **more):
    """Hunt, and give the bytes that were written."""
    toyworld.hunt(folder, config={"overlap": overlap, **(config or {})}, **more)
    return toyworld.written(folder)


@pytest.mark.parametrize("lost", [(), (3,)])
def test_units_side_by_side_find_the_same(tmp_path, lost):
    """Four units at once give the bytes of one at a time, whichever is done first, and lost draws among them."""
    part = Uneven(0, lost)
    one = hunted(tmp_path / "one" / "run", classifier=part, generator=part)
    assert part.most["all"] == 1
    for seed in range(3):
        part = Uneven(seed, lost)
        assert hunted(tmp_path / f"{seed}" / "run", 4, classifier=part, generator=part) == one
        assert part.most["all"] > 1
        assert part.most["draw"] == part.most["classify"] == 1


def test_the_first_unit_is_alone(tmp_path):
    """Until every part has worked once, one unit is under way: a dead part costs one unit, not four."""
    part = Uneven(0, range(7))
    with pytest.raises(PluginError, match="drew none of the first 8 images"):
        hunted(tmp_path / "run", 4, generator=part)
    assert part.most["all"] == 1


class Stopping:
    """Draws as the toy world does, and stops the hunt in one of its calls."""

    fingerprint = "the same whatever stops it"

    def __init__(self, stop):
        """Count calls down."""
        self.left = stop

    def draw(self, prompts, seeds):
        """Draw, or stop."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return toyworld.draw(prompts, seeds)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give what a hunt writes that was never stopped."""
    return hunted(tmp_path_factory.mktemp("whole") / "run", generator=Stopping(-1))


@settings(max_examples=5, deadline=None)
@given(stop=st.integers(2, 30), at_once=st.integers(2, 6))
def test_what_was_under_way_is_kept(whole, tmp_path_factory, stop, at_once):
    """A part that stops the hunt in the middle costs nothing: the next call ends with the same bytes."""
    folder, part = tmp_path_factory.mktemp("stopped") / "run", Stopping(stop)
    with pytest.raises(KeyboardInterrupt):
        hunted(folder, at_once, generator=part)
    assert hunted(folder, at_once, generator=part) == whole


class Counted:
    """Draws as the toy world does, in its time, and knows which seeds it drew."""

    fingerprint = "the same however much it drew"

    def __init__(self):
        """Nothing is drawn yet."""
        self.seeds = []

    def draw(self, prompts, seeds):
        """Note what is drawn."""
        self.seeds.extend(seeds)
        time.sleep(0.05)
        return toyworld.draw(prompts, seeds)


def test_minutes_wait_for_what_is_under_way(tmp_path):
    """Units that are under way when the minutes are over are kept: nothing is drawn twice."""
    part = Counted()
    whole = hunted(tmp_path / "whole" / "run", generator=part)
    once, part.seeds = len(part.seeds), []
    stops, found = 0, None
    while found is None and stops < 200:
        try:
            found = hunted(tmp_path / "run", 3, generator=part, config={"max_minutes": 0.01})
        except OutOfTime:
            stops += 1
    assert stops
    assert found == whole
    assert len(part.seeds) <= once + stops  # each call draws one image again, to try the generator


def test_a_count_can_be_handed_over():
    """Of a ceiling that another counts for, no more is taken than is left there, whoever takes it."""
    shared = Ceiling(5)
    here, there = Ceiling(None), Ceiling(None)

    def take(count):
        try:
            shared.take(count)
        except OutOfRequests as problem:
            return str(problem)
        return ""

    for one in (here, there):
        one.hand_over(take)
    here.take(3)
    there.take(2)
    for one in (here, there):
        with pytest.raises(OutOfRequests, match="ceiling of 5 requests: 0 left, and the next step needs 1"):
            one.take(1)
