"""What workers and overlap are worth, on draws that take 20 ms each (`python benchmarks/workers.py`).

The hunt is the small one of the tests, whose parts answer at once, so that nothing but drawing takes time; a draw waits
and uses no core, so that the figure is of what sharing costs, on any machine. For overlap in one process the classifier
takes as long as the generator. Time is from the first unit to the last,
by the hunt's log: neither the start of Ray nor the loading of models is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests"
DRAW = 0.02
"""Seconds that a draw takes."""
BATCH = 8


class Pondering:
    """Classifies as the toy world does, and takes as long as drawing does: a server that somebody else runs."""

    def __init__(self) -> None:
        """Load the toy world's classifier."""
        from toyworld import Classifier

        self._inner = Classifier()
        self.labels = self._inner.labels

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Classify, after a while."""
        time.sleep(float(os.environ["TOY_SLEEP"]))
        return self._inner.classify(images)


def seconds(folder: Path, draws: int, *more: str) -> tuple[float, bytes]:
    """Hunt; give the seconds from the first unit to the last, and what was found."""
    from toyworld import LABELLED, SPECS

    log = folder / "log.jsonl"
    command = [sys.executable, "-m", "foible", "hunt", "--quiet", "--log", str(log)]
    command += [f"--out={folder / 'run'}", f"--set=batch={BATCH}", f"--set=explore.draws={draws}"]
    command += [word for kind, spec in SPECS.items() for word in (f"--{kind}", spec)]
    command += [word for label in LABELLED for word in ("--label", label)]
    path = os.pathsep.join([str(TESTS), str(HERE), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "TOY_SLEEP": str(BATCH * DRAW)}
    subprocess.run([*command, *more], env=env, check=True, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    times = [datetime.fromisoformat(line["time"]).timestamp() for line in lines if line["event"] == "unit"]
    return times[-1] - times[0], (folder / "run" / "findings.json").read_bytes()


def compared(draws: int, ways: Mapping[str, Sequence[str]]) -> None:
    """Print the seconds of each way to hunt, and whether it found the same as the first one."""
    first: tuple[float, bytes] | None = None
    for name, flags in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            took, what = seconds(Path(folder), draws, *flags)
        first = first or (took, what)
        print(f"{name}: {took:.1f} s, {first[0] / took:.2f} times as fast, same: {what == first[1]}", flush=True)


def main() -> None:
    """Print seconds for each number of workers, and for units that overlap in one process."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--draws", type=int, default=400, help="explored draws for each of three labels")
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = arguments.parse_args()
    sys.path.insert(0, str(TESTS))
    compared(given.draws, {f"{count} workers": ["--workers", str(count)] for count in given.workers})
    slow = ["--classifier", "python:workers:Pondering"]
    compared(given.draws, {f"overlap {count}": [*slow, f"--set=overlap={count}"] for count in (1, 2)})


if __name__ == "__main__":
    main()
