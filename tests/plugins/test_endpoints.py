"""Parts behind a server: what they ask, what they make of a server that fails, and where the key goes."""

from __future__ import annotations

import base64
import email.utils
import io
import json
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import foible
import openai_server
from foible import testing
from foible.adapters.servers import server as _http
from foible.checks.verify import verify
from foible.cli import main
from foible.errors import AccessError, ArgumentError, OutOfRequests, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.parts.ceiling import Ceiling
from foible.records import Drawn
from openai_server import BOMB, BUSY, DEEP, DRIP, DROP, ECHO, HALF, HANG, HUGE, PACKED, SMALL, SPENT, TEXT, TRICKLE

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionUserMessageParam

KEY = "sk-planted-7f3a91c2"
PROMPT = "a realistic photograph of a water bottle (bottle), on grass"
HOUR = 3600


@pytest.fixture
def server(monkeypatch):
    """A server, and no waiting between tries but what it asks for."""
    monkeypatch.setattr(_http, "_SOON", 0.001)
    with openai_server.running() as running:
        yield running


def generator(server, **args):
    """Load the images endpoint."""
    return registry.load("generator", "openai-images:scenes", {"base_url": server.url, "size": "64x64", **args})


def captioner(server, **args):
    """Load the chat endpoint."""
    return registry.load("captioner", "openai:talker", {"base_url": server.url, **args})


def drawn(server, count=1, **args):
    """Draw as a hunt does."""
    return wrappers.ask_generator(generator(server, **args), [PROMPT] * count, list(range(count)))


def noted(waits):
    """Give a pause that is written down, and not made."""

    async def pause(seconds):
        waits.append(seconds)

    return pause


# --- the server itself, and what is asked of it --------------------------------------------------------------------


def test_the_server_speaks_the_protocol_of_the_official_client(server):
    """OpenAI's own client gets an image, a caption, and a refusal out of it."""
    client = openai.OpenAI(base_url=server.url, api_key=KEY, max_retries=0)
    answer = client.images.generate(model="scenes", prompt=PROMPT, size="64x64", response_format="b64_json")
    written = answer.data[0].b64_json
    assert written is not None
    picture = Image.open(io.BytesIO(base64.b64decode(written)))
    assert picture.size == (64, 64)
    url = f"data:image/png;base64,{written}"
    message: ChatCompletionUserMessageParam = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what is it?"}],
    }
    chat = client.chat.completions.create(model="talker", messages=[message])
    assert "bottle" in chat.choices[0].message.content
    with pytest.raises(openai.BadRequestError, match="refused by our policy"):
        client.images.generate(model="scenes", prompt="a lion", size="64x64")
    assert set(server.keys) == {KEY}


def test_the_parts_conform(server):
    """Through the server, images and captions keep the promises of their kind."""
    args = {"base_url": server.url, "size": "64x64"}
    assert testing.check("generator", "openai-images:scenes", args) == []
    assert testing.check("captioner", "openai:talker", {"base_url": server.url}) == []


def test_an_image_and_a_caption_arrive_unchanged(server):
    """What the diorama draws and says behind the server is what the part gives, pixel for pixel and word for word."""
    direct = registry.load("generator", "diorama:scenes").object.draw([PROMPT, PROMPT], [3, 4])
    answers = generator(server).object.draw([PROMPT, PROMPT], [3, 4])
    assert all(np.array_equal(one, other.image) for one, other in zip(answers, direct, strict=True))
    words = registry.load("captioner", "diorama:captioner").object
    images = [one.image for one in direct]
    assert captioner(server).object.caption(images) == [words.caption([image])[0] for image in images]


