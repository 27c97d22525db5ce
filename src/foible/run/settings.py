"""A run directory keeps its settings: other ones are refused, and those that may grow are noted.

Comes in: a journal, and what a call wants. Goes out: the settings that hold. Neighbour: `hunting/prepare.py` knows
what is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from foible._version import __version__
from foible.config import HuntConfig, fields
from foible.errors import OtherVersionError, StoreError, brief
from foible.identity import canonical
from foible.layers import resolve
from foible.run.events import Began, Grew
from foible.run.journal import Journal

NAMED = 5
"""A sentence names at most this many differing settings."""


def keep(journal: Journal, wanted: Began) -> None:
    """Begin a run, or see that it was begun under the same settings.

    Until the judge has answered no draw has an outcome, so a run in which nothing worked is begun anew; so is one that
    did not come beyond its pilot, since what stopped it may be mended by other parts. Its images stay in the archive.

    Raises:
        StoreError: settings differ; the sentence names them.
        OtherVersionError: another version of foible began it, which has other settings.
    """
    if journal.began is None or journal.learned is None or journal.stages <= {"pilot"}:
        if journal.began is None or _flat(journal.began, journal.settings) != _flat(wanted, wanted.settings):
            journal.begin(wanted)
        return
    _refuse_other_fields(journal, wanted)
    before, now = _flat(journal.began, journal.settings), _flat(wanted, wanted.settings)
    growing = [name for name, _, role in fields(HuntConfig()) if role == "grows" and name in before and name in now]
    grown = {name for name in growing if before[name] != now[name] and _rises(before[name], now[name])}
    differing = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    differing = [name for name in differing if name not in grown]
    if differing:
        shown = "; ".join(
            f"{n} was {brief(canonical(before.get(n)), 80)}, now {brief(canonical(now.get(n)), 80)}"
            for n in differing[:NAMED]
        )
        more = f" and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
        other = _free(journal.folder)
        message = f"{journal.folder} was made with other settings ({shown}{more}); use the same, or --out {other}"
        raise StoreError(message)
    if grown:
        journal.note(Grew(settings={name: wanted.settings[name] for name in growing if name in grown}))


def _refuse_other_fields(journal: Journal, wanted: Began) -> None:
    """Refuse a run whose settings are others than this foible has: nobody set them otherwise."""
    parts = (".spec", ".args")  # there are as many as there are parts
    strange = [name for name in sorted(journal.settings.keys() ^ wanted.settings.keys()) if not name.endswith(parts)]
    began = journal.began
    if strange and began is not None:
        who = "another foible" if began.foible_version == __version__ else f"foible {brief(began.foible_version, 40)}"
        message = f"{journal.folder} was begun by {who}, which has other settings than foible {__version__} "
        message += f"({', '.join(brief(name, 60) for name in strange[:NAMED])}); use the one that began it, or "
        raise OtherVersionError(f"{message}name another --out, with the same archive")


def config_of(noted: Mapping[str, object]) -> HuntConfig:
    """Make the config of a run again from its settings.

    Raises:
        ConfigError: a setting cannot be.
    """
    nested: dict[str, Any] = {}
    for name, _, role in fields(HuntConfig()):
        if role != "runtime" and name in noted:
            inner = nested
            *path, last = name.split(".")
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = noted[name]
    return resolve([("the journal", nested)])[0]


def _flat(began: Began, noted: Mapping[str, object]) -> dict[str, object]:
    """Give everything that must stay the same, by name. Labels count as understood, not as typed."""
    parts = {**began.parts, **{f"classifier {place}": found for place, found in enumerate(began.classifiers)}}
    left_out = ("labels", "failure.target", *(name for name in noted if name.endswith((".spec", ".args"))))
    flat = {name: value for name, value in noted.items() if name not in {*left_out, "other_classifiers"}}
    flat |= {f"{_part(kind)}.{name}": value for kind, found in parts.items() for name, value in found.items()}
    flat |= dict(_labels(began))
    flat["probe"] = began.probe
    found: dict[str, object] = json.loads(canonical(flat))
    return found


def _part(kind: str) -> str:
    """Call the first classifier what the config calls it."""
    return "classifier" if kind == "classifier 0" else kind


def _labels(began: Began) -> Iterator[tuple[str, object]]:
    yield "labels", [[label.name, label.kind] for label in began.labels]
    yield "classes", [sorted((label, sorted(right)) for label, right in m.right.items()) for m in began.maps]
    yield "failure.target", [list(m.target) for m in began.maps]


def _free(folder: Path) -> Path:
    """Name a directory beside one that is taken."""
    others = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(other for other in others if not other.exists())


def _rises(before: object, now: object) -> bool:
    """Tell whether a growing number was raised; None is "no limit"."""
    if now is None:
        return before is not None
    return isinstance(before, int) and isinstance(now, int) and now >= before
