"""The verb `seek`: are the bugs of drawn images bugs of photographs, too, and the reverse?

Comes in: flags. Goes out: a table, two files. Neighbours: `foible.act.seek`, which does it; `compare.py` is the verb
for another classifier.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Assignments, File, Json, Quiet, app, cell, layered, show_rows, while_read
from foible.cli.gates import FailOnSought, end
from foible.cli.proofs import Archive, Findings, RunDirectory
from foible.config import declared
from foible.progress import Bars, Silent

if TYPE_CHECKING:
    from rich.console import Console

    from foible.seeking import Seeking


Source = Annotated[
    str | None, typer.Option("--source", help="Where bugs of drawn images are sought: photos:DIR.", metavar="SPEC")
]
Generator = Annotated[str | None, typer.Option("--generator", help="What draws bugs of photographs.", metavar="SPEC")]
Classifiers = Annotated[
    list[str] | None,
    typer.Option(
        "--classifier",
        help="The run's own, where that runs code or asks a server; again for further ones, in their order.",
        metavar="SPEC",
    ),
]
Embedder = Annotated[
    str | None,
    typer.Option(
        "--embedder",
        help="Finds photographs of a description, where no column or caption says it; that of the run.",
        metavar="SPEC",
    ),
]
Judge = Annotated[
    str | None,
    typer.Option(
        "--judge",
        help="Says whether photographs show label and description; that of the run. annotation: nobody looks.",
        metavar="SPEC",
    ),
]
Phrases = Annotated[
    list[str] | None, typer.Option("--phrase", help="How an attribute is said to a generator: 'ground=grass=on grass'.")
]
Odds = Annotated[
    float,
    typer.Option("--odds", help="How many times less likely than the label alone a description may be, and is open."),
]
Seed = Annotated[int | None, typer.Option("--seed", help=declared("seed").description)]
Minutes = Annotated[float | None, typer.Option("--max-minutes", help=declared("max_minutes").description)]
Requests = Annotated[int | None, typer.Option("--max-requests", help=declared("max_requests").description)]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where seek.json and seek.html go: RUN; of photographs RUN-drawn, with the probe."),
]


@app.command()
def seek(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    source: Source = None,
    classifier: Classifiers = None,
    generator: Generator = None,
    embedder: Embedder = None,
    judge: Judge = None,
    phrase: Phrases = None,
    finding: Findings = None,
    odds: Odds = 5.0,
    fail_on: FailOnSought = "never",
    seed: Seed = None,
    archive: Archive = None,
    max_minutes: Minutes = None,
    max_requests: Requests = None,
    out: Out = None,
    config: File = None,
    assign: Assignments = None,
    *,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Seek the bugs of drawn images in photographs, or the reverse: both failure rates side by side."""
    from foible.act.seek import Wanted, place_of, seek_wanted
    from foible.report import seeking as pages

    flags: dict[str, object] = {
        "source": source,
        "generator": generator,
        "embedder": embedder,
        "judge": judge,
        "seed": seed,
        "out": out,
    }
    flags |= {"archive": archive, "max_minutes": max_minutes, "max_requests": max_requests}
    given = [(f"--{name.replace('_', '-')}", {name: value}) for name, value in flags.items() if value is not None]
    first, *others = classifier or [""]
    given += [("--classifier", {"classifier": first, "other_classifiers": others})] if first else []
    wanted = Wanted(
        run=run,
        layers=layered(config, assign, given),
        findings=finding or (),
        phrases=phrase or (),
        odds=odds,
        fail_on=fail_on,
        named=bool(first),
    )
    found = seek_wanted(wanted, Silent() if quiet else Bars())
    folder = out or place_of(run, drawn=found.sought_in == "drawn")
    pages.write(found, folder)
    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
        else:
            _print_rows(found, folder, console)
    end(found)


def _print_rows(found: Seeking, folder: Path, console: Console) -> None:
    from foible.report import seeking as pages
    from foible.report.comparison import verdict

    rows = [
        [
            cell(pages.about(row, found)),
            cell(pages.ANSWERS[row.answer]),
            *(cell(text) for seen in (row.drawn, row.photographs) for text in pages.told(seen)),
        ]
        for row in found.rows
    ]
    headings = ("bug", f"in {pages.KINDS[found.sought_in]}", "drawn: fails", "without", "photographs: fails", "without")
    show_rows(console, headings, rows, headings)
    for row in found.rows:
        console.print(cell(f"{pages.about(row, found)}: {pages.how(row)}"), soft_wrap=True)
    for note in found.notes:
        console.print(cell(note, "dim"), soft_wrap=True)
    console.print(cell(pages.headline(found), "bold"))
    if found.verdict == "passed":
        console.print(cell(verdict(found)), soft_wrap=True)
    console.print(cell(f"page: {folder / 'seek.html'}"), soft_wrap=True)
