"""The verb that checks a run: `verify`.

Comes in: flags. Goes out: what differs. Neighbour: `foible.checks.verify`, which does it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foible.cli.flags import app, cell, told, while_read
from foible.config import declared


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
