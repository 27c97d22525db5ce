from __future__ import annotations

from pathlib import Path

import pytest

import foible.report
from foible.errors import StoreError
from foible.report import from_json, write
from report.anything import HOSTILE, poisoned
from report.results import coloured, sample

NAMES = ["findings.json", "findings.md", "report.html"]


def test_three_files_and_nothing_else(tmp_path: Path) -> None:
    """The folder holds the three files, and a second time the same bytes."""
    write(sample(), coloured, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(first) == NAMES
    write(sample(), coloured, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert from_json(first["findings.json"].decode()) == from_json(foible.report.to_json(sample()))


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_texts_can_be_written(evil: str, tmp_path: Path) -> None:
    """Every file is valid UTF-8 whatever a captioner said."""
    write(poisoned(evil[:2000]), coloured, tmp_path)
    for name in NAMES:
        assert (tmp_path / name).read_text("utf-8")


def test_a_page_that_fails_leaves_the_findings_and_the_old_page(tmp_path: Path) -> None:
    """`findings.json` is written first; an archive that fails costs the page only, and the old page stays."""
    (tmp_path / "report.html").write_text("old")

    def broken(key: str) -> bytes:
        raise OSError(key)

    with pytest.raises(OSError, match=r"^[0-9a-f]+$"):
        write(sample(), broken, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    assert (tmp_path / "report.html").read_text() == "old"


def test_a_full_disk_is_one_sentence_and_leaves_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the old file stays whole, no temporary file is left, and the error says what to do."""
    (tmp_path / "findings.json").write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"findings\.json cannot be written \(No space left on device\)"):
        write(sample(), coloured, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["findings.json"]
    assert (tmp_path / "findings.json").read_text() == "old"


@pytest.mark.parametrize("place", ["missing", "file/inside"])
def test_a_folder_that_is_none_is_an_error(place: str, tmp_path: Path) -> None:
    """A missing folder, or a file in its place, is a StoreError."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(sample("empty"), coloured, tmp_path / place)


def test_the_public_names_are_sorted() -> None:
    """`__all__` is sorted and every name is there."""
    assert foible.report.__all__ == sorted(foible.report.__all__, key=str)
    assert all(hasattr(foible.report, name) for name in foible.report.__all__)
