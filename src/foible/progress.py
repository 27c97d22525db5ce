"""Progress bars with the time left, on stderr; or silence.

Comes in: a stage's name. Goes out: a callable that is told how much of it is done, and how many draws were looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

Show = Callable[[int, int, int], None]
"""Told (done, of how many, draws looked at so far); what is counted is the stage's own."""


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str) -> contextlib.AbstractContextManager[Show]:
        """Open the bar of one stage."""
        ...


class Silent:
    """Shows nothing."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Show]:  # noqa: ARG002 - the protocol's signature
        """Ignore what is told."""
        yield lambda _done, _total, _draws: None


class _Stderr(Console):
    """Falls silent when its reader leaves (`foible hunt 2>&1 | head`): the hunt itself goes on."""

    def on_broken_pipe(self) -> None:
        """Show nothing more."""
        self.quiet = True


class Bars:
    """Bars on stderr: a moving one on a terminal, one closing line a stage elsewhere."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Show]:
        """Show one bar until the stage ends."""
        columns = (
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("{task.fields[draws]} draws"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=_Stderr(stderr=True)) as bars:
            task = bars.add_task(name, total=None, draws=0)
            yield lambda done, total, draws: bars.update(task, completed=done, total=total, draws=draws)
