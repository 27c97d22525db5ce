"""Promises of further images in a comparison: drawn where it is open, fresh, the same again, at a known error."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.act.further import Rules, further
from foible.act.gates import Gate, gated
from foible.act.opened import opened
from foible.act.paired import Sides, weigh
from foible.arms import ARMS, COMPARE
from foible.cli import main
from foible.comparison import Compared
from foible.errors import ConfigError
from foible.identity import seed_stream
from foible.records import Draw, Observation, Outcome, Pairs, Request, Treatment
from foible.report import comparison as pages


class Dim(toyworld.Classifier):
    """Has the bugs of the toy world's classifier, and takes a striped teapot for a bucket."""

    def answer(self, scene):
        """Name what is seen, but for striped teapots."""
        return "bucket" if scene.label == "teapot" and scene.texture == "striped" else super().answer(scene)


PARTS = {"classifier": toyworld.Classifier(), "generator": toyworld.draw, "judge": toyworld.judge}


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Hunt once, with few images: a bug is a mug on grass."""
    place = tmp_path_factory.mktemp("draws") / "hunted" / "run"
    run = toyworld.hunt(place, seed=2)
    assert any(bug.trial.hypothesis.label == "coffee mug" for bug in run.confirmed)
    return place.parent


@pytest.fixture
def folder(hunted, tmp_path):
    """Give the run in a copy, whose archive no other comparison has seen."""
    shutil.copytree(hunted, tmp_path / "copy")
    return tmp_path / "copy" / "run"


def row_of(found, label, description=""):
    """Give the row of a label."""
    (row,) = [row for row in found.rows if (row.label, row.description) == (label, description)]
    return row


def test_what_the_images_of_a_run_leave_open_further_ones_decide(folder):
    """24 images do not tell a teapot that fails where it is striped from one that never does; further ones do."""
    assert row_of(foible.compare(folder, Dim()), "teapot").change == "open"
    found = foible.compare(folder, Dim(), draws=400, parts=PARTS)
    row = row_of(found, "teapot")
    assert row.change == "worse"
    assert row.difference.low > 0
    assert row.evidence is not None
    assert row.evidence[0] > 0 > row.evidence[1]
    assert 0 < row.drawn <= found.drawn <= 400
    assert sum(row.images) == 24 + row.drawn
    assert found.count("better") == 0


def test_nothing_is_drawn_for_a_row_that_is_decided(folder):
    """A perfect classifier is better on every bug by the images of the run alone."""
    found = foible.compare(folder, toyworld.Perfect(), draws=300, parts=PARTS)
    decided = [row for row in found.rows if row.found and row.change == "better"]
    assert decided
    assert min(row.drawn for row in decided) == 0
    assert found.drawn <= 300


def images_in(archive):
    """Count the draws that an archive has."""
    with sqlite3.connect(archive / "archive.sqlite") as db:
        return db.execute("SELECT COUNT(*) FROM draws").fetchone()[0]


def test_the_same_call_draws_nothing_again_and_one_that_went_on_ends_as_one_that_did_not_stop(folder, tmp_path):
    """To the byte: with 40 images and then 120, or with 120 at once in another archive."""
    for place in ("one", "two"):
        shutil.copytree(folder.parent, tmp_path / place)
    foible.compare(tmp_path / "one" / "run", Dim(), draws=40, parts=PARTS)
    after, once = (foible.compare(tmp_path / place / "run", Dim(), draws=120, parts=PARTS) for place in ("one", "two"))
    assert pages.to_json(after) == pages.to_json(once)
    assert pages.to_html(after) == pages.to_html(once)
    before = images_in(tmp_path / "one" / "archive")
    again = foible.compare(tmp_path / "one" / "run", Dim(), draws=120, parts=PARTS)
    assert pages.to_json(again) == pages.to_json(once)
    assert images_in(tmp_path / "one" / "archive") == before


def test_no_seed_of_a_run_is_used_again_and_none_twice(folder):
    """What the archive has besides is on seeds of the stream of comparisons, each once for its label."""
    known = opened(folder, None, "").read
    archive = folder.parent / "archive" / "archive.sqlite"
    with sqlite3.connect(archive) as db:
        before = {key for (key,) in db.execute("SELECT key FROM draws")}
    foible.compare(folder, Dim(), draws=100, parts=PARTS)
    with sqlite3.connect(archive) as db:
        rows = [
            (seed, prompt)
            for key, seed, prompt in db.execute("SELECT key, seed, prompt FROM draws")
            if key not in before
        ]
    own = {label: set(islice(seed_stream(2, COMPARE, label), 200)) for label in known.study.labels}
    assert ARMS["compare"].stream == COMPARE
    assert rows
    for seed, prompt in rows:
        (label,) = [label for label in own if label in prompt]
        assert seed in own[label]
    assert len({seed for seed, _ in rows}) == len(rows)
    assert not {seed for seed, _ in rows} & {one.request.seed for one in known.answered.values()}


def test_a_part_that_cannot_be_had_is_one_sentence(folder):
    """Images are not left out in silence: who asks for them names the part."""
    with pytest.raises(ConfigError, match="no further image can be drawn: the generator of the run was the object"):
        foible.compare(folder, Dim(), draws=10)
    with pytest.raises(ConfigError, match="draws is a number of images"):
        foible.compare(folder, Dim(), draws=-1, parts=PARTS)
    with pytest.raises(ConfigError, match="kinds classifier, generator and judge, but got 'captioner'"):
        foible.compare(folder, Dim(), draws=10, parts={"captioner": toyworld.describe})
    with pytest.raises(ConfigError, match="parts is for a comparison of two runs, or with draws"):
        foible.compare(folder, Dim(), parts=PARTS)


def few(prompts, seeds):
    """Draw one of forty images of each prompt."""
    return toyworld.draw(prompts, [seed % 40 for seed in seeds])


def test_an_image_that_was_there_before_counts_no_second_time(tmp_path):
    """Of a generator with forty images a prompt, a row ends when nothing new comes, and is not unknown for it."""
    toyworld.hunt(tmp_path / "run", seed=2, generator=few)
    plain = foible.compare(tmp_path / "run", Dim())
    found = foible.compare(tmp_path / "run", Dim(), draws=600, parts={**PARTS, "generator": few})
    assert 0 < found.drawn < 300
    assert found.count(None) <= plain.count(None) < len(plain.rows)


def test_of_a_probe_labels_are_drawn_too(tmp_path):
    """A probe explores nothing: without further images nothing can be said of its label."""
    foible.probe(
        toyworld.Classifier(),
        "coffee mug",
        "on grass",
        generator=toyworld.draw,
        judge=toyworld.judge,
        out=tmp_path / "run",
        progress=False,
        config={"batch": 8},
    )
    assert row_of(foible.compare(tmp_path / "run", toyworld.Perfect()), "coffee mug").change is None
    found = foible.compare(tmp_path / "run", toyworld.Perfect(), draws=200, parts=PARTS)
    row = row_of(found, "coffee mug")
    assert row.change in {"better", "same", "open"}
    assert row.drawn == sum(row.images) > 0
    one = foible.compare(tmp_path / "run", toyworld.Perfect(), draws=1, parts=PARTS)
    assert [row.change for row in one.rows].count(None) == (row_of(one, "coffee mug").drawn == 0)


def test_two_runs_draw_further_too(folder, tmp_path):
    """On seeds that neither run had; both classifiers are asked."""
    toyworld.hunt(tmp_path / "run", Dim(), seed=5)
    parts = {**PARTS, "classifier": [toyworld.Classifier(), Dim()]}
    found = foible.compare(folder, tmp_path / "run", draws=300, parts=parts)
    assert row_of(found, "teapot").change == "worse"
    assert found.runs == 2
    assert "were drawn where a row was open, at most 300" in pages.to_html(found)


def test_the_command_line_draws_and_says_how_many(tmp_path, monkeypatch, capfd):
    """With e-values; the parts of the run that are code are named, since a run directory is not enough to load them."""
    words = [word.replace("python:toyworld:Slow", "python:toyworld:draw") for word in toyworld.COMMAND]
    assert called(monkeypatch, [*words, "--out", tmp_path / "run", "--seed", 2]) == 0
    arguments = ["compare", tmp_path / "run", "--draws", 60, "--classifier", f"python:{__name__}:Dim"]
    capfd.readouterr()
    assert called(monkeypatch, arguments) == 2
    assert "name it with --generator" in capfd.readouterr().err
    arguments += ["--classifier", "python:toyworld:Classifier", "--generator", "python:toyworld:draw"]
    assert called(monkeypatch, [*arguments, "--judge", "python:toyworld:judge"]) == 0
    document = json.loads((tmp_path / "run" / "compare.json").read_text("utf-8"))
    assert document["draws"] == {"most": 60, "drawn": sum(row["drawn"] for row in document["rows"])}
    assert document["draws"]["drawn"] > 0
    assert all(row["log_e"]["worse"] is not None for row in document["rows"])
    assert f"{document['draws']['drawn']} images were drawn where a row was open" in capfd.readouterr().out


def called(monkeypatch, arguments):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0


# --- error rates ---------------------------------------------------------------------------------------------------

DRAW = Draw(request=Request(key="", label="mug", treatment=Treatment(), seed=0, arm="compare", text=""), image="0")
SAID = {
    True: Observation(draw=DRAW, outcome=Outcome(status="failed")),
    False: Observation(draw=DRAW, outcome=Outcome(status="passed")),
}


class World:
    """Two classifiers that fail at given rates, on the same hard images to a degree."""

    def __init__(self, random: np.random.Generator, rates: Sequence[tuple[float, float]], alike: float) -> None:
        """Fix rates of both for each row; row number k has the label k."""
        self._random, self._rates, self._alike = random, rates, alike

    def draw(self, label, treatment, number):
        """Draw images."""
        return [self.one(int(label)) for _ in range(number)]

    def one(self, row):
        """Show one image to both."""
        hard, other = self._random.random(2)
        other = hard if self._random.random() < self._alike else other
        before, after = self._rates[row]
        return SAID[bool(hard < before)], SAID[bool(other < after)]

    def rows(self, images):
        """Give every row with the images of a run."""
        made = []
        for at in range(len(self._rates)):
            seen = [self.one(at) for _ in range(images)]
            sides = Sides(before=[one for one, _ in seen], after=[other for _, other in seen])
            made.append((Compared(label=str(at), found=None), sides))
        return made


RULES = Rules(level=0.05, unscored=0.3, same=0.1)


def compared(world, images, most):
    """Compare, with so many images at first and so many further ones."""
    rows = world.rows(images)
    abouts = {at: (row.label, Treatment()) for at, (row, _) in enumerate(rows)}
    return weigh(further(rows, abouts, world, most, RULES), level=0.05, unscored=0.3, same=0.1, sequential=True)


@pytest.mark.parametrize(("rate", "alike"), [(0.05, 0.5), (0.4, 0.0)])
def test_equal_classifiers_are_seldom_called_different_however_long_one_draws(rate, alike):
    """Of 40 comparisons of six rows, drawn where they look most different, at most the level's share calls any."""
    random = np.random.default_rng(11)
    called = 0
    for _ in range(40):
        rows = compared(World(random, [(rate, rate)] * 6, alike), 24, 120)
        called += any(row.change in {"worse", "better"} for row in rows)
    assert called <= 40 * 0.05 + 3 * (40 * 0.05 * 0.95) ** 0.5


