"""Promises of a hunt over labelled photographs: what is read, split, claimed, and written nowhere."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import foible
import photographs
import toyworld
from foible import testing
from foible.checks.verify import verify
from foible.errors import ConfigError, FoibleError, InputError, StoreError
from foible.parts.registry import load
from foible.photographs import NAME, Photograph, PhotographSet, read_set
from foible.records import ANY
from foible.report import sentence

PLANTED = {("coffee mug", ("ground=grass",)), ("water bottle", ("light=night", "texture=striped"))}


@pytest.fixture(scope="module")
def taken():
    """Enough photographs for both planted bugs to show in each half."""
    return photographs.scenes(160, first=2000)


@pytest.fixture(scope="module")
def whole(taken, tmp_path_factory):
    """A hunt over them: (run, source)."""
    root = tmp_path_factory.mktemp("whole")
    source = photographs.folder(root / "set", taken)
    return photographs.hunt(root / "run", source), source


def claims(run):
    """Give (label, words) of the confirmed findings."""
    return {(f.trial.hypothesis.label, f.trial.hypothesis.treatment.words) for f in run.confirmed}


def test_a_labelled_set_is_enough(whole):
    """From a folder and a table, without any part but the classifier, both planted bugs and no other are found."""
    run, _ = whole
    assert claims(run) == PLANTED
    assert run.result.parts.keys() == {"generator", "judge"}
    assert run.result.draws == {"explore": 240, "test": 240}
    assert run.result.photographs.accuracy[0].value == pytest.approx(
        1 - sum(o.tally.failures for o in run.result.explored) / 480
    )


def test_what_is_done_with_drawn_images_is_refused_of_photographs(whole, tmp_path):
    """They are there already, and those that decided on a bug prove nothing of others: a sentence each, and no file."""
    run, _ = whole
    assert run.confirmed
    with pytest.raises(ConfigError, match="over photographs that are there already"):
        foible.export(run.folder, tmp_path / "set")
    with pytest.raises(ConfigError, match="classifiers in one run"):
        foible.transfer(run.folder, [photographs.Once()])
    assert list(tmp_path.iterdir()) == []


def test_no_photograph_suggests_and_tests(whole):
    """The halves share no pixels, and each has half of every label."""
    run, _ = whole
    lines = (run.folder / NAME).read_text("utf-8").splitlines()
    found = read_set(lines)
    explore, test = found.halves(0)
    assert not explore & test
    assert explore | test == set(range(480))
    for half in (explore, test):
        labels = [found.photographs[number].label for number in half]
        assert {label: labels.count(label) for label in set(labels)} == dict.fromkeys(photographs.LABELS, 80)


def test_a_run_is_checked_without_its_photographs(taken, tmp_path):
    """`foible verify` works every number out again when the set has gone, and sees a changed one, and a changed set."""
    source = photographs.folder(tmp_path / "set", taken[100:340])
    run = photographs.hunt(tmp_path / "run", source)
    (tmp_path / "set").rename(tmp_path / "gone")
    assert verify(run.folder).differences == ()
    found = run.folder / "findings.json"
    kept = found.read_text("utf-8")
    found.write_text(kept.replace('"treat_size": ', '"treat_size": 1', 1), "utf-8")
    assert any("treat_size" in one for one in verify(run.folder).differences)
    found.write_text(kept, "utf-8")
    known = run.folder / NAME
    known.write_text(known.read_text("utf-8").replace("ground=grass", "ground=grasz", 1), "utf-8")
    assert verify(run.folder).differences


class Stops(toyworld.Classifier):
    """Is interrupted in one call."""

    fingerprint = "the toy world's classifier"
    left = 0

    def classify(self, images):
        """Stop when its calls are used up."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().classify(images)


