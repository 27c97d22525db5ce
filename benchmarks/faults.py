"""A disk that fails on purpose: operations on files below a folder are counted, and one of them is spoiled.

Comes in: which operation, and how. Goes out: within the block, the same functions of Python, over files that are
really written. What SQLite writes does not pass here, but for its statements; `crash.py` has `strace` spoil its system
calls. `power_loss` makes of a folder what a disk could hold whose power went: what was never brought to it is dropped.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

KINDS = {
    "write": ("short", "ENOSPC", "EIO", "kill", "full"),
    "fsync": ("EIO", "kill"),
    "replace": ("EIO", "kill"),
    "truncate": ("EIO", "kill"),
    "open": ("ENOSPC", "kill"),
    "mkdir": ("ENOSPC", "kill"),
    "unlink": ("EIO", "kill"),
    "sql": ("EIO", "kill"),
}
"""By operation: how it can be spoiled. "short": half is written, and the caller is told so; "full": no write from there
on finds room; "kill": the process ends there, behind the first half of a write."""
BLOCK = 4096
"""Bytes that a disk writes at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which operation is spoiled."""

    at: int
    """Its number, from 0."""
    kind: str


class Disk:
    """Counts the operations below a folder, spoils one, and notes what was brought to disk."""

    def __init__(self, folder: Path, plan: Plan | None = None, notes: Path | None = None) -> None:
        """Watch a folder; notes go to a file elsewhere, at once."""
        self.folder, self.plan = str(folder), plan
        self.operations: list[str] = []
        self.hit = False
        """Whether the plan came true."""
        self._notes = None if notes is None else os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lock = threading.Lock()
        self._paths: dict[int, str] = {}
        self._write = os.write

    def below(self, path: object) -> bool:
        """Tell whether a path lies in the folder."""
        return isinstance(path, str | os.PathLike) and str(Path(path).absolute()).startswith(self.folder)

    def passes(self, operation: str, **about: object) -> str:
        """Count an operation; give how it is to be spoiled, or an empty text."""
        with self._lock:
            number = len(self.operations)
            self.operations.append(operation)
            plan = self.plan
            kind = ""
            if plan is not None and number == plan.at and plan.kind in KINDS[operation]:
                kind = plan.kind
            if plan is not None and plan.kind == "full" and number >= plan.at and operation == "write":
                kind = "ENOSPC"
            if kind and not self.hit:
                self.hit = True
                self.note(operation="hit", kind=plan.kind if plan is not None else "", spoiled=operation)
        if not kind:
            self.note(operation=operation, **about)
        if kind == "kill" and operation != "write":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind in {"ENOSPC", "EIO"} and operation != "sql":
            number = getattr(errno, kind)
            raise OSError(number, os.strerror(number))
        return kind

    def note(self, **what: object) -> None:
        """Write down what happened."""
        if self._notes is not None:
            self._write(self._notes, json.dumps(what).encode() + b"\n")

    @contextmanager
    def spoiling(self) -> Iterator[Disk]:
        """Stand between this process and its files, until the block ends."""
        places: list[tuple[Any, str, Any]] = [(place, "open", self._opener(io.open)) for place in (builtins, io)]
        places += [(os, "fsync", self._syncer(os.fsync))]
        places += [(os, name, self._on(name, getattr(os, name))) for name in ("replace", "mkdir", "unlink")]
        places += [(sqlite3, "connect", partial(sqlite3.connect, factory=_database(self)))]
        before = [(place, name, getattr(place, name)) for place, name, _ in places]
        try:
            for place, name, other in places:
                setattr(place, name, other)
            yield self
        finally:
            for place, name, real in before:
                setattr(place, name, real)

    def _opener(self, real: Callable[..., Any]) -> Callable[..., Any]:
        kind = _file(self)

        def opened(file: Any, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
            if not self.below(file) or not set(mode) & set("wax+"):
                return real(file, mode, buffering, *args, **kwargs)
            self.passes("open", path=str(Path(file).absolute()))
            raw = kind(str(Path(file).absolute()), mode.replace("b", "").replace("t", ""))
            self._paths[raw.fileno()] = str(raw.name)
            if "b" in mode:
                return raw if buffering == 0 else io.BufferedWriter(raw)
            return io.TextIOWrapper(io.BufferedWriter(raw), *args, **kwargs)

        return opened

    def _syncer(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def synced(number: int) -> None:
            if path := self._paths.get(number, ""):
                self.passes("fsync", path=path, size=os.fstat(number).st_size)
            real(number)

        return synced

    def _on(self, operation: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def spoiled(path: Any, *args: Any, **kwargs: Any) -> Any:
            if self.below(path):
                to = [str(Path(one).absolute()) for one in args[:1] if self.below(one)]
                self.passes(operation, path=str(Path(path).absolute()), to=to)
            return real(path, *args, **kwargs)

        return spoiled


def _file(disk: Disk) -> type[io.FileIO]:
    class File(io.FileIO):
        """Writes without a buffer, as far as it is let."""

        def write(self, data: Any) -> int:
            view = memoryview(data).cast("B")
            kind = disk.passes("write", path=self.name)
            done = super().write(view[: len(view) // 2] if kind in {"short", "kill"} and len(view) > 1 else view)
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        def truncate(self, size: int | None = None) -> int:
            disk.passes("truncate", path=self.name)
            return super().truncate(size)

    return File


def _database(disk: Disk) -> type[sqlite3.Connection]:
    class Database(sqlite3.Connection):
        """Runs statements, as far as it is let."""

        def execute(self, *args: Any) -> sqlite3.Cursor:
            self._pass()
            return super().execute(*args)

        def executemany(self, *args: Any) -> sqlite3.Cursor:
            self._pass()
            return super().executemany(*args)

        def _pass(self) -> None:
            if disk.passes("sql") == "EIO":
                message = "disk I/O error"
                raise sqlite3.OperationalError(message)

    return Database


def power_loss(folder: Path, notes: Path, dice: random.Random) -> int:
    """Make of a folder what could be left of it where the power went; give how many files lost something.

    What was written and not brought to disk is cut off, or is zeros; a file that was made, renamed or replaced may be
    gone, since no directory was brought to disk; of SQLite's write-ahead log, which is brought to disk only before its
    rows go into the database, any block may be missing.

    Args:
        folder: of a process that was killed.
        notes: what `Disk` wrote down of it.
        dice: what decides.
    """
    synced = _brought(notes)
    spoiled = 0
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        if path.name.endswith("-shm"):
            path.unlink()
        elif path.name.endswith("-wal"):
            spoiled += _lose_blocks(path, dice)
        elif str(path) in synced:
            spoiled += _lose_end(path, synced[str(path)], dice)
    return spoiled


def _brought(notes: Path) -> dict[str, int]:
    """Give, for each file that was made, how much of it was brought to disk."""
    synced: dict[str, int] = {}
    for line in notes.read_text("utf-8").splitlines():
        what = json.loads(line)
        path = what.get("path", "")
        if what["operation"] == "open":
            synced.setdefault(path, 0)
        if what["operation"] == "fsync":
            synced[path] = what["size"]
        if what["operation"] == "replace" and what["to"]:
            synced[what["to"][0]] = synced.pop(path, 0)
    return synced


def _lose_end(path: Path, synced: int, dice: random.Random) -> int:
    """Drop a file, or what of it was not brought to disk."""
    size = path.stat().st_size
    if dice.random() < 0.15:  # noqa: PLR2004 - some of them: their directory was not brought to disk
        path.unlink()
        return 1
    if size <= synced:
        return 0
    with path.open("r+b") as file:
        file.truncate(dice.randint(synced, size))
        if dice.random() < 0.5:  # noqa: PLR2004 - half of them: the length was brought to disk, the bytes were not
            file.truncate(size)
    return 1


def _lose_blocks(path: Path, dice: random.Random) -> int:
    """Cut a log off, or fill some of its blocks with zeros."""
    size = path.stat().st_size
    if not size:
        return 0
    how = dice.choice(["none", "cut", "blocks", "all"])
    with path.open("r+b") as file:
        if how == "cut":
            file.truncate(dice.randrange(size))
        if how == "all":
            file.truncate(0)
        if how == "blocks":
            for start in range(0, size, BLOCK):
                if dice.random() < 0.3:  # noqa: PLR2004 - some of them
                    file.seek(start)
                    file.write(bytes(min(BLOCK, size - start)))
    return how != "none"
