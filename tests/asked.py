"""What a run directory notes of its draws, for tests: what was asked for, in order, and which pixels came."""

from __future__ import annotations

from collections import defaultdict

from foible.hunting.study import study_of
from foible.records import Request
from foible.run.archive import Archive
from foible.run.journal import Journal


def rounds(folder, stage=None):
    """Give the requests of every ask of a stage, ask by ask."""
    with Journal(folder, write=False) as journal:
        if journal.began is None:
            return []
        make = study_of(journal.began, journal.settings).requests.of
        return [[r for block in event.blocks for r in make(block)] for event in journal.asked(stage)]


def requests(folder, *arms):
    """Give every different request, of some arms or of all; one that serves two arms is of the first that asked."""
    first: dict[str, Request] = {}
    for request in (r for one in rounds(folder) for r in one):
        first.setdefault(request.key, request)
    return [r for r in first.values() if not arms or r.arm in arms]


def seeds(folder, *arms):
    """Give the seeds of each (label, description), in the order in which they were asked for."""
    found = defaultdict(list)
    for request in requests(folder, *arms):
        found[request.label, request.treatment.description].append(request.seed)
    return found


def images(folder, *arms):
    """Give the hashes of the images that were drawn, in some arms or in all."""
    with Archive(folder.parent / "archive", write=False) as archive:
        return {row.image for row in archive.draws(r.key for r in requests(folder, *arms)).values()}


def drawn(folder, *arms):
    """Give the requests that an image is kept for."""
    wanted = requests(folder, *arms)
    with Archive(folder.parent / "archive", write=False) as archive:
        rows = archive.draws(r.key for r in wanted)
    return [r for r in wanted if r.key in rows]
