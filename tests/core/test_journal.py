"""Promises of the run directory: one hunt's own journal, whole or refused with one sentence."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toyworld
from foible import __version__
from foible.errors import FoibleError, StoreError
from foible.records import ClassMap, Hypothesis, Label, Treatment
from foible.run.events import Asked, Began, Block, Ended, Event, Grew, Learned, Lost, Mended, Tried, Worked
from foible.run.journal import NAME, Journal
from foible.run.settings import NAMED, keep

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[1:] = sys.argv[2:]
from foible.cli import main
main()
"""
"""`foible` with a disk on which no file grows beyond a number of bytes."""
LEARNED = Learned(size=(16, 16), classes=[12])

hunt = functools.partial(toyworld.hunt, seed=1)
"""With draws that show every bug."""
ASKED = Asked(stage="explore", blocks=[Block(arm="explore", label="mug", words=("on grass", "é"), seeds=(4, 8))])
EVENTS: list[Event] = [
    LEARNED,
    ASKED,
    Tried(hypotheses=[Hypothesis(label="mug", treatment=Treatment(words=("on grass",)), score=math.inf)]),
    Lost(faults={"a": ("the line is down", True), "b": ("no picture", False)}),
    Mended(keys=["a"]),
    Grew(settings={"budget": 20}),
    Worked(spent={"judge": (8, 0.5)}),
    Worked(spent={"judge": (2, 0.25)}),
]


def began(**changed):
    """Give the first event of a small run."""
    return Began(
        foible_version=__version__,
        settings={"budget": 10, "seed": 1, **changed},
        parts={},
        classifiers=[{"spec": "python:x"}],
        maps=[ClassMap(classifier="python:x", names=None, right={"mug": (3, 1)})],
        labels=[Label("mug", "cup")],
        probe=None,
    )


def line_of(event, before=""):
    """Write a line whose seal fits, whatever the event says; give the line and its seal."""
    body = json.dumps(event, separators=(",", ":")).encode()
    seal = hashlib.blake2b(before.encode() + body, digest_size=16).hexdigest()
    return b'["%b",%b]\n' % (seal.encode(), body), seal


def written(folder):
    """Write every kind of event into a journal; give its bytes."""
    with Journal(folder) as journal:
        for event in (began(), *EVENTS):
            journal.note(event)
    return (folder / NAME).read_bytes()


def told(journal):
    """Give everything that a journal comes to."""
    return (
        journal.began,
        journal.learned,
        journal.tried,
        journal.ended,
        dict(journal.settings),
        dict(journal.faults),
        dict(journal.spent),
        list(journal.asked()),
    )


def refusal(folder, **options):
    """Open a journal that cannot be opened; give the sentence."""
    with pytest.raises(StoreError) as problem:
        Journal(folder, **options)
    assert str(folder) in str(problem.value)
    assert str(problem.value).isprintable()
    return str(problem.value)


