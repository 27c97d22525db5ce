"""Where the units of a hunt are carried out: in this process, or by workers.

Comes in: what was prepared. Goes out: an executor, for as long as a hunt lasts. Neighbours: `draws/execute.py` works
here, `workers.py` elsewhere; it is not imported, nor is Ray, where nobody wants workers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foible.draws.execute import Executor, Here
from foible.draws.questions import GUIDE
from foible.errors import PluginError
from foible.hunting.prepare import Prepared
from foible.hunting.worker import Job, new_token, refuse_objects
from foible.run.archive import Archive


@contextmanager
def executor(prepared: Prepared, archive: Archive) -> Iterator[Executor]:
    """Give the executor of a hunt.

    Raises:
        PluginError: Ray is not installed or cannot be started, or a part cannot be made again in a worker.
        StoreError: the archive's folder cannot be written.
    """
    options = prepared.config.workers
    if not options.count:
        yield Here(prepared.parts, archive.shards)
        return
    refuse_objects(prepared.parts)
    if not options.address and "ray" not in sys.modules:
        # None but this user may hand code to a Ray of one's own: its default, of which it tells unless it is set.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        from foible.hunting.workers import workers
    except ModuleNotFoundError as error:
        message = f"workers need the module {error.name!r}, which is not installed: "
        raise PluginError(message + 'pip install "foible[ray]"') from error
    job = Job(
        config=prepared.config.model_copy(update={"labels": ()}),
        identities={name: dict(part.identity) for name, part in prepared.parts.items()},
        # A guide alone needs them, and Ray warns of a large message that a worker is made again from.
        labels=prepared.labels if GUIDE in prepared.parts else (),
        maps=prepared.maps if GUIDE in prepared.parts else (),
        images=archive.shards.folder.resolve(),
        url=archive.shared[0] if archive.shared is not None else "",
        token=new_token(),
        directory=Path.cwd(),
    )
    with workers(job, options, prepared.ceiling) as several:
        yield several


def abreast(prepared: Prepared) -> int:
    """Give how many units are handed out at once: two for each worker, so that none waits for the next one."""
    config = prepared.config
    return 2 * config.workers.count or config.overlap