def test_a_bug_that_went_from_a_fifth_to_three_fifths_is_seen_with_sixty_further_images():
    """In at least 90 of 100 comparisons of five rows, after the 48 images that a hunt makes."""
    random = np.random.default_rng(12)
    rates = [(0.2, 0.6), *[(0.05, 0.05)] * 4]
    seen = [compared(World(random, rates, 0.3), 48, 60)[0].change for _ in range(40)]
    assert seen.count("worse") >= 36


def test_rows_that_do_not_differ_are_shown_to_be_the_same():
    """Images are not all spent on looking for differences: of twelve rows that fail apart at most three stay open."""
    random = np.random.default_rng(13)
    rows = [row for _ in range(2) for row in compared(World(random, [(0.02, 0.02)] * 6, 0.0), 48, 300)]
    assert [row.change for row in rows].count("same") >= 9


cells = st.builds(Pairs, *(st.integers(0, 40) for _ in range(4)))


@given(rows=st.lists(cells, min_size=1, max_size=5))
def test_the_interval_goes_with_the_word_at_any_time(rows):
    """Worse lies above none, better below, same within the share, and the rest holds none; so does the direction."""
    made = []
    for pairs in rows:
        before = [True] * pairs.both_failed + [False] * pairs.only_treat + [True] * pairs.only_control
        after = [True] * pairs.both_failed + [True] * pairs.only_treat + [False] * pairs.only_control
        clear = [False] * pairs.both_passed
        sides = Sides(before=[SAID[b] for b in before + clear], after=[SAID[a] for a in after + clear])
        made.append((Compared(label="mug", found=None), sides))
    for row in weigh(made, level=0.05, unscored=0.3, same=0.1, sequential=True):
        low, high = row.difference.low, row.difference.high
        ends = {
            "worse": low >= 0 and row.adjusted <= 0.05,
            "better": high <= 0 and row.adjusted <= 0.05,
            "same": -0.1 < low <= 0 <= high < 0.1,
            "open": low <= 0 <= high,
            None: not sum(row.images),
        }
        assert ends[row.change]
        if row.change in {"worse", "better"}:
            assert row.difference.value is not None
            assert (row.difference.value > 0) == (row.change == "worse")


def test_a_bound_of_bugs_holds_at_any_time():
    """A rate whose number of images hung on what was seen needs more than an exact test to be above the bound."""
    fails = [True] * 20 + [False] * 28
    sides = Sides(before=[SAID[True]] * 48, after=[SAID[one] for one in fails])
    bug = foible_bug()
    for sequential, gate in ((False, "failed"), (True, "passed")):
        rows = weigh([(bug, sides)], level=0.05, unscored=0.3, same=0.1, sequential=sequential)
        (row,) = gated(rows, [Gate("rate", 0.25)], 0.05, "before", sequential=sequential)
        assert row.gate == gate


def foible_bug():
    """Give a row that is about a bug."""
    from foible.suites import Rechecked

    return Rechecked(label="mug", words=("on grass",))
