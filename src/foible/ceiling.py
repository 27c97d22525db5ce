"""How many requests to servers may still be made.

Comes in: a number of requests, or none. Goes out: a count that every part loaded under it shares, and that ends a hunt
between two batches when it is used up. Neighbours: `hunting.py` sets it, the adapters that ask a server count on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from foible.errors import OutOfRequests


class Ceiling:
    """Counts requests down; safe under threads."""

    def __init__(self, most: int | None) -> None:
        """Allow `most` requests; None allows any number."""
        self._most = most
        self._made = 0
        self._lock = threading.Lock()

    @property
    def made(self) -> int:
        """Requests taken so far."""
        return self._made

    def take(self, count: int) -> None:
        """Take requests before they are made, all of them or none.

        Raises:
            OutOfRequests: fewer are left.
        """
        with self._lock:
            if self._most is not None and self._made + count > self._most:
                left = self._most - self._made
                message = (
                    f"stopped at the ceiling of {self._most} requests: {left} left, and the next step needs {count}; "
                    "what was finished is kept, and the same command goes on from there"
                )
                raise OutOfRequests(message)
            self._made += count


_current: ContextVar[Ceiling | None] = ContextVar("ceiling", default=None)


def current() -> Ceiling:
    """Give the ceiling that a part loaded now shares; one without end where none was set."""
    return _current.get() or Ceiling(None)


@contextmanager
def under(most: int | None) -> Iterator[Ceiling]:
    """Let every part that is loaded meanwhile share one ceiling."""
    ceiling = Ceiling(most)
    token = _current.set(ceiling)
    try:
        yield ceiling
    finally:
        _current.reset(token)
