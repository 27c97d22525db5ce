"""What the verbs of the command line share: the application, the flags, how they become a config, where output goes.

Comes in: what the user typed. Goes out: a `HuntConfig`, and a console; whatever somebody else wrote passes `cell`
before it is printed there. A verb names the fields of the config that it
has flags for, and is handed the config (`over`): what a flag takes and what its help says stand in the schema alone.
Neighbours: `hunts.py`, `checks.py`, `proofs.py` and `listing.py`, which hold the verbs.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foible.config import HuntConfig, PartOptions, declared
from foible.errors import visible
from foible.layers import Layer, read_assignment, read_file, resolve

NARROW = 72
"""On fewer columns than this, a table is shown as a list."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Finds, names and proves the systematic failures of image classifiers.",
)

PARTS = ("generator", "captioner", "embedder", "judge")
"""Fields of the parts that are used beside a classifier."""

_SPELLINGS = {
    "labels": ("--label", "-l"),
    "budget": ("--budget", "--max-draws"),
    "guide.method": ("--guide",),
    "workers.count": ("--workers",),
    "workers.address": ("--cluster",),
}
"""Flags that are not called as the last part of their field."""
_OTHERS = "other_classifiers"
_FILES = frozenset({"log"})
"""Fields that name a file; every other path is a directory."""
_UNITS = (("GB", 1e9), ("MB", 1e6), ("KB", 1e3))

File = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of fields; flags win over it.", metavar="FILE")
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="Any other field, as stage.key=value; see `foible config`.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@dataclass(frozen=True)
class Flag:
    """The flag of one field of the config."""

    field: str
    """Dotted name."""
    several: bool = False
    """Whether it may be given more than once, though the field holds one value: see `_layer`."""
    required: bool = False
    told: str = ""
    """What its help says, where the verb takes it otherwise than the schema says."""
    plain: bool = False
    """Whether it is called as the last part of its field, whatever other verbs call it."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """How it is written."""
        own = (f"--{self.field.rpartition('.')[2].replace('_', '-')}",)
        return own if self.plain else _SPELLINGS.get(self.field, own)

    @property
    def keyword(self) -> str:
        """What the parameter of the verb is called."""
        return self.field.replace(".", "_")

    def parameter(self) -> inspect.Parameter:
        """Make the parameter from which typer makes the flag."""
        info = declared(self.field)
        kind, metavar = _taken(info.annotation)
        metavar = "FILE" if self.field in _FILES else metavar
        told = self.told or info.description
        told = f"{told} Give it again for further ones." if self.several else told
        option = typer.Option(*self.spellings, help=told, metavar=metavar)
        kind = list[kind] if self.several else kind  # type: ignore[valid-type]
        return _keyword(self.keyword, Annotated[kind | None, option], required=self.required)


def over(*flags: str | Flag) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a verb out of a function of a config.

    Args:
        flags: of fields of the config, by dotted name.

    Returns:
        A decorator: its function takes a `HuntConfig`, and by keyword what is no field. The verb takes a flag for each
        field, `--config`, `--set`, and what the function takes by keyword.
    """
    made = [Flag(flag) if isinstance(flag, str) else flag for flag in flags]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(function, eval_str=True).parameters.values()

        def verb(**given: Any) -> None:
            file, assign = given.pop("config"), given.pop("assign")
            layers = [(flag.spellings[0], _layer(flag, given.pop(flag.keyword))) for flag in made]
            function(resolved(file, assign, layers)[0], **given)

        parameters = [*(flag.parameter() for flag in made), _keyword("config", File), _keyword("assign", Assignments)]
        verb.__name__, verb.__doc__ = function.__name__, function.__doc__
        verb.__signature__ = inspect.Signature([*parameters, *own])  # type: ignore[attr-defined]
        return verb

    return decorate


def resolved(
    file: Path | None, assign: Collection[str] | None, flags: Collection[Layer] = ()
) -> tuple[HuntConfig, dict[str, str]]:
    """Merge file, flags and `--set`, in this order: the config, and where each value came from."""
    return resolve(layered(file, assign, flags))


def layered(file: Path | None, assign: Collection[str] | None, flags: Collection[Layer] = ()) -> list[Layer]:
    """Give the layers of file, flags and `--set`, in this order."""
    layers: list[Layer] = [(str(file), read_file(file))] if file is not None else []
    return [*layers, *flags, *((f"--set {text}", read_assignment(text)) for text in assign or ())]


def _layer(flag: Flag, value: Any) -> Mapping[str, Any]:
    """Turn what a flag was given into fields; of several classifiers the first is the field itself."""
    if value is None or value == []:
        return {}
    if flag.several:
        first, *others = value
        return {flag.field: first} | ({_OTHERS: others} if others else {})
    nested: Any = value
    for part in reversed(flag.field.split(".")):
        nested = {part: nested}
    found: Mapping[str, Any] = nested
    return found


def _taken(annotation: Any) -> tuple[Any, str | None]:
    """Give what a flag takes for a field of a type, and what stands for it in the help; None for the type's name."""
    if get_origin(annotation) is Literal:  # which of them it is, the config sees
        return str, "|".join(map(str, get_args(annotation)))
    kind = next((each for each in get_args(annotation) if each not in {type(None), Ellipsis}), annotation)
    if get_args(annotation) == (str, Ellipsis):
        return list[str], None
    if isinstance(kind, type) and issubclass(kind, PartOptions):
        return str, "SPEC"
    return kind, "DIR" if kind is Path else None


def _keyword(name: str, annotation: Any, *, required: bool = False) -> inspect.Parameter:
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def replace_what_cannot_be_shown() -> None:
    """Let stdout show "?" for a character that its encoding lacks: it must not cost what was found.

    In the locale "C" it would take bytes of file names that are no text, and refuse any other character all the same.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in {"strict", "surrogateescape"}:
        sys.stdout.reconfigure(errors="replace")


def cell(text: object, style: str = "") -> Text:
    """Make any text safe to print: no character of it is markup, or means anything to a terminal."""
    return Text(visible(text), style)


def lasting(seconds: float) -> str:
    """Say how long something takes."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - two hours


def sized(count: int) -> str:
    """Say how many bytes."""
    unit, size = next(((unit, size) for unit, size in _UNITS if count >= size), ("bytes", 1.0))
    return f"{count / size:.3g} {unit}"


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


CLASSIFIERS = Flag("classifier", several=True)
"""The classifiers under test: the first is the field `classifier`, the others are `other_classifiers`."""
