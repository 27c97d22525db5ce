"""A classifier behind an address: what comes over a real server on loopback, and what becomes of its faults."""

from __future__ import annotations

import base64
import io
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from foible import testing
from foible.adapters.servers import server as _http
from foible.errors import ArgumentError, OutOfRequests, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.parts.ceiling import Ceiling
from foible.records import Fault

KEY = "a-planted-key-3f1c"
COLOURS = testing.ColourClassifier()


class Service:
    """What the server does, changed while it runs."""

    def __init__(self):
        self.labels = ["red", "green", "blue"]
        self.version = "1"
        self.faults: list[Any] = []
        """What to do in place of answering, once each."""
        self.always: Any = None
        """What to do in place of answering, every time."""
        self.seen: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.address = ""
        self.hanging = threading.Event()

    def answer(self, body):
        """Classify as the protocol says."""
        images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(text, validate=True)))) for text in body["images"]]
        self.seen.append(len(images))
        return {"scores": COLOURS.classify(images).tolist(), "labels": self.labels, "version": self.version}


class Server(ThreadingHTTPServer):
    """A server that knows what it does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = Service()


class Handler(BaseHTTPRequestHandler):
    """Speaks the wire format, or does what the service says."""

    server: Server

    def do_POST(self):
        """Answer, or do the fault that is due."""
        service = self.server.service
        service.headers.append(dict(self.headers))
        content = self.rfile.read(int(self.headers["Content-Length"]))
        fault = service.faults.pop(0) if service.faults else service.always
        if callable(fault):
            fault = fault(json.loads(content))
        if fault is None:
            self.reply(200, json.dumps(service.answer(json.loads(content))).encode())
        elif fault == "drop":
            self.close_connection = True
        elif fault == "half":
            self.reply(200, b'{"scores": [[0.1, 0.2', length=500)
            self.close_connection = True
        elif isinstance(fault, bytes):
            self.reply(200, fault)
        elif fault == "hang":
            service.hanging.wait(20)
            self.close_connection = True
        else:
            self.reply(fault, b'{"error": "no"}', {"Retry-After": "0"} if fault == 429 else {})

    def reply(self, status, content, headers=None, length=None):
        """Send an answer, with a length that may be a lie."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *told):
        """Stay silent."""


@contextmanager
def serving():
    """Run the server on a free port of this machine."""
    server = Server()
    service = server.service
    service.address = f"http://127.0.0.1:{server.server_address[1]}/classify"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.hanging.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def service(monkeypatch):
    """A server that is up, asked without long pauses."""
    monkeypatch.setattr(_http, "_SOON", 0.01)
    with serving() as running:
        yield running


def load(service, **args):
    """Load the classifier by its ordinary spec."""
    return registry.load("classifier", f"http:{service.address}", args)


