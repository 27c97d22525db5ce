"""The journal of a run: typed events, appended and never changed.

Comes in: events (`events.py`), from the one process that holds the run's lock. Goes out: the events again, and what
they come to. A line holds an event and a seal over it and the seal before it, so that a line that was changed, moved or
taken out is noticed. A last line without an end was being written when the process was killed, and is dropped; anything
else that does not fit is damage, told in one sentence. Neighbour: `archive.py` keeps what the events speak of.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import IO, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from foible._version import __version__
from foible.errors import OtherVersionError, StoreError, brief
from foible.records import Fault, Hypothesis
from foible.run.database import told
from foible.run.events import (
    VERSION,
    Asked,
    Attempted,
    Began,
    Checked,
    Ended,
    Event,
    Grew,
    Learned,
    Lost,
    Mended,
    Spent,
    Tried,
    Worked,
)

NAME = "journal.jsonl"
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_BODY = slice(len('["",') + 32, -len("]\n"))
"""Where the event stands in a line, behind the 32 digits of the seal."""
_LONGEST = 1 << 26
"""Bytes of a line beyond which it is damage: a line holds one round."""


class Journal:
    """The events of one run directory, opened for writing by one process or for reading by any number."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open, or make, the journal in a folder, and read what it holds.

        Raises:
            StoreError: the folder cannot be used, is written by another process, or its journal is damaged.
            OtherVersionError: its journal is whole, and says what this foible does not know.
        """
        self.folder = folder
        self.began: Began | None = None
        self.learned: Learned | None = None
        self.tried: tuple[Hypothesis, ...] = ()
        self.checked = False
        """Whether the parts were asked about the same again."""
        self.attempted: dict[int, Attempted] = {}
        """By classifier: what came of asking it in other ways."""
        self.ended = False
        """Whether nothing was left to ask when the last event was noted."""
        self.mended = 0
        """Draws and answers that were lost, and had at a later try."""
        self.heard: Callable[[Event], None] = lambda _: None
        """Told of each event when it has been noted."""
        self._path = folder / NAME
        self._write = write
        self._grown: dict[str, object] = {}
        self._faults: dict[str, Fault] = {}
        self._spent: dict[str, tuple[int, float]] = {}
        self._asked: list[tuple[str, int, int, int]] = []
        self._end, self._seal = 0, ""
        with ExitStack() as opened, told(folder):
            if write:
                folder.mkdir(parents=True, exist_ok=True)
                _take(opened, folder)
            elif not self._path.is_file():
                message = f"{folder} is no run directory (it holds no {NAME}); name the directory of a hunt"
                raise StoreError(message)
            if self._path.exists() and not self._path.is_file():  # a pipe would never end
                message = f"{self._path} is no file; move it away, or name another --out"
                raise StoreError(message)
            if write:
                # Without a buffer: what a full disk did not take must not be tried again when the file is closed.
                self._out = opened.enter_context(self._path.open("ab", buffering=0))
            self._file: IO[bytes] = opened.enter_context(self._path.open("rb"))
            self._read_all()
            if write:
                self._out.truncate(self._end)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the file, and give the lock back."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    @property
    def settings(self) -> Mapping[str, object]:
        """The settings as they stand, those that grew at their last value; empty before the run began."""
        return MappingProxyType({**(self.began.settings if self.began else {}), **self._grown})

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What was lost and not mended since, by the key of the draw or the answer."""
        return MappingProxyType(self._faults)

    @property
    def spent(self) -> Spent:
        """By part: items answered and seconds taken, over every call that came to an end."""
        return MappingProxyType(self._spent)

    def note(self, event: Event) -> None:
        """Append an event, and bring it to disk.

        Raises:
            StoreError: the disk is full or cannot be written, or the event holds what is no Unicode text.
        """
        try:
            body = event.model_dump_json().encode()
        except PydanticSerializationError as problem:
            message = f"what is to be noted in {self._path} is no text ({brief(problem)}); rename what it names"
            raise StoreError(message) from problem
        seal = _chained(self._seal, body)
        line = b'["%b",%b]\n' % (seal.encode(), body)
        with told(self._path):
            # What an interrupt cut short was never taken in: a line behind it would not fit.
            self._out.truncate(self._end)
            try:
                left = memoryview(line)
                while left:
                    left = left[self._out.write(left) :]
                os.fsync(self._out.fileno())
            except OSError:
                self._out.truncate(self._end)
                raise
        self._take_in(event, self._end, len(line))
        self._end, self._seal = self._end + len(line), seal
        self.heard(event)

    def begin(self, event: Began) -> None:
        """Begin the run; what was noted of one that never came to an outcome is dropped."""
        with told(self._path):
            self._out.truncate(0)
        self._end, self._seal, self.learned, self.tried = 0, "", None, ()
        self.checked, self.attempted, self.mended = False, {}, 0
        self._grown, self._faults, self._asked = {}, {}, []
        self.note(event)

    @property
    def stages(self) -> frozenset[str]:
        """Those that asked for anything."""
        return frozenset(name for name, *_ in self._asked)

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:
        """Yield, in order, what an asker asked for.

        Args:
            stage: which asker; None for all.
            classifier: where each classifier has one of its own: this one's, and those before it; None for all.
        """
        for name, place, start, length in list(self._asked):
            if stage in {None, name} and (classifier is None or place <= classifier):
                with told(self._path):
                    self._file.seek(0, os.SEEK_END)  # whatever was read ahead may have been cut off since
                    self._file.seek(start)
                    event = self._event(self._file.read(length))
                if isinstance(event, Asked):
                    yield event

    def _read_all(self) -> None:
        self._file.seek(0)
        while line := self._file.readline(_LONGEST):
            if not line.endswith(b"\n"):
                if len(line) >= _LONGEST:
                    raise self._damaged("a line without an end")
                return  # torn by a kill: it never happened
            seal = self._check(line)
            if not self._end:
                self._refuse_newer(line)
            self._take_in(self._event(line), self._end, len(line))
            self._end, self._seal = self._end + len(line), seal

    def _check(self, line: bytes) -> str:
        seal = _chained(self._seal, line[_BODY])
        if not (line.startswith(b'["%b",' % seal.encode()) and line.endswith(b"]\n")):
            raise self._damaged("a line that was changed, moved or taken out")
        return seal

    def _event(self, line: bytes) -> Event:
        try:
            return _EVENT.validate_json(line[_BODY])
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise self._of_another(line, f"an event that this foible does not know: {brief(what, 120)}") from None

    def _refuse_newer(self, first: bytes) -> None:
        """Refuse a journal that says of itself that a newer foible wrote it, whatever else of it can be read."""
        version = _said(first, "journal_version")
        if isinstance(version, int) and version > VERSION:
            raise self._of_another(first, f"a journal of version {version}, and this foible reads up to {VERSION}")

    def _of_another(self, line: bytes, what: str) -> OtherVersionError:
        """Say who wrote what cannot be understood: a line whose seal fits was not changed since."""
        told = self.began.foible_version if self.began is not None else _said(line, "foible_version")
        who = f"foible {brief(told, 40)}" if isinstance(told, str) and told != __version__ else "another foible"
        message = f"the run in {self.folder} was written by {who}, and this is foible {__version__}: it holds {what}"
        return OtherVersionError(f"{message}; use the one that wrote it, or name another --out, with the same archive")

    def _take_in(self, event: Event, start: int, length: int) -> None:
        """Fold an event into what the journal comes to."""
        self.ended = isinstance(event, Ended) or (self.ended and isinstance(event, Worked))
        match event:
            case Began():
                self.began = event
            case Grew():
                self._grown |= event.settings
            case Learned():
                self.learned = event
            case Checked() | Attempted():
                self._add_tries(event)
            case Tried():
                self.tried = tuple(event.hypotheses)
            case Asked():
                self._asked.append((event.stage, event.classifier, start, length))
            case Lost():
                self._faults |= {key: Fault(*fault) for key, fault in event.faults.items()}
            case Mended():
                self.mended += len(event.keys)
                self._faults = {key: fault for key, fault in self._faults.items() if key not in event.keys}
            case Worked():
                self._add_spent(event.spent)

    def _add_tries(self, event: Checked | Attempted) -> None:
        if isinstance(event, Attempted):
            self.attempted[event.classifier] = event
        else:
            self.checked = True

    def _add_spent(self, spent: Spent) -> None:
        for part, (items, seconds) in spent.items():
            before = self._spent.get(part, (0, 0.0))
            self._spent[part] = (before[0] + items, before[1] + seconds)

    def _damaged(self, what: str) -> StoreError:
        message = f"the journal in {self.folder} is damaged after byte {self._end} ({what})"
        return StoreError(f"{message}; name another --out, with the same archive")


def _said(line: bytes, name: str) -> object:
    """Read a field of an event that need not be one of ours; None where there is none."""
    try:
        event = json.loads(line[_BODY])
    except (ValueError, RecursionError):
        return None
    return event.get(name) if isinstance(event, dict) else None


def _chained(before: str, body: bytes) -> str:
    return hashlib.blake2b(before.encode() + body, digest_size=16).hexdigest()


def _take(opened: ExitStack, folder: Path) -> None:
    """Hold the lock of a run directory until it is closed.

    Raises:
        StoreError: another process holds it.
    """
    try:
        opened.enter_context(FileLock(folder / ".lock", timeout=0))
    except Timeout:
        message = f"{folder} is in use by another foible; wait for it, or name another --out"
        raise StoreError(message) from None
    except NotImplementedError:
        message = f"the file system of {folder} has no locks; name an --out on one that has"
        raise StoreError(message) from None
