"""The verb `compare`: is another classifier, or that of another run, better or worse than the one of a run?

Comes in: flags. Goes out: a table, two files, an exit code. Neighbours: `foible.act.compare`, which does it, and
`proofs.py`, which has the other verbs that go on from a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Assignments, File, Json, app, cell, resolved, show_rows, while_read
from foible.cli.gates import FailOn, end
from foible.cli.proofs import Archive, Findings, RunDirectory
from foible.config import declared
from foible.errors import ConfigError
from foible.records import Spec

if TYPE_CHECKING:
    from rich.console import Console

    from foible.comparison import Comparison


Other = Annotated[
    Path | None, typer.Argument(help="The directory of another finished hunt, over the same labels.", metavar="OTHER")
]
Classifiers = Annotated[
    list[str] | None,
    typer.Option(
        "--classifier",
        help="Who is compared, where no OTHER is named; else a classifier of a run that its record cannot load.",
        metavar="SPEC",
    ),
]
Against = Annotated[
    str, typer.Option("--against", help="Which classifier of the run it is compared with; the first where not given.")
]
Second = Annotated[
    str, typer.Option("--second", help="Which classifier of OTHER is compared; the first where not given.")
]
Same = Annotated[float, typer.Option("--same", help="Rates that surely differ by less than this share are the same.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", help='For a label of the run that it calls otherwise: "504|968=coffee mug".'),
]
Requests = Annotated[int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)]
Draws = Annotated[
    int, typer.Option("--draws", help="Draw at most so many images where those of the runs leave a row open.", min=0)
]
Named = Annotated[
    str | None, typer.Option(help="With --draws: that of the run, where its record cannot load it.", metavar="SPEC")
]
Out = Annotated[Path | None, typer.Option("--out", help="Where compare.json and compare.html go; RUN where not given.")]


@app.command()
def compare(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    other: Other = None,
    classifier: Classifiers = None,
    against: Against = "",
    second: Second = "",
    same: Same = 0.1,
    label: Labels = None,
    finding: Findings = None,
    fail_on: FailOn = "never",
    draws: Draws = 0,
    generator: Named = None,
    judge: Named = None,
    archive: Archive = None,
    max_requests: Requests = None,
    out: Out = None,
    config: File = None,
    assign: Assignments = None,
    *,
    as_json: Json = False,
) -> None:
    """Is another classifier, or that of another run, better or worse than the run's own, and where?"""
    from foible.act.compare import compare as ask
    from foible.report import comparison as pages

    named = _parts({"classifier": classifier or [], "generator": generator, "judge": judge}, config, assign)
    own = named.get("classifier", [])
    if other is None and not own:
        message = "compare wants another run, or a --classifier; name whom to compare"
        raise ConfigError(message)
    given = {**named, "classifier": own if other is not None else own[1:]}
    found = ask(
        run,
        own[0] if other is None else other,
        against=against,
        second=second,
        same=same,
        labels=label or (),
        findings=finding or (),
        fail_on=fail_on,
        draws=draws,
        parts={kind: specs for kind, specs in given.items() if specs},
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


def _parts(
    given: Mapping[str, Sequence[str] | str | None], config: Path | None, assign: list[str] | None
) -> dict[str, list[Spec]]:
    """Give the parts that were named, by kind, with the arguments that a file or --set has for them."""
    flags: dict[str, object] = {kind: spec for kind, spec in given.items() if isinstance(spec, str)}
    classifiers = list(given["classifier"] or ())
    flags |= {"classifier": classifiers[0], "other_classifiers": classifiers[1:]} if classifiers else {}
    settings = resolved(config, assign, [("flags", flags)])[0]
    kinds = [kind for kind, spec in given.items() if spec]
    return {kind: [Spec(part.spec, part.args) for part in settings.parts(kind)] for kind in kinds}


def _print_rows(found: Comparison, folder: Path, console: Console) -> None:
    from foible.report import comparison as pages

    rows = [[cell(text) for text in (pages.named(row, found), *pages.told(row))] for row in found.rows]
    headings = ("images", "change", "before fails", "after fails", "points more")
    show_rows(console, headings, rows, headings[:1])
    for row in found.rows:
        if row.change is None:
            console.print(cell(pages.reason(row)), soft_wrap=True)
    for sentence in pages.notes(found):
        console.print(cell(sentence), soft_wrap=True)
    console.print(cell(pages.headline(found), "bold"))
    if found.verdict == "passed":
        console.print(cell(pages.verdict(found)), soft_wrap=True)
    console.print(cell(f"page: {folder / 'compare.html'}"), soft_wrap=True)
