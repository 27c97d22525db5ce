"""Promises of the archive: whole images under the hash of their pixels, rows under their keys, shared by all hunts."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import os
import shutil
import sqlite3
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import foible
import kept
import toyworld
from foible.errors import StoreError
from foible.pixels import LARGEST_SIDE, content_hash
from foible.run.archive import SCHEMA, Archive
from foible.run.database import connect
from foible.run.rows import DrawRow
from foible.run.shards import Place, Shards, _member, room

pytestmark = pytest.mark.xdist_group("archive")

hunt = functools.partial(toyworld.hunt, seed=1)
"""With draws that show every bug."""


def png(image, mode="RGB"):
    """Give the bytes of a PNG file that foible did not write."""
    buffer = io.BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, "png")
    return buffer.getvalue()


def flipped(data):
    """Flip one bit in the pixels of a PNG file."""
    at = data.index(b"IDAT") + 12
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


NOISE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
DAMAGE = {
    "truncated": lambda data, other: data[: len(data) // 2],
    "empty": lambda data, other: b"",
    "bit flipped": lambda data, other: flipped(data),
    "another draw": lambda data, other: other,
    "another picture": lambda data, other: png(NOISE),
    "another mode": lambda data, other: png(NOISE, "RGBA"),
    "huge": lambda data, other: png(np.zeros((8, LARGEST_SIDE + 1, 3), np.uint8)),
    "no picture": lambda data, other: b"<html>not found</html>",
    "removed": None,
}


class Counting:
    """The toy generator; `made` counts how often each image was drawn."""

    fingerprint = "the toy generator, counted"

    def __init__(self, paint=0):
        self.made: Counter[Any] = Counter()
        self.paint = paint  # in a pixel that no part reads: as another machine would draw

    def draw(self, prompts, seeds):
        """Count and draw."""
        self.made.update(zip(prompts, seeds, strict=True))
        images = toyworld.draw(prompts, seeds)
        for image in images:
            image[9, 9, 2] = self.paint
        return images


class OnSnow(toyworld.Classifier):
    """Fails elsewhere than the toy world's first classifier, and there too."""

    def answer(self, scene):
        """Take teapots on snow for barrels."""
        return "barrel" if (scene.label, scene.ground) == ("teapot", "snow") else super().answer(scene)


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give the folder of a finished hunt; its archive lies beside it."""
    folder = tmp_path_factory.mktemp("hunted") / "run"
    hunt(folder, generator=Counting())
    return folder


def damage(archive, how):
    """Damage three images of an archive; give their bytes as they were."""
    there = kept.images(archive)
    whole = {one: one.read() for one in there[::60][:3]}
    for one, data in whole.items():
        harm = DAMAGE[how]
        if harm is None:
            one.remove()
        else:
            one.write(harm(data, there[-1].read()))
    return whole


@pytest.mark.parametrize("how", DAMAGE)
def test_a_torn_image_is_drawn_again(hunted, tmp_path, how):
    """A damaged, replaced or missing image is found by its hash and drawn again; the findings are the same bytes."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    whole = damage(tmp_path / "copy" / "archive", how)
    generator = Counting()
    hunt(tmp_path / "copy" / "run", generator=generator)
    assert toyworld.written(tmp_path / "copy" / "run") == toyworld.written(hunted)
    assert {one: one.read() for one in whole} == whole
    assert 3 <= generator.made.total() <= 3 * toyworld.SMALL["batch"]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_hunt_that_never_saw_a_torn_image_finds_it(hunted, tmp_path, how):
    """An image that was damaged before this run directory was made is known by its own name, and drawn again."""
    shutil.copytree(hunted.parent / "archive", tmp_path / "archive")
    whole = damage(tmp_path / "archive", how)
    with Archive(tmp_path / "archive") as archive:
        assert [archive.images.get(one.image) for one in whole] == [None] * 3
    generator = Counting()
    hunt(tmp_path / "run", OnSnow(), generator=generator)
    assert {one: one.read() for one in whole} == whole
    alone = hunt(tmp_path / "elsewhere" / "run", OnSnow(), generator=Counting())
    assert toyworld.written(tmp_path / "run") == toyworld.written(alone.folder)


