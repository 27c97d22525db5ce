"""The verbs that go on from a finished run: `verify`, `transfer` and `export`.

Comes in: flags. Goes out: what differs; who shares a bug; a data set. Neighbours: `foible.checks.verify`
and `foible.act`, which do it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Assignments, File, Json, app, cell, resolved, show_rows, told, while_read
from foible.config import declared
from foible.records import Spec

if TYPE_CHECKING:
    from foible.act.sets.rows import Exported

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

    specs = _specs(classifier, config, assign)
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


@app.command()
def export(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    out: Annotated[Path, typer.Option("--out", help="The folder to make.", metavar="DIR")],
    form: Annotated[
        str, typer.Option("--format", help="imagefolder, parquet, datasets, webdataset or fiftyone.")
    ] = "imagefolder",
    draws: Annotated[str, typer.Option("--draws", help="failing, passing or both.")] = "failing",
    size: Annotated[int | None, typer.Option("--size", help="At most this many images.", min=1)] = None,
    finding: Findings = None,
    distinct: Annotated[
        float | None,
        typer.Option("--distinct", help="Leave out images that an embedder places closer to another than this cosine."),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", help="Who says what is close; that of the run where not given.", metavar="SPEC"),
    ] = None,
    classifier: Annotated[
        list[str] | None,
        typer.Option("--classifier", help="Who else fails on the images? Give it again for more.", metavar="SPEC"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", help='For a label that these call otherwise: "504|968=coffee mug".'),
    ] = None,
    archive: Archive = None,
    licence: Annotated[str, typer.Option("--licence", help="What the card says of the images.")] = "unknown",
    max_requests: Annotated[
        int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)
    ] = None,
    config: File = None,
    assign: Assignments = None,
) -> None:
    """Write the images of a run's confirmed findings as a data set, with a card."""
    from foible.act.sets.export import export as write

    done = write(
        run,
        out,
        form=form,
        draws=draws,
        size=size,
        findings=finding or (),
        distinct=distinct,
        embedder=embedder,
        classifiers=_specs(classifier, config, assign),
        labels=label or (),
        archive=archive,
        licence=licence,
        max_requests=max_requests,
    )
    _print_exported(done)


def _print_exported(done: Exported) -> None:
    from foible.act.sets.card import fails_told
    from foible.report.words import count

    with while_read() as console:
        for found, number in done.counts:
            about = found.trial.hypothesis
            console.print(cell(f"{number:6,}  {about.label} “{about.description}”"), soft_wrap=True)
        for one in done.fails:
            console.print(cell(f"{one.classifier} fails on {fails_told(one)} of {one.images}"), soft_wrap=True)
        gone = f"; {count(done.gone, 'image')} more have gone from the archive" if done.gone else ""
        alike = f"; left out, too much like another: {done.alike:,}" if done.alike else ""
        console.print(cell(f"{count(done.images, 'image')} in {done.folder}{gone}{alike}"), soft_wrap=True)


def _specs(classifiers: list[str] | None, config: Path | None, assign: list[str] | None) -> list[Spec]:
    """Give the classifiers that flags name, each with its arguments."""
    first, *others = classifiers or [""]
    flags = {"classifier": first, "other_classifiers": others} if first else {}
    settings = resolved(config, assign, [("--classifier", flags)])[0]
    return [Spec(part.spec, part.args) for part in settings.parts("classifier")] if first else []
