"""Worker processes that share the units of a hunt, on this machine or on a cluster, by Ray.

Comes in: what the run is about. Goes out: an executor, which may be given several units at once. Workers return rows
and hashes, and the hunt alone writes to its archive's database and its journal, in the order in which it asked: so the
result is that of a hunt in one process. Neighbours: `worker.py` is what runs in each process; `draws/crew.py` hands
units to the executor.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import queue
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from foible.config import WorkerOptions
from foible.draws.execute import Carried, Unit
from foible.errors import PluginError, StoreError, brief
from foible.hunting.worker import Counter, Job, Worker
from foible.parts.ceiling import Ceiling

RESTARTS = 5
"""Times that Ray starts a worker again which was lost, on whatever machine has room."""
DEATHS = 3
"""Workers that a unit may take with it: it is more likely too large for their memory than unlucky."""
STORE = 256 * 2**20
"""Bytes of Ray's store of objects on this machine: no pixels pass through it."""
PATIENCE = 120.0
"""Seconds in which a first worker must find its place on a cluster."""
ANSWER = 20.0
"""Seconds in which a cluster must take a connection."""
_log = logging.getLogger(__name__)


class Workers:
    """An executor: each unit goes to the next worker that is free."""

    def __init__(self, job: Job, options: WorkerOptions, ceiling: Ceiling) -> None:
        """Ask Ray for workers; those that are ready first begin."""
        resources = {"num_cpus": options.cpus, "num_gpus": options.gpus}
        take = None
        if ceiling.most is not None:
            take = _Taker(f"requests-{uuid.uuid4().hex}")
            self._counter = ray.remote(Counter).options(num_cpus=0, name=take.name).remote(ceiling)
            ceiling.hand_over(take)
        made = ray.remote(Worker).options(max_restarts=RESTARTS, max_task_retries=RESTARTS, **resources)
        self._alive = options.count
        self._why = ""
        self._lock = threading.Lock()
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._actors: list[Any] = [made.remote(job, take) for _ in range(options.count)]
        self._options = options
        self._placed = threading.Event()
        """Set when Ray has started a first worker, which then loads the parts for as long as that takes."""
        self._closing = threading.Event()
        self._welcoming = [threading.Thread(target=self._welcome, args=(one,), daemon=True) for one in self._actors]
        for thread in self._welcoming:
            thread.start()

    def close(self) -> None:
        """End the workers, also those that are starting still: who asked Ray after its end would end this process."""
        self._closing.set()
        for actor in self._actors:
            with contextlib.suppress(RayError):
                ray.kill(actor)
        for thread in self._welcoming:
            thread.join(ANSWER)

    def carry_out(self, unit: Unit) -> Carried:
        """Have a unit carried out by whichever worker is free first; may be called from several threads.

        Raises:
            PluginError: no worker can load the parts, or the unit ended several of them.
        """
        for _ in range(DEATHS):
            actor = self._next()
            try:
                carried: Carried = ray.get(actor.carry_out.remote(unit))
            except RayActorError as problem:
                self._lose(f"a worker was lost ({_line(problem)})")
            except RayError as problem:
                self._free.put(actor)
                message = f"a worker could not carry out a unit of {len(unit.requests)} images ({_line(problem)}); "
                raise PluginError(message + "see the logs of Ray, and hunt again, which goes on") from None
            else:
                self._free.put(actor)
                return carried
        message = f"a unit of {len(unit.requests)} images ended {DEATHS} workers, perhaps for lack of memory; "
        raise PluginError(message + "take fewer --workers, or a smaller batch")

    def _next(self) -> Any:
        if not self._placed.wait(PATIENCE):
            raise PluginError(f"no worker found its place within {PATIENCE:g} seconds: {_wanted(self._options)}")
        found = self._free.get()
        if found is None:
            self._free.put(None)  # for whoever else waits
            raise PluginError(self._why)
        return found

    def _welcome(self, actor: Any) -> None:
        """Let a worker have units as soon as its parts are loaded."""
        try:
            ray.get(actor.__ray_ready__.remote())
            self._placed.set()
            if self._closing.is_set():
                return
            why = ray.get(actor.ready.remote())
        except RayError as problem:
            why = f"a worker could not be started ({_line(problem)}); see the logs of Ray"
        if self._closing.is_set():
            return
        if why:
            self._lose(why)
        else:
            self._free.put(actor)

    def _lose(self, why: str) -> None:
        with self._lock:
            self._alive -= 1
            self._why = why
            if self._alive > 0:
                _log.warning("%s; %d workers are left", why, self._alive)
            else:
                self._free.put(None)


class _Taker:
    """Takes requests from the one counter of all workers; is sent to each of them."""

    def __init__(self, name: str) -> None:
        # By its name: Ray warns of handles among what a worker is made again from.
        self.name = name

    def __call__(self, count: int) -> str:
        return str(ray.get(ray.get_actor(self.name).take.remote(count)))


@contextlib.contextmanager
def workers(job: Job, options: WorkerOptions, ceiling: Ceiling) -> Iterator[Workers]:
    """Have workers for as long as a hunt lasts.

    Raises:
        PluginError: Ray cannot be started, or reached.
        StoreError: the archive's folder cannot be written.
    """
    token = job.images / job.token
    try:
        token.parent.mkdir(exist_ok=True)
        token.touch()
    except OSError as problem:
        message = f"the image archive {job.images} cannot be written ({problem.strerror}); free it, or --archive"
        raise StoreError(message) from None
    own = not ray.is_initialized()
    try:
        if own:
            _start(options)
        if not options.address and ray.cluster_resources().get("GPU", 0) < options.gpus:  # type: ignore[no-untyped-call]
            raise PluginError(f"no worker can be placed on this machine: {_wanted(options)}")
        made = Workers(job, options, ceiling)
        try:
            yield made
        finally:
            made.close()
    finally:
        with contextlib.suppress(OSError):
            token.unlink(missing_ok=True)
        if own:
            ray.shutdown()


def _start(options: WorkerOptions) -> None:
    """Start Ray on this machine, or find a cluster; it says nothing of its own, and leaves signals alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it tells a server about each run
    if options.address:
        _reach(options.address)
    quiet: dict[str, Any] = {"configure_logging": False, "log_to_driver": False, "logging_level": logging.ERROR}
    here: dict[str, Any] = {"address": "local", "include_dashboard": False, "object_store_memory": STORE}
    # As many as are asked for: whoever wants more processes than cores has a reason, such as parts that wait.
    here["num_cpus"] = max(1, math.ceil(options.count * options.cpus))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(**quiet, **({"address": options.address} if options.address else here))
    except (RayError, OSError, RuntimeError, ValueError) as problem:
        where = f"the cluster {brief(options.address)!r}" if options.address else "this machine"
        raise PluginError(f"Ray could not be started on {where}: {_line(problem)}") from None
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def _wanted(options: WorkerOptions) -> str:
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return (
        f"each wants {options.cpus:g} CPUs and {options.gpus:g} GPUs, and there are {there.get('CPU', 0):g} and "
        f"{there.get('GPU', 0):g} in all; set workers.cpus and workers.gpus to what there is"
    )


def _reach(address: str) -> None:
    """Refuse an address where nobody answers, for which Ray would wait many minutes.

    Raises:
        PluginError: nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto", which Ray looks up
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except (OSError, OverflowError, ValueError) as problem:
        message = f"no Ray cluster answers at {brief(address)!r} ({_line(problem)}); start one by `ray start --head`, "
        raise PluginError(f"{message}or name another with --cluster") from None


def _line(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    return brief(text or type(problem).__name__, 200)