def test_an_interrupted_hunt_ends_as_one_that_was_not(taken, tmp_path):
    """Stopped while it explores and while it tests, it goes on and writes the same bytes."""
    source = photographs.folder(tmp_path / "set", taken)
    classifier = Stops()
    once = photographs.hunt(tmp_path / "once" / "run", source, classifier, config={"batch": 16})
    for left in (3, 20):
        classifier.left = left
        with pytest.raises(KeyboardInterrupt):
            photographs.hunt(tmp_path / "twice" / "run", source, classifier, config={"batch": 16})
    again = photographs.hunt(tmp_path / "twice" / "run", source, classifier, config={"batch": 16})
    for name in ("findings.json", "findings.md", "report.html"):
        assert (once.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_a_second_hunt_asks_no_part_again(taken, tmp_path):
    """Over the same set, split otherwise too, nothing is classified again; one image was asked about on purpose."""
    classifier = photographs.Once()
    source = photographs.folder(tmp_path / "set", taken[:300])
    photographs.hunt(tmp_path / "one", source, classifier)
    twice = classifier.shown - 300
    assert 0 < twice <= 5
    photographs.hunt(tmp_path / "two", source, classifier, seed=1)
    assert classifier.shown == 300 + twice


def test_a_budget_holds_and_what_is_left_is_said(taken, tmp_path):
    """Only so many photographs are looked at, equally many of each label, and the set's intervals stay open."""
    run = photographs.hunt(tmp_path / "run", photographs.folder(tmp_path / "set", taken), budget=300)
    assert sum(run.result.draws.values()) <= 300
    assert {one.tally.draws for one in run.result.explored} == {100}
    assert all(not f.of_set.exhausted for f in run)
    assert all(f.of_set.treat.low <= f.treat.value <= f.of_set.treat.high for f in run)


# --- how sets are kept ------------------------------------------------------------------------------------------------

WAYS = {
    "folders and CSV": photographs.folder,
    "folders and JSON lines": lambda root, some: photographs.folder(root, some, "metadata.jsonl"),
    "folders and Parquet": lambda root, some: photographs.folder(root, some, "metadata.parquet"),
    "CSV": photographs.listed,
    "Parquet": photographs.table,
    "saved dataset": photographs.saved,
    "archives": photographs.archives,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_keep_a_set_reads_the_same(way, tmp_path):
    """Labels, attributes and pixels are those that were written, and each photograph is found again by its place."""
    if way in {"folders and Parquet", "Parquet", "saved dataset"}:
        pytest.importorskip("pyarrow")
    if way == "saved dataset":
        pytest.importorskip("datasets")
    some = photographs.scenes(4)
    source = load("generator", WAYS[way](tmp_path / "set", some)).object
    expected = {
        image.tobytes(): (label, {f"{name}={value}" for name, value in attributes.items()})
        for label, image, attributes in some
    }
    known = source.photographs.photographs
    images = source.draw([one.place for one in known], range(len(known)))
    assert {
        image.tobytes(): (one.label, set(one.attributes)) for one, image in zip(known, images, strict=True)
    } == expected


def test_the_source_and_its_judge_conform(taken, tmp_path):
    """What a generator and a judge promise, `photos:` keeps for its own photographs, and `annotation` for any."""
    source = photographs.folder(tmp_path / "set", taken[:6])
    assert testing.check("generator", source) == []
    assert testing.check("judge", "annotation") == []


def test_columns_are_chosen_by_name(taken, tmp_path):
    """Another column is the label, and only the named ones are attributes."""
    source = photographs.listed(tmp_path, taken[:20])
    chosen = load("generator", source, {"label": "ground", "attributes": ["light"]}).object.photographs.photographs
    assert {one.label for one in chosen} == {more["ground"] for _, _, more in taken[:20]}
    assert all([name.partition("=")[0] for name in one.attributes] == ["light"] for one in chosen)
    with pytest.raises(InputError, match=r"'grond'.*did you mean 'ground'"):
        load("generator", source, {"label": "grond"})


def test_captions_give_phrases(taken, tmp_path):
    """A caption column stands in for attribute columns: both bugs are found by its phrases."""
    said = [(label, image, {"caption": toyworld.describe([image])[0]}) for label, image, _ in taken]
    run = photographs.hunt(tmp_path / "run", photographs.folder(tmp_path / "set", said))
    assert {label for label, _ in claims(run)} == {"coffee mug", "water bottle"}
    assert any("on grass" in words for _, words in claims(run))


def test_a_captioner_describes_what_has_no_attributes(taken, tmp_path):
    """Without any column a captioner that is named gives the phrases."""
    source = photographs.folder(tmp_path / "set", taken, None)
    run = photographs.hunt(tmp_path / "run", source, captioner=toyworld.describe)
    assert any("on grass" in words for _, words in claims(run))


def test_numbers_are_cut_into_quarters(tmp_path):
    """A column of many numbers gives four attributes, whatever failed; one of names gives none."""
    some = [("teapot", image, {"size": str(at), "id": f"n{at}"}) for at, image in enumerate(photographs.noise(40))]
    known = load("generator", photographs.folder(tmp_path / "set", some)).object.photographs.photographs
    values = [one.attributes for one in known]
    assert {len(one) for one in values} == {1}
    assert sorted(values.count(value) for value in set(values)) == [10, 10, 10, 10]


class Dazzled(toyworld.Perfect):
    """Takes every bright photograph for a bucket."""

    fingerprint = "dazzled"

    def answer(self, scene):
        """Never asked: see `classify`."""
        raise NotImplementedError

    def classify(self, images):
        """Look at the brightness alone."""
        scores = np.zeros((len(images), len(toyworld.PLAIN)))
        for row, image in enumerate(images):
            scores[row, toyworld.PLAIN.index("bucket" if image.mean() > 180 else "teapot")] = 1
        return scores


def test_a_set_without_columns_is_measured(tmp_path):
    """Folders of labels alone are enough: what the pixels say by themselves gives attributes."""
    rng = np.random.default_rng(0)
    more: dict[str, str] = {}
    some = [
        (label, np.clip(rng.normal(level, 10, (12, 12, 3)), 0, 255).astype(np.uint8), more)
        for label in ("teapot", "bucket")
        for level in np.linspace(20, 235, 80)
    ]
    run = photographs.hunt(tmp_path / "run", photographs.folder(tmp_path / "set", some, None), Dazzled())
    assert {label for label, _ in claims(run)} == {"teapot", "bucket"}
    assert any(words[0].startswith("brightness=") for _, words in claims(run))


# --- what may be claimed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_one_wrong_annotation_of_sixty_is_no_bug(tmp_path, seed):
    """Sixty photographs, one annotated wrongly, a perfect classifier: nothing is confirmed, by any split."""
    some = photographs.wrong(photographs.scenes(60, ["coffee mug", "bucket"]), {7}, "bucket")
    source = photographs.folder(tmp_path / "set", some)
    run = photographs.hunt(tmp_path / "run", source, toyworld.Perfect(), seed=seed)
    assert not run.confirmed


def test_a_judge_points_to_wrong_annotations(tmp_path):
    """What the judge does not see is unscored, listed apart, and in no rate."""
    some = photographs.wrong(photographs.scenes(40, ["coffee mug", "bucket"]), {3, 9}, "bucket")
    source = photographs.folder(tmp_path / "set", some)
    run = photographs.hunt(tmp_path / "run", source, toyworld.Perfect(), judge=toyworld.judge)
    found = run.result.photographs
    assert found.doubts == 2
    assert {run.result.observations[key].request.text for key in found.doubtful} == {
        "bucket/0003.png",
        "bucket/0009.png",
    }
    assert found.accuracy[0].value == 1.0
    assert "perhaps the annotation is wrong" in (run.folder / "findings.md").read_text("utf-8")


def test_the_report_speaks_of_photographs(whole):
    """Neither page speaks of draws, seeds, prompts or a generator where nothing was drawn."""
    run, _ = whole
    page = (run.folder / "findings.md").read_text("utf-8").partition("## Parts")[0]
    html = (run.folder / "report.html").read_text("utf-8").partition("Parts</summary>")[0].partition("</style>")[2]
    for text in (page, html):
        assert "photographs" in text
        for word in ("draws", "seed", "prompt", "generator", "description"):
            assert word not in text, word


class Frosted(toyworld.Perfect):
    """Takes whatever lies on snow for a bucket."""

    fingerprint = "frosted"

    def answer(self, scene):
        """Look at the ground first."""
        return "bucket" if scene.ground == "snow" else scene.label


def test_what_all_labels_share_is_one_finding(tmp_path):
    """Of few photographs a label, an attribute that all labels are taken for one thing by is found over all of them."""
    some = [one for at, label in enumerate(toyworld.PLAIN) for one in photographs.scenes(24, [label], 1000 * at)]
    source = photographs.folder(tmp_path / "set", some)
    run = photographs.hunt(tmp_path / "run", source, Frosted())
    found = next(f for f in run.confirmed if f.trial.hypothesis.label == ANY)
    assert {words for label, words in claims(run) if label == ANY} == {("ground=snow",)}
    assert found.treat.value > 0.8
    said = sentence(found, run.result)
    assert "A photograph of any label “ground=snow” is taken for a bucket: it fails in" in said
    assert "of the other photographs" in said
    assert verify(run.folder).differences == ()


def test_what_one_label_has_is_said_of_no_other(whole):
    """A bug of one label alone is no finding about any label, though the photographs of all show it."""
    run, _ = whole
    assert ANY not in {f.trial.hypothesis.label for f in run.confirmed}


# --- bad input --------------------------------------------------------------------------------------------------------


def test_nothing_is_lost_to_bad_photographs(taken, tmp_path, caplog):
    """What cannot be read, is annotated twice or not known is counted; the others are hunted over."""
    source = photographs.folder(tmp_path / "set", taken)
    root = tmp_path / "set"
    (root / "teapot" / "broken.png").write_bytes(b"no image")
    (root / "axolotl").mkdir()
    (root / "axolotl" / "one.png").write_bytes(photographs.png(photographs.noise(1)[0]))
    for label in ("teapot", "bucket"):
        (root / label).mkdir(exist_ok=True)
        (root / label / "twice.png").write_bytes(photographs.png(photographs.noise(1, seed=5)[0]))
    (root / "teapot" / "again.png").write_bytes(photographs.png(taken[-1][1]))
    with caplog.at_level(logging.WARNING):
        run = photographs.hunt(tmp_path / "run", source)
    left_out = dict(run.result.photographs.left_out)
    assert left_out == {
        "annotated twice, and not alike": 2,
        "damaged, too large, or no images": 1,
        "of an annotation that is not hunted over": 1,
        "the same image as another, pixel for pixel": 1,
    }
    assert claims(run) == PLANTED


def test_deep_and_grey_photographs_are_read(tmp_path):
    """Images of 16 bits, of one channel and of different sizes are photographs like others."""
    rng = np.random.default_rng(0)
    root = tmp_path / "set"
    for label in ("teapot", "bucket"):
        (root / label).mkdir(parents=True)
        Image.fromarray(rng.integers(0, 65536, (20, 30), dtype=np.uint16)).save(root / label / "deep.png")
        Image.fromarray(rng.integers(0, 256, (16, 40), dtype=np.uint8)).save(root / label / "grey.png")
        Image.fromarray(rng.integers(0, 256, (900, 300, 3), dtype=np.uint8)).save(root / label / "large.jpg")
    source = load("generator", f"photos:{root}").object
    known = source.photographs.photographs
    shapes = {image.shape for image in source.draw([one.place for one in known], range(6))}
    assert shapes == {(20, 30, 3), (16, 40, 3), (640, 213, 3)}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda root: None, "no folder"),
        (lambda root: photographs.folder(root, photographs.scenes(1, ["teapot"])), "1 labelled photograph that"),
        (lambda root: photographs.folder(root, [("axolotl", i, {"a": "b"}) for i in photographs.noise(4)]), "axolotl"),
    ],
    ids=["nothing there", "one photograph", "unknown label"],
)
def test_a_set_that_cannot_be_used_is_one_sentence(make, told, tmp_path):
    """It says what was wanted, what came and what to do, and nothing is written."""
    make(tmp_path / "set")
    with pytest.raises(InputError, match=told) as found:
        photographs.hunt(tmp_path / "run", f"photos:{tmp_path / 'set'}")
    assert "\n" not in str(found.value)
    assert not (tmp_path / "run").exists()