@contextlib.contextmanager
def as_nobody():
    """Give up the rights of root, to which a read-only folder is none."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


# --- what is noted comes back -----------------------------------------------------------------------------------------


def test_what_was_noted_comes_back(tmp_path):
    """Every kind of event comes back as it was noted, in this process and in a later one, a score without end too."""
    with Journal(tmp_path) as journal:
        for event in (began(), *EVENTS):
            journal.note(event)
        now = told(journal)
    assert now[2][0].score == math.inf
    assert now[4]["budget"] == 20
    assert list(now[5]) == ["b"]
    assert now[6] == {"judge": (10, 0.75)}
    assert now[7] == [ASKED]
    for write in (False, True):
        with Journal(tmp_path, write=write) as again:
            assert told(again) == now


def test_what_an_asker_asked_is_told_to_it_alone(tmp_path):
    """Asks come back in order, those of one stage, and of one classifier and those before it."""
    asks = [ASKED.model_copy(update={"stage": stage, "classifier": place}) for stage in "ab" for place in (0, 1)]
    with Journal(tmp_path) as journal:
        for event in asks:
            journal.note(event)
        assert list(journal.asked()) == asks
        assert list(journal.asked("b")) == asks[2:]
        assert list(journal.asked("b", 0)) == asks[2:3]
        journal.note(asks[0])
        assert list(journal.asked("a", 1)) == [*asks[:2], asks[0]]


def test_a_run_has_ended_until_something_is_noted_that_changes_it(tmp_path):
    """What took how long changes nothing; a draw that is asked for does."""
    with Journal(tmp_path) as journal:
        journal.note(began())
        journal.note(Ended())
        journal.note(EVENTS[-1])
        assert journal.ended
    with Journal(tmp_path) as journal:
        assert journal.ended
        journal.note(ASKED)
        assert not journal.ended


def test_a_run_that_is_begun_anew_forgets_the_old_one(tmp_path):
    """Nothing of the run before is told, in this process and in a later one."""
    written(tmp_path)
    with Journal(tmp_path) as journal:
        journal.begin(began(seed=2))
        journal.note(ASKED)
        assert list(journal.asked()) == [ASKED]
        assert (journal.settings["seed"], journal.learned, journal.tried, journal.faults) == (2, None, (), {})
    with Journal(tmp_path, write=False) as again:
        assert list(again.asked()) == [ASKED]
        assert (again.settings["seed"], again.settings["budget"], again.learned) == (2, 10, None)


def test_what_is_no_text_is_refused_with_one_sentence(tmp_path):
    """A file name that is no Unicode text can stand in no journal, and the journal stays whole."""
    with Journal(tmp_path) as journal:
        journal.note(began())
        with pytest.raises(StoreError, match="rename what it names") as problem:
            journal.note(Grew(settings={"generator.spec": "folder:\udcff"}))
        assert str(problem.value).isprintable()
        journal.note(LEARNED)
    with Journal(tmp_path, write=False) as again:
        assert again.learned == LEARNED


# --- damage -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_torn_last_line_never_happened(data):
    """Wherever a kill cuts the last line, what stands before it is told, and the next event follows on that."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = written(folder)
        ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
        cut = data.draw(st.integers(0, len(whole) - 1))
        (folder / NAME).write_bytes(whole[:cut])
        kept = max([end for end in ends if end <= cut], default=0)
        with Journal(folder, write=False) as reader:
            before = told(reader)
        assert (folder / NAME).stat().st_size == cut, "a reader changes nothing"
        with Journal(folder) as journal:
            assert told(journal) == before
            assert (folder / NAME).read_bytes() == whole[:kept]
            journal.note(ASKED)
            assert list(journal.asked())[-1] == ASKED
        with Journal(folder) as again:
            assert list(again.asked()) == [*before[-1], ASKED]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), mask=st.integers(1, 255))
def test_every_flipped_byte_is_found(data, mask):
    """A byte that is not what was written is refused with one sentence; the very last one tears the last line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = bytearray(written(folder))
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= mask
        (folder / NAME).write_bytes(whole)
        if at == len(whole) - 1:
            with Journal(folder, write=False) as reader:
                assert dict(reader.spent) == {"judge": (8, 0.5)}
        else:
            for write in (False, True):
                assert "is damaged after byte" in refusal(folder, write=write)
            assert (folder / NAME).read_bytes() == bytes(whole), "what is damaged is left alone"


@pytest.mark.parametrize("how", ["taken out", "moved", "doubled", "of another run"])
def test_a_line_that_is_whole_but_in_another_place_is_refused(tmp_path, how):
    """A line that was taken out, moved, doubled or put in from elsewhere does not fit the lines before it."""
    lines = written(tmp_path).splitlines(keepends=True)
    other = line_of({"event": "learned", "size": [8, 8], "classes": [2]})[0]
    changed = {
        "taken out": [*lines[:2], *lines[3:]],
        "moved": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "doubled": [*lines[:3], lines[2], *lines[3:]],
        "of another run": [*lines[:2], other, *lines[2:]],
    }
    (tmp_path / NAME).write_bytes(b"".join(changed[how]))
    assert "a line that was changed, moved or taken out" in refusal(tmp_path)


GOOD = {event.event: event.model_dump(mode="json") for event in (began(), *EVENTS)}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "sung"},
        {},
        [],
        7,
        None,
        GOOD["asked"] | {"stage": 7},
        GOOD["asked"] | {"blocks": []},
        GOOD["asked"] | {"more": 1},
        GOOD["asked"] | {"blocks": [GOOD["asked"]["blocks"][0] | {"seeds": [-1]}]},
        GOOD["asked"] | {"blocks": [GOOD["asked"]["blocks"][0] | {"seeds": [2**32]}]},
        GOOD["asked"] | {"blocks": [GOOD["asked"]["blocks"][0] | {"seeds": ["4"]}]},
        GOOD["asked"] | {"blocks": [GOOD["asked"]["blocks"][0] | {"arm": "narrow"}]},
        GOOD["learned"] | {"size": [16]},
        GOOD["tried"] | {"hypotheses": [{"label": "mug"}]},
        {key: value for key, value in GOOD["began"].items() if key != "labels"},
    ],
    ids=lambda event: str(event)[:40],
)
def test_an_event_that_cannot_be_is_refused(tmp_path, event):
    """An unknown kind, or a field that lacks, is too many or of another type, is one sentence: another wrote it."""
    first, seal = line_of(GOOD["began"])
    (tmp_path / NAME).write_bytes(first + line_of(event, seal)[0])
    assert "an event that this foible does not know" in refusal(tmp_path)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(GOOD)), data=st.data(), value=JSON)
def test_no_event_is_bad_enough_for_a_crash(kind, data, value):
    """Whatever value stands in a field, the journal opens or is refused with one sentence."""
    field = data.draw(st.sampled_from(sorted(GOOD[kind])))
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / NAME).write_bytes(line_of(GOOD[kind] | {field: value})[0])
        with contextlib.suppress(StoreError), Journal(Path(name), write=False) as journal:
            told(journal)


def test_what_is_no_journal_is_refused_and_left_alone(tmp_path):
    """A foreign file in the journal's place, a pipe, and a folder without one are refused; nothing in them changes."""
    diary = "dear diary, \n" * 500
    (tmp_path / NAME).write_text(diary)
    assert "damaged" in refusal(tmp_path)
    assert (tmp_path / NAME).read_text() == diary
    (tmp_path / NAME).unlink()
    assert f"holds no {NAME}" in refusal(tmp_path, write=False)
    os.mkfifo(tmp_path / NAME)
    assert f"holds no {NAME}" in refusal(tmp_path, write=False)
    assert "is no file" in refusal(tmp_path)
    assert "is no run directory" in refusal(tmp_path / "nowhere", write=False)
    assert not (tmp_path / "nowhere").exists()


