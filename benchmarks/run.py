"""`make bench`: what a draw, a round, a hunt, an archive and an import cost on this machine.

Ratios within one run, since machines differ; in parentheses what is to hold. A machine that is busy with something else
makes wall times longer, and those of foible's own work most: hold nothing against them then.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import draw_speed
import foible
import rounds
from foible.config import HuntConfig
from foible.parts import registry

REPEATS = 5
PIPELINE = "diffusers:diorama"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    arguments.add_argument("--budget", type=int, help="of the hunt that is timed; without it, no limit")
    arguments.add_argument("--rows", type=int, default=archives.ROWS, help="synthetic rows in the large archive")
    given = arguments.parse_args()
    archives.show(draw_speed.measure() | rounds.measure())
    archives.show(hunted(given.budget))
    archives.show(archives.commits())
    archives.show(archives.sharing())
    archives.show(archives.large(given.rows))
    archives.show({"import foible, over bare python": _import_seconds("foible") - _import_seconds("sys")})


def hunted(budget: int | None = None) -> dict[str, float]:
    """Time a default hunt, and within it the bare calls of its models, as they are without foible around them.

    Then the same hunt with two units under way at once: its wall over the calls as they were one after the other, since
    at once they take the processor from one another. And a hunt over a generator of `diffusers`, each way.
    """
    run, clocks = _hunt(budget, overlap=1)
    bare = sum(clock.seconds for clock in clocks.values())
    each = {
        f"hunt: {kind}, ms an item ({clock.items})": 1000 * clock.seconds / max(clock.items, 1)
        for kind, clock in clocks.items()
    }
    return {
        "hunt: draws": sum(run.result.draws.values()),
        **each,
        "hunt: wall seconds": run.seconds,
        "hunt: wall over bare model calls (at most 1.10)": run.seconds / bare,
        "hunt, overlap=2: wall over the same calls (at most 1.05)": _hunt(budget, overlap=2)[0].seconds / bare,
        **_over_a_pipeline(budget),
    }


def _over_a_pipeline(budget: int | None) -> dict[str, float]:
    run, clocks = _hunt(budget, overlap=1, generator=PIPELINE)
    bare = sum(clock.seconds for clock in clocks.values())
    at_once = _hunt(budget, overlap=2, generator=PIPELINE)[0].seconds
    return {
        f"hunt over {PIPELINE}: draws": sum(run.result.draws.values()),
        f"hunt over {PIPELINE}: wall over bare model calls (at most 1.03)": run.seconds / bare,
        f"hunt over {PIPELINE}, overlap=2: wall over the same calls": at_once / bare,
    }


def _hunt(budget: int | None, overlap: int, generator: str = "") -> tuple[foible.Run, dict[str, _Clock]]:
    clocks = {kind: _Clock() for kind in registry.KINDS}
    with tempfile.TemporaryDirectory() as folder:
        parts = {kind: _timed(kind, clock, generator) for kind, clock in clocks.items()}
        given = {"budget": budget, "overlap": overlap}
        run = foible.hunt(**parts, out=Path(folder) / "hunt", config=given, progress=sys.stderr.isatty())
    return run, clocks


class _Clock:
    """Adds up what a model's calls take."""

    def __init__(self) -> None:
        self.items, self.seconds = 0, 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Time each call of a function of a batch."""

        def timed(batch: Any, *more: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(batch, *more)
            finally:
                self.items += len(batch)
                self.seconds += time.perf_counter() - began

        return timed


def _timed(kind: str, clock: _Clock, generator: str) -> Any:
    """Load the default part of a kind, or another generator; its calls are timed."""
    options = getattr(HuntConfig(), kind)
    other = generator if kind == "generator" else ""
    part = registry.load(kind, other or options.spec, {} if other else options.args).object
    name = registry.method(kind)
    setattr(part, name, clock.around(getattr(part, name)))
    return part


def _import_seconds(module: str) -> float:
    """Return the fastest of several starts of Python that import one module."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
