"""Promises of `foible verify`: an untouched run agrees with itself, and whatever is changed in it is found."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import foible
import toyworld
from foible.checks.verify import verify

LABELLED = {"shown_yes": 90, "shown_n": 100, "absent_no": 45, "absent_n": 50}
SEQUENTIAL = {"confirm": {"method": "sequential"}, "judge": {"labelled": LABELLED}}


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
    parts = {kind: toyworld.PARTS[kind] for kind in ("generator", "judge")}
    descriptions = ["on grass, red", "on snow"]
    config = {**toyworld.SMALL, **given}
    return foible.probe(
        toyworld.Classifier(), "coffee mug", descriptions, out=out, config=config, progress=False, **parts
    )


RUNS = {
    "sequential": lambda out: toyworld.hunt(out, config=SEQUENTIAL),
    "sequential, with a budget": lambda out: toyworld.hunt(out, budget=90, config={"confirm": {"width": 1, "step": 3}}),
    "fixed": toyworld.hunt,
    "fixed, with a budget": lambda out: toyworld.hunt(out, budget=120),
    "unscored": lambda out: toyworld.hunt(out, Odd(), config=SEQUENTIAL),
    "targeted": lambda out: toyworld.hunt(out, target="bucket"),
    "top 2": lambda out: toyworld.hunt(out, config={"failure": {"top": 2}}),
    "no bugs": lambda out: toyworld.hunt(out, toyworld.Perfect()),
    "probe": probe,
    "sequential probe": lambda out: probe(out, **SEQUENTIAL),
}


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """Give the folder of a sequential hunt; its archive lies beside it."""
    return toyworld.hunt(tmp_path_factory.mktemp("verify") / "run", config=SEQUENTIAL).folder


@pytest.fixture
def run(hunted, tmp_path):
    """Give a copy of the hunt and its archive, to be tampered with."""
    shutil.copytree(hunted.parent, tmp_path / "copy")
    return tmp_path / "copy" / "run"


def tamper(run, query, *values):
    """Change the store; give how many rows were changed."""
    with contextlib.closing(sqlite3.connect(run / "store.sqlite")) as db, db:
        return db.execute(query, values).rowcount


def shown(run):
    """Give the file of an image that a finding shows."""
    key = document(run)["findings"][0]["failing"][0]["key"]
    return run.parent / "archive" / key[:2] / f"{key}.png"


def document(run):
    """Read findings.json."""
    return json.loads((run / "findings.json").read_text("utf-8"))


def redraw(file):
    """Change one pixel of an image, and leave everything else that its file says."""
    with Image.open(file) as picture:
        about, pixels = picture.info, np.array(picture)
    pixels[8, 8, 0] ^= 1
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    for name, text in about.items():
        texts.add_text(name, text)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", pnginfo=texts)
    file.write_bytes(buffer.getvalue())


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
    """`archive` names the folder; without it every image is missing."""
    (run.parent / "archive").rename(tmp_path / "moved")
    assert len(verify(run).differences) == verify(run).draws
    assert verify(run, tmp_path / "moved").differences == ()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("findings", 0, "counts", "treat", "failures"), 7, "findings[0].counts.treat.failures: findings.json says 7"),
        (("findings", 0, "counts", "pairs", "only_treat"), 1, "findings[0].counts.pairs.only_treat"),
        (("findings", 0, "rates", "control", "high"), 0.5, "findings[0].rates.control.high"),
        (("findings", 0, "corrected", "treat", "low"), 0.5, "findings[0].corrected.treat.low"),
        (("findings", 0, "corrected"), None, "findings[0].corrected"),
        (("findings", 0, "difference", "low"), 0.9, "findings[0].difference.low"),
        (("findings", 0, "p_value"), 1e-9, "findings[0].p_value"),
        (("findings", 0, "adjusted"), 1e-9, "findings[0].adjusted"),
        (("findings", 0, "verdict"), "refuted", "findings[0].verdict"),
        (("findings", 0, "sentence"), "All is well.", "findings[0].sentence"),
        (("findings", 0, "confused_with", 0, "count"), 1, "findings[0].confused_with[0].count"),
        (("findings", 0, "counterfactuals", 0, "rate", "value"), 0.9, "findings[0].counterfactuals[0].rate.value"),
        (("findings", 0, "failing"), [], "findings[0].failing: findings.json has 0 entries"),
        (("findings",), [], "findings: findings.json has 0 entries, the store gives 2"),
        (("explored", 1, "at_most"), 0.01, "explored[1].at_most"),
        (("draws", "treat"), 1, "draws.treat"),
        (("settings", "confirm.margin"), 0.0, "settings.confirm.margin"),
        (("parts", "classifier", "spec"), "timm:other", "parts.classifier.spec"),
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


def test_one_changed_pixel_is_found(run):
    """An image whose pixel was changed is named, though its file is a whole PNG with all its texts."""
    file = shown(run)
    redraw(file)
    (line,) = verify(run).differences
    assert line == f"draw {file.stem}: its image is not the one that was judged (another hash)"


def test_a_changed_pixel_with_its_row_is_found(run):
    """Where the row was made to fit the changed file, nobody ever judged that image."""
    import hashlib

    file = shown(run)
    redraw(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert tamper(run, "UPDATE draws SET image_sha256 = ? WHERE key = ?", digest, file.stem) == 1
    found = verify(run).differences
    assert any(f"draw {file.stem}: its image is not the one" in line for line in found)
    assert any(f"draw {file.stem}: the store has no answer of the classifier" in line for line in found)


def test_a_deleted_image_is_found(run):
    """An image that is gone is named."""
    file = shown(run)
    file.unlink()
    assert verify(run).differences == (f"draw {file.stem}: its image has gone from the archive",)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("DELETE FROM draws WHERE key = ?", "the store has no row of it"),
        ("UPDATE draws SET seed = seed + 2 WHERE key = ?", "its prompt or seed is not the one"),
        ("UPDATE draws SET text = text || ' ' WHERE key = ?", "its prompt or seed is not the one"),
        ("UPDATE draws SET fault = 'gone' WHERE key = ?", "counts.treat.unscored"),
        ("UPDATE draws SET image_sha256 = '' WHERE key = ?", "its image is not the one"),
    ],
)
def test_one_changed_row_is_found(run, query, says):
    """A draw's row that was deleted or edited is found, by itself or by what follows from it."""
    assert tamper(run, query, shown(run).stem) == 1
    assert any(says in line for line in verify(run).differences)


