"""How far a run is, said from its directory and archive alone, while another process works on it or after it.

Comes in: a run directory and its archive, neither trusted. Goes out: a `Status`. Nothing is drawn, loaded, locked or
written. The walk is that of `hunting/replay.py`, which stops where the run stands, and the draws to come are those of
`forecast.py`; what neither knows is None. Neighbours: `verify.py` checks a finished run; `cli/status.py` prints.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foible.asker import Asker
from foible.checks.forecast import at_most
from foible.checks.likely import SUPPOSED, likely_draws
from foible.errors import FoibleError, OtherVersionError, StoreError
from foible.findings import Finding, Verdict
from foible.hunting.clock import Clock
from foible.hunting.loop import Loop
from foible.hunting.path import verdicts
from foible.hunting.prepare import explore_draws
from foible.hunting.reading import Missing
from foible.hunting.replay import read_study, reread, reread_so_far
from foible.hunting.result import counted, unscored_reasons
from foible.hunting.study import Study
from foible.records import Hypothesis, Tally
from foible.run.archive import Archive
from foible.run.journal import NAME, Journal
from foible.run.rows import DrawRow
from foible.search.explore import Explore
from foible.search.look import Look
from foible.search.pilot import Pilot
from foible.trial.fixed import Fixed
from foible.trial.sequential import Sequential

WINDOW = 600.0
"""Seconds before the last image from which the rate is taken."""
_FEWEST = 3
"""Images from which a rate is taken at least."""
_ARMS = {"explore": ("explore",), "follow": ("follow",), "confirm": ("treat", "control"), "measure": ("measure",)}
_ARMS |= {"explain": ("explain",)}
_STAGES = tuple(_ARMS)
"""Of a forecast, in their order, and the arms that draw for each."""
_STAGE_OF = {"pilot": "explore", "explore": "explore", "follow": "follow", "test": "confirm"}
_STAGE_OF |= {"measure": "measure", "explain": "explain"}
"""By phase: the stage of a forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one hypothesis so far."""

    classifier: str
    label: str
    words: tuple[str, ...]
    """Of its description."""
    verdict: Verdict
    treat: Tally
    """Draws with the description."""
    control: Tally
    """Draws of the same seeds without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """What a run takes on the disk, in bytes."""

    run: int
    """The files of the run directory."""
    images: int | None
    """Those of the run's own draws in the archive; None where it cannot be read."""
    rows: int | None
    """The archive's database, which every run on it shares; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast images come."""

    each_second: float
    """Images that were written, over at most `WINDOW` seconds before the last one."""
    last: float
    """Seconds since the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is to come: expected, not promised."""

    now: int | None
    """Draws of the present phase; None where nothing of it is done yet."""
    later: int | None
    """Draws of the phases behind it, as `foible plan` foretells them; None where it does not."""
    seconds: float | None
    """For both, at the present rate; None where one of them or the rate is not known."""
    supposed: str
    """What `later` rests on; empty where it is exact, or not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a run is; None stands for what is not known."""

    run: str
    state: str
    """"running", "interrupted", "unfinished" (where it cannot be seen whether a process works on it), "finished",
    "damaged", "of another foible", or "nothing noted"."""
    said: str = ""
    """Why no more is known, or what stops the run: a sentence."""
    phase: str = ""
    """What is going on, or what the run was interrupted in; empty where that is not known or it has ended."""
    done: tuple[int, int] | None = None
    """How much of the phase is finished, of how much: in whatever it counts, as its progress bar."""
    counts: str = ""
    """What the phase counts: "draws", "pairs", "failures", ..."""
    asked: int | None = None
    """Draws that were asked for."""
    drawn: int | None = None
    """Of these, what the archive has."""
    budget: int | None = None
    """Draws that the run may make; None for no limit."""
    by_arm: Mapping[str, int] | None = None
    """Draws that were asked for, by what for."""
    rate: Rate | None = None
    left: Left | None = None
    hypotheses: int | None = None
    """That count in the multiplicity."""
    findings: tuple[Known, ...] | None = None
    """With the verdicts so far, which can change until the run ends; None where none can be given yet."""
    unscored: tuple[tuple[str, int], ...] | None = None
    """Reasons, and how many draws each left without an outcome."""
    lost: int | None = None
    """Draws and answers that went wrong and were not had since."""
    again: int | None = None
    """Of these, faults of the moment: the next call asks for them again."""
    mended: int | None = None
    """Draws and answers that went wrong, and were had when they were asked for again."""
    spent: Mapping[str, tuple[int, float]] | None = None
    """By part: items answered and seconds taken, in the calls that came to an end."""
    disk: Disk | None = None


