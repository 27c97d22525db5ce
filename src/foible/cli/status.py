"""The verb `status`: how far a run is, while it goes on in another process, or after it.

Comes in: flags. Goes out: lines or JSON on stdout. What a run directory holds is not trusted: each text of it passes
`cell`. Neighbour: `foible.checks.status`, which reads it.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from foible.cli.flags import Json, app, cell, lasting, sized, while_read
from foible.config import declared

if TYPE_CHECKING:
    from foible.checks.status import Known, Status

Where = Annotated[Path | None, typer.Option("--archive", help=declared("archive").description, metavar="DIR")]
_STYLES = {"confirmed": "bold red", "undecided": "yellow", "refuted": "dim"}
SHOWN = 20
"""Findings and reasons that are listed at most; JSON has all."""


@app.command()
def status(
    run: Annotated[Path, typer.Argument(help="The run directory.", metavar="RUN")],
    archive: Where = None,
    watch: Annotated[
        float | None, typer.Option("--watch", help="Say it again every so many seconds, until the run ends.", min=1)
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say how far a run is, from another terminal or after it; nothing is loaded, locked or written."""
    from foible.checks.status import status as read

    if as_json:
        while True:
            found = read(run, archive)
            with while_read():
                sys.stdout.write(json.dumps(document(found), indent=None if watch else 2) + "\n")
            if watch is None or found.state not in {"running", "unfinished"}:
                return
            time.sleep(watch)
    with while_read() as console:
        found = read(run, archive)
        if watch is None or not console.is_terminal:
            console.print(Group(*lines(found)), soft_wrap=True)
        while watch is not None and not console.is_terminal and found.state in {"running", "unfinished"}:
            time.sleep(watch)
            found = read(run, archive)
            console.print(Group(Text(), *lines(found)), soft_wrap=True)
        if watch is not None and console.is_terminal:
            with Live(Group(*lines(found)), console=console, auto_refresh=False) as live:
                while found.state in {"running", "unfinished"}:
                    time.sleep(watch)
                    found = read(run, archive)
                    live.update(Group(*lines(found)), refresh=True)


def document(found: Status) -> dict[str, Any]:
    """Give a status as JSON has it; null is what is not known."""
    return {"format": "foible.status", "format_version": 1, **asdict(found)}


def lines(found: Status) -> list[Text]:
    """Say a status, a line for each thing that is known, or that is not known though it might be."""
    rows = [(found.state, _phase(found)), ("", found.said), ("draws", _draws(found))]
    if found.state in {"running", "interrupted", "unfinished"}:
        rows += [("rate", _rate(found)), ("left", _left(found))]
    shown = [Text.assemble(cell(f"{name:<11} "), cell(text)) for name, text in rows if text]
    shown += _findings(found)
    if found.unscored is not None:
        total = sum(count for _, count in found.unscored)
        reasons = "; ".join(f"{count} {reason}" for reason, count in found.unscored[:SHOWN])
        shown.append(cell(f"{'unscored':<11} {total}{': ' if reasons else ''}{reasons}"))
    if found.lost is not None:
        told = f"{found.lost} draws or answers, of which the next call asks {found.again} again; "
        shown.append(cell(f"{'lost':<11} {told}{found.mended} more were had at a later try"))
    if found.disk is not None:
        shown.append(cell(f"{'disk':<11} {_disk(found)}"))
    return shown


def _phase(found: Status) -> str:
    if found.state == "finished":
        return f"foible show {found.run} has the findings"
    if not found.phase:
        return "" if found.said else "nothing of it is done yet" if found.state == "running" else ""
    done = f": {found.done[0]:,} of {found.done[1]:,} {found.counts}" if found.done is not None else ""
    again = "; the same command goes on with it" if found.state == "interrupted" and not found.said else ""
    return f"{found.phase}{done}{again}"


def _draws(found: Status) -> str:
    if found.asked is None:
        return "not known"
    made = "not known how many" if found.drawn is None else f"{found.drawn:,}"
    arms = ", ".join(f"{count:,} {arm}" for arm, count in (found.by_arm or {}).items())
    most = "no budget" if found.budget is None else f"budget {found.budget:,}"
    return f"{made} made of {found.asked:,} asked for{f' ({arms})' if arms else ''}; {most}"


def _rate(found: Status) -> str:
    if found.rate is None:
        return "not known"
    return f"{found.rate.each_second:.3g} images a second; the last one {lasting(found.rate.last)} ago"


def _left(found: Status) -> str:
    left = found.left
    if left is None or left.now is None:
        return "not known"
    after = "what follows is not known" if left.later is None else f"{left.later:,} behind it"
    after = f"likely {after}, {left.supposed}" if left.supposed else after
    spent = "" if left.seconds is None else f"; {lasting(left.seconds)} at this rate"
    return f"about {left.now:,} draws in this phase, {after}{spent}"


def _findings(found: Status) -> list[Text]:
    if found.findings is None:
        why = "not known" if found.state == "finished" else "no verdict yet"
        return [cell(f"{'found':<11} {why}; {_tried(found)}")] if found.state != "damaged" else []
    counts = {name: sum(one.verdict == name for one in found.findings) for name in _STYLES}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    open_ = "" if found.state == "finished" else " so far, which can change until the run ends"
    shown = [cell(f"{'found':<11} {told}{open_}; {_tried(found)}")]
    several = len({one.classifier for one in found.findings}) > 1
    for one in found.findings[:SHOWN]:
        shown += [Text.assemble(cell(f"  {one.verdict:<10}", _STYLES[one.verdict]), cell(_known(one, several)))]
    if len(found.findings) > SHOWN:
        shown.append(cell(f"  and {len(found.findings) - SHOWN} more; --json has all"))
    return shown


def _tried(found: Status) -> str:
    if found.hypotheses:
        return f"{found.hypotheses} hypotheses in all"
    return "no hypothesis" if found.state == "finished" else "no hypothesis yet"


def _known(one: Known, several: bool) -> str:
    who = f"{one.classifier}: " if several else ""
    rates = f"failed {one.treat.failures} of {one.treat.scored} with it"
    return f"{who}{one.label}, {', '.join(one.words)}: {rates}, {one.control.failures} of {one.control.scored} without"


def _disk(found: Status) -> str:
    disk = found.disk
    assert disk is not None  # noqa: S101 - who calls has looked
    images = "its images not known" if disk.images is None else f"its images {sized(disk.images)} of the archive"
    rows = "no archive" if disk.rows is None else f"the archive's rows, which its runs share, {sized(disk.rows)}"
    return f"run {sized(disk.run)}; {images}; {rows}"
