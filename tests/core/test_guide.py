"""A guided hunt: what is led to fail suggests more, and is in no rate and in no test."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from asked import drawn, requests
from foible.arms import ARMS, SUGGEST
from foible.checks.verify import verify
from foible.errors import ConfigError
from foible.hunting.study import study_of
from foible.identity import _gathered, _spread, sibling
from foible.run.archive import Archive
from foible.run.journal import Journal

RARE = {"explore": {"draws": 6}, "describe": {"method": "follow"}, "seed": 5}
GUIDE = {"method": "select", "steps": 60, "draws": 3}
LED = {**RARE, "guide": GUIDE}


class Rare(toyworld.Classifier):
    """Wrong about a mug on grass at night alone: about one draw of forty."""

    def answer(self, scene):
        """Name what is seen."""
        wrong = scene.label == "coffee mug" and scene.ground == "grass" and scene.light == "night"
        return "bucket" if wrong else scene.label


def confirmed(run):
    """Give (label, words) of the confirmed findings."""
    found = [f.trial.hypothesis for f in run.result.findings if f.verdict == "confirmed"]
    return {(one.label, one.description) for one in found}


def loaded(run):
    """Read findings.json."""
    return json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def led(tmp_path_factory):
    """A guided hunt for a rare failure, and one without a guide."""
    place = tmp_path_factory.mktemp("led")
    return (
        toyworld.hunt(place / "led", Rare(), ["coffee mug", "teapot"], config=LED),
        toyworld.hunt(place / "plain", Rare(), ["coffee mug", "teapot"], config=RARE),
    )


def test_a_rare_failure_that_exploration_misses_is_found_by_a_guide_and_tested_without_it(led):
    """Six draws show no failure; what a guide finds is described, drawn afresh and confirmed."""
    guided, plain = led
    assert not confirmed(plain)
    assert ("coffee mug", "at night, on grass") in {(a, ", ".join(sorted(b.split(", ")))) for a, b in confirmed(guided)}
    (mug, teapot) = loaded(guided)["guided"]
    assert (mug["label"], mug["tally"]["draws"]) == ("coffee mug", 3)
    assert mug["tally"]["failures"] >= 2
    assert (teapot["tally"]["failures"], teapot["shows"]["value"]) == (0, None)


class Common(toyworld.Classifier):
    """Wrong about every mug at night."""

    def answer(self, scene):
        """Name what is seen."""
        return "bucket" if scene.label == "coffee mug" and scene.light == "night" else scene.label


def origins(run):
    """Give by words of the confirmed findings what they began with."""
    trials = [one["trial"]["hypothesis"] for one in loaded(run)["findings"] if one["verdict"] == "confirmed"]
    return {one["description"]: one["origin"] for one in trials}


def test_a_finding_says_whether_it_began_with_guided_failures(led, tmp_path):
    """Guided ones alone where exploration showed none; both where both had its words; explored ones without a guide."""
    guided, _ = led
    assert set(origins(guided).values()) == {"guided"}
    said = "It began with guided failures alone"
    pages = [(guided.folder / "findings.md"), guided.report]
    assert all(said in page.read_text(encoding="utf-8").replace("\u00a0", " ") for page in pages)
    both = toyworld.hunt(tmp_path / "both", Common(), ["coffee mug"], config={**LED, "explore": {"draws": 12}})
    assert origins(both)["at night"] == "both"
    said = "Captions of explored failures and of guided ones say all of it"
    pages = [(both.folder / "findings.md"), both.report]
    assert all(said in page.read_text(encoding="utf-8").replace("\u00a0", " ") for page in pages)
    plain = toyworld.hunt(tmp_path / "plain", Common(), ["coffee mug"], config={**RARE, "explore": {"draws": 12}})
    assert origins(plain)["at night"] == "explored"
    assert "guided" not in (plain.folder / "findings.md").read_text(encoding="utf-8")


def test_what_a_finding_began_with_is_verified(led):
    """The replay says it anew, and another word in findings.json is seen."""
    guided, _ = led
    page = guided.folder / "findings.json"
    before = page.read_text(encoding="utf-8")
    page.write_text(before.replace('"origin": "guided"', '"origin": "explored"'), encoding="utf-8")
    try:
        assert page.read_text(encoding="utf-8") != before
        assert verify(guided.folder).differences
    finally:
        page.write_text(before, encoding="utf-8")


def test_no_rate_and_no_test_has_a_guided_image(led):
    """Exploration counts as without a guide, and no other arm asks for what a guide draws."""
    guided, plain = led
    with Journal(guided.folder, write=False) as journal:
        assert journal.began is not None
        study = study_of(journal.began, journal.settings)
    own = {r.key for r in requests(guided.folder, "guide")}
    assert len(own) == 6
    for arm in ARMS:
        keys = {r.key for r in requests(guided.folder, arm)}
        assert arm == "guide" or not keys & own
    assert {r.seed for r in requests(guided.folder, "guide")} <= {r.seed for r in requests(guided.folder, "explore")}
    assert [one["tally"] for one in loaded(guided)["explored"]] == [one["tally"] for one in loaded(plain)["explored"]]
    for arm, rule in ARMS.items():
        made = study.requests.on("teapot", _red(), arm, [1])
        assert (made[0].key != study.requests.on("teapot", _red(), "treat", [1])[0].key) == rule.guided
        assert not rule.guided or rule.stream == SUGGEST


def _red():
    from foible.records import Treatment

    return Treatment(words=("red",))


@pytest.mark.parametrize("count", ["failures", "samplings"])
def test_a_guided_hunt_is_verified_and_a_changed_count_is_seen(led, count):
    """The replay knows every guided draw, and what was counted of them."""
    guided, _ = led
    assert not verify(guided.folder).differences
    page = guided.folder / "findings.json"
    before = page.read_text(encoding="utf-8")
    changed = loaded(guided)
    own = changed["guided"][0]
    (own if count == "samplings" else own["tally"])[count] -= 1
    page.write_text(json.dumps(changed), encoding="utf-8")
    try:
        assert verify(guided.folder).differences
    finally:
        page.write_text(before, encoding="utf-8")


def test_an_interrupted_guided_hunt_ends_with_the_same_bytes(led, tmp_path):
    """Stopped among its guided draws, the same call goes on to the same result."""
    guided, _ = led

    class Stopped:
        """Draws in the toy world, and is interrupted at its fortieth batch."""

        fingerprint = "toy"
        left = 40

        def draw(self, prompts, seeds):
            """Draw."""
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return toyworld.draw(prompts, seeds)

    draw, classifier = Stopped(), Rare()
    with pytest.raises(KeyboardInterrupt):
        toyworld.hunt(tmp_path / "led", classifier, ["coffee mug", "teapot"], config=LED, generator=draw)
    assert len(drawn(tmp_path / "led", "explore")) > 0
    toyworld.hunt(tmp_path / "led", classifier, ["coffee mug", "teapot"], config=LED, generator=draw)
    again = toyworld.hunt(tmp_path / "whole" / "led", classifier, ["coffee mug", "teapot"], config=LED, generator=draw)
    assert (tmp_path / "led" / "findings.json").read_bytes() == (again.folder / "findings.json").read_bytes()
    assert [one["tally"] for one in loaded(again)["guided"]] == [one["tally"] for one in loaded(guided)["guided"]]


def test_a_label_that_never_passes_is_not_led(tmp_path):
    """There is no draw to lead to fail, and the hunt says what it says without a guide."""

    class Never(toyworld.Classifier):
        def answer(self, scene):
            return "bucket"

    run = toyworld.hunt(tmp_path / "run", Never(), ["coffee mug"], config=LED)
    assert loaded(run)["guided"] == []
    assert loaded(run)["explored"][0]["base_failure"]
    why = "Nothing was led of coffee mug: none of 6 explored draws passed (6 failed), and only a draw that passes"
    assert why in run.report.read_text(encoding="utf-8")
    assert why[: why.index(" (")] in (run.folder / "findings.md").read_text(encoding="utf-8")


def test_a_page_without_a_guide_says_nothing_of_one(led):
    """Only where a guide was named is it said of which labels nothing was led."""
    for run, there in zip(led, (True, False), strict=True):
        assert ("Guided draws" in run.report.read_text(encoding="utf-8")) == there
        assert "Nothing was led" not in run.report.read_text(encoding="utf-8")


def test_what_a_guide_cost_is_kept_with_its_draws(led):
    """Images that were sampled are counted, those that were not kept among them, and any changed count is seen."""
    guided, _ = led
    own = requests(guided.folder, "guide")
    with Archive(guided.folder.parent / "archive", write=False) as archive:
        rows = archive.draws(one.key for one in own)
    for one in loaded(guided)["guided"]:
        each = [rows[r.key].samplings for r in own if r.label == one["label"]]
        assert one["samplings"] == sum(each)
        assert all(1 <= number <= 60 for number in each)
        # What never reaches its end takes all that it may.
        assert one["label"] == "coffee mug" or set(each) == {60}
    seen = loaded(guided)["guided"][0]
    said = f"{seen['samplings'] / seen['tally']['failures']:,.1f}"
    assert said in guided.report.read_text(encoding="utf-8")


def test_a_budget_counts_what_a_guided_draw_may_cost(tmp_path):
    """A guide takes no more of the budget than its share, each draw at its full price."""
    run = toyworld.hunt(tmp_path / "run", Rare(), ["coffee mug", "teapot"], config={**LED, "budget": 1000})
    draws = loaded(run)["draws"]
    assert draws["guide"] == 2 * 2 * 60
    assert draws["guide"] <= 0.3 * 1000
    assert sum(draws.values()) <= 1000


def test_two_classifiers_that_disagree_are_a_goal_of_their_own(tmp_path):
    """What is led fails the first classifier and passes the second one."""
    config = {**LED, "guide": {**GUIDE, "objective": "disagree"}}
    run = toyworld.hunt(tmp_path / "run", [Rare(), toyworld.Perfect()], ["coffee mug"], config=config)
    first, second = loaded(run)["guided"]
    assert first["tally"]["failures"] >= 2
    assert second["tally"]["failures"] == 0


def test_a_budget_that_cannot_pay_for_a_guide_is_refused_before_anything_is_drawn(tmp_path):
    """Nothing is left out in silence: the sentence says what would do."""
    with pytest.raises(
        ConfigError, match=r"cannot pay for a guided draw of 60 images of each of 2 labels.*at least 412"
    ):
        toyworld.hunt(tmp_path / "run", Rare(), ["coffee mug", "teapot"], config={**LED, "budget": 400})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("method", ["contrast", "captions"])
def test_methods_that_count_take_no_guided_draws(method, tmp_path):
    """What is counted must be a draw of its prompt: that is refused before anything is drawn."""
    with pytest.raises(ConfigError, match=r"wants drawn images and describe.method follow"):
        toyworld.hunt(tmp_path / "run", config={**LED, "describe": {"method": method}})


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 1000))
def test_a_sibling_of_a_seed_is_of_its_stream(seed, number):
    """Whatever is chosen among, no seed of another stream is drawn."""
    assert _spread(_gathered(seed)) == seed
    other = sibling(seed, number)
    assert 0 <= other < 2**32
    assert (_gathered(other) & 15) == (_gathered(seed) & 15)
    assert sibling(seed, 0) == seed
