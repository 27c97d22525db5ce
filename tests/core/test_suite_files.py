"""Promises of the files of a suite: whoever made them, they are read as they were saved, or refused in one sentence."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import struct
import sys
import tempfile
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import foible
from foible import pixels
from foible.act.suites.read import DIGEST, digest_of, held
from foible.act.suites.write import sealed, write_suite
from foible.cli import main
from foible.errors import InputError, OtherVersionError, StoreError
from foible.findings import Rate
from foible.suites import Suite, SuiteBug, SuiteControl, SuiteImage, SuiteLabel

SHARE = Rate(value=0.5, low=0.1, high=0.9)


def picture(number):
    """Give a small image; each number another one."""
    return np.random.default_rng(number).integers(0, 256, (6, 5, 3), np.uint8)


PNG = {pixels.content_hash(picture(n)): pixels.write_png(picture(n)) for n in range(7)}


def shown(numbers, status="failed"):
    """Give rows of images."""
    named = list(PNG)
    return tuple(SuiteImage(image=named[n], prompt="a mug, on grass", seed=n, status=status) for n in numbers)


SMALL = Suite(
    foible_version="0.1.0",
    classifier="torch:model.pt2",
    fingerprint="",
    generator="diorama",
    judge="diorama",
    judge_weights=("a judge",),
    failure="a draw fails",
    classes="",
    top=1,
    target="",
    level=0.05,
    unscored=0.3,
    labels=(SuiteLabel(name="mug", kind="cup", accepted=("mug (cup)",), indices=(1,)),),
    bugs=(
        SuiteBug(
            label="mug", words=("on grass",), treat=SHARE, control=SHARE, difference=SHARE, images=shown([0, 1, 2])
        ),
    ),
    controls=(SuiteControl(label="mug", images=shown([3, 4, 5], "passed")),),
)


def written(place, suite=SMALL):
    """Write a suite; give its place."""
    write_suite(sealed(suite), place, PNG.__getitem__, instead=True)
    return place


def whole(place):
    """Read all of a suite: what it says, and its pixels."""
    with held(place) as found:
        images = {one.image for row in found.suite.rows for one in row.images if one.image}
        return found.suite, {one: found.image(one).tobytes() for one in images}


SAVED = written(Path(tempfile.mkdtemp()) / "suite.zip").read_bytes()
"""An archive of a few small images."""


AS_SAVED = sealed(SMALL), {one: picture(n).tobytes() for n, one in enumerate(PNG) if n < 6}


def test_what_was_made_of_an_image_and_whose_bugs_they_are_is_told_apart(tmp_path):
    """One image passes now that failed, a class more is right, and the classifier is another one."""
    first, *others = SMALL.bugs[0].images
    bug = replace(SMALL.bugs[0], images=(replace(first, status="passed"), *others))
    label = replace(SMALL.labels[0], accepted=("mug (cup)", "cup"), indices=(1, 2))
    newer = replace(SMALL, classifier="torch:next.pt2", bugs=(bug,), labels=(label,))
    found = foible.diff_suites(written(tmp_path / "old"), written(tmp_path / "new.zip", newer))
    assert [(row.kind, row.outcomes) for row in found.rows] == [("changed", 1), ("same", 0)]
    assert found.facts == (
        ("classifier", "torch:model.pt2", "torch:next.pt2"),
        ("right for mug", "mug (cup)", "mug (cup), cup"),
    )


def refused(place, told, error=StoreError):
    """See that a suite is refused in one sentence that says this, by each call that reads one."""
    for ask in (foible.read_suite, lambda where: foible.run_suite(where, lambda images: np.zeros((len(images), 2)))):
        with pytest.raises(error, match=told) as problem:
            ask(place)
        assert "\n" not in str(problem.value)
        assert str(problem.value).isprintable()


def test_what_is_written_is_what_is_read(tmp_path):
    """From a folder and from an archive, with the digest that it says."""
    for name in ("folder", "file.zip", "FILE.ZIP"):
        assert whole(written(tmp_path / name)) == AS_SAVED
    assert (tmp_path / "folder").is_dir()
    assert zipfile.is_zipfile(tmp_path / "FILE.ZIP")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(SAVED) - 1), to=st.integers(1, 255))
def test_any_byte_of_an_archive_may_change(tmp_path, at, to):
    """It is refused, or nothing that it says or shows has changed."""
    data = bytearray(SAVED)
    data[at] ^= to
    place = tmp_path / "changed.zip"
    place.write_bytes(data)
    try:
        found = whole(place)
    except InputError:
        return
    assert found == AS_SAVED


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.integers(0, len(SAVED) - 1))
def test_an_archive_may_be_torn_anywhere(tmp_path, end):
    """It is refused."""
    place = tmp_path / "torn.zip"
    place.write_bytes(SAVED[:end])
    with pytest.raises(StoreError):
        whole(place)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_a_folder_may_change(tmp_path, data):
    """As in an archive."""
    shutil.rmtree(tmp_path / "folder", ignore_errors=True)
    place = written(tmp_path / "folder")
    file = data.draw(st.sampled_from(sorted(one for one in place.rglob("*") if one.is_file())))
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        found = whole(place)
    except InputError:
        return
    assert found == AS_SAVED


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (3, "has format 3, and this foible reads up to 2; use a newer foible"),
        (1, "has format 1, which does not say who judged its images; save it again from its run"),
    ],
)
def test_another_format_is_told_of(tmp_path, version, told):
    """In a sentence of its own: it is no damage, and a suite that may be replaced."""
    place = written(tmp_path / "suite")
    document = json.loads((place / "suite.json").read_text()) | {"foible_suite": version}
    (place / "suite.json").write_text(json.dumps(document))
    refused(place, told, OtherVersionError)
    assert whole(written(place)) == AS_SAVED


def edited(place, **changed):
    """Write a suite of which somebody changed fields, and made the digest anew."""
    written(place)
    document = json.loads((place / "suite.json").read_text()) | changed
    document[DIGEST] = digest_of(document)
    (place / "suite.json").write_text(json.dumps(document))
    return place


def rows(**changed):
    """Give the bugs of a manifest with changes in the first image."""
    document = json.loads(zipfile.ZipFile(io.BytesIO(SAVED)).read("suite.json"))
    bug = document["bugs"][0]
    return [{**bug, "images": [{**bug["images"][0], **changed}, *bug["images"][1:]]}]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"bugs": rows(image="../../../../etc/passwd")}, "a hash that is none"),
        ({"bugs": rows(image="/etc/passwd")}, "a hash that is none"),
        ({"bugs": rows(image=list(PNG)[1])}, "an image twice"),
        ({"bugs": rows(image="")}, "scored and not there"),
        ({"bugs": rows(status="unscored")}, "there and of no use"),
        ({"bugs": rows(status="shown")}, "says what no suite can"),
        ({"bugs": rows(seed=2**32)}, "a seed out of its range"),
        ({"bugs": rows(seed=True)}, "says what no suite can"),
        ({"bugs": rows(reason="why")}, "an outcome with a reason"),
        ({"bugs": rows(image="0" * 64)}, "lacks the image"),
        ({"bugs": []}, "no bug"),
        ({"bugs": rows() * 2}, "there twice"),
        ({"labels": []}, "a label that it does not have"),
        ({"labels": [{"name": "mug", "kind": "", "accepted": [], "indices": []}]}, "a label without a class"),
        ({"labels": [{"name": "mug", "kind": "", "accepted": [], "indices": [-1]}]}, "a label without a class"),
        ({"level": 0}, "says what no suite can"),
        ({"level": 2.5}, "a setting out of its range"),
        ({"level": 1e400}, "no JSON text"),
        ({"top": 10**30}, "says what no suite can"),
        ({"top": 0}, "a setting out of its range"),
        ({"controls": {"mug": 1}}, "says what no suite can"),
    ],
)
def test_whoever_makes_the_digest_anew_gets_no_further(tmp_path, changed, told):
    """What no run can have come to is refused, and no name is a path."""
    refused(edited(tmp_path / "suite", **changed), told)


def test_a_digest_that_is_wrong_is_told_of(tmp_path):
    """A rate that somebody has made nicer."""
    place = written(tmp_path / "suite")
    text = (place / "suite.json").read_text()
    (place / "suite.json").write_text(text.replace("passed", "failed", 1))
    refused(place, "its digest is another")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON text"),
        ("[" * 200_000, "nests without end"),
        ('{"foible_suite": 2, "a": ' + "[" * 900 + "]" * 900 + "}", "its digest is another|nests without end"),
        ('{"foible_suite": ' + "1" * 5000 + "}", "no JSON text"),
        ('{"foible_suite": true}', "does not say that it is a suite"),
        ('{"foible_suite": 2}', "its digest is another"),
        ("[1]", "does not say that it is a suite"),
        ("\ud800", "no JSON text"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, text, told):
    """Whatever it is."""
    place = written(tmp_path / "suite")
    (place / "suite.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    refused(place, told)


def test_a_manifest_that_is_huge_is_not_read(tmp_path):
    """By the size of its file, of which the most is a hole."""
    place = written(tmp_path / "suite")
    os.truncate(place / "suite.json", 2**40)
    refused(place, "suite.json of .* has more than 64 MiB")


def packed(place, members, method=zipfile.ZIP_STORED):
    """Write an archive of any content."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(place, "w", method) as made:
            for name, data in members:
                made.writestr(name, data)
    return place


