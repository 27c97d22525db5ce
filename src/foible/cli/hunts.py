"""The verbs that hunt: `hunt` and `probe`.

Comes in: flags. Goes out: findings on stdout, and the exit code. Neighbour: `foible.hunting`, which does it all.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from foible.cli.flags import CLASSIFIERS, PARTS, Flag, Quiet, app, cell, over, show_rows, told, while_read
from foible.cli.gates import read_gate
from foible.config import HuntConfig
from foible.errors import brief
from foible.progress import Bars, Progress, Silent

Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout in place of the table.")]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        help="Exit with 1 on: never; confirmed (a finding, or a label that fails by itself); rate>X (a failure rate "
        "surely above X, such as 0.2 or 20%).",
        metavar="GATE",
    ),
]
_STYLES = {"label": "bold", "description": "italic"}
TOLD = 5
"""Rates that a failing gate names on stderr."""
PLACES = ("seed", "out", "archive", "workers.count", "workers.address", "log")
THE_LABEL = Flag("labels", required=True, told="The label that the hypothesis is about.")


@app.command()
@over(
    *(CLASSIFIERS, "source", "labels", *PARTS, "failure.target", "guide.method"),
    *("budget", "max_minutes", "max_requests", *PLACES),
)
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

    gate = read_gate(fail_on)  # a gate that is none is said before the work, not after it
    progress: Progress = Silent() if quiet else Bars()
    done = run(config, progress=progress, descriptions=descriptions)
    with while_read() as console:
        if as_json:
            written = (done.folder / "findings.json").read_bytes()  # as it is, in any locale
            sys.stdout.buffer.write(_for_a_terminal(written) if sys.stdout.isatty() else written)
        else:
            _print_findings(done, console)
    if gate.kind == "rate":  # what was found stands on stdout; which rate is too high does not
        for reason in islice(gate.reasons(done.result), TOLD):
            told(f"surely above {gate.above:.4g}: {reason}", 1)
    if gate.fails(done.result):
        raise typer.Exit(1)
    lacking = done.result.pilot.left_out if done.result.pilot is not None else ()
    if lacking and gate.kind != "never":  # a label of which nothing can be said has not passed the gate
        names = ", ".join(repr(brief(one.label, 60)) for one in lacking[:TOLD])
        raise typer.Exit(told(f"the gate {fail_on} says nothing of labels that were left out, such as {names}", 2))


def _print_findings(done: Any, console: Console) -> None:
    from foible.report import headline, summary
    from foible.report.alike import alike_lines
    from foible.report.causes import cause_lines
    from foible.report.claims import apart
    from foible.report.photographs import facts
    from foible.report.pilots import pilot_headline
    from foible.report.sentences import headed
    from foible.report.steps import next_step
    from foible.report.taken import ties
    from foible.report.terms import terms
    from foible.report.words import points

    result = done.result
    several = len(result.classifiers) > 1
    rows = []
    for f in done:
        words = [cell(s.text, _STYLES.get(s.role, "")) for s in headed(f, result)]
        style = {"confirmed": "bold red", "undecided": "yellow", "refuted": "dim"}[f.verdict]
        more = f"{points(f.difference.value)} {apart(f, result).replace('at least', '≥')}"
        figures = (_rate(f.treat), _rate(f.control), more)
        who = [cell(result.classifiers[f.trial.hypothesis.classifier].name)] if several else []
        rows.append([cell(f.verdict, style), *who, Text.assemble(*words), *map(cell, figures)])
    first = bool(result.base_failures or pilot_headline(result))
    console.print(cell(headline(result), "bold red" if first or done.confirmed else "bold"))
    for what, much in facts(result):
        console.print(cell(f"{what}: {much}"), soft_wrap=True)
    console.print(f"{len(done.confirmed)} confirmed of {len(done)} tested", style="italic")
    named = [*(["classifier"] if several else []), "label, description, taken for"]
    show_rows(console, ("verdict", *named, "fails with it", "without", "points more"), rows, named)
    for line in (*cause_lines(result), *alike_lines(result)):
        console.print(cell(line), soft_wrap=True)
    if not done.confirmed or first:
        console.print(cell(summary(result)))
    elif ties(result):
        console.print(cell(ties(result)))
    drawn = ", ".join(f"{count} {arm}" for arm, count in result.draws.items())
    unscored = sum(count for _, count in result.unscored)
    images = f"{terms(result).image}s"
    console.print(
        f"{sum(result.draws.values())} {images} ({drawn}); {unscored} unscored; {done.seconds:.0f} s", style="dim"
    )
    if step := next_step(result):
        console.print(cell(f"next: {step}"))
    if result.untested:
        console.print(f"{len(result.untested)} hypotheses were left untested by the budget", style="dim")
    console.print(cell(f"report: {done.report}"), soft_wrap=True)


def _for_a_terminal(written: bytes) -> bytes:
    """Write each character that a terminal may act on as JSON can: the same document, of other bytes."""
    text = written.decode("utf-8")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text).encode()


def _rate(rate: Any) -> str:
    if rate.value is None:
        return "unscored"
    return f"{rate.value:.0%} [{rate.low * 100:.0f}, {rate.high * 100:.0f}]"
