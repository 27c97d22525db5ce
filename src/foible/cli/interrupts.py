"""An interrupt ends a command: at once where Python can be interrupted, and soon after wherever else it is.

Comes in: Ctrl-C, `kill`, a terminal that was closed. Goes out: `KeyboardInterrupt` in the main thread; and, where that
has not ended the process after `PATIENCE` seconds, its end. Neighbour: `cli/__init__.py`, which says the sentence.

Python raises nothing while a library computes, a database waits for a lock or a destructor runs, and a part may catch
what is raised. The number of a signal is written to a socket all the same, and a thread reads it there. A process may
be ended anywhere: journal, archive and files hold whole units, or nothing of them.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE = 1.5
"""Seconds that a command has to end by itself."""
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Of the signals; the last one is not everywhere."""
_OURS = frozenset(int(getattr(signal, name)) for name in NAMES if hasattr(signal, name))


@contextmanager
def heard(last: Callable[[], None], code: int) -> Iterator[None]:
    """Let every interrupt end what stands in the block; what is ignored, as under nohup, stays ignored.

    Args:
        last: says the last sentence, where the process is ended before it came to that.
        code: its exit code then.
    """
    if threading.current_thread() is not threading.main_thread():  # who starts it there hears for itself
        yield
        return
    came = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        came.set()
        raise KeyboardInterrupt

    for number in _OURS:
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
            signal.signal(number, interrupt)
    written, read = socket.socketpair()
    written.settimeout(0)
    before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_late, args=(read, last, code), daemon=True).start()
    try:
        yield
    finally:
        if not came.is_set():  # else the process ends, and what it waits for then must not keep it
            signal.set_wakeup_fd(before)
            written.close()


def _end_late(read: socket.socket, last: Callable[[], None], code: int) -> None:
    """Wait for an interrupt, and end the process where it did not."""
    with read:
        while number := read.recv(1):
            if number[0] in _OURS:
                time.sleep(PATIENCE)
                last()
                os._exit(code)