def test_nothing_is_written_beside_the_photographs(taken, tmp_path):
    """The set is as it was after a hunt, may be read-only, and a run directory inside it is refused."""
    source = photographs.folder(tmp_path / "set", taken[:40])
    before = sorted(tmp_path.joinpath("set").rglob("*"))
    (tmp_path / "set").chmod(0o555)
    try:
        photographs.hunt(tmp_path / "run", source)
        with pytest.raises(InputError, match="among the photographs"):
            photographs.hunt(tmp_path / "set" / "run", source)
    finally:
        (tmp_path / "set").chmod(0o755)
    assert sorted(tmp_path.joinpath("set").rglob("*")) == before


def test_a_photograph_that_changes_meanwhile_is_unscored(taken, tmp_path):
    """What is not the image that was read first is no observation of it."""
    source = load("generator", photographs.folder(tmp_path / "set", taken[:4])).object
    places = [one.place for one in source.photographs.photographs]
    (tmp_path / "set" / places[0]).write_bytes(photographs.png(photographs.noise(1)[0]))
    (tmp_path / "set" / places[1]).unlink()
    drawn = source.draw(places, range(4))
    assert [isinstance(one, FoibleError) for one in drawn] == [True, True, False, False]


def test_a_source_is_no_generator(taken, tmp_path):
    """Given as one, it says how it is given."""
    source = photographs.folder(tmp_path / "set", taken[:4])
    with pytest.raises(InputError, match="--source"):
        toyworld.hunt(tmp_path / "run", generator=source)


