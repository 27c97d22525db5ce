"""Promises of `foible verify`: an untouched run agrees with itself, and whatever is changed in it is found."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import foible
import kept
import toyworld
from foible.checks.verify import verify
from foible.hunting.opening import open_run, write_again
from foible.identity import canonical, digest
from foible.run.journal import NAME

LABELLED = {"shown_yes": 90, "shown_n": 100, "absent_no": 45, "absent_n": 50}
SEQUENTIAL = {"confirm": {"method": "sequential"}, "judge": {"labelled": LABELLED}}

hunt = functools.partial(toyworld.hunt, seed=1)
"""With draws that show every bug."""


class Odd(toyworld.Classifier):
    """Has its planted bugs, and cannot read some images."""

    def classify(self, images):
        """Give NaN for every eleventh seed."""
        scores = super().classify(images)
        for row, image in enumerate(images):
            if int.from_bytes(image[1, :4, 1].tobytes(), "big") % 11 == 0:
                scores[row] = np.nan
        return scores


def probe(out, **given):
    """Test two descriptions of a coffee mug."""
    parts: dict[str, Any] = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    descriptions = ["on grass, red", "on snow"]
    config = {**toyworld.SMALL, **given}
    return foible.probe(
        toyworld.Classifier(), "coffee mug", descriptions, out=out, config=config, progress=False, **parts
    )


RUNS = {
    "sequential": lambda out: hunt(out, config=SEQUENTIAL),
    "sequential, with a budget": lambda out: hunt(out, budget=90, config={"confirm": {"width": 1, "step": 3}}),
    "fixed": hunt,
    "fixed, with a budget": lambda out: hunt(out, budget=120),
    "unscored": lambda out: hunt(out, Odd(), config=SEQUENTIAL),
    "targeted": lambda out: hunt(out, target="bucket"),
    "top 2": lambda out: hunt(out, config={"failure": {"top": 2}}),
    "no bugs": lambda out: hunt(out, toyworld.Perfect()),
    "two classifiers": lambda out: hunt(out, [toyworld.Classifier(), Odd()], config=SEQUENTIAL),
    "captions": lambda out: hunt(out, config={"describe": {"method": "captions"}}),
    "contrast": lambda out: hunt(out, config={"describe": {"method": "contrast"}}),
    "probe": probe,
    "sequential probe": lambda out: probe(out, **SEQUENTIAL),
}


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give the folder of a sequential hunt; its archive lies beside it."""
    return hunt(tmp_path_factory.mktemp("verify") / "run", config=SEQUENTIAL).folder


