"""Lets something wait for a network in a thread of its own, so that an interrupt never waits for it.

Comes in: a coroutine. Goes out: what it gives or raises. Neighbour: `_http.py`, whose requests run here.

A thread that is blocked in a read, in a pause or in a thread pool cannot be ended, and Python waits for such threads
before it exits. What runs on an event loop can be cancelled at any point where it waits, and one deadline covers all of
them. The thread is made anew for every call: nothing is left over that a fork or a worker could inherit.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_GLANCE = 0.5
"""Seconds between two looks for an interrupt, where the system does not end a wait for it."""
_LEAVE = 1.0
"""Seconds that a cancelled coroutine has to close its connections before it is left to itself."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where the caller has an event loop of its own.

    Raises:
        KeyboardInterrupt: the caller was interrupted, in whatever way; the coroutine is cancelled.
        Exception: whatever the coroutine raises.
    """
    loop = _Loop()
    task = loop.create_task(work)
    done = threading.Event()
    threading.Thread(target=_carry, args=(loop, task, done), daemon=True).start()
    try:
        while not done.wait(_GLANCE):
            pass
    except BaseException:
        with suppress(RuntimeError):  # it has ended meanwhile
            loop.call_soon_threadsafe(task.cancel)
        done.wait(_LEAVE)
        raise
    return task.result()


def _carry(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], done: threading.Event) -> None:
    """Be the thread of a loop until its task has ended; the task keeps what came of it."""
    try:
        with suppress(BaseException):
            loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    finally:
        done.set()


class _Loop(asyncio.SelectorEventLoop):
    """Looks hosts up in threads that nobody waits for: a resolver that does not answer takes half a minute."""

    async def getaddrinfo(self, host: Any, port: Any, **how: Any) -> Any:
        """Look a host up, as the base class does, but for the thread."""
        found: asyncio.Future[Any] = self.create_future()

        def tell(settle: Callable[[Any], None], value: Any) -> None:
            if not found.done():
                settle(value)

        def look() -> None:
            settle: Callable[[Any], None] = found.set_result
            value: Any
            try:
                value = socket.getaddrinfo(host, port, **how)
            except Exception as error:  # noqa: BLE001 - raised where it is awaited
                settle, value = found.set_exception, error
            with suppress(RuntimeError):  # the loop has closed, so nobody waits for it
                self.call_soon_threadsafe(tell, settle, value)

        threading.Thread(target=look, daemon=True).start()
        return await found
