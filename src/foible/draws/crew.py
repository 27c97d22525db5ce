"""Several units of work at once, for an executor that can carry them out side by side.

Comes in: units, one after the other. Goes out: a future of each; where one unit is carried out at a time it is done
when it is given. Neighbours: `execute.py` says what an executor is; `observe.py` keeps what comes back, in the order
in which it gave the units, so that what is kept does not depend on who was faster.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from foible.draws.execute import Carried, Executor, Unit


class Crew:
    """Hands units to an executor."""

    def __init__(self, executor: Executor, abreast: int) -> None:
        """Hand it at most `abreast` units at once (at least 1); with 1, all in the thread that gives them."""
        self.abreast = abreast
        self._executor = executor
        self._threads = ThreadPoolExecutor(abreast) if abreast > 1 else None

    def submit(self, unit: Unit) -> Future[Carried]:
        """Begin a unit."""
        if self._threads is not None:
            return self._threads.submit(self._executor.carry_out, unit)
        done: Future[Carried] = Future()
        done.set_result(self._executor.carry_out(unit))
        return done
