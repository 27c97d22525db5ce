"""Promises of an archive's tables: whatever is written, found, dropped or indexed, by whom, each sees what is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kept
from foible.errors import StoreError
from foible.identity import digest
from foible.run import tables
from foible.run.archive import Archive
from foible.run.rows import DrawRow
from foible.run.shards import Place

KEYS = [digest(number) for number in range(40)] + [f"{digest(0)[: tables.SHORT]}{number:024}" for number in range(4)]
"""Some are equal as far as the index holds them."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "drop", "look", "reopen"]), st.booleans(), st.sets(st.sampled_from(KEYS), max_size=9)
    ),
    max_size=40,
)


@pytest.fixture
def eager(monkeypatch):
    """Put rows into the index once there are four."""
    monkeypatch.setattr(tables, "LEAST", 4)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_two_who_write_at_once_see_the_same_rows(steps):
    """Rows are found by key, the first that was written, whoever wrote or dropped, however much of it is indexed."""
    with TemporaryDirectory() as folder, patch.object(tables, "LEAST", 4):
        both = [Archive(Path(folder)), Archive(Path(folder))]
        there: dict[str, int] = {}
        for number, (step, which, keys) in enumerate(steps):
            archive = both[which]
            if step == "add":
                archive.add([], dict.fromkeys(keys, number))
                there = dict.fromkeys(keys, number) | there
            elif step == "drop":
                archive.drop("answers", keys)
                there = {key: value for key, value in there.items() if key not in keys}
            elif step == "reopen":
                archive.close()
                both[which] = archive = Archive(Path(folder))
            assert archive.answers(keys) == {key: there[key] for key in keys if key in there}
        for archive in both:
            assert archive.answers(KEYS) == there
            assert archive.count("answers") == len(there)
            assert {row[0] for rows in archive.pages("answers") for row in rows} == set(there)
            archive.close()


def test_who_only_reads_remembers_no_more_than_who_writes(tmp_path, eager):
    """What others have put into the index is not kept in memory, however long an archive stays open to be read."""
    keys = [digest(number) for number in range(400)]
    with Archive(tmp_path) as writing, Archive(tmp_path) as reading:
        for key in keys:
            writing.add([], {key: 1})
            assert reading.answers([key]) == {key: 1}
            assert len(reading._tables["answers"]._recent) <= 2 * max(4, len(keys) // tables.SHARE)
        assert reading.answers(keys) == dict.fromkeys(keys, 1)


def test_a_torn_row_is_replaced_and_no_copy_stays(tmp_path, eager):
    """A row whose seal does not fit is made again in its place, whether it is indexed or known from memory."""
    with Archive(tmp_path) as archive:
        archive.add([], dict.fromkeys(KEYS, 1))
    with sqlite3.connect(tmp_path / "archive.sqlite") as db:
        db.execute("UPDATE answers SET value = '2'")
    with Archive(tmp_path) as archive:
        assert archive.answers(KEYS) == {}
        archive.add([], dict.fromkeys(KEYS, 3))
        assert archive.answers(KEYS) == dict.fromkeys(KEYS, 3)
        assert archive.count("answers") == len(KEYS)


def test_a_draw_that_a_unit_names_twice_is_kept_once(tmp_path):
    """One request has one row, though a unit may ask for it twice."""
    one = DrawRow(key="d", image="i", ignored=(), prompt="p", seed=1)
    with Archive(tmp_path) as archive:
        archive.add([one, one], {})
        assert archive.count("draws") == 1
        assert archive.draws(["d"]) == {"d": one}


def test_what_could_not_be_written_is_forgotten(tmp_path, eager):
    """A transaction that fails, after the index took its rows, leaves what was there before, and it is found."""
    with Archive(tmp_path) as archive:
        archive.add([], dict.fromkeys(KEYS[:3], 1))
        bad = DrawRow(key="d", image="i", ignored=(), prompt="p", seed=2**70)  # no column holds it
        with pytest.raises(StoreError):
            archive.add([bad], dict.fromkeys(KEYS, 2))
        with patch.object(tables.Indexed, "merge", autospec=True, side_effect=_merged_badly), pytest.raises(StoreError):
            archive.add([], dict.fromkeys(KEYS, 2))
        assert archive.answers(KEYS) == dict.fromkeys(KEYS[:3], 1)
        archive.add([], dict.fromkeys(KEYS, 2))
        assert archive.answers(KEYS) == dict.fromkeys(KEYS, 2) | dict.fromkeys(KEYS[:3], 1)


_merge = tables.Indexed.merge


def _merged_badly(table):
    """Put rows into the index, and then find the disk full."""
    _merge(table)
    if table._table == "answers":
        raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM answers_at",
        "DELETE FROM indexed",
        "UPDATE indexed SET last = 9000000000000000",
        "UPDATE indexed SET last = -7",
        "UPDATE answers_at SET at = at + 1",
        "UPDATE answers_at SET short = 'x' || short",
    ],
)
def test_a_damaged_index_costs_rows_and_nothing_else(tmp_path, eager, damage):
    """Where the index is wrong a row is missing, never another one: it is made again, and then it is found."""
    with Archive(tmp_path) as archive:
        for key in KEYS:
            archive.add([], {key: key})
    with sqlite3.connect(tmp_path / "archive.sqlite") as db:
        db.execute(damage)
    with Archive(tmp_path) as archive:
        assert archive.answers(KEYS).items() <= {key: key for key in KEYS}.items()
        archive.add([], {key: key for key in KEYS})
        assert archive.answers(KEYS) == {key: key for key in KEYS}


def test_an_archive_whose_rows_lay_in_the_order_of_keys_is_taken_over(tmp_path, eager):
    """Every row of before is found, and images by the start of their hash."""
    place = Place(shard="0" * 32 + ".tar", start=512, size=9)
    images = {digest(number) * 2: place for number in range(20)}
    draws = [DrawRow(key=key, image=digest(0) * 2, ignored=("a",), prompt="p", seed=5, samplings=3) for key in KEYS]
    with Archive(tmp_path) as archive:
        archive.add(draws, dict.fromkeys(KEYS, "text"), images=images)
    kept.age(tmp_path, 3)
    with Archive(tmp_path) as archive:
        assert list(archive.draws(KEYS).values()) == sorted(draws, key=lambda row: row.key)
        assert archive.answers(KEYS) == dict.fromkeys(KEYS, "text")
        assert archive.places(images) == images
        assert archive.names(digest(3)[:9]) == [digest(3) * 2]
        archive.move({digest(3) * 2: Place(shard="1" * 32 + ".tar", start=1024, size=9)})
        archive.add([], {"more": 1})
        assert archive.names(digest(3)[:9]) == [digest(3) * 2]
        assert archive.places([digest(3) * 2])[digest(3) * 2].start == 1024
        assert archive.count("images") == 20