# --- the directory ----------------------------------------------------------------------------------------------------


def test_a_directory_in_use_is_refused(tmp_path):
    """A second process on the same run directory gets one sentence and code 2; afterwards the directory is free."""
    with Journal(tmp_path / "run") as journal:
        journal.note(began())
        code, out, err = toyworld.finished(toyworld.command(*toyworld.COMMAND, "--out", tmp_path / "run"))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "in use by another foible" in err
        with Journal(tmp_path / "run", write=False) as reader:
            assert reader.began == began()
    Journal(tmp_path / "run").close()


def test_a_journal_that_cannot_be_opened_holds_no_lock(tmp_path):
    """A refused open leaves nothing open: once the directory is mended, the same process can use it."""
    (tmp_path / NAME).write_text("x\n" * 5000)
    refusal(tmp_path)
    (tmp_path / NAME).unlink()
    Journal(tmp_path).close()


def test_a_read_only_directory_is_refused():
    """A directory that may not be written gets one sentence that says so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with as_nobody():
            assert "Permission denied" in refusal(folder)
        assert list(folder.iterdir()) == []
        folder.chmod(0o755)


@pytest.mark.parametrize("out", ["file", "file/run", "/proc/run", "/dev/null/run"])
def test_a_place_that_is_no_directory_is_refused(tmp_path, monkeypatch, out):
    """A file in the place of the run directory, or above it, gets one sentence that names it."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("in the way")
    assert "cannot be used" in refusal(Path(out))
    assert Path("file").read_text() == "in the way"


@pytest.mark.parametrize("limit", [0, 30_000])
def test_a_full_disk_ends_the_hunt_with_one_sentence_and_loses_nothing(tmp_path, limit):
    """When the disk is full the hunt ends with one sentence and code 2; with room it goes on to the same findings."""
    arguments = [*toyworld.COMMAND, "--out", tmp_path / "run"]
    code, out, err = toyworld.finished(toyworld.command(limit, *arguments, python=("-c", LIMITED)))
    assert (code, out) == (2, ""), err
    assert err.startswith("foible: ")
    assert err.count("\n") == 1
    assert "cannot be used" in err or "cannot be written" in err
    assert not list((tmp_path / "run").glob("findings*"))
    if limit:
        assert toyworld.finished(toyworld.command(*arguments))[0] == 0
        assert b'"confirmed"' in toyworld.written(tmp_path / "run")["findings.json"]


