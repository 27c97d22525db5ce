"""Promises of an export: the images of a run's bugs as a data set that other libraries read, and nothing else."""

from __future__ import annotations

import csv
import gc
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import foible
import kept
import toyworld
from foible import pixels
from foible.act.sets.rows import COLUMNS, folder_name
from foible.errors import ConfigError, PluginError, StoreError
from foible.parts.registry import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hunt once; the bugs are a mug on grass and a striped bottle at night."""
    place = tmp_path_factory.mktemp("export") / "run"
    assert len(toyworld.hunt(place, seed=2).confirmed) >= 2
    return place


def table(out):
    """Read the table of an image folder."""
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_failing_image_is_there_once_with_its_own_label(folder, tmp_path):
    """Each row names a file whose pixels have the hash that it tells, and that fails: the toy classifier says so."""
    done = foible.export(folder, tmp_path / "set")
    rows = table(tmp_path / "set")
    assert len(rows) == done.images == len({row["pixel_hash"] for row in rows}) > 0
    assert done.gone == 0
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        image = pixels.read_file(tmp_path / "set" / row["file_name"])
        assert pixels.content_hash(image) == row["pixel_hash"]
        scene = toyworld.read(image)
        assert scene.label == row["label"]
        assert toyworld.Classifier().answer(scene) != row["label"]
        assert row["outcome"] == "failed"
        assert row["predicted"] == toyworld.Classifier().answer(scene)
    assert len(list((tmp_path / "set").rglob("*.png"))) == len(rows)


@pytest.mark.parametrize("draws", ["failing", "passing", "both"])
def test_draws_are_chosen_by_what_became_of_them(folder, tmp_path, draws):
    """Failing and passing draws together are both; what is unscored is in none."""
    try:
        foible.export(folder, tmp_path / "set", draws=draws)
    except ConfigError as problem:
        assert draws == "passing"
        assert "passing" in str(problem)  # noqa: PT017 - a toy bug may fail in every draw
    else:
        found = {row["outcome"] for row in table(tmp_path / "set")}
        assert found <= {"failing": {"failed"}, "passing": {"passed"}, "both": {"failed", "passed"}}[draws]


def test_a_set_of_any_size_is_as_even_as_the_images_allow(folder, tmp_path):
    """Of labels with enough images none has more than one image more than another."""
    foible.export(folder, tmp_path / "set", size=9)
    counts = Counter(row["label"] for row in table(tmp_path / "set"))
    assert sum(counts.values()) == 9
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # `datasets` leaves the table open
def test_datasets_reads_the_folder_as_it_is(folder, tmp_path):
    """Hugging Face's library finds as many images as there are rows, each with its label and prompt."""
    datasets = pytest.importorskip("datasets")
    done = foible.export(folder, tmp_path / "set")
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "set"), cache_dir=str(tmp_path / "c"))["train"]
    assert len(found) == done.images
    expected = {row["pixel_hash"]: row for row in table(tmp_path / "set")}
    for one in found:
        row = expected[pixels.content_hash(np.asarray(one["image"]))]
        assert (one["label"], one["prompt"], one["seed"]) == (row["label"], row["prompt"], int(row["seed"]))
    gc.collect()  # what was left open is told here, and in no other test


