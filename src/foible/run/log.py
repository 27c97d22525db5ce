"""The log of a call: a line of JSON for each event, for programs that watch a hunt.

Comes in: events, from the one thread that notes them. Goes out: lines, each written at once. It is for watching alone:
nothing is ever read from it, and what cannot be written to it costs a line, never the hunt. Specs, arguments and
settings of parts are not in it, since a key may be among them. Neighbour: `journal.py`, which a run is made again from.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from foible.errors import FoibleError, StoreError, brief

_log = logging.getLogger(__name__)
LONGEST = 500
"""Characters of a sentence or a reason."""
MOST = 20
"""Reasons that a line names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event; a field that says nothing of it is left out."""

    time: str
    """When it was written: ISO 8601, UTC, in milliseconds."""
    run: str = ""
    """The same for every call on a run: 16 hexadecimal digits."""
    process: int
    """Its number: of the calls on a run each has its own."""
    event: str
    """What happened; see `docs/operations.md`."""
    stage: str = ""
    """What was going on."""
    unit: str = ""
    """Of a unit of work, from the keys of its draws: 16 hexadecimal digits, the same in every call."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of what."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By part: how long it took."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why something was lost, and how often; the most frequent ones."""
    said: str = ""
    """What a user is told."""


class Log:
    """Appends lines to a file, or drops them where there is none."""

    def __init__(self, path: Path | None) -> None:
        """Open a file to append to; None for none.

        Raises:
            StoreError: it cannot be opened.
        """
        self.run = ""
        """Of the lines to come."""
        self.stage = ""
        """Likewise."""
        self._path, self._file, self._lock = path, -1, threading.Lock()
        self._torn, self._lost, self._why = False, 0, ""
        if path is None:
            return
        # A pipe that nobody reads must not keep a hunt from beginning, nor a full one from going on.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            self._file = os.open(path, flags, 0o666)
        except (OSError, ValueError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else problem
            message = f"the log {brief(path)} cannot be written ({why}); name a file in a directory that is there"
            raise StoreError(message) from None

    def note(  # noqa: PLR0913 - the fields of a line
        self,
        event: str,
        *,
        unit: str = "",
        counts: Mapping[str, int] | None = None,
        seconds: Mapping[str, float] | None = None,
        reasons: Mapping[str, int] | None = None,
        said: str = "",
    ) -> None:
        """Write a line; one that cannot be written is counted."""
        if self._file < 0:
            return
        most = sorted((reasons or {}).items(), key=lambda one: (-one[1], one[0]))[:MOST]
        line = Line(
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            run=self.run,
            process=os.getpid(),
            event=event,
            stage=self.stage,
            unit=unit,
            counts={**(counts or {})},
            seconds={part: round(taken, 6) for part, taken in (seconds or {}).items()},
            reasons={brief(reason, LONGEST): count for reason, count in most},
            said=brief(said, LONGEST) if said else "",
        )
        told = {name: value for name, value in asdict(line).items() if value not in ("", {})}
        self._write(json.dumps(told).encode() + b"\n")

    def __enter__(self) -> Self:
        """Return the log itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Say what ended the call where something did, close the file, and say what could not be written."""
        if isinstance(problem, FoibleError):
            self.note("stopped", said=str(problem))
        elif kind is not None:  # what else it says may be anything
            self.note("stopped", said="interrupted" if kind is KeyboardInterrupt else kind.__name__)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._lost:
            _log.warning("the log %s lacks %d lines (%s)", brief(self._path), self._lost, self._why)
            self._lost = 0

    def _write(self, line: bytes) -> None:
        """Write a line at once; behind one that was cut off, in a line of its own."""
        with self._lock:  # units may come from several threads
            whole = b"\n" + line if self._torn else line
            try:
                written = os.write(self._file, whole)
            except OSError as problem:
                written, self._why = 0, problem.strerror or type(problem).__name__
            if written == len(whole):
                self._torn = False
                return
            self._lost += 1
            self._torn = self._torn or written > 0
            self._why = self._why or "no space"