def status(run: Path | str, archive: Path | str | None = None) -> Status:
    """Say how far a run is. Nothing is drawn, loaded, locked or written.

    Args:
        run: its directory.
        archive: where its images and answers lie; None for `archive` beside it.

    Raises:
        StoreError: it is no run directory.
    """
    folder = Path(run)
    where = folder.parent / "archive" if archive is None else Path(archive)
    disk = Disk(run=_sizes(folder), images=None, rows=_rows(where))
    try:
        with Journal(folder, write=False) as journal:
            return _of_journal(journal, where, disk)
    except OtherVersionError as problem:
        return Status(run=str(folder), state="of another foible", said=str(problem), disk=disk)
    except (FoibleError, RecursionError) as problem:
        if not (folder / NAME).is_file():
            raise
        return Status(run=str(folder), state="damaged", said=str(problem), disk=disk)


def _of_journal(journal: Journal, where: Path, disk: Disk) -> Status:
    folder = str(journal.folder)
    if journal.began is None:
        return Status(run=folder, state=_state(journal, "nothing noted"), disk=disk)
    study = read_study(journal)
    faults = journal.faults.values()
    noted = Status(
        run=folder,
        state=_state(journal, "finished" if journal.ended else ""),
        budget=study.config.budget,
        hypotheses=len(journal.tried) or None,
        lost=len(faults),
        again=sum(fault.passing for fault in faults),
        mended=journal.mended,
        spent=dict(journal.spent),
        disk=disk,
    )
    try:
        with Archive(where, write=False) as kept:
            return _walked(study, journal, kept, disk, noted)
    except OtherVersionError as problem:
        return replace(noted, state="of another foible", said=str(problem))
    except StoreError as problem:
        asked = len({r.key for event in journal.asked() for block in event.blocks for r in study.source.of(block)})
        return replace(noted, asked=asked, said=str(problem))


def _walked(study: Study, journal: Journal, archive: Archive, disk: Disk, noted: Status) -> Status:
    """Say what a walk over the run shows."""
    clock, said = Clock(None), ""
    findings: Sequence[Finding] | None
    if journal.ended:
        missing = Missing()
        try:
            again = reread(journal, archive, missing)
        except OtherVersionError:
            if not missing.differences:  # else what lacks may have led the walk elsewhere
                raise
            return replace(noted, said=_lacks(missing))
        loop, findings = again.loop, again.result.findings
        said = _lacks(missing)
    else:
        loop, said = reread_so_far(study, journal, archive, clock)
        findings = _verdicts(loop.askers, study)
    rows = archive.draws(loop.budget.keys)
    written, size = _written(archive, rows.values())
    rate = None if journal.ended else _rate(written)
    asker = loop.askers[-1] if loop.askers and loop.askers[-1].stage == clock.stage else None
    going = asker if not journal.ended else None
    return replace(
        noted,
        said=said,
        phase="" if journal.ended else clock.stage,
        done=None if going is None else going.progress(),
        counts="" if going is None else _counted(going),
        asked=len(loop.budget.keys),
        drawn=len(rows),
        by_arm={str(arm): count for arm, count in loop.budget.draws.items()},
        rate=rate,
        left=None if journal.ended or said else _left(asker, loop, len(rows), study, rate),
        findings=None if findings is None else tuple(_known(one, study) for one in findings),
        unscored=counted(reason for one in loop.answered.values() for reason in unscored_reasons(one)),
        disk=Disk(run=disk.run, images=size, rows=disk.rows),
    )


def _lacks(missing: Missing) -> str:
    count = len(missing.differences)
    return f"the archive lacks {count} draws or answers of it; the hunt's own command makes them again" if count else ""


def _state(journal: Journal, otherwise: str) -> str:
    """Name the state; `otherwise` where no process works on the run."""
    held = _held(journal.folder / ".lock")
    if held:
        return "running"
    return otherwise or ("unfinished" if held is None else "interrupted")


