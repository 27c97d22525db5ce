"""Promises about labels that fail by themselves: the rate is the finding, and the headline says so."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

import kept
import toyworld
from foible.checks.verify import verify
from foible.cli import main
from foible.cli.gates import read_gate
from foible.config import ConfirmOptions
from foible.errors import ConfigError
from foible.findings import LabelSummary
from foible.hunting.result import base_failures, summarise
from foible.records import Answered, Draw, Hypothesis, Outcome, Pairs, Request, Tally, Treatment, Trial
from foible.report import from_json, headline, no_bug_sentence, summary
from foible.statistics import surely_above
from foible.trial import pairs as trials
from foible.trial.decide import decide
from report.results import sample, share

pytestmark = pytest.mark.xdist_group("base-failures")


class OneWrong(toyworld.Perfect):
    """Takes every teapot for a bucket."""

    def answer(self, scene):
        """Name what is there, but for teapots."""
        return "bucket" if scene.label == "teapot" else scene.label


class Shifted(toyworld.Perfect):
    """Its classes stand in another order than it says: each is the next one."""

    def answer(self, scene):
        """Name the class after the right one."""
        return toyworld.PLAIN[(toyworld.PLAIN.index(scene.label) + 1) % len(toyworld.PLAIN)]


class Forty(toyworld.Perfect):
    """Takes about two teapots in five for a bucket, whatever else is in the image."""

    def classify(self, images):
        """Err by the seed."""
        scores = super().classify(images)
        for row, image in enumerate(images):
            if toyworld.read(image).label == "teapot" and int(image[1, 2, 1]) % 5 < 2:
                scores[row] = 0
                scores[row, toyworld.PLAIN.index("bucket")] = 1
        return scores


class OneWrongAndABug(toyworld.Classifier):
    """The two planted bugs, and a label that always fails."""

    def answer(self, scene):
        """Name what is seen, but for teapots."""
        return "bucket" if scene.label == "teapot" else super().answer(scene)


MODULE = "python:reported.test_base_failures"
GATES = ("never", "confirmed", "rate>0.2", "rate>50%")
WORLDS = {
    # classifier: first line; exit codes of the gates above
    "OneWrong": ("teapot fails in 100 % of its draws, for ", (0, 1, 1, 1)),
    "Shifted": (" do not fit each other: 3 of 3 labels fail in most of their draws", (0, 1, 1, 1)),
    "Perfect": ("Perfect: 0 of 144 draws under the base prompt fail", (0, 0, 0, 0)),
    "Forty": ("Forty: ", (0, 0, 1, 0)),
    "OneWrongAndABug": ("teapot fails in 100 % of its draws, for ", (0, 1, 1, 1)),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with an archive that the hunts of this file share."""
    return tmp_path_factory.mktemp("bases")


