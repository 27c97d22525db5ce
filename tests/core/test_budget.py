"""Promises of the budget: never more draws than it allows, and more of it adds work and keeps the old."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foible
import toyworld
from foible.budget import within
from foible.records import Hypothesis, Treatment

treatments = st.builds(Treatment, words=st.tuples(st.text("abc", min_size=1, max_size=4)))
hypotheses = st.lists(
    st.builds(Hypothesis, label=st.sampled_from(["mug", "vase", "bowl"]), treatment=treatments),
    unique=True,
    max_size=8,
)


class Counting:
    """The toy generator; `made` counts how often each image was drawn."""

    fingerprint = "the toy generator, counted"

    def __init__(self):
        self.made: Counter[Any] = Counter()

    def draw(self, prompts, seeds):
        """Count and draw."""
        self.made.update(zip(prompts, seeds, strict=True))
        return toyworld.draw(prompts, seeds)


class Forgetful(toyworld.Classifier):
    """Fails on grass, on snow and at night, so that more hypotheses come up than a small budget can test."""

    def answer(self, scene):
        """Take whatever is there for a barrel."""
        odd = scene.ground in {"grass", "snow"} or scene.light == "night"
        return "barrel" if odd else scene.label


@settings(max_examples=6, deadline=None)
@given(budget=st.integers(3, 260))
def test_a_hunt_never_draws_more_than_its_budget(budget):
    """Whatever the budget, no more draws are made, and each hypothesis is tested in full or listed as untested.

    One image is drawn again before the hunt, to see whether the generator gives the same: that is no draw of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        generator = Counting()
        if budget < 8:
            with pytest.raises(foible.InputError, match="give at least 8, or name fewer labels"):
                toyworld.hunt(Path(folder) / "run", Forgetful(), generator=generator, budget=budget)
            assert not list(Path(folder).iterdir())
            return
        run = toyworld.hunt(Path(folder) / "run", Forgetful(), generator=generator, budget=budget)
        assert generator.made.total() - 1 <= budget
        assert sum(run.result.draws.values()) == len(generator.made) == generator.made.total() - 1
        assert all(f.trial.treat.draws == f.trial.control.draws == 20 for f in run)
        known = {h.about for h in run.result.untested}
        assert not known & {f.trial.hypothesis.about for f in run}


@given(hypotheses=hypotheses, draws=st.integers(-5, 200) | st.none(), pairs=st.integers(1, 40))
def test_hypotheses_are_kept_in_order_while_they_can_be_paid_for(hypotheses, draws, pairs):
    """What is kept costs no more than there is, the first of a label paying for its control; else all is kept."""
    kept = within(hypotheses, draws, pairs)
    assert kept == [h for h in hypotheses if h in kept]
    price = pairs * (len(kept) + len({h.label for h in kept}))
    if draws is None:
        assert kept == hypotheses
        return
    assert price <= max(draws, 0)
    for left in (h for h in hypotheses if h not in kept):
        assert price + pairs * (1 if any(h.label == left.label for h in kept) else 2) > draws
    assert within([*kept, *(h for h in hypotheses if h not in kept)], draws, pairs) == kept


def test_a_raised_budget_goes_on_and_keeps_the_old(tmp_path):
    """Raising the budget keeps every draw that was made and every hypothesis that was tried, and tests more."""
    generator = Counting()
    small = toyworld.hunt(tmp_path / "run", Forgetful(), generator=generator, budget=120)
    large = toyworld.hunt(tmp_path / "run", Forgetful(), generator=generator, budget=400)
    assert generator.made.total() == len(generator.made) + repeated(generator)
    assert repeated(generator) <= 3 * toyworld.SMALL["batch"], "more than the last unit of each label was drawn again"
    tried = {f.trial.hypothesis.about: f.trial for f in large}
    assert len(tried) > len(list(small)) > 0
    for finding in small:
        assert tried[finding.trial.hypothesis.about].pairs == finding.trial.pairs
    assert sum(large.result.draws.values()) <= 400


def repeated(generator):
    """Count the draws that were made again."""
    return sum(times - 1 for times in generator.made.values())


def test_a_hypothesis_once_tried_stays_in_the_multiplicity(tmp_path):
    """Raising the budget never drops a hypothesis that was tried before, though exploration now suggests others."""
    first = toyworld.hunt(tmp_path / "run", Forgetful(), budget=100, config={"describe": {"hypotheses": 1}})
    again = toyworld.hunt(tmp_path / "run", Forgetful(), budget=500, config={"describe": {"hypotheses": 1}})
    before = {f.trial.hypothesis.about for f in first}
    after = {f.trial.hypothesis.about for f in again}
    assert before
    assert before < after


def test_a_lowered_budget_is_refused(tmp_path):
    """A budget below the one that the directory was made with is refused, naming both."""
    toyworld.hunt(tmp_path / "run", budget=100)
    with pytest.raises(foible.InputError, match="budget was 100, now 99"):
        toyworld.hunt(tmp_path / "run", budget=99)
    toyworld.hunt(tmp_path / "run", budget=100)


def test_what_the_budget_leaves_out_is_shown_and_not_claimed(tmp_path):
    """Hypotheses that the budget cannot test are listed as untested, the most telling first, with no verdict."""
    run = toyworld.hunt(tmp_path / "run", budget=60)
    assert not list(run)
    assert [h.description for h in run.result.untested]
    scores = [h.score for h in run.result.untested]
    assert scores == sorted(scores, reverse=True)
    shown = json.loads(toyworld.written(tmp_path / "run")["findings.json"])["untested"]
    assert [h["description"] for h in shown] == [h.description for h in run.result.untested]


def test_a_budget_holds_for_a_probe_too(tmp_path):
    """A probe tests the descriptions that its budget can pay for, and is refused where it can pay for none."""
    parts = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    some: dict[str, Any] = {"config": {**toyworld.SMALL, "budget": 70}, "progress": False, **parts}
    descriptions = ["on grass", "on snow", "on sand"]
    run = foible.probe(toyworld.Classifier(), "coffee mug", descriptions, out=tmp_path / "run", **some)
    assert [f.trial.hypothesis.description for f in run] == ["on grass", "on snow"]
    assert [h.description for h in run.result.untested] == ["on sand"]
    assert sum(run.result.draws.values()) <= 70
    none: dict[str, Any] = {**some, "config": {**toyworld.SMALL, "budget": 39}}
    with pytest.raises(foible.InputError, match="a budget of 39 draws cannot test a description; give at least 40"):
        foible.probe(toyworld.Classifier(), "coffee mug", descriptions, out=tmp_path / "none", **none)
    assert not (tmp_path / "none").exists()
