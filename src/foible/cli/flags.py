"""What the verbs of the command line share: the application, the flags, how they become a config, where output goes.

Comes in: what the user typed. Goes out: a `HuntConfig`, and a console; whatever somebody else wrote passes `cell`
before it is printed there. Neighbours: `hunts.py`, `checks.py`, `proofs.py` and `listing.py`, which hold the verbs.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foible.config import HuntConfig, Layer, read_assignment, read_file, resolve
from foible.errors import visible

NARROW = 72
"""On fewer columns than this, a table is shown as a list."""

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
Labels = Annotated[list[str] | None, typer.Option("--label", "-l", help=_help("labels"))]
Budget = Annotated[int | None, typer.Option("--budget", "--max-draws", help=_help("budget"))]
MaxMinutes = Annotated[float | None, typer.Option("--max-minutes", help=_help("max_minutes"))]
MaxRequests = Annotated[int | None, typer.Option("--max-requests", help=_help("max_requests"))]
Target = Annotated[str | None, typer.Option("--target", help="Count only failures into this wrong label.")]
File = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of fields; flags win over it.", metavar="FILE")
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="Any other field, as stage.key=value; see `foible config`.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
Json = Annotated[bool, typer.Option("--json", help="Print findings.json on stdout in place of the table.")]


def resolved(file: Path | None, assign: list[str] | None, flags: dict[str, Any]) -> tuple[HuntConfig, dict[str, str]]:
    """Merge file, flags and `--set`, in this order: the config, and where each value came from."""
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


def replace_what_cannot_be_shown() -> None:
    """Let stdout show "?" for a character that its encoding lacks: it must not cost what was found."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def cell(text: object, style: str = "") -> Text:
    """Make any text safe to print: no character of it is markup, or means anything to a terminal."""
    return Text(visible(text), style)


def show_rows(console: Console, headings: Sequence[str], rows: Sequence[Sequence[Text]], folded: Sequence[str]) -> None:
    """Print a table; as a list of its rows, each cell with its heading, where there is no room for one.

    Args:
        console: where to.
        headings: of the columns.
        rows: the cells, made by `cell`.
        folded: the columns whose cells may be broken; the others keep their width.
    """
    if console.width < NARROW:
        for row in rows:
            for heading, text in zip(headings, row, strict=True):
                if text.plain:
                    console.print(Text.assemble((f"{heading}: ", "dim"), text), overflow="fold")
            console.print()
        return
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading not in folded)
    for row in rows:
        table.add_row(*row)
    console.print(table)


@contextlib.contextmanager
def while_read() -> Iterator[Console]:
    """Print on stdout as long as somebody reads it: `foible models | head` is no failure, and hides none."""
    try:
        yield Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as gone:  # rich turns the one into the other
        if not isinstance(gone, BrokenPipeError) and not isinstance(gone.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def told(sentence: str, code: int) -> int:
    """Say one sentence on stderr, and give the code back."""
    if sentence:  # there is none where typer printed the help already
        print(f"foible: {visible(' '.join(sentence.split()))}", file=sys.stderr)
    return code
