"""What workers are worth: two against one, on draws that take 20 ms each (`python benchmarks/workers.py`).

The hunt is the small one of the tests, whose parts answer at once, so that nothing but drawing takes time; a draw waits
and uses no core, so that the figure is of what sharing costs, on any machine. Time is from the first unit to the last,
by the hunt's log: neither the start of Ray nor the loading of models is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests"
DRAW = 0.02
"""Seconds that a draw takes."""
BATCH = 8


def seconds(folder: Path, workers: int, draws: int) -> tuple[float, bytes]:
    """Hunt with so many workers; give the seconds from the first unit to the last, and what was found."""
    from toyworld import LABELLED, SPECS

    log = folder / "log.jsonl"
    command = [sys.executable, "-m", "foible", "hunt", "--quiet", "--workers", str(workers), "--log", str(log)]
    command += [f"--out={folder / 'run'}", f"--set=batch={BATCH}", f"--set=explore.draws={draws}"]
    command += [word for kind, spec in SPECS.items() for word in (f"--{kind}", spec)]
    command += [word for label in LABELLED for word in ("--label", label)]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "TOY_SLEEP": str(BATCH * DRAW)}
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    times = [datetime.fromisoformat(line["time"]).timestamp() for line in lines if line["event"] == "unit"]
    return times[-1] - times[0], (folder / "run" / "findings.json").read_bytes()


def main() -> None:
    """Print seconds for each number of workers, and whether all found the same."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--draws", type=int, default=400, help="explored draws for each of three labels")
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = arguments.parse_args()
    sys.path.insert(0, str(TESTS))
    found = {}
    for workers in given.workers:
        with tempfile.TemporaryDirectory() as folder:
            found[workers] = seconds(Path(folder), workers, given.draws)
        (took, what), first = found[workers], found[given.workers[0]]
        print(
            f"{workers} workers: {took:.1f} s, {first[0] / took:.2f} times as fast; same: {what == first[1]}",
            flush=True,
        )


if __name__ == "__main__":
    main()