def wrong(service, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(service, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def reasons(part, images):
    """Ask as a hunt does; give the reasons of what has no answer."""
    found = wrappers.ask_classifier(part, images)
    return [one.reason if isinstance(one, Fault) else "" for one in found]


def test_it_conforms(service):
    """A server that speaks the wire format keeps the promises of a classifier, one image a request or several."""
    assert testing.check("classifier", f"http:{service.address}") == []
    assert testing.check("classifier", f"http:{service.address}", {"batch": 2}) == []


def test_the_pixels_arrive_whole_and_in_order(service, images):
    """The scores are those that the server's own function gives for the same images; its names are taken over."""
    part = load(service, batch=2, concurrency=3)
    found: list[Any] = wrappers.ask_classifier(part, images * 4)
    assert np.allclose(np.stack(found), COLOURS.classify(images * 4))
    assert part.object.labels == ("red", "green", "blue")
    assert sorted(service.seen) == [1, 2, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("fault", [429, 503, 500, "drop", "half"])
def test_a_passing_fault_costs_nothing(fault, service, images):
    """Busy, broken, dropped and cut short, three times over: asked again, every image has its scores."""
    part = load(service)
    service.faults = [fault] * 3
    assert reasons(part, images) == ["", "", ""]


def test_a_server_that_hangs_is_given_up(service, images):
    """What is not answered in time has no answer, with the reason; the rest goes on."""
    part = load(service, timeout=0.5, retries=0, concurrency=1)
    service.faults = ["hang"]
    told = reasons(part, images)
    assert "did not answer in time" in told[0]
    assert told[1:] == ["", ""]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (403, "answered 403: no"),
        (302, "it has moved"),
        (b"{", "no whole JSON"),
        (b"[]", "of another shape"),
        (b'{"scores": [["x"]]}', "of another shape"),
        (b'{"scores": [[1, 2], [3]]}', "of another shape"),
        (b'{"scores": []}', "holds no row of scores"),
        (b'{"scores": [[1, 2, 3], [1, 2, 3]], "version": "1"}', "2 rows of scores for 1 images"),
        (b'{"scores": [[1, 2, NaN]], "version": "1", "labels": ["red", "green", "blue"]}', "NaN"),
        (b'{"scores": [[1, 2, 3]], "version": "2"}', "version is now '2', and was '1'"),
        ("drop", "dropped the connection"),
    ],
)
def test_a_lasting_fault_is_a_reason_for_that_image_alone(fault, told, service, images):
    """Whatever the server says of one image, it has no answer, in words that can be counted; the others have theirs."""
    part = load(service, retries=0, concurrency=1)
    service.faults = [None, fault]
    found = reasons(part, images)
    assert told in found[1]
    assert found[0] == found[2] == ""


def test_a_batch_that_fails_takes_its_images_along(service, images):
    """With several images in a request, all of them have no answer; those of the next request have theirs."""
    part = load(service, batch=2, retries=0, concurrency=1)
    service.faults = [500]
    told = reasons(part, images)
    assert all("answered 500" in reason for reason in told[:2])
    assert told[2] == ""


def test_what_is_wrong_at_the_start_ends_the_hunt_there(service):
    """No server, another protocol, names that do not match the scores, values that cannot be: a sentence each."""
    service.always = 404
    assert "is no classifier that can be asked: the server" in wrong(service)
    service.always = None
    assert "has 3 outputs, but the argument labels has 2 names" in wrong(service, ArgumentError, labels=["a", "b"])
    service.labels = ["a"]
    assert "its own list has 1 names" in wrong(service, ArgumentError)
    service.labels = ["red", "a\nb", "blue"]
    assert load(service).object.labels == ("red", "a b", "blue")
    assert "argument batch" in wrong(service, ArgumentError, batch=0)
    service.address = "http://127.0.0.1:9/classify"
    assert "cannot be reached" in wrong(service, retries=0)


def test_the_version_of_the_server_is_part_of_the_identity(service):
    """Another version is another identity; how it is asked is not."""
    first = load(service).identity
    assert load(service, batch=4, timeout=9, concurrency=1).identity == first
    service.version = "2"
    assert load(service).identity["fingerprint"] != first["fingerprint"]


def test_a_key_goes_to_the_server_and_nowhere_else(service, monkeypatch, images):
    """It is read from the variable that is named, sent as a bearer, and in no identity, error or reason."""
    monkeypatch.setenv("SERVICE_KEY", KEY)
    part = load(service, key_env="SERVICE_KEY", retries=0)
    assert service.headers[-1]["Authorization"] == f"Bearer {KEY}"
    service.always = json.dumps({"scores": [[KEY]]}).encode()
    told = json.dumps([part.identity, reasons(part, images), wrong(service, key_env="SERVICE_KEY")])
    assert KEY not in told
    assert KEY not in wrong(service, ArgumentError, key_env=KEY)
    assert "variable that key_env names is not set" in wrong(service, key_env="ANOTHER_KEY")


def test_the_ceiling_of_requests_holds(service, images):
    """A hunt's ceiling counts these requests too: the one at the start, and each after it."""
    shared = Ceiling(3)
    part = registry.load("classifier", f"http:{service.address}", ceiling=shared)
    with pytest.raises(OutOfRequests):
        wrappers.ask_classifier(part, images)
    assert reasons(part, images[:2]) == ["", ""]
    assert shared.made == 3
    assert sum(service.seen) == 3