@pytest.fixture
def run(hunted, tmp_path):
    """Give a copy of the hunt and its archive, to be tampered with."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    return tmp_path / "copy" / "run"


def tamper(run, query, *values):
    """Change the archive; give how many rows were changed."""
    with contextlib.closing(sqlite3.connect(run.parent / "archive" / "archive.sqlite")) as db, db:
        return db.execute(query, values).rowcount


def shown(run):
    """Give the key of a draw that a finding shows, and its image."""
    key = document(run)["findings"][0]["failing"][0]
    image = document(run)["observations"][key]["draw"]["image"]
    return key, kept.Kept(run.parent / "archive", image)


def document(run):
    """Read findings.json."""
    return json.loads((run / "findings.json").read_text("utf-8"))


def redraw(image):
    """Change one pixel of an image, and leave everything else that its file says."""
    with Image.open(io.BytesIO(image.read())) as picture:
        about, pixels = picture.info, np.array(picture)
    pixels[8, 8, 0] ^= 1
    texts = PngInfo()
    for name, text in about.items():
        texts.add_text(str(name), str(text))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", pnginfo=texts)
    image.write(buffer.getvalue())


@pytest.mark.parametrize("kind", list(RUNS))
def test_an_untouched_run_agrees_with_itself(tmp_path, kind):
    """Hunts and probes of every kind agree to the last digit, and are not changed by being looked at."""
    done = RUNS[kind](tmp_path / "run")
    before = toyworld.written(tmp_path / "run")
    checked = verify(tmp_path / "run")
    assert checked.differences == ()
    assert checked.findings == len(done)
    assert checked.draws == sum(done.result.draws.values()) > 0
    assert toyworld.written(tmp_path / "run") == before


def test_the_archive_may_lie_elsewhere(run, tmp_path):
    """`archive` names the folder; without it there is nothing to verify by."""
    (run.parent / "archive").rename(tmp_path / "moved")
    with pytest.raises(foible.InputError, match="--archive"):
        verify(run)
    assert verify(run, tmp_path / "moved").differences == ()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("findings", 0, "trial", "treat", "failures"), 7, "findings[0].trial.treat.failures: findings.json says 7"),
        (("findings", 0, "trial", "pairs", "only_treat"), 1, "findings[0].trial.pairs.only_treat"),
        (("findings", 0, "control", "high"), 0.5, "findings[0].control.high"),
        (("findings", 0, "treat_corrected", "low"), 0.5, "findings[0].treat_corrected.low"),
        (("findings", 0, "treat_corrected"), None, "findings[0].treat_corrected"),
        (("findings", 0, "difference", "low"), 0.9, "findings[0].difference.low"),
        (("findings", 0, "p_value"), 1e-9, "findings[0].p_value"),
        (("findings", 0, "adjusted"), 1e-9, "findings[0].adjusted"),
        (("findings", 0, "verdict"), "refuted", "findings[0].verdict"),
        (("findings", 0, "sentence"), "All is well.", "findings[0].sentence"),
        (("findings", 0, "confused_with", 0, 1), 1, "findings[0].confused_with[0][1]"),
        (("findings", 0, "counterfactuals", 0, "rate", "value"), 0.9, "findings[0].counterfactuals[0].rate.value"),
        (("findings", 0, "failing"), [], "findings[0].failing: findings.json has 0 entries"),
        (("findings",), [], "findings: findings.json has 0 entries, the run gives 2"),
        (("explored", 1, "at_most"), 0.01, "explored[1].at_most"),
        (("draws", "treat"), 1, "draws.treat"),
        (("settings", "confirm.margin"), 0.0, "settings.confirm.margin"),
        (("classifiers", 0, "identity", "spec"), "timm:other", "classifiers[0].identity.spec"),
        (("parts", "judge", "spec"), "timm:other", "parts.judge.spec"),
        (("headline",), "No bug confirmed", "headline"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_one_changed_number_is_found(run, path, value, says):
    """A count, rate, limit, p-value, verdict or sentence that was edited is named with both values."""
    edited = inner = document(run)
    for part in path[:-1]:
        inner = inner[part]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    (run / "findings.json").write_text(json.dumps(edited), "utf-8")
    found = verify(run).differences
    assert any(line.startswith(says) for line in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("true", "1", 1),
        lambda text: text.replace('"unscored": 0', '"unscored": 0.0', 1),
        lambda text: text.replace('"unscored": 0', '"unscored": false', 1),
        lambda text: text.replace('"unscored": 0', '"unscored": 9, "unscored": 0', 1),
        lambda text: text.replace('"low": 0.', '"low": 0.0000000001e10, "low": 0.', 1),
        lambda text: text + " ",
        lambda text: text[:-1] + ',"more": null}',
    ],
)
def test_a_change_that_python_takes_for_none_is_found(run, change):
    """True for 1, 0.0 for 0, a field twice, one that says null, or a blank: the file is not what foible writes."""
    file = run / "findings.json"
    before = file.read_text("utf-8")
    file.write_text(change(before), "utf-8")
    if file.read_text("utf-8") != before:
        assert verify(run).differences


def test_one_changed_pixel_is_found(run):
    """An image whose pixel was changed is named, though its file is a whole PNG with all its texts."""
    key, file = shown(run)
    redraw(file)
    (line,) = verify(run).differences
    assert line == f"draw {key}: its image {file.image[:16]}… has gone from the archive, or is another one"


@pytest.mark.parametrize("how", ["deleted", "torn", "swapped", "emptied"])
def test_every_image_is_looked_at(run, how):
    """An image that is gone, torn or another one is named by its draw, and the numbers are not touched by it."""
    key, file = shown(run)
    other = next(one for one in kept.images(file.archive) if one != file)
    data = file.read()
    file.remove()
    if how != "deleted":
        file.write({"torn": data[:-40], "swapped": other.read(), "emptied": b""}[how])
    (line,) = verify(run).differences
    assert line.startswith(f"draw {key}: its image ")


def test_a_changed_pixel_with_its_row_is_found(run):
    """Where image, name and row were made to fit each other, nobody ever judged that image."""
    from foible import pixels

    key, file = shown(run)
    redraw(file)
    drawn = pixels.read_png(file.read())
    assert drawn is not None
    image = pixels.content_hash(drawn)
    file.write(file.read(), name=image)
    with contextlib.closing(sqlite3.connect(run.parent / "archive" / "archive.sqlite")) as db:
        rows = db.execute("SELECT ignored, prompt, seed FROM draws WHERE key = ?", (key,))
        ignored, prompt, seed = rows.fetchone()
    seal = digest(["seal", key, image, ignored, prompt, seed])
    assert tamper(run, "UPDATE draws SET image = ?, seal = ? WHERE key = ?", image, seal, key) == 1
    found = verify(run).differences
    assert any(line == f"draw {key}: the archive has no answer of the classifier 0 for it" for line in found), found


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM draws WHERE key = ?",
        "UPDATE draws SET seed = seed + 2 WHERE key = ?",
        "UPDATE draws SET prompt = prompt || ' ' WHERE key = ?",
        "UPDATE draws SET ignored = '[\"on grass\"]' WHERE key = ?",
        "UPDATE draws SET image = '' WHERE key = ?",
    ],
)
def test_one_changed_row_is_found(run, query):
    """A draw's row that was deleted or edited no longer counts, and that is said of the draw."""
    key, _ = shown(run)
    assert tamper(run, query, key) == 1
    assert f"draw {key}: the archive has no row of it, or its image has gone" in verify(run).differences


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_changed_answer_is_found(run, data):
    """What a part said, deleted or turned round, is found, whichever part it was and whatever is put in its place."""
    with contextlib.closing(sqlite3.connect(run.parent / "archive" / "archive.sqlite")) as db:
        # An empty text notes that a part was asked twice, and answers nothing; where it is torn, it is asked again.
        rows = db.execute("SELECT key, value, seal FROM answers WHERE value != '\"\"' ORDER BY key").fetchall()
    key, value, seal = data.draw(st.sampled_from(rows))
    other = data.draw(st.sampled_from(["[[0,1.0]]", "[false,0.0]", "[true,1.0]", '"words"', None]))
    if other == value:
        return
    if other is None:
        tamper(run, "DELETE FROM answers WHERE key = ?", key)
    else:
        tamper(run, "UPDATE answers SET value = ? WHERE key = ?", other, key)
    assert any("the archive has no answer of" in line for line in verify(run).differences)
    tamper(run, "DELETE FROM answers WHERE key = ?", key)
    tamper(run, "INSERT INTO answers (key, value, seal) VALUES (?, ?, ?)", key, value, seal)
    assert verify(run).differences == ()


@pytest.mark.parametrize("value", [[[0, 1.0]], [False, 0.0], "words", None, [["a", 1]], [[-1, 1.0]], [[0, 1e999]], {}])
def test_a_forged_answer_is_found_by_what_follows_from_it(run, value):
    """An answer whose seal was made to fit gives other numbers, or is none that a part can give."""
    text = canonical(value).replace("Infinity", "1e999")
    with contextlib.closing(sqlite3.connect(run.parent / "archive" / "archive.sqlite")) as db:
        rows = db.execute("SELECT key FROM answers WHERE value != ? AND value LIKE '[[%'", (text,)).fetchall()
    for (key,) in rows:
        tamper(run, "UPDATE answers SET value = ?, seal = ? WHERE key = ?", text, digest(["seal", key, text]), key)
    found = verify(run).differences
    assert found
    assert all(line.isprintable() for line in found)


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TRIGGER sqliteXt AFTER INSERT ON answers BEGIN DELETE FROM draws; END",
        "CREATE VIEW v AS SELECT * FROM answers",
    ],
)
def test_a_planted_trigger_is_refused(run, query):
    """An archive that holds what foible never puts there is refused with one sentence, before a row is read."""
    tamper(run, query)
    with pytest.raises(foible.InputError, match="from a stranger") as told:
        verify(run)
    assert "\n" not in str(told.value)


@settings(max_examples=12, deadline=None)
@given(data=st.data(), mask=st.integers(1, 255))
def test_every_flipped_byte_of_the_journal_is_found(hunted, data, mask):
    """Wherever a byte was flipped, the journal is refused; but for the last one, behind which nothing stands."""
    whole = bytearray((hunted / NAME).read_bytes())
    at = data.draw(st.integers(0, len(whole) - 2) | st.integers(len(whole) - 400, len(whole) - 2))
    whole[at] ^= mask
    with alone(hunted, whole) as run, pytest.raises(foible.InputError, match="is damaged after byte"):
        verify(run, hunted.parent / "archive")


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_journal_that_was_cut_says_that_the_run_is_not_finished(hunted, data):
    """Whichever lines are taken off its end, the run is no longer finished, but for the note of how long it took."""
    whole = (hunted / NAME).read_bytes()
    lines = whole.splitlines(keepends=True)
    assert b'"ended"' in lines[-2]
    cut = data.draw(st.integers(len(lines[0]), len(whole) - len(lines[-1]) - 1))
    with alone(hunted, whole[:cut]) as run:
        assert verify(run, hunted.parent / "archive").differences == (
            "the run is not finished: the same command goes on with it",
        )