@pytest.mark.parametrize("how", ["removed", "truncated"])
def test_an_image_that_cannot_be_drawn_again_costs_no_outcome(hunted, tmp_path, how):
    """A generator that gives other pixels for a lost image is believed where the image has gone, and never crashes."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    damage(tmp_path / "copy" / "archive", how)
    run = hunt(tmp_path / "copy" / "run", generator=Counting(paint=1))
    assert {f.trial.hypothesis.description for f in run.confirmed} >= {"on grass"}
    assert run.result.unscored == ()


def test_two_hunts_share_their_images(tmp_path):
    """Hunts of different classifiers over one archive make no draw twice, and leave each other's findings alone."""
    generator = Counting()
    first = hunt(tmp_path / "one", generator=generator)
    after_one = generator.made.total()
    second = hunt(tmp_path / "two", OnSnow(), generator=generator)
    assert len(second.confirmed) > len(first.confirmed)
    # Each hunt asks the generator for one image again, to see whether it draws the same.
    assert sorted(generator.made.values())[-2:] == [1, 2]
    assert generator.made.total() - after_one < sum(second.result.draws.values()) / 2, "the archive was not used"
    alone = hunt(tmp_path / "elsewhere" / "run", OnSnow(), generator=Counting())
    assert toyworld.written(alone.folder) == toyworld.written(second.folder)


def test_the_archive_says_what_every_image_shows(hunted):
    """For every image there is a row with its prompt, its seed and the words that were not used."""
    with contextlib.closing(sqlite3.connect(hunted.parent / "archive" / "archive.sqlite")) as db:
        rows = db.execute("SELECT image, ignored, prompt, seed FROM draws").fetchall()
    assert {one.image for one in kept.images(hunted.parent / "archive")} == {image for image, *_ in rows}
    for _, ignored, prompt, seed in rows:
        assert "a realistic photograph of a" in prompt
        assert 0 <= seed < 2**32
        assert ignored == "[]"


def test_any_program_that_reads_tar_shows_the_images(hunted):
    """Each file of an archive is a tar of PNG files that are named after their pixels."""
    found: dict[str, bytes | None] = {}
    for file in (hunted.parent / "archive" / "images").glob("*.tar"):
        with tarfile.open(file) as tar:
            found |= {one.name: file.read() for one in tar if (file := tar.extractfile(one)) is not None}
    there = kept.images(hunted.parent / "archive")
    assert found == {f"{one.image}.png": one.read() for one in there}
    assert len(there) > 100


@given(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), st.binary(max_size=2000))
def test_a_file_of_a_tar_is_what_tarfile_writes(name, data):
    """Header and bytes are those that Python's own library gives, whatever the name and however long."""
    about = tarfile.TarInfo(f"{name}.png")
    about.size = len(data)
    padded = data + bytes(-len(data) % 512)
    assert _member(name, data) == about.tobuf(tarfile.USTAR_FORMAT) + padded
    assert room(len(data)) == 512 + len(padded)


NAMES = st.text(max_size=70) | st.sampled_from(["../../etc/passwd", "a" * 32, "A" * 32 + ".tar", "0" * 32 + ".tar\n"])