@pytest.mark.parametrize("kind", ["classifier", "judge"])
def test_every_changed_answer_is_found(run, kind):
    """What a part said, deleted or turned round, is found."""
    other = "[[0, 1.0]]" if kind == "classifier" else "[false, 0.0]"
    assert tamper(run, "UPDATE answers SET value = ? WHERE kind = ?", other, kind) > 0
    assert any("counts" in line for line in verify(run).differences)
    tamper(run, "DELETE FROM answers WHERE kind = ?", kind)
    assert any(f"no answer of the {kind}" in line for line in verify(run).differences)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM about WHERE name = 'round 1'",
        "UPDATE about SET value = '[0]' WHERE name = 'round 0'",
        "UPDATE about SET value = '[]' WHERE name = 'tried'",
        "UPDATE about SET value = '[null,23]' WHERE name = 'explored'",
        "UPDATE about SET value = '[null,-1]' WHERE name = 'explored'",
        "UPDATE about SET value = '[null,1000000000]' WHERE name = 'explored'",
        "DELETE FROM about WHERE name = 'narrowed'",
        "UPDATE about SET value = '[1]' WHERE name = 'narrowed'",
        """UPDATE about SET value = '[["coffee mug", "on grass", 4]]' WHERE name = 'narrowed'""",
        """UPDATE about SET value = '[["coffee mug", "on grass", -4]]' WHERE name = 'narrowed'""",
        "UPDATE about SET value = replace(value, '0.1', '0.2') WHERE name = 'settings'",
    ],
)
def test_a_changed_note_is_found(run, query):
    """Rounds, hypotheses tried and settings are part of what the numbers follow from."""
    assert tamper(run, query) == 1
    assert verify(run).differences


def test_a_run_without_its_findings_differs(run):
    """Where findings.json is gone, torn or foreign, that is said; images and rows are looked at all the same."""
    file = shown(run)
    file.unlink()
    for text in (None, "{", "[]", '{"schema": "other"}'):
        (run / "findings.json").unlink(missing_ok=True)
        if text is not None:
            (run / "findings.json").write_text(text, "utf-8")
        found = verify(run).differences
        assert any("findings.json" in line for line in found)
        assert any(file.stem in line for line in found)


