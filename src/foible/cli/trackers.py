"""The verb `track`: a finished run is sent to trackers.

Comes in: flags. Goes out: runs there. Neighbour: `foible.act.trackers`, which sends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foible.cli.flags import app, cell, while_read
from foible.cli.proofs import Archive, RunDirectory


@app.command()
def track(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", help="A server's address, or a store: sqlite:///mlflow.db.", metavar="URI")
    ] = None,
    wandb: Annotated[
        str | None, typer.Option("--wandb", help="Weights & Biases: [ENTITY/]PROJECT.", metavar="PROJECT")
    ] = None,
    tensorboard: Annotated[Path | None, typer.Option("--tensorboard", help="A folder of logs.", metavar="DIR")] = None,
    pictures: Annotated[int, typer.Option("--pictures", help="At most so many failing images of each bug.", min=0)] = 8,
    archive: Archive = None,
) -> None:
    """Send a finished run to trackers: settings, rates, findings, pictures and the report."""
    from foible.act.trackers.track import track as send

    done = send(run, mlflow=mlflow, wandb=wandb, tensorboard=tensorboard, pictures=pictures, archive=archive)
    with while_read() as console:
        for name, place in done.items():
            console.print(cell(f"{name}: {place}"), soft_wrap=True)