@given(NAMES, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_a_place_cannot_leave_the_archive(shard, start, size):
    """Whatever a damaged archive says, a name that is none of foible's own names no file, and nothing is read."""
    place = Place(shard=shard, start=start, size=size)
    shards = Shards(Path("/"))
    assert shards.read(place) is None
    assert shards.holds([place]) == set()


@pytest.fixture
def shards(tmp_path):
    """Give an empty folder for images."""
    with Shards(tmp_path) as made:
        yield made


def test_what_is_put_comes_back(shards, tmp_path):
    """An image comes back as it was put, under the hash of its own pixels alone; the same pixels are written once."""
    image, turned = content_hash(NOISE), np.ascontiguousarray(NOISE.transpose(1, 0, 2))
    placed = shards.put({image: NOISE})
    assert shards.put({image: NOISE.copy()}) == placed
    assert np.array_equal(shards.get(placed[image], image), NOISE)
    assert shards.get(placed[image], "f" * 64) is None
    both = shards.put({image: NOISE, content_hash(turned): turned})
    assert both[image] == placed[image]
    assert np.array_equal(shards.get(both[content_hash(turned)], content_hash(turned)), turned)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_hunt_whose_files_of_images_have_gone_draws_them_again(hunted, tmp_path):
    """Where a tar file was removed its images are drawn again, and the findings are the same bytes."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    for file in (tmp_path / "copy" / "archive" / "images").glob("*.tar"):
        file.unlink()
    generator = Counting()
    hunt(tmp_path / "copy" / "run", generator=generator)
    assert toyworld.written(tmp_path / "copy" / "run") == toyworld.written(hunted)
    assert generator.made


def test_an_archive_of_files_is_taken_over(hunted, tmp_path):
    """Before version 3 each image was a file: a hunt takes them into shards, draws nothing anew, and leaves none."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    archive = tmp_path / "copy" / "archive"
    for one in kept.images(archive):
        path = archive / "images" / one.image[:2] / f"{one.image}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one.read())
    for file in archive.glob("images/*.tar"):
        file.unlink()
    kept.age(archive, 2)
    with pytest.raises(StoreError, match="one hunt on it brings it up to date"):
        Archive(archive, write=False)
    generator = Counting()
    hunt(tmp_path / "copy" / "run", generator=generator)
    assert not generator.made
    assert toyworld.written(tmp_path / "copy" / "run") == toyworld.written(hunted)
    assert not list(archive.rglob("*.png"))
    assert len(kept.images(archive)) == len(kept.images(hunted.parent / "archive"))


@pytest.mark.parametrize("place", ["archive", "archive/images", "archive/archive.sqlite"])
def test_an_archive_that_cannot_be_written_ends_the_hunt_with_one_sentence(tmp_path, place):
    """What stands in the way of the archive ends the hunt with a sentence that names it; mended, the hunt goes on."""
    way = tmp_path / place
    way.parent.mkdir(exist_ok=True)
    way.write_text("in the way, " * 100)
    with pytest.raises(foible.InputError, match="archive") as told:
        hunt(tmp_path / "run")
    assert "\n" not in str(told.value)
    assert str(tmp_path) in str(told.value)
    assert way.read_text() == "in the way, " * 100
    way.unlink()
    assert hunt(tmp_path / "run").confirmed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_nothing_is_written_behind_the_end(tmp_path):
    """A thread that comes too late with its images leaves no file open, and none half written."""
    with Shards(tmp_path) as shards:
        pass
    with pytest.raises(StoreError, match="was closed before an image came"):
        shards.put({content_hash(NOISE): NOISE})
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_costs_nothing_that_was_kept(shards):
    """Where the disk is full a sentence says so; what was written stays, and the next image begins another file."""
    image, other = content_hash(NOISE), np.zeros((9, 9, 3), np.uint8)
    placed = shards.put({image: NOISE})
    shards._forget()
    shards._out = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - it is closed by what fails
    with pytest.raises(StoreError, match="cannot be written"):
        shards.put({content_hash(other): other})
    again = shards.put({content_hash(other): other})
    assert np.array_equal(shards.get(placed[image], image), NOISE)
    assert np.array_equal(shards.get(again[content_hash(other)], content_hash(other)), other)


def test_what_a_killed_process_left_is_swept_after_a_day(tmp_path):
    """Temporary files of killed processes go; those that may still be written stay."""
    left = tmp_path / "archive" / "images" / "unfinished"
    left.mkdir(parents=True)
    (left / "old").write_bytes(b"half")
    (left / "new").write_bytes(b"half")
    os.utime(left / "old", (1, 1))
    Archive(tmp_path / "archive").close()
    assert [path.name for path in left.iterdir()] == ["new"]


# --- rows -------------------------------------------------------------------------------------------------------------


def row(key, image="a" * 64, **more):
    """Give the row of a draw."""
    return DrawRow(**{"key": key, "image": image, "ignored": (), "prompt": "a mug", "seed": 4, **more})


def edit(folder, query, *values):
    """Change the database behind foible's back; give how many rows were changed."""
    with contextlib.closing(sqlite3.connect(folder / "archive.sqlite")) as db, db:
        return db.execute(query, values).rowcount


def test_rows_come_back_as_they_were(tmp_path):
    """Draws and answers come back by key as they were added, however many are asked for at once."""
    rows = [
        row(f"{i}", ignored=("é", "x"), prompt="on 'grass'; --", seed=2**32 - 1 - i, samplings=1 + i)
        for i in range(1200)
    ]
    answers = {"k": [[3, 0.1 + 0.2]], "t": "a “mug”", "j": [True, 1.0]}
    with Archive(tmp_path) as archive:
        archive.add(rows, answers)
    for write in (True, False):
        with Archive(tmp_path, write=write) as archive:
            assert archive.draws(one.key for one in rows) == {one.key: one for one in rows}
            assert archive.answers(["k", "t", "j", "none"]) == answers


def test_a_row_that_is_there_stays(tmp_path):
    """The first process that finishes a row wins; only a draw whose image is torn is replaced."""
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {"k": [[3, 1.0]]})
        archive.add([row("d", "b" * 64)], {"k": [[4, 1.0]], "new": "text"})
        assert archive.draws(["d"])["d"].image == "a" * 64
        assert archive.answers(["k", "new"]) == {"k": [[3, 1.0]], "new": "text"}
        archive.add([row("d", "b" * 64)], {}, replace={"d": "c" * 64})
        assert archive.draws(["d"])["d"].image == "a" * 64
        archive.add([row("d", "b" * 64)], {}, replace={"d": "a" * 64})
        assert archive.draws(["d"])["d"].image == "b" * 64


