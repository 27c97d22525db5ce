"""A reported fault: hunts went on over labels that nothing draws, and under judges that see everything, for hours."""

from __future__ import annotations

import itertools
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.checks.verify import verify
from foible.cli import main
from foible.errors import MisfitError
from foible.records import Judgement
from foible.search.pilot import draws_each
from foible.statistics import surely_above

LABELS = toyworld.LABELLED
WRONG = "teapot"


class NoTeapots:
    """Draws vases in the place of teapots, and says nothing of it."""

    fingerprint = "no teapots"

    def draw(self, prompts, seeds):
        """Draw something else."""
        return toyworld.draw([prompt.replace("teapot (pot)", "vase (jar)") for prompt in prompts], seeds)


class Counting:
    """A judge that counts what it is asked, and says the same of everything unless told otherwise."""

    def __init__(self, says=None):
        self.says = says
        self.asked = 0
        self.fingerprint = f"counting {says}"

    def judge(self, images, labels):
        """Say yes, no, or what is true."""
        self.asked += len(images)
        if self.says is None:
            return toyworld.judge(images, labels)
        return [Judgement(self.says, 1.0) for _ in images]


def no_teapots():
    """Make the generator of a command line."""
    return NoTeapots()


@pytest.fixture(scope="module")
def eleven(tmp_path_factory):
    """Hunt over three labels of which one is never drawn."""
    return toyworld.hunt(tmp_path_factory.mktemp("pilot") / "run", generator=NoTeapots())


def test_a_label_that_is_not_drawn_does_not_cost_the_others(eleven):
    """It is left out after its first draws, and said first everywhere; the planted bugs of the others are found."""
    pilot = eleven.result.pilot
    assert [one.label for one in pilot.left_out] == [WRONG]
    assert [(one.seen, one.judged) for one in pilot.labels] == [(10, 10), (10, 10), (0, 10)]
    assert eleven.result.draws["explore"] == 24 + 24 + 10
    assert [f.trial.hypothesis.label for f in eleven.confirmed] == ["water bottle", "coffee mug"]
    document = json.loads((eleven.folder / "findings.json").read_text(encoding="utf-8"))
    line = document["headline"]
    assert line.startswith("1 of 3 labels is left out, teapot: the judge ")
    assert "2 confirmed bugs" in line
    assert (eleven.folder / "findings.md").read_text(encoding="utf-8").startswith("# 1 of 3 labels is left out, teapot")
    assert "<h1>1 of 3 labels is left out, teapot" in (eleven.folder / "report.html").read_text(encoding="utf-8")
    assert "teapot in 0 of 10 of the first images, so nothing is claimed of that label" in document["summary"]
    assert verify(eleven.folder).differences == ()


@pytest.mark.parametrize(("gate", "code"), [("never", 0), ("confirmed", 1), ("rate>0.99", 2), ("rate>5%", 1)])
def test_no_gate_passes_a_label_that_was_left_out(tmp_path_factory, monkeypatch, capfd, gate, code):
    """What fails a gate is 1 as ever; a gate that would pass is 2, since it says nothing of the label."""
    place = tmp_path_factory.getbasetemp() / "gates"
    words = [*toyworld.COMMAND, "--out", str(place / "run"), "--fail-on", gate]
    words[words.index("--generator") + 1] = "python:reported.test_pilot:no_teapots"
    monkeypatch.setattr(sys, "argv", ["foible", *words])
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit) as stop:
        main()
    sys.stdout.flush()
    out, err = capfd.readouterr()
    assert stop.value.code == code
    assert out.startswith("1 of 3 labels is left out, teapot: the judge python:toyworld:judge sees it in almost none")
    assert ("says nothing of labels that were left out, such as 'teapot'" in err) == (code == 2)


def test_a_judge_that_sees_no_label_stops_the_hunt(tmp_path):
    """One sentence with counts, after the pilot's draws and no other; with another judge the same directory goes on."""
    judge = Counting(says=False)
    with pytest.raises(MisfitError) as stop:
        toyworld.hunt(tmp_path / "run", judge=judge)
    assert "sees the label in almost none of the first images" in str(stop.value)
    assert "'coffee mug' in 0 of 10, 'water bottle' in 0 of 10, 'teapot' in 0 of 10" in str(stop.value)
    assert judge.asked - len(LABELS) * 10 <= 5  # asked twice, alone and in a batch
    assert not (tmp_path / "run" / "findings.json").exists()
    mended = toyworld.hunt(tmp_path / "run")
    alone = toyworld.hunt(tmp_path / "alone" / "run")
    assert (mended.folder / "findings.json").read_bytes() == (alone.folder / "findings.json").read_bytes()


def test_a_judge_that_sees_every_label_stops_the_hunt(tmp_path):
    """It is asked about other labels, too, and says yes to those: what it lets pass says nothing."""
    judge = Counting(says=True)
    with pytest.raises(
        MisfitError, match=r"does not tell labels apart: of \d+ images in which it sees their label, it"
    ):
        toyworld.hunt(tmp_path / "run", judge=judge)


def test_a_person_may_go_on_all_the_same(tmp_path):
    """With pilot.misfit=say the hunt is made, and begins with what was seen; so where labels mean the same."""
    judge, config = Counting(says=True), {"pilot": {"misfit": "say"}, "describe": {"method": "contrast"}}
    run = toyworld.hunt(tmp_path / "run", judge=judge, config=config)
    assert run.result.pilot.tells_apart is False
    assert run.result.pilot.crossed == run.result.pilot.crossed_seen == 30
    first = (run.folder / "findings.md").read_text(encoding="utf-8").splitlines()[0]
    assert "does not tell labels apart" in first
    assert verify(run.folder).differences == ()


def test_the_pilot_is_the_beginning_of_exploration(tmp_path):
    """It draws what exploration would have drawn: the same findings, and no draw more; few judgements more."""
    judge = Counting()
    run = toyworld.hunt(tmp_path / "run", judge=judge)
    assert run.result.draws["explore"] == 24 * len(LABELS)
    drawn = sum(run.result.draws.values())
    assert judge.asked <= drawn + 36 + 5
    assert run.result.pilot.crossed == 30
    assert run.result.pilot.crossed_seen == 0
    assert run.result.pilot.hints == ()
    assert "left out" not in (run.folder / "findings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("budget", [12, 40, 80])
def test_the_budget_pays_for_the_pilot(tmp_path, budget):
    """However little there is, exploration keeps to its share; too few draws leave nothing out."""
    run = toyworld.hunt(tmp_path / "run", generator=NoTeapots(), config={"budget": budget})
    assert sum(run.result.draws.values()) <= budget
    assert run.result.draws["explore"] <= int(budget * 0.4)
    few = int(budget * 0.4) // len(LABELS) < 6
    assert bool(run.result.pilot.left_out) != few
    raised = toyworld.hunt(tmp_path / "run", generator=NoTeapots(), config={"budget": 200})
    assert [one.label for one in raised.result.pilot.left_out] == [WRONG]
    assert verify(raised.folder).differences == ()


@given(labels=st.integers(1, 2000), level=st.floats(0.001, 0.2))
def test_a_pilot_is_long_enough_to_leave_out_what_is_hardly_drawn(labels, level):
    """One image of a label may look right by mistake: one label that fails so is named among any number of others."""
    n = draws_each(labels, level)
    unseen = [n - 1, *itertools.repeat(0, labels - 1)]
    assert surely_above(unseen, [n] * labels, 0.5, level).tolist() == [True, *[False] * (labels - 1)]
    assert n <= 32
    assert not np.any(surely_above([n - 1] * labels, [n - 1] * labels, 1.0, level))
