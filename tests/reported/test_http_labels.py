"""Servers that name their classes in each answer."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import toyworld
from foible.adapters.servers.classifier import HttpClassifier
from foible.errors import ArgumentError, MisfitError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.records import Fault

NAMES = ["red", "green", "blue"]
COLOURS = [np.full((16, 16, 3), colour, np.uint8) for colour in ([250, 90, 20], [30, 240, 120], [10, 100, 230])]
GREY = np.full((16, 16, 3), 128, np.uint8)


def straight(scores, asked):
    """Answer as the wire format says: the same classes in the same order."""
    return {"scores": scores, "labels": NAMES}


def ranked(scores, asked):
    """Answer with the best class first, as ranking services do; images come one by one."""
    order = np.argsort(scores[0])[::-1]
    return {"scores": [[row[place] for place in order] for row in scores], "labels": [NAMES[place] for place in order]}


class Server(ThreadingHTTPServer):
    """A server that counts what it is asked, and answers as it is told to."""

    daemon_threads = True
    spec: str
    answer: Callable[..., Any]

    def __init__(self, handler, answer):
        super().__init__(("127.0.0.1", 0), handler)
        self.asked, self.answer = 0, answer
        self.spec = f"http:http://127.0.0.1:{self.server_port}/classify"


@contextmanager
def serving(answer=straight):
    """Run a server whose classifier is perfect; `answer(scores, how many requests came before)` writes its answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in body["images"]]
            told = server.answer([image.mean(axis=(0, 1)).tolist() for image in images], server.asked)
            server.asked += 1
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told):
            pass

    server = Server(Handler, answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def load(server, **args):
    """Load the classifier by its spec, asked one request at a time."""
    return registry.load("classifier", server.spec, {"concurrency": 1, **args})


def named(part, images=COLOURS):
    """Give the name of the best class of each image, or the reason why there is none."""
    found = wrappers.ask_classifier(part, images)
    return [one.reason if isinstance(one, Fault) else part.object.labels[int(one.argmax())] for one in found]


def after(first, then):
    """Answer the first request in one way, and all others in another."""
    return lambda scores, asked: (then if asked else first)(scores, asked)


def relabelled(*names):
    """Answer with the same scores under other names."""
    return lambda scores, asked: {"scores": scores, "labels": list(names)}


def test_a_server_that_ranks_its_classes_is_read_by_its_own_labels():
    """A4: a perfect classifier that gives the best class first in each answer is right about every image."""
    with serving(ranked) as server:
        part = load(server)
        assert named(part) == NAMES


@pytest.mark.parametrize("order", [["blue", "red", "green"], ["green", "blue", "red"]])
def test_an_order_that_changes_later_changes_no_answer(order):
    """A4: scores that come in another order after the first answer are put back by the names beside them."""

    def later(scores, asked):
        return {"scores": [[row[NAMES.index(name)] for name in order] for row in scores], "labels": order}

    with serving(after(straight, later)) as server:
        part = load(server)
        assert part.object.labels == tuple(NAMES)
        found = wrappers.ask_classifier(part, COLOURS)
        assert np.allclose(np.array(found), [image.mean(axis=(0, 1)) for image in COLOURS])


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (relabelled("red", "green", "teal"), "the server's classes are others than at first"),
        (relabelled("red", "green", "green"), "the server's classes are others than at first"),
        (lambda scores, asked: {"scores": scores}, "named its classes at first, and names none now"),
        (lambda scores, asked: {"scores": [[*row, 9.0] for row in scores], "labels": [*NAMES, "new"]}, "4 scores"),
        (lambda scores, asked: {"scores": [[*row, 9.0] for row in scores], "labels": NAMES}, "4 scores"),
        (lambda scores, asked: {"scores": scores, "labels": dict(enumerate(NAMES))}, "no list of names"),
        (lambda scores, asked: {"scores": scores, "labels": [1, 2, 3]}, "no list of names"),
    ],
)
def test_classes_that_change_are_a_fault(then, told):
    """A4: an answer under other names, or none, or more, is read by nobody's guess: it is a fault that says so."""
    with serving(after(straight, then)) as server:
        assert all(told in reason for reason in named(load(server)))


def test_a_server_that_gives_its_best_classes_alone_is_told_so():
    """A4: other names in each answer, and scores from the highest down, are a top-k list: it says what is wanted."""

    def best(scores, asked):
        return {"scores": [[0.9, 0.1]], "labels": ["red", "green"] if asked % 2 else ["blue", "teal"]}

    with serving(best) as server:
        told = named(load(server))
    assert any("its best classes alone (top-k); let it give one score for each" in reason for reason in told)
    with serving(after(straight, lambda scores, asked: {"scores": [[1, 3, 2]], "labels": ["a", "b", "c"]})) as server:
        assert all("top-k" not in reason for reason in named(load(server)))


