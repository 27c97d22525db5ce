"""What a hunt does is told to its log, by what stands around the journal, the executor and the progress bars.

Comes in: a log, and each of these. Goes out: the same, which tell the log beside what they do. Neighbours:
`run/log.py` writes the lines; `api.py` puts a hunt together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from foible.draws.execute import Carried, Executor, Unit
from foible.findings import HuntResult
from foible.identity import digest
from foible.progress import Progress, Show
from foible.records import Fault
from foible.run.events import Asked, Attempted, Began, Event, Lost, Mended, Tried, Worked
from foible.run.log import Log

_ID = 16


def run_id(began: Began) -> str:
    """Give what the log calls a run: the same for every call on it."""
    return digest(["run", began.model_dump(mode="json")])[:_ID]


def unit_id(unit: Unit) -> str:
    """Give what the log calls a unit of work."""
    return digest(["unit", *(request.key for request in unit.requests)])[:_ID]


def tell_event(log: Log, event: Event) -> None:
    """Tell what was noted in the journal: how much of it, and nothing that a part or a setting says."""
    match event:
        case Asked():
            log.note("asked", counts={"draws": sum(len(block.seeds) for block in event.blocks)})
        case Tried():
            log.note("tried", counts={"hypotheses": len(event.hypotheses)})
        case Attempted():
            log.note("attempted", counts={"images": event.images, "named": event.named, "ways": len(event.attempts)})
        case Lost():
            passing = sum(fault[1] for fault in event.faults.values())
            reasons = Counter(reason for reason, _ in event.faults.values())
            log.note("lost", counts={"lost": len(event.faults), "again": passing}, reasons=reasons)
        case Mended():
            log.note("mended", counts={"mended": len(event.keys)})
        case Worked():
            items = {part: count for part, (count, _) in event.spent.items()}
            log.note("worked", counts=items, seconds={part: taken for part, (_, taken) in event.spent.items()})
        case _:
            log.note(event.event)


def tell_result(log: Log, result: HuntResult) -> None:
    """Tell what came out."""
    verdicts = Counter(one.verdict for one in result.findings)
    counts = {name: verdicts[name] for name in ("confirmed", "undecided", "refuted")}
    counts |= {"draws": sum(result.draws.values()), "unscored": sum(count for _, count in result.unscored)}
    log.stage = ""
    log.note("result", counts=counts)


class LoggedExecutor:
    """An executor that tells of each unit."""

    def __init__(self, inner: Executor, log: Log) -> None:
        """Wrap an executor."""
        self._inner, self._log = inner, log

    def carry_out(self, unit: Unit) -> Carried:
        """Carry a unit out, and tell how much came of it."""
        carried = self._inner.carry_out(unit)
        lost = [one for one in (*carried.draws.values(), *carried.answers.values()) if isinstance(one, Fault)]
        counts = {"wanted": len(unit.draw), "drawn": sum(not isinstance(one, Fault) for one in carried.draws.values())}
        counts |= {"answers": sum(not isinstance(one, Fault) for one in carried.answers.values()), "lost": len(lost)}
        seconds = {part: taken for part, (_, taken) in carried.spent.items()}
        self._log.note("unit", unit=unit_id(unit), counts=counts, seconds=seconds)
        return carried


class LoggedProgress:
    """Progress bars that tell of each stage."""

    def __init__(self, inner: Progress, log: Log) -> None:
        """Wrap progress bars."""
        self._inner, self._log = inner, log

    @contextmanager
    def stage(self, name: str) -> Iterator[Show]:
        """Show one bar, and tell when the stage begins and how it ends."""
        self._log.stage = name
        self._log.note("stage")
        last = (0, 0, 0)
        with self._inner.stage(name) as show:

            def both(done: int, total: int, draws: int) -> None:
                nonlocal last
                last = (done, total, draws)
                show(done, total, draws)

            yield both
        self._log.note("stage done", counts=dict(zip(("done", "total", "draws"), last, strict=True)))
