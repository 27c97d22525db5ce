"""Promises of the planted-bug benchmark: a fair pool, an honest truth, and an account that leaves nothing out."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

import kept
from bugs import compare, methods
from bugs.calibration import placebos
from bugs.covering import covering_rows
from bugs.methods import Answer, Claim
from bugs.pool import FIELDS, WORDS, Pool, open_pool
from bugs.recipe import biases, planted, trained
from bugs.scoring import Score, is_true, score, summarise
from bugs.world import FAILED, PASSED, UNSCORED, World
from foible.diorama.biases import BIASES
from foible.diorama.grammar import parse
from foible.diorama.models import weights
from foible.diorama.scene import Scene, caption, full_caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.errors import ConfigError
from foible.records import Label

NATURAL = 4_800
REST = {"ground": "grass", "light": "night", "weather": "clear", "companion": "box"}


def quiet(_):
    """Tell nobody."""


@pytest.fixture(scope="module")
def pool():
    """A pool of scenes that nobody drew: a classifier that is always right, captions and vectors of the truth."""
    scenes = [imagine(f"a photo of a {LABELS[k % 12].name}", k).scene for k in range(NATURAL)]
    scenes += methods.covering_scenes()
    codes = np.array([[WORDS[f].index(getattr(s, f)) for f in FIELDS] for s in scenes], np.uint8)
    right = codes[:, 0]
    return Pool(codes, {"reference": right}, tuple(map(caption, scenes)), codes.astype(np.float32), NATURAL)


@pytest.fixture(scope="module")
def target(pool):
    """A classifier by the recipe."""
    return planted(pool, 3)


@pytest.fixture(scope="module")
def world(pool, target):
    """Its world, with perfect parts."""
    return World(pool, target.answers)


@pytest.mark.slow
def test_a_small_pool_is_drawn_once_and_a_torn_chunk_again(tmp_path):
    """What is kept is used again; a chunk that is torn, and no other, is drawn again, to the same answers."""
    scenes = [Scene("vase", "red", "plain", "grass", "night", "clear", "above", "far", "box")]
    first = open_pool(tmp_path, 12, scenes, quiet)
    (file,) = tmp_path.rglob("*.npz")
    before = file.stat().st_mtime_ns
    open_pool(tmp_path, 12, scenes, quiet)
    assert file.stat().st_mtime_ns == before
    file.write_bytes(file.read_bytes()[:500])
    again = open_pool(tmp_path, 12, scenes, quiet)
    assert (again.codes == first.codes).all()
    assert again.captions == first.captions
    assert all((again.predictions[name] == first.predictions[name]).all() for name in first.predictions)
    assert first.codes[12].tolist() == [WORDS[f].index(getattr(scenes[0], f)) for f in FIELDS]


@given(
    label=st.sampled_from(WORDS["label"]),
    attribute=st.sampled_from(sorted(ATTRIBUTES)),
    data=st.data(),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20),
)
@settings(max_examples=50, deadline=None)
def test_a_draw_is_what_was_asked_for_and_the_same_each_time(world, label, attribute, data, seeds):
    """A draw shows its label and satisfies its description, whatever else is drawn beside it."""
    word = data.draw(st.sampled_from(WORDS[attribute]))
    picked = world.pick(label, {attribute: word}, seeds)
    shown = world.pool.codes[picked.images]
    assert (shown[:, 0] == WORDS["label"].index(label)).all()
    assert (shown[:, FIELDS.index(attribute)] == WORDS[attribute].index(word)).all()
    alone = [world.pick(label, {attribute: word}, [seed]).images[0] for seed in seeds]
    assert picked.images.tolist() == alone


def test_what_the_pool_lacks_is_drawn_live_and_biased_alike(pool, target):
    """A long description gives a new image that shows it; in a planted slice it fails as often as those of the pool."""
    world = World(pool, target.answers, live=target.live())
    bug = max(target.bugs, key=lambda bug: bug.mislabelled)
    values = {"colour": "red", "texture": "plain", "viewpoint": "above", "distance": "far"} | dict(bug.attributes)
    words = full_caption(Scene(bug.label, **(REST | values)))
    parts = world.parts()
    images = parts["generator"].draw([f"a realistic photograph of {words}"] * 60, range(60))
    said = parse(parts["captioner"].caption(images[:1])[0])
    assert said.label == bug.label
    label = Label(bug.label)
    assert all(parts["judge"].judge(images, [label] * 60))
    wrong = parts["classifier"].classify(images).argmax(axis=1) != WORDS["label"].index(bug.label)
    assert binomtest(int(wrong.sum()), 60, bug.mislabelled).pvalue > 1e-4
    assert parts["embedder"].embed(images[:2]).shape[0] == 2


def test_every_fitting_image_is_drawn_as_often(world):
    """Over many seeds, each image that fits comes up as often as chance lets it."""
    rows = world.rows("vase", {"light": "night"})
    counts = np.bincount(np.searchsorted(rows, world.pick("vase", {"light": "night"}, range(100_000)).images))
    expected = 100_000 / len(rows)
    assert len(counts) == len(rows)
    assert abs(((counts - expected) ** 2 / expected).sum() - len(rows)) < 6 * np.sqrt(2 * len(rows))


def test_parts_err_as_often_as_they_are_told_to(pool):
    """A tenth of the draws shows another label, a tenth is misjudged, and what an honest judge sees is unscored."""
    erring = World(pool, pool.predictions["reference"], 0.1, 0.1)
    picked = erring.pick("vase", {}, range(40_000))
    wrong = pool.codes[picked.images, 0] != WORDS["label"].index("vase")
    assert abs(wrong.mean() - 0.1) < 0.01
    assert abs(picked.misjudged.mean() - 0.1) < 0.01
    outcomes = erring.outcomes("vase", picked)
    assert (outcomes[wrong & ~picked.misjudged] == UNSCORED).all()
    assert (outcomes[~wrong & picked.misjudged] == UNSCORED).all()
    assert (outcomes[wrong & picked.misjudged] == FAILED).all()
    assert (outcomes[~wrong & ~picked.misjudged] == PASSED).all()


def test_the_truth_is_counted_over_the_pool(world, target):
    """Every planted bug is true, at about its strength; the same words for another label are not."""
    for bug in target.bugs:
        rate = world.true_rate(bug.label, dict(bug.attributes))
        assert abs(rate - bug.mislabelled) < 0.2
        assert is_true(Claim(bug.label, bug.attributes), world)
    sound = next(name for name in WORDS["label"] if name not in {bug.label for bug in target.bugs})
    assert not is_true(Claim(sound, target.bugs[0].attributes), world)


@given(
    values=st.dictionaries(
        st.sampled_from("abcde"), st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=4, unique=True), min_size=2
    ),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_a_covering_array_covers_every_pair(values, seed):
    """Every two values of two attributes stand in one row, and every row says every attribute."""
    rows = covering_rows(values, seed)
    assert all(row.keys() == values.keys() and all(row[n] in values[n] for n in values) for row in rows)
    for a, b in itertools.combinations(values, 2):
        assert {(row[a], row[b]) for row in rows} == set(itertools.product(values[a], values[b]))


def test_shared_draws_are_counted_once(world):
    """Two hypotheses of one label share their control draws; of two labels they do not."""
    claims = [Claim("vase", (("light", "night"),)), Claim("vase", (("colour", "red"),))]
    assert methods.tested(world, claims, 20, 0)[1] == 60
    assert methods.tested(world, [claims[0], Claim("teapot", (("light", "night"),))], 20, 0)[1] == 80


def test_claims_are_held_against_the_truth(world, target):
    """A bug is found by a true claim that says all of it; a claim that is not true is false, and finds nothing."""
    single = next(bug for bug in target.bugs if bug.kind == "single")
    sound = next(name for name in WORDS["label"] if name not in {bug.label for bug in target.bugs})
    answer = Answer((Claim(single.label, single.attributes), Claim(sound, single.attributes)), 500)
    got = score(answer, target, world)
    assert (got.found_singles, got.found_conjunctions, got.claims, got.false, got.price) == (1, 0, 2, 1, 500.0)


def test_placebo_descriptions_are_hardly_ever_confirmed(world):
    """Descriptions that say nothing, at a margin of 0, give no finding in nearly all hunts, whenever one stops."""
    held = placebos([world], 20)
    assert held.hypotheses == 20 * 12 * 4
    assert held.false <= 4  # of 20 at a level of 5 %: more has a chance below 0.3 %


def test_a_hunt_that_finds_nothing_costs_more_than_any(world):
    """A median over hunts in which most found nothing is infinite, not left out."""
    hit, miss = Score(4, 2, 2, 0, 2, 0, 400), Score(4, 2, 0, 0, 0, 0, 300)
    assert summarise("m", [hit, hit, miss]).price[0] == 200.0
    assert summarise("m", [hit, miss, miss]).price[0] == float("inf")


@pytest.mark.slow
def test_every_method_looks_over_the_same_world(pool, monkeypatch):
    """A hunt finds planted bugs and claims nothing false; every method has an account and a score."""
    monkeypatch.setattr(compare, "target_of", lambda pool, seed, _: planted(pool, seed))
    name, scores = compare.measure(pool, 3, 0.0)
    assert name == "recipe 3"
    ours = scores[compare.FOIBLE]
    assert ours.found_singles + ours.found_conjunctions >= 3
    assert ours.false == 0
    assert {n.rpartition(",")[0] for n in scores} >= {
        compare.RECIPE,
        compare.GRID,
        compare.PAIR_GRID,
        compare.COVERING,
        compare.CHANCE,
    }
    assert all(each.draws > 0 for each in scores.values())
    assert compare.measure(pool, 3, 0.0) == (name, scores)


def test_a_hunt_costs_the_same_beside_another(pool, target, tmp_path):
    """Hunts share an archive, so that nothing is drawn twice; each claims and pays for what it would alone."""
    world = World(pool, target.answers, live=target.live())
    methods.by_recipe(world, 3, tmp_path / "shared" / "recipe", 16)
    shared = methods.by_foible(world, 3, tmp_path / "shared" / "foible", 12)
    world = World(pool, target.answers, live=target.live())
    assert methods.by_foible(world, 3, tmp_path / "alone" / "foible", 12) == shared
    drawn = [len(kept.images(tmp_path / of / "archive")) for of in ("shared", "alone")]
    assert drawn[0] < drawn[1] + 16 * 12


def test_biases_come_from_the_seed_alone():
    """So many of one attribute and of two, each of another label; the same for the same seed, others for another."""
    for singles, conjunctions in ((4, 2), (5, 0), (0, 3)):
        chosen = biases(5, singles, conjunctions)
        assert [bias.kind for bias in chosen] == ["single"] * singles + ["conjunction"] * conjunctions
        assert len({bias.label for bias in chosen}) == len(chosen)
        assert all(bias.becomes != bias.label for bias in chosen)
        assert chosen == biases(5, singles, conjunctions)
        assert chosen != biases(6, singles, conjunctions)
    with pytest.raises(ConfigError, match="13 biases need as many labels"):
        biases(5, 13, 0)


@pytest.mark.slow
def test_a_trained_classifier_joins_the_shipped_ones(tmp_path):
    """A folder of weights with its biases.json is asked about the pool, and its bugs are read."""
    folder = tmp_path / "mine"
    shutil.copytree(weights("biased-resnet"), folder)
    pool = open_pool(tmp_path / "pool", 12, [], quiet, [folder])
    (target,) = trained(pool, [folder])
    assert (target.answers == pool.predictions["biased-resnet"]).all()
    assert [(b.label, b.attributes) for b in target.bugs] == [(b.label, b.attributes) for b in BIASES["biased-resnet"]]
    (folder / "biases.json").write_text("[{}]")
    with pytest.raises(ConfigError, match=r"holds no biases\.json"):
        trained(pool, [folder])


@pytest.mark.slow
def test_a_further_classifier_costs_its_own_answers_alone(tmp_path):
    """What the pool has stays as it is, file for file, when classifiers join one after another, or leave."""
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(weights("biased-resnet"), first)
    shutil.copytree(weights("biased-convnext"), second)
    for further, files in (([], 1), ([first], 2), ([first, second], 3), ([second], 3)):
        before = {file: file.stat().st_mtime_ns for file in (tmp_path / "pool").rglob("*.npz")}
        pool = open_pool(tmp_path / "pool", 12, [], quiet, further)
        after = {file: file.stat().st_mtime_ns for file in (tmp_path / "pool").rglob("*.npz")}
        assert before.items() <= after.items()
        assert len(after) == files
        for folder, like in ((first, "biased-resnet"), (second, "biased-convnext")):
            assert (folder.name in pool.predictions) == (folder in further)
            assert folder not in further or (pool.predictions[folder.name] == pool.predictions[like]).all()


@pytest.mark.slow
def test_a_classifier_that_was_trained_anew_is_asked_anew(tmp_path):
    """Answers are kept by weights and not by name; a folder without weights is an error that says so."""
    folder = tmp_path / "mine"
    shutil.copytree(weights("biased-resnet"), folder)
    open_pool(tmp_path / "pool", 24, [], quiet, [folder])
    shutil.rmtree(folder)
    shutil.copytree(weights("biased-mobilenet"), folder)
    again = open_pool(tmp_path / "pool", 24, [], quiet, [folder])
    assert (again.predictions["mine"] == again.predictions["biased-mobilenet"]).all()
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"holds no model\.safetensors"):
        open_pool(tmp_path / "pool", 24, [], quiet, [folder])


@pytest.mark.parametrize("name", ["reference", "codes", "mine"])
def test_two_classifiers_of_one_name_are_refused(tmp_path, name):
    """Answers are kept by name, so a second classifier of a name is an error, not an overwritten one."""
    folders = [tmp_path / "a" / name, tmp_path / "b" / name]
    with pytest.raises(ConfigError, match=f"would be called '{name}'"):
        open_pool(tmp_path / "pool", 12, [], quiet, folders)


@pytest.mark.parametrize("seed", range(6))
def test_decoys_fail_more_often_than_their_label_but_not_by_the_margin(pool, seed):
    """Two on labels with a bug, two on others, each 5 to 9 points above its label's rate, the bug counted in."""
    target = planted(pool, seed)
    world = World(pool, target.answers)
    buggy = {bug.label for bug in target.bugs}
    assert [decoy.label in buggy for decoy in target.decoys] == [True, True, False, False]
    assert len({decoy.label for decoy in target.decoys}) == 4
    for decoy in target.decoys:
        excess = world.true_rate(decoy.label, dict(decoy.attributes)) - world.true_rate(decoy.label, {})
        assert 0.05 <= excess <= 0.09
        assert not is_true(Claim(decoy.label, decoy.attributes), world)
        assert all(set(decoy.attributes).isdisjoint(bug.attributes) for bug in target.bugs if bug.label == decoy.label)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_decoys_leave_the_bugs_of_a_seed_as_they_are(pool, seed):
    """Inside a bug every answer is what the bug's own strength made it; outside bugs and decoys all are right."""
    target = planted(pool, seed)
    rng = np.random.default_rng((seed, 3))
    right, decoyed = pool.predictions["reference"], np.zeros(len(pool.codes), bool)
    for decoy in target.decoys:
        decoyed |= fitting(pool, decoy)
    for bug in target.bugs:
        inside = fitting(pool, bug)
        hit = inside & (rng.random(len(inside)) < bug.mislabelled)
        assert (target.answers[hit] == WORDS["label"].index(bug.becomes)).all()
        assert (target.answers[inside & ~hit] == right[inside & ~hit]).all()
        decoyed |= inside
    assert (target.answers[~decoyed] == right[~decoyed]).all()


