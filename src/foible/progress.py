"""Progress bars with the time left, on stderr; or silence.

Comes in: a stage's name and its number of items. Goes out: a callable that is told how many more are done.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from foible.errors import OutOfTime

Advance = Callable[[int], None]


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str, total: int) -> contextlib.AbstractContextManager[Advance]:
        """Open the bar of one stage; the callable adds finished items."""
        ...


class Silent:
    """Shows nothing."""

    @contextlib.contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:  # noqa: ARG002 - the protocol's signature
        """Ignore what is told."""
        yield lambda _: None


class Until:
    """Ends a hunt when its minutes are over: between two units of work, when the one before is stored.

    What an earlier call stored is walked through first, and takes none of the minutes: a hunt whose walk is longer than
    its minutes would never come to anything new.
    """

    def __init__(self, progress: Progress, minutes: float, worked: Callable[[], bool]) -> None:
        """Wrap who is told; the minutes begin with the first unit after which `worked` says that a part was asked."""
        self._progress = progress
        self._minutes = minutes
        self._worked = worked
        self._began = time.monotonic()

    @contextlib.contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """Pass on what is told.

        Raises:
            OutOfTime: the minutes are over, and work of this stage is left.
        """
        done = 0
        with self._progress.stage(name, total) as advance:

            def counted(more: int) -> None:
                nonlocal done
                advance(more)
                done += more
                if done < total and self._over():
                    message = (
                        f"stopped after {self._minutes:g} minutes, at {done} of {total} in {name}; what was finished "
                        "is kept, and the same command goes on from there"
                    )
                    raise OutOfTime(message)

            yield counted

    def _over(self) -> bool:
        now = time.monotonic()
        if not self._worked():
            self._began = now
            return False
        return now - self._began >= 60 * self._minutes


class _Stderr(Console):
    """Falls silent when its reader leaves (`foible hunt 2>&1 | head`): the hunt itself goes on."""

    def on_broken_pipe(self) -> None:
        """Show nothing more."""
        self.quiet = True


class Bars:
    """Bars on stderr: a moving one on a terminal, one closing line a stage elsewhere."""

    @contextlib.contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """Show one bar until the stage ends."""
        columns = (
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=_Stderr(stderr=True)) as bars:
            task = bars.add_task(name, total=total)
            yield lambda done: bars.update(task, advance=done)