def test_a_parquet_file_holds_the_images_and_says_so(folder, tmp_path):
    """The table is read by pandas, its images by `datasets`, which knows the column without being told."""
    pandas = pytest.importorskip("pandas")
    datasets = pytest.importorskip("datasets")
    done = foible.export(folder, tmp_path / "set", form="parquet")
    path = tmp_path / "set" / "data.parquet"
    frame = pandas.read_parquet(path)
    assert list(frame.columns) == ["image", *COLUMNS]
    assert len(frame) == done.images
    for row in frame.to_dict("records"):
        image = np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
        assert pixels.content_hash(image) == row["pixel_hash"]
    found = datasets.load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path / "c"))["train"]
    assert isinstance(found[0]["image"], Image.Image)
    assert found[0]["seed"] == int(frame["seed"][0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # `datasets` leaves the table open
def test_datasets_loads_what_was_saved_to_disk(folder, tmp_path):
    """Hugging Face's library finds every image with its row."""
    datasets = pytest.importorskip("datasets")
    done = foible.export(folder, tmp_path / "set", form="datasets")
    found = datasets.load_from_disk(str(tmp_path / "set"))
    assert len(found) == done.images
    for one in found:
        assert pixels.content_hash(np.asarray(one["image"])) == one["pixel_hash"]
        assert toyworld.read(np.asarray(one["image"])).label == one["label"]
    del found, one
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # `webdataset` leaves archives open
def test_webdataset_reads_the_archives(folder, tmp_path):
    """Its library decodes each image, the number of its label, and the row; the same set has the same bytes twice."""
    webdataset = pytest.importorskip("webdataset")
    done = foible.export(folder, tmp_path / "set", form="webdataset")
    foible.export(folder, tmp_path / "again", form="webdataset")
    shard = tmp_path / "set" / "data-000000.tar"
    assert shard.read_bytes() == (tmp_path / "again" / "data-000000.tar").read_bytes()
    classes = json.loads((tmp_path / "set" / "classes.json").read_text("utf-8"))
    found = list(webdataset.WebDataset(str(shard), shardshuffle=False).decode("rgb8"))
    assert len(found) == done.images
    for one in found:
        assert pixels.content_hash(one["png"]) == one["json"]["pixel_hash"] == one["__key__"]
        assert classes[one["cls"]] == one["json"]["label"] == toyworld.read(one["png"]).label
    gc.collect()


def test_archives_of_webdataset_are_a_source_of_photographs(folder, tmp_path):
    """What was written is read by `photos:`, with the label that the row names."""
    done = foible.export(folder, tmp_path / "set", form="webdataset")
    source = load("generator", f"photos:{tmp_path / 'set'}", {"label": "label"}).object
    assert len(source.photographs.photographs) == done.images
    assert {one.label for one in source.photographs.photographs} == {f.trial.hypothesis.label for f, _ in done.counts}


def test_what_fiftyone_reads_names_every_image(folder, tmp_path):
    """The file of labels has the identifier of each image in `data`, its label by name, and the row as attributes."""
    done = foible.export(folder, tmp_path / "set", form="fiftyone")
    whole = json.loads((tmp_path / "set" / "labels.json").read_text("utf-8"))
    assert whole["classes"] is None
    assert {path.stem for path in (tmp_path / "set" / "data").iterdir()} == set(whole["labels"])
    assert len(whole["labels"]) == done.images
    for identifier, one in whole["labels"].items():
        image = pixels.read_file(tmp_path / "set" / "data" / f"{identifier}.png")
        assert toyworld.read(image).label == one["label"]
        assert one["attributes"]["pixel_hash"] == identifier


@pytest.mark.slow
def test_fiftyone_itself_reads_the_set(folder, tmp_path):
    """FiftyOne's importer gives as many samples as there are images, each with its label and attributes."""
    importers = pytest.importorskip("fiftyone.utils.data.importers", reason="FiftyOne is large, and in no extra")
    done = foible.export(folder, tmp_path / "set", form="fiftyone")
    labels = json.loads((tmp_path / "set" / "labels.json").read_text("utf-8"))["labels"]
    importer = importers.FiftyOneImageClassificationDatasetImporter(str(tmp_path / "set"))
    importer.setup()
    with importer:
        found = list(importer)
    assert len(found) == done.images
    for path, _, sample in found:
        expected = labels[Path(path).stem]
        assert sample.label == expected["label"]
        assert sample["prompt"] == expected["attributes"]["prompt"]


def test_images_that_an_embedder_places_together_are_taken_once(folder, tmp_path):
    """Of one label no two images are closer than was asked for, and those that were left out are counted."""
    whole = foible.export(folder, tmp_path / "whole")
    done = foible.export(folder, tmp_path / "set", distinct=0.9, embedder=toyworld.embed)
    assert 0 < done.images < whole.images
    assert done.images + done.alike == whole.images
    assert f"{done.alike} images more" in (tmp_path / "set" / "README.md").read_text("utf-8")
    kept: dict[str, list[np.ndarray]] = {}
    for row in table(tmp_path / "set"):
        vector = toyworld.embed([pixels.read_file(tmp_path / "set" / row["file_name"])])[0]
        kept.setdefault(row["label"], []).append(vector / np.linalg.norm(vector))
    for vectors in kept.values():
        cosines = np.stack(vectors) @ np.stack(vectors).T
        assert (cosines[np.triu_indices(len(vectors), 1)] <= 0.9 + 1e-9).all()


def test_a_run_whose_embedder_is_an_object_wants_it_again(folder, tmp_path):
    """It cannot be loaded by a name, and the sentence says which argument gives it."""
    with pytest.raises(ConfigError, match="--embedder"):
        foible.export(folder, tmp_path / "set", distinct=0.9)


def test_an_embedder_that_fails_leaves_nothing(folder, tmp_path):
    """Without vectors nobody knows what is alike: the command ends with a sentence, and no folder stays."""

    def silent(images):
        raise RuntimeError("out of order")

    with pytest.raises(PluginError, match="out of order"):
        foible.export(folder, tmp_path / "set", distinct=0.9, embedder=silent)
    assert list(tmp_path.iterdir()) == []


class Blind:
    """Takes everything for a coffee mug."""

    labels = toyworld.NAMES

    def classify(self, images):
        """Score the mug 1, whatever is shown."""
        return np.tile(np.eye(len(self.labels))[toyworld.PLAIN.index("coffee mug")], (len(images), 1))


def test_the_card_says_who_else_fails(folder, tmp_path):
    """The classifier of the run fails on every image, another one where it does; the share stands in the card."""
    done = foible.export(folder, tmp_path / "set", classifiers=[Blind(), Blind()])
    own, other = done.fails  # whoever is named twice is asked once
    assert own.rate.value == 1.0
    mugs = sum(number for f, number in done.counts if f.trial.hypothesis.label == "coffee mug")
    assert other.images == done.images
    assert other.rate.value == pytest.approx(1 - mugs / done.images)
    text = (tmp_path / "set" / "README.md").read_text("utf-8")
    assert "fails on these images" in text
    assert "Blind" in text


def test_the_card_says_where_images_come_from_and_what_not_to_claim(folder, tmp_path):
    """The head is the mapping that Hugging Face reads; generator, counts, licence and limits stand in the text."""
    done = foible.export(folder, tmp_path / "set", licence="cc0-1.0")
    text = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert json.loads(text.split("---")[1])["license"] == "cc0-1.0"
    assert f"{done.images} different images" in text
    assert "may not be claimed" in text
    assert "failure rate" in text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"form": "imagefoldr"}, "imagefolder"),
        ({"draws": "failed"}, "failing"),
        ({"size": 0}, "at least 1"),
        ({"distinct": 1.5}, "cosine"),
        ({"findings": [77]}, "no confirmed finding 77"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence_and_leaves_nothing(folder, tmp_path, wrong, told):
    """A typo or a number that is none is refused, and no folder stays behind."""
    with pytest.raises(ConfigError, match=told):
        foible.export(folder, tmp_path / "set", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_as_it_is(folder, tmp_path):
    """What is there already is not written over."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match="there already"):
        foible.export(folder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_image_that_is_gone_is_counted(tmp_path):
    """A torn image is in no set, and the number of those that are missing is told."""
    run = toyworld.hunt(tmp_path / "run", seed=2)
    whole = foible.export(run.folder, tmp_path / "whole")
    row = table(tmp_path / "whole")[0]
    kept.Kept(tmp_path / "archive", row["pixel_hash"]).write(b"torn")
    again = foible.export(run.folder, tmp_path / "set")
    assert (again.images, again.gone) == (whole.images - 1, 1)


@given(st.text(min_size=1, max_size=80))
def test_no_label_names_a_folder_elsewhere(label):
    """Whatever a label is called, its folder is one plain name, and two labels have two."""
    name = folder_name(label)
    assert Path(name).name == name
    assert name not in {".", ".."}
    assert not set(name) & set('/\\:*?"<>|\0')
    assert folder_name(label + "x") != name


def test_the_command_says_how_many_images_each_bug_has(folder, tmp_path):
    """The verb writes the set, prints its counts, and refuses the same folder the second time with one sentence."""
    code, out, err = toyworld.called("export", folder, "--out", tmp_path / "set", "--size", "4")
    assert (code, err) == (0, "")
    assert "4 images in" in out
    code, out, err = toyworld.called("export", folder, "--out", tmp_path / "set")
    assert (code, out) == (2, "")
    assert "there already" in err
