"""Promises about an archive as a whole: what it holds, whether it is whole, what is freed, what is copied."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

import kept
import toyworld
from foible.act.archive.copies import copy
from foible.act.archive.free import free
from foible.act.archive.info import check, info
from foible.checks.verify import verify
from foible.pixels import content_hash, read_png
from foible.run.archive import Archive

pytestmark = pytest.mark.xdist_group("archive verbs")


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give a folder with two finished hunts and their archive."""
    place = tmp_path_factory.mktemp("hunted")
    toyworld.hunt(place / "one", seed=2)
    toyworld.hunt(place / "two", labels=["teapot"], seed=9)
    return place


@pytest.fixture
def place(hunted, tmp_path):
    """Give a copy of it."""
    shutil.copytree(hunted, tmp_path / "copy")
    return tmp_path / "copy"


def called(*arguments):
    """Call the command; its code, its lines and what it said on stderr."""
    code, out, err = toyworld.called("archive", *arguments)
    return code, out.splitlines(), err


def test_it_says_what_it_holds(place):
    """The counts are those of the tables and of the files, and nothing is written."""
    images = kept.images(place / "archive")
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    found = info(place / "archive")
    assert found.images == len(images) > 100
    assert found.files == sum(path.stat().st_size for path in (place / "archive" / "images").glob("*.tar"))
    with Archive(place / "archive", write=False) as archive:
        assert found.draws == len([row for rows in archive.pages("draws") for row in rows]) >= found.images
    code, out, err = called("info", "--archive", place / "archive", "--json")
    assert (code, err) == (0, "")
    assert json.loads("\n".join(out))["draws"] == found.draws
    code, lines, _ = called("info", "--archive", place / "archive")
    assert f"draws    {found.draws:,}" in lines
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    assert found.shown == sum(len(one.read()) for one in images)


def test_damage_is_named_and_counted(place):
    """A torn image with its draws, and a changed answer, are named; all else is whole."""
    whole = check(place / "archive")
    assert (whole.damages, whole.draws) == (0, info(place / "archive").draws)
    torn = kept.images(place / "archive")[7]
    torn.write(torn.read()[:-9])
    with sqlite3.connect(place / "archive" / "archive.sqlite") as db:
        (key,) = db.execute("SELECT key FROM answers ORDER BY key LIMIT 1").fetchone()
        db.execute("UPDATE answers SET value = '7' WHERE key = ?", (key,))
        draws = [row[0] for row in db.execute("SELECT key FROM draws WHERE image = ?", (torn.image,))]
    db.close()
    found = check(place / "archive")
    assert found.damages == len(found.damaged) == 2 + len(draws)
    assert found.draws == whole.draws - len(draws)
    assert found.answers == whole.answers - 1
    code, lines, err = called("verify", "--archive", place / "archive")
    assert code == 1
    assert any(torn.image in line for line in lines)
    assert f"answer {key}: its row was changed" in lines
    assert "damaged" in err


def test_a_run_can_be_taken_elsewhere_with_what_it_needs(place, tmp_path):
    """What is exported for a run verifies it, holds nothing of the other, and a second time copies nothing."""
    target = tmp_path / "elsewhere" / "archive"
    code, lines, err = called("export", target, "--archive", place / "archive", "--run", place / "two")
    assert (code, err) == (0, "")
    assert "0 were there" in lines[-1]
    assert verify(place / "two", target).differences == ()
    assert verify(place / "one", target).differences
    assert info(target).draws < info(place / "archive").draws / 2
    again = copy(place / "archive", target, [place / "two"])
    assert (again.draws, again.answers, again.lost) == (0, 0, 0)
    shutil.copytree(place / "two", tmp_path / "elsewhere" / "two")
    before = toyworld.written(place / "two")
    toyworld.hunt(tmp_path / "elsewhere" / "two", labels=["teapot"], seed=9)
    assert toyworld.written(tmp_path / "elsewhere" / "two") == before


def test_what_is_there_stays_and_what_is_torn_stays_behind(place, tmp_path):
    """An import adds what lacks: rows that are there win, and a torn image is left behind and counted."""
    target = tmp_path / "archive"
    torn = kept.images(place / "archive")[3]
    torn.write(torn.read()[:40])
    code, _, err = called("import", place / "archive", "--archive", target)
    assert code == 1
    assert "left behind" in err
    with Archive(place / "archive", write=False) as given, Archive(target) as taken:
        rows = [row[0] for rows in given.pages("draws") for row in rows]
        assert {row.image for row in taken.draws(rows).values()} == {
            one.image for one in kept.images(place / "archive")
        } - {torn.image}
        assert all(taken.images.get(one.image) is not None for one in kept.images(target))