@contextlib.contextmanager
def alone(hunted, journal, findings=None):
    """Give a run directory with a journal, and the findings of the hunt or others."""
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "run"
        run.mkdir()
        (run / NAME).write_bytes(journal)
        (run / "findings.json").write_bytes(findings or (hunted / "findings.json").read_bytes())
        yield run


def test_a_run_without_its_findings_differs(run):
    """Where findings.json is gone, torn or foreign, that is said; images and rows are looked at all the same."""
    key, file = shown(run)
    file.remove()
    for text in (None, "{", "[]", '{"schema": "other"}', "[" * 100_000):
        (run / "findings.json").unlink(missing_ok=True)
        if text is not None:
            (run / "findings.json").write_text(text, "utf-8")
        found = verify(run).differences
        assert any("findings.json" in line for line in found)
        assert any(key in line for line in found)


def test_a_pipe_in_place_of_the_findings_is_no_file(run):
    """A pipe is not waited for."""
    (run / "findings.json").unlink()
    os.mkfifo(run / "findings.json")
    assert verify(run).differences == ("findings.json is no file; the same command writes it again",)


@pytest.mark.parametrize("name", ["findings.md", "report.html"])
def test_what_people_read_is_held_against_the_run(run, name):
    """Another number in the text or the page is told with its line; without the file nothing is claimed."""
    path = run / name
    text = path.read_text("utf-8")
    places = [found.start() for found in re.finditer(r"\d%", text)]
    assert places
    for place in (places[0], places[-1]):
        path.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :], "utf-8")
        (line,) = verify(run).differences
        assert line.startswith(f"{name} is not what the run gives, from line {text[:place].count(chr(10)) + 1} on")
    path.write_text(text + "<p>No bug.</p>\n", "utf-8")
    assert any(line.startswith(name) for line in verify(run).differences)
    path.write_bytes(b"\xff")
    assert verify(run).differences == (f"{name} is no text; foible report writes it again",)
    path.unlink()
    assert verify(run).differences == ()


def test_a_page_is_the_same_wherever_the_archive_lies(run, tmp_path):
    """A page is right where the archive was renamed, or lies elsewhere since."""
    where = run.parent / "archive"
    for other in (run.parent / "pictures", tmp_path / "elsewhere" / "archive"):
        shutil.copytree(where, other)
        assert verify(run, other).differences == ()
        write_again(open_run(run, archive=other))
        assert verify(run).differences == ()


def test_a_run_that_may_not_be_written_is_verified_and_left_as_it_is(hunted):
    """Run directory and archive may be read-only, and nothing is left behind in them: no log, no lock."""
    with tempfile.TemporaryDirectory() as name:
        there = Path(name) / "copy"
        Path(name).chmod(0o755)
        shutil.copytree(hunted.parent, there)
        before = sorted(there.rglob("*"))
        for path in (there, *before):
            path.chmod(0o555 if path.is_dir() else 0o444)
        root = os.geteuid() == 0
        if root:  # to whom nothing is read-only
            os.seteuid(65534)
        try:
            assert verify(there / "run").differences == ()
        finally:
            if root:
                os.seteuid(0)
        assert verify(there / "run").differences == ()
        assert sorted(there.rglob("*")) == before
        for path in (there, *before):
            path.chmod(0o755)


@pytest.mark.parametrize("kind", ["generator", "classifier", "embedder", "captioner", "judge"])
@pytest.mark.parametrize("calls", [0, 2])
def test_an_interrupted_hunt_is_not_finished(tmp_path, kind, calls):
    """A hunt that was stopped in whatever part is no agreement, and no crash: it says that it goes on."""
    good = toyworld.Classifier().classify if kind == "classifier" else toyworld.PARTS[kind]
    asked = []

    def stopped(*columns):
        asked.append(1)
        if len(asked) > calls:
            raise KeyboardInterrupt
        return good(*columns)

    if kind == "classifier":
        given, labels = {"classifier": stopped}, ["0=coffee mug (cup)"]
    else:
        given, labels = {kind: stopped}, toyworld.LABELLED
    with contextlib.suppress(KeyboardInterrupt):
        hunt(tmp_path / "run", labels=labels, config={**SEQUENTIAL, "batch": 4}, **given)
    assert len(asked) == calls + 1, "the part is not asked often enough for this test"
    assert verify(tmp_path / "run").differences == ("the run is not finished: the same command goes on with it",)