def members():
    """Give what the small archive holds."""
    with zipfile.ZipFile(io.BytesIO(SAVED)) as kept:
        return [(one, kept.read(one)) for one in kept.namelist()]


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "/evil.png", "images/../../evil", "C:\\evil", "images/\x1b[31m.png", "images/\u202e.png", "x"],
)
def test_a_name_in_an_archive_is_never_a_path(tmp_path, name):
    """One that is none of a suite's is refused in a sentence that can be shown, and nothing is written anywhere."""
    (tmp_path / "in").mkdir()
    place = packed(tmp_path / "in" / "suite.zip", [*members(), (name, b"evil")])
    refused(place, "which is no part of a suite")
    assert [one.name for one in tmp_path.rglob("*")] == ["in", "suite.zip"]


def test_a_link_or_a_name_that_comes_twice_is_no_part_of_a_suite(tmp_path):
    """Though the name is one of a suite's."""
    link = zipfile.ZipInfo(f"images/{'0' * 64}.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    refused(
        packed(tmp_path / "link.zip", [*members(), (link, "/etc/passwd")]), "as a link, which is no part of a suite"
    )
    refused(packed(tmp_path / "twice.zip", [*members(), members()[0]]), "twice, which is no part of a suite")


def test_an_archive_that_somebody_packed_again_is_read(tmp_path):
    """With compression, and an entry for the folder."""
    again = packed(tmp_path / "again.zip", [("images/", b""), *members()], zipfile.ZIP_DEFLATED)
    assert whole(again)[0] == sealed(SMALL)


