"""The command line: parse, call, print, exit code. Thin on purpose; everything it does can be done from Python.

Exit codes: 0 the command did its job (bugs found or not), 1 a gate that the user asked for failed, 2 bad input or a
missing part, 130 interrupted, by Ctrl-C, by `kill` or by a terminal that was closed. Results go to stdout, progress and
errors to stderr. Errors that are expected are one sentence; anything else keeps its traceback.

Neighbours: `flags.py` holds what the verbs share; each other file holds a group of verbs.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

from foible._version import __version__
from foible.cli import checks, hunts, listing, proofs, runs
from foible.cli.flags import app, replace_what_cannot_be_shown, told
from foible.errors import FoibleError, OutOfTime

__all__ = ["app", "checks", "hunts", "listing", "main", "proofs", "runs"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    _hear_every_interrupt()
    replace_what_cannot_be_shown()
    try:
        code = app(standalone_mode=False)
    except OutOfTime as stop:
        sys.exit(told(str(stop), INTERRUPTED))
    except FoibleError as problem:
        sys.exit(told(str(problem), 2))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as problem:
        # What typer raises for a mistyped command has this method; its class moves from release to release.
        if not hasattr(problem, "format_message"):
            raise
        sys.exit(told(problem.format_message(), 2))
    if code == INTERRUPTED:
        told("interrupted; what was finished is kept, and the same command goes on from there", code)
    sys.exit(code if isinstance(code, int) else 0)


def _hear_every_interrupt() -> None:
    """Let `kill` and a closed terminal end a command as Ctrl-C does; what is ignored, as under nohup, stays ignored."""
    if threading.current_thread() is not threading.main_thread():  # who starts it there hears for itself
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # SIGHUP is not everywhere
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit
