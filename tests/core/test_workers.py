"""Promises of worker processes: they find what one process finds, whoever is lost, and end when told."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import toyworld
from foible import errors
from foible.checks.verify import verify
from foible.config import HuntConfig
from foible.hunting.worker import Job, Worker, new_token, refuse_objects
from foible.parts.registry import load
from foible.run.shared import URL

ray = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = [pytest.mark.xdist_group("workers"), pytest.mark.timeout(600)]
SENTENCE = "foible: interrupted; what was finished is kept, and the same command goes on from there\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give what the small hunt writes in one process."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    code, _, err = ended(start(folder))
    assert (code, err) == (0, "")
    return toyworld.written(folder)


def start(folder, *more, sleep=0.0):
    """Start the small hunt in a process of its own."""
    folder.parent.mkdir(exist_ok=True)
    env = {"TOY_LOG": str(folder.parent / "log"), "TOY_SLEEP": str(sleep)}
    return toyworld.command(*toyworld.COMMAND, "--out", folder, *more, env=env)


def ended(process):
    """Wait for a hunt whose workers may take long to start."""
    out, err = process.communicate(timeout=500)
    return process.returncode, out, err


def drawn(folder):
    """Count what the generator drew, in all processes."""
    log = folder.parent / "log"
    return len(log.read_text("utf-8").splitlines()) if log.exists() else 0


def wait(process, folder, lines):
    """Wait until so many draws are made."""
    while process.poll() is None and drawn(folder) < lines:
        time.sleep(0.02)


def running(process, name):
    """Give the ids of the processes below one whose command begins so."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    parents = {int(pid): int(parent) for pid, parent, *_ in rows}

    def below(pid):
        while pid in parents and pid != process.pid:
            pid = parents[pid]
        return pid == process.pid

    return [int(pid) for pid, _, *args in rows if args and args[0].startswith(name) and below(int(pid))]


def alive(pids):
    """Give those of some processes that are there."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_two_workers_find_what_one_process_finds(whole, tmp_path):
    """With --workers 2 the same files come out, to the byte, and nothing but the hunt's own words goes to stderr."""
    code, _, err = ended(start(tmp_path / "run", "--workers", "2"))
    assert (code, err) == (0, "")
    assert toyworld.written(tmp_path / "run") == whole
    assert not list((tmp_path / "archive" / "images" / "unfinished").iterdir())


@pytest.mark.slow
def test_lost_workers_cost_what_was_under_way(whole, tmp_path):
    """Three workers killed in the middle: the hunt goes on by itself, and ends with the same bytes."""
    hunt = start(tmp_path / "run", "--workers", "2", sleep=0.3)
    for lines in (40, 90, 140):
        wait(hunt, tmp_path / "run", lines)
        os.kill(running(hunt, "ray::Worker")[0], signal.SIGKILL)
    assert ended(hunt)[0] == 0
    assert toyworld.written(tmp_path / "run") == whole


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_workers_too(whole, tmp_path, how):
    """Ctrl-C and `kill` end it within seconds, with one sentence and no process left; the same command goes on."""
    hunt = start(tmp_path / "run", "--workers", "2", sleep=0.3)
    wait(hunt, tmp_path / "run", 60)
    own = [*running(hunt, "ray::Worker"), *running(hunt, "/")]
    assert own
    began = time.monotonic()
    hunt.send_signal(how)
    assert (ended(hunt)[0], time.monotonic() - began < 10) == (130, True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and alive(own):
        time.sleep(0.1)
    assert not alive(own)
    assert ended(start(tmp_path / "run", "--workers", "2"))[0] == 0
    assert toyworld.written(tmp_path / "run") == whole


@pytest.mark.slow
def test_a_limit_of_requests_holds_over_all_workers(whole, tmp_path):
    """With --max-requests 70 and two workers, no call draws more than 70 images; the last one ends as usual."""
    stops = 0
    more = ["--workers", "2", "--max-requests", "70", "--generator", "python:toyworld:Metered"]
    while True:
        before = drawn(tmp_path / "run")
        code, _, err = ended(start(tmp_path / "run", *more))
        assert drawn(tmp_path / "run") - before <= 70
        if code != 130:
            break
        assert "stopped at the ceiling of 70 requests" in err
        stops += 1
    assert (code, err) == (0, "")
    assert stops >= 2


@pytest.mark.slow
def test_workers_without_a_common_folder(whole, tmp_path, monkeypatch):
    """Where an object store is shared, workers send their images there, and the same files come out, to the byte."""
    monkeypatch.setenv(URL, (tmp_path / "store").as_uri())
    code, _, err = ended(start(tmp_path / "run", "--workers", "2"))
    assert (code, err) == (0, "")
    assert toyworld.written(tmp_path / "run") == whole
    assert list((tmp_path / "store" / "images").glob("*.tar"))
    assert not verify(tmp_path / "run").differences


@pytest.mark.slow
def test_a_cluster_that_loses_machines(whole, tmp_path, monkeypatch):
    """On three machines of a cluster, of which two are lost, the same is found."""
    from ray.cluster_utils import Cluster

    for name, value in {"TOY_LOG": tmp_path / "log", "TOY_SLEEP": 0.3}.items():
        monkeypatch.setenv(name, str(value))
    tests = str(Path(toyworld.__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")])))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        more = [cluster.add_node(num_cpus=1) for _ in range(2)]
        hunt = start(tmp_path / "run", "--workers", "3", "--cluster", cluster.address, sleep=0.3)
        for lines, machine in zip((50, 120), more, strict=True):
            wait(hunt, tmp_path / "run", lines)
            cluster.remove_node(machine, allow_graceful=False)
        code, _, err = ended(hunt)
        assert code == 0, err
    finally:
        cluster.shutdown()
    assert toyworld.written(tmp_path / "run") == whole


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--cluster", "127.0.0.1:1", "--workers", "1"], "no Ray cluster answers at '127.0.0.1:1'"),
        (["--cluster", "auto"], "must say how many workers the cluster is to have"),
        (["--workers", "-1"], "the field 'workers.count' got -1"),
    ],
)
def test_workers_that_cannot_be_are_refused(tmp_path, more, sentence):
    """An address where nobody answers, a cluster without workers, a number that is none: a sentence each."""
    code, _, err = toyworld.called(*toyworld.COMMAND, "--out", tmp_path / "run", *more)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1


def test_objects_are_refused():
    """What exists in this process alone cannot be made again elsewhere, and the sentence says what to do."""
    parts = {
        "generator": load("generator", "diorama:scenes"),
        "classifier 0": load("classifier", toyworld.Classifier()),
    }
    with pytest.raises(errors.PluginError, match="a worker cannot make again; give it as a spec"):
        refuse_objects(parts)


def test_a_worker_that_cannot_work_says_why(tmp_path):
    """Another folder of images, another version of a part: the worker gives the sentence, and carries nothing out."""
    (tmp_path / "unfinished").mkdir()
    identity = dict(load("generator", "diorama:scenes").identity)

    def worker(token, **other):
        job = Job(
            config=HuntConfig(),
            identities={"generator": {**identity, **other}},
            labels=(),
            maps=(),
            images=tmp_path,
            token=token,
            url="",
            directory=tmp_path,
        )
        return Worker(job, None)

    token = new_token()
    assert "does not see the archive" in worker(token).ready()
    (tmp_path / token).touch()
    assert worker(token).ready() == ""
    assert "is not the one of the run any more" in worker(token, version="0").ready()
    stopped = worker(token, fingerprint="0").carry_out(None).stopped
    assert isinstance(stopped, errors.PluginError)
