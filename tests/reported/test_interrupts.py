"""What ends a command while a server does not answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

import openai_server
import toyworld
from foible.run.archive import Archive
from openai_server import BUSY, DRIP, HANG, TRICKLE

PROMISED = 20
"""Seconds: ten times what is promised, since a test shares its machine."""
START = (
    "import signal, sys\n"
    "for name in sys.argv.pop(1).split(','):\n"
    "    how = signal.SIG_IGN if name[0] == '-' else signal.SIG_DFL\n"
    "    signal.signal(getattr(signal, name.lstrip('-')), how)\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "{further}"
    "from foible.cli import main\n"
    "main()\n"
)
"""Starts `foible` as a shell does, whatever the process of the tests ignores."""
DEAF = (
    "import pathlib, socket, time\n"
    "socket.getaddrinfo = lambda *asked, **how: (pathlib.Path('asked').touch(), time.sleep(90))\n"
)
"""Lets no name of a host be looked up: a resolver that does not answer."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends other signals")


@contextmanager
def hunting(url, folder, heard="SIGTERM,SIGHUP", further="", **args):
    """Start a hunt whose generator is a server; it ends with the block, at the latest."""
    given = json.dumps({"base_url": url, "size": "16x16", **args})
    words = [*toyworld.COMMAND, "--generator", "openai-images:any", "--set", f"generator.args={given}"]
    start = START.replace("{further}", further)
    process = toyworld.command(heard, *words, "--out", folder, python=("-c", start), cwd=folder.parent)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(holds, process):
    """Wait until something holds, as long as the process runs."""
    for _ in range(6000):
        if holds():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    raise AssertionError("the hunt never asked the server")


def ended(process, how):
    """Send a signal; give the exit code and what was said on stderr."""
    process.send_signal(how)
    try:
        said = process.communicate(timeout=PROMISED)[1]
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running after {PROMISED} s") from None
    return process.returncode, said.strip()


INTERRUPTED = (130, "foible: interrupted; what was finished is kept, and the same command goes on from there")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_every_interrupt_ends_a_hunt_whose_server_is_silent(how, tmp_path):
    """B22: Ctrl-C, `kill` and a closed terminal end a hunt that waits for a server, with one sentence and code 130."""
    with openai_server.running() as server, hunting(server.url, tmp_path / "run") as process:
        server.always = HANG
        until(lambda: server.bodies, process)
        assert ended(process, how) == INTERRUPTED


@pytest.mark.parametrize("fault", [BUSY, DRIP, TRICKLE])
def test_an_interrupt_ends_whatever_a_hunt_waits_for(fault, tmp_path):
    """B22: a pause of a minute between two tries, headers and bodies that come byte by byte: none outlasts Ctrl-C."""
    with openai_server.running() as server, hunting(server.url, tmp_path / "run") as process:
        server.always, server.retry_after = fault, "60"
        until(lambda: server.bodies, process)
        assert ended(process, signal.SIGINT) == INTERRUPTED


def test_an_interrupt_ends_a_wait_for_a_connection(tmp_path):
    """B22: a host that answers no attempt to connect does not hold up Ctrl-C."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # its queue holds one connection, and nobody takes it out
        for one in (first, second):
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        run = tmp_path / "run"
        with hunting(f"http://127.0.0.1:{full.getsockname()[1]}/v1", run) as process:
            until(lambda: run.is_dir() and any(run.iterdir()), process)
            time.sleep(1)  # from the store to the first request
            assert ended(process, signal.SIGINT) == INTERRUPTED


def test_an_interrupt_ends_the_search_for_a_host(tmp_path):
    """B22: a resolver that does not answer holds up neither Ctrl-C nor the end of the process."""
    with hunting("http://nowhere.invalid/v1", tmp_path / "run", further=DEAF) as process:
        until((tmp_path / "asked").exists, process)
        assert ended(process, signal.SIGINT) == INTERRUPTED


def test_what_a_shell_lets_a_command_ignore_is_ignored(tmp_path):
    """B22: under nohup a closed terminal ends nothing; `kill` still does."""
    with openai_server.running() as server:
        server.always, server.retry_after = BUSY, "0"
        with hunting(server.url, tmp_path / "run", "SIGTERM,-SIGHUP", retries=100) as process:
            until(lambda: server.bodies, process)
            process.send_signal(signal.SIGHUP)
            asked = len(server.bodies)
            until(lambda: len(server.bodies) > asked + 4, process)
            assert process.poll() is None
            assert ended(process, signal.SIGTERM) == INTERRUPTED


PARTS = """
import hashlib, pathlib, time
import toyworld

class Computing(toyworld.Classifier):
    def classify(self, images):
        pathlib.Path("asked").touch()
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2**31 - 1)  # a library at work, where Python raises nothing

class Deaf(toyworld.Classifier):
    def classify(self, images):
        pathlib.Path("asked").touch()
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
"""


@contextmanager
def started(folder, *more):
    """Start a small hunt in a folder, with a module `slow` of parts there; it ends with the block, at the latest."""
    (folder / "slow.py").write_text(PARTS, encoding="utf-8")
    words = [*toyworld.COMMAND, "--out", "run", *more]
    process = toyworld.command("SIGTERM,SIGHUP", *words, python=("-c", START.replace("{further}", "")), cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
@pytest.mark.parametrize("part", ["Computing", "Deaf"])
def test_an_interrupt_ends_a_hunt_whatever_a_part_does(part, how, tmp_path):
    """B22: a library that computes for an hour, or a part that catches whatever is raised, outlasts no interrupt."""
    with started(tmp_path, "--classifier", f"python:slow:{part}") as process:
        until((tmp_path / "asked").exists, process)
        assert ended(process, how) == INTERRUPTED


def test_an_interrupt_ends_a_wait_for_another_hunt(tmp_path):
    """B22: the database waits for another process that writes, and that wait can be interrupted, too."""
    Archive(tmp_path / "archive").close()
    path = tmp_path / "archive" / "archive.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other, started(tmp_path) as process:
        other.execute("BEGIN IMMEDIATE")
        until(lambda: any((tmp_path / "archive" / "images").glob("*.tar")), process)
        time.sleep(1)  # from the first image to its row
        assert ended(process, signal.SIGINT) == INTERRUPTED
