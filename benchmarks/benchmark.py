"""`make benchmark`: several methods look for planted bugs over the same images; a page says what each cost.

With 24 seeds it takes some twenty minutes; what was measured is kept, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import foible
from bugs.compare import ERROR, NATURAL, run
from bugs.page import write_page


def main() -> None:
    """Measure, and write the page."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    add = arguments.add_argument
    add("--seeds", type=_at_least_one, default=24, help="hunts by each method, with a seed of its own each")
    add("--out", type=Path, default=Path("runs/bench"), help="where what was drawn and measured is kept")
    add("--target", type=Path, action="append", default=[], help="a classifier of training/train_recipe.py; may repeat")
    add("--error", type=_error, default=ERROR, help="how often the imperfect generator and judge err")
    add("--natural", type=_at_least_one, default=NATURAL, help="scenes in the pool")
    add("--page", type=Path, help="folder for the page; that of --out where it is not given")
    given = arguments.parse_args()
    measured = run(given.out, given.seeds, _tell, given.target, error=given.error, natural=given.natural)
    print(write_page(measured, given.page or given.out))


def _tell(said: str) -> None:
    print(said, file=sys.stderr)


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        message = f"wanted at least 1, but got {number}"
        raise argparse.ArgumentTypeError(message)
    return number


def _error(text: str) -> float:
    if not 0.0 < (number := float(text)) <= 0.4:  # noqa: PLR2004 - a judge that errs more often tells nothing
        message = f"wanted more than 0 and at most 0.4, but got {number:g}"
        raise argparse.ArgumentTypeError(message)
    return number


if __name__ == "__main__":
    try:
        main()
    except foible.InputError as problem:
        sys.exit(f"{Path(__file__).name}: {problem}")