def test_a_unit_is_added_whole_or_not_at_all(tmp_path):
    """A unit with a row that cannot be kept adds none of its rows."""
    with Archive(tmp_path) as archive:
        with pytest.raises(StoreError, match="damaged"):
            archive.add([row("good"), row("bad", None)], {"k": "text"})
        assert archive.draws(["good", "bad"]) == {}
        assert archive.answers(["k"]) == {}
        archive.add([row("good")], {})
        assert set(archive.draws(["good"])) == {"good"}


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE draws SET image = replace(image, 'a', 'b')",
        "UPDATE draws SET ignored = '[\"x\"]'",
        "UPDATE draws SET prompt = prompt || ' '",
        "UPDATE draws SET seed = seed + 4",
        "UPDATE draws SET seed = 'four'",
        "UPDATE draws SET samplings = 2",
        "UPDATE draws SET samplings = 0",
        "UPDATE draws SET samplings = 'two'",
        "UPDATE draws SET seal = ''",
        "UPDATE draws SET key = 'other'",
        "UPDATE answers SET value = '[[4,1.0]]'",
        "UPDATE answers SET value = x'00ff'",
        "UPDATE answers SET key = 'other'",
        "UPDATE answers SET seal = (SELECT seal FROM draws)",
    ],
)
def test_a_row_that_was_changed_is_as_good_as_missing(tmp_path, query):
    """A row bears a seal over its key and content; where it does not fit, the row is not believed, and made again."""
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {"k": [[3, 1.0]]})
    assert edit(tmp_path, query) == 1
    with Archive(tmp_path) as archive:
        keys = ["d", "other", "k"]
        assert len(archive.draws(keys)) + len(archive.answers(keys)) == 1
        archive.add([row("d")], {"k": [[3, 1.0]]})
        assert archive.draws(["d"]) == {"d": row("d")}
        assert archive.answers(["k"]) == {"k": [[3, 1.0]]}


