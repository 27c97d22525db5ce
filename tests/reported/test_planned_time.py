"""Reported: the time that `foible plan --source` told was that of each photograph times the square of their number."""

from __future__ import annotations

import pytest

import photographs
from foible.checks import forecast
from foible.layers import resolve


def test_the_time_over_photographs_is_that_of_each_times_how_often_it_is_asked(tmp_path, monkeypatch):
    """A part that takes a second for an element takes as many seconds as it is asked about elements."""
    source = photographs.folder(tmp_path / "set", photographs.scenes(20))
    config = {"source": source, "classifier": "python:toyworld:Classifier"}
    timings = forecast._timings

    def a_second_each(prepared):
        size, each, notes = timings(prepared)
        return size, dict.fromkeys(each, 1.0), notes

    monkeypatch.setattr(forecast, "_timings", a_second_each)
    found = forecast.plan(resolve([("test", config)])[0])
    assert found.seconds == pytest.approx({kind: float(found.answers[kind]) for kind in found.seconds})
    assert found.longest == pytest.approx(sum(found.seconds.values()))
    assert found.answers["classifier"] < 2 * found.total
