"""The command line: parse, call, print, exit code. Thin on purpose; everything it does can be done from Python.

Exit codes: 0 the command did its job (bugs found or not), 1 a gate that the user asked for failed, 2 bad input or a
missing part, 130 interrupted. Results go to stdout, progress and errors to stderr. Errors that are expected are one
sentence; anything else keeps its traceback.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foible._version import __version__
from foible.config import HuntConfig, Layer, fields, read_assignment, read_file, resolve
from foible.errors import FoibleError, brief
from foible.progress import Bars, Progress, Silent

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Finds, names and proves the systematic failures of image classifiers.",
)


def _help(name: str) -> str:
    return HuntConfig.model_fields[name].description or ""


Classifier = Annotated[str | None, typer.Option("--classifier", help=_help("classifier"), metavar="SPEC")]
Generator = Annotated[str | None, typer.Option("--generator", help=_help("generator"), metavar="SPEC")]
Captioner = Annotated[str | None, typer.Option("--captioner", help=_help("captioner"), metavar="SPEC")]
EmbedderSpec = Annotated[str | None, typer.Option("--embedder", help=_help("embedder"), metavar="SPEC")]
JudgeSpec = Annotated[str | None, typer.Option("--judge", help=_help("judge"), metavar="SPEC")]
Seed = Annotated[int | None, typer.Option("--seed", help=_help("seed"))]
Out = Annotated[Path | None, typer.Option("--out", help=_help("out"), metavar="DIR")]
ArchiveFolder = Annotated[Path | None, typer.Option("--archive", help=_help("archive"), metavar="DIR")]
Target = Annotated[str | None, typer.Option("--target", help="Count only failures into this wrong label.")]
File = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of fields; flags win over it.", metavar="FILE")
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="Any other field, as stage.key=value; see `foible config`.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout in place of the table.")]
FailOn = Annotated[
    Literal["never", "confirmed"], typer.Option("--fail-on", help="Exit with 1 when a finding is confirmed.")
]


@app.command()
def hunt(  # noqa: PLR0913 - one parameter per flag
    classifier: Classifier = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help=_help("labels"))] = None,
    generator: Generator = None,
    captioner: Captioner = None,
    embedder: EmbedderSpec = None,
    judge: JudgeSpec = None,
    target: Target = None,
    budget: Annotated[int | None, typer.Option("--budget", help=_help("budget"))] = None,
    seed: Seed = None,
    out: Out = None,
    archive: ArchiveFolder = None,
    config: File = None,
    assign: Assignments = None,
    quiet: Quiet = False,
    as_json: Json = False,
    fail_on: FailOn = "never",
) -> None:
    """Find, name and prove the bugs of a classifier; interrupted, the same command goes on where it stopped."""
    flags = {
        "classifier": classifier,
        "labels": label,
        "generator": generator,
        "captioner": captioner,
        "embedder": embedder,
        "judge": judge,
        "failure.target": target,
        "budget": budget,
        "seed": seed,
        "out": out,
        "archive": archive,
    }
    _run(_resolve(config, assign, flags)[0], None, quiet=quiet, as_json=as_json, fail_on=fail_on)


@app.command()
def probe(  # noqa: PLR0913 - one parameter per flag
    label: Annotated[str, typer.Option("--label", "-l", help="The label that the hypothesis is about.")],
    description: Annotated[
        list[str], typer.Option("--description", "-d", help="What is added to the base prompt: 'on grass, at night'.")
    ],
    classifier: Classifier = None,
    generator: Generator = None,
    judge: JudgeSpec = None,
    target: Target = None,
    seed: Seed = None,
    out: Out = None,
    archive: ArchiveFolder = None,
    config: File = None,
    assign: Assignments = None,
    quiet: Quiet = False,
    as_json: Json = False,
    fail_on: FailOn = "never",
) -> None:
    """Test your own hypothesis on fresh images, without exploring."""
    flags = {
        "classifier": classifier,
        "labels": [label],
        "generator": generator,
        "judge": judge,
        "failure.target": target,
        "seed": seed,
        "out": out,
        "archive": archive,
    }
    _run(_resolve(config, assign, flags)[0], description, quiet=quiet, as_json=as_json, fail_on=fail_on)


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="The run directory.", metavar="RUN")],
    archive: ArchiveFolder = None,
) -> None:
    """Work out every number of a run's findings again from its rows, and hash its images again."""
    from foible.report.words import count
    from foible.verify import verify as check

    done = check(run, archive)
    with _while_read():
        for line in done.differences:
            print(line)
        if not done.differences:
            print(f"{done.findings} findings and {done.draws} draws agree with the store and the archive")
    if done.differences:
        _told(f"{count(len(done.differences), 'difference')} in {run}", 1)
        raise typer.Exit(1)


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False) -> None:
    """List the plug-ins: what is installed, and what is missing."""
    import dataclasses
    import json

    from foible.registry import listing

    rows = listing()
    if as_json:
        with _while_read():
            print("\n".join(json.dumps(dataclasses.asdict(row)) for row in rows))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "spec", "from", "state"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in (row.kind, row.spec, row.source, row.missing or "installed")))
    with _while_read() as console:
        console.print(table)