def test_one_transaction_a_unit(tmp_path, monkeypatch):
    """Whatever a unit brings, draws and answers of every part, costs one commit, and what brings nothing costs none."""
    said: list[Any] = []
    units = itertools.count()
    opened = Archive.__init__

    def traced(archive, *given, **more):
        opened(archive, *given, **more)
        archive._db.set_trace_callback(said.append)

    def drawing(prompts, seeds):
        next(units)
        return toyworld.draw(prompts, seeds)

    def embed(images):
        next(units)
        return toyworld.embed(images)

    monkeypatch.setattr(Archive, "__init__", traced)
    # Nothing is followed, so that the units are those of draws, of the failures' vectors and of their captions.
    config = {"describe": {"method": "contrast"}}

    def describe(images):
        next(units)
        return toyworld.describe(images)

    parts = {"generator": drawing, "embedder": embed, "captioner": describe}
    hunt(tmp_path / "run", config=config, **parts)
    # Asked again about what is not kept: an image, and vectors and captions three times; and 30 images are judged
    # against another label, in units of 8. Of each of five parts it is kept that it was asked again.
    assert said.count("COMMIT") == next(units) - 7 + 4 + 5 > 10
    assert said.count("BEGIN IMMEDIATE") == said.count("COMMIT")
    said.clear()
    hunt(tmp_path / "run", config=config, **parts)
    assert "COMMIT" not in said
    assert said


# --- the file ---------------------------------------------------------------------------------------------------------


def refusal(folder, **options):
    """Open an archive that cannot be opened; give the sentence."""
    with pytest.raises(StoreError) as told:
        Archive(folder, **options)
    assert str(folder) in str(told.value)
    assert str(told.value).isprintable()
    return str(told.value)


def content(folder):
    """Give everything that the database holds."""
    with contextlib.closing(sqlite3.connect(folder / "archive.sqlite")) as db:
        return list(db.iterdump())


def test_one_more_step_brings_an_old_file_up_to_date(tmp_path):
    """A file that fewer steps made keeps its rows, gets what they lack, and is only read once it has it."""
    path = tmp_path / "archive.sqlite"
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {"k": "text"})
    more = (*SCHEMA, "ALTER TABLE answers ADD COLUMN told TEXT NOT NULL DEFAULT ''; CREATE TABLE more (x INTEGER)")
    with pytest.raises(StoreError, match="one hunt on it brings it up to date"):
        connect(path, more, write=False)
    for write in (True, False):
        with contextlib.closing(connect(path, more, write=write)) as db:
            assert db.execute("SELECT key, value, told FROM answers").fetchall() == [("k", '"text"', "")]
            assert db.execute("SELECT count(*) FROM more").fetchone() == (0,)
            assert db.execute("SELECT key FROM draws").fetchall() == [("d",)]
    before = content(tmp_path)
    for write in (True, False):
        assert "use the newer foible" in refusal(tmp_path, write=write)
    assert content(tmp_path) == before


def test_draws_of_an_archive_that_counted_no_samplings_are_kept(tmp_path):
    """What was drawn before the count was kept is as good as it was: one image was sampled for each."""
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {"k": "text"})
    kept.age(tmp_path, 1)
    with Archive(tmp_path) as archive:
        assert archive.draws(["d"]) == {"d": row("d", samplings=1)}
        archive.add([row("e", samplings=9)], {})
        assert archive.draws(["e"])["e"].samplings == 9


def test_a_step_that_fails_changes_nothing(tmp_path):
    """A step is taken whole or not at all: what it had done before it failed is undone, and the number stays."""
    Archive(tmp_path).close()
    before = content(tmp_path)
    with pytest.raises(StoreError):
        connect(tmp_path / "archive.sqlite", (*SCHEMA, "CREATE TABLE more (x INTEGER); NO SUCH THING"), write=True)
    assert content(tmp_path) == before
    Archive(tmp_path).close()


STRANGERS = [
    "CREATE TRIGGER t AFTER INSERT ON answers BEGIN UPDATE answers SET value = '[true,1.0]'; END",
    "CREATE TRIGGER sqliteXt AFTER INSERT ON answers BEGIN DELETE FROM draws; END",
    "CREATE VIEW v AS SELECT * FROM answers",
    "CREATE TABLE songs (title TEXT)",
    "CREATE INDEX i ON draws (seed)",
    "DROP TABLE answers",
    "ALTER TABLE answers ADD COLUMN more TEXT",
]


