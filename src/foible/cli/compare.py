"""The verb `compare`: is another classifier better or worse than the one of a run?

Comes in: flags. Goes out: a table, two files, an exit code. Neighbours: `foible.act.compare`, which does it, and
`proofs.py`, which has the other verbs that go on from a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Assignments, File, Json, app, cell, resolved, show_rows, while_read
from foible.cli.gates import FailOn, end
from foible.cli.proofs import Archive, Findings, RunDirectory
from foible.config import declared
from foible.records import Spec

if TYPE_CHECKING:
    from rich.console import Console

    from foible.comparison import Comparison


@app.command()
def compare(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    classifier: Annotated[str, typer.Option("--classifier", help="Who is compared.", metavar="SPEC")],
    against: Annotated[
        str,
        typer.Option("--against", help="Which classifier of the run it is compared with; the first where not given."),
    ] = "",
    same: Annotated[
        float, typer.Option("--same", help="Rates that surely differ by less than this share are the same.")
    ] = 0.1,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", help='For a label of the run that it calls otherwise: "504|968=coffee mug".'),
    ] = None,
    finding: Findings = None,
    fail_on: FailOn = "never",
    archive: Archive = None,
    max_requests: Annotated[
        int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where compare.json and compare.html go; RUN where not given.")
    ] = None,
    config: File = None,
    assign: Assignments = None,
    *,
    as_json: Json = False,
) -> None:
    """Ask a classifier about the images of a run: is it better or worse than the run's own?"""
    from foible.act.compare import compare as ask
    from foible.report import comparison as pages

    settings = resolved(config, assign, [("--classifier", {"classifier": classifier})])[0]
    part = settings.parts("classifier")[0]
    found = ask(
        run,
        Spec(part.spec, part.args),
        against=against,
        same=same,
        labels=label or (),
        findings=finding or (),
        fail_on=fail_on,
        archive=archive,
        max_requests=max_requests,
    )
    pages.write(found, out or run)
    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
        else:
            _print_rows(found, out or run, console)
    end(found)


def _print_rows(found: Comparison, folder: Path, console: Console) -> None:
    from foible.report import comparison as pages

    rows = [[cell(pages.about(row)), *(cell(text) for text in pages.told(row))] for row in found.rows]
    headings = ("images", "change", "before fails", "after fails", "points more")
    show_rows(console, headings, rows, headings[:1])
    for row in found.rows:
        if row.change is None:
            console.print(cell(pages.reason(row)), soft_wrap=True)
    console.print(cell(pages.headline(found), "bold"))
    if found.verdict == "passed":
        console.print(cell(pages.verdict(found)), soft_wrap=True)
    console.print(cell(f"page: {folder / 'compare.html'}"), soft_wrap=True)
