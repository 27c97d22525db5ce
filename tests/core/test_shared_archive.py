"""Promises about an archive that machines share through an object store; the store is a server on loopback."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import uuid

import httpx2
import pytest
from moto.server import ThreadedMotoServer

import kept
import toyworld
from foible.act.archive.free import free
from foible.checks.verify import verify
from foible.errors import StoreError
from foible.run.archive import Archive
from foible.run.rows import DrawRow
from foible.run.shared import URL, Entry, Shared

pytestmark = pytest.mark.xdist_group("shared archive")


@pytest.fixture(scope="module")
def server():
    """Give the address of a store that speaks S3."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def store(server, monkeypatch):
    """Let the environment name an empty store."""
    keys = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
    }  # pragma: allowlist secret
    for name, value in {**keys, "AWS_ENDPOINT": server, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{uuid.uuid4().hex}"
    httpx2.put(f"{server}/{bucket}").raise_for_status()
    monkeypatch.setenv(URL, f"s3://{bucket}/hunts")
    return f"s3://{bucket}/hunts"


def row(key, image="a" * 64):
    """Give the row of a draw."""
    return DrawRow(key=key, image=image, ignored=(), prompt="a mug", seed=4)


def test_what_one_machine_drew_another_does_not(store, tmp_path):
    """A hunt on a second machine with the same store draws and asks nothing, and finds the same to the byte."""
    first = toyworld.hunt(tmp_path / "one" / "run", seed=2)
    second = toyworld.hunt(tmp_path / "two" / "run", seed=2)
    assert second.spent.get("generator", (0, 0.0))[0] <= 3, "but for the draws that ask whether it draws the same"
    assert toyworld.written(second.folder) == toyworld.written(first.folder)
    assert not verify(second.folder).differences


def test_images_are_fetched_when_they_are_wanted(store, tmp_path):
    """A copy that has no image yet reads them from the store, and keeps what it fetched."""
    run = toyworld.hunt(tmp_path / "one" / "run", seed=2)
    with Archive(tmp_path / "two" / "archive") as archive:
        assert not list(archive.shards.folder.glob("*.tar"))
        names = [one.image for one in kept.images(run.archive)]
        assert all(archive.images.get(name) is not None for name in names[:5])
        assert list(archive.shards.folder.glob("*.tar"))


def test_all_agree_on_who_was_first(store, tmp_path):
    """Of two machines that keep the same row, the first wins, and the other has that one too as soon as it writes."""
    with Archive(tmp_path / "one") as one, Archive(tmp_path / "two") as two:
        one.add([row("d")], {"k": [1, 0.5]})
        two.add([row("d", "b" * 64), row("e")], {"k": "late", "own": True})
        for archive in (one, two):
            assert archive.draws(["d"])["d"].image == "a" * 64
            assert archive.answers(["k"]) == {"k": [1, 0.5]}
        assert two.answers(["own"]) == {"own": True}
        assert one.draws(["e"]) == {}
        one.add([], {"more": "text"})
        assert one.draws(["e"]) == {"e": row("e")}
        assert one.answers(["own"]) == {"own": True}


def test_two_hunts_at_once_end_as_each_would_alone(store, tmp_path, monkeypatch):
    """Two machines that hunt at once over one store find the same bytes."""
    hunts = [toyworld.command(*toyworld.COMMAND, "--out", tmp_path / name / "run") for name in ("one", "two")]
    assert [toyworld.finished(one)[0] for one in hunts] == [0, 0]
    monkeypatch.delenv(URL)
    alone = toyworld.command(*toyworld.COMMAND, "--out", tmp_path / "alone" / "run")
    assert toyworld.finished(alone)[0] == 0
    whole = toyworld.written(tmp_path / "alone" / "run")
    assert toyworld.written(tmp_path / "one" / "run") == toyworld.written(tmp_path / "two" / "run") == whole


def test_what_no_row_names_is_taken_from_the_store(store, tmp_path):
    """A file that a machine sent before it died is freed once it is old; what a row names stays for every machine."""
    run = toyworld.hunt(tmp_path / "one" / "run", seed=2)
    sent = Shared(store)
    named = set(sent.images())
    sent.send("f" * 32 + ".tar", b"x" * 1024)
    (run.archive / "images" / ("e" * 32 + ".tar")).write_bytes(b"y" * 512)
    assert free(run.archive).recent == 2
    dry = free(run.archive, recent=0, dry=True)
    assert (dry.bytes, dry.recent) == (1536, 0)
    assert set(sent.images()) == named | {"f" * 32 + ".tar"}
    assert free(run.archive, recent=0) == dry
    assert set(sent.images()) == named
    assert free(run.archive, recent=0).bytes == 0
    second = toyworld.hunt(tmp_path / "two" / "run", seed=2)
    assert second.spent.get("generator", (0, 0.0))[0] <= 3
    assert not verify(second.folder).differences


def test_a_damaged_copy_takes_nothing_from_the_store(store, tmp_path):
    """What a copy lost others still have: files that the log names stay, and so does what is no file of images."""
    run = toyworld.hunt(tmp_path / "one" / "run", seed=2)
    sent = Shared(store)
    sent.send("notes.txt", b"somebody's")
    with contextlib.closing(sqlite3.connect(run.archive / "archive.sqlite")) as database:
        database.execute("UPDATE images SET shard = 'no file'")
        database.commit()
    named = set(sent.images())
    assert named
    assert free(run.archive, recent=0).bytes == 0
    assert set(sent.images()) == named
    assert sent.fetch("notes.txt") == b"somebody's"


def test_no_row_is_taken_from_others(store, tmp_path):
    """To keep what one run needs would drop what other machines count on: it is refused in a sentence."""
    run = toyworld.hunt(tmp_path / "one" / "run", seed=2)
    with pytest.raises(StoreError, match=r"in which every row stays.*without --keep"):
        free(run.archive, [run.folder], recent=0)


def test_a_copy_is_not_written_to_without_its_store(store, tmp_path, monkeypatch):
    """Rows that only one machine has would be lost to the others: both ways of having them are refused."""
    Archive(tmp_path / "copy").close()
    monkeypatch.delenv(URL)
    with pytest.raises(StoreError, match=f"is a copy of the archive at s3://.*; set {URL}"):
        Archive(tmp_path / "copy")
    Archive(tmp_path / "copy", write=False).close()
    with Archive(tmp_path / "own") as archive:
        archive.add([row("d")], {})
    monkeypatch.setenv(URL, store)
    with pytest.raises(StoreError, match="foible archive import"):
        Archive(tmp_path / "own")


@pytest.mark.parametrize("url", ["s3:/", "nonsense", "bogus://place", "s3://", "ftp://x/y", "\x1b[31m"])
def test_what_names_no_store_is_a_sentence(url, tmp_path, monkeypatch):
    """A misspelt URL is refused before anything is drawn, in one line that a terminal can show."""
    monkeypatch.setenv(URL, url)
    with pytest.raises(StoreError) as told:
        Archive(tmp_path / "archive")
    assert str(told.value).isprintable()


def test_a_store_that_does_not_answer_ends_the_hunt_with_a_sentence(store, tmp_path, monkeypatch):
    """Where nobody listens, the sentence says so; when the store is back, the same command goes on."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    right = toyworld.hunt(tmp_path / "right" / "run", seed=2)
    with monkeypatch.context() as broken:
        broken.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port}")
        with pytest.raises(StoreError, match="cannot be used") as told:
            toyworld.hunt(tmp_path / "wrong" / "run", seed=2)
        assert str(told.value).isprintable()
    assert toyworld.written(toyworld.hunt(tmp_path / "wrong" / "run", seed=2).folder) == toyworld.written(right.folder)


def test_an_entry_that_was_changed_is_not_believed(tmp_path, monkeypatch):
    """A log whose entry is torn, moved to another number, missing or not of this form is refused in a sentence."""
    monkeypatch.setenv(URL, (tmp_path / "store").as_uri())
    with Archive(tmp_path / "one") as one:
        one.add([row("d")], {"k": 1})
        one.add([row("e")], {})
    first, second = sorted((tmp_path / "store" / "log").iterdir())
    whole = second.read_bytes()
    strange = b'["%b",{"draws":1}]\n' % whole[2:34]
    for spoiled in (
        b"",
        whole[:-9],
        whole.replace(b"a mug", b"a cup"),
        first.read_bytes(),
        strange,
        b"\xff" * 99,
        None,
    ):
        if spoiled is None:
            third = second.with_name(f"{3:012}.json")
            second.rename(third)
        else:
            second.write_bytes(spoiled)
        with pytest.raises(StoreError, match=r"entry 2 of the archive at .* is damaged"):
            Archive(tmp_path / "two")
    third.rename(second)
    second.write_bytes(whole)
    with Archive(tmp_path / "two") as two:
        assert set(two.draws(["d", "e"])) == {"d", "e"}


def test_a_number_is_given_once(tmp_path):
    """Of two that append under one number one is told that it came too late, and what was there stays."""
    shared = Shared((tmp_path / "store").as_uri())
    entries = [Entry(answers={"k": text}) for text in ("first", "late")]
    assert [shared.append(1, one) for one in entries] == [True, False]
    assert shared.append(1, entries[0]), "its answer was lost, and it asks again"
    assert list(shared.entries(0)) == [(1, entries[0])]
    assert list(shared.entries(1)) == []


def test_an_object_of_any_size_or_name_does_no_harm(tmp_path, monkeypatch):
    """What others put beside the log is not read, and an image that is none counts as gone."""
    monkeypatch.setenv(URL, (tmp_path / "store").as_uri())
    with Archive(tmp_path / "one") as one:
        one.add([row("d")], {}, images=one.shards.append({"a" * 64: b"no image"}))
    (tmp_path / "store" / "log" / "notes.txt").write_text("mine")
    (tmp_path / "store" / "log" / "12.json").write_text("mine")
    with Archive(tmp_path / "two") as two:
        assert two.draws(["d"]) == {"d": row("d")}
        assert two.images.get("a" * 64) is None
