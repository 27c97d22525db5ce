"""A folder that appears whole or not at all, in a place where nothing of somebody else is.

Comes in: where it goes. Goes out: a folder to write into. Neighbours: `export.py` and `suites/write.py` write;
`report/files.py` does the same for one file.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foible.errors import StoreError


@contextlib.contextmanager
def placed(target: Path, what: str, mend: str, *, instead: bool = False) -> Iterator[Path]:
    """Give a folder to write into that becomes the target when all is written, and goes when anything fails.

    Args:
        target: where it goes.
        what: it is, for a sentence: "the data set".
        mend: what to do where something is there, for a sentence.
        instead: whether what is there may go; whoever says so has looked at it.

    Raises:
        StoreError: the target is there and not empty, or nothing can be written there.
    """
    try:
        taken = _taken(target)
        if taken and not instead:
            refuse_taken(target, mend)
        target.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=".foible-", dir=target.parent))
        try:
            yield place
            place.chmod(0o755)
            if taken:
                _exchange(place, target)
            else:
                if target.exists():
                    target.rmdir()
                place.rename(target)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    except OSError as problem:
        message = f"{what} cannot be written to {target} ({problem.strerror}); free the place or name another"
        raise StoreError(message) from problem


def refuse_taken(target: Path, mend: str) -> None:
    """Refuse a place where something is: said before the work that would have ended there.

    Args:
        target: where a folder is to go.
        mend: what to do, for a sentence.

    Raises:
        StoreError: something is there, or nobody can tell.
    """
    try:
        taken = _taken(target)
    except OSError as problem:
        message = f"{target} cannot be looked into ({problem.strerror}); {mend}"
        raise StoreError(message) from problem
    if taken:
        message = f"{target} is there already; {mend}"
        raise StoreError(message)


def _taken(target: Path) -> bool:
    return target.exists() and (not target.is_dir() or any(target.iterdir()))


def _exchange(place: Path, target: Path) -> None:
    """Put a folder in the place of another one, which goes."""
    old = Path(tempfile.mkdtemp(prefix=".foible-", dir=target.parent))
    target.rename(old / "old")
    try:
        place.rename(target)
    except BaseException:
        (old / "old").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
