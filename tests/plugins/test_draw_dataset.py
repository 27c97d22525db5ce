"""Photographs out of datasets on disk: the same ones as out of a folder, and what a hostile table can do."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import sys
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import openai_server
from foible import pixels as policy
from foible import testing
from foible.adapters.photographs import shelf as _shelf
from foible.errors import ArgumentError, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402 - only where there is one

from foible.adapters.photographs import tables as _tables  # noqa: E402 - likewise

PROMPT = "a photo of a red cup"
PHOTOS = 8


def png(pixels):
    """Write a PNG into memory."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "png")
    return held.getvalue()


@pytest.fixture(scope="module")
def pixels():
    """Eight photographs of 40 x 32 pixels."""
    dice = np.random.default_rng(0)
    return [np.kron(dice.integers(0, 256, (4, 5, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(8)]


@pytest.fixture(scope="module")
def contents(pixels):
    """The same, as the content of files."""
    return [png(one) for one in pixels]


@pytest.fixture(scope="module")
def dataset(contents):
    """A real dataset of them, with labels beside the images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library says of its own dependencies is not ours to mend
        import datasets
    datasets.disable_progress_bars()
    rows = {"label": [0] * PHOTOS, "image": [{"bytes": one, "path": None} for one in contents]}
    features = datasets.Features({"label": datasets.Value("int64"), "image": datasets.Image()})
    return datasets.Dataset.from_dict(rows, features=features)


@pytest.fixture
def saved(dataset, tmp_path):
    """The folder of the dataset, in two files."""
    dataset.save_to_disk(tmp_path / "saved", num_shards=2)
    return tmp_path / "saved"


@pytest.fixture
def load(tiny, tmp_path):
    """Give a function that loads a dataset by its spec."""

    def loaded(folder, **args):
        shared = {"embedder": tiny("clip"), "cache": str(tmp_path / "cache"), "size": 32}
        return registry.load("generator", f"folder:{folder}", {**shared, **args})

    return loaded


@pytest.fixture
def table(tmp_path):
    """Give a function that writes a Parquet file of images with paths, and whatever columns else."""

    def written(contents, paths=None, name="some.parquet", group=3, **columns):
        images = [{"bytes": one, "path": path} for one, path in zip(contents, paths or [None] * 99, strict=False)]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        held = pa.table({"image": pa.array(images, kind), **columns})
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(held, tmp_path / name, row_group_size=group)
        return tmp_path / name

    return written


def told(load, folder, error=PluginError, **args):
    """Give the sentence with which loading fails."""
    with pytest.raises(error) as caught:
        load(folder, **args)
    return str(caught.value)


# --- the same photographs, wherever they are -----------------------------------------------------------------------


def test_every_form_of_a_dataset_gives_the_photographs_of_the_folder(dataset, saved, contents, load, tmp_path):
    """Saved in two files, as splits, as Parquet: fingerprint and draws are those of the same images in a folder."""
    import datasets

    (tmp_path / "files").mkdir()
    for number, content in enumerate(contents):
        (tmp_path / "files" / f"{number}.png").write_bytes(content)
    plain = load(tmp_path / "files")
    datasets.DatasetDict({"train": dataset, "test": dataset.select([0])}).save_to_disk(tmp_path / "splits")
    (tmp_path / "parquet" / "data").mkdir(parents=True)
    for number in range(2):
        part = dataset.shard(2, number)
        part.to_parquet(tmp_path / "parquet" / "data" / f"train-0000{number}-of-00002.parquet", batch_size=3)
    dataset.to_parquet(tmp_path / "one.parquet")
    drawn = plain.object.draw([PROMPT, "ball"] * 8, range(16))
    for name, split in [("saved", None), ("splits", "train"), ("parquet", "train"), ("one.parquet", None)]:
        part = load(tmp_path / name, split=split)
        assert part.identity["fingerprint"] == plain.identity["fingerprint"], name
        assert (part.identity["args"]["split"], part.identity["args"]["column"]) == (split, "image")
        assert all(map(np.array_equal, part.object.draw([PROMPT, "ball"] * 8, range(16)), drawn)), name
    assert load(tmp_path / "splits", split="test").identity["fingerprint"] != plain.identity["fingerprint"]


def test_it_conforms(saved, table, contents, tiny, tmp_path):
    """A saved dataset and a Parquet file keep the promises of a generator, by the ordinary spec."""
    args = {"embedder": tiny("clip"), "cache": str(tmp_path / "cache"), "size": 32}
    assert testing.check("generator", f"folder:{saved}", args) == []
    assert testing.check("generator", f"folder:{table(contents)}", args) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.one_of(st.none(), st.binary(min_size=1, max_size=40)), min_size=1, max_size=80),
    group=st.integers(1, 90),
    arrow=st.booleans(),
)
def test_every_row_is_read_again_as_it_was_walked(held, group, arrow, table, tmp_path):
    """Whatever rows and groups there are, each row comes once, in order, and its place gives the same bytes."""
    file = table(held, [None] * len(held), group=group)
    if arrow:
        whole = parquet.read_table(file)
        file = tmp_path / "some.arrow"
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, whole.schema) as writer:
            writer.write_table(whole, max_chunksize=group)
    shelf = _shelf.find(str(file))
    walked = list(shelf.walk())
    assert [content for _, content in walked] == [_tables.EMPTY if one is None else one for one in held]
    whole = [place for (place, _), one in zip(walked, held, strict=True) if one]
    assert [shelf.read(place) for place in whole] == [one for one in held if one]


def test_a_dataset_in_the_cache_of_the_hub_is_read_through_its_links(contents, table, load, tmp_path):
    """The hub's cache keeps files as links to `blobs`: they are in the dataset; a link to anywhere else is not."""
    plain = load(table(contents)).identity["fingerprint"]
    home = tmp_path / "hub" / "datasets--me--mugs"
    snapshot = home / "snapshots" / "0123" / "data"
    snapshot.mkdir(parents=True)
    (home / "blobs").mkdir()
    shutil.move(tmp_path / "some.parquet", home / "blobs" / "abcd")
    (snapshot / "train-00000-of-00001.parquet").symlink_to("../../../blobs/abcd")
    assert load(home / "snapshots" / "0123").identity["fingerprint"] == plain
    shutil.move(home / "blobs" / "abcd", tmp_path / "elsewhere")
    (snapshot / "train-00000-of-00001.parquet").unlink()
    (snapshot / "train-00000-of-00001.parquet").symlink_to(tmp_path / "elsewhere")
    assert "which is not in it" in told(load, home / "snapshots" / "0123")


def test_files_that_were_left_from_an_earlier_save_are_not_read(saved, contents, load):
    """`state.json` says which files are the dataset's."""
    before = load(saved).identity["fingerprint"]
    (saved / "data-00000-of-00009.arrow").write_bytes(b"left over")
    assert load(saved).identity["fingerprint"] == before


# --- splits and columns --------------------------------------------------------------------------------------------


def test_a_split_is_chosen_where_there_are_several(dataset, contents, table, load, tmp_path):
    """Of saved splits, of Parquet files by their names, of folders of numbered ones; one alone needs no choice."""
    import datasets

    datasets.DatasetDict({"train": dataset, "test": dataset}).save_to_disk(tmp_path / "both")
    datasets.DatasetDict({"train": dataset}).save_to_disk(tmp_path / "single")
    table(contents[:2], name="named/data/train-00000-of-00001.parquet")
    table(contents[2:], name="named/data/test-00000-of-00001-abc.parquet")
    table(contents[:2], name="numbered/train/0000.parquet")
    table(contents[2:], name="numbered/test/0000.parquet")
    for name in ("both", "named", "numbered"):
        assert "needs the argument split; known: test, train" in told(load, tmp_path / name, ArgumentError)
        wrong = told(load, tmp_path / name, ArgumentError, split="trian")
        assert "has no split 'trian'; did you mean 'train'? known: test, train" in wrong
    assert load(tmp_path / "named", split="train").identity["args"]["photographs"] == 2
    assert load(tmp_path / "numbered", split="test").identity["args"]["photographs"] == PHOTOS - 2
    assert load(tmp_path / "single").identity["args"]["split"] == "train"


def test_a_column_is_chosen_where_there_are_several(contents, table, load):
    """Two structs, or bytes alone, which could be anything; a column of sounds is none of images."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    other = pa.array([{"bytes": one, "path": None} for one in contents[:3]] * 2 + [None] * 2, kind)
    file = table(contents, other=other, plain=pa.array(contents, pa.large_binary()), size=pa.array(range(PHOTOS)))
    assert "needs the argument column; known: image, other, plain" in told(load, file, ArgumentError)
    assert "has no column 'size'; known: image" in told(load, file, ArgumentError, column="size")
    whole = load(file, column="image").identity
    assert load(file, column="plain").identity["fingerprint"] == whole["fingerprint"]
    assert load(file, column="other").identity["args"]["photographs"] == 3
    info = {"info": {"features": {"image": {"_type": "Image"}, "other": {"_type": "Audio"}}}}
    heard = parquet.read_table(file).replace_schema_metadata({"huggingface": json.dumps(info)})
    parquet.write_table(heard, file)
    assert load(file).identity["args"]["column"] == "image"
    assert "has no column 'other'" in told(load, file, ArgumentError, column="other")


def test_what_the_name_stands_for_is_told(contents, table, load, tmp_path):
    """A hub name, images beside tables, arguments of datasets for a folder of files, no images at all."""
    sentence = told(load, "me/mugs")
    assert "there is no folder 'me/mugs'" in sentence
    assert "is not downloaded: fetch it with `hf download --repo-type dataset`" in sentence
    table(contents, name="mixed/some.parquet")
    (tmp_path / "mixed" / "logo.png").write_bytes(contents[0])
    assert "holds image files and Parquet files" in told(load, tmp_path / "mixed")
    assert load(tmp_path / "mixed", column="image").identity["args"]["photographs"] == PHOTOS
    (tmp_path / "mixed" / "some.parquet").rename(tmp_path / "mixed" / "metadata.parquet")
    assert load(tmp_path / "mixed").identity["args"]["photographs"] == 1
    assert "are for datasets" in told(load, tmp_path / "mixed", ArgumentError, split="train")
    parquet.write_table(pa.table({"size": [1, 2]}), tmp_path / "numbers.parquet")
    assert "has no column of images; known: size" in told(load, tmp_path / "numbers.parquet")
    assert "is a text, but got 3" in told(load, tmp_path / "numbers.parquet", ArgumentError, column=3)


def test_without_its_library_the_extra_is_named(contents, table, load, monkeypatch, tmp_path):
    """A dataset says what to install, and a folder of files needs nothing more."""
    file = table(contents)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "0.png").write_bytes(contents[0])
    monkeypatch.delitem(sys.modules, "foible.adapters.photographs.tables", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert load(tmp_path / "files").identity["args"]["photographs"] == 1
    wanted = """needs the module 'pyarrow', which is not installed: pip install "foible[datasets]\""""
    assert told(load, file).endswith(wanted)


# --- what nobody vouches for ---------------------------------------------------------------------------------------


def test_broken_rows_are_left_out_and_counted(contents, table, load, tmp_path, caplog):
    """Half a PNG, text, a bomb, nothing, and five paths that lead out of the dataset or nowhere: one note, no more."""
    clean = load(table(contents)).identity["fingerprint"]
    (tmp_path / "set").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "set" / "out").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "set" / "pipe.png")
    broken = [contents[0][:60], b"no image", openai_server.bomb(), b"", *[None] * 6]
    outside = ["../secret.png", str(tmp_path / "secret.png"), "link.png", "out/secret.png", "pipe.png", "a\0b"]
    file = table([*contents, *broken], [*[None] * 12, *outside], name="set/some.parquet")
    with caplog.at_level(logging.WARNING):
        part = load(file)
    assert part.identity["fingerprint"] == clean
    assert [record.getMessage() for record in caplog.records] == [
        f"images in {file} were left out: 3 damaged, too large, or no images; 7 {_tables.EMPTY}"
    ]


def test_a_row_may_name_a_file_of_the_dataset(contents, table, load, tmp_path):
    """Where a row has no bytes, its path is followed, and the photograph is the file's."""
    clean = load(table(contents)).identity["fingerprint"]
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "images" / "0.png").write_bytes(contents[0])
    file = table([None, *contents[1:]], ["images/0.png", *[None] * 7], name="set/some.parquet")
    assert load(file).identity["fingerprint"] == clean


