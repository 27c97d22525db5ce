"""Runs that another version of foible made: what is said of them, whichever verb meets them."""

from __future__ import annotations

import hashlib
import json

import pytest

import foible
import toyworld
from foible._version import __version__
from foible.checks.verify import verify
from foible.errors import OtherVersionError
from foible.run.events import VERSION
from foible.run.journal import NAME, Journal

LABEL = ["coffee mug"]


def hunt(folder, budget=5_000):
    """Hunt in a small world, with more draws allowed than it needs."""
    return toyworld.hunt(folder, labels=LABEL, seed=2, budget=budget)


@pytest.fixture
def run(tmp_path):
    """Hunt in a small world."""
    hunt(tmp_path / "run")
    return tmp_path / "run"


def rewrite(run, change):
    """Write the journal again as another foible would have: `change` is given the list of its events."""
    events = [json.loads(line)[1] for line in (run / NAME).read_bytes().splitlines()]
    change(events)
    seal, lines = "", []
    for event in events:
        body = json.dumps(event, separators=(",", ":")).encode()
        seal = hashlib.blake2b(seal.encode() + body, digest_size=16).hexdigest()
        lines.append(b'["%b",%b]\n' % (seal.encode(), body))
    (run / NAME).write_bytes(b"".join(lines))


def met(run):
    """Open, verify and resume a run; give what each says."""
    said = []
    for meet in (foible.open, verify, hunt):
        try:
            found = meet(run)
        except OtherVersionError as problem:
            said.append(str(problem))
        else:
            (line,) = found.differences
            said.append(line)
    return said


def newer(events):
    """Be a newer foible, whose events this one cannot know."""
    events[0] |= {"foible_version": "9.1", "journal_version": VERSION + 1}
    events.insert(1, {"event": "dreamt", "of": []})


def with_a_new_field(events):
    """Be a foible of the same version of journal, such as one between two releases, with one field more."""
    events[0]["foible_version"] = "9.1"
    next(event for event in events if event["event"] == "asked")["why"] = "since"


def with_a_new_field_at_first(events):
    """Be one whose first event is another."""
    events[0] |= {"foible_version": "9.1", "mood": "good"}


@pytest.mark.parametrize("change", [newer, with_a_new_field, with_a_new_field_at_first])
def test_a_journal_of_another_version_is_not_called_damaged(run, change):
    """A journal that is whole and says what this foible does not know: who wrote it is said, and what to do."""
    rewrite(run, change)
    before = (run / NAME).read_bytes()
    for said in met(run):
        assert f"was written by foible 9.1, and this is foible {__version__}" in said
        assert "use the one that wrote it" in said
        assert "damaged" not in said
    assert (run / NAME).read_bytes() == before


def test_a_newer_journal_is_refused_though_it_can_be_read(run):
    """The number of its version decides, not whether its fields happen to be known."""
    rewrite(run, lambda events: events[0].update(journal_version=VERSION + 1))
    for said in met(run):
        assert f"a journal of version {VERSION + 1}, and this foible reads up to {VERSION}" in said
        assert "written by another foible" in said


def test_a_flipped_version_is_damage(run):
    """Where the seal does not fit, nothing that the line says is believed."""
    path = run / NAME
    found = path.read_bytes().replace(b'"journal_version":%d' % VERSION, b'"journal_version":%d' % (VERSION + 1), 1)
    path.write_bytes(found)
    with pytest.raises(foible.InputError, match="is damaged after byte 0"):
        verify(run)


def asked_for_less(events):
    """Be an older foible whose hunt ended sooner: with the last draws that were asked for, and no note of the end."""
    last = max(place for place, event in enumerate(events) if event["event"] == "asked")
    events[:] = [*events[:last], *(event for event in events[last:] if event["event"] in {"ended", "worked"})]


@pytest.mark.parametrize("wrote", ["0.0.7", __version__])
def test_a_run_that_ended_under_another_version_is_not_called_unfinished(run, wrote):
    """Where this foible would go on, that is said, with who made the run; nothing is drawn, noted or replaced."""
    rewrite(run, lambda events: (asked_for_less(events), events[0].update(foible_version=wrote)))
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.name != NAME}
    for said in met(run):
        assert "has come to its end, but this foible would ask for more" in said
        assert ("foible 0.0.7" in said) == (wrote != __version__)
        assert "not finished" not in said
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.name != NAME} == before
    with Journal(run, write=False) as journal:
        assert journal.ended
        asked = len(list(journal.asked()))
    # A larger budget is a reason to ask for more.
    hunt(run, budget=10_000)
    with Journal(run, write=False) as journal:
        assert len(list(journal.asked())) > asked


def test_verify_says_first_that_another_version_made_what_differs(run):
    """Numbers that another version worked out otherwise are not left to look like a change of the file."""
    rewrite(run, lambda events: events[0].update(foible_version="0.0.7"))
    first, *rest = verify(run).differences
    assert "was begun by foible 0.0.7" in first
    assert rest, "findings.json says another version"


def test_a_run_with_other_settings_than_this_version_has_is_not_said_to_have_been_set_otherwise(run):
    """Where another version has a setting more, or one less, nobody set it otherwise: that is what is said."""
    rewrite(run, lambda events: events[0]["settings"].update({"explore.mood": 3}))
    with pytest.raises(OtherVersionError, match=r"another foible.*has other settings.*explore\.mood") as told:
        hunt(run)
    assert "name another --out" in str(told.value)
