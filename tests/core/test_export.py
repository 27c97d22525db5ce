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
import toyworld
from foible import pixels
from foible.act.export import COLUMNS, folder_name
from foible.errors import ConfigError, StoreError


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
    path = tmp_path / "archive" / "images" / row["pixel_hash"][:2] / f"{row['pixel_hash']}.png"
    path.write_bytes(b"torn")
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
    code, out, err = toyworld.finished(toyworld.command("export", folder, "--out", tmp_path / "set", "--size", "4"))
    assert (code, err) == (0, "")
    assert "4 images in" in out
    code, out, err = toyworld.finished(toyworld.command("export", folder, "--out", tmp_path / "set"))
    assert (code, out) == (2, "")
    assert "there already" in err
