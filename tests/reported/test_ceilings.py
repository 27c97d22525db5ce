"""The limit of requests is handed over, and so it reaches whatever asks a server."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import pytest

import foible.parts.ceiling
import openai_server
import toyworld
from foible import testing
from foible.errors import OutOfRequests
from foible.parts import registry
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import CountsRequests, offers
from foible.records import Label


class Counting:
    """A judge that says yes, and counts itself on the ceiling it has, its own name among what it asks for."""

    def __init__(self, *, name="counting"):
        self._name, self._ceiling = name, Ceiling(None)

    def count_on(self, ceiling):
        """Take requests from there."""
        self._ceiling = ceiling

    @property
    def fingerprint(self):
        """Asked for, as a server's version is."""
        self._ceiling.take(1)
        return self._name

    def judge(self, images, labels):
        """Say yes, for one request each."""
        self._ceiling.take(len(images))
        return [True] * len(images)


HERE = "python:test_ceilings:Counting"
IMAGES, LABELS = testing.patterns(), [Label("cup")] * 3


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Let `python:` find this file."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_part_takes_its_requests_from_the_ceiling_it_is_handed():
    """8: what fits the protocol is handed the ceiling before anything is asked of it, a spec and an object alike."""
    for what in (HERE, Counting()):
        shared = Ceiling(4)
        part = registry.load("judge", what, ceiling=shared)
        judge = part.object.judge
        assert offers(part.object, CountsRequests)
        asked = shared.made
        assert asked >= 1
        judge(IMAGES[:1], LABELS[:1])
        assert shared.made == asked + 1
        with pytest.raises(OutOfRequests):
            judge(IMAGES * 2, LABELS * 2)


def test_an_ensemble_hands_the_ceiling_to_its_members():
    """8: the members of an ensemble, and of one within it, count on the one ceiling from their first request."""
    inner = {"spec": "ensemble", "args": {"judges": [HERE, {"spec": HERE, "args": {"name": "second"}}]}}
    shared = Ceiling(100)
    part = registry.load("judge", "ensemble", {"judges": [inner, HERE]}, ceiling=shared)
    assert shared.made >= 3
    before = shared.made
    part.object.judge(IMAGES, LABELS)
    assert shared.made == before + 9
    later = Ceiling(None)
    part.object.count_on(later)
    part.object.judge(IMAGES, LABELS)
    assert (shared.made, later.made) == (before + 9, 9)
    with pytest.raises(OutOfRequests):
        registry.load("judge", "ensemble", {"judges": [inner, HERE]}, ceiling=Ceiling(2))


def test_a_ceiling_can_be_sent_to_a_worker():
    """8: pickled, a ceiling has the requests that were left, and ends where it would have ended."""
    shared = Ceiling(5)
    shared.take(3)
    sent = pickle.loads(pickle.dumps(shared))  # noqa: S301 - what this test has written itself
    assert (sent.most, sent.made) == (5, 3)
    sent.take(2)
    with pytest.raises(OutOfRequests, match="0 left, and the next step needs 1"):
        sent.take(1)
    assert shared.made == 3


def test_nothing_ambient_is_left():
    """8: a ceiling has no effect on a part that was not handed it, whatever thread or context loads that part."""
    assert not [
        name for name in vars(foible.parts.ceiling) if "context" in name.lower() or name in {"under", "current"}
    ]
    with openai_server.running() as server:
        args = {"base_url": server.url, "size": "64x64"}
        shared = Ceiling(2)
        part = registry.load("generator", "openai-images:scenes", args, ceiling=shared)
        registry.load("generator", "openai-images:scenes", args).object.draw(["a cup"] * 3, range(3))
        assert shared.made == 0
        found = []

        def work():
            found.append(part.object.draw(["a vase"], [0]))
            with pytest.raises(OutOfRequests):
                part.object.draw(["a vase"] * 2, [0, 1])

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert len(found) == 1
        assert shared.made == 1


def test_a_hunt_hands_its_limit_to_objects_too(tmp_path):
    """8: `max_requests` holds for a part that was made in Python, and for the next hunt with it anew."""

    class Judge(Counting):
        def judge(self, images, labels):
            super().judge(images, labels)
            return toyworld.judge(images, labels)

    judge = Judge()
    with pytest.raises(OutOfRequests, match="ceiling of 20 requests"):
        toyworld.hunt(tmp_path / "run", judge=judge, config={"max_requests": 20})
    toyworld.hunt(tmp_path / "run", judge=judge)


def test_a_ceiling_below_one_step_says_what_it_takes():
    """Where one step needs more than the whole ceiling, the same command alone would never come further."""
    with pytest.raises(OutOfRequests, match="the same command with a max_requests of at least 32 goes on"):
        Ceiling(10).take(32)
    ceiling = Ceiling(40)
    ceiling.take(20)
    with pytest.raises(OutOfRequests, match="the same command goes on"):
        ceiling.take(32)
