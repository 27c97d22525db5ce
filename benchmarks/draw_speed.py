"""Measures how long the diorama takes to draw, on one core.

python benchmarks/draw_speed.py
"""

import argparse
import os
import time

from foible.diorama.generator import DioramaGenerator

SIZES = {64: 200, 128: 60, 192: 30}
"""Draws timed at each size."""
ROUNDS = 3
"""Times that each size is timed; the fastest counts, as the others were disturbed."""


def measure() -> dict[str, float]:
    """Milliseconds of processor time a draw, by size in pixels, for scenes of all kinds in one batch."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    times: dict[str, float] = {}
    for size, count in SIZES.items():
        generator = DioramaGenerator(size)
        seeds = range(count)
        generator.draw([""] * count, seeds)  # the shapes and grounds are made on first use
        fastest = min(_seconds(generator, count) for _ in range(ROUNDS))
        times[f"{size} px"] = fastest / count * 1000
    return times


def _seconds(generator: DioramaGenerator, count: int) -> float:
    start = time.process_time()
    generator.draw([""] * count, range(count))
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, allow_abbrev=False).parse_args()
    for size, milliseconds in measure().items():
        print(f"{size:>7}: {milliseconds:6.2f} ms a draw")


if __name__ == "__main__":
    main()
