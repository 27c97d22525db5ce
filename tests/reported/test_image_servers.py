"""Servers that speak OpenAI's protocol for images, each in its own way."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import openai_server
from foible.adapters.servers import openai as _openai
from foible.errors import ArgumentError, OutOfRequests, PartError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.parts.ceiling import Ceiling
from foible.records import Drawn, Fault

PROMPT = "a realistic photograph of a water bottle (bottle), on grass"


@pytest.fixture
def server():
    """A server over the diorama."""
    with openai_server.running() as running:
        yield running


def load(server, model="scenes", ceiling=None, **args):
    """Load the generator."""
    given = {"base_url": server.url, "size": "64x64", **args}
    return registry.load("generator", f"openai-images:{model}", given, ceiling=ceiling)


def drawn(part, count=1):
    """Draw as a hunt does."""
    return wrappers.ask_generator(part, [PROMPT] * count, list(range(count)))


def formats(server):
    """Say for each request whether it asked for base64."""
    return ["response_format" in body for body in server.bodies]


def test_a_server_that_does_not_know_the_format_draws_all_the_same(server):
    """B27: a deployment under any name that refuses `response_format` is asked again without it, once for all."""
    server.refused = {"response_format"}
    part = load(server, "our-deployment")
    assert all(isinstance(one, Drawn) for one in drawn(part, 3))
    assert formats(server) == [True] * 3 + [False] * 3
    assert isinstance(drawn(part)[0], Drawn)
    assert formats(server)[6:] == [False]


def test_a_refusal_that_is_not_about_the_format_costs_no_format(server):
    """B27: where leaving the field out does not help, it is sent again, and the reason is the server's."""
    server.faults = [400]
    part = load(server, concurrency=1)
    assert [isinstance(one, Drawn) for one in drawn(part, 2)] == [False, True]
    server.refused = {"response_format", "size"}
    assert "Unknown parameter: 'size'" in drawn(part)[0].reason
    server.refused = set()
    assert isinstance(drawn(part)[0], Drawn)
    assert formats(server) == [True, True, True, False, True]


def test_the_second_request_is_counted_too(server):
    """B27: what is asked again without the field is taken from the ceiling like any other request."""
    server.refused = {"response_format"}
    with pytest.raises(OutOfRequests, match="1 left, and the next step needs 2"):
        load(server, ceiling=Ceiling(3)).object.draw([PROMPT] * 2, [0, 1])
    assert len(server.bodies) == 2


@pytest.mark.parametrize("model", ["openai/gpt-image-1", "azure/openai/gpt-image-1-mini", "gpt-image-1"])
def test_openai_s_models_behind_a_proxy_are_asked_as_at_home(model, server):
    """B27: a name with a slash is the same model: neither a format nor a seed is sent, which it would refuse."""
    server.refused = {"response_format", "seed"}
    assert isinstance(drawn(load(server, model))[0], Drawn)
    assert len(server.bodies) == 1


def test_the_format_can_be_left_out_by_hand(server):
    """B27: `{"response_format": null}` is an option; another value, or another field of the part's own, is none."""
    drawn(load(server, options={"response_format": None, "quality": None, "style": "plain"}))
    assert formats(server) == [False]
    assert server.bodies[0]["style"] == "plain"
    assert "quality" not in server.bodies[0]
    with pytest.raises(ArgumentError, match="fields of the request beside"):
        load(server, options={"response_format": "url"})
    with pytest.raises(ArgumentError, match="fields of the request beside"):
        load(server, options={"n": None})


def test_a_server_that_takes_no_seed_is_told_of_with_what_mends_it(server):
    """B27: a deployment that refuses the field `seed` draws nothing, and the reason names the argument."""
    server.refused = {"seed"}
    assert drawn(load(server, "our-deployment"))[0].reason.endswith("'seed'.; give the argument send_seed: false")
    assert isinstance(drawn(load(server, "our-deployment", send_seed=False))[0], Drawn)


WRITTEN = {
    "plain": lambda png: base64.b64encode(png).decode(),
    "lines": lambda png: base64.encodebytes(png).decode(),
    "windows lines": lambda png: base64.encodebytes(png).decode().replace("\n", "\r\n"),
    "data url": lambda png: "data:image/png;base64," + base64.b64encode(png).decode(),
    "url-safe": lambda png: base64.urlsafe_b64encode(png).decode().rstrip("="),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_base64_is_read_however_it_is_written(written, server):
    """B27: line breaks, a `data:` address, the alphabet of addresses: the same pixels come out."""
    (straight,) = drawn(load(server))
    server.base64 = written
    (one,) = drawn(load(server))
    assert np.array_equal(one.image, straight.image)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(sorted(WRITTEN)))
def test_any_bytes_come_out_of_any_base64(content, how):
    """B27: every way to write base64 gives back the bytes that went in."""
    assert base64.b64decode(_openai._plain(WRITTEN[how](content)), validate=True) == content


@pytest.mark.parametrize("told", ["", "no base64!", "data:image/png,abc", "data:text/plain;base64,aGk=", None, 7])
def test_what_is_no_base64_is_a_fault(told, server):
    """B27: other texts, other types and other things in base64 leave the draw unscored, with a reason."""
    server.base64 = lambda png: told
    (one,) = drawn(load(server))
    assert isinstance(one, Fault)
    said = ("no image as b64_json", "the content is empty", "no image of a format that is read", "damaged")
    assert any(words in one.reason for words in said), one.reason


def test_an_address_in_place_of_an_image_is_a_fault_that_says_so(server):
    """B27: nothing is fetched from an address that a server names."""
    with pytest.raises(PartError, match="an address in place of an image"):
        _openai.picture({"url": "http://127.0.0.1/x.png"})
