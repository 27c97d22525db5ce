"""A reported fault (B21): what a hunt does beside its draws took time by the square of its labels."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from foible.draws.request import BASE
from foible.draws.values import write_scores
from foible.labels import Classes, class_name, resolve
from foible.records import Answered, Draw, Outcome, Request
from foible.search.pilot import by_label, crossed

EACH = 16
"""First draws of a label."""


def steps(function):
    """Count the calls of Python functions, and steps of generators, that a call takes: (result, count)."""
    count = 0

    def seen(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        result = function()
    finally:
        sys.setprofile(before)
    return result, count


def labels(count):
    """Give as many names."""
    return [f"thing {'abcdefghij'[n // 100]}{'abcdefghij'[n // 10 % 10]}{'abcdefghij'[n % 10]}" for n in range(count)]


def answered(names):
    """Give the first draws of labels, which the judge sees in all of them."""
    seen = Outcome(status="passed", predicted=0)
    return [
        Answered(
            draw=Draw(
                request=Request(
                    key=f"{name} {row}",
                    label=name,
                    treatment=BASE,
                    seed=row,
                    text=f"a photo of {name}",
                    arm="explore",
                ),
                image=f"{name} {row}",
            ),
            outcomes=(seen,),
        )
        for name in names
        for row in range(EACH)
    ]


def pilot_of(names):
    """Count what shows each label, and choose what is judged against others."""
    draws = answered(names)

    def counted():
        found = by_label(draws, names, 0.05, stop=True)
        return found, crossed(draws, found)

    return counted


def labels_of(names):
    """Find each label among the classes, and name each class."""
    known = Classes(classifier="it", names=tuple(names), accepted={})

    def found():
        return resolve(names, [known]), [class_name(index, known.names) for index in range(len(names))]

    return found


@pytest.mark.parametrize("what", [pilot_of, labels_of])
def test_four_times_as_many_labels_take_about_four_times_as_many_steps(what):
    """Not sixteen times as many: a thousand labels are an ordinary hunt."""
    (_, few), (_, many) = (steps(what(labels(count))) for count in (100, 400))
    assert many < 6 * few


def test_what_is_judged_against_other_labels_is_spread_over_them():
    """Each label's images go against the labels behind it in turn, never against its own."""
    names = labels(5)
    draws = answered(names)
    pairs = crossed(draws, by_label(draws, names, 0.05, stop=True))
    assert all(draw.request.label != other for draw, other in pairs)
    first = [other for draw, other in pairs if draw.request.label == names[3]]
    assert first == [names[(4 + row % 4) % 5] for row in range(len(first))]
    assert len(first) == 8
    assert crossed(draws[:EACH], by_label(draws[:EACH], names[:1], 0.05, stop=True)) == []


def test_a_thousand_equal_scores_are_written_in_few_steps():
    """A run of equal scores costs no step of Python for each of its classes."""
    scores = np.zeros(1000)
    scores[[3, 4, 900]] = 1, 1, 2
    (runs, count) = steps(lambda: write_scores(scores, 10))
    assert runs == [[900, 900, 2.0], [3, 4, 1.0], [0, 2, 0.0], [5, 899, 0.0], [901, 999, 0.0]]
    assert count < 100
