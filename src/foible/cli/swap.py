"""The verb `swap`: do the bugs of a run stay under another generator, judge, captioner or setting?

Comes in: flags. Goes out: a table for each change, two files. Neighbours: `foible.act.swap`, which does it; `seek.py`
is the verb for photographs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Json, Quiet, app, cell, show_rows, while_read
from foible.cli.proofs import Archive, Findings, RunDirectory
from foible.config import declared
from foible.progress import Bars, Silent

if TYPE_CHECKING:
    from rich.console import Console

    from foible.swapping import Swapping

Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        help="A change: generator.args.size=128, judge=clip:…, captioner=…. Give it again for another one.",
        metavar="KEY=VALUE",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Of the draws; by default that of the run and one more.")]
Minutes = Annotated[float | None, typer.Option("--max-minutes", help=declared("max_minutes").description)]
Requests = Annotated[int | None, typer.Option("--max-requests", help=declared("max_requests").description)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Where swap.json, swap.html and a run for each change go: RUN-swapped.")
]


@app.command()
def swap(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    change: Changes = None,
    finding: Findings = None,
    seed: Seed = None,
    archive: Archive = None,
    max_minutes: Minutes = None,
    max_requests: Requests = None,
    out: Out = None,
    *,
    code: Annotated[
        bool,
        typer.Option("--code", help="Load what the run names though it runs code of its own or asks a server."),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Test the bugs of a run again under another generator, judge, size, captioner or setting: do they stay?"""
    from foible.act.swap import Wanted, place_of, swap_wanted
    from foible.report import swapping as pages

    wanted = Wanted(
        run=run,
        changes=change or (),
        findings=finding or (),
        seed=seed,
        out=out,
        archive=archive,
        max_minutes=max_minutes,
        max_requests=max_requests,
        code=code,
    )
    found = swap_wanted(wanted, Silent() if quiet else Bars())
    folder = out or place_of(run)
    pages.write(found, folder)
    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
        else:
            _print_rows(found, folder, console)


def _print_rows(found: Swapping, folder: Path, console: Console) -> None:
    from foible.report import swapping as pages
    from foible.report.seeking import about, gap, told
    from foible.seeking import seen_in

    headings = ("bug", "under the change", "points more in the run", "points more now", "fails with it now")
    for at, change in enumerate(found.changes):
        console.print(
            cell(f"{change.said}, {change.draws:,} draws in {folder / change.folder}", "bold"), soft_wrap=True
        )
        rows = []
        for row in found.rows:
            now = row.cells[at]
            texts = (
                pages.KEPT[now.kept],
                gap(seen_in(row.found)),
                gap(now.seen),
                told(now.seen)[0],
            )
            rows.append([cell(about(row, found)), *map(cell, texts)])
        show_rows(console, headings, rows, headings)
        for row in found.rows:
            if row.cells[at].kept in {"missed", "unknown", "open"}:
                console.print(cell(f"{about(row, found)}: {row.cells[at].reason}"), soft_wrap=True)
    for at in range(len(found.changes)):
        console.print(cell(pages.headline(found, at), "bold"), soft_wrap=True)
    console.print(cell(f"page: {folder / 'swap.html'}"), soft_wrap=True)