def test_an_archive_packed_in_a_way_that_is_not_read_is_refused(tmp_path):
    """Rather than unpacked by whatever Python finds."""
    refused(packed(tmp_path / "suite.zip", members(), zipfile.ZIP_LZMA), "packed in a way that is not read here")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """Neither by the size that it claims, nor by the size that it has; nor is an image of billions of pixels."""
    zeros = [("suite.json", b" " * (65 * 2**20))]
    bomb = packed(tmp_path / "bomb.zip", zeros, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 2**17
    refused(bomb, "suite.json of .* has more than 64 MiB")
    data = bytearray(bomb.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # it says that it has 100 bytes
        start = data.index(signature) + offset
        data[start : start + 4] = struct.pack("<L", 100)
    (tmp_path / "liar.zip").write_bytes(data)
    refused(tmp_path / "liar.zip", "is damaged|no JSON text")
    large = next(iter(PNG))
    content = bytearray(PNG[large])
    content[16:24] = struct.pack(">LL", 100_000, 100_000)
    others = [(name, bytes(content) if large in name else data) for name, data in members()]
    refused(packed(tmp_path / "large.zip", others), "is torn, or not the one that was saved")


def test_a_list_of_millions_of_files_is_not_read(tmp_path):
    """Python would read it whole before anybody could count."""
    data = bytearray(SAVED)
    data[-10:-6] = struct.pack("<L", 17 * 2**20)
    (tmp_path / "suite.zip").write_bytes(data)
    refused(tmp_path / "suite.zip", "lists more files than a suite can have")
    locator = b"PK\x06\x07" + bytes(16)
    (tmp_path / "suite.zip").write_bytes(SAVED[:-22] + locator + SAVED[-22:])
    refused(tmp_path / "suite.zip", "lists more files than a suite can have")


def test_what_is_no_suite_at_all_is_told_of(tmp_path):
    """Nothing, another file, an empty folder, a run, a pointer, half an archive."""
    refused(tmp_path / "none", "there is no suite at")
    (tmp_path / "photo.zip").write_bytes(PNG[next(iter(PNG))])
    refused(tmp_path / "photo.zip", "neither a folder with a suite.json nor a zip file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no suite.json; so it is no suite")
    (tmp_path / "empty" / "journal.jsonl").write_text("")
    refused(tmp_path / "empty", "it is a run: foible suite save makes a suite of it")
    (tmp_path / "pointer.zip").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    refused(tmp_path / "pointer.zip", "Git LFS pointer.*git lfs pull")
    (tmp_path / "half.zip").write_bytes(SAVED[: len(SAVED) // 2])
    refused(tmp_path / "half.zip", "is torn: its end is missing")
    refused(packed(tmp_path / "other.zip", []), "holds no suite.json")


def test_an_image_that_is_a_pointer_or_another_one_is_told_of(tmp_path):
    """The file is there, and is not what its name says."""
    place = written(tmp_path / "suite")
    one, other, *_ = sorted((place / "images").iterdir())
    kept = one.read_bytes()
    one.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    refused(place, "Git LFS pointer.*git lfs pull")
    one.write_bytes(other.read_bytes())
    refused(place, "not the one that was saved")
    one.write_bytes(kept)
    other.unlink()
    refused(place, "lacks the image")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_ends_nothing_and_hangs_nothing(tmp_path):
    """In the place of the suite, of its manifest, or of an image."""
    os.mkfifo(tmp_path / "pipe.zip")
    refused(tmp_path / "pipe.zip", "is a pipe or a device, and no suite")
    place = written(tmp_path / "suite")
    image = next((place / "images").iterdir())
    image.unlink()
    os.mkfifo(image)
    refused(place, "is no file; the suite is damaged")
    (place / "suite.json").unlink()
    os.mkfifo(place / "suite.json")
    refused(place, "is no file; the suite is damaged")


NASTY = "\x1b[2J<script>alert(1)</script>\u202eevil\n\0"


def test_names_of_a_stranger_do_nothing_to_a_terminal(tmp_path, monkeypatch, capfd):
    """A suite whose every text would clear the screen, or turn the direction of reading, is shown and run."""
    label = replace(SMALL.labels[0], name=NASTY, kind=NASTY, accepted=(NASTY,))
    bug = replace(SMALL.bugs[0], label=NASTY, words=(NASTY,))
    nasty = replace(SMALL, labels=(label,), bugs=(bug,), controls=(), left_out=((NASTY, NASTY),))
    nasty = replace(nasty, foible_version=NASTY, classifier=NASTY, fingerprint=NASTY, generator=NASTY)
    nasty = replace(nasty, failure=NASTY, classes=NASTY)
    place = written(tmp_path / "suite", nasty)
    report = tmp_path / "report"
    written_to = (["run", flag, str(report)] for flag in ("--junit", "--sarif", "--page"))
    for verb, *flags in (["show"], ["run"], ["run", "--json"], *written_to):
        more = ["--classifier", f"python:{__name__}:always"] if verb == "run" else []
        monkeypatch.setattr(sys, "argv", ["foible", "suite", verb, str(place), *more, *flags])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfd.readouterr()
        assert stop.value.code == 0, err
        assert not {"\x1b", "\u202e", "\0"} & set(out + err)
        assert flags != ["--json"] or json.loads(out)
        if flags[1:]:
            text = report.read_text("utf-8")
            assert not {"\x1b", "\u202e", "\0"} & set(text)
            assert "<script" not in text or flags[0] == "--sarif"
            assert ET.fromstring(text) if flags[0] == "--junit" else text  # noqa: S314 - our own


def always(images):
    """Say the second of two classes."""
    return np.tile([0.0, 1.0], (len(images), 1))