def test_names_of_one_s_own_are_put_to_the_server_s_by_name_or_by_a_lasting_order():
    """A4: the server's own names in any order decide the order; other names need an order that stays."""
    with serving(ranked) as server:
        part = load(server, labels=["blue", "green", "red"])
        assert part.object.labels == ("blue", "green", "red")
        assert named(part) == NAMES
        with pytest.raises(ArgumentError, match="orders its classes anew in each answer"):
            load(server, labels=["rot", "grün", "blau"])
    with serving() as server:
        part = load(server, labels=["rot", "grün", "blau"])
        assert named(part) == ["rot", "grün", "blau"]
        server.answer = ranked
        assert "another order than at first" in named(part, [COLOURS[2]])[0]


def test_another_order_is_another_identity():
    """A4: answers that were kept under one order of the classes are never read under another."""
    with serving() as server:
        one = load(server).identity["fingerprint"]
        assert load(server).identity["fingerprint"] == one
        server.answer = relabelled("blue", "green", "red")
        assert load(server).identity["fingerprint"] != one


@given(st.permutations(range(4)), st.lists(st.integers(-9, 9), min_size=4, max_size=4))
def test_any_order_of_distinct_names_gives_the_same_scores(order, scores):
    """A4: whatever order an answer comes in, each class has the score that stands beside its name."""
    names = ["a", "b", "c", "d"]

    def answer(_scores, asked):
        places = order if asked else range(4)
        return {"scores": [[scores[place] for place in places]], "labels": [names[place] for place in places]}

    with serving(answer) as server:
        (row,) = wrappers.ask_classifier(load(server), [GREY])
        assert row.tolist() == scores


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "-" + "9" * 400, "1e400", "Infinity"], ids=len)
def test_a_score_that_is_too_large_is_a_fault_of_its_own(number):
    """C31: a score of 400 digits, or of 5,000, leaves its image without an answer, in one true sentence."""
    vast = b'{"scores": [[1, 2, %s]], "labels": ["red", "green", "blue"]}' % number.encode()
    with serving(after(straight, lambda scores, asked: vast)) as server:
        told = named(load(server))
        assert (
            told == ["classifier: the server gave a score that is infinite, or too large for a number of 64 bits"] * 3
        )


def test_a_score_that_is_too_large_costs_its_own_image_alone():
    """C31: of several images in one request, the one with such a score has no answer, and the others have theirs."""

    def vast(scores, asked):
        return {"scores": [scores[0], [10**400, 0, 0], *scores[2:]], "labels": NAMES}

    with serving(after(straight, vast)) as server:
        told = named(load(server, batch=3))
        assert told[::2] == ["red", "blue"]
        assert "too large" in told[1]


def test_nothing_is_asked_while_it_is_made():
    """8: a classifier asks its server about itself when that is first wanted, under the ceiling that it has by then."""
    with serving() as server:
        part = HttpClassifier(server.spec.partition(":")[2])
        assert server.asked == 0
        assert part.labels == tuple(NAMES)
        assert server.asked == 1


class Ranking(toyworld.Perfect):
    """A classifier that is right, and gives the scores of its classes highest first, as services that rank do."""

    labels = toyworld.NAMES

    def classify(self, images):
        """Score what is there highest, the others by their distance to it, and each image a little otherwise."""
        right = np.array([toyworld.PLAIN.index(toyworld.read(image).label) for image in images])
        distance = np.abs(np.arange(len(self.labels)) - right[:, None]) + 0.1 * np.arange(len(self.labels))
        shade = np.array([1 + image.mean() / 255 for image in images])
        return self.ordered(-distance * shade[:, None])

    def ordered(self, scores):
        """Sort them."""
        return -np.sort(-scores, axis=1)


class InOrder(Ranking):
    """The same, in the order of its classes."""

    def ordered(self, scores):
        """Leave them as they are."""
        return scores


def test_scores_that_come_highest_first_are_refused(tmp_path):
    """A4: where scores are sorted and no names stand beside them, class 0 would win on every image: it is said so."""
    with pytest.raises(MisfitError, match=r"come highest first for each of \d+ images: they are sorted"):
        toyworld.hunt(tmp_path / "sorted", Ranking(), labels=["teapot", "coffee mug"])
    run = toyworld.hunt(tmp_path / "in order", InOrder(), labels=["teapot", "coffee mug"])
    assert not run.result.base_failures
    # One label, the first class: it wins always, and the others come as they come.
    run = toyworld.hunt(tmp_path / "first", toyworld.Perfect(), labels=toyworld.PLAIN[:1])
    assert not run.result.base_failures
