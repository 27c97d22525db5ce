"""The verb `certify`: how much can be wrong where a hunt found nothing?

Comes in: flags. Goes out: a sentence, two files, an exit code. Neighbours: `foible.act.certify`, which does it;
`proofs.py`, which has other verbs that go on from a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Json, Quiet, app, cell, told, while_read
from foible.cli.proofs import Archive, RunDirectory
from foible.config import declared

if TYPE_CHECKING:
    from foible.certificates import Certificate

Above = Annotated[
    float, typer.Option("--above", help="A label with a phrase fails often where it fails in this share of its draws.")
]
Below = Annotated[float, typer.Option("--below", help="The weight of these that is to be excluded.")]
Words = Annotated[
    list[str] | None,
    typer.Option("--word", help="A phrase that may matter; again for more. Those of the run's captions otherwise."),
]
Level = Annotated[float, typer.Option("--level", help="The chance, at most, that the bound is wrong.")]
MaxDraws = Annotated[int, typer.Option("--max-draws", help="Draw at most so many images.", min=1)]
Gate = Annotated[
    str, typer.Option("--fail-on", help="never; open: end with 1 where there is no certificate.", metavar="GATE")
]
Against = Annotated[str, typer.Option("--against", help="Which classifier of the run; the first where not given.")]
Code = Annotated[
    bool, typer.Option("--code", help="Load what the run names though it runs code of its own or asks a server.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Where all seeds come from; the run's where not given.")]
Requests = Annotated[int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Where certificate.json and certificate.md go; RUN where not given.")
]


@app.command()
def certify(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    above: Above = 0.2,
    below: Below = 0.1,
    word: Words = None,
    level: Level = 0.05,
    max_draws: MaxDraws = 4000,
    fail_on: Gate = "never",
    against: Against = "",
    seed: Seed = None,
    archive: Archive = None,
    max_requests: Requests = None,
    out: Out = None,
    *,
    code: Code = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Bound how much can be wrong where nothing was found: labels with phrases are drawn at random and looked at."""
    from foible.act.certify import certify as ask
    from foible.report import certificate as pages

    found = ask(
        run,
        above=above,
        below=below,
        words=word or (),
        level=level,
        max_draws=max_draws,
        fail_on=fail_on,
        against=against,
        code=code,
        seed=seed,
        archive=archive,
        max_requests=max_requests,
        progress=not quiet,
    )
    folder = out or run
    pages.write(found, folder)
    if as_json:
        with while_read():
            print(pages.to_json(found), end="")
    else:
        _print(found, folder)
    if found.verdict == "failed":
        raise typer.Exit(told(pages.verdict(found), 1))


def _print(found: Certificate, folder: Path) -> None:
    from foible.report import certificate as pages

    with while_read() as console:
        left = pages.uncleared(found)
        for one in left[: pages.SHOWN]:
            console.print(cell(f"not cleared: {pages.told(one, found)}"), soft_wrap=True)
        if len(left) > pages.SHOWN:
            console.print(cell(f"and {len(left) - pages.SHOWN:,} more"))
        console.print(cell(pages.why(found)), soft_wrap=True)
        if found.without:
            console.print(cell(pages.without(found)), soft_wrap=True)
        console.print(cell(pages.headline(found), "bold"), soft_wrap=True)
        console.print(cell(f"what it rests on: {folder / 'certificate.md'}"), soft_wrap=True)