def test_where_there_is_no_run_there_is_nothing_to_verify(tmp_path):
    """No folder, an empty one and one with a foreign file are bad input."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / NAME).write_bytes(b"no journal at all\n" * 100)
    for name in ("none", "empty", "foreign"):
        with pytest.raises(foible.InputError):
            verify(tmp_path / name)


ODD = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=6),
    st.text(max_size=6).filter(lambda text: text.isprintable()),
    st.sampled_from(
        ["[]", "{}", "null", "[[0]]", "[true]", '["a"]', "[[1e999, 2]]", "[" * 5000, "1" * 5000, "-1", "NaN"]
    ),
)
COLUMNS = [("draws", column) for column in ("image", "ignored", "prompt", "seed", "key", "seal")]
COLUMNS += [("answers", column) for column in ("value", "key", "seal")]


@settings(max_examples=20, deadline=None)
@given(place=st.sampled_from(COLUMNS), value=ODD, sealed=st.booleans())
def test_no_archive_is_bad_enough_for_a_crash(hunted, place, value, sealed):
    """Whatever value stands in a row, verify ends with differences, or with one sentence; never with a traceback."""
    table, name = place
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        archive.mkdir()
        shutil.copy(hunted.parent / "archive" / "archive.sqlite", archive)
        (archive / "images").symlink_to(hunted.parent / "archive" / "images")
        with contextlib.closing(sqlite3.connect(archive / "archive.sqlite")) as db, db:
            last = f"key = (SELECT max(key) FROM {table})"  # noqa: S608 - from the list above
            with contextlib.suppress(sqlite3.IntegrityError):  # a column that may not be empty
                db.execute(f"UPDATE {table} SET {name} = ? WHERE {last}", (value,))  # noqa: S608 - likewise
            if sealed:
                told = {"draws": "key, image, ignored, prompt, seed", "answers": "key, value"}[table]
                row = db.execute(f"SELECT {told} FROM {table} WHERE {last}").fetchone()  # noqa: S608 - likewise
                db.execute(f"UPDATE {table} SET seal = ? WHERE {last}", (digest(["seal", *row]),))  # noqa: S608 - likewise
        try:
            lines = verify(hunted, archive).differences
        except foible.InputError as problem:
            lines = (str(problem),)
        assert all(line.isprintable() for line in lines)


def places(value, path=()):
    """Give the path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from places(item, (*path, name))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), value=JSON)
def test_whatever_is_changed_in_the_findings_is_found(hunted, data, value):
    """Whatever value stands anywhere in findings.json, it is found, unless it is the one that was there."""
    edited = document(hunted)
    path = data.draw(st.sampled_from(list(places(edited))[1:]))
    inner = edited
    for part in path[:-1]:
        inner = inner[part]
    same = canonical(inner[path[-1]]) == canonical(value)
    inner[path[-1]] = value
    with alone(hunted, (hunted / NAME).read_bytes(), json.dumps(edited, ensure_ascii=False).encode()) as run:
        lines = verify(run, hunted.parent / "archive").differences
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    assert same or any(line.startswith(where[:200]) for line in lines), lines
    assert lines, "what is written in another way is no file of foible's"
    assert all(line.isprintable() for line in lines)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_changed_number_is_found(hunted, data):
    """Any number of findings.json, changed by however little that the file can say, is named with both values."""
    edited = document(hunted)
    numbers = [path for path in places(edited) if type(found(edited, path)) in (int, float)]
    path = data.draw(st.sampled_from(numbers))
    before = found(edited, path)
    now = before + data.draw(st.sampled_from([1, -1, 1e-9, -1e-9, 1e-3]))
    if now == before:
        return
    found(edited, path[:-1])[path[-1]] = now
    with alone(hunted, (hunted / NAME).read_bytes(), json.dumps(edited).encode()) as run:
        (line,) = verify(run, hunted.parent / "archive").differences
    assert f"findings.json says {json.dumps(now)}, the run {json.dumps(before)}" in line


def found(value, path):
    """Give what stands at a path."""
    for part in path:
        value = value[part]
    return value


def test_the_command_says_what_differs_and_how_it_ended(run, tmp_path):
    """Exit 0 and one line where all agrees, 1 and a line for each difference, 2 where there is no run."""
    code, out, err = toyworld.called("verify", run)
    assert (code, err) == (0, "")
    assert out == f"2 findings and {verify(run).draws} draws agree with the journal and the archive\n"
    key, file = shown(run)
    file.remove()
    code, out, err = toyworld.called("verify", run)
    assert code == 1
    assert out == f"draw {key}: its image {file.image[:16]}… has gone from the archive, or is another one\n"
    assert err == f"foible: 1 difference in {run}\n"
    code, out, err = toyworld.called("verify", tmp_path / "none")
    assert (code, out) == (2, "")
    assert "is no run directory" in err