def test_a_disk_that_is_full_for_the_journal_alone_leaves_it_whole(tmp_path):
    """An event that does not fit leaves nothing of itself: the next process reads what was noted before."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from foible.run.events import Grew\n"
        "from foible.run.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    while True:\n"
        "        journal.note(Grew(settings={'budget': 7, 'words': 'x' * 500}))\n"
        "except Exception as problem:\n"
        "    print(type(problem).__name__)\n"
        "journal.close()\n"
    )
    process = toyworld.command(tmp_path / "run", python=("-c", script))
    assert toyworld.finished(process) == (0, "StoreError\n", "")
    with Journal(tmp_path / "run") as journal:
        assert journal.settings["budget"] == 7
        journal.note(ASKED)
    assert (tmp_path / "run" / NAME).read_bytes().count(b"\n") == 4


# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_run_directory_of_other_settings_is_refused_naming_them(tmp_path):
    """A second hunt with other settings on one directory is refused: the fields, old and new values, and what to do."""
    hunt(tmp_path / "run")
    before = (tmp_path / "run" / NAME).read_bytes()
    with pytest.raises(StoreError) as problem:
        hunt(tmp_path / "run", labels=["coffee mug"], seed=3, config={"confirm": {**toyworld.FIXED, "draws": 21}})
    sentence = str(problem.value)
    assert "confirm.draws was 20, now 21" in sentence
    assert "seed was 1, now 3" in sentence
    assert "labels was " in sentence
    assert "use the same, or --out" in sentence
    with pytest.raises(StoreError, match=r"classifier\.spec was \"object:toyworld\.Classifier\", now"):
        hunt(tmp_path / "run", toyworld.Perfect())
    with pytest.raises(StoreError, match=r"classifier 1\.spec was null, now \"object:toyworld\.Perfect\""):
        hunt(tmp_path / "run", [toyworld.Classifier(), toyworld.Perfect()])
    assert (tmp_path / "run" / NAME).read_bytes() == before


def test_runtime_settings_may_differ(tmp_path):
    """Where things lie never refuses a run directory: an archive elsewhere costs the draws, and nothing else."""
    hunt(tmp_path / "run")
    before = toyworld.written(tmp_path / "run")
    hunt(tmp_path / "run", config={"archive": tmp_path / "other" / "archive"})
    after = toyworld.written(tmp_path / "run")
    assert after == before


def test_settings_under_which_nothing_worked_are_replaced(tmp_path):
    """A hunt that ended before any outcome was known leaves a directory that the mended call can use."""

    def broken(images):
        message = "no such layer"
        raise RuntimeError(message)

    with pytest.raises(FoibleError, match="no such layer"):
        hunt(tmp_path / "run", broken, labels=["0=coffee mug"])
    run = hunt(tmp_path / "run")
    assert run.confirmed
    assert toyworld.written(run.folder) == toyworld.written(hunt(tmp_path / "alone" / "run").folder)


@given(
    before=st.fixed_dictionaries(dict.fromkeys("abcdefgh", st.integers(0, 2))),
    now=st.fixed_dictionaries(dict.fromkeys("abcdefgh", st.integers(0, 2))),
)
@settings(max_examples=25, deadline=None)
def test_every_difference_is_counted(before, now):
    """Settings pass when they are equal; else the sentence names the first few that differ, and counts the rest."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "run") as journal:
        keep(journal, began(**before))
        journal.note(LEARNED)
        journal.note(ASKED)
        differing = sorted(name for name in before if before[name] != now[name])
        if not differing:
            keep(journal, began(**now))
            return
        with pytest.raises(StoreError) as problem:
            keep(journal, began(**now))
        for name in differing[:NAMED]:
            assert f"{name} was " in str(problem.value)
        assert (f"and {len(differing) - NAMED} more" in str(problem.value)) == (len(differing) > NAMED)
        assert journal.settings == began(**before).settings


def test_growing_settings_rise_and_never_fall(tmp_path):
    """A growing setting may be raised, up to no limit, and what is noted rises with it; it never falls back."""
    with Journal(tmp_path / "run") as journal:
        keep(journal, began())
        journal.note(LEARNED)
        journal.note(ASKED)
        keep(journal, began(budget=20))
        assert journal.settings["budget"] == 20
        with pytest.raises(StoreError, match="budget was 20, now 10"):
            keep(journal, began(budget=10))
        with pytest.raises(StoreError, match="seed was 1, now 2"):
            keep(journal, began(budget=30, seed=2))
        keep(journal, began(budget=None))
        with pytest.raises(StoreError, match="budget was null, now 1000"):
            keep(journal, began(budget=1000))
    with Journal(tmp_path / "run", write=False) as journal:
        assert journal.settings["budget"] is None
        assert journal.began == began()
