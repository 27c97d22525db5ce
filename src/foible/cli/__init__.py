"""The command line: parse, call, print, exit code. Thin on purpose; everything it does can be done from Python.

Exit codes: 0 the command did its job (bugs found or not), 1 a gate that the user asked for failed, 2 bad input or a
missing part, 130 interrupted, by Ctrl-C, by `kill` or by a terminal that was closed. Results go to stdout, progress and
errors to stderr. Errors that are expected are one sentence; anything else keeps its traceback.

Neighbours: `flags.py` holds what the verbs share; `interrupts.py` ends them; each other file holds a group of verbs.
"""

from __future__ import annotations

import sys
import threading
from typing import Annotated

import typer

from foible._version import __version__
from foible.cli import (
    archive,
    certify,
    checks,
    compare,
    explain,
    export,
    guide,
    hunts,
    listing,
    proofs,
    repair,
    runs,
    seek,
    status,
    suites,
    swap,
    trackers,
)
from foible.cli.flags import app, replace_what_cannot_be_shown, told
from foible.cli.interrupts import heard
from foible.errors import FoibleError, OutOfTime

__all__ = [
    "app",
    "archive",
    "certify",
    "checks",
    "compare",
    "explain",
    "export",
    "guide",
    "hunts",
    "listing",
    "main",
    "proofs",
    "repair",
    "runs",
    "seek",
    "status",
    "suites",
    "swap",
    "trackers",
]

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    with heard(_say_interrupted, INTERRUPTED):
        _main()


def _main() -> None:
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
        _say_interrupted()
    sys.exit(code if isinstance(code, int) else 0)


def _say_interrupted(said: threading.Event = threading.Event()) -> None:  # noqa: B008 - of the one process
    """Say once what an interrupt leaves."""
    if not said.is_set():
        said.set()
        told("interrupted; what was finished is kept, and the same command goes on from there", INTERRUPTED)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit
