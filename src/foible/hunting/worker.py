"""What one worker process does: it loads the parts of a run from their specs, and carries units out.

Comes in: a `Job`, which can be pickled. Goes out: what came of units; the pixels go to the archive's folder, which the
worker must share with the hunt, or through an object store. Neighbours: `workers.py` starts workers and hands them
units; `draws/execute.py` is what each of them does with a unit.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.config import HuntConfig
from foible.draws.execute import Carried, Here, Unit
from foible.draws.questions import GENERATOR, GUIDE
from foible.errors import FoibleError, OutOfRequests, PluginError, StoreError, brief
from foible.hunting.sources import guide_of, load_source
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.registry import Part
from foible.records import ClassMap, Label
from foible.run.shards import Shards
from foible.run.shared import URL, Shared


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker must know of a run."""

    config: HuntConfig
    identities: Mapping[str, Mapping[str, Any]]
    """Of each part, by what the run calls it."""
    labels: tuple[Label, ...]
    """Of a guided hunt; else none."""
    maps: tuple[ClassMap, ...]
    """Of each classifier of a guided hunt; else none."""
    images: Path
    """The archive's folder of images: absolute, and the same on every machine."""
    token: str
    """Name of a file in it, by which a worker sees that its folder is the one of the hunt."""
    url: str
    """Of the store that the archive is a copy of, through which images come then; empty where of none."""
    directory: Path
    """Where the hunt was started: what specs call a relative path begins there."""


class Worker:
    """Loads parts, and carries units out with them; Ray makes one in a process of its own."""

    def __init__(self, job: Job, take: Callable[[int], str] | None) -> None:
        """Be told what to do; nothing is loaded yet.

        Args:
            job: the run.
            take: takes so many requests from the count that all workers share, and says why not where it cannot; None
                where they are not limited.
        """
        self._job = job
        self._take = take
        self._here: Here | None = None
        self._own: tempfile.TemporaryDirectory[str] | None = None

    def ready(self) -> str:
        """Load the parts; returns why that cannot be, or nothing."""
        try:
            self._loaded()
        except FoibleError as problem:
            return str(problem)
        return ""

    def carry_out(self, unit: Unit) -> Carried:
        """Carry a unit out, as `Here` does."""
        try:
            here = self._loaded()
        except FoibleError as problem:
            return Carried(stopped=problem)
        return here.carry_out(unit)

    def _loaded(self) -> Here:
        if self._here is None:
            with contextlib.suppress(OSError):  # another machine may not have it; absolute paths do without
                os.chdir(self._job.directory)
            ceiling = Ceiling(None)
            if self._take is not None:
                ceiling.hand_over(self._take)
            self._here = Here(_parts(self._job, ceiling), self._shards())
        return self._here

    def _shards(self) -> Shards:
        """Give where images are written: the archive's folder, or one of this worker's own where they are sent on.

        Raises:
            StoreError: this machine does not see the folder, or cannot use the store.
        """
        if self._job.url:
            self._own = tempfile.TemporaryDirectory(prefix="foible-images-")
            return Shards(Path(self._own.name), Shared(self._job.url))
        if not (self._job.images / self._job.token).is_file():
            message = f"a worker on {os.uname().nodename} does not see the archive {self._job.images.parent}; put it "
            message += f"into a folder that all machines share, and name that with --archive, or set {URL}"
            raise StoreError(message)
        return Shards(self._job.images)


class Counter:
    """Counts the requests of all workers; Ray makes one in a process of its own."""

    def __init__(self, ceiling: Ceiling) -> None:
        """Go on from a count."""
        self._ceiling = ceiling

    def take(self, count: int) -> str:
        """Take requests; returns why that cannot be, or nothing."""
        try:
            self._ceiling.take(count)
        except OutOfRequests as problem:
            return str(problem)
        return ""


def new_token() -> str:
    """Name a file in a folder of images, which is swept with what was left unfinished."""
    return str(Path("unfinished") / f"workers.{uuid.uuid4().hex}")


def refuse_objects(parts: Mapping[str, Part]) -> None:
    """Refuse parts that exist in this process alone.

    Raises:
        PluginError: one is an object, not a spec.
    """
    for name, part in parts.items():
        spec = str(part.identity["spec"])
        if spec.startswith("object:"):
            message = f"the {name} is {brief(spec)}, which a worker cannot make again; give it as a spec, such as "
            raise PluginError(f"{message}python:module.factory, or hunt without workers")


def _parts(job: Job, ceiling: Ceiling) -> dict[str, Part]:
    """Load the parts of a run again.

    Raises:
        PluginError: one does not load here, or is another one than that of the hunt.
    """
    parts: dict[str, Part] = {}
    for name, identity in job.identities.items():
        if name == GUIDE:
            continue
        if name == GENERATOR and job.config.source.spec:
            parts[name] = load_source(job.config, ceiling)[0]
        else:
            parts[name] = load_again(name.partition(" ")[0], identity, ceiling=ceiling, code=True)
    if GUIDE in job.identities:
        parts[GUIDE] = guide_of(job.config, parts, job.labels, job.maps)
    for name, part in parts.items():
        if part.identity != job.identities[name]:
            message = f"the {name} {brief(part.identity['spec'])} is another one on {os.uname().nodename} than where "
            message += "the hunt was started; install the same weights and the same versions of libraries on all"
            raise PluginError(message)
    return parts
