"""The verbs that check foible itself: `verify` a run, `bench` its claims.

Comes in: flags. Goes out: what differs, or a page of measurements. Neighbours: `foible.checks.verify` and
`foible.benchmark`, which do it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foible.cli.flags import Quiet, app, cell, told, while_read
from foible.config import declared
from foible.errors import visible

bench = typer.Typer(no_args_is_help=True, help="Measure foible against other ways to find bugs.")
app.add_typer(bench, name="bench")


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="The run directory.", metavar="RUN")],
    archive: Annotated[
        Path | None, typer.Option("--archive", help=declared("archive").description, metavar="DIR")
    ] = None,
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


@bench.command("bugs")
def bugs(  # noqa: PLR0913 - one parameter per flag
    seeds: Annotated[
        int, typer.Option("--seeds", help="Hunts by each method, with a seed of its own each.", min=1)
    ] = 24,
    out: Annotated[Path, typer.Option("--out", help="Where what was drawn and measured is kept.")] = Path("runs/bench"),
    target: Annotated[
        list[Path] | None,
        typer.Option("--target", help="A classifier with a biases.json beside it, of the training recipe."),
    ] = None,
    error: Annotated[
        float,
        typer.Option("--error", help="How often imperfect generator and judge err; above 0.", min=0.001, max=0.4),
    ] = 0.1,
    page: Annotated[Path | None, typer.Option("--page", help="Where the page goes; by default --out.")] = None,
    quiet: Quiet = False,
) -> None:
    """Let several methods look for planted bugs over the same images; write a page. It takes some twenty minutes."""
    from foible.benchmark.bugs import run
    from foible.benchmark.page import write_page

    tell = (lambda _: None) if quiet else (lambda said: print(visible(said), file=sys.stderr))
    measured = run(out, seeds, tell, target or (), error=error)
    with while_read() as console:
        console.print(cell(write_page(measured, page or out)), soft_wrap=True)
