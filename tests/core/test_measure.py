"""Promises of the rates that are shown: from draws of their own, of a number that nothing in them decided."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.arms import MEASURE
from foible.checks.verify import verify
from foible.records import Tally
from foible.statistics import clopper_pearson
from foible.trial.measure import draws_for
from streams import stream_of

SEQUENTIAL = {"confirm": {"method": "sequential"}}


def tally(failures, scored):
    """Give the counts of an arm."""
    return Tally(draws=scored, failures=failures, unscored=0)


def hunt(folder, **given):
    """Hunt where both planted bugs are found."""
    config = {**SEQUENTIAL, **given.pop("config", {})}
    return toyworld.hunt(folder, seed=2, config=config, **given)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give a hunt with confirmed findings."""
    return hunt(tmp_path_factory.mktemp("measure") / "run")


@given(data=st.data(), width=st.floats(0.05, 0.4), most=st.integers(1, 200))
def test_the_number_of_draws_lies_within_its_limits(data, width, most):
    """Never more than `most`; where fewer are wanted, the interval at the expected rate is as narrow as asked."""
    scored = data.draw(st.integers(0, 60))
    failures = data.draw(st.integers(0, scored))
    draws = draws_for(tally(failures, scored), width, most)
    assert 1 <= draws <= most
    assert draws == draws_for(tally(scored - failures, scored), width, most), "failing and passing are alike"
    if draws < most:
        middle = clopper_pearson(round(0.5 * draws), draws)
        extreme = clopper_pearson(0, draws)
        assert extreme[1] - extreme[0] <= 2 * width or middle[1] - middle[0] <= 2 * width


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.6, 0.95, 1.0])
def test_measured_rates_are_right_on_average_and_covered(rate):
    """Deciding draws that stop at a run of failures overstate; the rate that is shown does not, and is covered."""
    dice = np.random.default_rng(5)
    decided, shown, covered = [], [], 0
    for _ in range(400):
        failures = np.cumsum(dice.random(40) < rate)
        ahead = np.nonzero(failures >= 0.8 * np.arange(1, 41))[0]
        stop = int(ahead[ahead >= 3][0]) + 1 if (ahead >= 3).any() else 40
        decided.append(failures[stop - 1] / stop)
        draws = draws_for(tally(int(failures[stop - 1]), stop), 0.15, 48)
        seen = int(dice.binomial(draws, rate))
        low, high = clopper_pearson(seen, draws)
        shown.append(seen / draws)
        covered += low <= rate <= high
    assert covered / 400 >= 0.93, "three standard errors below 95 %"
    assert abs(np.mean(shown) - rate) < 0.02
    if rate == 0.6:
        assert np.mean(decided) > rate + 0.05, "else the deciding rates would do"


def test_a_confirmed_finding_shows_what_was_measured(run):
    """Its rates are those of the measuring draws; the ones that decided stand beside, and the verdict is theirs."""
    assert run.confirmed
    for finding in run.confirmed:
        measured, deciding = finding.measured, finding.deciding
        assert measured.treat.draws == measured.control.draws > 0
        assert finding.treat.value == measured.treat.failures / measured.treat.scored
        assert (finding.treat.low, finding.treat.high) == clopper_pearson(
            measured.treat.failures, measured.treat.scored
        )
        assert deciding.treat.value == finding.trial.treat.failures / finding.trial.treat.scored
        assert finding.rated is measured
        assert "drawn after the verdict" in (run.folder / "findings.md").read_text("utf-8")
    assert run.result.draws["measure"] > 0
    assert verify(run.folder).differences == ()


def test_measuring_draws_have_seeds_of_their_own(run):
    """No draw that measures was explored, followed or tested: its seed is of another stream."""
    asked = [json.loads(line)[1] for line in (run.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    seeds = {
        seed for event in asked if event["event"] == "asked" for block in event["blocks"]
        if block["arm"] == "measure" for seed in block["seeds"]
    }  # fmt: skip
    assert seeds
    assert all(stream_of(seed) == MEASURE for seed in seeds)


def test_without_measuring_the_deciding_rates_are_shown(tmp_path, run):
    """`measure.most` 0 draws nothing for it, and changes no verdict."""
    bare = hunt(tmp_path / "run", config={"measure": {"most": 0}})
    assert "measure" not in bare.result.draws
    assert [(f.verdict, f.trial) for f in bare] == [(f.verdict, f.trial) for f in run]
    for finding in bare:
        assert finding.measured is finding.deciding is None
        assert finding.rated is finding.trial


def test_measuring_keeps_to_the_budget(tmp_path, run):
    """What the budget cannot pay for is not measured, and a raised budget measures it then."""
    drawn = sum(run.result.draws.values()) - run.result.draws["measure"] - run.result.draws["explain"]
    small = hunt(tmp_path / "run", budget=2 * drawn)
    spent = sum(small.result.draws.values())
    assert spent <= 2 * drawn
    large = hunt(tmp_path / "run", budget=20 * drawn)
    assert all(finding.measured is not None for finding in large.confirmed)
    assert sum(large.result.draws.values()) > spent
