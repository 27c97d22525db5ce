"""The verb `repair`: a classifier is trained further on images of its bugs, and tested anew.

Comes in: flags. Goes out: a folder, a table, an exit code. Neighbours: `foible.act.repair`, which does it;
`compare.py`, which holds any other classifier against the one of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Json, Quiet, app, cell, show_rows, while_read
from foible.cli.gates import FailOn, end
from foible.cli.proofs import Archive, Findings, RunDirectory
from foible.config import declared

if TYPE_CHECKING:
    from rich.console import Console

    from foible.repairs import Repair

Also = Annotated[
    str | None,
    typer.Option("--also", help="Labelled photographs of your own to learn from, too: photos:DIR.", metavar="SPEC"),
]

Variants = Annotated[
    list[str] | None,
    typer.Option("--variant", help="Other words for the cause of a bug, to test with: '1=in a meadow, at night'."),
]
Code = Annotated[
    bool, typer.Option("--code", help="Load what the run names though it runs code of its own or asks a server.")
]


@app.command()
def repair(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    out: Annotated[
        Path, typer.Option("--out", help="The folder to make; the same command goes on in it.", metavar="DIR")
    ],
    finding: Findings = None,
    against: Annotated[
        str, typer.Option("--against", help="Which classifier of the run; the first where not given.")
    ] = "",
    layers: Annotated[str, typer.Option("--layers", help="What is trained: last or all.")] = "last",
    draws: Annotated[int, typer.Option("--draws", help="Images of each bug to train on; others in proportion.")] = 96,
    retests: Annotated[int, typer.Option("--retests", help="Images of each bug and label that test the repair.")] = 96,
    variant: Variants = None,
    also: Also = None,
    code: Code = False,
    same: Annotated[
        float, typer.Option("--same", help="Rates that surely differ by less than this share are the same.")
    ] = 0.1,
    fail_on: FailOn = "never",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Where all seeds come from; the run's where not given.")
    ] = None,
    archive: Archive = None,
    max_requests: Annotated[
        int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)
    ] = None,
    quiet: Quiet = False,
    *,
    as_json: Json = False,
) -> None:
    """Train a run's classifier on images of its bugs, and test it anew: are they gone, and what got worse?"""
    from foible.act.repair.repair import repair as mend
    from foible.report import repair as pages

    found = mend(
        run,
        out,
        findings=finding or (),
        against=against,
        layers=layers,
        draws=draws,
        retests=retests,
        variant=variant or (),
        also=also,
        code=code,
        same=same,
        fail_on=fail_on,
        seed=seed,
        archive=archive,
        max_requests=max_requests,
        progress=not quiet,
    )
    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
        else:
            _print_rows(found, out, console)
    end(found)


def _print_rows(found: Repair, folder: Path, console: Console) -> None:
    from foible.report import comparison
    from foible.report import repair as pages

    headings = ("images", "state", "before fails", "after fails", "points more")
    show_rows(console, headings, [[cell(text) for text in pages.cells(row)] for row in found.rows], headings[:1])
    for row in found.rows:
        if row.state == "unknown":
            console.print(cell(comparison.reason(row)), soft_wrap=True)
    console.print(cell(pages.headline(found), "bold"))
    if found.verdict == "passed":
        console.print(cell(comparison.verdict(found)), soft_wrap=True)
    console.print(cell(f"card, weights and page: {folder}"), soft_wrap=True)
