"""Several judges as one: who is counted, what a fault of a member means, and that none is the classifier."""

from __future__ import annotations

import numpy as np
import pytest

import toyworld
from foible import testing
from foible.errors import ArgumentError, ConfigError, PluginError
from foible.parts import registry
from foible.parts.asking import ask_judge
from foible.records import Fault, Judgement, Label

YES = "python:foible.testing:YesJudge"
HERE = "python:test_judge_ensemble"
CUP = Label("cup")


def bright(images, labels):
    """Say yes to images brighter than half."""
    return [Judgement(bool(image.mean() > 127), 0.0) for image in images]


def blind_to_white(images, labels):
    """Say no; raise where an image is white."""
    if any(image.min() == 255 for image in images):
        message = "too bright"
        raise ValueError(message)
    return [False] * len(images)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Let `python:` find the judges of this file."""
    monkeypatch.syspath_prepend(__file__.rpartition("/")[0])


def ensemble(*judges, **args):
    """Load an ensemble."""
    return registry.load("judge", "ensemble", {"judges": list(judges), **args})


def test_it_conforms(tiny):
    """Judges of three families under one roof keep the promises of a judge."""
    members = [
        {"spec": f"clip:{tiny('clip')}", "args": {"contrasts": ["ball"]}},
        f"vlm:{tiny('vlm')}",
        {"spec": f"clip:{tiny('siglip')}", "args": {"threshold": 0.0}},
    ]
    assert testing.check("judge", "ensemble", {"judges": members}, size=32) == []


@pytest.mark.parametrize(("needed", "faithful"), [(1, [True, True]), (2, [True, False]), (3, [False, False])])
def test_enough_must_say_yes(needed, faithful):
    """Of yes, bright, and no: a white image has two votes, a black one has one."""
    white, black = np.full((8, 8, 3), 254, np.uint8), np.zeros((8, 8, 3), np.uint8)
    judge = ensemble(YES, f"{HERE}:bright", f"{HERE}:blind_to_white", needed=needed).object
    judgements = judge.judge([white, black], [CUP, CUP])
    assert [j.faithful for j in judgements] == faithful
    assert [j.score for j in judgements] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]


def test_more_than_half_decide_by_default():
    """Two of two, two of three."""
    assert ensemble(YES, YES).identity["args"]["needed"] == 2
    assert ensemble(YES, YES, YES).identity["args"]["needed"] == 2


def test_a_missing_vote_is_never_a_yes():
    """Where the member that fails would decide, that image alone is unscored; where the others settle it, it is not."""
    white, grey = np.full((8, 8, 3), 255, np.uint8), np.full((8, 8, 3), 200, np.uint8)
    undecided = ask_judge(ensemble(YES, f"{HERE}:blind_to_white"), [white, grey], [CUP, CUP])
    assert isinstance(undecided[0], Fault)
    assert "1 of 2 judges gave no usable answer, and would decide: judge raised ValueError: too bright" in (
        undecided[0].reason
    )
    assert undecided[1] == Judgement(faithful=False, score=0.5)
    settled = ask_judge(ensemble(YES, f"{HERE}:bright", f"{HERE}:blind_to_white"), [white, grey], [CUP, CUP])
    assert [one.faithful for one in settled] == [True, True]


def test_its_identity_covers_its_members(tiny):
    """Another member, argument or rule is another ensemble."""
    clip = f"clip:{tiny('clip')}"
    made = [
        ensemble(YES, {"spec": clip, "args": {"threshold": 0}}),
        ensemble(YES, {"spec": clip, "args": {"threshold": 0.1}}),
        ensemble(YES, {"spec": clip, "args": {"threshold": 0}}, needed=1),
        ensemble(YES, f"{HERE}:bright"),
    ]
    assert len({part.identity["fingerprint"] for part in made}) == 4


def test_its_identity_names_all_that_is_inside():
    """By fingerprints, each once, those of a nested ensemble among them; a part that asks no others says nothing."""
    one, other = (registry.load("judge", spec).identity["fingerprint"] for spec in (YES, f"{HERE}:bright"))
    inner = ensemble(YES, f"{HERE}:bright").identity["fingerprint"]
    nested = ensemble(YES, {"spec": "ensemble", "args": {"judges": [YES, f"{HERE}:bright"]}}).identity
    assert nested["members"] == [one, inner, other]
    assert "members" not in registry.load("judge", YES).identity


@pytest.mark.parametrize("members", [5, "abc", [toyworld.judge, 3], None], ids=["number", "text", "list", "none"])
def test_what_else_is_called_members_is_no_part(members):
    """A judge of somebody else may keep anything under that name."""
    own = testing.YesJudge()
    vars(own)["members"] = members
    assert "members" not in registry.load("judge", own).identity


@pytest.mark.parametrize(
    ("args", "error", "told"),
    [
        ({}, ArgumentError, "needs the argument 'judges'"),
        ({"judges": YES}, ArgumentError, "a list of two specs or more"),
        ({"judges": [YES]}, ArgumentError, "a list of two specs or more"),
        ({"judges": [YES, 3]}, ArgumentError, "a mapping of spec and args, but got 3"),
        ({"judges": [YES, {"spec": YES, "arg": {}}]}, ArgumentError, "a mapping of spec and args"),
        ({"judges": [YES, "clp:x"]}, PluginError, "did you mean 'clip'?"),
        ({"judges": [YES, YES], "needed": 3}, ArgumentError, "must be 1 to 2, but is 3"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense(args, error, told):
    """Each is one sentence that says what would."""
    with pytest.raises(error) as caught:
        registry.load("judge", "ensemble", args)
    assert told in str(caught.value)


@pytest.mark.parametrize("deep", [False, True], ids=["member", "nested"])
def test_a_hunt_refuses_a_member_that_is_the_classifier(tmp_path, deep):
    """Hidden in an ensemble, or in an ensemble within one, the classifier under test is no judge; nothing is made."""
    members = {"spec": "ensemble", "args": {"judges": [toyworld.SPECS["judge"], "python:toyworld:Both"]}}
    members = {"spec": "ensemble", "args": {"judges": [YES, members]}} if deep else members
    with pytest.raises(ConfigError, match="the judge python:toyworld:Both is the classifier under test"):
        toyworld.hunt(tmp_path / "run", toyworld.Both(), config={"judge": members}, judge=None)
    assert not (tmp_path / "run").exists()


def test_a_hunt_refuses_a_judge_of_the_classifiers_own_weights(tiny, tmp_path):
    """Under another family and with other arguments the same weights make the same mistakes."""

    class Borrowed(toyworld.Classifier):
        fingerprint = registry.load("embedder", f"transformers:{tiny('clip')}").identity["fingerprint"]

    judge = {"spec": f"clip:{tiny('clip')}", "args": {"threshold": 0.0}}
    with pytest.raises(ConfigError, match=r"the judge clip:.* is the classifier under test; name another judge"):
        toyworld.hunt(tmp_path / "run", Borrowed(), config={"judge": judge}, judge=None)
