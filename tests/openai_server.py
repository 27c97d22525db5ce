"""A server on loopback that speaks OpenAI's protocol over the diorama, and misbehaves where a test asks it to.

`with openai_server.running() as server:` gives its `url`, the `bodies` and `keys` that came, and `faults`: a list that
a test fills; each request takes the first of it, and is answered as that says. `test_endpoints.py` has the official
client talk to it, so that the server itself is known to be right.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

HALF, DROP, HANG, BOMB, BUSY, TEXT, SMALL, ECHO, HUGE, TRICKLE, DEEP, SPENT, PACKED, DRIP = (
    "half", "drop", "hang", "bomb", "busy", "text", "small", "echo", "huge", "trickle", "deep", "spent", "packed",
    "drip",
)  # fmt: skip


class Server(ThreadingHTTPServer):
    """What came, and what is to go wrong."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.faults: list[int | str | None] = []
        self.always: int | str | None = None
        """What every request is answered with once the faults are used up; None answers it well."""
        self.words: Any = None
        """What the chat says of every image: a message's content, or a whole choice; None lets the diorama speak."""
        self.refused: set[str] = set()
        """Fields of a request for an image that the server does not know."""
        self.base64: Callable[[bytes], Any] = lambda png: base64.b64encode(png).decode()
        """How an image is written into an answer."""
        self.key: str | None = None
        self.retry_after = "0"
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.parts: dict[str, Any] = {}
        self.most_at_once = self._now = 0

    @property
    def url(self):
        """The base URL that clients take."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request, client_address):
        """Say nothing of clients that hung up."""

    def part(self, kind, make):
        """Give a diorama model, made when it is first needed."""
        return self.parts.setdefault(kind, make())

    @contextmanager
    def counted(self):
        """Count how many requests are under way."""
        with self.lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self.lock:
                self._now -= 1


class Handler(BaseHTTPRequestHandler):
    """Answers `POST /v1/images/generations` and `POST /v1/chat/completions`."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args):
        """Print nothing."""

    def do_POST(self):
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.keys.append(key)
            fault = self.server.faults.pop(0) if self.server.faults else self.server.always
        with self.server.counted():
            if self.server.key is not None and key != self.server.key:
                return self._refuse(401, f"Incorrect API key provided: {key}")
            if fault is not None:
                return self._misbehave(fault, key)
            ways = {"/v1/images/generations": self._images, "/v1/chat/completions": self._chat}
            if self.path not in ways:
                return self._refuse(404, "no such way")
            return ways[self.path](body)

    def _images(self, body):
        from foible.adapters.diorama import Scenes

        for field in sorted(self.server.refused & body.keys()):
            return self._refuse(400, f"Unknown parameter: '{field}'.", code="unknown_parameter")
        wide, high = map(int, body["size"].split("x"))
        if "lion" in body["prompt"]:
            return self._refuse(400, "the prompt was refused by our policy")
        drawn = self.server.part("scenes", lambda: Scenes("scenes")).draw([body["prompt"]], [body.get("seed", 0)])[0]
        picture = Image.fromarray(drawn.image).resize((wide, high))
        told = self.server.base64(base64.b64decode(_png(picture)))
        return self._answer(200, {"created": 0, "data": [{"b64_json": told}]})

    def _chat(self, body):
        from foible.adapters.diorama import captioner

        content = body["messages"][0]["content"]
        url = next(part for part in content if part["type"] == "image_url")["image_url"]["url"]
        head, _, data = url.partition(",")
        assert head == "data:image/png;base64"
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
        if self.server.words is not None:
            said = self.server.words
            return self._answer(
                200, {"choices": [said]} if isinstance(said, dict) else _completion(body["model"], said)
            )
        with self.server.lock:
            words = self.server.part("captioner", lambda: captioner("captioner")).caption([image])[0]
        return self._answer(200, _completion(body["model"], words))

    def _misbehave(self, fault, key):  # noqa: C901, PLR0911, PLR0912 - one branch a fault
        if isinstance(fault, int):
            return self._refuse(fault, "something is wrong")
        if fault == BUSY:
            return self._refuse(429, "slow down", {"Retry-After": self.server.retry_after})
        if fault == SPENT:
            return self._refuse(429, "you have no quota left", code="insufficient_quota")
        if fault == PACKED:
            return self._raw(b"not gzip at all", headers={"Content-Encoding": "gzip"})
        if fault == BOMB:
            return self._answer(200, {"data": [{"b64_json": base64.b64encode(bomb()).decode()}]})
        if fault == TEXT:
            return self._answer(200, {"data": [{"b64_json": base64.b64encode(b"no image").decode()}], "choices": []})
        if fault == SMALL:
            return self._answer(200, {"data": [{"b64_json": _png(Image.new("RGB", (8, 8)))}]})
        if fault == ECHO:
            return self._answer(200, _completion("m", f"a photo of the key {key}"))
        if fault == DEEP:
            return self._raw(b"[" * 200_000)
        self.close_connection = True
        if fault == HALF:
            return self._raw(b'{"data": [{"b64_js')
        if fault == HANG:
            self.server.over.wait(30)
        if fault == DRIP:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
                if self.server.over.wait(0.2):
                    break
                self.wfile.write(bytes([byte]))
        if fault == TRICKLE:
            self.send_response(200)
            self.end_headers()
            while not self.server.over.wait(0.05):
                self.wfile.write(b" ")
        if fault == DROP:
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"{")
        if fault == HUGE:
            self.send_response(200)
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b" " * 2**20)
        return None

    def _refuse(self, status, words, headers=(), code=None):
        error = {"message": words, "type": "error", "param": None, "code": code}
        self._answer(status, {"error": error}, headers)

    def _answer(self, status, body, headers=()):
        self._raw(json.dumps(body).encode(), status, headers)

    def _raw(self, content, status=200, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _png(picture):
    held = io.BytesIO()
    picture.save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def _completion(model, words):
    message = {"role": "assistant", "content": words, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}


def bomb(side=50_000):
    """Make a PNG that claims side x side pixels and is a few bytes long."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@contextmanager
def running():
    """Serve until the block ends."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