def _held(lock: Path) -> bool | None:
    """Tell whether a process holds a lock, without asking for it: a hunt that begins now must not find it taken.

    None where the system does not say it.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        about = lock.stat()
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except FileNotFoundError:
        return False if Path("/proc/locks").exists() else None
    except (OSError, UnicodeDecodeError):
        return None
    place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    return any(place in line.split() for line in lines)


def _verdicts(askers: Sequence[Asker], study: Study) -> list[Finding] | None:
    """Give the verdicts so far; None where there are none yet, or looking at them now would be no valid test."""
    test = next((one for one in askers if isinstance(one, Sequential | Fixed)), None)
    if test is None or (isinstance(test, Fixed) and askers[-1] is test):
        return None
    return verdicts(test.tested(), study)


def _known(finding: Finding, study: Study) -> Known:
    hypothesis: Hypothesis = finding.trial.hypothesis
    return Known(
        classifier=study.maps[hypothesis.classifier].classifier,
        label=hypothesis.label,
        words=hypothesis.treatment.words,
        verdict=finding.verdict,
        treat=finding.trial.treat,
        control=finding.trial.control,
    )


# --- how fast, and what is left ------------------------------------------------------------------------------------


def _written(archive: Archive, rows: Iterable[DrawRow]) -> tuple[list[float], int]:
    """Give when each image of some rows was written, in order, and the bytes of all."""
    there = archive.images.holds(row.image for row in rows)  # `verify` names those that have gone
    written = archive.written(there)
    return [at for at, _ in written], sum(size for _, size in written)


def _rate(written: Sequence[float]) -> Rate | None:
    """Take the rate from when images were written; None where too few were."""
    recent = [at for at in written if at >= written[-1] - WINDOW]
    if len(recent) < _FEWEST or recent[-1] <= recent[0]:
        return None
    return Rate(each_second=(len(recent) - 1) / (recent[-1] - recent[0]), last=max(time.time() - recent[-1], 0.0))


def _counted(asker: Asker) -> str:
    names = {"test": "hypotheses" if isinstance(asker, Fixed) else "pairs", "follow": "failures", "measure": "findings"}
    if isinstance(asker, Look):
        return "photographs"
    return {**names, "explain": "edits"}.get(asker.stage, "draws")


def _left(asker: Asker | None, loop: Loop, drawn: int, study: Study, rate: Rate | None) -> Left:
    """Say what is to come, in draws and seconds."""
    ahead = max(drawn - len(loop.answered), 0)
    """Draws that were made of what was asked last, and count as done when all of it is."""
    now = later = None
    if asker is not None:
        done, total = asker.progress()
        own = sum(one.request.arm in _arms(asker.stage) for one in loop.answered.values())
        if isinstance(asker, Pilot | Explore | Look):
            now = max(total - done - ahead, 0)
        elif done and own:
            now = max(math.ceil((total - done) * own / done) - ahead, 0)
    if study.photographs is not None:
        halves = study.over(study.photographs).halves
        whole = sum(len(numbers) for half in halves for numbers in half.values())
        later = None if now is None else max(whole - drawn - now, 0)
    elif study.own is None and asker is not None and asker.stage in _STAGE_OF and not _guide_ahead(asker, study):
        later = _later(_STAGE_OF[asker.stage], asker.stage == "pilot", loop, study, now or 0)
    if study.config.budget is not None:
        free = max(study.config.budget - drawn, 0)
        now = None if now is None else min(now, free)
        later = None if later is None else min(later, free - (now or 0))
    known = now is not None and later is not None and rate is not None
    seconds = (now + later) / rate.each_second if known else None  # type: ignore[operator, union-attr]
    exact = study.photographs is not None or not later
    return Left(now=now, later=later, seconds=seconds, supposed="" if exact else SUPPOSED)


def _guide_ahead(asker: Asker, study: Study) -> bool:
    """Tell whether guided draws are to come: what one of them takes is not known before it is drawn."""
    return study.config.guide.method != "none" and asker.stage in {"pilot", "explore"}


def _arms(phase: str) -> tuple[str, ...]:
    return _ARMS.get(_STAGE_OF.get(phase, ""), ())


def _later(stage: str, first: bool, loop: Loop, study: Study, now: int) -> int:
    """Count the likely draws of the stages behind one; behind the pilot the rest of exploration is one of them."""
    labels = len(study.labels)
    explore = explore_draws(study.config, labels)
    likely = likely_draws(study.config, labels, explore, at_most(study.config, labels, explore)["draws"])
    later = sum(likely[one] for one in _STAGES[_STAGES.index(stage) + 1 :])
    spent = loop.budget.draws
    rest = likely["explore"] - sum(spent.get(arm, 0) for arm in _ARMS["explore"]) - now if first else 0  # type: ignore[call-overload]
    return max(rest, 0) + later


# --- disk ----------------------------------------------------------------------------------------------------------


def _sizes(folder: Path) -> int:
    """Sum up the files of a run directory."""
    try:
        return sum(one.stat(follow_symlinks=False).st_size for one in os.scandir(folder) if one.is_file())
    except OSError:
        return 0


def _rows(archive: Path) -> int | None:
    try:
        return sum(one.stat().st_size for one in archive.glob("archive.sqlite*"))
    except OSError:
        return None
