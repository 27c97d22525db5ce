"""The verbs that go on from a finished run: `verify` and `transfer`.

Comes in: flags. Goes out: what differs; who shares a bug. Neighbours: `foible.checks.verify` and `foible.act`, which do
it; `export.py`, which has the verb for data sets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foible.cli.flags import Assignments, File, Json, app, cell, resolved, show_rows, told, while_read
from foible.config import declared
from foible.records import Spec

RunDirectory = Annotated[Path, typer.Argument(help="The directory of a finished hunt.", metavar="RUN")]
Archive = Annotated[Path | None, typer.Option("--archive", help=declared("archive").description, metavar="DIR")]
Findings = Annotated[
    list[int] | None,
    typer.Option("--finding", help="Number of a confirmed finding, from 1; all where none is given.", min=1),
]


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="The run directory.", metavar="RUN")],
    archive: Archive = None,
) -> None:
    """Work out every number of a run's findings again from its rows, and hash its images again."""
    from foible.checks.verify import verify as check
    from foible.report.words import count

    done = check(run, archive)
    with while_read() as console:
        for line in done.differences:
            console.print(cell(line), soft_wrap=True)
        if not done.differences:
            console.print(
                f"{count(done.findings, 'finding')} and {done.draws} draws agree with the journal and the archive",
                soft_wrap=True,
            )
    if done.differences:
        raise typer.Exit(told(f"{count(len(done.differences), 'difference')} in {run}", 1))


@app.command()
def transfer(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    classifier: Annotated[
        list[str] | None,
        typer.Option("--classifier", help="Who is asked. Give it again for further ones.", metavar="SPEC"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", help='For a label of the run that it calls otherwise: "504|968=coffee mug".'),
    ] = None,
    finding: Findings = None,
    archive: Archive = None,
    max_requests: Annotated[
        int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where transfer.json and transfer.html go; RUN where not given.")
    ] = None,
    config: File = None,
    assign: Assignments = None,
    *,
    as_json: Json = False,
) -> None:
    """Ask other classifiers about the images of a run's confirmed findings: who shares its bugs?"""
    from foible.act.transfer import transfer as ask
    from foible.report import matrix as pages

    specs = specs_of(classifier, config, assign)
    found = ask(run, specs, labels=label or (), findings=finding or (), archive=archive, max_requests=max_requests)
    folder = out or run
    pages.write(found, folder)
    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
            return
        names = [one.name for one in found.classifiers]
        rows = [[cell(pages.row_name(row)), *(cell(pages.told(one)) for one in row.cells)] for row in found.rows]
        headings = ("bug", *names)
        show_rows(console, headings, rows, headings)
        for at, one in enumerate(found.sets):
            shares = ", ".join(f"{name} {pages.share(rate)}" for name, rate in zip(names, one.fails, strict=True))
            console.print(cell(f"of {one.images} images on which {names[at]} fails: {shares}"), soft_wrap=True)
        for lost, reason in found.left_out:
            about = lost.trial.hypothesis
            console.print(cell(f"left out: {about.label} “{about.description}”: {reason}"), soft_wrap=True)
        console.print(cell(pages.headline(found), "bold"))
        console.print(cell(f"page: {folder / 'transfer.html'}"), soft_wrap=True)


def specs_of(classifiers: list[str] | None, config: Path | None, assign: list[str] | None) -> list[Spec]:
    """Give the classifiers that flags name, each with its arguments."""
    first, *others = classifiers or [""]
    flags = {"classifier": first, "other_classifiers": others} if first else {}
    settings = resolved(config, assign, [("--classifier", flags)])[0]
    return [Spec(part.spec, part.args) for part in settings.parts("classifier")] if first else []
