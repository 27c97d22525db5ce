"""What a run over photographs knows of them, kept beside its journal: so it can be read again without them.

Comes in: a `PhotographSet`. Goes out: a file of lines, and the set again. The journal notes the digest of the set, so
that another file is noticed. Neighbours: `foible.photographs` has the lines; `journal.py` has everything else.
"""

from __future__ import annotations

import os
from pathlib import Path

from foible.errors import StoreError
from foible.photographs import NAME, PhotographSet, read_set
from foible.run.database import told


def write_photographs(folder: Path, photographs: PhotographSet) -> None:
    """Write the set into a run directory, whole or not at all; one that is there and the same stays.

    Raises:
        StoreError: the file cannot be written.
    """
    path = folder / NAME
    with told(path):
        try:
            if path.is_file() and read_photographs(folder) == photographs:
                return
        except StoreError:
            pass  # damaged: written again
        temporary = folder / f".{NAME}.{os.getpid()}.part"
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(photographs.lines())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def read_photographs(folder: Path) -> PhotographSet | None:
    """Read the set of a run; None where the run is over none.

    Raises:
        StoreError: the file is damaged or cannot be read.
    """
    path = folder / NAME
    with told(path):
        if not path.is_file():
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            return read_set(file)
