"""How many requests to servers may still be made.

Comes in: a number of requests, or none. Goes out: a count that is handed to every part which asks a server, and that
ends a hunt between two batches when it is used up. Neighbours: `registry.load` hands it on, `protocols.CountsRequests`
says who takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from foible.errors import OutOfRequests


class Ceiling:
    """Counts requests down; safe under threads.

    A pickled one goes on from the count that it had, and counts on its own from then on: whoever sends it to another
    process decides how many of what is left may be made there.
    """

    def __init__(self, most: int | None, made: int = 0) -> None:
        """Allow requests.

        Args:
            most: how many in all; None allows any number.
            made: how many of them are made already.
        """
        self._most = most
        self._made = made
        self._lock = threading.Lock()
        self._elsewhere: Callable[[int], str] | None = None

    def hand_over(self, elsewhere: Callable[[int], str]) -> None:
        """Let somebody else count from now on, for several processes.

        Args:
            elsewhere: takes so many requests, and says why not where it cannot: the sentence of `OutOfRequests`.
        """
        self._elsewhere = elsewhere

    def __reduce__(self) -> tuple[type[Ceiling], tuple[int | None, int]]:
        return Ceiling, (self._most, self._made)

    @property
    def most(self) -> int | None:
        """Requests that may be made in all; None for any number."""
        return self._most

    @property
    def made(self) -> int:
        """Requests taken so far."""
        return self._made

    def take(self, count: int) -> None:
        """Take requests before they are made, all of them or none.

        Raises:
            OutOfRequests: fewer are left.
        """
        if self._elsewhere is not None:
            if refused := self._elsewhere(count):
                raise OutOfRequests(refused)
            return
        with self._lock:
            if self._most is not None and self._made + count > self._most:
                left = self._most - self._made
                # The same command would come no further, however often it is given.
                on = "" if count <= self._most else f" with a max_requests of at least {count}"
                message = (
                    f"stopped at the ceiling of {self._most} requests: {left} left, and the next step needs {count}; "
                    f"what was finished is kept, and the same command{on} goes on from there"
                )
                raise OutOfRequests(message)
            self._made += count
