"""A run is walked again over what is kept: nothing is drawn, nobody is asked, no part is loaded and nothing is written.

Comes in: a journal and an archive, neither trusted, and settings to decide by in place of those of the run. Goes out:
the result, every draw, and what the archive lacks. Neighbours: `path.py` is what is walked; `reading.py` stands in the
place of parts and journal; `checks/verify.py` holds the result against the file, `opening.py` hands it to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from foible.config import settings
from foible.errors import ConfigError, FoibleError, OtherVersionError, StoreError, brief
from foible.findings import HuntResult
from foible.hunting.clock import Clock
from foible.hunting.loop import Loop, loop_over
from foible.hunting.path import walk
from foible.hunting.reading import UNFINISHED, Missing, Reader, Unfinished, Waiting
from foible.hunting.study import Study, study_of
from foible.progress import Silent
from foible.records import Answered, Fault
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.run.photographs import read_photographs
from foible.run.settings import config_of

DECIDES = ("confirm.margin", "confirm.level")
"""Settings that other verdicts may be had by, from the same draws (`design/0015`)."""
CHANGEABLE = (*DECIDES, "report.examples")
"""All settings that may be changed on a finished run without a draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A finished run, worked out again from its journal and the archive."""

    study: Study
    result: HuntResult
    answered: Mapping[str, Answered]
    """Every draw of it, by key."""
    faults: Mapping[str, Fault]
    """What was lost, by key of the draw or the answer."""
    loop: Loop
    """What has looked at every draw."""


def reread(
    journal: Journal, archive: Archive, missing: Missing, changed: Mapping[str, object] = MappingProxyType({})
) -> Reread:
    """Walk a finished run again, without a part.

    Args:
        journal: of the run.
        archive: where its pixels and answers lie.
        missing: told what the archive lacks.
        changed: settings to decide by, by dotted name, of `CHANGEABLE`; then nothing more is asked for than was.

    Raises:
        Unfinished: the run has not come to its end.
        OtherVersionError: it has, but this foible would ask for more.
        InputError: the journal or the archive is damaged, or a setting cannot be.
    """
    study = read_study(journal)
    if not journal.ended:
        raise Unfinished(UNFINISHED)
    other = _changed(study, changed) if changed else study
    loop = loop_over(
        other,
        executor=missing,
        archive=archive,
        record=Reader(journal),
        clock=Clock(None),
        progress=Silent(),
        reading=True,
        closed=other is not study,
    )
    result = walk(other, loop)
    return Reread(study=other, result=result, answered=loop.answered, faults=dict(journal.faults), loop=loop)


def read_study(journal: Journal) -> Study:
    """Give what a run is about.

    Raises:
        InputError: the journal notes no run, or one that cannot have been.
    """
    if journal.began is None:
        message = f"{journal.folder} notes no run; name the directory of a hunt"
        raise StoreError(message)
    return study_of(journal.began, journal.settings, read_photographs(journal.folder))


def reread_so_far(study: Study, journal: Journal, archive: Archive, clock: Clock) -> tuple[Loop, str]:
    """Walk a run that has not ended as far as it came, without a part: the loop, and why it came no further.

    Args:
        study: what the run is about.
        journal: of the run, which another process may be writing.
        archive: likewise.
        clock: told the stage.

    Returns:
        The loop, whose askers were told what was finished, and a sentence: empty where the run only has to go on.

    Raises:
        StoreError: the archive cannot be read.
    """
    loop = loop_over(
        study,
        executor=Waiting(),
        archive=archive,
        record=Reader(journal),
        clock=clock,
        progress=Silent(),
        reading=True,
    )
    try:
        walk(study, loop)
    except Unfinished:
        return loop, ""
    except StoreError:
        raise
    except FoibleError as problem:  # such as a pilot that refuses parts which do not fit
        return loop, str(problem)
    return loop, ""


def reread_whole(journal: Journal, archive: Archive, changed: Mapping[str, object] = MappingProxyType({})) -> Reread:
    """Walk a finished run again, of which the archive has every draw and answer: else something else would come out.

    Args:
        journal: of the run.
        archive: where its pixels and answers lie. Of an image that has gone its row is enough.
        changed: as in `reread`.

    Raises:
        InputError: the run is not finished or lacks rows; or as in `reread`.
    """
    missing, found, stop = Missing(), None, ""
    try:
        found = reread(journal, archive, missing, changed)
    except OtherVersionError:
        if not missing.differences:  # else what lacks may have led the walk elsewhere
            raise
    except Unfinished as problem:
        stop = f"{journal.folder}: {problem}"
    if missing.differences:
        message = f"{archive.folder} lacks {len(missing.differences)} draws or answers of {journal.folder}"
        stop = f"{message}; foible verify {journal.folder} lists them, and the hunt's own command makes them again"
    if found is None or stop:
        raise StoreError(stop)
    return found


def _changed(study: Study, changed: Mapping[str, object]) -> Study:
    """Return a study with other settings, and with what they were before."""
    strange = sorted(changed.keys() - set(CHANGEABLE))
    if strange:
        message = (
            f"{brief(strange[0])} cannot be changed on a finished run, since draws hang on it; these can: "
            f"{', '.join(CHANGEABLE)}"
        )
        raise ConfigError(message)
    if study.photographs is not None and changed.keys() & set(DECIDES):
        message = "a run over photographs decides from a set that was fixed with its margin; probe or hunt anew instead"
        raise ConfigError(message)
    config = config_of({**study.settings, **changed})
    now = settings(config)
    given = {**study.settings, **{name: now[name] for name in changed}}
    before = {name: study.settings.get(name) for name in DECIDES if given[name] != study.settings.get(name)}
    return replace(study, config=config, settings=given, afterwards=before)