@app.command("config")
def show_config(
    config: File = None,
    assign: Assignments = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print every field with its value and where the value came from."""
    import json

    resolved, origins = _resolve(config, assign, {})
    if as_json:
        rows = {n: {"value": v, "origin": origins[n], "role": r} for n, v, r in fields(resolved)}
        with _while_read():
            print(json.dumps(rows, indent=2, default=str))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("field", "value", "from", "role"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "field")
    for name, value, role in fields(resolved):
        table.add_row(*(Text(cell) for cell in (name, _value(value), origins[name], role)))
    with _while_read() as console:
        console.print(table)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except FoibleError as problem:
        sys.exit(_told(str(problem), 2))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as problem:
        # What typer raises for a mistyped command has this method; its class moves from release to release.
        if not hasattr(problem, "format_message"):
            raise
        sys.exit(_told(problem.format_message(), 2))
    if code == INTERRUPTED:
        _told("interrupted; what was finished is kept, and the same command goes on from there", code)
    sys.exit(code if isinstance(code, int) else 0)


def _told(sentence: str, code: int) -> int:
    if sentence:  # there is none where typer printed the help already
        print(f"foible: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def _resolve(file: Path | None, assign: list[str] | None, flags: dict[str, Any]) -> tuple[HuntConfig, dict[str, str]]:
    layers: list[Layer] = []
    if file is not None:
        layers.append((str(file), read_file(file)))
    for name, value in flags.items():
        if value is not None and value != []:
            nested: Any = value
            for part in reversed(name.split(".")):
                nested = {part: nested}
            layers.append((f"--{name.rpartition('.')[2].removesuffix('s')}", nested))
    layers += [(f"--set {text}", read_assignment(text)) for text in assign or ()]
    return resolve(layers)


def _run(config: HuntConfig, descriptions: list[str] | None, *, quiet: bool, as_json: bool, fail_on: str) -> None:
    from foible.hunting import run

    progress: Progress = Silent() if quiet else Bars()
    done = run(config, progress=progress, descriptions=descriptions)
    with _while_read() as console:
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
    for heading in ("verdict", "label, description, taken for", "fails with it", "without", "adj. p"):
        table.add_column(heading, overflow="fold", no_wrap=not heading.startswith("label"))
    for f in done:
        hypothesis = f.trial.hypothesis
        words = [(hypothesis.label, "bold"), (f" {hypothesis.description}", "italic")]
        if f.confused_with:
            words.append((f" → {result.class_names[f.confused_with[0][0]]}", ""))
        style = {"confirmed": "bold red", "undecided": "yellow", "refuted": "dim"}[f.verdict]
        cells = (_rate(f.treat), _rate(f.control), f"{f.adjusted:.2g}")
        table.add_row(Text(f.verdict, style=style), Text.assemble(*words), *(Text(cell) for cell in cells))
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


def _value(value: object) -> str:
    return brief(value, 200) if value not in (None, "", ()) else "-"


@contextlib.contextmanager
def _while_read() -> Iterator[Console]:
    """Print on stdout as long as somebody reads it: `foible models | head` is no failure, and hides none."""
    try:
        yield Console(file=sys.stdout, highlight=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as gone:  # rich turns the one into the other
        if not isinstance(gone, BrokenPipeError) and not isinstance(gone.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