def fitting(pool, bias):
    """The images in the slice of a bias."""
    columns = [
        pool.codes[:, FIELDS.index(n)] == WORDS[n].index(w) for n, w in [("label", bias.label), *bias.attributes]
    ]
    return np.logical_and.reduce(columns)


def test_a_decoy_counts_as_tested_or_claimed_only_by_what_is_false(world, target):
    """A hypothesis that says a decoy tests it, and a claim of it is false; not so where the claim is true by a bug."""
    bug = next(bug for bug in target.bugs if bug.label in {decoy.label for decoy in target.decoys})
    decoy = next(decoy for decoy in target.decoys if decoy.label == bug.label)
    other = next(each for each in target.decoys if each.label != bug.label)
    said = Claim(other.label, other.attributes)
    both = Claim(bug.label, (*bug.attributes, *decoy.attributes))
    got = score(Answer((both,), 10, (both, said)), target, world)
    assert (got.decoys, got.tested_decoys, got.claimed_decoys, got.false) == (4, 1, 0, 0)
    claimed = score(Answer((said,), 10, (said,)), target, world)
    assert (claimed.tested_decoys, claimed.claimed_decoys, claimed.false) == (1, 1, 1)


@pytest.mark.slow
def test_a_grid_puts_every_decoy_to_the_test(pool, monkeypatch):
    """All decoys are of one attribute, so the grid of single values tests each; foible tests no more than there are."""
    monkeypatch.setattr(compare, "target_of", lambda pool, seed, _: planted(pool, seed))
    scores = compare.measure(pool, 5, 0.0)[1]
    assert scores[f"{compare.GRID}, 100"].tested_decoys == scores[compare.FOIBLE].decoys == 4
    ours = scores[compare.FOIBLE]
    assert ours.claimed_decoys <= ours.tested_decoys <= 4
