"""How long a server is waited for."""

from __future__ import annotations

import socket
import threading

import pytest

import openai_server
from foible.parts import asking as wrappers
from foible.parts import registry
from openai_server import DRIP, HANG, TRICKLE

PROMPT = "a photo of a vase"


@pytest.mark.parametrize("fault", [HANG, DRIP, TRICKLE])
def test_one_limit_holds_from_the_connection_to_the_last_byte(fault):
    """B23: headers of which a byte comes every moment do not last for ever: `timeout` ends them as it ends a body."""
    with openai_server.running() as server:
        server.always = fault
        args = {"base_url": server.url, "size": "64x64", "timeout": 0.8, "retries": 1}
        part = registry.load("generator", "openai-images:any", args)
        (one,) = wrappers.ask_generator(part, [PROMPT], [0])
        assert one.reason.endswith("did not answer in time, 2 times")
        assert one.passing
        assert len(server.bodies) == 2


def test_a_connection_that_nobody_takes_is_given_up():
    """B23: the limit holds for the attempt to connect too, and for a request that nobody reads."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        args = {"base_url": where, "size": "64x64", "timeout": 0.5, "retries": 0, "concurrency": 4}
        part = registry.load("generator", "openai-images:any", args)
        found = wrappers.ask_generator(part, [PROMPT] * 4, range(4))
        assert [one.reason.partition(" 127")[2].partition(" ")[2] for one in found] == ["did not answer in time"] * 4


def test_no_thread_is_left_after_a_request():
    """B23: what was given up is closed: no thread goes on that the end of the process would wait for."""
    with openai_server.running() as server:
        server.always = HANG
        before = {one for one in threading.enumerate() if one.daemon is False}
        args = {"base_url": server.url, "size": "64x64", "timeout": 0.3, "retries": 0}
        wrappers.ask_generator(registry.load("generator", "openai-images:any", args), [PROMPT] * 2, [0, 1])
        assert {one for one in threading.enumerate() if one.daemon is False} <= before