def test_annotations_may_be_indices_of_classes(tmp_path):
    """Folders that are called 0 and 5 are the classes of these numbers."""
    some = [(str(toyworld.PLAIN.index(label)), image, more) for label, image, more in photographs.scenes(30)]
    run = photographs.hunt(tmp_path / "run", photographs.folder(tmp_path / "set", some))
    assert {label.name for label in run.result.labels} == set(photographs.LABELS)
    assert next(one for one in run.result.explored if one.label == "teapot").tally.failures == 0


# --- the set as text --------------------------------------------------------------------------------------------------

texts = st.text(max_size=12)
sets = st.lists(
    st.tuples(texts, texts, st.sampled_from(["a", "b", "c"]), st.lists(texts, max_size=3), texts),
    unique_by=(lambda one: one[0], lambda one: one[1]),
    max_size=12,
)


def made(rows):
    """Give a set."""
    known = [Photograph(place=p, image=i, label=n, attributes=tuple(a), caption=c) for p, i, n, a, c in rows]
    return PhotographSet(photographs=tuple(known), left_out=(("broken", 3),))


@given(sets)
def test_a_set_is_read_as_it_was_written(rows):
    """Any texts survive, and the digest is that of all of them."""
    found = made(rows)
    again = read_set(list(found.lines()))
    assert again == found
    assert again.digest == found.digest