@pytest.mark.parametrize("how", ["itself", "nothing", "no run"])
def test_what_cannot_be_copied_is_a_sentence_and_makes_nothing(place, tmp_path, how):
    """An archive into itself, from a folder without one, for a run that is none: one sentence, and no new archive."""
    target = tmp_path / "new"
    arguments = {
        "itself": ("import", place / "archive", "--archive", place / "archive"),
        "nothing": ("import", tmp_path / "none", "--archive", target),
        "no run": ("export", target, "--archive", place / "archive", "--run", tmp_path),
    }[how]
    code, lines, err = called(*arguments)
    assert (code, lines) == (2, [])
    assert err.startswith("foible: ")
    assert err.count("\n") == 1
    assert not target.exists()


def test_room_that_nobody_needs_is_given_back(place):
    """What no row names goes, and everything is as whole as before; a file that may be written to is left alone."""
    archive, before = place / "archive", check(place / "archive")
    with Archive(archive) as opened:
        opened.shards.append({"a" * 64: b"nobody's"})
    (file,) = [path for path in archive.glob("images/*.tar") if path.stat().st_size == 1024]
    assert free(archive).recent == 1
    assert file.exists()
    dry = free(archive, recent=0, dry=True)
    assert dry.bytes == 1024
    assert file.exists()
    assert free(archive, recent=0) == dry
    assert not file.exists()
    assert check(archive) == before
    assert free(archive, recent=0).bytes == 0


def test_only_what_the_named_runs_need_is_kept(place):
    """With --keep the rows and images of other runs go, files shrink, and the runs that are kept verify to the byte."""
    archive, before = place / "archive", info(place / "archive")
    code, lines, _ = called("gc", "--archive", archive, "--keep", place / "two", "--recent", 0)
    assert code == 0
    after = info(archive)
    assert f"freed: {before.draws - after.draws:,} draws" in lines[0]
    assert after.draws < before.draws / 2
    assert after.files < before.files / 2
    assert after.rows < before.rows
    assert verify(place / "two").differences == ()
    assert check(archive).damages == 0
    toyworld.hunt(place / "one", seed=2)
    assert verify(place / "one").differences == ()


def test_a_kill_between_two_steps_of_freeing_costs_nothing(place, monkeypatch):
    """Ended anywhere, what is kept is whole, and a second call ends what the first began."""
    archive = place / "archive"
    left = []

    def killed(self):
        """End before the last step, when the first file was packed."""
        left.append(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(archive), "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            free(archive, [place / "two"], recent=0)
    assert left
    assert check(archive).damages == 0
    free(archive, [place / "two"], recent=0)
    assert verify(place / "two").differences == ()


def test_an_image_is_shown_by_the_first_digits_of_its_hash(place, tmp_path):
    """The file that is written holds the pixels of that hash; what names none or several is a sentence."""
    one = kept.images(place / "archive")[0]
    code, lines, err = called("show", one.image[:12], "--archive", place / "archive", "--out", tmp_path / "x.png")
    assert (code, err, lines) == (0, "", [f"image: {tmp_path / 'x.png'}"])
    pixels = read_png((tmp_path / "x.png").read_bytes())
    assert pixels is not None
    assert content_hash(pixels) == one.image
    again = called("show", one.image, "--archive", place / "archive", "--out", tmp_path / "x.png")
    assert (again[0], "--replace" in again[2]) == (2, True)
    for name in ("0" * 12, one.image[:7], "../../etc/passwd", "zzzzzzzzzz", ""):
        code, _, err = called("show", name, "--archive", place / "archive", "--out", tmp_path / "y.png")
        assert code == 2
        assert err.count("\n") == 1
    assert not (tmp_path / "y.png").exists()


def test_a_misspelt_archive_is_not_made(tmp_path):
    """Verbs that look at an archive make none where there is none."""
    for verb in ("info", "verify", "gc"):
        code, lines, err = called(verb, "--archive", tmp_path / "arhcive")
        assert (code, lines) == (2, [])
        assert "holds no archive.sqlite" in err
    assert list(tmp_path.iterdir()) == []


def test_pages_hold_every_row_once(tmp_path):
    """A walk over an archive sees each row once, in the order in which they came, also while others write."""
    with Archive(tmp_path) as archive, Archive(tmp_path) as other:
        archive.add([], {f"{number:06}": number for number in range(0, 3000, 2)})
        seen: list[str] = []
        for rows in archive.pages("answers"):
            seen += [row[0] for row in rows]
            other.add([], {f"{int(rows[0][0]) + 1:06}": 1})
    assert seen == [f"{number:06}" for number in range(0, 3000, 2)]