@pytest.fixture
def foible(monkeypatch, capfd):
    """Give a function that runs the command line in this process: (code, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "400")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return stop.value.code, out, err

    return call


def command(place, name, *more):
    """Give the arguments of a hunt in the toy world with another classifier."""
    words = [*toyworld.COMMAND, "--seed", "1", "--set", "explore.draws=48", "--out", place / name]
    words[words.index("--classifier") + 1] = "python:toyworld:Perfect" if name == "Perfect" else f"{MODULE}:{name}"
    return [*words, *more]


@pytest.mark.parametrize("name", WORLDS)
def test_the_first_line_of_every_output_says_what_fails_by_itself(foible, place, name):
    """1: table, findings.md, page and --json begin with what fails by itself; of a fine classifier nothing is said."""
    said, codes = WORLDS[name]
    code, out, _ = foible(*command(place, name))
    assert code == 0
    files = {file: text.decode() for file, text in toyworld.written(place / name).items()}
    document = json.loads(files["findings.json"])
    line = document["headline"]
    assert said in line
    assert files["findings.md"].splitlines()[0].replace("\\", "") == f"# {line}"
    assert f"<h1>{line}</h1>" in files["report.html"]
    named = [one["label"] for one in document["explored"] if one["base_failure"]]
    assert out.splitlines()[0].rstrip() == line
    if named:
        assert "Under the base prompt, without any description, " in out
    else:
        assert "Under the base prompt, without any description, " not in out + files["findings.md"]
        assert "themselves" not in files["report.html"]
    assert named == {"Shifted": ["coffee mug", "water bottle", "teapot"], "Perfect": [], "Forty": []}.get(
        name, ["teapot"]
    )
    assert ("confirmed bug" in line) == (name == "OneWrongAndABug")
    for gate, wanted in zip(GATES, codes, strict=True):  # the same directory: nothing is drawn again
        code, out, err = foible(*command(place, name, "--json", "--fail-on", gate))
        assert (gate, code) == (gate, wanted)
        assert out == files["findings.json"]
        assert (err != "") == (gate.startswith("rate") and wanted == 1)
    assert verify(place / name).differences == ()


def test_parts_that_do_not_fit_are_told_apart_from_a_weak_label(foible, place):
    """12: with another order of classes the summary says what that may mean and how to check it; else nothing of it."""
    told = {}
    for name in ("Shifted", "OneWrong"):
        foible(*command(place, name))
        told[name] = json.loads(toyworld.written(place / name)["findings.json"])["summary"]
    for words in ("another domain", "preprocessing", "another order", "foible doctor", "look at the images"):
        assert words in told["Shifted"]
        assert words not in told["OneWrong"]
    assert "No bug found" not in told["Shifted"]


def test_a_base_failure_is_shown_with_images_and_what_it_was_taken_for(foible, place):
    """1: failing explored draws stand in findings.md and the page, with the class they were taken for."""
    foible(*command(place, "OneWrong"))
    files = {file: text.decode() for file, text in toyworld.written(place / "OneWrong").items()}
    result = from_json(files["findings.json"])
    (one,) = result.base_failures
    assert one.label == "teapot"
    assert one.failing
    seen = [result.observations[key] for key in one.failing]
    assert {answered.request.arm for answered in seen} == {"explore"}
    assert {answered.outcomes[0].status for answered in seen} == {"failed"}
    assert result.class_name(one.confused_with[0][0]) == "bucket"
    section = files["findings.md"].split("## Failing by themselves")[1].split("\n## ")[0]
    assert "it is taken for bucket (48)." in section
    images = re.findall(r"image (\w{64})", section)
    assert images == [answered.draw.image for answered in seen][: len(images)]
    assert set(images) <= {one.image for one in kept.images(place / "archive")}
    page = files["report.html"].split('id="bases"')[1].split("</article>")[0]
    assert "taken for bucket" in page
    assert page.count("<use href=") == len(one.failing)


def test_what_is_tolerated_can_be_set(place):
    """1: a label that fails in 40 % of its draws is a base failure where a tenth is tolerated; the parts do fit."""
    config = {"failure": {"tolerated": 0.1}, "explore": {"draws": 48}}
    run = toyworld.hunt(place / "tenth", Forty(), config=config)
    assert [one.label for one in run.result.base_failures] == ["teapot"]
    both = toyworld.hunt(place / "two", Forty(), labels=["teapot"], config=config).result
    assert "do not fit" not in headline(both)
    several = replace(
        both, explored=tuple(replace(both.explored[0], label=name) for name in ("teapot", "vase", "bucket"))
    )
    assert headline(several).endswith("fail in over 10 % of their draws")


@pytest.mark.parametrize(
    "gate", ["", "refuted", "rate", "rate>", "rate>1", "rate>20", "rate>-1", "rate<0.2", "rate>x%"]
)
def test_a_gate_that_is_none_is_refused_before_the_hunt(foible, tmp_path, gate):
    """3: a malformed --fail-on is one sentence and code 2, and nothing is made."""
    code, out, err = foible(*command(tmp_path, "OneWrong", "--fail-on", gate))
    assert (code, out) == (2, "")
    assert err.startswith("foible: --fail-on wants never, confirmed, or rate>X")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "above"), [("rate>0.2", 0.2), ("rate>20%", 0.2), ("rate > 20 %", 0.2), ("rate>0", 0), ("rate>.5", 0.5)]
)
def test_a_gate_on_rates_takes_shares_and_percentages(text, above):
    """3: 0.2 and 20% are one bound, and the lower end of an interval has to lie above it."""
    gate = read_gate(text)
    assert gate.above == pytest.approx(above)
    result = replace(
        sample("empty"), explored=(LabelSummary(label="vase", tally=Tally(**NONE), rate=share(1, above, 1)),)
    )
    assert not gate.fails(result)
    surely = replace(result.explored[0], rate=share(1.0, above + 0.01, 1.0))
    assert gate.fails(replace(result, explored=(surely,)))
    with pytest.raises(ConfigError):
        read_gate(f"{text}0%0")


NONE = {"draws": 0, "failures": 0, "unscored": 0}


def test_a_rate_of_a_finding_fails_a_gate_too():
    """3: the rate with a description counts for rate>X, whatever the verdict."""
    result = replace(sample("probe"), explored=())
    low = result.findings[0].treat.low
    assert read_gate(f"rate>{low - 0.01:.4f}").fails(result)
    assert not read_gate(f"rate>{low + 0.01:.4f}").fails(result)


def _tested(control_failures, pairs, unseen=()):
    """Give a tested hypothesis whose base prompt fails in so many of its pairs, and the treatment in all."""
    hypothesis = Hypothesis(label="vase", treatment=Treatment(words=("red",)))
    rest = pairs - control_failures
    trial = Trial(
        hypothesis=hypothesis,
        treat=Tally(draws=pairs, failures=pairs, unscored=0),
        control=Tally(draws=pairs, failures=control_failures, unscored=0),
        pairs=Pairs(control_failures, rest, 0, 0),
    )
    return trials.Tested(trial=trial, treat=unseen, control=unseen)


@pytest.mark.parametrize("method", ["sequential", "fixed"])
@pytest.mark.parametrize(
    ("failures", "pairs", "said"),
    [
        (
            192,
            200,
            "the base prompt failed in 192 of its 200 draws here; where it fails that often, nothing can fail more",
        ),
        (1000, 1000, "the base prompt fails in 100 % of draws, so that nothing can fail more often by over 10 points"),
        (4, 4, "the base prompt failed in 4 of its 4 draws here"),
        (2, 4, "4 pairs"),
    ],
)
def test_a_base_rate_without_room_is_said_to_leave_none(method, failures, pairs, said):
    """4: where nothing can fail more often by the margin that is the reason, not the price; four draws prove little."""
    options = ConfirmOptions(method=method, most=2000)
    (finding,) = decide([_tested(failures, pairs)], options, 8)
    if finding.verdict == "refuted":  # the interval alone may say so
        assert "the difference is at most" in finding.reason
    else:
        assert said in finding.reason
        assert ("too dear" in finding.reason) == (said == "4 pairs" and method == "sequential")


def test_what_a_description_adds_is_bounded_by_what_the_base_rate_leaves():
    """4: "no description raises it by more than 56 points" is not said where the base rate leaves 12."""
    request = Request(key="k", label="vase", treatment=Treatment(), seed=1, arm="explore", text="a vase")
    failed = Answered(draw=Draw(request=request), outcomes=(Outcome(status="failed", predicted=1),)).seen_by(0)
    (finding,) = decide([_tested(4, 4)], ConfirmOptions(), 8)
    assert finding.verdict == "undecided"
    assert finding.difference.high > 0.5
    one = summarise("vase", 0, [failed] * 48, [finding], sequential=True)
    assert 0 < one.raises < 0.12
    probe = replace(sample("probe"), findings=(replace(finding, control=share(1.0, 0.88, 1.0)),))
    assert "at most 12 points" in no_bug_sentence(probe)


def test_the_chance_of_any_false_base_failure_is_at_most_the_level():
    """1: where every label fails exactly as often as is tolerated, any is named in at most `confirm.level` of hunts."""
    random, hunts, labels, level = np.random.default_rng(0), 4000, 12, 0.05
    for rate, draws in ((0.5, 48), (0.2, 24)):
        any_named = 0
        for failures in random.binomial(draws, rate, (hunts, labels)):
            tallies = [Tally(draws=draws, failures=int(f), unscored=0) for f in failures]
            summaries = [LabelSummary(label=str(i), tally=t, rate=share(0, 0, 1)) for i, t in enumerate(tallies)]
            any_named += any(base_failures(summaries, rate, level))
        assert any_named / hunts < level + 3 * (level * (1 - level) / hunts) ** 0.5
        assert any_named  # the test is not one that never names anything


def test_who_is_surely_above():
    """1: what is clearly above is named, what is equal, below or not drawn is not, and nothing is above 1."""
    assert surely_above([48, 30, 24, 0, 0], [48, 48, 48, 48, 0], 0.5, 0.05).tolist() == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert surely_above([48, 0], [48, 0], 1.0, 0.05).tolist() == [False, False]
    assert surely_above([1, 0], [48, 48], 0.0, 0.05).tolist() == [True, False]
    assert surely_above([], [], 0.5, 0.05).tolist() == []
    with pytest.raises(ValueError, match="failures"):
        surely_above([3], [2], 0.5, 0.05)
    with pytest.raises(ValueError, match="level"):
        surely_above([3], [3], 0.5, 0.0)


def test_of_several_classifiers_the_one_that_does_not_fit_is_named(place):
    """12: beside a classifier that is right, one with shifted classes is named, and the other one is not."""
    run = toyworld.hunt(place / "several", [toyworld.Perfect(), Shifted()])
    line = headline(run.result)
    assert "Shifted" in line
    assert "Perfect" not in line
    assert "do not fit each other: 3 of 3 labels" in line
    assert {one.classifier for one in run.result.base_failures} == {1}
    assert "Perfect) fails" not in summary(run.result)