def test_an_interrupted_hunt_differs(tmp_path):
    """A hunt that was stopped half-way is no agreement, and no crash."""

    class Stopped(toyworld.Slow):
        calls = 0

        def draw(self, prompts, seeds):
            """Stop after a few calls."""
            self.calls += 1
            if self.calls > 12:
                raise KeyboardInterrupt
            return toyworld.draw(prompts, seeds)

    with pytest.raises(KeyboardInterrupt):
        toyworld.hunt(tmp_path / "run", config=SEQUENTIAL, generator=Stopped())
    assert any("findings.json cannot be read" in line for line in verify(tmp_path / "run").differences)


def test_where_there_is_no_run_there_is_nothing_to_verify(tmp_path):
    """No folder, an empty one and one with a foreign file are bad input."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "store.sqlite").write_bytes(b"no database at all" * 100)
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
COLUMNS = [("draws", c) for c in ("label", "text", "seed", "arm", "image_sha256", "ignored", "fault", "key")]
COLUMNS += [("answers", c) for c in ("value", "fault", "kind", "key")]
NOTES = ("settings", "tried", "explored", "round 0", "round 1", "store_version", "image_size", "classes")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from([*COLUMNS, *(("about", name) for name in NOTES)]), value=ODD)
def test_no_store_is_bad_enough_for_a_crash(hunted, tmp_path_factory, place, value):
    """Whatever value stands in a row, verify ends with differences, or with one sentence; never with a traceback."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "run").mkdir()
    for name in ("store.sqlite", "findings.json"):
        shutil.copy(hunted / name, folder / "run" / name)
    table, name = place
    query = f"UPDATE about SET value = ? WHERE name = '{name}'"  # noqa: S608 - from the lists above
    if table != "about":
        last = f"(SELECT max(rowid) FROM {table})"  # noqa: S608 - likewise
        query = f"UPDATE OR IGNORE {table} SET {name} = ? WHERE rowid IN {last}"  # noqa: S608 - likewise
    with contextlib.suppress(sqlite3.IntegrityError):  # a column that may not be empty
        tamper(folder / "run", query, value)
    try:
        lines = verify(folder / "run", hunted.parent / "archive").differences
    except foible.InputError as problem:
        lines = (str(problem),)
    assert all(line.isprintable() for line in lines)
    shutil.rmtree(folder)


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


@settings(max_examples=60, deadline=None)
@given(data=st.data(), value=JSON)
def test_no_findings_file_is_bad_enough_for_a_crash(hunted, tmp_path_factory, data, value):
    """Whatever value stands in findings.json, it is found, unless it is the one that was there."""
    edited = document(hunted)
    path = data.draw(st.sampled_from(list(places(edited))[1:]))
    inner = edited
    for part in path[:-1]:
        inner = inner[part]
    same = inner[path[-1]] == value
    inner[path[-1]] = value
    folder = tmp_path_factory.mktemp("odd")
    (folder / "run").mkdir()
    shutil.copy(hunted / "store.sqlite", folder / "run" / "store.sqlite")
    (folder / "run" / "findings.json").write_text(json.dumps(edited), "utf-8")
    lines = verify(folder / "run", hunted.parent / "archive").differences
    free = path[0] in {"foible_version", "failure", "class_names", "unscored"} or path[:2] == ("settings", "labels")
    assert lines or same or free
    assert all(line.isprintable() for line in lines)
    shutil.rmtree(folder)


def test_the_command_says_what_differs_and_how_it_ended(run, tmp_path):
    """Exit 0 and one line where all agrees, 1 and a line for each difference, 2 where there is no run."""
    code, out, err = toyworld.finished(toyworld.command("verify", run))
    assert (code, err) == (0, "")
    assert out == f"2 findings and {verify(run).draws} draws agree with the store and the archive\n"
    file = shown(run)
    file.unlink()
    code, out, err = toyworld.finished(toyworld.command("verify", run))
    assert (code, out) == (1, f"draw {file.stem}: its image has gone from the archive\n")
    assert err == f"foible: 1 difference in {run}\n"
    code, out, err = toyworld.finished(toyworld.command("verify", tmp_path / "none"))
    assert (code, out) == (2, "")
    assert "is no run directory" in err