@pytest.mark.parametrize("query", STRANGERS)
def test_what_foible_never_puts_there_is_refused(tmp_path, query):
    """A trigger, a view, a table or an index of a stranger is refused before a row is read or written."""
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {"k": "text"})
    edit(tmp_path, query)
    before = content(tmp_path)
    for write in (True, False):
        assert "from a stranger" in refusal(tmp_path, write=write)
    assert content(tmp_path) == before


def test_what_is_no_archive_is_refused_and_left_alone(tmp_path):
    """A file that is no database, or the database of another program, is refused; nothing in it changes."""
    file = tmp_path / "archive.sqlite"
    file.write_text("dear diary, " * 500)
    assert "damaged" in refusal(tmp_path)
    assert file.read_text() == "dear diary, " * 500
    file.unlink()
    edit(tmp_path, "CREATE TABLE songs (title TEXT)")
    before = content(tmp_path)
    assert "name another place" in refusal(tmp_path)
    assert content(tmp_path) == before
    assert "holds no archive.sqlite" in refusal(tmp_path / "nowhere", write=False)
    assert not (tmp_path / "nowhere").exists()


def test_an_archive_that_was_killed_while_it_was_made_is_made(tmp_path):
    """An empty database file, as a kill at the first moment leaves it, becomes an archive."""
    (tmp_path / "archive.sqlite").touch()
    with Archive(tmp_path) as archive:
        archive.add([row("d")], {})
        assert set(archive.draws(["d"])) == {"d"}


WRITER = """
import sys
from pathlib import Path
import numpy as np
from foible.pixels import content_hash
from foible.run.archive import Archive
from foible.run.rows import DrawRow
own = sys.argv[2]
with Archive(Path(sys.argv[1])) as archive:
    for unit in range(20):
        images = [np.full((8, 8, 3), unit, np.uint8), np.full((8, 8, 3), ord(own), np.uint8)]
        images[0][0, 0, 0] ^= 1
        names = [content_hash(image) for image in images]
        placed = archive.shards.put(dict(zip(names, images)))
        keys = [f"shared {unit}", f"{own} {unit}"]
        rows = [DrawRow(key=k, image=i, ignored=(), prompt=own, seed=unit) for k, i in zip(keys, names)]
        archive.add(rows, {key: own for key in keys}, images=placed)
        found = archive.draws(keys), archive.answers(keys)
        assert set(found[0]) == set(found[1]) == set(keys)
        assert found[0][keys[0]].prompt == found[1][keys[0]], "one unit, of two processes"
"""


def test_many_processes_write_one_archive(tmp_path):
    """Processes that write at once lose nothing: each unit is kept whole, and what two make is kept once."""
    folder = tmp_path / "archive"
    writers = [toyworld.command(folder, own, python=("-c", WRITER)) for own in "abcd"]
    assert [toyworld.finished(one) for one in writers] == [(0, "", "")] * 4
    with Archive(folder, write=False) as archive:
        keys = [f"{own} {unit}" for own in ("shared", *"abcd") for unit in range(20)]
        rows, answers = archive.draws(keys), archive.answers(keys)
        assert set(rows) == set(answers) == set(keys)
        assert all(rows[key].prompt == answers[key] for key in keys)
        assert all(archive.images.get(one.image) is not None for one in rows.values())
    assert not list(folder.glob("images/unfinished/*"))


def test_hunts_at_once_share_one_archive(tmp_path):
    """Hunts that run at once over one archive end as each would alone."""
    hunts = [toyworld.command(*toyworld.COMMAND, "--out", tmp_path / name) for name in ("one", "two")]
    assert [toyworld.finished(one)[0] for one in hunts] == [0, 0]
    assert toyworld.written(tmp_path / "one") == toyworld.written(tmp_path / "two")