def test_openai_itself_is_sent_no_seed_and_other_servers_are(server, monkeypatch):
    """The field is unknown to OpenAI, which refuses it; `send_seed` says otherwise."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    home = registry.load("generator", "openai-images:gpt-image-1")
    assert home.object._request(("a cup", 3)) == {
        "model": "gpt-image-1", "size": "1024x1024", "n": 1, "prompt": "a cup",
    }  # fmt: skip
    assert home.identity["args"]["send_seed"] is False
    drawn(server)
    drawn(server, send_seed=False)
    assert [body.get("seed") for body in server.bodies] == [0, None]


def test_options_go_into_the_request(server):
    """Further fields are sent; a null one is left out; one that the part fills itself is refused."""
    captioner(server, options={"temperature": None, "top_p": 0.5}).object.caption(testing.patterns()[:1])
    assert server.bodies[-1]["top_p"] == 0.5
    assert "temperature" not in server.bodies[-1]
    with pytest.raises(ArgumentError, match="fields of the request beside"):
        captioner(server, options={"model": "other"})
    with pytest.raises(ArgumentError, match="fields of the request beside"):
        generator(server, options={"n": 5})


# --- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (HALF, "no whole JSON"),
        (DEEP, "no whole JSON"),
        (TEXT, "no image of a format that is read"),
        (BOMB, "the image claims"),
        (SMALL, "drew 8x8 pixels where 64x64 were asked for"),
        (HUGE, "sent more than 96 MiB"),
        (ECHO, "another shape"),
        (301, "it has moved"),
        (404, "answered 404: something is wrong"),
        (DROP, "dropped the connection, 2 times"),
        (HANG, "did not answer in time, 2 times"),
        (TRICKLE, "did not answer in time, 2 times"),
        (DRIP, "did not answer in time, 2 times"),
        (503, "answered 503, 2 times"),
        (PACKED, "cannot be unpacked, 2 times"),
    ],
)
def test_a_fault_costs_one_draw_and_says_why(fault, told, server):
    """One unscored draw, whose reason names the server and the fault; its neighbours are drawn, and asked for once."""
    again = told.endswith("2 times")
    server.faults = [fault, *([fault] if again else [])]
    timeout = 0.5 if fault in {HANG, TRICKLE, DRIP} else 20
    answers = drawn(server, 3, retries=1, concurrency=1, timeout=timeout)
    assert told in answers[0].reason
    assert all(isinstance(one, Drawn) for one in answers[1:])
    assert len(server.bodies) == 3 + again


def test_a_prompt_that_is_refused_is_not_asked_again(server):
    """A policy's refusal is an answer: the reason is told, and paid for once."""
    answers = wrappers.ask_generator(generator(server), ["a lion", PROMPT], [0, 1])
    assert "answered 400: the prompt was refused by our policy" in answers[0].reason
    assert isinstance(answers[1], Drawn)
    assert len(server.bodies) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "told"), [(401, "(401: something"), (402, "(402: something"), (SPENT, "no quota")])
def test_a_hunt_whose_key_is_refused_stops_and_goes_on_to_the_same_end(fault, told, server, tmp_path):
    """No draw is unscored because the account ran dry: the hunt ends, says so, and the same call goes on."""
    whole = hunt(server, tmp_path / "whole")
    before = len(server.bodies)
    server.faults = [*[None] * 8, *[fault] * 8]  # one unit of 8 is drawn and archived, the next is not
    with pytest.raises(AccessError) as stop:
        hunt(server, tmp_path / "part")
    assert told in str(stop.value)
    assert "goes on from there" in str(stop.value)
    assert before + 8 < len(server.bodies) <= before + 16  # nothing was asked twice
    server.faults.clear()
    again = hunt(server, tmp_path / "part")
    assert (again.folder / "findings.json").read_bytes() == (whole.folder / "findings.json").read_bytes()


def test_a_server_that_is_busy_for_a_while_costs_nothing(server):
    """429 and 503, then drops: tried again until it answers, after as long as it says."""
    server.faults = [BUSY, 503, DROP, BUSY]
    (answer,) = drawn(server)
    assert isinstance(answer, Drawn)
    assert len(server.bodies) == 5


def test_the_waits_grow_and_are_bounded(server, monkeypatch):
    """Doubled each time up to a minute; what the server asks for goes before, and is held to a minute too."""
    waits: list[float] = []
    monkeypatch.setattr(_http, "_SOON", 1.0)
    monkeypatch.setattr(_http, "_pause", noted(waits))
    server.faults = [503] * 9
    drawn(server, retries=8)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    waits.clear()
    server.retry_after, server.faults = str(HOUR), [BUSY]
    drawn(server)
    server.retry_after, server.faults = "7", [BUSY]
    drawn(server)
    server.retry_after, server.faults = "soon", [BUSY]
    drawn(server)
    assert waits == [60, 7, 1]


