"""The verbs that hunt: `hunt` and `probe`.

Comes in: flags. Goes out: findings on stdout, and the exit code. Neighbour: `foible.hunting`, which does it all.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foible.cli.flags import CLASSIFIERS, PARTS, Flag, Quiet, app, over, while_read
from foible.config import HuntConfig
from foible.progress import Bars, Progress, Silent

Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout in place of the table.")]
FailOn = Annotated[
    Literal["never", "confirmed"], typer.Option("--fail-on", help="Exit with 1 when a finding is confirmed.")
]
PLACES = ("seed", "out", "archive")
THE_LABEL = Flag("labels", required=True, told="The label that the hypothesis is about.")


@app.command()
@over(CLASSIFIERS, "labels", *PARTS, "failure.target", "budget", "max_minutes", "max_requests", *PLACES)
def hunt(
    config: HuntConfig,
    *,
    quiet: Quiet = False,
    as_json: Json = False,
    fail_on: FailOn = "never",
) -> None:
    """Find, name and prove the bugs of a classifier; interrupted, the same command goes on where it stopped."""
    _run(config, None, quiet=quiet, as_json=as_json, fail_on=fail_on)


@app.command()
@over(THE_LABEL, CLASSIFIERS, "generator", "judge", "failure.target", *PLACES)
def probe(
    config: HuntConfig,
    *,
    description: Annotated[
        list[str], typer.Option("--description", "-d", help="What is added to the base prompt: 'on grass, at night'.")
    ],
    quiet: Quiet = False,
    as_json: Json = False,
    fail_on: FailOn = "never",
) -> None:
    """Test your own hypothesis on fresh images, without exploring."""
    _run(config, description, quiet=quiet, as_json=as_json, fail_on=fail_on)


def _run(config: HuntConfig, descriptions: list[str] | None, *, quiet: bool, as_json: bool, fail_on: str) -> None:
    from foible.hunting.api import run

    progress: Progress = Silent() if quiet else Bars()
    done = run(config, progress=progress, descriptions=descriptions)
    with while_read() as console:
        if as_json:
            sys.stdout.buffer.write((done.folder / "findings.json").read_bytes())  # as it is, in any locale
        else:
            _print_findings(done, console)
    if fail_on == "confirmed" and done.confirmed:
        raise typer.Exit(1)


def _print_findings(done: Any, console: Console) -> None:
    from foible.report import summary

    result = done.result
    table = Table(title=f"{len(done.confirmed)} confirmed of {len(done)} tested", title_justify="left", box=None)
    several = len(result.classifiers) > 1
    who = ("classifier",) if several else ()
    for heading in ("verdict", *who, "label, description, taken for", "fails with it", "without", "adj. p"):
        table.add_column(heading, overflow="fold", no_wrap=not heading.startswith(("label", *who)))
    for f in done:
        hypothesis = f.trial.hypothesis
        words = [(hypothesis.label, "bold"), (f" {hypothesis.description}", "italic")]
        if f.confused_with:
            words.append((f" → {result.class_name(f.confused_with[0][0], hypothesis.classifier)}", ""))
        style = {"confirmed": "bold red", "undecided": "yellow", "refuted": "dim"}[f.verdict]
        name = (Text(result.classifiers[hypothesis.classifier].name),) if several else ()
        cells = (_rate(f.treat), _rate(f.control), f"{f.adjusted:.2g}")
        table.add_row(Text(f.verdict, style=style), *name, Text.assemble(*words), *(Text(cell) for cell in cells))
    console.print(table)
    if not done.confirmed:
        console.print(Text(summary(result)))
    drawn = ", ".join(f"{count} {arm}" for arm, count in result.draws.items())
    unscored = sum(count for _, count in result.unscored)
    console.print(
        f"{sum(result.draws.values())} draws ({drawn}); {unscored} unscored; {done.seconds:.0f} s", style="dim"
    )
    if result.untested:
        console.print(f"{len(result.untested)} hypotheses were left untested by the budget", style="dim")
    console.print(f"report: {done.report}", highlight=False, soft_wrap=True)


def _rate(rate: Any) -> str:
    if rate.value is None:
        return "unscored"
    return f"{rate.value:.0%} [{rate.low * 100:.0f}, {rate.high * 100:.0f}]"