def test_an_image_that_is_too_large_is_not_read(contents, table, load, monkeypatch):
    """The limit of a file holds for a row."""
    monkeypatch.setattr(policy, "LARGEST", len(contents[0]))
    longer = contents[0] + b"\0"
    assert load(table([contents[0], longer])).identity["args"]["photographs"] == 1


def test_a_photograph_that_changed_or_went_is_no_image(contents, table, load, tmp_path):
    """After the dataset was read: another image in its row, no such row, no file, rubbish: a fault of that draw."""
    file = table(contents)
    part = load(file)
    table([*contents[::-1], b"new"])
    assert "has changed" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason
    table([])
    assert "has gone" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason
    file.write_bytes(b"rubbish")
    assert "has gone" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason
    file.unlink()
    assert "has gone" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason


@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.99])
def test_a_torn_file_ends_in_a_sentence(share, saved, contents, table, load):
    """No part of a dataset is taken for the whole of it."""
    shard = saved / "data-00001-of-00002.arrow"
    for file, folder in [(shard, saved), (table(contents), table(contents))]:
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * share)])
        assert f"the file {file.name!r} of the dataset" in told(load, folder)


def test_a_list_of_files_that_leads_out_of_the_dataset_is_refused(saved, load, tmp_path):
    """`state.json` is as untrusted as the rest."""
    shutil.copy(saved / "data-00000-of-00002.arrow", tmp_path / "out.arrow")
    for names in (["../out.arrow"], [str(tmp_path / "out.arrow")], ["gone.arrow"]):
        (saved / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
        assert "which is not in it" in told(load, saved)
    for text in ("[" * 10**5, "null", '{"_data_files": 7}', '{"_data_files": [{"filename": 7}]}'):
        (saved / "state.json").write_text(text)
        assert "lists no Arrow files" in told(load, saved)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), bits=st.integers(1, 255), of=st.sampled_from(["saved", "table"]))
def test_a_byte_that_was_turned_costs_rows_or_ends_in_a_sentence(at, bits, of, contents, request):
    """Wherever it is in the file: offsets that point anywhere are not followed, and the process lives."""
    made = request.getfixturevalue(of)
    file = made / "data-00000-of-00002.arrow" if of == "saved" else made(contents)
    whole = bytearray(file.read_bytes())
    whole[at % len(whole)] ^= bits
    turned = file.with_name("turned" + file.suffix)
    turned.write_bytes(whole)
    walked = []
    with contextlib.suppress(PluginError, ArgumentError):
        walked = list(_shelf.find(str(turned)).walk())
    assert all(content == _tables.EMPTY or len(content) <= len(whole) for _, content in walked)


def test_names_that_are_no_text_end_in_a_sentence(contents, table, load):
    """A column's name can hold any bytes."""
    file = table(contents)
    file.write_bytes(file.read_bytes().replace(b"image", b"im\xffge"))
    assert "cannot be read (" in told(load, file)
