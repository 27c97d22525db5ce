"""The verb `suite`: bugs that are frozen with their images, and classifiers that are run against them.

Comes in: flags. Goes out: a suite, a table, an exit code. Neighbours: `foible.act.suites`, which does it, and
`compare.py`, which asks about the images of a whole run.
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
from foible.suites import IMAGES

if TYPE_CHECKING:
    from rich.console import Console

    from foible.suites import Suite, SuiteRun

suites = typer.Typer(no_args_is_help=True, help="Bugs frozen with their images, for any classifier.")
app.add_typer(suites, name="suite")

Place = Annotated[Path, typer.Argument(help="The folder, or the file that ends in .zip.", metavar="SUITE")]


@suites.command()
def save(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    suite: Place,
    finding: Findings = None,
    images: Annotated[
        int, typer.Option("--images", help="At most this many of each bug and label, the first drawn.", min=1)
    ] = IMAGES,
    against: Annotated[
        str, typer.Option("--against", help="Whose bugs, of the classifiers of the run; the first where not given.")
    ] = "",
    archive: Archive = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a suite that is there.")] = False,
) -> None:
    """Freeze the confirmed bugs of a run with the images that measured them."""
    from foible.act.suites.save import save_suite

    made = save_suite(
        run, suite, against=against, findings=finding or (), images=images, archive=archive, replace=replace
    )
    with while_read() as console:
        _print_suite(made, console)
        console.print(cell(f"suite: {suite}"), soft_wrap=True)


@suites.command()
def show(suite: Place) -> None:
    """Say what a suite holds, and check that it is as it was saved."""
    from foible.act.suites.read import read_suite

    found = read_suite(suite)
    with while_read() as console:
        _print_suite(found, console)


@suites.command()
def run(  # noqa: PLR0913 - each is a flag of its own
    suite: Place,
    classifier: Annotated[str, typer.Option("--classifier", help="Who is asked.", metavar="SPEC")],
    same: Annotated[
        float, typer.Option("--same", help="Rates that surely differ by less than this share are the same.")
    ] = 0.1,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", help='For a label of the suite that it calls otherwise: "504|968=coffee mug".'),
    ] = None,
    fail_on: FailOn = "never",
    max_requests: Annotated[
        int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the result as JUnit XML: each bug and label is a test.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", help="Write what fails the gate as SARIF, for code scanning.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Write the result as a page, in HTML.")] = None,
    config: File = None,
    assign: Assignments = None,
    *,
    as_json: Json = False,
) -> None:
    """Ask a classifier about all images of a suite: which bugs does it have, and what became worse?"""
    from foible.act.suites.run import run_suite
    from foible.report import suites as words
    from foible.report.files import write_in_place

    settings = resolved(config, assign, [("--classifier", {"classifier": classifier})])[0]
    part = settings.parts("classifier")[0]
    found = run_suite(
        suite,
        Spec(part.spec, part.args),
        same=same,
        labels=label or (),
        fail_on=fail_on,
        batch=settings.batch,
        max_requests=max_requests,
    )
    with while_read() as console:
        if as_json:
            print(words.to_json(found), end="")
        else:
            _print_rows(found, console)
    if page is not None:
        write_in_place(page, words.to_html(found))
    _write(found, suite, junit, sarif)
    end(found)


@suites.command()
def diff(
    before: Annotated[Path, typer.Argument(help="A suite.", metavar="A")],
    after: Annotated[Path, typer.Argument(help="Another one.", metavar="B")],
    *,
    as_json: Json = False,
) -> None:
    """Say which bugs and labels another suite has, lacks, or has with other images."""
    from foible.act.suites.diff import diff_suites
    from foible.report import suites as words

    found = diff_suites(before, after)
    with while_read() as console:
        if as_json:
            print(words.diff_to_json(found), end="")
            return
        headings = ("images of", "change", "added", "dropped", "other outcome")
        show_rows(console, headings, [[*map(cell, words.diff_cells(row))] for row in found.rows], headings[:1])
        for line in words.diff_facts(found):
            console.print(cell(line), soft_wrap=True)
        console.print(cell(words.diff_headline(found), "bold"))


def _write(found: SuiteRun, suite: Path, junit: Path | None, sarif: Path | None) -> None:
    from foible.report.files import write_in_place
    from foible.report.junit import to_junit
    from foible.report.sarif import to_sarif

    if junit is not None:
        write_in_place(junit, to_junit(found, suite.name))
    if sarif is not None:  # as the repository calls it, where it can be told
        inside = not suite.is_absolute() and ".." not in suite.parts
        write_in_place(sarif, to_sarif(found, suite.as_posix() if inside else suite.name))


def _print_rows(found: SuiteRun, console: Console) -> None:
    from foible.report import suites as words
    from foible.report.comparison import reason, verdict

    headings = ("images", "change", "saved fails", "now fails", "points more")
    show_rows(console, headings, [[*map(cell, words.cells(row))] for row in found.rows], headings[:1])
    for row in found.rows:
        if row.change is None:
            console.print(cell(reason(row)), soft_wrap=True)
    console.print(cell(words.headline(found), "bold"))
    if found.verdict == "passed":
        console.print(cell(verdict(found)), soft_wrap=True)


def _print_suite(made: Suite, console: Console) -> None:
    from foible.report import suites as words

    headings = ("images of", "kept", "failed", "by the hunt")
    show_rows(console, headings, [[*map(cell, row)] for row in words.contents(made)], headings[:1])
    for what, much in words.facts(made):
        console.print(cell(f"{what}: {much}"), soft_wrap=True)
