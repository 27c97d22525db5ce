"""`make bench`: what a draw, a round, a hunt and an import cost on this machine.

Prints the generator's time a draw on one core, what a round of sequential confirmation costs beside its draws, the wall
time of a default hunt over the sum of its model calls, and the time that `import foible` takes. Ratios within one run,
since machines differ.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import draw_speed
import foible
import rounds

REPEATS = 5


def main() -> None:
    """Measure and print."""
    for name, value in (draw_speed.measure() | rounds.measure()).items():
        print(f"{name:<40}{value:8.2f}")
    with tempfile.TemporaryDirectory() as folder:
        run = foible.hunt(out=Path(folder) / "hunt", progress=sys.stderr.isatty())
    print(f"{'hunt: draws':<40}{sum(run.result.draws.values()):8}")
    for part, (items, seconds) in sorted(run.spent.items()):
        print(f"{f'hunt: {part}, ms an item ({items})':<40}{1000 * seconds / max(items, 1):8.2f}")
    spent = sum(seconds for _, seconds in run.spent.values())
    print(f"{'hunt: wall seconds':<40}{run.seconds:8.1f}")
    print(f"{'hunt: wall over model calls':<40}{run.seconds / spent:8.2f}")
    print(f"{'import foible, over bare python':<40}{_import_seconds('foible') - _import_seconds('sys'):8.2f}")


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