def test_no_server_is_an_unscored_draw_that_says_so(server):
    """Nobody listens at the address: each draw says that it cannot be reached."""
    part = generator(server, retries=0, base_url="http://127.0.0.1:9/v1")
    (answer,) = wrappers.ask_generator(part, [PROMPT], [0])
    assert answer.reason == "generator: the server 127.0.0.1:9 cannot be reached"


def test_a_caption_without_words_is_a_fault(server):
    """An answer of another shape, or of nothing, is no caption."""
    server.faults = [TEXT]
    faults = wrappers.ask_captioner(captioner(server, concurrency=1), testing.patterns()[:1])
    assert "another shape (IndexError)" in faults[0].reason


def test_no_more_are_under_way_than_was_said(server):
    """A limit of 2 holds over a batch of 8."""
    drawn(server, 8, concurrency=2)
    assert 1 <= server.most_at_once <= 2
    assert len(server.bodies) == 8


# --- the ceiling ---------------------------------------------------------------------------------------------------


def test_a_ceiling_is_shared_and_stops_before_anything_is_lost(server):
    """Two parts under one ceiling: a batch that it does not hold is not begun; another try counts too."""
    shared = Ceiling(7)
    draws = registry.load(
        "generator", "openai-images:scenes", {"base_url": server.url, "size": "64x64"}, ceiling=shared
    )
    words = registry.load("captioner", "openai:talker", {"base_url": server.url}, ceiling=shared)
    assert len(draws.object.draw([PROMPT] * 4, range(4))) == 4
    server.faults = [503]
    words.object.caption(testing.patterns()[:1])
    assert len(server.bodies) == 6
    with pytest.raises(OutOfRequests, match="ceiling of 7 requests: 1 left, and the next step needs 3"):
        words.object.caption(testing.patterns())
    assert len(server.bodies) == 6


def test_a_hunt_stops_at_its_ceiling_and_goes_on_to_the_same_end(server, tmp_path):
    """Stopped by `max_requests` again and again, a hunt ends with the bytes of one that was not."""
    whole = hunt(server, tmp_path / "whole")
    asked = len(server.bodies)
    part = tmp_path / "part"
    stops = 0
    while not (part / "findings.json").exists():
        before = len(server.bodies)
        try:
            hunt(server, part, max_requests=36)
        except OutOfRequests:
            stops += 1
            assert 0 < len(server.bodies) - before <= 36
    assert stops >= 2
    assert len(server.bodies) == 2 * asked
    assert (part / "findings.json").read_bytes() == (whole.folder / "findings.json").read_bytes()


def test_the_command_line_stops_at_its_ceiling(server, tmp_path, monkeypatch, capfd):
    """`--max-requests` ends `foible hunt` with code 130 and one sentence, and no request more."""
    parts = {"generator": {"base_url": server.url, "size": "64x64"}, "captioner": {"base_url": server.url}}
    assign = [f"--set={kind}.args={json.dumps(args)}" for kind, args in parts.items()]
    assign += [f"--set={kind}={json.dumps(part)}" for kind, part in THE_OTHERS.items()]
    specs = [
        "--generator=openai-images:scenes",
        "--captioner=openai:talker",
        "--set=batch=4",
        f"--out={tmp_path / 'run'}",
    ]
    monkeypatch.setattr(sys, "argv", ["foible", "hunt", "-q", "--label=vase", "--max-requests=6", *specs, *assign])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert "stopped at the ceiling of 6 requests: 2 left, and the next step needs 4" in capfd.readouterr().err
    assert len(server.bodies) == 4


# The server draws the diorama, which a spec of that family cannot know.
THE_OTHERS = {
    kind: {"spec": f"python:foible.adapters.diorama:{kind}", "args": {"name": kind}} for kind in ("embedder", "judge")
}
ASKED_TWICE = 3
"""Requests after the pilot: an image again, and a caption twice."""


def hunt(server, out, key_env=None, **config):
    """Hunt with generator and captioner behind the server."""
    shared = {"base_url": server.url, **({"key_env": key_env} if key_env else {})}
    settings = {
        "generator": {"spec": "openai-images:scenes", "args": {**shared, "size": "64x64"}},
        "captioner": {"spec": "openai:talker", "args": shared},
        **THE_OTHERS,
        "batch": 8,
        "explore": {"draws": 16},
        "describe": {"draws": 16},
        "measure": {"most": 8},
        "confirm": {"draws": 8},
        "explain": {"draws": 4},
        **config,
    }
    archive = out.parent / f"archive-{out.name}"
    return foible.hunt(
        "diorama:biased-resnet", ["water bottle"], out=out, config={**settings, "archive": archive}, progress=False
    )


# --- the key -------------------------------------------------------------------------------------------------------


def test_the_key_is_in_no_file_of_a_hunt(server, tmp_path, monkeypatch, capfd):
    """A server that needs the key gets it, repeats it, refuses with it: no file, no output, no error holds it."""
    monkeypatch.setenv("FOIBLE_TEST_KEY", KEY)
    server.key = KEY
    server.faults = [None] * (16 + ASKED_TWICE) + [ECHO, HALF, 403] * 8
    run = hunt(server, tmp_path / "run", key_env="FOIBLE_TEST_KEY")
    assert run.result.explored[0].tally.draws == 16
    assert set(server.keys) == {KEY}
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.suffix == ".html" for file in files)
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []
    assert KEY not in "".join(capfd.readouterr())


def test_a_key_that_comes_back_is_struck_out(server, monkeypatch):
    """In a caption, and in the sentence of a refusal."""
    monkeypatch.setenv("FOIBLE_TEST_KEY", KEY)
    server.faults = [ECHO]
    words = captioner(server, key_env="FOIBLE_TEST_KEY")
    assert words.object.caption(testing.patterns()[:1]) == ["a photo of the key [key]"]
    server.key = "another"
    with pytest.raises(AccessError, match=r"\(401: Incorrect API key provided: \[key\]\): mend the key") as refused:
        wrappers.ask_captioner(words, testing.patterns()[:1])
    assert KEY not in str(refused.value)
    assert KEY not in repr(words)


def test_the_key_of_openai_goes_to_openai_alone(server, monkeypatch):
    """A server at another address is sent no key unless one is named for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    drawn(server)
    assert server.keys == [""]


@pytest.mark.parametrize(
    ("args", "error", "told"),
    [
        ({"key_env": KEY}, ArgumentError, "never the key itself"),
        ({"key_env": "NOT_SET_ANYWHERE"}, PluginError, "is not set"),
        ({"base_url": f"https://user:{KEY}@host/v1"}, ArgumentError, "no user, password or query"),
        ({"base_url": f"https://host/v1?key={KEY}"}, ArgumentError, "no user, password or query"),
        ({"base_url": "http://example.org/v1", "key_env": "FOIBLE_TEST_KEY"}, ArgumentError, "in the clear"),
        ({"base_url": f"ftp://user:{KEY}@host"}, ArgumentError, "no user, password or query"),
        ({"base_url": f"https://{KEY}:port/v1"}, ArgumentError, "got something that is none"),
        ({"base_url": "ftp://host"}, ArgumentError, "needs an address such as https"),
        ({"base_url": 3}, ArgumentError, "base_url"),
        ({"size": "big"}, ArgumentError, "width and height"),
        ({"timeout": 0}, ArgumentError, "timeout"),
        ({"retries": 1.5}, ArgumentError, "a whole number from 0 to 100"),
        ({"concurrency": True}, ArgumentError, "concurrency"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be_are_one_sentence_without_the_key(args, error, told, server, monkeypatch):
    """Each says what was wanted; a key in the wrong place is not repeated."""
    monkeypatch.setenv("FOIBLE_TEST_KEY", KEY)
    with pytest.raises(error) as caught:
        generator(server, **args)
    assert told in str(caught.value)
    assert KEY not in str(caught.value)


def test_patience_is_no_part_of_the_identity(server):
    """The same images are the same, however long they were waited for; another address or size is another part."""
    plain = generator(server).identity
    assert generator(server, timeout=5, retries=2, concurrency=1).identity == plain
    assert generator(server, size="32x32").identity != plain
    assert generator(server, base_url="http://localhost:9/v1").identity != plain


# --- a server that was lost, and is back ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("fault", [503, DROP])
def test_what_a_server_lost_is_asked_again_by_the_next_call_and_nothing_else(fault, server, tmp_path):
    """The same call, once the server is mended, ends as one that never lost anything; each call can be verified."""
    whole = hunt(server, tmp_path / "whole")
    patience = {"base_url": server.url, "retries": 0, "concurrency": 1}
    parts = {
        "generator": {"spec": "openai-images:scenes", "args": {**patience, "size": "64x64"}},
        "captioner": {"spec": "openai:talker", "args": patience},
    }
    began, server.faults = len(server.bodies), [None, None, fault, None, fault]
    part = hunt(server, tmp_path / "part", **parts)
    assert part.result.explored[0].tally.unscored == whole.result.explored[0].tally.unscored + 2
    assert verify(part.folder, tmp_path / "archive-part").differences == ()
    before = len(server.bodies)
    again = hunt(server, tmp_path / "part", **parts)
    assert [body["seed"] for body in server.bodies[before : before + 2]] == [
        body["seed"] for body in (server.bodies[began + 2], server.bodies[began + 4])
    ]
    assert again.result.explored == whole.result.explored
    assert verify(again.folder, tmp_path / "archive-part").differences == ()
    before = len(server.bodies)
    hunt(server, tmp_path / "part", **parts)
    assert len(server.bodies) == before


@pytest.mark.slow
def test_what_a_server_said_of_one_input_is_kept(server, tmp_path):
    """A refusal, half an answer, a picture that is none: the answer's own, and not asked again."""
    server.faults = [None, 400, HALF, TEXT]
    hunt(server, tmp_path / "run")
    before = len(server.bodies)
    hunt(server, tmp_path / "run")
    assert len(server.bodies) == before


@pytest.mark.slow
def test_patience_may_be_changed_on_the_way(server, tmp_path):
    """Another timeout, other retries, another concurrency: the hunt goes on, and asks nothing again."""
    first = hunt(server, tmp_path / "run")
    before = len(server.bodies)
    patience = {"base_url": server.url, "timeout": 7, "retries": 1, "concurrency": 2}
    generator = {"spec": "openai-images:scenes", "args": {**patience, "size": "64x64"}}
    again = hunt(server, tmp_path / "run", generator=generator, captioner={"spec": "openai:talker", "args": patience})
    assert len(server.bodies) == before
    assert again.result.findings == first.result.findings


def test_a_date_in_place_of_seconds_is_waited_for(server, monkeypatch):
    """A date far off is a minute, one that is past is no wait: both forms of Retry-After are held to the same."""
    waits: list[float] = []
    monkeypatch.setattr(_http, "_pause", noted(waits))
    for date in ("Fri, 31 Dec 2100 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"):
        server.retry_after, server.faults = date, [BUSY]
        drawn(server)
    assert waits == [60, 0]


@given(st.floats(-1e6, 1e6), st.booleans())
def test_a_date_means_as_many_seconds_as_it_is_away(seconds, gmt):
    """Within a second (a date has no fractions) and what the clock goes on by, and between no wait and a minute."""
    now = time.time()
    waited = _http._wait(email.utils.formatdate(now + seconds, usegmt=gmt), 5.0)
    gone = time.time() - now
    assert min(max(seconds - 1.0 - gone, 0.0), 60.0) - 1e-3 <= waited <= min(max(seconds, 0.0), 60.0) + 1e-3


@given(st.text())
def test_any_text_as_wait_is_read_or_ignored(text):
    """Whatever a server writes, the wait is one that can be waited."""
    assert 0.0 <= _http._wait(text, 5.0) <= 60.0


def test_doctor_holds_to_a_ceiling(server, tmp_path, capfd, monkeypatch):
    """No request above --max-requests is sent, and the table says why the part was not asked."""
    monkeypatch.chdir(tmp_path)
    part = {"spec": "openai-images:scenes", "args": {"base_url": server.url, "size": "64x64"}}
    (tmp_path / "hunt.json").write_text(json.dumps({"generator": part, "judge": {"spec": "diorama:judge"}}))
    words = ["foible", "doctor", "--config", "hunt.json", "--json", "--max-requests", "2"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as left:
        main()
    troubles = {one["kind"]: one["trouble"] for one in json.loads(capfd.readouterr().out)}
    assert left.value.code == 2
    assert "ceiling of 2 requests" in troubles.pop("generator")
    assert not any("ceiling" in trouble for trouble in troubles.values())
    assert len(server.bodies) <= 2