@given(sets, st.integers(0, 2**63))
def test_halves_are_even_and_hang_on_pixels_alone(rows, seed):
    """Each label is split in half, to one photograph, and where a photograph stands in the set does not matter."""
    found, turned = made(rows), made(rows[::-1])
    explore, test = found.halves(seed)
    for label in "abc":
        counts = [sum(found.photographs[number].label == label for number in half) for half in (explore, test)]
        assert counts[0] - counts[1] in {0, 1}
    images = [{some.photographs[n].image for n in some.halves(seed)[0]} for some in (found, turned)]
    assert images[0] == images[1]


SHORT = '{"photographs":1,"version":2,"left_out":[],"lookalikes":0,"vocabulary":null}\n'
"""It promises a photograph, and ends."""


@pytest.mark.parametrize("text", ["", "{}", "[]\n", '{"photographs":1,"version":2,"left_out":[]}\n', SHORT, "\x00"])
def test_a_damaged_set_is_one_sentence(text):
    """Anything else is told as damage."""
    with pytest.raises(StoreError, match="damaged"):
        read_set(text.splitlines())


def test_a_set_of_another_foible_is_not_called_damaged():
    """The sentence names both forms, and says what to do."""
    with pytest.raises(StoreError, match=r"another foible .* its form 1; this one reads form \d"):
        read_set(['{"left_out":[],"lookalikes":0,"photographs":0,"version":1}'])


def test_the_command_line_hunts_over_photographs(taken, tmp_path):
    """`foible hunt --source` finds the bugs, `plan` and `doctor` know the set."""
    source = photographs.folder(tmp_path / "set", taken[::4])
    base = ["--classifier", "python:toyworld:Classifier", "--source", source]
    code, out, err = toyworld.called("hunt", *base, "--out", tmp_path / "run", "--json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(out)["photographs"]["photographs"] == 120
    code, out, _ = toyworld.called("plan", *base, "--json")
    assert code == 0
    assert json.loads(out)["draws"] == {"explore": 60, "test": 60}
    code, out, _ = toyworld.called("doctor", *base)
    assert code == 0
    assert "an image of" in out


def test_paths_of_the_set_are_its_places(whole):
    """A finding's photographs are named by their paths in the set."""
    run, source = whole
    finding = run.confirmed[0]
    root = Path(source.removeprefix("photos:"))
    assert all((root / run.result.observations[key].request.text).is_file() for key in finding.failing)
