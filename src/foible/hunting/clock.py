"""The clock: ends a hunt between two units of work, when its minutes are over.

Comes in: minutes, or none, and what each unit took. Goes out: an `OutOfTime` before a unit that would come too late;
and the seconds that every part has taken. Neighbour: `draws/observe.py` asks it before every unit of new work, in every
stage alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from foible.errors import OutOfTime


class Clock:
    """Counts the minutes of new work in one call.

    What an earlier call has kept is walked through first, and takes none of them: a hunt whose walk is longer than its
    minutes would never come to anything new.
    """

    def __init__(self, minutes: float | None) -> None:
        """Allow so many minutes; None allows any number."""
        self._minutes = minutes
        self._began: float | None = None
        self.stage = ""
        """What is going on, for the sentence that ends it."""
        self.spent: dict[str, tuple[int, float]] = {}
        """By part: items answered and seconds taken in this call."""

    def before(self) -> None:
        """Say that new work is about to be done.

        Raises:
            OutOfTime: the minutes are over.
        """
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if self._minutes is not None and now - self._began >= 60 * self._minutes:
            message = (
                f"stopped after {self._minutes:g} minutes, in the stage {self.stage}; what was finished is kept, and "
                "the same command goes on from there"
            )
            raise OutOfTime(message)

    def after(self, spent: Mapping[str, tuple[int, float]]) -> None:
        """Say what new work took, by part: items and seconds."""
        for part, (items, seconds) in spent.items():
            before = self.spent.get(part, (0, 0.0))
            self.spent[part] = (before[0] + items, before[1] + seconds)
